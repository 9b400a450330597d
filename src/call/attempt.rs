//! One attempt: what asks whether it may be made, what is told how it went.

use std::time::Duration;

use http::Response;
use tokio::time::Instant;

use super::instances::{Asking, Tried};
use super::streamed::Streamed;
use super::{Calls, LEAST};
use crate::base::attempt::{Again, Event, Health, Sample, Verdict};
use crate::base::call::{Call, Reply};
use crate::base::failure::{Cause, Failure, Fault};
use crate::base::id::PoliciesId;
use crate::plan::Policies;
use crate::policy::verdict::verdict;
use crate::policy::{breaker, bulkhead};
use crate::transport::{Passage, Terms};

/// An attempt that is over.
pub(super) struct Ended {
    /// What came of it.
    pub(super) outcome: Result<Reply, Failure>,
    /// How long the backend asks to be left alone.
    pub(super) pause: Option<Duration>,
    event: Event,
    verdict: Verdict,
}

impl Ended {
    fn of(outcome: Result<Reply, Failure>, call: &Call, policies: &Policies) -> Self {
        let (event, pause) = match &outcome {
            Err(failure) => (failure.event(), failure.retry_after),
            Ok(reply) => match call.judge.as_ref().and_then(|judge| judge.fault(reply)) {
                None => (reply.event(), reply.pause()),
                Some(Fault::Backend) => (Event::Failed, reply.pause()),
                Some(Fault::Client) => (Event::Refused, None),
                Some(Fault::Gateway) => (Event::Local, None),
            },
        };
        Self { outcome, pause, event, verdict: verdict(event, &policies.verdicts) }
    }

    /// Whether another attempt is worth it: the call may be sent again, and `mends` its end.
    pub(super) fn is_worth(&self, mends: impl Fn(Event) -> bool) -> bool {
        self.verdict.again != Again::Never && mends(self.event)
    }

    /// Whether the backend did what it was asked.
    pub(super) fn is_good(&self) -> bool {
        self.verdict.health == Health::Success
    }

    /// Whether the backend failed, or is not asked because it did: then a reply from before is better than this one.
    pub(super) fn is_failure(&self) -> bool {
        is_failing(self.verdict.health, self.outcome.as_ref().err())
    }

    /// Whether a `fail` rule refuses the reply.
    pub(super) fn is_refused(&self) -> bool {
        self.outcome.is_ok() && matches!(self.event, Event::Failed | Event::Refused | Event::Local)
    }
}

/// Whether what became of a call says that its backend fails, or is not asked because it did.
fn is_failing(health: Health, failure: Option<&Failure>) -> bool {
    matches!(health, Health::Hard | Health::Soft) || failure.is_some_and(|failure| failure.cause == Cause::BreakerOpen)
}

impl Calls {
    /// Whether a failure says that the backend fails, or is not asked because it did.
    pub(super) fn is_failing(&self, policies: PoliciesId, failure: &Failure) -> bool {
        let verdict = verdict(failure.event(), &self.policies(policies).verdicts);
        is_failing(verdict.health, Some(failure))
    }

    /// Sends a call once to one address, if breaker and bulkhead let it, and waits for its reply until then.
    pub(super) async fn attempt(&self, (call, tried): (&Call, &Tried), policies: &Policies, until: Instant) -> Ended {
        let began = Instant::now();
        let asking = Asking { worker: self.worker, affinity: call.affinity, anchor: call.anchor.as_deref(), tried };
        let chosen = match self.shared.instances(call.backend).choose(asking, began) {
            Ok(chosen) => chosen,
            Err(failure) => return Ended::of(Err(failure), call, policies),
        };
        let (permit, room) = match self.admit(policies, until).await {
            Ok(admitted) => admitted,
            Err(failure) => return Ended::of(Err(failure), call, policies),
        };
        let left = until.saturating_duration_since(Instant::now());
        let is_hurried = until == call.deadline && left < call.given / 2;
        let outcome = match is_hurried && left < LEAST {
            true => Err(Failure::new(Cause::Timeout, "too little of the request's time is left")),
            false => {
                let terms = Terms { until, is_repeatable: policies.repeatable, previous: tried.begin() };
                self.transport.send(chosen.instance(), call, terms).await
            }
        };
        let outcome = outcome.map_err(|failure| match failure.cause {
            Cause::Timeout if is_hurried && failure.event.is_none() => failure.with_event(Event::Hurried),
            _ => failure,
        });
        let ended = Ended::of(outcome, call, policies);
        let now = Instant::now();
        let Verdict { health, load, .. } = ended.verdict;
        let sample = Sample { health, load, took: now - began, pause: ended.pause };
        chosen.settle(sample, now);
        if let Some(room) = room {
            room.note(sample, now);
        }
        if let Some(permit) = permit {
            permit.settle(sample, now, fastrand::f64());
        }
        if policies.hedge.is_some() && ended.is_good() {
            self.shared.times(call.backend).count(sample.took, now);
        }
        ended
    }

    /// Asks breaker and bulkhead whether a call may be made.
    async fn admit(
        &self,
        policies: &Policies,
        until: Instant,
    ) -> Result<(Option<breaker::Permit<'_>>, Option<bulkhead::Permit>), Failure> {
        let permit = match policies.breaker {
            None => None,
            Some(id) => Some(self.shared.breaker(id).admit(Instant::now()).map_err(|refusal| {
                let failure = Failure::new(Cause::BreakerOpen, "the breaker is open");
                Failure { retry_after: Some(refusal.retry_after), ..failure }
            })?),
        };
        let room = match policies.bulkhead {
            None => None,
            Some(id) => Some(self.shared.bulkhead(id).enter(until).await.map_err(|bulkhead::Full| {
                let failure = Failure::new(Cause::TooManyCalls, "as many calls are under way as `concurrency` allows");
                Failure { retry_after: Some(Duration::from_secs(1)), ..failure }
            })?),
        };
        Ok((permit, room))
    }

    /// Passes a request through. It is under way until the body of the reply has come to its end.
    pub(super) async fn passed(&self, passage: Passage, policies: &Policies) -> Result<Response<Streamed>, Failure> {
        let (began, is_hurried) = (Instant::now(), passage.is_hurried);
        let (affinity, anchor, tried) = (passage.affinity, passage.anchor.clone(), Tried::default());
        let asking = Asking { worker: self.worker, affinity, anchor: anchor.as_deref(), tried: &tried };
        let chosen = self.shared.instances(passage.backend).choose(asking, began)?;
        let (permit, room) = self.admit(policies, passage.deadline).await?;
        let outcome = self.transport.forward(chosen.instance(), passage).await;
        let outcome = outcome.map_err(|failure| match failure.cause {
            Cause::Timeout if is_hurried => failure.with_event(Event::Hurried),
            _ => failure,
        });
        let event = match &outcome {
            Ok(response) => Event::Status(response.status().as_u16()),
            Err(failure) => failure.event(),
        };
        let now = Instant::now();
        let Verdict { health, load, .. } = verdict(event, &policies.verdicts);
        let sample = Sample { health, load, took: now - began, pause: None };
        chosen.settle(sample, now);
        if let Some(room) = &room {
            room.note(sample, now);
        }
        if let Some(permit) = permit {
            permit.settle(sample, now, fastrand::f64());
        }
        outcome.map(|response| response.map(|body| Streamed::new(body, room)))
    }
}

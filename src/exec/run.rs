//! The driver: demands steps, advances them as what they wait for comes, and collects replies.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::time::Instant;

use super::batch::{Chunk, Looked};
use super::choose::choose;
use super::client::ClientRequest;
use super::crowd::{Crowd, CrowdId};
use super::env::{Env, failure};
use super::frame::{At, End, FrameId, Frames, Stage, Waiter};
use super::partial::Partial;
use super::render::Time;
use super::undo::Written;
use super::{Live, judge, keeping, render};
use crate::base::call::{Call, Reply};
use crate::base::failure::Failure;
use crate::base::value::Held;
use crate::call;
use crate::expr::{Budget, Failures};
use crate::plan::{self, Action, Need, OnFailure};

/// What reads that no frame, reply or batch answers give.
pub(super) static NOTHING: Held = Held::Null;

/// One client request on its way. See the module's head.
pub struct Run<'p> {
    pub(super) live: &'p Live,
    pub(super) request: &'p ClientRequest,
    /// When the whole answer must be ready.
    pub(super) deadline: Instant,
    pub(super) frames: Frames<'p>,
    pub(super) crowds: Vec<Crowd<'p>>,
    pub(super) partial: Partial,
    pub(super) budget: Budget,
    /// Parts of results that could not be computed and gave null.
    pub(super) leaves: RefCell<Failures>,
    /// Tags of kept replies that writes of this run threw away.
    pub(super) invalidated: RefCell<Vec<Box<str>>>,
    /// Counts the replies, or bunches of replies, that the driver took up.
    pub(super) turn: u64,
    /// Steps to advance.
    queue: VecDeque<At>,
    /// Crowds with room for a further member.
    pub(super) hungry: VecDeque<CrowdId>,
    /// Calls under way.
    calls: FuturesUnordered<Pin<Box<dyn Future<Output = Arrival> + Send + 'p>>>,
    /// Writes among them: nobody is told of an end before they have come to theirs.
    writes_under_way: usize,
    /// Crowds that the caller started and that are over.
    finished: VecDeque<CrowdId>,
    /// What may have been changed and can be taken back, in the order in which it was heard of.
    pub(super) written: Vec<Written<'p>>,
}

/// Something that was waited for.
enum Arrival {
    /// A call came to its end.
    Call {
        ticket: Ticket,
        /// Whether the call may have changed something.
        write: bool,
        outcome: Result<Reply, Failure>,
    },
    /// The store said what it knows of the rows of a batch.
    Rows(Looked),
}

/// Whom a reply is for.
#[derive(Debug)]
pub(super) enum Ticket {
    /// One step.
    Step(At),
    /// The members of a batch whose keys were asked for.
    Batch(Chunk),
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("calls", &self.calls.len()).field("crowds", &self.crowds.len()).finish()
    }
}

impl<'p> Run<'p> {
    /// A run that has nothing to do yet.
    pub fn new(live: &'p Live, request: &'p ClientRequest, deadline: Instant) -> Self {
        Self {
            live,
            request,
            deadline,
            frames: Frames::default(),
            crowds: Vec::new(),
            partial: Partial::default(),
            budget: Budget::default(),
            leaves: RefCell::default(),
            invalidated: RefCell::default(),
            turn: 0,
            queue: VecDeque::new(),
            hungry: VecDeque::new(),
            calls: FuturesUnordered::new(),
            writes_under_way: 0,
            finished: VecDeque::new(),
            written: Vec::new(),
        }
    }

    /// Works until a crowd of the caller's is over; `None` when nothing is left to wait for.
    pub(super) async fn next_finished(&mut self) -> Option<CrowdId> {
        loop {
            while let Some(at) = self.queue.pop_front() {
                self.advance(at);
            }
            if let Some(crowd) = self.hungry.pop_front() {
                self.start_member(crowd);
                continue;
            }
            if self.writes_under_way == 0
                && let Some(done) = self.finished.pop_front()
            {
                return Some(done);
            }
            match self.calls.next().await {
                Some(arrival) => {
                    self.turn += 1;
                    self.take(arrival);
                    // Everything that has come by now is known in the same turn.
                    while let Some(Some(arrival)) = self.calls.next().now_or_never() {
                        self.take(arrival);
                    }
                }
                None if self.dispatch_stalled_batches() => {}
                None => return None,
            }
        }
    }

    fn take(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Call { ticket, write, outcome } => {
                self.writes_under_way -= usize::from(write);
                match ticket {
                    Ticket::Step(at) => self.arrive(at, outcome),
                    Ticket::Batch(chunk) => self.arrive_batch(chunk, outcome),
                }
            }
            Arrival::Rows(looked) => self.take_rows(looked),
        }
    }

    /// Whether a frame is over and nothing that comes can change how: it failed in an earlier turn, or
    /// gave its value.
    pub(super) fn is_settled(&self, frame: FrameId) -> bool {
        let frame = self.frames.frame(frame);
        frame.done && frame.failed.is_none_or(|(turn, _)| turn != self.turn)
    }

    /// What expressions of a frame read.
    pub(super) fn env(&self, frame: FrameId) -> Env<'_> {
        let crowd = &self.crowds[self.frames.frame(frame).crowd.index()];
        Env {
            request: self.request,
            sources: crowd.sources,
            args: &crowd.args,
            budget: &self.budget,
            leaves: &self.leaves,
            drift: Some(&self.live.drift),
            frame: Some((&self.frames, frame)),
            reply: None,
            reply_body: &NOTHING,
            keys: &NOTHING,
            item: None,
            row: None,
            repeated: None,
        }
    }

    /// Asks for steps; says how many of them are not done yet and will wake `waiter`.
    pub(super) fn demand(&mut self, from: FrameId, needs: &[Need], waiter: Waiter) -> usize {
        let mut missing = 0;
        for need in needs {
            let at = self.frames.locate(from, *need);
            let slot = self.frames.slot_mut(at);
            if slot.stage == Stage::Done {
                continue;
            }
            missing += 1;
            slot.waiters.push(waiter);
            if slot.stage == Stage::Idle {
                slot.stage = Stage::Asked;
                self.queue.push_back(at);
            }
        }
        missing
    }

    /// Takes a step as far as it goes without waiting.
    fn advance(&mut self, at: At) {
        let step = self.frames.step(at);
        loop {
            if self.frames.slot(at).missing > 0 || self.frames.frame(at.frame).done {
                return;
            }
            let wait = match self.frames.slot(at).stage {
                Stage::Asked => match &step.when {
                    Some(when) => self.enter(at, Stage::When, &when.needs),
                    None => self.enter(at, Stage::Ready, &step.needs),
                },
                Stage::When => match step.when.as_ref().map_or(Ok(true), |when| self.env(at.frame).holds(&when.node)) {
                    Ok(true) => self.enter(at, Stage::Ready, &step.needs),
                    Ok(false) => match &step.otherwise {
                        Some(otherwise) => self.enter(at, Stage::Otherwise, &otherwise.needs),
                        None => return self.settle(at, End::Skipped, Held::Null),
                    },
                    Err(failure) => return self.fail(at, failure),
                },
                Stage::Ready => return self.start(at, step),
                Stage::Otherwise => return self.finish_with(at, End::Skipped, step.otherwise.as_ref()),
                Stage::Default => {
                    let OnFailure::Default(default) = &step.on_failure else { return };
                    return self.finish_with(at, End::Failed, Some(default));
                }
                Stage::Idle | Stage::Running | Stage::Done => return,
            };
            if wait {
                return;
            }
        }
    }

    /// Moves a step to a stage and demands what that stage mentions; says whether it must wait.
    fn enter(&mut self, at: At, stage: Stage, needs: &[Need]) -> bool {
        let slot = self.frames.slot_mut(at);
        slot.stage = stage;
        slot.round += 1;
        let round = slot.round;
        let step = self.frames.step(at);
        if stage == Stage::Ready && !matches!(step.action, Action::Call(_)) {
            self.frames.slot_mut(at).deadline = step.timeout.map(|timeout| Instant::now() + timeout);
        }
        let missing = self.demand(at.frame, needs, Waiter::Step(at, round));
        self.frames.slot_mut(at).missing = missing;
        missing > 0
    }

    /// Does what a step does: everything that it mentions is there.
    fn start(&mut self, at: At, step: &'p plan::Step) {
        self.frames.slot_mut(at).stage = Stage::Running;
        match &step.action {
            Action::Group(guards) => match judge::guards(guards, &self.env(at.frame)) {
                Ok(()) => self.settle(at, End::Regular, Held::Null),
                Err(failure) => self.fail(at, failure),
            },
            Action::Each(each) => self.start_each(at, each),
            Action::Call(call) if call.batch.is_some() => self.join_batch(at, call),
            Action::Call(call) if call.repeat.is_some() => self.start_repeated(at, step, call),
            Action::Call(call) => match self.rendered((at, step), call, &self.env(at.frame)) {
                Ok(rendered) => self.send(Ticket::Step(at), rendered, Duration::ZERO),
                Err(failure) => self.fail(at, failure),
            },
        }
    }

    /// A call to the variant that it goes to, filled in.
    pub(super) fn rendered(
        &self,
        (at, step): (At, &plan::Step),
        call: &plan::Call,
        env: &Env<'_>,
    ) -> Result<Call, Failure> {
        let target = &call.targets.list[choose(&call.targets, env, &self.live.turns)?];
        let own = step.timeout.or(target.timeout);
        let rendered = render::call((call, target), env, self.time(own, self.deadline_around(at)))?;
        let keeping = keeping::of(&self.live.plan.around, target.kept.as_deref(), (env, own));
        Ok(Call { keeping, ..rendered })
    }

    /// The time of a call that begins now, has `own` time, and must be over at `end`.
    pub(super) fn time(&self, own: Option<Duration>, end: Instant) -> Time {
        let deadline = own.map_or(end, |own| end.min(Instant::now() + own));
        let is_shortened = deadline == self.deadline && self.request.patience.is_some();
        Time { deadline, given: if is_shortened { Duration::MAX } else { own.unwrap_or_default() } }
    }

    /// When everything that stands around a step's call must be over.
    pub(super) fn deadline_around(&self, at: At) -> Instant {
        let around = self.frames.deadline(at, |crowd| self.crowds[crowd.index()].owner);
        let crowd = self.crowds[self.frames.frame(at.frame).crowd.index()].deadline;
        [around, crowd].into_iter().flatten().min().map_or(self.deadline, |least| least.min(self.deadline))
    }

    /// Puts a call under way, after a pause if there is to be one.
    pub(super) fn send(&mut self, ticket: Ticket, call: Call, pause: Duration) {
        let calls = &self.live.calls;
        let write = match &ticket {
            Ticket::Step(at) => self.frames.step(*at).write,
            // A batch reads: its calls are put together from what several parents ask.
            Ticket::Batch(_) => false,
        };
        self.writes_under_way += usize::from(write);
        self.calls.push(Box::pin(async move {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            let outcome = call::run(calls, call).await;
            Arrival::Call { ticket, write, outcome }
        }));
    }

    /// Waits for what the store knows of the rows of a batch.
    pub(super) fn look(&mut self, looking: impl Future<Output = Looked> + Send + 'p) {
        self.calls.push(Box::pin(async move { Arrival::Rows(looking.await) }));
    }

    /// Ends a step with what `else` or `default` gives.
    fn finish_with(&mut self, at: At, end: End, expr: Option<&plan::Expr>) {
        let held = match expr {
            Some(expr) => self.env(at.frame).keep(&expr.node),
            None => Ok(Held::Null),
        };
        match held {
            Ok(held) => self.settle(at, end, held),
            Err(failure) => self.escalate(at, failure),
        }
    }

    /// Ends a step and wakes who waits for it.
    pub(super) fn settle(&mut self, at: At, end: End, held: Held) {
        let slot = self.frames.slot_mut(at);
        if slot.stage == Stage::Done {
            return;
        }
        slot.stage = Stage::Done;
        slot.end = end;
        slot.held = held;
        for waiter in std::mem::take(&mut slot.waiters) {
            match waiter {
                Waiter::Step(at, round) => {
                    let slot = self.frames.slot_mut(at);
                    if slot.round == round {
                        slot.missing -= 1;
                        if slot.missing == 0 {
                            self.queue.push_back(at);
                        }
                    }
                }
                Waiter::Frame(frame) => {
                    let waiting = self.frames.frame_mut(frame);
                    waiting.missing -= 1;
                    if waiting.missing == 0 {
                        self.frame_ready(frame);
                    }
                }
            }
        }
    }

    /// A step failed: what that means is its own to say.
    pub(super) fn fail(&mut self, at: At, failure: Failure) {
        let step = self.frames.step(at);
        if self.frames.slot(at).stage == Stage::Done {
            return;
        }
        if matches!(step.on_failure, OnFailure::Fail) {
            return self.escalate(at, failure);
        }
        let id = self.request.id_text();
        tracing::info!(
            request_id = id,
            step = &*step.name,
            code = failure.code(),
            log = &*failure.log,
            "a step failed"
        );
        self.partial.add(&step.name, failure.code());
        let slot = self.frames.slot_mut(at);
        slot.failure = Some(Box::new(failure));
        match &step.on_failure {
            OnFailure::Default(default) => {
                if !self.enter(at, Stage::Default, &default.needs) {
                    self.queue.push_back(at);
                }
            }
            _ => self.settle(at, End::Failed, Held::Null),
        }
    }

    /// Gives up what is still under way.
    pub(super) fn give_up_calls(&mut self) {
        self.calls.clear();
        self.writes_under_way = 0;
    }

    /// Hands a failure to the composition around the step, or to its frame.
    fn escalate(&mut self, at: At, failure: Failure) {
        let step = self.frames.step(at);
        let failure = failure.at(format_args!("step {}", step.name));
        match step.group {
            Some(group) => self.fail(At { frame: at.frame, step: group }, failure),
            None => self.frame_failed(at, failure),
        }
    }

    /// What the answer had to do without, parts of its result that could not be computed included.
    pub(super) fn into_partial(mut self) -> Partial {
        for error in self.leaves.take().errors() {
            tracing::info!(request_id = self.request.id_text(), log = %error, "a part of the result could not be computed and is null");
            self.partial.add("result", failure(error).code());
        }
        self.partial
    }

    /// Tells the caller that one of its crowds is over.
    pub(super) fn announce(&mut self, crowd: CrowdId) {
        self.finished.push_back(crowd);
    }
}

#[cfg(test)]
mod tests;

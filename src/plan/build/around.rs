//! What stands around each call: of what the call, its variant, its backend and the gateway say, the nearest counts,
//! member by member.

use std::cell::RefCell;
use std::time::Duration;

use super::Planner;
use super::backends::{BackendFacts, Reached};
use crate::base::attempt::{Event, Health};
use crate::base::id::{BackendId, PoliciesId};
use crate::plan::{Around, Owned, Policies};
use crate::policy::bulkhead::{Bounds, Limit};
use crate::policy::verdict::Exceptions;
use crate::policy::{breaker, budget, bulkhead, hedge, retry};
use crate::spec::{self, CallPolicies, Lateness, Located, Period, RetryCause, Share, Switch};

/// The first wait between attempts.
const BACKOFF: Duration = Duration::from_millis(25);
/// How many times longer than the first wait any wait may be.
const BACKOFF_GROWTH: u32 = 10;
/// How many calls an adaptive limit lets be under way always.
const ADAPTIVE_MIN: u32 = 20;
/// How many times more than that it lets be under way at most.
const ADAPTIVE_GROWTH: u32 = 10;
/// Beyond the time of a call, how long a breaker waits for the verdict of a try.
const PATIENCE: Duration = Duration::from_secs(1);

/// The call that policies are found for.
#[derive(Clone, Copy, Default)]
pub(super) struct Made<'c> {
    /// What it says itself.
    pub(super) policies: Option<&'c CallPolicies>,
    /// Whether it may be made twice.
    pub(super) repeatable: bool,
    /// Whether it reads.
    pub(super) reads: bool,
}

/// Where a call goes, and how long it may take.
#[derive(Clone, Copy)]
pub(super) struct Going<'c> {
    pub(super) facts: &'c BackendFacts<'c>,
    pub(super) backend: BackendId,
    pub(super) reached: &'c Reached<'c>,
    pub(super) timeout: Option<Duration>,
}

/// What is said of one policy, the nearest first. The number is how far away.
pub(super) struct Said<'s, T>(Vec<(usize, &'s T)>);

impl<'s, T> Said<'s, T> {
    /// The nearest that is said, up to the first `none`.
    pub(super) fn of<const N: usize>(layers: [Option<&'s Switch<T>>; N]) -> Option<Self> {
        let mut said = Vec::new();
        for (distance, layer) in layers.into_iter().enumerate() {
            match layer {
                None => {}
                Some(Switch::Off(_)) => break,
                Some(Switch::On(written)) => said.push((distance, written)),
            }
        }
        (!said.is_empty()).then_some(Self(said))
    }

    /// The nearest value of a member.
    pub(super) fn member<V>(&self, member: impl Fn(&'s T) -> Option<V>) -> Option<V> {
        self.0.iter().find_map(|(_, said)| member(said))
    }

    /// All that is said of a member, the nearest first.
    pub(super) fn members<V>(&self, member: impl Fn(&'s T) -> Option<V>) -> Vec<V> {
        self.0.iter().filter_map(|(_, said)| member(said)).collect()
    }

    /// The nearest value of a member, and how far away it is said.
    pub(super) fn nearest<V>(&self, member: impl Fn(&'s T) -> Option<V>) -> Option<(usize, V)> {
        self.0.iter().find_map(|(distance, said)| Some((*distance, member(said)?)))
    }

    /// Whether the call itself says something: then its state is its own.
    fn is_own(&self) -> bool {
        self.0.iter().any(|(distance, _)| *distance == 0)
    }

    pub(super) fn time(&self, member: impl Fn(&'s T) -> Option<&'s Located<Period>>) -> Option<Duration> {
        self.member(|said| member(said).map(|time| time.value.0))
    }

    fn share(&self, member: impl Fn(&'s T) -> Option<&'s Located<Share>>, otherwise: f64) -> f64 {
        self.member(|said| member(said).map(|share| share.value.0)).unwrap_or(otherwise)
    }

    fn count(&self, member: impl Fn(&'s T) -> Option<&'s Located<u32>>, otherwise: u32) -> u32 {
        self.member(|said| member(said).map(|count| count.value)).unwrap_or(otherwise)
    }
}

impl Planner<'_> {
    /// What stands around the call that is written at `path`.
    pub(super) fn around(&self, made: Made<'_>, path: &str, going: Going<'_>) -> PoliciesId {
        let layers = self.layers_of(made, going);
        let owner = |is_own: bool| if is_own { path } else { &*going.reached.path };
        let mut around = self.around.borrow_mut();
        let retry = Said::of(layers.map(|layer| layer?.retry.as_ref())).filter(|_| made.repeatable).map(|said| {
            let share = said.share(|retry| retry.budget.as_ref(), 0.2);
            let owned = owned(going.backend, owner(said.is_own()), budget::Settings { share });
            (retry_settings(&said), kept(&mut around.budgets, owned).into())
        });
        let hedge = Said::of(layers.map(|layer| layer?.hedge.as_ref())).filter(|_| made.reads).map(|said| {
            let share = said.share(|hedge| hedge.budget.as_ref(), 0.05);
            let owned = owned(going.backend, owner(said.is_own()), budget::Settings { share });
            (hedge_settings(&said), kept(&mut around.budgets, owned).into())
        });
        let breaker = Said::of(layers.map(|layer| layer?.breaker.as_ref())).map(|said| {
            let settings = breaker_settings(&said, going.timeout);
            kept(&mut around.breakers, owned(going.backend, owner(said.is_own()), settings)).into()
        });
        let bulkhead = Said::of(layers.map(|layer| layer?.concurrency.as_ref())).map(|said| {
            let settings = bulkhead_settings(&said);
            kept(&mut around.bulkheads, owned(going.backend, owner(said.is_own()), settings)).into()
        });
        let verdicts = Exceptions(layers.iter().flatten().flat_map(|layer| exceptions(layer)).collect());
        let policies = Policies { repeatable: made.repeatable, retry, hedge, breaker, bulkhead, verdicts };
        kept(&mut around.calls, policies).into()
    }

    pub(super) fn layers_of<'l>(&'l self, made: Made<'l>, going: Going<'l>) -> [Option<&'l CallPolicies>; 4] {
        [
            made.policies,
            going.reached.variant.map(|variant| &variant.value.policies),
            Some(&going.facts.spec.policies),
            self.spec.gateway.calls.as_ref().map(|calls| &calls.policies),
        ]
    }
}

/// What the plan collects of policies while calls are compiled.
pub(super) type Collected = RefCell<Around>;

/// The position of an equal one, or of this one, put at the end.
fn kept<T: PartialEq>(table: &mut Vec<T>, one: T) -> usize {
    table.iter().position(|known| *known == one).unwrap_or_else(|| {
        table.push(one);
        table.len() - 1
    })
}

fn owned<S>(backend: BackendId, owner: &str, settings: S) -> Owned<S> {
    Owned { backend, owner: owner.into(), settings }
}

fn retry_settings(said: &Said<'_, spec::Retry>) -> retry::Settings {
    let causes = said.member(|retry| (!retry.on.is_empty()).then_some(&retry.on));
    let on =
        causes.map_or(retry::Causes { connect: true, reset: true, unavailable: true, ..Default::default() }, |of| {
            of.iter().fold(retry::Causes::default(), |mut on, cause| {
                match cause.value {
                    RetryCause::Connect => on.connect = true,
                    RetryCause::Reset => on.reset = true,
                    RetryCause::Timeout => on.timeout = true,
                    RetryCause::Unavailable => on.unavailable = true,
                    RetryCause::ServerError => on.server_error = true,
                    RetryCause::RateLimited => on.rate_limited = true,
                }
                on
            })
        });
    let base = said.member(|retry| Some(retry.backoff.as_ref()?.base.value.0)).unwrap_or(BACKOFF);
    let max = said.member(|retry| Some(retry.backoff.as_ref()?.max.as_ref()?.value.0));
    retry::Settings {
        attempts: said.member(|retry| Some(retry.attempts.as_ref()?.value.0)).unwrap_or(2),
        on,
        base,
        max: max.unwrap_or(base.saturating_mul(BACKOFF_GROWTH)).max(base),
        timeout: said.time(|retry| retry.timeout.as_ref()),
    }
}

fn hedge_settings(said: &Said<'_, spec::Hedge>) -> hedge::Settings {
    match said.member(|hedge| Some(hedge.after.value)) {
        Some(Lateness::After(after)) => hedge::Settings::After(after),
        Some(Lateness::Percentile(percent)) => hedge::Settings::Percentile(percent),
        None => hedge::Settings::Percentile(95),
    }
}

fn breaker_settings(said: &Said<'_, spec::Breaker>, timeout: Option<Duration>) -> breaker::Settings {
    let open = said.time(|breaker| breaker.open.as_ref()).unwrap_or(Duration::from_secs(5));
    let max_open = said.time(|breaker| breaker.max_open.as_ref()).unwrap_or(Duration::from_secs(60));
    let slow = said.member(|breaker| breaker.slow.as_ref()).map(|slow| breaker::Slow {
        over: slow.over.value.0,
        share: slow.share.as_ref().map_or(0.5, |share| share.value.0),
    });
    breaker::Settings {
        failures: said.share(|breaker| breaker.failures.as_ref(), 0.5),
        of: said.count(|breaker| breaker.of.as_ref(), 20),
        within: said.time(|breaker| breaker.within.as_ref()).unwrap_or(Duration::from_secs(10)),
        consecutive: said.count(|breaker| breaker.consecutive.as_ref(), 5),
        slow,
        open,
        max_open: max_open.max(open),
        probes: said.member(|breaker| Some(breaker.probes.as_ref()?.value.0)).unwrap_or(1),
        patience: timeout.unwrap_or(super::REQUEST_TIMEOUT) + PATIENCE,
    }
}

fn bulkhead_settings(said: &Said<'_, spec::Concurrency>) -> bulkhead::Settings {
    let limit = |written: &spec::Concurrency| match (&written.limit, &written.adaptive) {
        (Some(limit), _) => Some(Limit::Fixed(limit.value)),
        (None, Some(adaptive)) => Some(Limit::Adaptive(bounds(adaptive))),
        (None, None) => None,
    };
    bulkhead::Settings {
        limit: said.member(limit).unwrap_or(Limit::Fixed(u32::MAX)),
        wait: said.time(|it| it.wait.as_ref()).unwrap_or_default(),
    }
}

fn bounds(written: &spec::Adaptive) -> Bounds {
    let (min, max) = (written.min.as_ref().map(|min| min.value), written.max.as_ref().map(|max| max.value));
    let min = min.unwrap_or(ADAPTIVE_MIN.min(max.unwrap_or(u32::MAX)));
    Bounds { min, max: max.unwrap_or(min.saturating_mul(ADAPTIVE_GROWTH)) }
}

fn exceptions(policies: &CallPolicies) -> impl Iterator<Item = (Event, Health)> {
    let written = policies.verdicts.iter().flatten();
    written.map(|judged| (judged.value.event, judged.value.opinion.value.into()))
}

impl From<spec::Opinion> for Health {
    fn from(opinion: spec::Opinion) -> Self {
        match opinion {
            spec::Opinion::Success => Self::Success,
            spec::Opinion::Failure => Self::Hard,
            spec::Opinion::Overload => Self::Soft,
            spec::Opinion::Neutral => Self::Neutral,
        }
    }
}

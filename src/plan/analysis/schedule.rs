//! When steps run: how many calls must have been answered, one after another, before each can start.
//!
//! Time is counted in calls: each takes one, everything else none. A step may be asked for by several
//! others and starts for the first of them, while it waits for the last of what it mentions; so the
//! times are found by going round until none becomes earlier.

use std::collections::BTreeSet;

use super::flow::{At, Flow, Why, most_calls, rounds};
use crate::plan::Action;

/// The time of what never happens.
const NEVER: u64 = u64::MAX;

/// When the steps of a flow run.
#[derive(Debug)]
pub(crate) struct Schedule<'f, 'p> {
    flow: &'f Flow<'p>,
    times: Vec<Times>,
    only: Vec<Only>,
}

/// A condition under which a step is asked for at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Condition {
    /// The `when` of this step is true.
    Holds(At),
    /// The `when` of this step is false.
    Skipped(At),
    /// This step has failed.
    Failed(At),
}

/// The longest chain of calls that wait for each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Calls one after another.
    pub(crate) calls: u64,
    /// The steps that make them, the first first.
    pub(crate) links: Vec<Link>,
}

/// A step of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// The step.
    pub(crate) step: At,
    /// How often it calls one after another: more than once where items wait for their turn, and where
    /// a call is repeated.
    pub(crate) times: u64,
}

/// Under which conditions a step is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Only {
    Never,
    /// Under any of these; without one, in any case.
    If(BTreeSet<Condition>),
}

/// The times of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Times {
    /// Something asks for it.
    asked: u64,
    /// Its `when` is decided.
    decided: u64,
    /// What its action mentions is there.
    started: u64,
    /// Its own call is answered.
    answered: u64,
    /// It holds its value, in the worst case that of `else` or `default`.
    done: u64,
}

/// A moment in the life of a step.
#[derive(Clone, Copy, Debug)]
enum Event {
    Asked(At),
    Decided(At),
    Started(At),
    Answered(At),
    Done(At),
}

impl<'f, 'p> Schedule<'f, 'p> {
    /// Finds the times of every step.
    pub(crate) fn of(flow: &'f Flow<'p>) -> Self {
        let never = Times { asked: NEVER, decided: NEVER, started: NEVER, answered: NEVER, done: NEVER };
        let count = flow.all().count();
        let mut schedule = Self { flow, times: vec![never; count], only: vec![Only::Never; count] };
        let later: Vec<u64> = flow.all().map(|at| later_rounds(flow, at)).collect();
        for root in flow.roots() {
            schedule.times[root.index()].asked = 0;
            schedule.only[root.index()] = Only::If(BTreeSet::new());
        }
        while schedule.improve(&later) {}
        while schedule.spread_conditions() {}
        schedule
    }

    /// Whether a step can run at all.
    pub(crate) fn runs(&self, at: At) -> bool {
        self.times[at.index()].asked != NEVER
    }

    /// The calls that must have been answered one after another before a step starts.
    pub(crate) fn start(&self, at: At) -> u64 {
        self.times[at.index()].started
    }

    /// The same before its `when` is decided.
    pub(crate) fn decided(&self, at: At) -> u64 {
        self.times[at.index()].decided
    }

    /// The conditions of which one must hold for a step to be asked for; none when it always is.
    pub(crate) fn conditions(&self, at: At) -> Vec<Condition> {
        match &self.only[at.index()] {
            Only::Never => Vec::new(),
            Only::If(conditions) => conditions.iter().copied().collect(),
        }
    }

    /// The longest chain of calls that wait for each other.
    pub(crate) fn chain(&self) -> Chain {
        let Some(last) = self.latest(self.flow.roots()) else { return Chain::default() };
        let mut links = Vec::new();
        let events = 5 * self.times.len();
        let way = std::iter::successors(Some(Event::Done(last)), |event| self.cause(*event));
        for event in way.take(events) {
            if let Event::Answered(step) = event
                && let Action::Call(call) = &self.flow.step(step).action
            {
                links.push(Link { step, times: self.turns(step).saturating_mul(most_calls(call)) });
            }
        }
        links.reverse();
        Chain { calls: self.times[last.index()].done, links }
    }

    /// One way round; whether something became earlier.
    fn improve(&mut self, later: &[u64]) -> bool {
        let before = self.times.clone();
        for at in self.flow.all().filter(|at| before[at.index()].asked != NEVER) {
            let times = self.times_of(at, later[at.index()]);
            self.times[at.index()] = times;
            for (asked, why) in self.flow.asks(at) {
                let moment = match why {
                    Why::Decide => times.asked,
                    Why::Act | Why::Else => times.decided,
                    Why::Items => times.started,
                    Why::Default => times.answered,
                };
                let known = &mut self.times[asked.index()].asked;
                *known = moment.min(*known);
            }
        }
        self.times != before
    }

    fn times_of(&self, at: At, later: u64) -> Times {
        let asked = self.times[at.index()].asked;
        let decided = asked.max(self.last_done(&self.flow.deciding(at)));
        let started = decided.max(self.last_done(&self.flow.acting(at)));
        let answered = match &self.flow.step(at).action {
            Action::Call(call) => started.saturating_add(most_calls(call)),
            Action::Group(_) => started,
            Action::Each(_) => started.max(self.last_done(&self.flow.items(at))).saturating_add(later),
        };
        let (otherwise, default) = self.flow.replacing(at);
        let done = answered.max(self.last_done(&otherwise)).max(self.last_done(&default));
        Times { asked, decided, started, answered, done }
    }

    fn last_done(&self, steps: &[At]) -> u64 {
        steps.iter().map(|at| self.times[at.index()].done).max().unwrap_or(0)
    }

    fn latest(&self, steps: &[At]) -> Option<At> {
        steps.iter().copied().max_by_key(|at| (self.times[at.index()].done, std::cmp::Reverse(*at)))
    }

    /// What an event had to wait for last.
    fn cause(&self, event: Event) -> Option<Event> {
        let flow = self.flow;
        let after = |at: At, own: Event, own_time: u64, others: &[At]| match self.latest(others) {
            Some(other) if self.times[other.index()].done > own_time => Some(Event::Done(other)),
            _ => Some(own).filter(|_| self.runs(at)),
        };
        match event {
            Event::Done(at) => {
                let (mut others, default) = flow.replacing(at);
                others.extend(default);
                after(at, Event::Answered(at), self.times[at.index()].answered, &others)
            }
            Event::Answered(at) => after(at, Event::Started(at), self.times[at.index()].started, &flow.items(at)),
            Event::Started(at) => after(at, Event::Decided(at), self.times[at.index()].decided, &flow.acting(at)),
            Event::Decided(at) => after(at, Event::Asked(at), self.times[at.index()].asked, &flow.deciding(at)),
            Event::Asked(at) => self.asking(at),
        }
    }

    /// The event that made a step be asked for; `None` for what runs in any case.
    fn asking(&self, at: At) -> Option<Event> {
        if self.flow.roots().contains(&at) {
            return None;
        }
        let time = self.times[at.index()].asked;
        let events = self.flow.all().filter(|by| self.runs(*by)).flat_map(|by| {
            let times = self.times[by.index()];
            self.flow.asks(by).into_iter().filter(|(asked, _)| *asked == at).map(move |(_, why)| match why {
                Why::Decide => (times.asked, Event::Asked(by)),
                Why::Act | Why::Else => (times.decided, Event::Decided(by)),
                Why::Items => (times.started, Event::Started(by)),
                Why::Default => (times.answered, Event::Answered(by)),
            })
        });
        events.filter(|(moment, _)| *moment == time).map(|(_, event)| event).next()
    }

    /// How often a step runs one after another: once for every round of the `for_each` around it.
    fn turns(&self, mut at: At) -> u64 {
        let mut turns = 1_u64;
        while let Some(around) = self.flow.around(at) {
            if let Action::Each(each) = &self.flow.step(around).action {
                turns = turns.saturating_mul(rounds(each));
            }
            at = around;
        }
        turns
    }

    /// Hands the conditions of every step to those that it asks for; whether one became wider.
    fn spread_conditions(&mut self) -> bool {
        let before = self.only.clone();
        for at in self.flow.all() {
            let Only::If(own) = self.only[at.index()].clone() else { continue };
            let gated = self.flow.step(at).when.is_some();
            for (asked, why) in self.flow.asks(at) {
                let conditions = match why {
                    Why::Act | Why::Items if gated => BTreeSet::from([Condition::Holds(at)]),
                    Why::Decide | Why::Act | Why::Items => own.clone(),
                    Why::Else => BTreeSet::from([Condition::Skipped(at)]),
                    Why::Default => BTreeSet::from([Condition::Failed(at)]),
                };
                self.only[asked.index()].widen(conditions);
            }
        }
        self.only != before
    }
}

impl Only {
    fn widen(&mut self, more: BTreeSet<Condition>) {
        match self {
            Self::Never => *self = Self::If(more),
            Self::If(known) if known.is_empty() || more.is_empty() => known.clear(),
            Self::If(known) => known.extend(more),
        }
    }
}

/// The calls one after another that the rounds of a `for_each` step add to its first.
fn later_rounds(flow: &Flow<'_>, at: At) -> u64 {
    let Action::Each(each) = &flow.step(at).action else { return 0 };
    let more = rounds(each).saturating_sub(1);
    if more == 0 {
        return 0;
    }
    let items = Flow::new(flow.sources, &each.scope, &each.value.needs);
    more.saturating_mul(Schedule::of(&items).chain().calls)
}

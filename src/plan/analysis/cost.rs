//! What a request costs its backends in the worst case.
//!
//! Both sides of every condition are counted, and every `default` as if its step failed: the numbers
//! are bounds, not forecasts.

use std::collections::BTreeMap;
use std::fmt;

use super::flow::{At, Flow, ScopeAt, most_calls, most_items};
use super::schedule::{Chain, Schedule};
use crate::base::id::BackendId;
use crate::plan::{Action, Batch, Field, Plan};

/// How often a composition runs for one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runs {
    /// Once.
    Once,
    /// For each parent of a graph field.
    ForEachParent {
        /// Parents at the same time.
        parallel: u64,
        /// Parents at most.
        max: u64,
    },
    /// For all parents of a graph field at once, however many there are.
    ForAllParents,
}

/// The worst case of one composition.
#[derive(Debug)]
pub(crate) struct Cost {
    /// The calls by backend, in the plan's order; backends that are not called are left out.
    pub(crate) calls: Vec<(BackendId, Calls)>,
    /// How those for one answer add up, in the same order.
    pub(crate) sums: Vec<Sum>,
    /// The longest chain of calls that wait for each other.
    pub(crate) chain: Chain,
}

/// Calls at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// For one answer.
    pub fixed: u64,
    /// And for each parent, of which there may be any number.
    pub per_parent: u64,
    /// And one for every so many keys that parents have.
    pub per_keys: Vec<u64>,
}

/// A number of calls as it adds up. Displayed as arithmetic: `1 + 100 × 2`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    /// Calls that are made once.
    once: u64,
    /// What is made over and over, or once for so many.
    more: Vec<Term>,
}

/// A part of a [`Sum`].
#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    /// For each of so many items.
    Times(u64, Sum),
    /// For so many items, as many as the second number in one call.
    Split(u64, u64),
}

impl Runs {
    /// How often a field's composition runs. Fields of `Query` and `Mutation` have one parent.
    pub(crate) fn of_field(plan: &Plan, field: &Field) -> Self {
        let parent = field.name.split('.').next().and_then(|name| plan.schema.type_named(name));
        if parent.is_some() && (parent == plan.schema.query() || parent == plan.schema.mutation()) {
            return Self::Once;
        }
        if field.max == usize::MAX {
            return Self::ForAllParents;
        }
        Self::ForEachParent { parallel: field.parallel as u64, max: field.max as u64 }
    }
}

impl Cost {
    /// Counts the calls of a composition.
    pub(crate) fn of(flow: &Flow<'_>, schedule: &Schedule<'_, '_>, runs: Runs) -> Self {
        let mut calls: BTreeMap<BackendId, Calls> = BTreeMap::new();
        for at in flow.all().filter(|at| schedule.runs(*at)) {
            if let Action::Call(call) = &flow.step(at).action {
                calls.entry(call.backend).or_default().add(&Calls::of(flow, at, runs));
            }
        }
        let sum = |backend: &BackendId| {
            let sum = sum(flow, schedule, (flow.outermost(), *backend));
            match runs {
                Runs::ForEachParent { max, .. } => Sum { once: 0, more: vec![Term::Times(max, sum)] },
                Runs::Once | Runs::ForAllParents => sum,
            }
        };
        let sums = calls.keys().map(sum).collect();
        let mut chain = schedule.chain();
        if let Runs::ForEachParent { parallel, max } = runs {
            let turns = max.div_ceil(parallel.max(1));
            chain.calls = chain.calls.saturating_mul(turns);
            chain.links.iter_mut().for_each(|link| link.times = link.times.saturating_mul(turns));
        }
        Self { calls: calls.into_iter().collect(), sums, chain }
    }

    /// The calls to all backends together.
    pub(crate) fn total(&self) -> Calls {
        let mut total = Calls::default();
        self.calls.iter().for_each(|(_, calls)| total.add(calls));
        total
    }
}

impl Calls {
    /// The calls of one step: once, or as often as it is repeated, for each item around it, or once for
    /// so many of them; none for a step that calls nobody.
    pub(crate) fn of(flow: &Flow<'_>, at: At, runs: Runs) -> Self {
        let Action::Call(call) = &flow.step(at).action else { return Self::default() };
        let mut times = most_calls(call);
        let mut keys = call.batch.as_deref().map(keys_of);
        let mut owner = flow.owner(flow.scope(at));
        while let Some(each_at) = owner {
            if let Action::Each(each) = &flow.step(each_at).action {
                let max = most_items(each);
                times = times.saturating_mul(keys.take().map_or(max, |keys| max.div_ceil(keys)));
            }
            owner = flow.owner(flow.scope(each_at));
        }
        match (runs, keys) {
            (Runs::Once, _) => Self { fixed: times, ..Self::default() },
            (Runs::ForEachParent { max, .. }, _) => Self { fixed: times.saturating_mul(max), ..Self::default() },
            (Runs::ForAllParents, None) => Self { per_parent: times, ..Self::default() },
            (Runs::ForAllParents, Some(keys)) => Self { per_keys: vec![keys], ..Self::default() },
        }
    }

    /// Adds calls.
    pub(crate) fn add(&mut self, more: &Self) {
        self.fixed = self.fixed.saturating_add(more.fixed);
        self.per_parent = self.per_parent.saturating_add(more.per_parent);
        self.per_keys.extend(&more.per_keys);
    }
}

impl Sum {
    /// Whether it is just a number, with nothing to add up.
    pub(crate) fn is_number(&self) -> bool {
        match &self.more[..] {
            [] => true,
            [Term::Times(_, inner)] => self.once == 0 && inner.is_one(),
            _ => false,
        }
    }

    fn is_one(&self) -> bool {
        self.once == 1 && self.more.is_empty()
    }

    fn is_none(&self) -> bool {
        self.once == 0 && self.more.is_empty()
    }

    fn terms(&self) -> usize {
        self.more.len() + usize::from(self.once > 0)
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.once > 0 || self.more.is_empty() {
            write!(f, "{}", self.once)?;
        }
        for (index, term) in self.more.iter().enumerate() {
            if index > 0 || self.once > 0 {
                f.write_str(" + ")?;
            }
            match term {
                Term::Times(times, inner) if inner.is_one() => write!(f, "{times}")?,
                Term::Times(times, inner) if inner.terms() == 1 => write!(f, "{times} × {inner}")?,
                Term::Times(times, inner) => write!(f, "{times} × ({inner})")?,
                Term::Split(items, keys) => write!(f, "⌈{items} ÷ {keys}⌉")?,
            }
        }
        Ok(())
    }
}

/// The calls of a scope to a backend. A batched call of its steps is one of the scope around them.
fn sum(flow: &Flow<'_>, schedule: &Schedule<'_, '_>, (scope, backend): (ScopeAt, BackendId)) -> Sum {
    let mut sum = Sum::default();
    for at in flow.all().filter(|at| flow.scope(*at) == scope && schedule.runs(*at)) {
        match &flow.step(at).action {
            Action::Call(call) if call.backend == backend && call.batch.is_none() => {
                sum.once = sum.once.saturating_add(most_calls(call));
            }
            Action::Each(each) => {
                let Some(items) = flow.items_scope(at) else { continue };
                let max = most_items(each);
                let each = self::sum(flow, schedule, (items, backend));
                if !each.is_none() {
                    sum.more.push(Term::Times(max, each));
                }
                let inside = flow.all().filter(|at| flow.scope(*at) == items && schedule.runs(*at));
                let batches = inside.filter_map(|at| match &flow.step(at).action {
                    Action::Call(call) if call.backend == backend => call.batch.as_deref().map(keys_of),
                    _ => None,
                });
                batches.for_each(|keys| match keys >= max {
                    true => sum.once += 1,
                    false => sum.more.push(Term::Split(max, keys)),
                });
            }
            Action::Call(_) | Action::Group(_) => {}
        }
    }
    sum
}

fn keys_of(batch: &Batch) -> u64 {
    batch.max.max(1) as u64
}

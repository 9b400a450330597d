//! What a request costs its backends in the worst case.
//!
//! Both sides of every condition are counted, and every `default` as if its step failed: the numbers
//! are bounds, not forecasts.

use std::collections::BTreeMap;

use super::flow::{At, Flow, most_calls, most_items};
use super::schedule::{Chain, Schedule};
use crate::base::id::BackendId;
use crate::plan::{Action, Call, Field, Plan};

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
    /// The longest chain of calls that wait for each other.
    pub(crate) chain: Chain,
}

/// Calls at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    /// For one answer.
    pub(crate) fixed: u64,
    /// And for each parent, of which there may be any number.
    pub(crate) per_parent: u64,
    /// And one for every so many keys that parents have.
    pub(crate) per_keys: Vec<u64>,
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
                calls.entry(call.backend).or_default().add(&of_call(flow, at, call, runs));
            }
        }
        let mut chain = schedule.chain();
        if let Runs::ForEachParent { parallel, max } = runs {
            let turns = max.div_ceil(parallel.max(1));
            chain.calls = chain.calls.saturating_mul(turns);
            chain.links.iter_mut().for_each(|link| link.times = link.times.saturating_mul(turns));
        }
        Self { calls: calls.into_iter().collect(), chain }
    }

    /// The calls to all backends together.
    pub(crate) fn total(&self) -> Calls {
        let mut total = Calls::default();
        self.calls.iter().for_each(|(_, calls)| total.add(calls));
        total
    }
}

impl Calls {
    fn add(&mut self, more: &Self) {
        self.fixed = self.fixed.saturating_add(more.fixed);
        self.per_parent = self.per_parent.saturating_add(more.per_parent);
        self.per_keys.extend(&more.per_keys);
    }
}

/// How often one step calls: once, or as often as it is repeated, for each item around it, or once for so many of them.
fn of_call(flow: &Flow<'_>, at: At, call: &Call, runs: Runs) -> Calls {
    let mut times = most_calls(call);
    let mut keys = call.batch.as_ref().map(|batch| batch.max.max(1) as u64);
    let mut owner = flow.owner(flow.scope(at));
    while let Some(each_at) = owner {
        if let Action::Each(each) = &flow.step(each_at).action {
            let max = most_items(each);
            times = times.saturating_mul(keys.take().map_or(max, |keys| max.div_ceil(keys)));
        }
        owner = flow.owner(flow.scope(each_at));
    }
    match (runs, keys) {
        (Runs::Once, _) => Calls { fixed: times, ..Calls::default() },
        (Runs::ForEachParent { max, .. }, _) => Calls { fixed: times.saturating_mul(max), ..Calls::default() },
        (Runs::ForAllParents, None) => Calls { per_parent: times, ..Calls::default() },
        (Runs::ForAllParents, Some(keys)) => Calls { per_keys: vec![keys], ..Calls::default() },
    }
}

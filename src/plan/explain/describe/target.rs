//! Where a call may go, in words: what chooses among variants, and what differs between them.

use std::time::Duration;

use super::super::model::{Choice, Pair, Variant};
use super::expression::expression;
use super::naming::Naming;
use super::pairs::{pairs, parameters};
use super::{Describer, NO_LIMIT};
use crate::base::id::BackendId;
use crate::plan::analysis::At;
use crate::plan::{Call, Choose, Plan, Target, Variants};

/// What a call carries wherever it goes, and what it carries only to some.
pub(super) struct Targeted {
    /// Parameters of the query that all targets have in common.
    pub(super) query: Vec<String>,
    /// Header fields or metadata that all targets have in common.
    pub(super) headers: Vec<Pair>,
    /// The variants.
    pub(super) choice: Option<Choice>,
}

impl Describer<'_, '_> {
    /// Where a call may go.
    pub(super) fn targeted(&self, (at, call): (At, &Call), naming: &Naming<'_, '_>) -> Targeted {
        let targets = &call.targets.list;
        let (query, queries) = shared(targets.iter().map(|target| parameters(&target.query, naming)).collect());
        let (headers, fields) = shared(targets.iter().map(|target| pairs(&target.headers, naming)).collect());
        let mut choice = choice(self.whole.plan, &call.targets, |target| target.backend, naming);
        let variants = choice.iter_mut().flat_map(|choice| &mut choice.variants);
        for (variant, ((target, query), headers)) in variants.zip(targets.iter().zip(queries).zip(fields)) {
            variant.query = query;
            variant.headers = headers;
            variant.within = self.less_than_all((at, target));
        }
        Targeted { query, headers, choice }
    }

    /// The time that a call may take to a target, where that is less than it may take at most.
    fn less_than_all(&self, (at, target): (At, &Target)) -> Option<Duration> {
        let unsaid = self.flow.step(at).timeout.is_none();
        let most = self.deadline(at).filter(|_| unsaid)?.time;
        target.timeout.filter(|time| *time < most)
    }
}

/// Which variant a request goes to; `None` for a backend without.
pub(super) fn choice<T>(
    plan: &Plan,
    targets: &Variants<T>,
    backend: impl Fn(&T) -> BackendId,
    naming: &Naming<'_, '_>,
) -> Option<Choice> {
    let names: Option<Vec<String>> = targets
        .list
        .iter()
        .map(|target| plan.backends[backend(target).index()].variant.as_ref().map(ToString::to_string))
        .collect();
    let shares: Vec<u64> = match &targets.choose {
        Choose::First | Choose::Name { .. } => Vec::new(),
        Choose::Shares { up_to, .. } => {
            let before = std::iter::once(0).chain(up_to.iter().copied());
            up_to.iter().zip(before).map(|(up_to, before)| up_to - before).collect()
        }
    };
    let variant = |(at, name)| Variant { name, share: shares.get(at).copied(), ..Variant::default() };
    Some(Choice {
        variants: names?.into_iter().enumerate().map(variant).collect(),
        by: targets.node().map(|by| expression(by, naming)),
    })
}

/// The target to which a call may take the longest.
pub(super) fn slowest(call: &Call) -> Option<&Target> {
    // Of equal ones the first.
    call.targets.list.iter().rev().max_by_key(|target| target.timeout.unwrap_or(NO_LIMIT))
}

/// What all lists have in common, and what is left of each.
fn shared<T: PartialEq + Clone>(lists: Vec<Vec<T>>) -> (Vec<T>, Vec<Vec<T>>) {
    let in_all = |one: &&T| lists.iter().all(|list| list.contains(one));
    let common: Vec<T> = lists.first().into_iter().flatten().filter(in_all).cloned().collect();
    let own = |list: Vec<T>| list.into_iter().filter(|one| !common.contains(one)).collect();
    let own = lists.into_iter().map(own).collect();
    (common, own)
}

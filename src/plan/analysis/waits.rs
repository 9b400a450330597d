//! What a step waits for, without what goes without saying.

use std::collections::BTreeSet;

use super::flow::{At, Flow};
use crate::plan::Action;

/// The steps that a step waits for: not those that another of them waits for anyway, nor those that
/// what is around the step waits for.
///
/// A composition with steps of its own waits for what decides its `when`; its steps wait for the rest.
pub(crate) fn waits(flow: &Flow<'_>, at: At) -> Vec<At> {
    let own = own(flow, at);
    let mut implied = BTreeSet::new();
    for wait in &own {
        imply(flow, *wait, &mut implied);
    }
    let mut around = flow.around(at);
    while let Some(block) = around {
        implied.insert(block);
        for wait in self::own(flow, block) {
            implied.insert(wait);
            imply(flow, wait, &mut implied);
        }
        around = flow.around(block);
    }
    own.into_iter().filter(|wait| !implied.contains(wait)).collect()
}

/// Whether steps stand inside a step, so that it is a block around them.
pub(crate) fn is_block(flow: &Flow<'_>, at: At) -> bool {
    !flow.inside(Some(at)).is_empty()
}

fn own(flow: &Flow<'_>, at: At) -> BTreeSet<At> {
    let composition = matches!(flow.step(at).action, Action::Group(_)) && is_block(flow, at);
    let acting = if composition { Vec::new() } else { flow.acting(at) };
    flow.deciding(at).into_iter().chain(acting).collect()
}

/// Adds every step that is over when `at` is. Of a step with `when` only what decides it surely is.
pub(crate) fn imply(flow: &Flow<'_>, at: At, implied: &mut BTreeSet<At>) {
    let acting = if flow.step(at).when.is_some() { Vec::new() } else { flow.acting(at) };
    for before in flow.deciding(at).into_iter().chain(acting) {
        if implied.insert(before) {
            imply(flow, before, implied);
        }
    }
}

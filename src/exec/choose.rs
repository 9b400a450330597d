//! Which variant of a backend a call goes to.
//!
//! **Invariant:** a value picks one of the written variants, or none; it never becomes part of an address.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::env::Env;
use super::render::is_absent;
use crate::base::failure::{Cause, Failure};
use crate::base::value::key_text;
use crate::expr::Node;
use crate::plan::{Choose, Succession, Variants};
use crate::policy::affinity::stable_hash;

/// 2^64 divided by the golden ratio: its multiples spread evenly over all 64-bit numbers, so that calls
/// that go round fill every share from the first few on.
const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;

/// How many calls went round so far, for each backend of the plan.
#[derive(Debug)]
pub(super) struct Turns(Vec<Arc<AtomicU64>>);

impl Turns {
    /// None for any backend, but for those that stay the same: they go on where they were.
    pub(super) fn succeeding(succession: &Succession, previous: Option<&Self>) -> Self {
        Self(succession.carry(previous.map_or(&[], |turns| &turns.0), |_| Arc::default()))
    }
}

/// The position of the variant for a request.
///
/// # Errors
/// `no_variant` when the value names none; the expression fails.
pub(super) fn choose<T>(variants: &Variants<T>, env: &Env<'_>, turns: &Turns) -> Result<usize, Failure> {
    Ok(match &variants.choose {
        Choose::First => 0,
        Choose::Name { names, by } => {
            let name = env.eval(by)?;
            let name = name.as_text().ok_or_else(|| no_variant("null"))?;
            names.iter().position(|known| **known == *name).ok_or_else(|| no_variant("a name that no variant has"))?
        }
        Choose::Shares { up_to, by, of } => {
            let point = match by {
                Some(by) => hashed(by, env)?,
                None => None,
            };
            let turn = || turns.0[of.index()].fetch_add(1, Ordering::Relaxed).wrapping_mul(STRIDE);
            share(point.unwrap_or_else(turn), up_to)
        }
    })
}

/// The hash of what a program gives; `None` where that is null.
///
/// # Errors
/// The expression fails.
pub(super) fn hashed(by: &Node, env: &Env<'_>) -> Result<Option<u64>, Failure> {
    let value = env.eval(by)?;
    let text = key_text(&value).filter(|_| !is_absent(&value));
    Ok(text.map(|text| stable_hash(text.as_bytes())))
}

fn no_variant(what: &str) -> Failure {
    Failure::new(Cause::NoVariant, format!("`choose` gave {what}"))
}

/// The share that a point among all 64-bit numbers falls into.
fn share(point: u64, up_to: &[u64]) -> usize {
    let sum = up_to.last().copied().unwrap_or(1);
    let at = ((u128::from(point) * u128::from(sum)) >> 64) as u64;
    up_to.iter().position(|end| at < *end).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{STRIDE, share};
    use crate::policy::affinity::stable_hash;

    fn counted(points: impl Iterator<Item = u64>, up_to: &[u64]) -> Vec<usize> {
        let mut counts = vec![0; up_to.len()];
        points.for_each(|point| counts[share(point, up_to)] += 1);
        counts
    }

    #[test]
    fn calls_that_go_round_fill_their_shares() {
        let counts = counted((0..1_000_u64).map(|turn| turn.wrapping_mul(STRIDE)), &[95, 100]);
        assert!(counts[1].abs_diff(50) <= 1, "{counts:?}");
        let first = counted((0..10_u64).map(|turn| turn.wrapping_mul(STRIDE)), &[1, 2]);
        assert!(first[0].abs_diff(5) <= 1, "{first:?}");
    }

    #[test]
    fn keys_that_hardly_differ_fill_their_shares() {
        let counts = counted((0..10_000).map(|id| stable_hash(format!("customer-{id}").as_bytes())), &[95, 100]);
        assert!(counts[1].abs_diff(500) < 100, "{counts:?}");
    }
}

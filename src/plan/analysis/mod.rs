//! What can be known of a composition before it runs: nothing here is needed to run it.
//!
//! ```text
//! composition ─▶ Flow (who asks for whom) ─▶ Schedule (what starts when), Cost (calls at most),
//!                                            Inputs (what of the request each call depends on)
//! ```
//!
//! [`inputs::Inputs`] say whom the reply to a call may serve ([`Sharing`]): they are what a cache of replies
//! is keyed by, beside the call itself.

mod cost;
mod flow;
mod inputs;
mod schedule;
#[cfg(test)]
pub(crate) mod tests;
mod waits;

pub(crate) use cost::{Calls, Cost, Runs, Sum};
pub(crate) use flow::{At, Flow, ScopeAt, most_items, rounds};
pub(crate) use inputs::{Declared, Input, Inputs, Reader, Sharing};
pub(crate) use schedule::{Condition, Schedule};
pub(crate) use waits::{imply, is_block, waits};

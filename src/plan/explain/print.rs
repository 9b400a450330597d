//! An endpoint or a field as text: sections from what clients send to what a request can cost.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use super::call::{duration_text, header_text, refusal};
use super::cost::{Calls, Cost, Runs};
use super::expression::{Names, expression, placeholder};
use super::flow::{At, Flow};
use super::inputs::{Input, Inputs, Reader, Sharing};
use super::layout::{pairs, rows, wrap, WIDTH};
use super::naming::Naming;
use super::schedule::{Chain, Schedule};
use super::steps::writes;
use crate::base::id::BackendId;
use crate::expr::Node;
use crate::plan::{Action, Arg, Composition, Plan, needs_of};

/// Columns before the content of a section.
const INDENT: usize = 2;

/// Everything that the drawing of one composition reads.
#[derive(Debug)]
pub(super) struct Drawing<'f, 'p> {
    pub(super) plan: &'p Plan,
    pub(super) flow: &'f Flow<'p>,
    pub(super) schedule: &'f Schedule<'f, 'p>,
    /// The arguments that an endpoint declares.
    pub(super) args: &'p [Arg],
    /// The time of the whole answer.
    pub(super) timeout: Duration,
    /// The calls that are writes, in order.
    pub(super) writes: Vec<At>,
    /// What makes a reply a failure in all calls to a backend, said once.
    pub(super) failures: BTreeMap<BackendId, BTreeSet<String>>,
}

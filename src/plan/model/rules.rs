//! The `fail` rules of a call, and what they read.

use super::{Guard, Source};
use crate::expr::{Node, Var};

/// What judges the replies to a call, before its status does.
#[derive(Debug)]
pub struct Rules {
    /// The first whose condition holds makes the reply a failure.
    pub guards: Box<[Guard]>,
    /// What their variables read.
    pub reads: Box<[(Var, Read)]>,
}

/// What a variable of a rule reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// The body of the reply.
    Body,
    /// Its status.
    Status,
    /// Its header fields.
    Headers,
    /// Something that was known before the call.
    Known,
}

impl Rules {
    /// The rules with what they read, by the `sources` of their composition.
    pub(crate) fn new(guards: Vec<Guard>, sources: &[Source]) -> Self {
        let mut reads: Vec<(Var, Read)> = Vec::new();
        let mut note = |var: Var| {
            let read = match sources.get(var.0 as usize) {
                Some(Source::Reply) => Read::Body,
                Some(Source::ReplyStatus) => Read::Status,
                Some(Source::ReplyHeaders) => Read::Headers,
                _ => Read::Known,
            };
            if !reads.iter().any(|(known, _)| *known == var) {
                reads.push((var, read));
            }
        };
        guards.iter().flat_map(Guard::nodes).for_each(|node: &Node| node.vars(&mut note));
        Self { guards: guards.into(), reads: reads.into() }
    }
}

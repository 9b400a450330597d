//! What the variables of a composition are called where a step is described.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::super::way;
use super::expression::Names;
use crate::expr::Var;
use crate::plan::analysis::{At, Flow, ScopeAt};
use crate::plan::{Action, Need, RequestPart, Source};

/// The names of one place.
#[derive(Clone, Debug)]
pub(in crate::plan::explain) struct Naming<'f, 'p> {
    flow: &'f Flow<'p>,
    scope: ScopeAt,
    /// The way of the block that the place is in.
    block: String,
    /// Every way that there is.
    ways: Rc<BTreeSet<String>>,
}

impl<'f, 'p> Naming<'f, 'p> {
    /// The names of the outermost steps.
    pub(in crate::plan::explain) fn new(flow: &'f Flow<'p>) -> Self {
        let mut ways = BTreeSet::new();
        for at in flow.all() {
            let mut name = &*flow.step(at).name;
            while !name.is_empty() && ways.insert(name.to_owned()) {
                name = way::parent(name);
            }
        }
        Self { flow, scope: flow.outermost(), block: String::new(), ways: Rc::new(ways) }
    }

    /// The names where a step is written.
    pub(super) fn at(&self, at: At) -> Self {
        let block = way::parent(&self.flow.step(at).name).to_owned();
        Self { scope: self.flow.scope(at), block, ..self.clone() }
    }

    /// The names that a step's items see.
    pub(super) fn of_items(&self, at: At) -> Self {
        let here = self.at(at);
        Self { scope: self.flow.items_scope(at).unwrap_or(here.scope), ..here }
    }

    /// What a step is called.
    fn step(&self, at: At) -> String {
        way::seen(&self.flow.step(at).name, &self.block, &|way| self.ways.contains(way))
    }

    fn of_source(&self, source: &Source) -> String {
        let step = |depth: u16, step| match self.flow.locate(self.scope, Need { depth, step }) {
            Some(at) => self.step(at),
            None => "…".to_owned(),
        };
        match source {
            Source::Step(depth, id) | Source::Succeeded(depth, id) => step(*depth, *id),
            Source::Status(depth, id) => format!("steps.{}.status", step(*depth, *id)),
            Source::Headers(depth, id) => format!("steps.{}.headers", step(*depth, *id)),
            Source::Error(depth, id) => format!("steps.{}.error", step(*depth, *id)),
            Source::Skipped(depth, id) => format!("steps.{}.skipped", step(*depth, *id)),
            Source::Cut(depth, id) => format!("steps.{}.cut", step(*depth, *id)),
            Source::Item(depth) => self.item(*depth),
            Source::Args => "args".to_owned(),
            Source::Body => "args.body".to_owned(),
            Source::Request(part) => format!("request.{}", of_request(*part)),
            Source::Reply => "reply".to_owned(),
            Source::ReplyStatus => "meta.status".to_owned(),
            Source::ReplyHeaders => "meta.headers".to_owned(),
            Source::Last => "last".to_owned(),
            Source::Replies => "replies".to_owned(),
            Source::Keys => "keys".to_owned(),
            Source::Row => "item".to_owned(),
            Source::RowIndex => "index".to_owned(),
        }
    }

    fn item(&self, depth: u16) -> String {
        let scope = self.flow.scope_at_depth(self.scope, depth);
        match scope.and_then(|scope| self.flow.owner(scope)).map(|owner| &self.flow.step(owner).action) {
            Some(Action::Each(each)) => each.name.to_string(),
            _ => "parent".to_owned(),
        }
    }
}

impl Names for Naming<'_, '_> {
    fn variable(&self, var: Var) -> String {
        self.flow.sources.get(var.0 as usize).map_or_else(String::new, |source| self.of_source(source))
    }
}

fn of_request(part: RequestPart) -> &'static str {
    match part {
        RequestPart::Method => "method",
        RequestPart::Path => "path",
        RequestPart::Headers => "headers",
        RequestPart::Query => "query",
        RequestPart::QueryAll => "query_all",
        RequestPart::Cookies => "cookies",
        RequestPart::Body => "body",
        RequestPart::ClientIp => "client_ip",
        RequestPart::Id => "id",
        RequestPart::Time => "time",
    }
}

//! What the variables of a composition are called where a step is drawn.

use super::expression::Names;
use crate::expr::Var;
use crate::plan::analysis::{At, Flow, ScopeAt};
use crate::plan::{Action, Need, RequestPart, Source};

/// The names of one place in a drawing.
#[derive(Clone, Debug)]
pub(super) struct Naming<'f, 'p> {
    flow: &'f Flow<'p>,
    scope: ScopeAt,
    /// Texts that nothing may print.
    hidden: &'p [Box<str>],
    /// Beginnings of names, each with its dot, that go without saying here.
    prefixes: Vec<String>,
}

impl<'f, 'p> Naming<'f, 'p> {
    /// The names of the outermost steps. What all of them begin with goes without saying.
    pub(super) fn new(flow: &'f Flow<'p>, hidden: &'p [Box<str>]) -> Self {
        let prefix = shared_prefix(flow);
        let prefixes = prefix.into_iter().collect();
        Self { flow, scope: flow.outermost(), hidden, prefixes }
    }

    /// What the names of all steps begin with, if there is something.
    pub(super) fn prefix(&self) -> Option<&str> {
        self.prefixes.first().map(|prefix| prefix.trim_end_matches('.'))
    }

    /// The names inside a step.
    pub(super) fn inside(&self, at: At) -> Self {
        let mut inside = self.clone();
        inside.prefixes.push(format!("{}.", self.flow.step(at).name));
        inside.scope = self.flow.items_scope(at).unwrap_or(self.flow.scope(at));
        inside
    }

    /// What a step is called.
    pub(super) fn step(&self, at: At) -> String {
        let name = &self.flow.step(at).name;
        let longest = self.prefixes.iter().filter(|prefix| name.starts_with(prefix.as_str())).max_by_key(|p| p.len());
        name[longest.map_or(0, String::len)..].to_owned()
    }

    /// What several steps are called, in their order.
    pub(super) fn steps(&self, steps: impl IntoIterator<Item = At>) -> String {
        steps.into_iter().map(|at| self.step(at)).collect::<Vec<_>>().join(", ")
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

    fn is_hidden(&self, text: &str) -> bool {
        self.hidden.iter().any(|hidden| **hidden == *text)
    }
}

fn of_request(part: RequestPart) -> &'static str {
    match part {
        RequestPart::Method => "method",
        RequestPart::Path => "path",
        RequestPart::Headers => "headers",
        RequestPart::Query => "query",
        RequestPart::Cookies => "cookies",
        RequestPart::Body => "body",
        RequestPart::ClientIp => "client_ip",
        RequestPart::Id => "id",
        RequestPart::Time => "time",
    }
}

/// The longest beginning, up to a dot, that the names of all steps share.
fn shared_prefix(flow: &Flow<'_>) -> Option<String> {
    let mut names = flow.all().map(|at| &*flow.step(at).name);
    let first = names.next()?;
    let mut shared = &first[..first.rfind('.').map_or(0, |dot| dot + 1)];
    for name in names {
        while !name.starts_with(shared) {
            let parent = shared.trim_end_matches('.');
            shared = &parent[..parent.rfind('.').map_or(0, |dot| dot + 1)];
        }
    }
    (!shared.is_empty()).then(|| shared.to_owned())
}

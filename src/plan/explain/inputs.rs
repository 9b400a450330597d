//! What of the client's request each call depends on: what a cache of its replies is keyed by.
//!
//! A call depends on what its path, query, header fields and body mention, and on what the steps that
//! they mention depend on. Whether it is made at all (its `when`) is no part of what it asks.

use std::collections::{BTreeMap, BTreeSet};

use super::flow::{At, Flow, ScopeAt};
use crate::expr::{Node, Step as PathStep, Var};
use crate::plan::{Action, Arg, ArgSource, Call, Need, OnFailure, PathPart, Query, Request, RequestPart, Source};

/// A part of what the client sent, or of what the gateway knows about its request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Input {
    /// A declared argument that comes from the path or the query.
    Arg(Box<str>),
    /// A member of the body, or all of it.
    Body(Option<Box<str>>),
    /// A parameter of the query, or all of it.
    Query(Option<Box<str>>),
    /// A header field, or all of them.
    Header(Option<Box<str>>),
    /// A cookie, or all of them.
    Cookie(Option<Box<str>>),
    /// The method.
    Method,
    /// The path.
    Path,
    /// A member of the object that a graph field hangs on, or all of it.
    Parent(Option<Box<str>>),
    /// The client's address.
    ClientIp,
    /// The id of the request.
    Id,
    /// The time of the request.
    Time,
}

/// What a call depends on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Inputs {
    /// What it mentions itself.
    pub(crate) own: BTreeSet<Input>,
    /// What the steps that it mentions depend on.
    pub(crate) through: BTreeMap<At, BTreeSet<Input>>,
}

/// Whom a reply may serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// Every client: nothing of the request is in the call.
    Everyone,
    /// Every client whose request is the same in what the call depends on.
    Alike,
    /// The same, but that is a header field, a cookie or an address: what tells callers apart.
    Caller,
    /// Nobody else: it is a write, or holds what is new in every request.
    Nobody,
}

/// Finds what the calls of one flow depend on.
#[derive(Debug)]
pub(crate) struct Reader<'f, 'p> {
    flow: &'f Flow<'p>,
    /// The arguments that an endpoint declares; those of graph fields come from the query document.
    args: &'p [Arg],
}

impl Inputs {
    /// Everything that the call depends on.
    pub(crate) fn all(&self) -> BTreeSet<&Input> {
        self.own.iter().chain(self.through.values().flatten()).collect()
    }

    /// Whom the reply to a read may serve.
    pub(crate) fn sharing(&self) -> Sharing {
        let all = self.all();
        if all.iter().any(|input| matches!(input, Input::Id | Input::Time)) {
            return Sharing::Nobody;
        }
        if all.iter().any(|input| matches!(input, Input::Header(_) | Input::Cookie(_) | Input::ClientIp)) {
            return Sharing::Caller;
        }
        if all.is_empty() { Sharing::Everyone } else { Sharing::Alike }
    }
}

impl<'f, 'p> Reader<'f, 'p> {
    /// A reader of a flow; `args` are those that an endpoint declares.
    pub(crate) fn new(flow: &'f Flow<'p>, args: &'p [Arg]) -> Self {
        Self { flow, args }
    }

    /// What a call depends on.
    pub(crate) fn of_call(&self, at: At, call: &Call) -> Inputs {
        let scope = self.flow.scope(at);
        let mut read = Read::default();
        for node in request(call) {
            self.read((node, scope), &mut read);
        }
        if let Request::Rest { path, .. } = &call.request
            && path.iter().any(|part| matches!(part, PathPart::Tail))
        {
            let tail = self.args.iter().find(|arg| matches!(arg.source, ArgSource::Tail(_)));
            read.inputs.extend(tail.map(|arg| Input::Arg(arg.name.clone())));
        }
        if read.keys
            && let Some(batch) = &call.batch
        {
            self.read((&batch.key, scope), &mut read);
        }
        let through = read.steps.iter().map(|step| (*step, self.of_value(*step)));
        Inputs { through: through.filter(|(_, inputs)| !inputs.is_empty()).collect(), own: read.inputs }
    }

    /// What the value that a step holds depends on.
    fn of_value(&self, at: At) -> BTreeSet<Input> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut next = vec![at];
        while let Some(at) = next.pop() {
            if seen.insert(at) {
                let mut read = Read::default();
                self.read_value(at, &mut read);
                found.extend(read.inputs);
                next.extend(read.steps);
            }
        }
        found
    }

    fn read_value(&self, at: At, read: &mut Read) {
        let (scope, step) = (self.flow.scope(at), self.flow.step(at));
        let mut nodes: Vec<(&Node, ScopeAt)> = Vec::new();
        nodes.extend(step.when.iter().chain(&step.otherwise).map(|expr| (&expr.node, scope)));
        if let OnFailure::Default(default) = &step.on_failure {
            nodes.push((&default.node, scope));
        }
        match &step.action {
            Action::Call(call) => {
                let own = self.of_call(at, call);
                read.inputs.extend(own.own);
                read.steps.extend(self.mentioned(at, call));
                nodes.extend(judging(call).into_iter().map(|node| (node, scope)));
            }
            Action::Group(guards) => {
                nodes.extend(guards.iter().map(|guard| (&guard.when, scope)));
                read.steps.extend(self.flow.acting(at));
            }
            Action::Each(each) => {
                nodes.push((&each.list, scope));
                if let Some(inner) = self.flow.items_scope(at) {
                    nodes.push((&each.value.node, inner));
                    nodes.extend(each.key.iter().map(|key| (key, inner)));
                }
            }
        }
        nodes.into_iter().for_each(|node| self.read(node, read));
    }

    /// The steps that a call's request mentions.
    fn mentioned(&self, at: At, call: &Call) -> BTreeSet<At> {
        let mut read = Read::default();
        let keys = call.batch.iter().map(|batch| &batch.key);
        for node in request(call).into_iter().chain(keys) {
            self.read((node, self.flow.scope(at)), &mut read);
        }
        read.steps
    }

    fn read(&self, (node, scope): (&Node, ScopeAt), read: &mut Read) {
        match node {
            Node::Path { var, steps } => self.read_var((*var, steps), scope, read),
            Node::Outcome { var, .. } => self.read_var((*var, &[]), scope, read),
            _ => {}
        }
        node.children(&mut |child| self.read((child, scope), read));
    }

    fn read_var(&self, (var, steps): (Var, &[PathStep]), scope: ScopeAt, read: &mut Read) {
        let member = match steps.first() {
            Some(PathStep::Member(name)) => Some(name.clone()),
            _ => None,
        };
        let Some(source) = self.flow.sources.get(var.0 as usize) else { return };
        match source {
            Source::Step(depth, step)
            | Source::Status(depth, step)
            | Source::Headers(depth, step)
            | Source::Error(depth, step)
            | Source::Skipped(depth, step)
            | Source::Cut(depth, step)
            | Source::Succeeded(depth, step) => {
                read.steps.extend(self.flow.locate(scope, Need { depth: *depth, step: *step }));
            }
            Source::Item(depth) => self.read_item(*depth, member, (scope, read)),
            Source::Args => {
                read.inputs.insert(self.arg(member));
            }
            Source::Body => {
                read.inputs.insert(Input::Body(member));
            }
            Source::Request(part) => {
                read.inputs.insert(of_request(*part, member));
            }
            Source::Keys => read.keys = true,
            // What a call got before depends on what the call itself does.
            Source::Last | Source::Replies => {}
            Source::Reply | Source::ReplyStatus | Source::ReplyHeaders | Source::Row | Source::RowIndex => {}
        }
    }

    /// An item depends on what its list does.
    fn read_item(&self, depth: u16, member: Option<Box<str>>, (scope, read): (ScopeAt, &mut Read)) {
        let place = self.flow.scope_at_depth(scope, depth);
        let Some(owner) = place.and_then(|place| self.flow.owner(place)) else {
            read.inputs.insert(Input::Parent(member));
            return;
        };
        if let Action::Each(each) = &self.flow.step(owner).action {
            self.read((&each.list, self.flow.scope(owner)), read);
        }
    }

    fn arg(&self, member: Option<Box<str>>) -> Input {
        let name = member.unwrap_or_default();
        match self.args.iter().find(|arg| arg.name == name).map(|arg| &arg.source) {
            Some(ArgSource::Header(header)) => Input::Header(Some(header.as_str().into())),
            Some(ArgSource::Cookie(cookie)) => Input::Cookie(Some(cookie.clone())),
            Some(ArgSource::Path(_) | ArgSource::Tail(_) | ArgSource::Query(_)) | None => Input::Arg(name),
        }
    }
}

/// What programs mention.
#[derive(Debug, Default)]
struct Read {
    inputs: BTreeSet<Input>,
    steps: BTreeSet<At>,
    /// Whether `keys` is mentioned.
    keys: bool,
}

fn of_request(part: RequestPart, member: Option<Box<str>>) -> Input {
    match part {
        RequestPart::Method => Input::Method,
        RequestPart::Path => Input::Path,
        RequestPart::Headers => Input::Header(member),
        RequestPart::Query => Input::Query(member),
        RequestPart::Cookies => Input::Cookie(member),
        RequestPart::Body => Input::Body(member),
        RequestPart::ClientIp => Input::ClientIp,
        RequestPart::Id => Input::Id,
        RequestPart::Time => Input::Time,
    }
}

/// The programs that make up what a call asks.
fn request(call: &Call) -> Vec<&Node> {
    let mut nodes: Vec<&Node> = call.headers.iter().map(|(_, node)| node).collect();
    match &call.request {
        Request::Grpc { message, .. } => nodes.push(message),
        Request::Rest { path, query, body, .. } => {
            nodes.extend(path.iter().filter_map(|part| match part {
                PathPart::Value(node) => Some(node),
                PathPart::Text(_) | PathPart::Tail => None,
            }));
            match query {
                Query::Entries(entries) => nodes.extend(entries.iter().map(|entry| &entry.value)),
                Query::Map(node) => nodes.push(node),
            }
            nodes.extend(body);
        }
    }
    nodes
}

/// The programs that make a step's value of a reply.
fn judging(call: &Call) -> Vec<&Node> {
    let guards = call.guards.iter().flat_map(|guard| [Some(&guard.when), guard.detail.as_ref(), guard.with.as_ref()]);
    let batch = call.batch.iter().flat_map(|batch| [&batch.from, &batch.by]);
    let until = call.repeat.iter().map(|repeat| &repeat.until);
    guards.flatten().chain(&call.result).chain(batch).chain(until).collect()
}

//! What of the client's request each call depends on, and so whom its reply may serve.
//!
//! A call depends on what its path, query, header fields, cookies and body mention, on what chooses among
//! the variants of its backend, and on what the steps that they mention depend on. Whether it is made at all (its `when`) is no part of what it asks. A
//! batched call asks for the keys of those that come to it, so there `when` does count.
//!
//! **Invariant:** two requests that agree in the inputs of a call, and get the same replies, make the
//! same call.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::flow::{At, Flow, ScopeAt};
use crate::base::call::CREDENTIALS;
use crate::expr::{Node, Step as PathStep, Var};
use crate::plan::{
    Action, Arg, ArgDefault, ArgSource, Call, Endpoint, Need, OnFailure, PathPart, Request, RequestPart, Source,
};

/// A part of what the client sent, or of what the gateway knows about its request. Displayed as a
/// composition would write it, header fields and cookies by their name.
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
    /// What a backend answered to a write, by the way of its step: no two are the same.
    Written(Box<str>),
}

/// What a call depends on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Inputs {
    /// What it mentions itself.
    pub(crate) own: BTreeSet<Input>,
    /// What the steps that it mentions depend on.
    pub(crate) through: BTreeMap<At, BTreeSet<Input>>,
}

/// Whom the reply to a read may serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Every caller: nothing of the request is in the call.
    Everyone,
    /// Every caller whose request agrees in what the call depends on.
    Alike,
    /// The same, but that holds a header field, a cookie or an address: what tells callers apart.
    Private,
    /// Nobody else: the call holds what is new in every request, or what a write gave.
    Nobody,
}

/// Finds what the calls of one flow depend on.
#[derive(Debug)]
pub(crate) struct Reader<'f, 'p> {
    flow: &'f Flow<'p>,
    args: Declared<'p>,
}

/// The arguments that an endpoint declares; those of graph fields come from the query document.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Declared<'p> {
    /// The arguments.
    pub(crate) args: &'p [Arg],
    /// What their defaults read.
    sources: &'p [Source],
}

impl<'p> Declared<'p> {
    /// Those of an endpoint.
    pub(crate) fn of(endpoint: &'p Endpoint) -> Self {
        Self { args: &endpoint.args, sources: &endpoint.default_sources }
    }
}

impl Input {
    /// Whether it says who asks rather than what is asked for.
    pub(crate) fn tells_callers_apart(&self) -> bool {
        matches!(self, Self::Header(_) | Self::Cookie(_) | Self::ClientIp)
    }

    /// Whether it proves who asks: `authorization` and its like, cookies, and what holds all header fields.
    pub(crate) fn is_credential(&self) -> bool {
        match self {
            Self::Header(Some(name)) => CREDENTIALS.iter().any(|known| name.eq_ignore_ascii_case(known.as_str())),
            Self::Header(None) | Self::Cookie(_) => true,
            _ => false,
        }
    }

    /// Whether no two requests agree in it.
    pub(crate) fn is_new_each_time(&self) -> bool {
        matches!(self, Self::Id | Self::Time | Self::Written(_))
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut member = |of: &str, name: &Option<Box<str>>| match name {
            Some(name) => write!(f, "{of}.{name}"),
            None => f.write_str(of),
        };
        match self {
            Self::Arg(name) => write!(f, "args.{name}"),
            Self::Body(name) => member("args.body", name),
            Self::Query(name) => member("request.query", name),
            Self::Parent(name) => member("parent", name),
            Self::Header(Some(name)) => write!(f, "header {name}"),
            Self::Header(None) => f.write_str("all headers"),
            Self::Cookie(Some(name)) => write!(f, "cookie {name}"),
            Self::Cookie(None) => f.write_str("all cookies"),
            Self::Method => f.write_str("request.method"),
            Self::Path => f.write_str("request.path"),
            Self::ClientIp => f.write_str("request.client_ip"),
            Self::Id => f.write_str("request.id"),
            Self::Time => f.write_str("request.time"),
            Self::Written(way) => write!(f, "the reply to the write {}", way.replace('.', " › ")),
        }
    }
}

impl Inputs {
    /// Everything that the call depends on.
    pub(crate) fn all(&self) -> BTreeSet<&Input> {
        self.own.iter().chain(self.through.values().flatten()).collect()
    }

    /// Whom the reply to a read may serve.
    pub(crate) fn sharing(&self) -> Sharing {
        let all = self.all();
        if all.iter().any(|input| input.is_new_each_time()) {
            return Sharing::Nobody;
        }
        if all.iter().any(|input| input.tells_callers_apart()) {
            return Sharing::Private;
        }
        if all.is_empty() { Sharing::Everyone } else { Sharing::Alike }
    }
}

impl<'f, 'p> Reader<'f, 'p> {
    /// A reader of a flow.
    pub(crate) fn new(flow: &'f Flow<'p>, args: Declared<'p>) -> Self {
        Self { flow, args }
    }

    /// What a call depends on.
    pub(crate) fn of_call(&self, at: At, call: &Call) -> Inputs {
        let read = self.mentioned(at, call);
        let through = read.steps.iter().map(|step| (*step, self.of_value(*step)));
        Inputs { through: through.filter(|(_, inputs)| !inputs.is_empty()).collect(), own: read.inputs }
    }

    /// What a program beside the action of a step depends on.
    pub(crate) fn of_program(&self, at: At, node: &Node) -> Inputs {
        let mut read = Read::default();
        self.read((node, self.flow.scope(at)), &mut read);
        let through = read.steps.iter().map(|step| (*step, self.of_value(*step)));
        Inputs { through: through.filter(|(_, inputs)| !inputs.is_empty()).collect(), own: read.inputs }
    }

    /// What an answer depends on that these programs write: all that its steps hold.
    pub(crate) fn of_answer(&self, nodes: &[&Node]) -> BTreeSet<Input> {
        let mut read = Read::default();
        nodes.iter().for_each(|node| self.read((node, self.flow.outermost()), &mut read));
        read.inputs.into_iter().chain(self.flow.all().flat_map(|at| self.of_value(at))).collect()
    }

    /// What a call's request mentions itself.
    fn mentioned(&self, at: At, call: &Call) -> Read {
        let scope = self.flow.scope(at);
        let mut read = Read::default();
        for node in call.asking() {
            self.read((node, scope), &mut read);
        }
        if let Request::Rest { path, .. } = &call.request
            && path.iter().any(|part| matches!(part, PathPart::Tail))
        {
            let tail = self.args.args.iter().find(|arg| matches!(arg.source, ArgSource::Tail(_)));
            read.inputs.extend(tail.map(|arg| Input::Arg(arg.name.clone())));
        }
        if read.keys
            && let Some(batch) = &call.batch
        {
            self.read((&batch.key, scope), &mut read);
            self.read_comers(at, &mut read);
        }
        read
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
                let own = self.mentioned(at, call);
                read.inputs.extend(own.inputs);
                read.steps.extend(own.steps);
                read.inputs.extend(step.write.then(|| Input::Written(step.name.clone())));
                nodes.extend(call.judging().into_iter().map(|node| (node, scope)));
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

    /// What decides which items or parents come to a batched step: their `when`, that of the
    /// compositions around it, and whatever else could fail before.
    fn read_comers(&self, at: At, read: &mut Read) {
        let scope = self.flow.scope(at);
        read.steps.extend(self.flow.acting(at));
        let mut inside = Some(at);
        while let Some(at) = inside.filter(|at| self.flow.scope(*at) == scope) {
            if let Some(when) = &self.flow.step(at).when {
                self.read((&when.node, scope), read);
            }
            inside = self.flow.around(at);
        }
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
            Some(PathStep::Member(name, _)) => Some(name.clone()),
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
            Source::Args => self.read_arg(member, read),
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

    /// An argument depends on where it comes from, and on what its default reads.
    fn read_arg(&self, member: Option<Box<str>>, read: &mut Read) {
        let name = member.unwrap_or_default();
        let Some(arg) = self.args.args.iter().find(|arg| arg.name == name) else {
            read.inputs.insert(Input::Arg(name));
            return;
        };
        let input = match &arg.source {
            ArgSource::Header(header) => Input::Header(Some(header.as_str().into())),
            ArgSource::Cookie(cookie) => Input::Cookie(Some(cookie.clone())),
            ArgSource::Path(_) | ArgSource::Tail(_) | ArgSource::Query(_) | ArgSource::Form(_) => Input::Arg(name),
        };
        if read.inputs.insert(input)
            && let Some(ArgDefault::Computed(node)) = &arg.default
        {
            self.read_default(node, read);
        }
    }

    /// What the default of an argument reads: the request, and other arguments.
    fn read_default(&self, node: &Node, read: &mut Read) {
        if let Node::Path { var, steps } = node {
            let member = match steps.first() {
                Some(PathStep::Member(name, _)) => Some(name.clone()),
                _ => None,
            };
            match self.args.sources.get(var.0 as usize) {
                Some(Source::Request(part)) => {
                    read.inputs.insert(of_request(*part, member));
                }
                Some(Source::Args) => self.read_arg(member, read),
                _ => {}
            }
        }
        node.children(&mut |child| self.read_default(child, read));
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
        RequestPart::Query | RequestPart::QueryAll => Input::Query(member),
        RequestPart::Cookies => Input::Cookie(member),
        RequestPart::Body => Input::Body(member),
        RequestPart::ClientIp => Input::ClientIp,
        RequestPart::Id => Input::Id,
        RequestPart::Time => Input::Time,
    }
}

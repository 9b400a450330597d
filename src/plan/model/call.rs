//! Backend calls, to be rendered.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, Method};

use super::{Guard, Kept, Rules, Sticky, Variants};
use crate::base::call::{Expect, Over, Take};
use crate::base::id::{BackendId, MethodId, OperationId, PoliciesId};
use crate::expr::Node;

/// A backend call, to be rendered.
#[derive(Debug)]
pub struct Call {
    /// The backend; the first of its variants stands for all.
    pub backend: BackendId,
    /// Whom to ask.
    pub targets: Variants<Target>,
    /// What to ask.
    pub request: Request,
    /// Why it counts as a read or as a write.
    pub because: Because,
    /// What judges the reply, before its status does.
    pub rules: Option<Arc<Rules>>,
    /// What the step holds, made from the reply; `None` holds the body.
    pub result: Option<Node>,
    /// One call for many keys.
    pub batch: Option<Box<Batch>>,
    /// A read again until it holds.
    pub repeat: Option<Box<Repeat>>,
    /// The tags of kept replies that are thrown away once it has succeeded; they may read the reply.
    pub invalidates: Box<[Node]>,
    /// What takes it back, if it writes.
    pub undo: Option<Box<Undo>>,
}

/// A call that takes a write back.
#[derive(Debug)]
pub struct Undo {
    /// The call. What it mentions beside its own step is there before the write is made.
    pub call: Call,
    /// The time that it has, whatever is left of the request's.
    pub timeout: Duration,
}

/// Who says how long a call may take where its step says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutBy {
    /// Its backend.
    Backend,
    /// `gateway.calls`.
    Gateway,
    /// Nobody: it is the language's.
    Default,
}

/// Why a call counts as a read or as a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// Its HTTP method is one that reads, or one that does not.
    Method,
    /// `read` on the call says so.
    Said,
    /// The proto says that the rpc has no side effects.
    Proto,
    /// The backend's `reads` name the rpc.
    Backend,
    /// Only reads may stand where it does: in a GET endpoint, or in a field outside `Mutation`.
    Place,
    /// Nothing says that the rpc only reads.
    Unsaid,
}

/// Where a call may go, and what it carries there.
#[derive(Debug)]
pub struct Target {
    /// The backend, or one of its variants.
    pub backend: BackendId,
    /// Header fields or metadata.
    pub headers: Pairs<HeaderName>,
    /// The query; empty over gRPC.
    pub query: Pairs<Parameter>,
    /// The time it may take; `None`: as long as the request.
    pub timeout: Option<Duration>,
    /// Who says so.
    pub timeout_by: TimeoutBy,
    /// What stands around it.
    pub policies: PoliciesId,
    /// Calls that agree in this go to the same address.
    pub affinity: Option<Node>,
    /// Those of one client stay at one by this cookie.
    pub sticky: Option<Arc<Sticky>>,
    /// How its reply is kept and shared; `None`: not at all.
    pub kept: Option<Box<Kept>>,
}

/// A request, to be rendered.
#[derive(Debug)]
pub enum Request {
    /// Over REST.
    Rest {
        /// The HTTP method.
        method: Method,
        /// The path, beginning with `/`.
        path: Box<[PathPart]>,
        /// Cookies, by name.
        cookies: Pairs<Box<str>>,
        /// The body.
        body: Option<Body>,
        /// Which statuses are success.
        expect: Expect,
        /// The operation of the backend's contract, if its replies hold integers.
        operation: Option<OperationId>,
    },
    /// Over gRPC.
    Grpc {
        /// The rpc.
        method: MethodId,
        /// The message, as JSON.
        message: Node,
        /// What is held of the reply.
        take: Take,
    },
}

/// A piece of a path.
#[derive(Debug)]
pub enum PathPart {
    /// Text as it was written.
    Text(Box<str>),
    /// A value; percent-encoded, within one segment.
    Value(Node),
    /// The tail of the request's path, as it came.
    Tail,
}

/// The body of a REST call.
#[derive(Debug)]
pub enum Body {
    /// JSON.
    Json(Node),
    /// `application/x-www-form-urlencoded`.
    Form(Pairs<Parameter>),
    /// `multipart/form-data`.
    Multipart(Box<[FormPart]>),
    /// As it is.
    Raw(Content),
}

/// A part of a form.
#[derive(Debug)]
pub struct FormPart {
    /// Its name, [`quoted`].
    pub name: Box<str>,
    /// What it holds.
    pub content: Content,
    /// The name of the file that it is.
    pub file_name: Option<Node>,
    /// Its media type; without it, what its content has.
    pub media_type: Option<Node>,
}

/// What goes out as it is.
#[derive(Debug)]
pub enum Content {
    /// A value.
    Value(Node),
    /// What the client uploads, as it comes.
    Upload(Node),
}

/// A name as it stands between the quotes of a part's head: what would end it, or the line, is percent-encoded.
/// Source: HTML, "Multipart form data".
pub fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// Names with values, the nearest to the call first: of equal names the first counts, and null drops it.
pub type Pairs<N> = Box<[Pair<N>]>;

/// One of [`Pairs`].
#[derive(Debug)]
pub enum Pair<N> {
    /// One name and its value.
    One(N, Node),
    /// Every entry of a map.
    Map(Node),
}

/// The name of a parameter of a query or a form.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The percent-encoded name.
    pub name: Box<str>,
    /// How a list is written.
    pub style: ListStyle,
}

/// How a list is written in a query or a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListStyle {
    /// `a=1&a=2`
    Repeat,
    /// `a=1,2`
    Comma,
}

/// A read again until it holds.
#[derive(Debug)]
pub struct Repeat {
    /// The call is not made again once this is true of its reply.
    pub until: Node,
    /// Calls at most; at least one.
    pub max: usize,
    /// The pause between a reply and the next call.
    pub every: Duration,
    /// What happens when `until` does not hold after `max` calls.
    pub over: Over,
    /// Whether some program mentions `replies`, so that all of them are kept.
    pub keeps_replies: bool,
}

/// One call for many keys.
#[derive(Debug)]
pub struct Batch {
    /// The key of one parent or item.
    pub key: Node,
    /// The rows of the reply: a list, or an object.
    pub from: Node,
    /// The key that a row stands for.
    pub by: Node,
    /// Whether several rows may stand for one key: then a list is collected.
    pub many: bool,
    /// Keys in one call.
    pub max: usize,
    /// Whether nobody wrote that bound.
    pub max_unwritten: bool,
    /// Bytes of path and query in one call; a call that would have more is split.
    pub max_url: Option<usize>,
    /// Whether a key without a row is a failure rather than null.
    pub missing_fails: bool,
}

impl Call {
    /// What judges the reply, before its status does.
    pub fn guards(&self) -> &[Guard] {
        self.rules.as_ref().map_or(&[], |rules| &rules.guards)
    }

    /// The programs that make up what it asks.
    pub(crate) fn asking(&self) -> Vec<&Node> {
        let mut nodes: Vec<&Node> = self.targets.node().into_iter().collect();
        for target in &self.targets.list {
            nodes.extend(target.headers.iter().map(Pair::node));
            nodes.extend(target.query.iter().map(Pair::node));
        }
        match &self.request {
            Request::Grpc { message, .. } => nodes.push(message),
            Request::Rest { path, cookies, body, .. } => {
                nodes.extend(path.iter().filter_map(PathPart::node));
                nodes.extend(cookies.iter().map(Pair::node));
                nodes.extend(body.iter().flat_map(Body::nodes));
            }
        }
        nodes
    }

    /// Every program of it.
    pub(crate) fn nodes(&self) -> Vec<&Node> {
        let mut nodes = self.asking();
        nodes.extend(self.judging());
        nodes.extend(self.batch.iter().map(|batch| &batch.key));
        nodes.extend(self.targets.list.iter().flat_map(|target| &target.kept).flat_map(|kept| kept.nodes()));
        nodes.extend(&self.invalidates);
        nodes
    }

    /// The programs that make the step's value of the reply.
    pub(crate) fn judging(&self) -> Vec<&Node> {
        let guards = self.guards().iter().flat_map(Guard::nodes);
        let batch = self.batch.iter().flat_map(|batch| [&batch.from, &batch.by]);
        let until = self.repeat.iter().map(|repeat| &repeat.until);
        guards.chain(&self.result).chain(batch).chain(until).collect()
    }
}

impl Body {
    /// Its programs.
    fn nodes(&self) -> Vec<&Node> {
        match self {
            Self::Json(node) => vec![node],
            Self::Form(form) => form.iter().map(Pair::node).collect(),
            Self::Multipart(parts) => {
                let nodes = parts
                    .iter()
                    .flat_map(|part| [Some(part.content.node()), part.file_name.as_ref(), part.media_type.as_ref()]);
                nodes.flatten().collect()
            }
            Self::Raw(content) => vec![content.node()],
        }
    }

    /// What goes out as it is.
    pub(crate) fn contents(&self) -> Vec<&Content> {
        match self {
            Self::Json(_) | Self::Form(_) => Vec::new(),
            Self::Multipart(parts) => parts.iter().map(|part| &part.content).collect(),
            Self::Raw(content) => vec![content],
        }
    }
}

impl Content {
    /// Its program.
    pub(crate) fn node(&self) -> &Node {
        match self {
            Self::Value(node) | Self::Upload(node) => node,
        }
    }
}

impl<N> Pair<N> {
    /// The program of its value, or of the map.
    pub(crate) fn node(&self) -> &Node {
        match self {
            Self::One(_, node) | Self::Map(node) => node,
        }
    }
}

impl PathPart {
    /// The program of a value.
    pub(crate) fn node(&self) -> Option<&Node> {
        match self {
            Self::Text(_) | Self::Tail => None,
            Self::Value(node) => Some(node),
        }
    }
}

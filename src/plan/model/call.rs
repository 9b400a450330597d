//! Backend calls, to be rendered.

use std::time::Duration;

use http::{HeaderName, Method};

use super::{Guard, Over};
use crate::base::call::Expect;
use crate::base::id::{BackendId, MethodId, OperationId};
use crate::expr::Node;

/// A backend call, to be rendered.
#[derive(Debug)]
pub struct Call {
    /// Whom to ask.
    pub backend: BackendId,
    /// What to ask.
    pub request: Request,
    /// Header fields or metadata.
    pub headers: Box<[(HeaderName, Node)]>,
    /// The time it may take.
    pub timeout: Duration,
    /// Who says so.
    pub timeout_by: TimeoutBy,
    /// Why it counts as a read or as a write.
    pub because: Because,
    /// Judges the reply, before its status does.
    pub guards: Box<[Guard]>,
    /// What the step holds, made from the reply; `None` holds the body.
    pub result: Option<Node>,
    /// One call for many keys.
    pub batch: Option<Box<Batch>>,
    /// A read again until it holds.
    pub repeat: Option<Box<Repeat>>,
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

/// A request, to be rendered.
#[derive(Debug)]
pub enum Request {
    /// Over REST.
    Rest {
        /// The HTTP method.
        method: Method,
        /// The path, beginning with `/`.
        path: Box<[PathPart]>,
        /// The query.
        query: Query,
        /// The JSON body.
        body: Option<Node>,
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

/// A query, to be rendered.
#[derive(Debug)]
pub enum Query {
    /// Entries in written order.
    Entries(Box<[QueryEntry]>),
    /// Every entry of a map.
    Map(Node),
}

/// One entry of a query.
#[derive(Debug)]
pub struct QueryEntry {
    /// The percent-encoded name.
    pub name: Box<str>,
    /// The value; null drops the entry.
    pub value: Node,
    /// How a list is written.
    pub style: ListStyle,
}

/// How a list is written in a query.
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

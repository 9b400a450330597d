//! What will run: every name resolved to a position, every default filled in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};

use crate::base::call::Expect;
use crate::base::failure::Fault;
use crate::base::id::{BackendId, EndpointId, FieldId, MethodId, StepId};
use crate::expr::Node;

use super::schema::{Schema, TypeRef};

/// A checked project. Immutable; shared by all requests that began while it was current.
#[derive(Debug)]
pub struct Plan {
    /// The backends, by [`BackendId`].
    pub backends: Vec<Backend>,
    /// The rpcs that some call uses, by [`MethodId`].
    pub methods: Vec<Rpc>,
    /// The endpoints in written order, by [`EndpointId`].
    pub endpoints: Vec<Endpoint>,
    /// The bound fields, by [`FieldId`].
    pub fields: Vec<Field>,
    /// The types of arguments and bodies, and those that clients of the graph see.
    pub schema: Arc<Schema>,
    /// The GraphQL face, when the project's schema has queries.
    pub graph: Option<Graph>,
    /// The listener and the defaults of requests.
    pub gateway: Gateway,
}

/// A backend.
#[derive(Debug)]
pub struct Backend {
    /// Its name in compositions, logs and metrics.
    pub name: Box<str>,
    /// Its addresses, as `http://host:port`; at least one. Calls take them in turn.
    pub addresses: Box<[Address]>,
    /// The protocol that it speaks.
    pub protocol: Protocol,
    /// Bytes of a reply's body (for gRPC: of its message) that are read at most.
    pub max_reply: u64,
}

/// What a backend speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// JSON over HTTP/1.1.
    Rest,
    /// gRPC over HTTP/2.
    Grpc,
}

/// One address of a backend.
#[derive(Clone, Debug)]
pub struct Address {
    /// `host:port`, as the `Host` header or `:authority` says it.
    pub authority: http::uri::Authority,
    /// What stands before every path; without a slash at its end. Usually empty.
    pub prefix: Box<str>,
}

/// A rpc of a gRPC backend.
#[derive(Debug)]
pub struct Rpc {
    /// `/package.Service/Method`.
    pub path: http::uri::PathAndQuery,
    /// Descriptor of the rpc, for the message tables that are built from it.
    pub descriptor: prost_reflect::MethodDescriptor,
}

/// What clients call over REST.
#[derive(Debug)]
pub struct Endpoint {
    /// The key it was written under, such as `GET /v1/products/{id}`.
    pub name: Box<str>,
    /// What the writer says that it is for.
    pub summary: Option<Box<str>>,
    /// The methods it takes; empty takes all.
    pub methods: Box<[Method]>,
    /// The path as it was written: `/v1/products/{id}`, `/files/{*rest}`.
    pub path: Box<str>,
    /// The same with parameters by position, so that paths that differ in names alone are one
    /// route: `/v1/products/{0}`, `/files/{*0}`.
    pub pattern: Box<str>,
    /// Declared arguments, in written order.
    pub args: Box<[Arg]>,
    /// The body it takes.
    pub body: Option<BodyType>,
    /// Bytes of a request body that are read at most.
    pub max_body: u64,
    /// The time that the whole answer may take.
    pub timeout: Duration,
    /// What answers.
    pub answer: Answer,
}

/// What answers a request to an endpoint.
#[derive(Debug)]
pub enum Answer {
    /// A composition.
    Compose(Box<Composed>),
    /// Another server, streaming both ways.
    Proxy(Box<Proxy>),
}

/// A composition and the shape of its HTTP answer.
#[derive(Debug)]
pub struct Composed {
    /// What runs.
    pub composition: Composition,
    /// Status, header fields and body of the answer.
    pub respond: Respond,
    /// The steps that the answer waits for.
    pub needs: Box<[Need]>,
}

/// Status, header fields and body of an answer that succeeded.
#[derive(Debug)]
pub struct Respond {
    /// The status; 200 (or 204 without a body) when nothing is written.
    pub status: Option<Expr>,
    /// Header fields in written order.
    pub headers: Box<[(HeaderName, Expr)]>,
    /// The media type of the body.
    pub media_type: HeaderValue,
    /// Whether there is a body: `result: null` sends none.
    pub body: bool,
}

/// An endpoint that passes requests through.
#[derive(Debug)]
pub struct Proxy {
    /// Where to.
    pub backend: BackendId,
    /// The path there; `None` keeps the request's path. The request's query is kept.
    pub path: Option<Box<[PathPart]>>,
    /// What the path's expressions read.
    pub sources: Box<[Source]>,
    /// Header fields that are set, or removed for `None`.
    pub headers: Box<[(HeaderName, Option<Expr>)]>,
}

/// A declared argument of an endpoint.
#[derive(Debug)]
pub struct Arg {
    /// Its name in expressions.
    pub name: Box<str>,
    /// `"name":`, prepared for the document of arguments.
    pub key: Box<[u8]>,
    /// Where its text comes from.
    pub source: ArgSource,
    /// Its type; GraphQL's words.
    pub ty: TypeRef,
    /// The value when the request has none.
    pub default: Option<Expr>,
    /// The least number, or the least length of text.
    pub min: Option<f64>,
    /// The greatest number, or the greatest length of text.
    pub max: Option<f64>,
    /// Whether bounds hold a number; else they hold a length.
    pub counts: bool,
    /// The texts that are allowed; empty allows all.
    pub allowed: Box<[Box<str>]>,
}

/// Where an argument's text comes from, and under which name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgSource {
    /// The parameter of the path at this position.
    Path(usize),
    /// The tail of the path, `{*rest}`, at this position.
    Tail(usize),
    /// A parameter of the query.
    Query(Box<str>),
    /// A header field.
    Header(HeaderName),
    /// A cookie.
    Cookie(Box<str>),
}

/// The JSON body that an endpoint takes.
#[derive(Debug)]
pub enum BodyType {
    /// A value of this type of the schema.
    Schema(TypeRef),
    /// Any JSON.
    Any,
}

/// A field of the graph that a composition answers.
#[derive(Debug)]
pub struct Field {
    /// `Query.product`.
    pub name: Box<str>,
    /// What runs once per parent, or once per list with `batch`.
    pub composition: Composition,
    /// Parents that run at the same time.
    pub parallel: usize,
    /// Parents that one answer may have.
    pub max: usize,
    /// Whether nothing is called: the result is a plain expression over parent and arguments.
    pub pure: bool,
}

/// The GraphQL face.
#[derive(Debug)]
pub struct Graph {
    /// The types that clients see: the plan's.
    pub schema: Arc<Schema>,
    /// Which composition answers a field: by type, then by position in the type's fields.
    pub bound: Vec<Vec<Option<FieldId>>>,
    /// The member that an unbound field reads, by type and position.
    pub members: Vec<Vec<Box<str>>>,
    /// For abstract types: what gives the name of the concrete type.
    pub type_names: Vec<Option<FieldId>>,
    /// The path that takes GraphQL requests.
    pub path: Box<str>,
    /// Whether a browser that visits the path is shown a page to try queries on.
    pub playground: bool,
    /// Whether introspection is answered.
    pub introspection: bool,
    /// Bounds of documents.
    pub limits: GraphLimits,
    /// The time that a whole answer may take.
    pub timeout: Duration,
}

/// Bounds of GraphQL documents.
#[derive(Clone, Copy, Debug)]
pub struct GraphLimits {
    /// Nested selections.
    pub depth: usize,
    /// Fields with an alias.
    pub aliases: usize,
    /// Lexical tokens.
    pub tokens: usize,
}

/// The listener and the defaults of requests.
#[derive(Debug)]
pub struct Gateway {
    /// Where clients connect.
    pub listen: SocketAddr,
    /// Where operators connect: health and readiness.
    pub admin: SocketAddr,
    /// The form of the access log.
    pub access_log: AccessLog,
    /// How long a drain announces itself before it closes the listener.
    pub drain_delay: Duration,
    /// How long open requests may take to finish after that.
    pub drain_timeout: Duration,
}

/// The form of the access log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessLog {
    /// One JSON object a line.
    Json,
    /// One line of text.
    Text,
    /// None.
    Off,
}

/// Steps and a result: what an endpoint, a field and each item of a `for_each` run.
#[derive(Debug)]
pub struct Composition {
    /// What each [`crate::expr::Var`] of its expressions reads.
    pub sources: Box<[Source]>,
    /// The outermost steps.
    pub scope: Scope,
    /// What it gives.
    pub result: Expr,
    /// Whether some step may change something at a backend: then it runs on when its client leaves.
    pub writes: bool,
}

/// Steps that run in one frame, and what the frame waits for in any case.
#[derive(Debug)]
pub struct Scope {
    /// How many scopes stand around it.
    pub depth: u16,
    /// The steps in written order, by [`StepId`].
    pub steps: Box<[Step]>,
    /// Writes and guards: what runs although nothing may mention it.
    pub always: Box<[StepId]>,
}

/// An expression and the steps that it waits for.
#[derive(Clone, Debug)]
pub struct Expr {
    /// The program.
    pub node: Node,
    /// The steps whose values it reads.
    pub needs: Box<[Need]>,
}

/// A step that something waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// The depth of the scope that the step stands in.
    pub depth: u16,
    /// The step.
    pub step: StepId,
}

/// What a variable of a compiled expression reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// What a step holds.
    Step(u16, StepId),
    /// The HTTP status of a step's reply; null when it was not called.
    Status(u16, StepId),
    /// The header fields of a step's reply.
    Headers(u16, StepId),
    /// The failure of a step as `{ code, status, detail, body }`; null when it did not fail.
    Error(u16, StepId),
    /// Whether a step's `when` was false.
    Skipped(u16, StepId),
    /// Whether a step's list was cut at `max`.
    Cut(u16, StepId),
    /// Whether a step came to its regular end: neither skipped nor failed.
    Succeeded(u16, StepId),
    /// The item of a `for_each` scope; at depth 0 the parent object of a graph field.
    Item(u16),
    /// The object of coerced arguments.
    Args,
    /// The coerced request body.
    Body,
    /// A part of the client's request.
    Request(RequestPart),
    /// One header field of the client's request, lower case.
    RequestHeader(Box<str>),
    /// One cookie of the client's request.
    RequestCookie(Box<str>),
    /// The body of the reply that is being judged or turned into a step's value.
    Reply,
    /// The HTTP status of that reply.
    ReplyStatus,
    /// The header fields of that reply.
    ReplyHeaders,
    /// The keys of the batch that is being called.
    Keys,
    /// The row of a batched reply that is being matched to its key.
    Row,
    /// The position of that row, or its key when the reply is an object.
    RowIndex,
}

/// A part of the client's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum RequestPart {
    Method,
    Path,
    Headers,
    Query,
    Cookies,
    Body,
    ClientIp,
    Id,
    Time,
}

/// One step.
#[derive(Debug)]
pub struct Step {
    /// Its name, with the names of the steps around it: `seller.s`.
    pub name: Box<str>,
    /// What it does.
    pub action: Action,
    /// Not done unless true.
    pub when: Option<Expr>,
    /// What it holds when `when` is false; without it, null.
    pub otherwise: Option<Expr>,
    /// What it waits for: what its action mentions, and what `after` or the written order demand.
    pub needs: Box<[Need]>,
    /// What a failure does.
    pub on_failure: OnFailure,
    /// The composition step around it that takes its failure, within the same scope.
    pub group: Option<StepId>,
    /// The time it may take.
    pub timeout: Option<Duration>,
    /// Whether it may change something at a backend.
    pub write: bool,
}

/// What the failure of a step does.
#[derive(Debug)]
pub enum OnFailure {
    /// It fails what is around it.
    Fail,
    /// The step holds null and the failure is reported.
    Null,
    /// The step holds this and the failure is reported.
    Default(Expr),
}

/// What a step does.
#[derive(Debug)]
pub enum Action {
    /// Calls a backend.
    Call(Box<Call>),
    /// Runs a scope for each item of a list.
    Each(Box<Each>),
    /// Waits for a composition (its needs are the step's), then lets its guards judge.
    Group(Box<[Guard]>),
}

/// A refusal: when its condition holds the step fails with what it declares.
#[derive(Debug)]
pub struct Guard {
    /// The condition.
    pub when: Node,
    /// The code that the client reads.
    pub code: Option<Box<str>>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The sentence that the client reads.
    pub detail: Option<Node>,
    /// Members added to the problem document.
    pub with: Option<Node>,
    /// Whose fault it is.
    pub blame: Option<Fault>,
}

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
    /// Judges the reply, before its status does.
    pub guards: Box<[Guard]>,
    /// What the step holds, made from the reply; `None` holds the body.
    pub result: Option<Node>,
    /// One call for many keys.
    pub batch: Option<Box<Batch>>,
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

/// A step that runs once per item of a list.
#[derive(Debug)]
pub struct Each {
    /// The list. Null counts as empty.
    pub list: Node,
    /// What runs per item.
    pub scope: Scope,
    /// What one item gives.
    pub value: Expr,
    /// The key under which an item's value is found; null leaves the item out.
    pub key: Option<Node>,
    /// What a failed item gives.
    pub on_item_failure: OnFailure,
    /// Items that run at the same time.
    pub parallel: usize,
    /// Items at most.
    pub max: usize,
    /// What happens beyond `max`.
    pub over: Over,
}

/// What happens to items beyond `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The step fails with `too_many_items`.
    Fail,
    /// They are left out, and `steps.NAME.cut` is true.
    Cut,
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
    /// Whether a key without a row is a failure rather than null.
    pub missing_fails: bool,
}

impl Plan {
    /// The endpoint with this id.
    pub fn endpoint(&self, id: EndpointId) -> &Endpoint {
        &self.endpoints[id.index()]
    }

    /// The graph. Only what was validated against it asks.
    pub fn graph(&self) -> &Graph {
        self.graph.as_ref().expect("operations exist only where there is a graph")
    }
}

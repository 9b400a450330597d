//! Endpoints: what clients call over REST, and what answers.

use std::sync::Arc;
use std::time::Duration;

use crate::descriptor::MessageDescriptor;
use http::{HeaderName, HeaderValue, Method};

use super::{
    AnswerCache, Bounds, Composition, Deprecation, ErrorStatuses, Expr, Need, Pair, Pairs, PathPart, Source, Sticky,
    Variants,
};
use crate::base::host::HostPattern;
use crate::base::id::{BackendId, PoliciesId, StepId};
use crate::base::value::Doc;
use crate::expr::Node;
use crate::plan::contract::schema::{SchemaId, Schemas};
use crate::plan::operation::Planned;
use crate::plan::schema::TypeRef;
use crate::policy::overload::Class;

/// What clients call over REST.
#[derive(Debug)]
pub struct Endpoint {
    /// The key it was written under, such as `GET /v1/products/{id}`.
    pub name: Box<str>,
    /// What the writer says that it is for.
    pub summary: Option<Box<str>>,
    /// The same at length.
    pub description: Option<Box<str>>,
    /// What it belongs to.
    pub tags: Box<[Box<str>]>,
    /// That it will go away.
    pub deprecation: Option<Box<Deprecation>>,
    /// The statuses of its failures.
    pub errors: ErrorStatuses,
    /// The methods it takes; empty takes all.
    pub methods: Box<[Method]>,
    /// The hosts that it answers at; empty takes all.
    pub hosts: Box<[HostPattern]>,
    /// The path as it was written: `/v1/products/{id}`, `/files/{*rest}`.
    pub path: Arc<str>,
    /// The same segment by segment; `/` has none, and a slash at the end makes a last one that is empty.
    pub segments: Box<[Segment]>,
    /// Declared arguments, in written order.
    pub args: Box<[Arg]>,
    /// What the defaults of arguments read.
    pub default_sources: Box<[Source]>,
    /// The body it takes.
    pub body: Option<BodyType>,
    /// Bytes of a request body that are read at most.
    pub max_body: u64,
    /// The time that the whole answer may take.
    pub timeout: Duration,
    /// How important its requests are.
    pub class: Class,
    /// What clients may keep of its answers.
    pub cache: Option<Box<AnswerCache>>,
    /// How requests are told from those that are sent again.
    pub idempotency: Option<Idempotency>,
    /// What answers.
    pub answer: Answer,
}

/// How an endpoint takes an `Idempotency-Key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// Whether every request needs one.
    pub required: bool,
    /// How long an answer is given again.
    pub keep: Duration,
}

/// One segment of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Exactly this text, percent-encoded.
    Literal(Box<str>),
    /// Any one segment that ends in this text, percent-encoded and perhaps empty, and has more than that.
    Parameter(Box<str>),
    /// The rest of the path, if it ends in this text, percent-encoded and perhaps empty, and has more than that.
    Tail(Box<str>),
}

/// What answers a request to an endpoint.
#[derive(Debug)]
pub enum Answer {
    /// A composition.
    Compose(Box<Composed>),
    /// An operation on the graph.
    Query(Box<Queried>),
    /// Another server, streaming both ways.
    Proxy(Box<Proxy>),
}

impl Answer {
    /// Whether answering may change something at a backend: then it comes to its end although its
    /// client may have left.
    pub fn writes(&self) -> bool {
        match self {
            Self::Compose(composed) => composed.composition.writes,
            Self::Query(queried) => queried.operation.writes,
            Self::Proxy(_) => false,
        }
    }
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

/// An operation on the graph, whose data is the body of the answer.
#[derive(Debug)]
pub struct Queried {
    /// What runs. Its variables are the arguments of the endpoint with the same names.
    pub operation: Planned,
    /// Which of its variables is the body of the request.
    pub body: Option<usize>,
    /// Status and header fields of the answer.
    pub respond: Respond,
    /// What the expressions of `respond` read: arguments and the request.
    pub sources: Box<[Source]>,
}

/// Status, header fields and body of an answer that succeeded.
#[derive(Debug)]
pub struct Respond {
    /// The status; 200 (or 204 without a body) when nothing is written.
    pub status: Option<Expr>,
    /// Header fields in written order.
    pub headers: Pairs<HeaderName>,
    /// Cookies to set.
    pub cookies: Box<[Cookie]>,
    /// The media type of the body, where what answers does not bring its own.
    pub media_type: HeaderValue,
    /// How the result becomes the body.
    pub body: BodyForm,
}

impl Respond {
    /// Its programs.
    pub(crate) fn nodes(&self) -> Vec<&Node> {
        let headers = self.headers.iter().map(Pair::node);
        let cookies = self.cookies.iter().flat_map(Cookie::programs).map(|program| &program.node);
        headers.chain(cookies).chain(self.status.iter().map(|status| &status.node)).collect()
    }
}

/// How a result becomes the body of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyForm {
    /// There is none: `result: null`.
    None,
    /// As JSON.
    Json,
    /// A text or bytes as they are, anything else as JSON: the media type is not JSON.
    Text,
    /// What this step holds: bytes as they came, with the media type of its reply; anything else as JSON.
    Reply(StepId),
    /// The data of the `google.api.HttpBody` that this step holds, with the media type that it says.
    HttpBody(StepId),
}

/// A cookie to set.
#[derive(Debug)]
pub struct Cookie {
    /// Its name.
    pub name: Box<str>,
    /// Its value; percent-encoded where a cookie cannot hold a character.
    pub value: Expr,
    /// How long it is kept, where an expression says so; null keeps it until the browser closes.
    pub max_age: Option<Expr>,
    /// Until when it is kept, where an expression says so; null says nothing.
    pub expires: Option<Expr>,
    /// `; Path=/; HttpOnly` and so on.
    pub attributes: Box<str>,
}

impl Cookie {
    /// What has to be computed for it.
    pub fn programs(&self) -> impl Iterator<Item = &Expr> {
        [&self.value].into_iter().chain(&self.max_age).chain(&self.expires)
    }
}

/// An endpoint that passes requests through.
#[derive(Debug)]
pub struct Proxy {
    /// Where to.
    pub targets: Variants<ProxyTarget>,
    /// The path there; `None` keeps the request's path. The request's query is kept.
    pub path: Option<Box<[PathPart]>>,
    /// What the path's expressions read.
    pub sources: Box<[Source]>,
    /// Header fields that are set, or removed for null.
    pub headers: Pairs<HeaderName>,
    /// Whether replies are kept by their header fields (RFC 9111).
    pub is_cached: bool,
    /// Bytes of a request body that are passed at most; `None` passes any.
    pub max_body: Option<u64>,
}

/// A backend, or a variant of it, that requests are passed to.
#[derive(Debug)]
pub struct ProxyTarget {
    /// The backend.
    pub backend: BackendId,
    /// What stands around it.
    pub policies: PoliciesId,
    /// Requests that agree in this go to the same address.
    pub affinity: Option<Node>,
    /// Those of one client stay at one by this cookie.
    pub sticky: Option<Arc<Sticky>>,
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
    pub default: Option<ArgDefault>,
    /// What its texts must be like; of a list, each of them.
    pub bounds: Bounds,
}

impl Arg {
    /// Its name in requests, where that is not the path's.
    pub fn name_outside(&self) -> &str {
        match &self.source {
            ArgSource::Path(_) | ArgSource::Tail(_) => &self.name,
            ArgSource::Query(name) | ArgSource::Cookie(name) | ArgSource::Form(name) => name,
            ArgSource::Header(name) => name.as_str(),
        }
    }
}

/// The value of an argument that a request does not give.
#[derive(Debug)]
pub enum ArgDefault {
    /// Always the same.
    Constant {
        /// As it was written.
        node: Node,
        /// As the argument's type has it.
        value: Arc<Doc>,
    },
    /// Made from the request; what it reads is in [`Endpoint::default_sources`].
    Computed(Node),
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
    /// A field of the body's form, before its file.
    Form(Box<str>),
}

/// The body that an endpoint takes.
#[derive(Debug)]
pub enum BodyType {
    /// A value of this type of the schema, as JSON.
    Schema(TypeRef),
    /// A value of this input type, as JSON or as a form.
    Input(TypeRef),
    /// Bytes of any media type, which go to one call as they come.
    Upload {
        /// The part of a form that they are; without it they are the whole body.
        part: Option<Box<str>>,
    },
    /// Bytes of any media type, as a `google.api.HttpBody`.
    HttpBody,
    /// ProtoJSON of a message.
    Message(MessageDescriptor),
    /// What a JSON Schema allows.
    JsonSchema {
        /// The schema with those that it refers to.
        schemas: Arc<Schemas>,
        /// The schema.
        id: SchemaId,
    },
    /// Any JSON.
    Any,
    /// Any JSON or nothing: the endpoint declares no body, but an expression mentions the request's.
    Mentioned,
}

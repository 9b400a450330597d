//! What will run: every name resolved to a position, every default filled in.

mod answer_cache;
mod balance;
mod bounds;
mod call;
mod composition;
mod deprecation;
mod directory;
mod endpoint;
mod errors;
mod graph;
mod policies;
mod rules;
mod store;
mod tls;
mod variant;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub use answer_cache::AnswerCache;
pub use balance::{Balance, Directory, Discover, HealthCheck, Question, Sticky};
pub use bounds::Bounds;
pub use call::{
    Batch, Because, Body, Call, Content, FormPart, ListStyle, Pair, Pairs, Parameter, PathPart, Repeat, Request,
    Target, TimeoutBy, Undo, quoted,
};
pub use composition::{
    Action, Composition, Each, Expr, Guard, Need, OnFailure, RequestPart, Scope, Source, Step, Unwritten,
};
pub use deprecation::{Deprecation, LinkPart};
pub use directory::{Api, Consul, Kubernetes, Port};
pub use endpoint::{
    Answer, Arg, ArgDefault, ArgSource, BodyForm, BodyType, Composed, Cookie, Endpoint, Idempotency, Proxy,
    ProxyTarget, Queried, Respond, Segment,
};
pub use errors::ErrorStatuses;
pub use graph::{Field, Graph, GraphLimits};
pub use policies::{Around, Keeping, Kept, Owned, Policies, Whom};
pub use rules::{Read, Rules};
pub use store::Store;
pub(crate) use tls::provider as tls_provider;
pub use tls::{ClientTls, ServerTls, ServerTlsOrigin, TlsOrigin};
pub use variant::{Choose, Variants};

pub use crate::base::call::{Collect, Over};
use crate::base::id::EndpointId;
use crate::descriptor::MethodDescriptor;
use crate::observe::drift::Promise;
use crate::plan::contract::Operation;
use crate::plan::schema::Schema;
use crate::policy::overload;

/// A checked project. Immutable; shared by all requests that began while it was current.
#[derive(Debug)]
pub struct Plan {
    /// The backends, by `BackendId`; one with variants has one entry for each.
    pub backends: Vec<Backend>,
    /// The rpcs that some call uses, by `MethodId`.
    pub methods: Vec<Rpc>,
    /// The operations of contracts that some call uses and whose replies hold integers, by `OperationId`.
    pub operations: Vec<Arc<Operation>>,
    /// What stands around calls.
    pub around: Around,
    /// The endpoints in written order, by [`EndpointId`].
    pub endpoints: Vec<Endpoint>,
    /// The bound fields, by `FieldId`.
    pub fields: Vec<Field>,
    /// The types of arguments and bodies, and those that clients of the graph see.
    pub schema: Arc<Schema>,
    /// The GraphQL face, when the project's schema has queries.
    pub graph: Option<Graph>,
    /// What contracts and the schema promise of replies; expressions and the graph know the positions.
    pub promises: Vec<Promise>,
    /// What stands for everything that contracts and protos say: equal while none of them changes.
    pub contracts: u64,
    /// The listener and the defaults of requests.
    pub gateway: Gateway,
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

/// A backend, or one variant of it.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Its name in compositions.
    pub name: Box<str>,
    /// Which variant of it this is, if it has several.
    pub variant: Option<Box<str>>,
    /// Its addresses; at least one.
    pub addresses: Box<[Address]>,
    /// Which of them gets a call.
    pub balance: Balance,
    /// Where others are found while it runs; those above are there until then.
    pub discover: Option<Discover>,
    /// The protocol that it speaks.
    pub protocol: Protocol,
    /// Whether a contract says what its replies hold.
    pub is_described: bool,
    /// Whether it says itself what its replies hold.
    pub is_reflected: bool,
    /// Bytes of a reply's body (for gRPC: of its message) that are read at most.
    pub max_reply: u64,
}

/// Its name, and behind a dot its variant's: what logs and operators read.
impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.variant {
            Some(variant) => write!(f, "{}.{variant}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// What a backend speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// JSON over HTTP/1.1, or over HTTP/2 where TLS agrees on it.
    Rest,
    /// gRPC over HTTP/2.
    Grpc,
}

/// One address of a backend.
#[derive(Clone, Debug, PartialEq)]
pub struct Address {
    /// `host:port`, as the `Host` header or `:authority` says it.
    pub authority: http::uri::Authority,
    /// `host:port`, where it is connected to: of an address that was found another than it is asked as.
    pub location: http::uri::Authority,
    /// What stands before every path; without a slash at its end. Usually empty.
    pub prefix: Box<str>,
    /// TLS, for `https://`.
    pub tls: Option<ClientTls>,
    /// How much of the calls it gets beside the others.
    pub weight: u32,
}

impl Address {
    /// The port that is connected to.
    pub fn port(&self) -> u16 {
        self.location.port_u16().unwrap_or(if self.tls.is_some() { 443 } else { 80 })
    }
}

/// Where it is connected to, without what stands before every path.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.location)
    }
}

/// A rpc of a gRPC backend.
#[derive(Debug)]
pub struct Rpc {
    /// `/package.Service/Method`.
    pub path: http::uri::PathAndQuery,
    /// Descriptor of the rpc, for the message tables that are built from it.
    pub descriptor: MethodDescriptor,
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
    /// TLS to clients.
    pub tls: Option<ServerTls>,
    /// The name servers that are asked where backends are; those of the machine if there is none.
    pub name_servers: Box<[SocketAddr]>,
    /// Bytes that kept replies may take.
    pub cache_size: u64,
    /// Where replies and answers are shared with other replicas.
    pub store: Option<Store>,
    /// When requests are refused because there are too many.
    pub overload: overload::Settings,
}

/// What cannot change while a gateway runs, as it was when it started; `None` where the project does not decide it.
#[derive(Clone, Debug, Default)]
pub struct Fixed {
    /// Where clients connect.
    pub listen: Option<SocketAddr>,
    /// Where operators connect.
    pub admin: Option<SocketAddr>,
    /// The form of the access log.
    pub access_log: Option<AccessLog>,
}

impl Fixed {
    /// What a gateway was started with.
    pub fn of(gateway: &Gateway) -> Self {
        let Gateway { listen, admin, access_log, .. } = gateway;
        Self { listen: Some(*listen), admin: Some(*admin), access_log: Some(*access_log) }
    }
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

/// As it is written.
impl fmt::Display for AccessLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "json",
            Self::Text => "text",
            Self::Off => "off",
        })
    }
}

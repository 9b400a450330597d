//! Puts one rendered call on the wire and reads its reply: REST and gRPC over one kind of pooled client.
//!
//! **Invariant:** this layer knows no policy. It answers one attempt at one address, within the
//! call's deadline and the backend's reply cap, or says why it could not.

mod body;
mod connect;
pub mod grpc;
mod http1;
mod proxy;
mod rest;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Response, uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::base::call::{Call, Reply, Request};
use crate::base::failure::{Cause, Failure};
use crate::plan::contract::Operation;
use crate::plan::{Address, Plan};

pub use body::RequestBody;
use connect::Connector;
pub use http1::ReplyBody;

/// Idle connections are closed before backends with short keep-alive times close them under a call.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// Flow-control windows of HTTP/2: the protocol's 64 KiB throttle large replies.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;

/// The pooled clients and what they need to know of each backend.
#[derive(Debug)]
pub struct Transport {
    http2: Client<Connector, RequestBody>,
    backends: Vec<Backend>,
    methods: Vec<grpc::Method>,
    /// What contracts say of replies, by `OperationId`.
    operations: Vec<Arc<Operation>>,
}

/// A backend as the wire sees it.
#[derive(Debug)]
struct Backend {
    name: Box<str>,
    instances: Box<[Instance]>,
    /// Calls sent so far; picks the next address.
    turn: AtomicUsize,
    max_reply: u64,
}

/// One address of a backend.
#[derive(Debug)]
struct Instance {
    address: Address,
    http1: http1::Client,
}

impl Transport {
    /// The clients for a plan's backends. Connections are opened when first needed.
    pub fn new(plan: &Plan) -> Self {
        let backend = |backend: &crate::plan::Backend| Backend {
            name: match &backend.variant {
                Some(variant) => format!("{}.{variant}", backend.name).into(),
                None => backend.name.clone(),
            },
            instances: backend.addresses.iter().map(Instance::new).collect(),
            turn: AtomicUsize::new(0),
            max_reply: backend.max_reply,
        };
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_idle_timeout(IDLE_TIMEOUT).timer(TokioTimer::new()).pool_timer(TokioTimer::new());
        let http2 = builder
            .http2_only(true)
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(CONNECTION_WINDOW)
            .build(Connector);
        Self {
            http2,
            backends: plan.backends.iter().map(backend).collect(),
            methods: grpc::methods(&plan.methods),
            operations: plan.operations.clone(),
        }
    }

    /// Sends a call and reads its reply to the end.
    ///
    /// # Errors
    /// No connection, the deadline, a reply that is cut short, too large or invalid, a message that
    /// does not fit its proto. A status that is not success is a reply, not an error.
    pub async fn send(&self, call: Call) -> Result<Reply, Failure> {
        let backend = &self.backends[call.backend.index()];
        let work = async {
            match call.request {
                Request::Rest(rest) => {
                    let operation = rest.operation.map(|id| &*self.operations[id.index()]);
                    rest::send((backend, operation), rest, call.headers).await
                }
                Request::Grpc { method, message } => {
                    let head = grpc::Head { headers: call.headers, deadline: call.deadline };
                    grpc::send(self, backend, head, (&self.methods[method.index()], message)).await
                }
            }
        };
        let outcome = match tokio::time::timeout_at(call.deadline.into(), work).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::new(Cause::Timeout, "no reply within the deadline")),
        };
        outcome.map_err(|failure| failure.at(&backend.name))
    }

    /// Sends a client's request on as it is and hands back the reply before its body was read.
    ///
    /// # Errors
    /// No connection, or no reply head before the deadline.
    pub async fn forward(&self, passage: proxy::Passage) -> Result<Response<ReplyBody>, Failure> {
        let backend = &self.backends[passage.backend.index()];
        proxy::forward(backend, passage).await.map_err(|failure| failure.at(&backend.name))
    }
}

pub use proxy::Passage;

impl Backend {
    /// The next address in turn.
    fn instance(&self) -> &Instance {
        let turn = if self.instances.len() > 1 { self.turn.fetch_add(1, Ordering::Relaxed) } else { 0 };
        &self.instances[turn % self.instances.len()]
    }
}

impl Instance {
    fn new(address: &Address) -> Self {
        Self { address: address.clone(), http1: http1::Client::new(address) }
    }

    /// Path and query behind the address's prefix.
    fn target(&self, rendered: String) -> Result<uri::PathAndQuery, Failure> {
        let prefix = &self.address.prefix;
        let text = if prefix.is_empty() { rendered } else { format!("{prefix}{rendered}") };
        uri::PathAndQuery::from_maybe_shared(Bytes::from(text))
            .map_err(|error| Failure::new(Cause::MissingValue, format!("cannot form the target: {error}")))
    }
}

/// An error and what caused it, on one line.
fn words(error: &dyn std::error::Error) -> Arc<str> {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text.into()
}

/// The time left until a deadline.
fn remaining(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

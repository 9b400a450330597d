//! Puts one rendered call on the wire and reads its reply: REST and gRPC over one kind of pooled client.
//!
//! **Invariant:** this layer knows no policy. It answers one attempt at one address, within the
//! call's deadline and the backend's reply cap, or says why it could not.

mod body;
mod connect;
pub mod grpc;
mod proxy;
mod rest;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Response, Uri, uri};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::base::call::{Call, Reply, Request};
use crate::base::failure::{Cause, Failure};
use crate::plan::{Address, Plan};

pub use body::RequestBody;
use connect::Connector;

/// Idle connections are closed before backends with short keep-alive times close them under a call.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// The time that a TCP connection may take to come about, within the call's own deadline.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Flow-control windows of HTTP/2: the protocol's 64 KiB throttle large replies.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;

/// The pooled clients and what they need to know of each backend.
#[derive(Debug)]
pub struct Transport {
    http1: Client<Connector, RequestBody>,
    http2: Client<Connector, RequestBody>,
    backends: Vec<Backend>,
    methods: Vec<grpc::Method>,
}

/// A backend as the wire sees it.
#[derive(Debug)]
struct Backend {
    name: Box<str>,
    addresses: Box<[Address]>,
    /// Calls sent so far; picks the next address.
    turn: AtomicUsize,
    max_reply: u64,
}

impl Transport {
    /// The clients for a plan's backends. Connections are opened when first needed.
    pub fn new(plan: &Plan) -> Self {
        let backend = |backend: &crate::plan::Backend| Backend {
            name: backend.name.clone(),
            addresses: backend.addresses.clone(),
            turn: AtomicUsize::new(0),
            max_reply: backend.max_reply,
        };
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_idle_timeout(IDLE_TIMEOUT).timer(TokioTimer::new()).pool_timer(TokioTimer::new());
        let http1 = builder.build(Connector::new(CONNECT_TIMEOUT));
        let http2 = builder
            .http2_only(true)
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(CONNECTION_WINDOW)
            .build(Connector::new(CONNECT_TIMEOUT));
        Self {
            http1,
            http2,
            backends: plan.backends.iter().map(backend).collect(),
            methods: grpc::methods(&plan.methods),
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
                Request::Rest(rest) => rest::send(self, backend, rest, call.headers).await,
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
    pub async fn forward(&self, passage: proxy::Passage) -> Result<Response<Incoming>, Failure> {
        let backend = &self.backends[passage.backend.index()];
        proxy::forward(self, backend, passage).await.map_err(|failure| failure.at(&backend.name))
    }
}

pub use proxy::Passage;

impl Backend {
    /// The next address in turn.
    fn address(&self) -> &Address {
        let turn = if self.addresses.len() > 1 { self.turn.fetch_add(1, Ordering::Relaxed) } else { 0 };
        &self.addresses[turn % self.addresses.len()]
    }
}

/// The URI of a request: the address's authority, its prefix, and the rendered target.
fn uri(address: &Address, target: uri::PathAndQuery) -> Result<Uri, Failure> {
    let mut parts = uri::Parts::default();
    parts.scheme = Some(uri::Scheme::HTTP);
    parts.authority = Some(address.authority.clone());
    parts.path_and_query = Some(target);
    Uri::from_parts(parts).map_err(|error| Failure::new(Cause::Internal, format!("cannot form the target: {error}")))
}

/// Path and query behind an address's prefix.
fn target(address: &Address, rendered: String) -> Result<uri::PathAndQuery, Failure> {
    let text = if address.prefix.is_empty() { rendered } else { format!("{}{rendered}", address.prefix) };
    uri::PathAndQuery::from_maybe_shared(Bytes::from(text))
        .map_err(|error| Failure::new(Cause::MissingValue, format!("cannot form the target: {error}")))
}

/// What a failed exchange means. `log` texts name the error, never the client's content.
fn exchange_failure(error: &hyper_util::client::legacy::Error) -> Failure {
    let words = words(error);
    if error.is_connect() {
        return Failure::new(Cause::ConnectFailed, words);
    }
    let inner = std::error::Error::source(error).and_then(|source| source.downcast_ref::<hyper::Error>());
    match inner {
        Some(inner) if inner.is_parse() || inner.is_parse_too_large() => Failure::new(Cause::BadReply, words),
        _ => Failure::new(Cause::ConnectFailed, words),
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

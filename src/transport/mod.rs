//! Puts one rendered call on the wire and reads its reply: REST and gRPC over pooled clients, with TLS or without.
//!
//! **Invariant:** this layer knows no policy. It answers one attempt at one address, within the
//! call's deadline and the backend's reply cap, or says why it could not.

mod body;
mod coding;
mod connect;
pub mod grpc;
mod http1;
mod http2;
mod instance;
mod media;
mod proxy;
mod reply;
mod rest;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Response;

use crate::base::call::{Call, Reply, Request};
use crate::base::failure::{Cause, Failure};
use crate::base::id::BackendId;
use crate::observe::drift::Doubt;
use crate::plan::contract::Operation;
use crate::plan::{Plan, Succession};

pub use body::RequestBody;
use instance::Instance;
pub use reply::{ReplyBody, ReplyError};

/// The pooled clients and what they need to know of each backend.
#[derive(Debug)]
pub struct Transport {
    backends: Vec<Backend>,
    /// Told where a reply contradicts what its backend says of itself.
    doubt: Doubt,
    methods: Vec<grpc::Method>,
    /// What contracts say of replies, by `OperationId`.
    operations: Vec<Arc<Operation>>,
}

/// A backend as the wire sees it.
#[derive(Debug)]
struct Backend {
    name: Box<str>,
    instances: Arc<Instances>,
    max_reply: u64,
    /// Whether it says itself what its replies hold.
    is_reflected: bool,
}

/// The addresses of a backend with their connections: what a new plan takes over from the one before.
#[derive(Debug)]
struct Instances {
    list: Box<[Instance]>,
    /// Calls sent so far; picks the next address.
    turn: AtomicUsize,
}

/// The terms of one attempt.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// When the reply is of no use any more.
    pub until: Instant,
    /// Whether the call may be made twice, also where its method does not say so.
    pub is_repeatable: bool,
}

impl Transport {
    /// The clients for a plan's backends. Connections are opened when first needed.
    pub fn new(plan: &Plan, doubt: Doubt) -> Self {
        Self::with_instances(plan, doubt, (&Succession::first(plan), &[]))
    }

    /// The clients for a plan that follows on another. Backends that stay the same keep their connections, and what
    /// was agreed on with them.
    pub fn succeeding(plan: &Plan, (succession, previous): (&Succession, &Self)) -> Self {
        let instances: Vec<_> = previous.backends.iter().map(|backend| backend.instances.clone()).collect();
        Self::with_instances(plan, previous.doubt.clone(), (succession, &instances))
    }

    fn with_instances(plan: &Plan, doubt: Doubt, (succession, previous): (&Succession, &[Arc<Instances>])) -> Self {
        let instances = succession.carry(previous, |id: BackendId| {
            let list = plan.backends[id.index()].addresses.iter().map(Instance::new).collect();
            Arc::new(Instances { list, turn: AtomicUsize::new(0) })
        });
        let backend = |(backend, instances): (&crate::plan::Backend, Arc<Instances>)| Backend {
            name: backend.to_string().into(),
            instances,
            max_reply: backend.max_reply,
            is_reflected: backend.is_reflected,
        };
        Self {
            doubt,
            backends: plan.backends.iter().zip(instances).map(backend).collect(),
            methods: grpc::methods(&plan.methods),
            operations: plan.operations.clone(),
        }
    }

    /// Sends a call and reads its reply to the end.
    ///
    /// # Errors
    /// No connection, the deadline, a reply that is cut short, too large or invalid, a message that
    /// does not fit its proto. A status that is not success is a reply, not an error.
    pub async fn send(&self, call: &Call, terms: Terms) -> Result<Reply, Failure> {
        let backend = &self.backends[call.backend.index()];
        let work = async {
            match &call.request {
                Request::Rest(rest) => {
                    let operation = rest.operation.map(|id| &*self.operations[id.index()]);
                    rest::send((backend, operation), rest, (&call.headers, terms)).await
                }
                Request::Grpc { method, message, take } => {
                    let head = grpc::Head { headers: &call.headers, deadline: terms.until };
                    let asked = grpc::Asked { method: &self.methods[method.index()], message, take: *take };
                    // Boxed, or every REST call would have room for one over HTTP/2.
                    let sent = Box::pin(grpc::send(backend, head, asked)).await;
                    if backend.is_reflected && grpc::contradicts(&sent) {
                        self.doubt.raise();
                    }
                    sent
                }
            }
        };
        let outcome = match tokio::time::timeout_at(terms.until.into(), work).await {
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
        let Instances { list, turn } = &*self.instances;
        let turn = if list.len() > 1 { turn.fetch_add(1, Ordering::Relaxed) } else { 0 };
        &list[turn % list.len()]
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

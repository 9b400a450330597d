//! Puts one rendered call on the wire and reads its reply: REST and gRPC over pooled clients, with TLS or without.
//!
//! **Invariant:** this layer knows no policy. It answers one attempt at one address, within the
//! call's deadline and the backend's reply cap, or says why it could not.

mod body;
mod coding;
mod connect;
mod fetch;
pub mod grpc;
mod http1;
mod http2;
mod instance;
mod media;
pub mod names;
mod network;
mod probe;
mod proxy;
mod reply;
mod rest;

use std::sync::Arc;
use std::time::Duration;

use http::Response;
use tokio::time::Instant;

use crate::base::call::{Call, Reply, Request};
use crate::base::failure::{Cause, Failure};
use crate::base::room::Room;
use crate::observe::drift::Doubt;
use crate::plan::Plan;
use crate::plan::contract::Operation;

pub use body::RequestBody;
pub use connect::Reach;
pub(crate) use connect::connect;
pub use fetch::Fetched;
pub use instance::Instance;
pub use network::{Dial, Network};
pub use reply::{ReplyBody, ReplyError};

/// What is known of backends beside where they are: how they are spoken to.
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
    max_reply: u64,
    /// Where its replies have their room from.
    room: Arc<Room>,
    /// Whether it says itself what its replies hold.
    is_reflected: bool,
}

impl Backend {
    /// How much of a reply is read.
    fn cap(&self) -> body::Cap<'_> {
        body::Cap { max: self.max_reply, room: &self.room }
    }
}

/// The terms of one attempt.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// When the reply is of no use any more.
    pub until: Instant,
    /// Whether the call may be made twice, also where its method does not say so.
    pub is_repeatable: bool,
    /// Attempts of the call before this one.
    pub previous: u32,
}

impl Transport {
    /// For a plan's backends, whose replies have their room from `room`; `doubt` is told of those that contradict what their
    /// backend says of itself.
    pub fn new(plan: &Plan, room: &Arc<Room>, doubt: Doubt) -> Self {
        let backend = |backend: &crate::plan::Backend| Backend {
            name: backend.to_string().into(),
            max_reply: backend.max_reply,
            room: room.clone(),
            is_reflected: backend.is_reflected,
        };
        Self {
            doubt,
            backends: plan.backends.iter().map(backend).collect(),
            methods: grpc::methods(&plan.methods),
            operations: plan.operations.clone(),
        }
    }

    /// Sends a call to one of its backend's addresses and reads its reply to the end.
    ///
    /// # Errors
    /// No connection, the deadline, a reply that is cut short, too large or invalid, a message that
    /// does not fit its proto. A status that is not success is a reply, not an error.
    pub async fn send(&self, instance: &Instance, call: &Call, terms: Terms) -> Result<Reply, Failure> {
        let backend = &self.backends[call.backend.index()];
        let work = async {
            match &call.request {
                Request::Rest(rest) => {
                    let operation = rest.operation.map(|id| &*self.operations[id.index()]);
                    rest::send((backend, instance, operation), rest, (&call.headers, terms)).await
                }
                Request::Grpc { method, message, take } => {
                    let Terms { until: deadline, previous, .. } = terms;
                    let head = grpc::Head { headers: &call.headers, deadline, previous };
                    let asked = grpc::Asked { method: &self.methods[method.index()], message, take: *take };
                    // Boxed, or every REST call would have room for one over HTTP/2.
                    let sent = Box::pin(grpc::send((backend, instance), head, asked)).await;
                    if backend.is_reflected && grpc::contradicts(&sent) {
                        self.doubt.raise();
                    }
                    sent
                }
            }
        };
        let outcome = match tokio::time::timeout_at(terms.until, work).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::new(Cause::Timeout, "no reply within the deadline")),
        };
        outcome.map_err(|failure| failure.at(&backend.name))
    }

    /// Sends a client's request on as it is and hands back the reply before its body was read.
    ///
    /// # Errors
    /// No connection, or no reply head before the deadline.
    pub async fn forward(&self, instance: &Instance, passage: proxy::Passage) -> Result<Response<ReplyBody>, Failure> {
        let backend = &self.backends[passage.backend.index()];
        proxy::forward(instance, passage).await.map_err(|failure| failure.at(&backend.name))
    }
}

pub use proxy::Passage;

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

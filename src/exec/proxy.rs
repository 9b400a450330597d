//! Endpoints that pass requests through.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use http::{Request, Response};
use hyper::body::Incoming;

use super::client::ClientRequest;
use super::env::{BUDGET, Env};
use super::run::NOTHING;
use super::{Live, render};
use crate::base::failure::Failure;
use crate::base::value::Value;
use crate::expr::Failures;
use crate::plan::Proxy;
use crate::transport::{Passage, RequestBody};

/// Sends a client's request on, with the declared path and header fields.
///
/// # Errors
/// A path that cannot be rendered, no connection, no reply head before the deadline.
pub async fn forward(
    live: &Live,
    proxy: &Proxy,
    (client, mut request): (&ClientRequest, Request<RequestBody>),
    deadline: Instant,
) -> Result<Response<Incoming>, Failure> {
    let target = {
        let (budget, leaves) = (Cell::new(BUDGET), RefCell::default());
        let env = Env::bare(client, &proxy.sources, (&budget, &leaves));
        let mut target = match &proxy.path {
            Some(parts) => render::path(parts, &env)?,
            None => client.path.clone(),
        };
        if !client.query.raw.is_empty() {
            target.push('?');
            target.push_str(&client.query.raw);
        }
        for (name, value) in &proxy.headers {
            request.headers_mut().remove(name);
            let Some(value) = value else { continue };
            let value = env.eval(&value.node)?;
            if !matches!(value, Value::Null | Value::Optional(None)) {
                request.headers_mut().insert(name.clone(), render::header_value(name, &value)?);
            }
        }
        target
    };
    live.transport.forward(Passage { backend: proxy.backend, target, request, deadline }).await
}

impl<'r> Env<'r> {
    /// What expressions read that stand outside any composition: the request and its arguments.
    pub(super) fn bare(
        client: &'r ClientRequest,
        sources: &'r [crate::plan::Source],
        (budget, leaves): (&'r Cell<u32>, &'r RefCell<Failures>),
    ) -> Self {
        Self {
            request: client,
            sources,
            args: &client.args,
            budget,
            leaves,
            frame: None,
            reply: None,
            reply_body: &NOTHING,
            keys: &NOTHING,
            item: None,
            row: None,
        }
    }
}

/// Computes an expression that stands outside every composition: the default of an argument.
///
/// # Errors
/// The expression fails.
pub fn constant(
    client: &ClientRequest,
    node: &crate::expr::Node,
    room: (&Cell<u32>, &RefCell<Failures>),
) -> Result<crate::base::value::Held, Failure> {
    Env::bare(client, &[], room).keep(node)
}

//! Endpoints that pass requests through.

use std::cell::RefCell;
use std::sync::Arc;

use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Request, Response};
use tokio::time::Instant;

use super::choose::{choose, hashed};
use super::client::ClientRequest;
use super::env::Env;
use super::run::NOTHING;
use super::{Live, pairs, render};
use crate::base::failure::Failure;
use crate::base::value::Held;
use crate::call::{Passed, PassedBody, Passing};
use crate::expr::{Budget, Failures, Node};
use crate::plan::{Proxy, ProxyTarget, Source};
use crate::transport::{Passage, RequestBody};

/// Sends a client's request on, with the declared path and header fields.
///
/// # Errors
/// A path that cannot be rendered, no connection, no reply head before the deadline.
pub async fn forward(
    live: &Arc<Live>,
    proxy: &Proxy,
    (mut client, body): (ClientRequest, RequestBody),
    deadline: Instant,
) -> Result<Response<PassedBody>, Failure> {
    let Rendered { at, target, affinity, changes } = rendered(live, proxy, &client)?;
    let is_hurried = client.patience.is_some();
    let anchor = at.sticky.as_ref().map(|sticky| client.anchor(sticky));
    let mut request = Request::new(body);
    *request.method_mut() = client.head.method.clone();
    *request.headers_mut() = std::mem::take(&mut client.head.headers);
    let cached = proxy.is_cached.then(|| changes.iter().map(|(name, _)| name.clone()).collect());
    for (name, value) in changes {
        match value {
            Some(value) => drop(request.headers_mut().insert(name, value)),
            None => drop(request.headers_mut().remove(name)),
        }
    }
    let passage = Passage { backend: at.backend, target, request, deadline, is_hurried, affinity, anchor };
    let Passed { mut response, refresh } =
        live.calls.forward(Passing { passage, policies: at.policies, cached }).await?;
    if let Some(refresh) = refresh {
        let live = live.clone();
        // Nobody waits for it, and nothing is lost when the gateway ends before it does.
        drop(tokio::spawn(async move { live.calls.refresh(refresh).await }));
    }
    client.tell_anchors(response.headers_mut());
    Ok(response)
}

/// Where a request goes, and what is different there.
struct Rendered<'p> {
    at: &'p ProxyTarget,
    target: PathAndQuery,
    affinity: Option<u64>,
    /// Header fields that are set, or removed for `None`.
    changes: Vec<(HeaderName, Option<HeaderValue>)>,
}

fn rendered<'p>(live: &Live, proxy: &'p Proxy, client: &ClientRequest) -> Result<Rendered<'p>, Failure> {
    let (budget, leaves) = (Budget::default(), RefCell::default());
    let env = Env::bare(client, &proxy.sources, (&budget, &leaves));
    let mut target = match &proxy.path {
        Some(parts) => render::path(parts, &env)?,
        None => client.path().to_owned(),
    };
    if let Some(query) = client.head.uri.query() {
        target.push('?');
        target.push_str(query);
    }
    let at = &proxy.targets.list[choose(&proxy.targets, &env, &live.turns)?];
    let affinity = at.affinity.as_ref().map_or(Ok(None), |by| hashed(by, &env))?;
    let target = render::target(target)?;
    let mut changes = Vec::new();
    pairs::each(&proxy.headers, &env, &mut |name, value| {
        let value = (!render::is_absent(value)).then(|| render::header_value(name, value)).transpose()?;
        changes.push((name.clone(), value));
        Ok(())
    })?;
    Ok(Rendered { at, target, affinity, changes })
}

impl<'r> Env<'r> {
    /// What expressions read that stand outside any composition: the request and its arguments.
    pub(super) fn bare(
        client: &'r ClientRequest,
        sources: &'r [Source],
        (budget, leaves): (&'r Budget, &'r RefCell<Failures>),
    ) -> Self {
        Self {
            request: client,
            sources,
            args: &client.args,
            budget,
            leaves,
            drift: None,
            frame: None,
            reply: None,
            reply_body: &NOTHING,
            keys: &NOTHING,
            item: None,
            row: None,
            repeated: None,
        }
    }
}

/// Computes an expression that stands outside every composition: the default of an argument.
///
/// # Errors
/// The expression fails.
pub fn computed(client: &ClientRequest, (node, sources): (&Node, &[Source])) -> Result<Held, Failure> {
    Env::bare(client, sources, (&Budget::default(), &RefCell::default())).keep(node)
}

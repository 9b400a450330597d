//! Passing a client's request through: bodies stream both ways with back-pressure.

use std::borrow::Cow;
use std::sync::Arc;

use http::header::{
    CONNECTION, HOST, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::uri::PathAndQuery;
use http::{HeaderMap, Request, Response};
use tokio::time::Instant;

use super::instance::{Directed, Instance, TIMEOUT};
use super::{ReplyBody, RequestBody, remaining};
use crate::base::anchor::Anchor;
use crate::base::failure::{Cause, Failure};
use crate::base::id::BackendId;

/// A client's request on its way through.
#[derive(Debug)]
pub struct Passage {
    /// Where to.
    pub backend: BackendId,
    /// Percent-encoded path and query.
    pub target: PathAndQuery,
    /// Method, header fields and body; hop-by-hop fields are taken out on the way.
    pub request: Request<RequestBody>,
    /// When the reply's head must have come.
    pub deadline: Instant,
    /// Whether that is sooner than the composition says, because the client does not wait as long.
    pub is_hurried: bool,
    /// Requests that agree in this go to the same address.
    pub affinity: Option<u64>,
    /// Where those of one client stay.
    pub anchor: Option<Arc<Anchor>>,
}

/// Sends the request on and hands back the reply before its body was read.
pub(super) async fn forward(instance: &Instance, passage: Passage) -> Result<Response<ReplyBody>, Failure> {
    let (head, body) = passage.request.into_parts();
    let mut headers = head.headers;
    strip_hop_by_hop(&mut headers);
    headers.remove(HOST);
    headers.remove(TIMEOUT);
    let directed = Directed {
        is_repeatable: head.method.is_idempotent(),
        method: head.method,
        target: instance.target(&passage.target)?,
        headers: Cow::Owned(headers),
        usual: &[],
        body,
        timeout: remaining(passage.deadline),
    };
    let exchange = instance.send(directed);
    let Ok(response) = tokio::time::timeout_at(passage.deadline, exchange).await else {
        return Err(Failure::new(Cause::Timeout, "no reply within the deadline"));
    };
    let mut response = Response::from(response?);
    strip_hop_by_hop(response.headers_mut());
    Ok(response)
}

/// Takes out the fields that concern one connection only (RFC 9110 section 7.6.1), those that
/// `Connection` names among them.
fn strip_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        let named: Vec<HeaderName> = headers
            .get_all(CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|name| name.trim().parse().ok())
            .collect();
        for name in named {
            headers.remove(name);
        }
    }
    let always = [CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];
    for name in always {
        headers.remove(name);
    }
    headers.remove("keep-alive");
    headers.remove("proxy-connection");
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::strip_hop_by_hop;

    #[test]
    fn fields_of_one_connection_do_not_pass() {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("connection", "close, x-private"), ("x-private", "1"), ("te", "trailers"), ("x-kept", "2")]
        {
            headers.insert(name, HeaderValue::from_static(value));
        }
        strip_hop_by_hop(&mut headers);
        assert_eq!(headers.keys().map(|name| name.as_str()).collect::<Vec<_>>(), ["x-kept"]);
    }
}

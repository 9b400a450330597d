//! The HTTP/1.1 client: exchanges over the kept connections of one address.
//!
//! A library's pooled client serves every address through one pool behind one lock, and hands each
//! connection through a channel. Here an address has a shelf of connections of its own. A transport is
//! one worker's, so that a connection is used by the thread that drives it. `docs/DESIGN.md` says why.

mod reply;
mod shelf;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use http::header::HOST;
use http::{HeaderValue, Request, Response, Uri, uri};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;

use super::{RequestBody, connect, words};
use crate::base::failure::{Cause, Failure};
use crate::plan::Address;

pub use reply::ReplyBody;
use shelf::{Lease, Shelf};

/// Calls that one address serves at the same time for one worker. A call beyond it waits for a
/// connection within its own deadline: without an end, one slow backend would take all file
/// descriptors of the process.
const CONNECTIONS: usize = 512;
/// Idle connections are closed before backends with short keep-alive times close them under a call.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// A connection on which a request can be sent.
type Connection = SendRequest<RequestBody>;

/// One address with its connections.
#[derive(Debug)]
pub(super) struct Client {
    authority: uri::Authority,
    /// The authority as the `Host` field says it.
    host: HeaderValue,
    shelf: Arc<Shelf>,
}

impl Client {
    /// Connections are opened when first needed.
    pub(super) fn new(address: &Address) -> Self {
        Self::with_limits(address, CONNECTIONS, IDLE_TIMEOUT)
    }

    fn with_limits(address: &Address, connections: usize, idle_timeout: Duration) -> Self {
        Self {
            authority: address.authority.clone(),
            // An authority holds visible ASCII only (RFC 3986 section 3.2).
            host: HeaderValue::from_str(address.authority.as_str()).unwrap_or(HeaderValue::from_static("")),
            shelf: Arc::new(Shelf::new(connections, idle_timeout)),
        }
    }

    /// Sends a request to `target` and hands back the reply's head, with a body that is still to be read.
    ///
    /// A request that a kept connection could not take, because the backend had closed it, goes out on
    /// another one; one that was sent in part does not.
    ///
    /// # Errors
    /// No connection, one that breaks before the reply's head, or a head that is not HTTP.
    pub(super) async fn send(
        &self,
        target: uri::PathAndQuery,
        mut request: Request<RequestBody>,
    ) -> Result<Response<ReplyBody>, Failure> {
        *request.uri_mut() = Uri::from(target);
        request.headers_mut().entry(HOST).or_insert_with(|| self.host.clone());
        let permit = self.shelf.permit().await;
        loop {
            let (mut connection, kept) = match self.shelf.take().await {
                Some(connection) => (connection, true),
                None => (self.connect().await?, false),
            };
            match connection.try_send_request(request).await {
                Ok(response) => {
                    let lease = Lease::new(connection, &self.shelf, permit);
                    return Ok(response.map(|body| ReplyBody::new(body, lease)));
                }
                Err(mut error) => match error.take_message() {
                    Some(unsent) if kept => request = unsent,
                    _ => return Err(exchange_failure(&error.into_error())),
                },
            }
        }
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        let failed = |error: &dyn std::error::Error| Failure::new(Cause::ConnectFailed, words(error));
        let stream = connect::connect(&self.authority).await.map_err(|error| failed(&error))?;
        let (connection, driver) = handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
        tokio::spawn(async move {
            // What breaks the connection is told to whoever waits for a reply on it.
            let _ = driver.await;
        });
        Ok(connection)
    }
}

/// What a failed exchange means. The words name the error, never the client's content.
fn exchange_failure(error: &hyper::Error) -> Failure {
    let cause = if error.is_parse() || error.is_parse_too_large() { Cause::BadReply } else { Cause::ConnectFailed };
    Failure::new(cause, words(error))
}

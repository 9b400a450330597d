//! The HTTP/1.1 client: exchanges over the kept connections of one address.
//!
//! A library's client gives each connection a task, buffers and a channel, and serves every address through one pool
//! behind one lock. Here an address has a shelf of connections of its own, and whoever waits for a reply drives the
//! connection that carries it. A transport is one worker's, so that a connection is used by one thread.
//! `docs/DESIGN.md` says why.

mod connection;
mod framing;
mod head;
mod reply;
mod shelf;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue, Method};
use http_body::Body as _;

use super::connect::{HTTP1, Reach, Stream, connect};
use super::instance::Directed;
use super::reply::Answer;
use super::{RequestBody, words};
use crate::base::attempt::Event;
use crate::base::failure::{Cause, Failure};
use connection::{Broken, Connection, Outgoing};
use framing::Framing;
use head::{RequestFields, RequestHead};
pub(super) use reply::ReplyBody;
use shelf::{Lease, Shelf};

/// Calls that one address serves at the same time for one worker. A call beyond it waits for a
/// connection within its own deadline: without an end, one slow backend would take all file
/// descriptors of the process.
const CONNECTIONS: usize = 512;
/// Idle connections are closed before backends with short keep-alive times close them under a call.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// One address with its connections.
#[derive(Debug)]
pub(super) struct Client {
    reach: Reach,
    /// Its authority as the `Host` field says it.
    host: HeaderValue,
    shelf: Arc<Shelf>,
}

impl Client {
    /// Connections are opened when first needed.
    pub(super) fn new(reach: &Reach) -> Self {
        Self::with_limits(reach, CONNECTIONS, IDLE_TIMEOUT)
    }

    fn with_limits(reach: &Reach, connections: usize, idle_timeout: Duration) -> Self {
        Self {
            reach: reach.clone(),
            // An authority holds visible ASCII only (RFC 3986 section 3.2).
            host: HeaderValue::from_str(reach.address.authority.as_str()).unwrap_or(HeaderValue::from_static("")),
            shelf: Arc::new(Shelf::new(connections, idle_timeout)),
        }
    }

    /// Takes a connection on which HTTP/1.1 was agreed into use.
    pub(super) fn adopt(&self, stream: Stream) {
        self.shelf.keep(Connection::new(stream));
    }

    /// Sends a request and hands back the reply's head, with a body that is still to be read.
    ///
    /// A kept connection may end just when the request goes out. If nothing of a reply had come and the request may be
    /// sent twice (RFC 9110, section 9.2.2), it goes out once more, on a new connection.
    ///
    /// # Errors
    /// No connection, one that breaks before the reply's head, or a head that is not HTTP.
    pub(super) async fn send(&self, directed: Directed<'_>) -> Result<Answer, Failure> {
        let Directed { method, target, headers, usual, body, timeout, is_repeatable } = directed;
        let framing = framing((&method, &headers), &body);
        let fields = RequestFields { headers: &headers, usual, host: &self.host, timeout };
        let head = RequestHead { method: &method, target: &target, fields, body: framing }.write();
        let outgoing = Outgoing::new(head, body, framing);
        let permit = self.shelf.permit().await;
        let (mut connection, again) = match self.shelf.take() {
            Some(connection) => (connection, outgoing.again().filter(|_| is_repeatable)),
            None => (self.connect().await?, None),
        };
        let mut answer = connection.exchange(&method, outgoing).await;
        if let (Err(Broken::Unanswered(_)), Some(outgoing)) = (&answer, again) {
            connection = self.connect().await?;
            answer = connection.exchange(&method, outgoing).await;
        }
        let head = answer.map_err(Failure::from)?;
        let lease = Lease::new(connection, &self.shelf, permit);
        let body = super::ReplyBody::Http1(ReplyBody::new(head.framing, lease, head.is_kept));
        Ok(Answer { status: head.status, fields: head.fields, body })
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        // Boxed, or every call would have room for a handshake.
        Box::pin(connect(&self.reach, &[HTTP1])).await.map(Connection::new)
    }
}

/// How the body of a request is framed. A request without one says so where its method usually has one, or servers wait
/// for it (RFC 9110, section 8.6), and where the client said so.
fn framing((method, headers): (&Method, &HeaderMap), body: &RequestBody) -> Option<Framing> {
    match body.size_hint().exact() {
        Some(0) => {
            let is_usual = matches!(*method, Method::POST | Method::PUT | Method::PATCH);
            (is_usual || headers.contains_key(CONTENT_LENGTH)).then_some(Framing::Length(0))
        }
        Some(length) => Some(Framing::Length(length)),
        None => Some(Framing::chunked()),
    }
}

/// What a failed exchange means. The words name the error, never the client's content.
impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Unanswered(error) | Broken::CutShort(error) => {
                Self::new(Cause::ConnectFailed, words(&error)).with_event(Event::Reset)
            }
            Broken::NotHttp(why) => Self::new(Cause::BadReply, why),
        }
    }
}

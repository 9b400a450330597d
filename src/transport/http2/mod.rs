//! The HTTP/2 client: calls to one address over one connection, and over further ones when it is full.
//!
//! A backend that says goodbye (GOAWAY) finishes the calls that it took and is asked no more on that connection; what it
//! did not take goes out again on another. `docs/DESIGN.md` says why this is not a library's pool.

mod connection;
mod pool;
mod reply;
#[cfg(test)]
mod tests;
mod upload;

use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use h2::{Reason, client};
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, Version, uri};
use http_body::Body as _;
use tokio_util::task::AbortOnDropHandle;

use super::connect::{Reach, Stream};
use super::{RequestBody, words};
use crate::base::attempt::Event;
use crate::base::failure::{Cause, Failure};

use pool::{Lease, Pool};
pub(super) use reply::ReplyBody;

/// How often one call is sent at most when backends do not take it: each time it is certain that nobody worked on it.
const TRIES: usize = 10;
/// How often a call is sent that a backend refused by name (REFUSED_STREAM): it may be overloaded.
const REFUSALS: usize = 2;

/// One address with its connections.
#[derive(Debug)]
pub(super) struct Client {
    scheme: uri::Scheme,
    authority: uri::Authority,
    pool: Arc<Pool>,
}

/// The task that sends a body as it comes; it ends with the call.
type Upload = AbortOnDropHandle<()>;

/// Why there is no reply.
#[derive(Debug)]
pub(super) enum Broken {
    /// The backend ended the call with this code.
    Reset(Reason),
    /// Anything else.
    Failed(Failure),
}

/// A request as it is sent, perhaps more than once.
struct Sending {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    payload: Payload,
}

/// The body of a request that may have to be sent again.
enum Payload {
    /// Bytes, which can.
    Whole(Bytes),
    /// What streams, which cannot once it has begun.
    Streamed(Option<RequestBody>),
}

impl Client {
    /// Connections are opened when first needed.
    pub(super) fn new(reach: &Reach) -> Self {
        let address = &reach.address;
        let scheme = if address.tls.is_some() { uri::Scheme::HTTPS } else { uri::Scheme::HTTP };
        Self { scheme, authority: address.authority.clone(), pool: Arc::new(Pool::new(reach)) }
    }

    /// Takes a connection on which HTTP/2 was agreed into use.
    ///
    /// # Errors
    /// It breaks at once.
    pub(super) async fn adopt(&self, stream: Stream) -> Result<(), Failure> {
        self.pool.adopt(stream).await
    }

    /// Sends a request to `target` and hands back the reply's head, with a body that is still to be read.
    ///
    /// # Errors
    /// No connection, one that breaks before the reply's head, or the backend's own word that it gives the call up.
    pub(super) async fn send(
        &self,
        target: uri::PathAndQuery,
        request: Request<RequestBody>,
    ) -> Result<Response<ReplyBody>, Broken> {
        let mut sending = self.sending(target, request)?;
        let mut refusals = 0;
        for _ in 0..TRIES {
            let lease = Pool::lease(&self.pool).await?;
            let Some((response, upload)) = begin(&lease, &mut sending).await else {
                lease.retire();
                continue;
            };
            match response.await {
                Ok(response) => {
                    let expected = length(response.headers());
                    return Ok(response.map(|body| ReplyBody::new(body, expected, (lease.answered(), upload))));
                }
                // A body that streams is gone with the first attempt.
                Err(error) if matches!(sending.payload, Payload::Streamed(_)) => return Err(Broken::of(&error)),
                Err(error) if error.is_remote() && error.is_go_away() => lease.answered().retire(),
                Err(error) if error.is_remote() && error.reason() == Some(Reason::REFUSED_STREAM) => {
                    refusals += 1;
                    drop(lease.answered());
                    if refusals == REFUSALS {
                        return Err(Broken::of(&error));
                    }
                }
                Err(error) => return Err(Broken::of(&error)),
            }
        }
        Err(Failure::new(Cause::ConnectFailed, "no connection took the call").with_event(Event::Unsent).into())
    }

    /// The request as HTTP/2 says it: what HTTP/1.1 says as `Host` is part of its target.
    fn sending(&self, target: uri::PathAndQuery, request: Request<RequestBody>) -> Result<Sending, Failure> {
        let (head, body) = request.into_parts();
        let mut headers = head.headers;
        let declared = headers.remove(HOST).and_then(|host| uri::Authority::try_from(host.as_bytes()).ok());
        let mut parts = uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(declared.unwrap_or_else(|| self.authority.clone()));
        parts.path_and_query = Some(target);
        let uri = Uri::from_parts(parts)
            .map_err(|error| Failure::new(Cause::Internal, format!("cannot form the target: {error}")))?;
        if let Some(length) = body.size_hint().exact().filter(|length| *length > 0) {
            headers.entry(CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(length));
        }
        let payload = match body {
            RequestBody::Whole(bytes) => Payload::Whole(bytes.unwrap_or_default()),
            streamed if streamed.is_end_stream() => Payload::Whole(Bytes::new()),
            streamed => Payload::Streamed(Some(streamed)),
        };
        Ok(Sending { method: head.method, uri, headers, payload })
    }
}

/// Sends the request on a connection; `None` if the connection takes no more requests.
async fn begin(lease: &Lease, sending: &mut Sending) -> Option<(client::ResponseFuture, Option<Upload>)> {
    let mut sender = lease.sender();
    poll_fn(|context| sender.poll_ready(context)).await.ok()?;
    let is_end = matches!(&sending.payload, Payload::Whole(bytes) if bytes.is_empty());
    let Ok((response, mut stream)) = sender.send_request(sending.head(), is_end) else { return None };
    let upload = match &mut sending.payload {
        Payload::Whole(bytes) => {
            if !is_end {
                // The library keeps what the backend's window does not take yet. An error is one of the stream, which
                // whoever waits for the response is told.
                let _ = stream.send_data(bytes.clone(), true);
            }
            None
        }
        Payload::Streamed(body) => {
            let upload = body.take().map(|body| tokio::spawn(upload::stream(body, stream)));
            upload.map(AbortOnDropHandle::new)
        }
    };
    Some((response, upload))
}

/// The length of a body, if its headers say it.
fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl Sending {
    fn head(&self) -> Request<()> {
        let mut head = Request::new(());
        *head.method_mut() = self.method.clone();
        *head.uri_mut() = self.uri.clone();
        *head.version_mut() = Version::HTTP_2;
        *head.headers_mut() = self.headers.clone();
        head
    }
}

/// The code with which the backend ended a call, if it did.
pub(super) fn reset(error: &h2::Error) -> Option<Reason> {
    error.reason().filter(|_| error.is_reset() && error.is_remote())
}

impl Broken {
    /// What an error of a call's stream means.
    fn of(error: &h2::Error) -> Self {
        match (reset(error), error.reason()) {
            (Some(reason), _) => Self::Reset(reason),
            // What the library ends by itself is a reply that breaks the rules of HTTP/2.
            (None, Some(_)) if error.is_library() => Self::Failed(Failure::new(Cause::BadReply, words(error))),
            _ => Self::Failed(Failure::new(Cause::ConnectFailed, words(error)).with_event(Event::Reset)),
        }
    }

    /// The failure of a call whose protocol has no word of its own for it.
    pub(super) fn failure(self) -> Failure {
        match self {
            Self::Reset(reason) => {
                let event = if reason == Reason::REFUSED_STREAM { Event::Unsent } else { Event::Reset };
                let why = format!("the backend gave the call up: {}", reason.description());
                Failure::new(Cause::ConnectFailed, why).with_event(event)
            }
            Self::Failed(failure) => failure,
        }
    }
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

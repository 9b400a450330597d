//! One request and its answer, for the logs: the line that every request leaves in the access log.
//!
//! It is written when the answer has been handed over: at once where it is whole, behind its last byte where it is
//! streamed, and when it is dropped where its client left.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Response, Version};
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use super::listen::{AnswerBody, BoxError, Peer, Refused};
use crate::base::failure::{Cause, Failure, Fault};
use crate::observe::access::{AccessRecord, access, access_enabled};
use crate::policy::overload::Place;

/// What the log says of one request.
#[must_use]
#[derive(Debug)]
pub(super) struct Exchange {
    /// The request's id.
    pub(super) id: HeaderValue,
    /// What is known of the request; `None` once it was logged, or when it is not to be.
    record: Option<Record>,
    /// The endpoint's path, once it is known.
    pub(super) route: Option<Arc<str>>,
    /// The code of the failure that made the answer, or broke it off.
    pub(super) cause: Option<String>,
    /// What the answer had to do without.
    pub(super) partial: Option<HeaderValue>,
    /// Its place among the requests under way, held until its answer was handed over.
    pub(super) place: Option<Place>,
    /// The status of the answer, once there is one.
    status: Option<u16>,
    /// Bytes of the answer's body that were handed over.
    bytes_out: u64,
}

#[derive(Debug)]
struct Record {
    started: Instant,
    method: Method,
    path: String,
    version: Version,
    peer: Peer,
}

impl Exchange {
    /// Begins with the head of a request.
    pub(super) fn begin(head: &Parts, id: &HeaderValue, peer: Peer) -> Self {
        let record = access_enabled().then(|| Record {
            started: Instant::now(),
            method: head.method.clone(),
            path: head.uri.path().to_owned(),
            version: head.version,
            peer,
        });
        Self {
            id: id.clone(),
            record,
            route: None,
            cause: None,
            partial: None,
            place: None,
            status: None,
            bytes_out: 0,
        }
    }

    /// Notes why the answer is a failure, or breaks off.
    pub(super) fn failed(&mut self, failure: &Failure) {
        // One line for each request of a flood would only feed it: they are counted.
        if failure.cause.fault() != Fault::Client && failure.cause != Cause::Overloaded {
            let id = self.id.to_str().unwrap_or_default();
            tracing::warn!(request_id = id, code = failure.code(), log = &*failure.log, "a request failed");
        }
        self.cause = Some(failure.code().to_owned());
    }

    /// The answer as it goes out: what is streamed is watched to its end.
    pub(super) fn answer(mut self, response: Response<AnswerBody>) -> Response<AnswerBody> {
        self.status = Some(response.status().as_u16());
        match response.body().whole() {
            Some(length) => {
                self.bytes_out = length as u64;
                self.log();
                response
            }
            None => response.map(|body| AnswerBody::stream(Watched { body, exchange: self })),
        }
    }

    fn log(&mut self) {
        let Some(record) = self.record.take() else { return };
        access(&AccessRecord {
            request_id: self.id.to_str().unwrap_or_default(),
            method: record.method.as_str(),
            path: &record.path,
            route: self.route.as_deref(),
            version: version_text(record.version),
            status: self.status.unwrap_or_default(),
            duration: record.started.elapsed(),
            bytes_out: self.bytes_out,
            client: record.peer.address,
            cause: self.cause.as_deref(),
            partial: self.partial.as_ref().and_then(|partial| partial.to_str().ok()),
        });
    }
}

/// Nobody waits for the answer any more, or for its rest.
impl Drop for Exchange {
    fn drop(&mut self) {
        if self.record.is_some() {
            let cause = if std::thread::panicking() { Cause::Internal } else { Cause::ClientLeft };
            self.cause.get_or_insert_with(|| cause.code().to_owned());
            self.status.get_or_insert_with(|| cause.status());
            self.log();
        }
    }
}

/// Logs a request that the listener refused, as far as it could be read.
pub(super) fn log_refused(refused: &Refused<'_>, id: &HeaderValue, peer: Peer) {
    let Some(method) = refused.method.filter(|_| access_enabled()) else { return };
    access(&AccessRecord {
        request_id: id.to_str().unwrap_or_default(),
        method,
        path: refused.path,
        route: None,
        version: version_text(refused.version),
        status: refused.refusal.cause.status(),
        duration: Duration::ZERO,
        bytes_out: refused.length(id) as u64,
        client: peer.address,
        cause: Some(refused.refusal.cause.code()),
        partial: None,
    });
}

fn version_text(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        _ => "1.1",
    }
}

/// The body of a streamed answer.
#[derive(Debug)]
struct Watched {
    body: AnswerBody,
    exchange: Exchange,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => self.exchange.bytes_out += frame.data_ref().map_or(0, Bytes::len) as u64,
            Some(Err(error)) => {
                self.exchange.failed(&Failure::new(Cause::BadReply, format!("the reply broke off: {error}")));
                self.exchange.log();
            }
            None => self.exchange.log(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body of known length is not asked again behind its last byte.
impl Drop for Watched {
    fn drop(&mut self) {
        if self.body.is_end_stream() {
            self.exchange.log();
        }
    }
}

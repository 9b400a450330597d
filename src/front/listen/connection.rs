//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, Version};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use super::body::{AnswerBody, RequestBody};
use super::drain::Drain;
use super::exchange::{Exchanges, OpenBody};
use super::http2::check_http2;
use super::io::{ClientStream, Notes};
use super::limits::Limits;
use super::refusal::{Refusal, Refused};
use super::socket::{self, Halves, ReadHalf, Socket};
use super::strict::Protocol;
use super::{Handler, Peer};
use crate::plan::ServerTls;

/// How long what a client still sends is read and dropped after an answer that it has to see first: closing a
/// socket with unread bytes resets the connection and may destroy the answer.
const LINGER: Duration = Duration::from_secs(2);

/// Bytes of a request that the HTTP/1 parser buffers beside its head.
const PARSER_BUFFER: usize = 32 << 10;

/// What a connection is served with.
#[derive(Debug)]
pub(super) struct Connection<H> {
    pub(super) handler: H,
    pub(super) peer: Peer,
    pub(super) limits: Arc<Limits>,
    /// Whether there is a place for it.
    pub(super) admission: Admission,
    /// TLS, if clients speak it.
    pub(super) tls: Option<ServerTls>,
    pub(super) drain: Drain,
    pub(super) exchanges: Arc<Exchanges>,
}

/// Whether requests are handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// They are.
    Served,
    /// All hear that there are too many connections.
    Refused,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By its client, by a limit, or with its last answer.
    Closed,
    /// By the shutdown, whatever was open.
    Aborted,
}

impl<H: Handler> Connection<H> {
    /// Serves both directions to their end.
    pub(super) async fn serve(self, halves: Halves) -> End {
        let connection = Arc::new(self);
        let closing = async {
            connection.drain.closing().await;
            connection.exchanges.close();
            connection.drain.aborted().await;
        };
        tokio::select! {
            biased;
            () = connection.clone().converse(halves) => End::Closed,
            () = closing => End::Aborted,
        }
    }

    async fn converse(self: Arc<Self>, halves: Halves) {
        let read = halves.read.clone();
        let secured = match &self.tls {
            None => Some(Socket::Left(halves)),
            Some(tls) => socket::secure(tls, halves, self.limits.header_read).await,
        };
        let Some(socket) = secured else { return };
        let mut stream = ClientStream::new(socket, self.exchanges.clone(), self.limits.clone(), self.clone());
        match stream.protocol().await {
            Some(Protocol::Http1) => self.clone().converse_http1(stream, &read).await,
            // Boxed, or every connection would have room for HTTP/2.
            Some(Protocol::Http2) => Box::pin(self.clone().converse_http2(stream)).await,
            None => drop(stream),
        }
        if self.exchanges.is_cut() {
            let _ = tokio::time::timeout(LINGER, read.discard()).await;
        }
    }

    async fn converse_http1(self: Arc<Self>, stream: ClientStream, read: &ReadHalf) {
        let exchanges = self.exchanges.clone();
        let head = self.limits.target + self.limits.header_block;
        let service = service_fn(|request| self.clone().answer(request));
        let conversation = http1::Builder::new()
            .header_read_timeout(None)
            .max_buf_size(head + PARSER_BUFFER)
            .serve_connection(TokioIo::new(stream), service);
        tokio::select! {
            biased;
            result = conversation => log(self.peer, result),
            () = left(read, &exchanges) => {
                tracing::debug!(connection = self.peer.connection, "the client left during a request");
            }
        }
    }

    async fn converse_http2(self: Arc<Self>, stream: ClientStream) {
        let limits = &self.limits.http2;
        let conversation = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.concurrent_streams)
            .initial_stream_window_size(limits.stream_window)
            .initial_connection_window_size(limits.connection_window)
            .max_header_list_size(limits.header_list)
            .max_pending_accept_reset_streams(limits.pending_resets)
            .max_local_error_reset_streams(limits.error_resets)
            .max_send_buf_size(limits.send_buffer)
            .keep_alive_interval(limits.ping)
            .keep_alive_timeout(limits.ping)
            .serve_connection(TokioIo::new(stream), service_fn(|request| self.clone().answer(request)));
        let mut conversation = pin!(conversation);
        tokio::select! {
            biased;
            result = &mut conversation => return log(self.peer, result),
            () = self.abused() => return,
            () = self.worn_out() => {}
            () = self.drain.closing() => {}
            () = self.exchanges.idle(self.limits.keep_alive_idle) => {}
        }
        conversation.as_mut().graceful_shutdown();
        log(self.peer, conversation.await);
    }

    /// Ready when the client makes work and takes it back. Asked whenever the connection's task runs.
    async fn abused(&self) {
        poll_fn(|_| if self.exchanges.is_abused() { Poll::Ready(()) } else { Poll::Pending }).await;
        tracing::warn!(client = %self.peer.address, "connection closed: its client resets most requests at once");
    }

    /// Ready when the connection had all its requests. Asked whenever the connection's task runs.
    async fn worn_out(&self) {
        poll_fn(|_| if self.is_worn_out() { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    fn is_worn_out(&self) -> bool {
        self.exchanges.begun() >= self.limits.requests_per_connection
    }

    /// Answers one request. The exchange is open from here to the end of the answer's body.
    fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<OpenBody>, Infallible>> + Send + 'static {
        let open = self.exchanges.begin();
        async move {
            let is_http2 = request.version() == Version::HTTP_2;
            let mut response = self.handle(request).await;
            let is_last = self.drain.is_announced() || self.is_worn_out();
            // Requests that were sent ahead are here already: they are answered before the connection closes.
            if !is_http2 && is_last && !self.exchanges.is_held() {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response.map(|body| open.answer(body)))
        }
    }

    async fn handle(&self, request: Request<Incoming>) -> Response<AnswerBody> {
        let refusal = match (self.admission, request.version()) {
            (Admission::Refused, _) => Some(Refusal::TOO_MANY_CONNECTIONS),
            (Admission::Served, Version::HTTP_2) => check_http2(&request, &self.limits).err(),
            (Admission::Served, _) => None,
        };
        if let Some(refusal) = refusal {
            let refused = Refused {
                refusal,
                method: Some(request.method().as_str()),
                path: request.uri().path(),
                version: request.version(),
            };
            return refusal.response(Notes::refused(self, &refused));
        }
        let (head, body) = request.into_parts();
        let body = RequestBody::new(&head.headers, body, &self.limits);
        let request = Request::from_parts(head, body);
        // A fault in one handler must not end the other requests of its connection.
        let handled = AssertUnwindSafe(self.handler.handle(request, self.peer)).catch_unwind().await;
        handled.unwrap_or_else(|_| {
            tracing::error!(connection = self.peer.connection, "a handler panicked");
            // The handler took note of the request when it was dropped; the client gets an id to ask about.
            let (refusal, version) = (Refusal::INTERNAL, Version::HTTP_11);
            refusal.response(Notes::refused(self, &Refused { refusal, method: None, path: "", version }))
        })
    }
}

impl<H: Handler> Notes for Connection<H> {
    fn refused(&self, refused: &Refused<'_>) -> HeaderValue {
        let Refusal { cause, detail } = refused.refusal;
        tracing::debug!(code = cause.code(), detail, "request refused");
        self.handler.refused(refused, self.peer)
    }
}

fn log(peer: Peer, result: hyper::Result<()>) {
    if let Err(error) = result {
        tracing::debug!(connection = peer.connection, %error, "connection ended");
    }
}

/// Ready when the client has closed its side while an exchange is open. The HTTP/1 parser sees that only where
/// it reads, and it does not read while a body waits for its handler; the kernel tells it at any time.
async fn left(read: &ReadHalf, exchanges: &Exchanges) {
    read.closed().await;
    poll_fn(|_| if exchanges.is_open() { Poll::Ready(()) } else { Poll::Pending }).await;
}

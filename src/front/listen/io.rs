//! The socket as the HTTP parser sees it: only bytes that [`Strict`] lets pass, within the time limits.
//!
//! Heads are collected and pass as a whole; bodies go from the socket straight into the parser's buffer. While
//! an exchange is open, bytes of the next request are held back, so a request that is refused never harms the
//! one before it, and the end of the connection is seen even behind requests that were sent ahead.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::HeaderValue;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Duration, Instant};

use super::deadline::Deadline;
use super::exchange::Exchanges;
use super::limits::Limits;
use super::refusal::{Refusal, Refused};
use super::socket::{self, Socket};
use super::strict::{Protocol, Strict};

/// Bytes read at once while a head is collected. Most heads fit.
const READ_SIZE: usize = 4 << 10;

thread_local! {
    /// What the connections of a thread read heads into; each keeps only what came.
    static HEADS: RefCell<Box<[u8; READ_SIZE]>> = RefCell::new(Box::new([0; READ_SIZE]));
}

/// How long a new connection may take to begin its first request once the listener is closed: its bytes may be
/// under way.
const LAST_CALL: Duration = Duration::from_secs(1);

/// Takes note of requests that are refused before they are parsed, and names them.
pub(super) trait Notes: Send + Sync {
    /// The id of the refused request.
    fn refused(&self, refused: &Refused<'_>) -> HeaderValue;
}

/// A client's connection between socket and HTTP parser.
pub(super) struct ClientStream {
    socket: Socket,
    strict: Strict,
    /// Bytes that came and were not handed over.
    buffer: BytesMut,
    /// How many of the first bytes of `buffer` may be handed over.
    passed: usize,
    /// When the rest of the head in `buffer` was first waited for.
    head_begun: Option<Instant>,
    /// Nothing more is handed over.
    is_ended: bool,
    /// What is left of the answer to a refused request.
    farewell: Bytes,
    exchanges: Arc<Exchanges>,
    limits: Arc<Limits>,
    notes: Arc<dyn Notes>,
    read_deadline: Deadline,
    /// Since when the socket takes no bytes.
    stalled: Option<Instant>,
    write_deadline: Deadline,
}

impl ClientStream {
    pub(super) fn new(socket: Socket, exchanges: Arc<Exchanges>, limits: Arc<Limits>, notes: Arc<dyn Notes>) -> Self {
        Self {
            socket,
            strict: Strict::new(limits.clone()),
            buffer: BytesMut::new(),
            passed: 0,
            head_begun: None,
            is_ended: false,
            farewell: Bytes::new(),
            exchanges,
            limits,
            notes,
            read_deadline: Deadline::default(),
            stalled: None,
            write_deadline: Deadline::default(),
        }
    }

    /// Reads until the protocol is known. `None` when the connection ended before or brought nothing in time.
    pub(super) async fn protocol(&mut self) -> Option<Protocol> {
        poll_fn(|context| {
            loop {
                if let Some(protocol) = self.strict.recognise(&self.buffer) {
                    return Poll::Ready(Some(protocol));
                }
                if !matches!(ready!(self.poll_more(context)), Ok(1..)) {
                    return Poll::Ready(None);
                }
            }
        })
        .await
    }

    /// Reads more bytes into `buffer`. Zero is the end of what is to be handed over: the client's end, or a
    /// time limit, or the end of the listener.
    fn poll_more(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let is_holding = self.is_holding();
        self.exchanges.hold(is_holding && !self.buffer.is_empty());
        self.exchanges.wake_reader(context);
        if is_holding && self.buffer.len() >= READ_SIZE {
            return Poll::Pending;
        }
        let polled = HEADS.with_borrow_mut(|heads| {
            let length = ready!(socket::poll_read_into(&mut self.socket, context, &mut heads.as_mut_slice()))?;
            self.buffer.extend_from_slice(&heads[..length]);
            Poll::Ready(Ok(length))
        });
        if polled.is_ready() {
            self.exchanges.hold(is_holding && !self.buffer.is_empty());
            return polled;
        }
        self.poll_expired(context).map(|()| Ok(0))
    }

    /// Whether bytes of a further request are here and must wait for the open exchange.
    fn is_holding(&self) -> bool {
        self.strict.is_at_head() && self.exchanges.is_open()
    }

    /// Ready when the client has kept the connection waiting for too long.
    fn poll_expired(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !self.strict.is_at_head() {
            // A body is waited for by whoever reads it.
            return Poll::Pending;
        }
        if self.exchanges.is_open() {
            // The timer must be armed when the exchange ends: nobody asks again before the idle time is over.
            let _ = self.read_deadline.poll(context, Instant::now() + self.limits.keep_alive_idle);
            return Poll::Pending;
        }
        let is_empty = self.buffer.is_empty();
        let (ended, closing) = (self.exchanges.ended(), self.exchanges.closing());
        let at = if !is_empty {
            (*self.head_begun.get_or_insert_with(Instant::now)).max(ended) + self.limits.header_read
        } else if self.exchanges.begun() == 0 {
            let at = self.exchanges.accepted() + self.limits.header_read;
            closing.map_or(at, |closing| at.min(closing + LAST_CALL))
        } else if closing.is_some() {
            return Poll::Ready(());
        } else {
            ended + self.limits.keep_alive_idle
        };
        ready!(self.read_deadline.poll(context, at));
        if !is_empty {
            self.refuse(Refusal::HEAD_TOO_SLOW);
        }
        Poll::Ready(())
    }

    /// Ends the connection with an answer of its own.
    fn refuse(&mut self, refusal: Refusal) {
        let refused = Refused::of_head(refusal, &self.buffer);
        self.farewell = refused.bytes(&self.notes.refused(&refused));
        self.is_ended = true;
        self.exchanges.cut();
    }

    /// Lets the strict layer judge what is in the buffer. A refused head ends the connection in good order;
    /// a refused body is an error, which its reader answers.
    fn judge(&mut self) -> io::Result<()> {
        let is_head = self.strict.is_at_head();
        match self.strict.accept(&self.buffer) {
            Ok(passed) => {
                self.passed = passed;
                Ok(())
            }
            Err(refusal) if is_head => {
                self.refuse(refusal);
                Ok(())
            }
            Err(refusal) => {
                self.exchanges.cut();
                self.is_ended = true;
                Err(io::Error::new(io::ErrorKind::InvalidData, refusal.detail))
            }
        }
    }

    /// Hands over what may be, as far as `out` takes it.
    fn hand_over(&mut self, out: &mut ReadBuf<'_>) {
        let length = self.passed.min(out.remaining());
        out.put_slice(&self.buffer[..length]);
        self.buffer.advance(length);
        self.passed -= length;
        self.head_begun = None;
        if self.buffer.is_empty() {
            // A connection that waits for its next request needs none.
            self.buffer = BytesMut::new();
        }
    }

    /// Takes note of whether the socket took bytes. An error when it took none for too long.
    fn check_stall<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let since = *self.stalled.get_or_insert_with(Instant::now);
        ready!(self.write_deadline.poll(context, since + self.limits.write_stall));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.passed > 0 {
                self.hand_over(out);
                return Poll::Ready(Ok(()));
            }
            if self.is_ended {
                return Poll::Ready(Ok(()));
            }
            let opaque = self.strict.opaque();
            if opaque > 0 && self.buffer.is_empty() {
                let mut limited = BufMut::limit(&mut *out, usize::try_from(opaque).unwrap_or(usize::MAX));
                let length = ready!(socket::poll_read_into(&mut self.socket, context, &mut limited))?;
                self.strict.pass(length as u64);
                return Poll::Ready(Ok(()));
            }
            if !self.buffer.is_empty() && !self.is_holding() {
                self.judge()?;
                if self.passed > 0 || self.is_ended {
                    continue;
                }
            }
            if ready!(self.poll_more(context))? == 0 {
                self.is_ended = true;
            }
        }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.check_stall(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, slices);
        self.check_stall(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.socket).poll_flush(context);
        self.check_stall(context, flushed)
    }

    /// Writes the answer to a refused request, behind everything that was due before it, and ends the stream.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let me = &mut *self;
        while !me.farewell.is_empty() {
            let written = Pin::new(&mut me.socket).poll_write(context, &me.farewell);
            let length = ready!(me.check_stall(context, written))?;
            me.farewell.advance(length);
        }
        if !me.buffer.is_empty() || me.strict.is_in_body() {
            me.exchanges.cut();
        }
        let ended = Pin::new(&mut me.socket).poll_shutdown(context);
        me.check_stall(context, ended)
    }
}

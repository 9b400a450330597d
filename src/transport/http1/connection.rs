//! One connection: a request goes out, a reply comes in, both driven by whoever waits for the reply.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use http::Method;
use http_body::Body as _;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

use super::framing::Framing;
use super::head::{self, ReplyHead};
use crate::transport::RequestBody;
use crate::transport::connect::Stream;

/// Bytes read from a socket at once.
const READ: usize = 64 << 10;
/// A body up to this size is sent in one piece with its head.
const TOGETHER: usize = 16 << 10;

thread_local! {
    /// What a thread reads into. A connection keeps only what was not taken at once, so that thousands of them
    /// need no buffers of their own.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into());
}

/// A connection, with what it knows of the exchange that it carries.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    /// Bytes that were read and not taken yet.
    read: Bytes,
    outgoing: Outgoing,
}

/// A request on its way out.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// To be written first.
    head: Bytes,
    /// To be written behind that.
    content: Bytes,
    /// Where more content comes from, until its end.
    source: Option<(RequestBody, Framing)>,
    state: State,
}

#[derive(Debug, Default)]
enum State {
    Sending,
    /// Everything is written.
    #[default]
    Sent,
    /// The error that ended it. The reply may be here nevertheless: a backend that refuses a body answers and closes.
    Broken(io::Error),
    /// The body broke off where it comes from. The backend waits for the rest of it, and no reply is waited for.
    Cut(io::Error),
}

/// Why a request was not sent to its end.
enum Unsent {
    /// The connection takes no more.
    Refused(io::Error),
    /// There is no more.
    Cut(io::Error),
}

impl From<io::Error> for Unsent {
    fn from(error: io::Error) -> Self {
        Self::Refused(error)
    }
}

/// Why there is no head of a reply.
#[derive(Debug)]
pub(super) enum Broken {
    /// The connection ended, or could not be used any more, before anything of a reply had come.
    Unanswered(io::Error),
    /// It ended within the head.
    CutShort(io::Error),
    /// What came is no reply.
    NotHttp(String),
}

impl Connection {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, read: Bytes::new(), outgoing: Outgoing::default() }
    }

    /// Whether another exchange can begin: nothing is on its way, and the backend has not closed.
    pub(super) fn is_ready(&mut self) -> bool {
        let is_silent = self.poll_more(&mut Context::from_waker(Waker::noop())).is_pending();
        is_silent && self.is_idle()
    }

    /// Whether the last exchange is over on both sides.
    pub(super) fn is_idle(&self) -> bool {
        self.read.is_empty() && matches!(self.outgoing.state, State::Sent)
    }

    /// Sends a request with `method` and waits for the head of its reply. The rest of a body that is still being sent
    /// then goes out while the reply's is read.
    pub(super) async fn exchange(&mut self, method: &Method, request: Outgoing) -> Result<ReplyHead, Broken> {
        self.outgoing = request;
        std::future::poll_fn(|context| {
            self.drive(context);
            self.poll_head(context, method)
        })
        .await
    }

    fn poll_head(&mut self, context: &mut Context<'_>, method: &Method) -> Poll<Result<ReplyHead, Broken>> {
        if let Some(error) = self.outgoing.cut() {
            return Poll::Ready(Err(Broken::CutShort(error)));
        }
        loop {
            if !self.read.is_empty()
                && let Some(head) = head::take(&mut self.read, method).map_err(Broken::NotHttp)?
            {
                return Poll::Ready(Ok(head));
            }
            let error = match ready!(self.poll_more(context)) {
                Ok(1..) => continue,
                Ok(0) => io::Error::new(io::ErrorKind::UnexpectedEof, "the backend closed the connection"),
                Err(error) => error,
            };
            // What kept the request from going out says more than the end of the connection.
            let error = match std::mem::take(&mut self.outgoing.state) {
                State::Broken(earlier) | State::Cut(earlier) => earlier,
                State::Sending | State::Sent => error,
            };
            return Poll::Ready(Err(match self.read.is_empty() {
                true => Broken::Unanswered(error),
                false => Broken::CutShort(error),
            }));
        }
    }

    /// The next piece of the reply's body, `None` at its end.
    pub(super) fn poll_body(
        &mut self,
        context: &mut Context<'_>,
        framing: &mut Framing,
    ) -> Poll<Option<io::Result<Bytes>>> {
        self.drive(context);
        if let Some(error) = self.outgoing.cut() {
            return Poll::Ready(Some(Err(error)));
        }
        let invalid = |words| io::Error::new(io::ErrorKind::InvalidData, words);
        loop {
            if let Some(content) = framing.take(&mut self.read).map_err(invalid)? {
                return Poll::Ready(Some(Ok(content)));
            }
            if framing.is_done() {
                return Poll::Ready(None);
            }
            if ready!(self.poll_more(context))? == 0 {
                let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "the reply was cut short");
                return Poll::Ready((*framing != Framing::UntilClose).then(|| Err(cut())));
            }
        }
    }

    /// Reads more bytes behind those that are there. Zero is the end.
    fn poll_more(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        BUFFER.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
            let more = buffer.filled();
            if self.read.is_empty() {
                self.read = Bytes::copy_from_slice(more);
            } else {
                let mut joined = BytesMut::with_capacity(self.read.len() + more.len());
                joined.extend_from_slice(&self.read);
                joined.extend_from_slice(more);
                self.read = joined.freeze();
            }
            Poll::Ready(Ok(more.len()))
        })
    }

    /// Writes what can be written of the request now. An error ends the sending and is kept.
    fn drive(&mut self, context: &mut Context<'_>) {
        if !matches!(self.outgoing.state, State::Sending) {
            return;
        }
        match self.outgoing.poll_write(context, &mut self.stream) {
            Poll::Ready(Ok(())) => self.outgoing.state = State::Sent,
            Poll::Ready(Err(unsent)) => {
                let state = match unsent {
                    Unsent::Refused(error) => State::Broken(error),
                    Unsent::Cut(error) => State::Cut(error),
                };
                self.outgoing = Outgoing { state, ..Outgoing::default() };
            }
            Poll::Pending => {}
        }
    }
}

impl Outgoing {
    /// A request with its head as it is written, and its body, framed as the head says.
    pub(super) fn new(mut head: Vec<u8>, body: RequestBody, framing: Option<Framing>) -> Self {
        let state = State::Sending;
        match (body, framing) {
            (RequestBody::Whole(whole), _) => {
                let mut content = whole.unwrap_or_default();
                if content.len() <= TOGETHER {
                    head.extend_from_slice(&content);
                    content.clear();
                }
                Self { head: head.into(), content, source: None, state }
            }
            (body, framing) => {
                let source = framing.map(|framing| (body, framing));
                Self { head: head.into(), content: Bytes::new(), source, state }
            }
        }
    }

    /// The same request once more, unless its body can only be had once.
    pub(super) fn again(&self) -> Option<Self> {
        let (head, content) = (self.head.clone(), self.content.clone());
        self.source.is_none().then_some(Self { head, content, source: None, state: State::Sending })
    }

    /// The error with which the body broke off, if it did.
    fn cut(&mut self) -> Option<io::Error> {
        match std::mem::take(&mut self.state) {
            State::Cut(error) => Some(error),
            other => {
                self.state = other;
                None
            }
        }
    }

    fn poll_write(&mut self, context: &mut Context<'_>, stream: &mut Stream) -> Poll<Result<(), Unsent>> {
        loop {
            while !(self.head.is_empty() && self.content.is_empty()) {
                let slices = [IoSlice::new(&self.head), IoSlice::new(&self.content)];
                let written = match self.content.is_empty() {
                    true => ready!(Pin::new(&mut *stream).poll_write(context, &self.head))?,
                    false => ready!(Pin::new(&mut *stream).poll_write_vectored(context, &slices))?,
                };
                if written == 0 {
                    return Poll::Ready(Err(io::Error::from(io::ErrorKind::WriteZero).into()));
                }
                let of_head = written.min(self.head.len());
                self.head.advance(of_head);
                self.content.advance(written - of_head);
            }
            if self.source.is_none() {
                return Pin::new(stream).poll_flush(context).map_err(Unsent::Refused);
            }
            // What TLS still holds goes out while more is waited for.
            if let Poll::Ready(flushed) = Pin::new(&mut *stream).poll_flush(context) {
                flushed?;
            }
            ready!(self.poll_source(context)).map_err(Unsent::Cut)?;
        }
    }

    /// Takes the next piece of a streamed body, framed as it must be.
    fn poll_source(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some((body, framing)) = &mut self.source else { return Poll::Ready(Ok(())) };
        let next = match ready!(Pin::new(body).poll_frame(context)) {
            Some(Ok(frame)) => frame.into_data().ok(),
            Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
            None => {
                let end: &[u8] = match framing {
                    Framing::Length(0) => b"",
                    Framing::Length(_) => return Poll::Ready(Err(io::Error::other("the request was cut short"))),
                    _ => b"0\r\n\r\n",
                };
                self.head = Bytes::from_static(end);
                self.source = None;
                return Poll::Ready(Ok(()));
            }
        };
        let Some(content) = next.filter(|content| !content.is_empty()) else { return Poll::Ready(Ok(())) };
        match framing {
            Framing::Length(left) => {
                let Some(rest) = left.checked_sub(content.len() as u64) else {
                    return Poll::Ready(Err(io::Error::other("the request is longer than it said")));
                };
                *left = rest;
                self.content = content;
            }
            _ => {
                let mut chunk = format!("{:x}\r\n", content.len()).into_bytes();
                chunk.extend_from_slice(&content);
                chunk.extend_from_slice(b"\r\n");
                self.head = chunk.into();
            }
        }
        Poll::Ready(Ok(()))
    }
}

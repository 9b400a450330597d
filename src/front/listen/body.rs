//! The bodies that pass the listener: what handlers answer with, and what they read.

use std::error::Error;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::deadline::Deadline;
use super::limits::Limits;
use crate::base::failure::{Cause, Failure};
use crate::base::room::{Full, Room, Taken};

/// Any error that a streamed answer may break off with.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The body of an answer. Whole bytes cost no allocation; only a stream is boxed.
pub struct AnswerBody {
    kind: Kind,
}

enum Kind {
    /// The bytes that were not handed over yet.
    Full(Bytes),
    Stream(Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>),
}

impl AnswerBody {
    /// No body.
    pub fn empty() -> Self {
        Self::from(Bytes::new())
    }

    /// The length of a body that is whole; `None` for a stream.
    pub fn whole(&self) -> Option<usize> {
        match &self.kind {
            Kind::Full(bytes) => Some(bytes.len()),
            Kind::Stream(_) => None,
        }
    }

    /// A body that is sent as it comes. An error breaks the connection (HTTP/1) or resets the stream (HTTP/2).
    pub fn stream(body: impl Body<Data = Bytes, Error = BoxError> + Send + 'static) -> Self {
        Self { kind: Kind::Stream(Box::pin(body)) }
    }
}

impl AnswerBody {
    /// The bytes of a body that is here as a whole.
    pub fn bytes(&self) -> Option<&Bytes> {
        match &self.kind {
            Kind::Full(bytes) => Some(bytes),
            Kind::Stream(_) => None,
        }
    }
}

impl From<Bytes> for AnswerBody {
    fn from(bytes: Bytes) -> Self {
        Self { kind: Kind::Full(bytes) }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.kind {
            Kind::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Kind::Stream(body) => body.as_mut().poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Full(bytes) => bytes.is_empty(),
            Kind::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Stream(body) => body.size_hint(),
        }
    }
}

impl fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Full(bytes) => write!(f, "AnswerBody({} bytes)", bytes.len()),
            Kind::Stream(_) => write!(f, "AnswerBody(stream)"),
        }
    }
}

/// The body of a request: it cannot outgrow its cap, and its client cannot be slow without end.
///
/// A client has patience to spend: [`Limits::body_idle`] at first. Keeping the reader waiting spends it, and
/// bytes earn it back at [`Limits::body_rate`]. Time during which the handler does not read costs nothing.
/// So one pause and a trickle have the same bound, over HTTP/1 and HTTP/2 alike.
#[derive(Debug)]
pub struct RequestBody {
    incoming: Incoming,
    /// Whether it is compressed, so that only whoever passes it on can do something with it.
    is_coded: bool,
    /// Bytes that may still come.
    left: u64,
    patience: Patience,
}

impl RequestBody {
    pub(super) fn new(headers: &HeaderMap, incoming: Incoming, limits: &Limits) -> Self {
        let is_coded = headers.get_all(CONTENT_ENCODING).iter().any(|coding| coding != "identity");
        Self { incoming, is_coded, left: u64::MAX, patience: Patience::new(limits) }
    }

    /// The same with a cap in bytes, for a handler that reads it as it comes.
    #[must_use]
    pub fn capped(mut self, cap: u64) -> Self {
        self.left = cap;
        self
    }

    /// The whole body, of at most `cap` bytes, for which room is taken as they come. A declared length over the cap is refused
    /// before any byte is read.
    ///
    /// # Errors
    /// See [`BodyError`]. The connection must not be expected to survive one.
    pub async fn read(self, cap: usize, (room, taken): (&Arc<Room>, &mut Taken)) -> Result<Bytes, BodyError> {
        if self.is_coded {
            return Err(BodyError::Coded);
        }
        if self.incoming.size_hint().lower() > cap as u64 {
            return Err(BodyError::TooLarge);
        }
        let mut body = self.capped(cap as u64);
        let Some(first) = body.next_bytes().await? else { return Ok(Bytes::new()) };
        taken.reach(room, first.len()).await?;
        let Some(second) = body.next_bytes().await? else { return Ok(first) };
        taken.reach(room, first.len() + second.len()).await?;
        let declared = body.incoming.size_hint().lower() as usize;
        let mut whole = BytesMut::with_capacity(first.len() + second.len() + declared);
        whole.extend_from_slice(&first);
        whole.extend_from_slice(&second);
        while let Some(bytes) = body.next_bytes().await? {
            taken.reach(room, whole.len() + bytes.len()).await?;
            whole.extend_from_slice(&bytes);
        }
        Ok(whole.freeze())
    }

    /// The next bytes; `None` at the end. Trailers are dropped.
    async fn next_bytes(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            let frame = std::future::poll_fn(|context| Pin::new(&mut *self).poll_frame(context)).await;
            let Some(frame) = frame.transpose()? else { return Ok(None) };
            if let Ok(bytes) = frame.into_data() {
                return Ok(Some(bytes));
            }
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(context) else {
            ready!(self.patience.poll(context));
            return Poll::Ready(Some(Err(BodyError::TooSlow)));
        };
        let Some(frame) = frame else { return Poll::Ready(None) };
        let frame = frame.map_err(BodyError::from_hyper)?;
        let length = frame.data_ref().map_or(0, Bytes::len);
        self.patience.restore(length);
        let Some(left) = self.left.checked_sub(length as u64) else {
            return Poll::Ready(Some(Err(BodyError::TooLarge)));
        };
        self.left = left;
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// How long a client may still keep the reader of its body waiting.
#[derive(Debug)]
struct Patience {
    left: Duration,
    most: Duration,
    bytes_per_second: u32,
    /// When the present wait began.
    waiting: Option<Instant>,
    deadline: Deadline,
}

impl Patience {
    fn new(limits: &Limits) -> Self {
        Self {
            left: limits.body_idle,
            most: limits.body_idle,
            bytes_per_second: limits.body_rate.max(1),
            waiting: None,
            deadline: Deadline::default(),
        }
    }

    /// Ready when the patience is spent.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let since = *self.waiting.get_or_insert_with(Instant::now);
        self.deadline.poll(context, since + self.left)
    }

    /// Bytes came: the wait is over, and they earn some patience back.
    fn restore(&mut self, bytes: usize) {
        let waited = self.waiting.take().map_or(Duration::ZERO, |since| since.elapsed());
        let earned = Duration::from_secs_f64(bytes as f64 / f64::from(self.bytes_per_second));
        self.left = (self.left.saturating_sub(waited) + earned).min(self.most);
    }
}

/// Why a request body could not be read.
#[derive(Clone, Debug)]
pub enum BodyError {
    /// It is compressed, and nothing here undoes that: 415.
    Coded,
    /// It is larger than the cap: 413.
    TooLarge,
    /// There is no room for it: 503.
    NoRoom(Full),
    /// The client was too slow: 408.
    TooSlow,
    /// Its framing is broken: 400.
    Malformed,
    /// The client left before its end. Nobody reads the answer.
    Left(Arc<hyper::Error>),
}

impl BodyError {
    /// The row of the table of failures.
    pub fn cause(&self) -> Cause {
        match self {
            Self::Coded => Cause::UnsupportedMediaType,
            Self::TooLarge => Cause::BodyTooLarge,
            Self::NoRoom(_) => Cause::Overloaded,
            Self::TooSlow => Cause::RequestTimeout,
            Self::Malformed => Cause::BadRequest,
            Self::Left(_) => Cause::ClientLeft,
        }
    }

    fn from_hyper(error: hyper::Error) -> Self {
        let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        if source.is_some_and(|source| source.kind() == io::ErrorKind::InvalidData) {
            return Self::Malformed;
        }
        Self::Left(Arc::new(error))
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Coded => f.write_str("the request body is compressed"),
            Self::TooLarge => f.write_str("the request body is larger than its cap"),
            Self::NoRoom(_) => f.write_str("there is no room for the request body"),
            Self::TooSlow => f.write_str("the client was too slow to send the request body"),
            Self::Malformed => f.write_str("the framing of the request body is broken"),
            Self::Left(error) => write!(f, "the request body broke off: {error}"),
        }
    }
}

impl Error for BodyError {}

impl From<Full> for BodyError {
    fn from(full: Full) -> Self {
        Self::NoRoom(full)
    }
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::NoRoom(full) => full.into(),
            BodyError::Coded => Self::told(error.cause(), "The request body must not be compressed."),
            _ => Self::new(error.cause(), error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use bytes::Bytes;
    use http_body::Body;
    use http_body_util::BodyExt;
    use tokio::time::{Instant, advance, timeout};

    use super::super::limits::Limits;
    use super::{AnswerBody, Patience};

    #[tokio::test]
    async fn whole_bytes_are_one_frame() {
        let body = AnswerBody::from(Bytes::from_static(b"hello"));
        assert_eq!(body.size_hint().exact(), Some(5));
        assert_eq!(body.collect().await.expect("no error").to_bytes(), "hello");
        assert!(AnswerBody::empty().is_end_stream());
    }

    /// After how many whole seconds a client is given up that sends `bytes` every second, up to a minute.
    async fn lasts(bytes: usize) -> u64 {
        let limits = Limits::default();
        let mut patience = Patience::new(&limits);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            let spent = poll_fn(|context| patience.poll(context));
            if timeout(Duration::from_secs(1), spent).await.is_ok() {
                break;
            }
            patience.restore(bytes);
        }
        begun.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickle_ends_like_a_pause_and_a_slow_line_does_not() {
        assert_eq!(lasts(1).await, 15);
        assert_eq!(lasts(512).await, 29);
        assert_eq!(lasts(1024).await, 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_ends_at_the_idle_time() {
        let mut patience = Patience::new(&Limits::default());
        let begun = Instant::now();
        poll_fn(|context| patience.poll(context)).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(15));
    }

    #[tokio::test(start_paused = true)]
    async fn time_without_a_reader_costs_nothing() {
        let mut patience = Patience::new(&Limits::default());
        patience.restore(10);
        advance(Duration::from_secs(100)).await;
        let begun = Instant::now();
        poll_fn(|context| patience.poll(context)).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(15));
    }
}

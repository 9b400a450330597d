//! What the parts of one connection know of each other: the socket's side, the handlers' side, and the task
//! that drives both.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, sleep};

use super::body::{AnswerBody, BoxError};

/// A request that its client gives up sooner than this after sending it counts as premature.
const PREMATURE: Duration = Duration::from_secs(1);

/// How many exchanges a connection may have before the share of premature ends is judged.
const JUDGED_AFTER: u64 = 500;

/// The exchanges (a request and its answer) of one connection.
#[derive(Debug)]
pub(super) struct Exchanges {
    accepted: Instant,
    /// Exchanges begun so far.
    begun: AtomicU64,
    /// Exchanges whose answer was not handed over to its end yet.
    open: AtomicUsize,
    /// Milliseconds from `accepted` to the last end of an exchange.
    ended: AtomicU64,
    /// Exchanges that the client gave up before an answer and within [`PREMATURE`].
    premature: AtomicU64,
    /// Since when no new exchange is to begin once the open ones have ended.
    closing: OnceLock<Instant>,
    /// The socket's side holds bytes of a further request back.
    is_held: AtomicBool,
    /// The connection ends while the client may still be sending.
    is_cut: AtomicBool,
    /// The task to wake when the socket's side may go on.
    reader: AtomicWaker,
}

impl Exchanges {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            accepted: Instant::now(),
            begun: AtomicU64::new(0),
            open: AtomicUsize::new(0),
            ended: AtomicU64::new(0),
            premature: AtomicU64::new(0),
            closing: OnceLock::new(),
            is_held: AtomicBool::new(false),
            is_cut: AtomicBool::new(false),
            reader: AtomicWaker::new(),
        })
    }

    /// Begins an exchange. It is open until the returned guard is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Open {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::AcqRel);
        Open { exchanges: self.clone(), begun: Instant::now(), is_answered: false }
    }

    pub(super) fn accepted(&self) -> Instant {
        self.accepted
    }

    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire) > 0
    }

    /// When the last exchange ended.
    pub(super) fn ended(&self) -> Instant {
        self.accepted + Duration::from_millis(self.ended.load(Ordering::Acquire))
    }

    /// Lets no new exchange begin unless its bytes are here already.
    pub(super) fn close(&self) {
        self.closing.get_or_init(Instant::now);
        self.reader.wake();
    }

    /// Since when the connection is to end with its open exchanges.
    pub(super) fn closing(&self) -> Option<Instant> {
        self.closing.get().copied()
    }

    /// Takes note of whether bytes of a further request wait for the open exchange to end.
    pub(super) fn hold(&self, is_held: bool) {
        self.is_held.store(is_held, Ordering::Release);
    }

    pub(super) fn is_held(&self) -> bool {
        self.is_held.load(Ordering::Acquire)
    }

    /// Wakes the task of `context` when the open exchange ends while bytes are held, and when closing begins.
    pub(super) fn wake_reader(&self, context: &Context<'_>) {
        self.reader.register(context.waker());
    }

    /// Takes note that the connection ends in the middle of what the client sends.
    pub(super) fn cut(&self) {
        self.is_cut.store(true, Ordering::Release);
    }

    pub(super) fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Acquire)
    }

    /// Waits until no exchange was open for `idle`.
    pub(super) async fn idle(&self, idle: Duration) {
        loop {
            let left = if self.is_open() { idle } else { idle.saturating_sub(self.ended().elapsed()) };
            if left.is_zero() {
                return;
            }
            sleep(left).await;
        }
    }

    /// Whether the client mostly takes requests back at once: it makes work and wants no answers (the rapid
    /// reset attack, CVE-2023-44487).
    pub(super) fn is_abused(&self) -> bool {
        let (begun, premature) = (self.begun(), self.premature.load(Ordering::Relaxed));
        begun >= JUDGED_AFTER && premature * 2 >= begun
    }

    fn end(&self, begun: Instant, is_answered: bool) {
        let now = Instant::now();
        if !is_answered && now - begun < PREMATURE {
            self.premature.fetch_add(1, Ordering::Relaxed);
        }
        self.ended.store((now - self.accepted).as_millis() as u64, Ordering::Release);
        self.open.fetch_sub(1, Ordering::AcqRel);
        // Without held bytes the socket itself wakes the task.
        if self.is_held() || self.closing().is_some() {
            self.reader.wake();
        }
    }
}

/// An open exchange. Dropping it ends the exchange, however that comes about.
#[derive(Debug)]
#[must_use]
pub(super) struct Open {
    exchanges: Arc<Exchanges>,
    begun: Instant,
    is_answered: bool,
}

impl Open {
    /// Takes note that the handler answered, and ties the end of the exchange to that of the answer's body.
    pub(super) fn answer(mut self, body: AnswerBody) -> OpenBody {
        self.is_answered = true;
        OpenBody { body, _open: self }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.exchanges.end(self.begun, self.is_answered);
    }
}

/// The body of an answer. The exchange is open until it is dropped.
#[derive(Debug)]
pub(super) struct OpenBody {
    body: AnswerBody,
    _open: Open,
}

impl Body for OpenBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

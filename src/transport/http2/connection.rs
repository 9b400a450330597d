//! One connection: what drives it, and how it ends.

use std::future::{Future as _, pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Weak;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{self, SendRequest};
use h2::{Ping, PingPong};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio::time::{sleep, timeout};

use super::super::connect::Stream;
use super::super::words;
use super::pool::Pool;
use crate::base::failure::{Cause, Failure};

/// Flow-control windows: the protocol's 64 KiB throttle large replies.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
/// Bytes of header fields of one reply.
const HEADER_LIST: u32 = 64 << 10;
/// Idle connections are closed before backends with short keep-alive times close them under a call.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// Stands for the number of calls that a backend takes at once while it is not known; no backend says it.
const UNKNOWN: usize = usize::MAX - 1;
/// How long a backend may take to say its settings.
const SETTINGS_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a backend that is suspected may take to answer a PING.
const PONG_TIMEOUT: Duration = Duration::from_secs(2);
/// The least time between PINGs: backends count more as an attack (gRFC A8).
const PING_PAUSE: Duration = Duration::from_secs(10);

/// A connection that takes calls.
#[derive(Debug)]
pub(super) struct Connection {
    sender: SendRequest<Bytes>,
    opened: Instant,
    /// Calls under way.
    calls: AtomicUsize,
    /// Milliseconds from `opened` to the last end of a call.
    rests_since: AtomicU64,
    /// Asked when a call was given up without a word from the backend: is it still there?
    suspicion: Arc<Notify>,
}

impl Connection {
    /// Begins HTTP/2 on a stream, and drives it until it ends; then it leaves the pool.
    ///
    /// # Errors
    /// The stream breaks at once, or the backend does not say its settings in time.
    pub(super) async fn begin(stream: Stream, pool: &Arc<Pool>) -> Result<Arc<Self>, Failure> {
        let begun = timeout(SETTINGS_TIMEOUT, Self::agree(stream)).await;
        let failed = |words: Arc<str>| Failure::new(Cause::ConnectFailed, words);
        let begun = begun.map_err(|_| failed("HTTP/2: the backend says no settings".into()))?;
        let (sender, driver) = begun.map_err(|error| failed(words(&error)))?;
        let suspicion = Arc::new(Notify::new());
        let connection = Arc::new(Self {
            sender,
            opened: Instant::now(),
            calls: AtomicUsize::new(0),
            rests_since: AtomicU64::new(0),
            suspicion: suspicion.clone(),
        });
        let kept = (Arc::downgrade(&connection), Arc::downgrade(pool));
        tokio::spawn(drive(driver, suspicion, kept));
        Ok(connection)
    }

    /// Begins HTTP/2 and waits for the backend's settings: how many calls it takes at once must be known before the
    /// first.
    async fn agree(stream: Stream) -> Result<(SendRequest<Bytes>, client::Connection<Stream, Bytes>), h2::Error> {
        let (sender, mut driver) = client::Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(HEADER_LIST)
            .enable_push(false)
            .initial_max_send_streams(UNKNOWN)
            .handshake(stream)
            .await?;
        poll_fn(|context| {
            let ended = Pin::new(&mut driver).poll(context)?;
            let is_known = sender.current_max_send_streams() != UNKNOWN;
            if ended.is_ready() || is_known { Poll::Ready(Ok::<_, h2::Error>(())) } else { Poll::Pending }
        })
        .await?;
        Ok((sender, driver))
    }

    /// A way to send one request.
    pub(super) fn sender(&self) -> SendRequest<Bytes> {
        self.sender.clone()
    }

    /// Takes a place for a call, if the backend takes as many at once.
    pub(super) fn take_place(&self) -> bool {
        // A backend that takes none at all is asked all the same: the call waits until it does.
        let most = self.sender.current_max_send_streams().max(1);
        let free = |calls: usize| (calls < most).then_some(calls + 1);
        self.calls.fetch_update(Ordering::AcqRel, Ordering::Acquire, free).is_ok()
    }

    /// Gives a place back.
    pub(super) fn give_back(&self) {
        self.rests_since.store(self.opened.elapsed().as_millis() as u64, Ordering::Release);
        self.calls.fetch_sub(1, Ordering::AcqRel);
    }

    /// Takes note of a call that was given up although the backend had said nothing.
    pub(super) fn suspect(&self) {
        self.suspicion.notify_one();
    }

    fn has_rested(&self) -> bool {
        let since = self.opened + Duration::from_millis(self.rests_since.load(Ordering::Acquire));
        self.calls.load(Ordering::Acquire) == 0 && since.elapsed() >= IDLE_TIMEOUT
    }
}

/// Drives a connection to its end: that of both sides, of its idle time, or of a backend that is not there any more.
async fn drive(
    mut driver: client::Connection<Stream, Bytes>,
    suspicion: Arc<Notify>,
    (connection, pool): (Weak<Connection>, Weak<Pool>),
) {
    let retire = || {
        if let (Some(connection), Some(pool)) = (connection.upgrade(), pool.upgrade()) {
            pool.retire(&connection);
        }
    };
    let pings = driver.ping_pong();
    let idle = async {
        while connection.upgrade().is_some_and(|connection| !connection.has_rested()) {
            // So that it rests an eighth too long at most.
            sleep(IDLE_TIMEOUT / 8).await;
        }
        retire();
        // The connection says goodbye by itself when nobody can use it any more.
        pending::<()>().await;
    };
    tokio::select! {
        ended = &mut driver => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection to a backend ended");
            }
        }
        () = gone(pings, &suspicion) => tracing::debug!("a connection is given up: its backend answers no PING"),
        () = idle => {}
    }
    retire();
}

/// Ready when the backend is suspected and does not answer.
async fn gone(pings: Option<PingPong>, suspicion: &Notify) {
    let Some(mut pings) = pings else { return pending().await };
    loop {
        suspicion.notified().await;
        if pings.send_ping(Ping::opaque()).is_err() {
            return pending().await;
        }
        if timeout(PONG_TIMEOUT, poll_fn(|context| pings.poll_pong(context))).await.is_err() {
            return;
        }
        sleep(PING_PAUSE).await;
    }
}

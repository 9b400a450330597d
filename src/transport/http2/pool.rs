//! The connections of one address: the first with a free place takes a call, and another is opened when none has one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use h2::client::SendRequest;
use tokio::sync::Notify;

use super::super::connect::{HTTP2, Reach, Stream, connect, speaks_http2};
use super::connection::Connection;
use crate::base::failure::{Cause, Failure};

/// Connections to one address for one worker. Calls beyond their places wait for one within their own deadlines.
const CONNECTIONS: usize = 10;

/// The connections of one address.
#[derive(Debug)]
pub(super) struct Pool {
    reach: Reach,
    kept: Mutex<Kept>,
    /// Told whenever a call ends.
    freed: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    connections: Vec<Arc<Connection>>,
    /// The one that is being opened: whoever needs it waits for the same.
    opening: Option<Opening>,
}

/// Ready when a connection was opened, or could not be. It goes on when a call that waits for it is given up.
type Opening = Shared<BoxFuture<'static, Result<(), Failure>>>;

/// The place of one call on a connection.
#[derive(Debug)]
pub(super) struct Lease {
    connection: Arc<Connection>,
    pool: Arc<Pool>,
    /// Whether the backend said anything about the call.
    is_answered: bool,
}

/// What a call that needs a place finds.
enum Found {
    Place(Arc<Connection>),
    Opening(Opening),
    /// All connections are full.
    Nothing,
}

impl Pool {
    pub(super) fn new(reach: &Reach) -> Self {
        Self { reach: reach.clone(), kept: Mutex::default(), freed: Notify::new() }
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// No connection could be opened.
    pub(super) async fn lease(this: &Arc<Self>) -> Result<Lease, Failure> {
        loop {
            // Made before the search, so that no place that becomes free after it is missed.
            let freed = this.freed.notified();
            match this.find() {
                Found::Place(connection) => {
                    return Ok(Lease { connection, pool: this.clone(), is_answered: false });
                }
                Found::Opening(opening) => opening.await?,
                Found::Nothing => freed.await,
            }
        }
    }

    /// Takes a connection on which HTTP/2 was agreed into use.
    ///
    /// # Errors
    /// It breaks at once, or the backend does not say its settings in time.
    pub(super) async fn adopt(self: &Arc<Self>, stream: Stream) -> Result<(), Failure> {
        let connection = Connection::begin(stream, self).await?;
        self.kept().connections.push(connection);
        Ok(())
    }

    /// Gives no more calls to a connection.
    pub(super) fn retire(&self, connection: &Arc<Connection>) {
        self.kept().connections.retain(|known| !Arc::ptr_eq(known, connection));
        // Whoever waits for a place on it has to look again, and to open another.
        self.freed.notify_waiters();
    }

    fn find(self: &Arc<Self>) -> Found {
        let mut kept = self.kept();
        if let Some(free) = kept.connections.iter().find(|connection| connection.take_place()) {
            return Found::Place(free.clone());
        }
        if let Some(opening) = &kept.opening {
            return Found::Opening(opening.clone());
        }
        if kept.connections.len() >= CONNECTIONS {
            return Found::Nothing;
        }
        let opened = tokio::spawn(open(self.clone()));
        let broke_off = |error| Failure::new(Cause::Internal, format!("connecting broke off: {error}"));
        let opening = opened.map(move |opened| opened.unwrap_or_else(|error| Err(broke_off(error)))).boxed().shared();
        kept.opening = Some(opening.clone());
        Found::Opening(opening)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a connection in a task of its own: a backend that takes longer to connect than a call may wait is connected to
/// all the same.
async fn open(pool: Arc<Pool>) -> Result<(), Failure> {
    let opened = match connect(&pool.reach, &[HTTP2]).await {
        Ok(stream) if speaks_http2(&stream) || pool.reach.address.tls.is_none() => pool.adopt(stream).await,
        Ok(_) => Err(Failure::new(Cause::ConnectFailed, "TLS: the backend does not speak HTTP/2")),
        Err(failure) => Err(failure),
    };
    pool.kept().opening = None;
    opened
}

impl Lease {
    /// A way to send the call.
    pub(super) fn sender(&self) -> SendRequest<Bytes> {
        self.connection.sender()
    }

    /// The same, when the backend said something.
    pub(super) fn answered(mut self) -> Self {
        self.is_answered = true;
        self
    }

    /// Takes the connection out of use, for it takes no more requests.
    pub(super) fn retire(self) {
        self.pool.retire(&self.connection);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.is_answered {
            self.connection.suspect();
        }
        self.connection.give_back();
        self.pool.freed.notify_one();
    }
}

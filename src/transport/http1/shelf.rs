//! Where the connections of one address are kept between calls.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::connection::Connection;

/// Kept connections, and how many there may be.
#[derive(Debug)]
pub(super) struct Shelf {
    kept: Mutex<Kept>,
    permits: Arc<Semaphore>,
    idle_timeout: Duration,
}

#[derive(Debug, Default)]
struct Kept {
    /// The one used last at the back, which is taken first: the others come to rest and are closed.
    connections: VecDeque<(Connection, Instant)>,
    /// The task that closes connections which have rested too long.
    sweeper: Option<JoinHandle<()>>,
}

/// A connection that is in use, with the right to use one.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) connection: Connection,
    shelf: Arc<Shelf>,
    /// Held until the connection rests again or is gone.
    _permit: OwnedSemaphorePermit,
}

impl Shelf {
    pub(super) fn new(connections: usize, idle_timeout: Duration) -> Self {
        Self { kept: Mutex::default(), permits: Arc::new(Semaphore::new(connections)), idle_timeout }
    }

    /// Waits for the right to use a connection.
    pub(super) async fn permit(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed")
    }

    /// A kept connection that still stands.
    pub(super) fn take(&self) -> Option<Connection> {
        loop {
            let (mut connection, since) = self.kept().connections.pop_back()?;
            if since.elapsed() < self.idle_timeout && connection.is_ready() {
                return Some(connection);
            }
        }
    }

    /// Puts a connection here for the next call.
    pub(super) fn keep(self: &Arc<Self>, connection: Connection) {
        let mut kept = self.kept();
        kept.connections.push_back((connection, Instant::now()));
        // One that ended with its runtime, and not by itself, is followed by another.
        if kept.sweeper.as_ref().is_none_or(JoinHandle::is_finished) {
            kept.sweeper = Some(tokio::spawn(sweep(Arc::clone(self))));
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// A connection of `shelf`, or a new one, in use with a permit of that shelf.
    pub(super) fn new(connection: Connection, shelf: &Arc<Shelf>, permit: OwnedSemaphorePermit) -> Self {
        Self { connection, shelf: Arc::clone(shelf), _permit: permit }
    }

    /// Puts the connection back for the next call.
    pub(super) fn give_back(self) {
        self.shelf.keep(self.connection);
    }
}

/// Closes connections that have rested too long, until none is left. None rests longer than an eighth too long.
async fn sweep(shelf: Arc<Shelf>) {
    loop {
        tokio::time::sleep(shelf.idle_timeout / 8).await;
        let mut kept = shelf.kept();
        while kept.connections.front().is_some_and(|(_, since)| since.elapsed() >= shelf.idle_timeout) {
            kept.connections.pop_front();
        }
        if kept.connections.is_empty() {
            kept.sweeper = None;
            return;
        }
    }
}

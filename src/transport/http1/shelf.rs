//! Where one thread keeps the connections of one address between calls.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Connection;

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
    /// Whether a task closes connections that have rested too long.
    swept: bool,
}

/// A connection that is in use, with the right to use one.
#[derive(Debug)]
pub(super) struct Lease {
    connection: Connection,
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
    pub(super) async fn take(&self) -> Option<Connection> {
        loop {
            let (mut connection, since) = self.kept().connections.pop_back()?;
            if since.elapsed() >= self.idle_timeout {
                continue;
            }
            // The last exchange may not be quite over on the connection's own side.
            if poll_fn(|cx| connection.poll_ready(cx)).await.is_ok() {
                return Some(connection);
            }
        }
    }

    fn keep(self: &Arc<Self>, connection: Connection) {
        if connection.is_closed() {
            return;
        }
        let mut kept = self.kept();
        kept.connections.push_back((connection, Instant::now()));
        if !kept.swept {
            kept.swept = true;
            tokio::spawn(Sweeper(Arc::clone(self)).run());
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

/// Closes connections that have rested too long, until none is left.
struct Sweeper(Arc<Shelf>);

impl Sweeper {
    async fn run(self) {
        loop {
            tokio::time::sleep(self.0.idle_timeout / 2).await;
            let mut kept = self.0.kept();
            while kept.connections.front().is_some_and(|(_, since)| since.elapsed() >= self.0.idle_timeout) {
                kept.connections.pop_front();
            }
            if kept.connections.is_empty() {
                return;
            }
        }
    }
}

impl Drop for Sweeper {
    /// Also when its runtime ends under it: the next connection that is kept starts another.
    fn drop(&mut self) {
        self.0.kept().swept = false;
    }
}

//! The accept loop: a place for every connection, patience with a process that is out of files, and nothing
//! left in the kernel's queue at the end.

use std::future::pending;
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connection::{Connection, End};
use super::drain::Drain;
use super::exchange::Exchanges;
use super::limits::Limits;
use super::{Drained, Handler, Listener, Peer, Worker};

/// The pause after a failure to accept, and the longest one after many in a row.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(200));

/// How many connections the kernel may have accepted ahead of us: what binding asks it for.
const BACKLOG: usize = 1024;

/// Accepts and serves until `drain` ends it. See [`Listener::run`].
pub(super) async fn run<H: Handler>(listener: Listener, workers: Vec<Worker<H>>, drain: Drain) -> Drained {
    let Listener { socket, limits, .. } = listener;
    let places = u32::try_from(limits.connections).unwrap_or(u32::MAX).max(1);
    let server = Server {
        workers,
        limits,
        drain,
        free: Arc::new(Semaphore::new(places as usize)),
        aborted: Arc::new(AtomicUsize::new(0)),
    };
    let mut closing = pin!(server.drain.closing());
    loop {
        tokio::select! {
            biased;
            () = &mut closing => break,
            (place, socket, address) = server.accept(&socket) => server.serve(place, socket, address),
        }
    }
    server.serve_queued(socket);
    // The only error is that of a closed semaphore, and nothing closes it.
    let _ = server.free.acquire_many(places).await;
    Drained { aborted: server.aborted.load(Ordering::Acquire) }
}

/// What serves the connections of one listener.
struct Server<H> {
    workers: Vec<Worker<H>>,
    limits: Arc<Limits>,
    drain: Drain,
    /// The places for connections that are not taken.
    free: Arc<Semaphore>,
    /// Connections that the shutdown aborted.
    aborted: Arc<AtomicUsize>,
}

impl<H: Handler> Server<H> {
    /// The next connection, once there is a place for it. Errors are waited out: they pass by themselves.
    async fn accept(&self, listener: &TcpListener) -> (OwnedSemaphorePermit, std::net::TcpStream, SocketAddr) {
        let Ok(place) = self.free.clone().acquire_owned().await else {
            // Nothing closes the semaphore; without places there is nothing to accept.
            return pending().await;
        };
        let mut pause = PAUSES.0;
        loop {
            match listener.accept().await {
                Ok((socket, address)) => match socket.into_std() {
                    Ok(socket) => return (place, socket, address),
                    Err(error) => tracing::debug!(%error, "a connection was lost at once"),
                },
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    if pause == PAUSES.0 {
                        tracing::warn!(%error, "connections cannot be accepted");
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
    }

    /// Serves what the kernel has accepted already, and closes the listener. The runtime may not know yet what
    /// is in the queue, so the kernel itself is asked.
    fn serve_queued(&self, listener: TcpListener) {
        let Ok(listener) = listener.into_std() else { return };
        for _ in 0..BACKLOG {
            let Ok(place) = self.free.clone().try_acquire_owned() else { return };
            let (socket, address) = match listener.accept() {
                Ok(accepted) => accepted,
                Err(error) if is_of_one_connection(&error) => continue,
                Err(_) => return,
            };
            if socket.set_nonblocking(true).is_ok() {
                self.serve(place, socket, address);
            }
        }
    }

    /// Serves one connection in a task of its own, on the worker that has the fewest. It keeps its place until
    /// its end.
    fn serve(&self, place: OwnedSemaphorePermit, socket: std::net::TcpStream, address: SocketAddr) {
        static CONNECTIONS: AtomicU64 = AtomicU64::new(1);
        let Some(worker) = self.workers.iter().min_by_key(|worker| worker.connections.load(Ordering::Relaxed)) else {
            return;
        };
        // This fails when the client has left already, which the first read will tell as well.
        let _ = socket.set_nodelay(true);
        let connection = Connection {
            handler: worker.handler.clone(),
            peer: Peer { address, connection: CONNECTIONS.fetch_add(1, Ordering::Relaxed) },
            limits: self.limits.clone(),
            tls: worker.handler.tls(),
            drain: self.drain.clone(),
            exchanges: Exchanges::new(),
        };
        let (aborted, connections) = (self.aborted.clone(), worker.connections.clone());
        connections.fetch_add(1, Ordering::Relaxed);
        worker.runtime.spawn(async move {
            // From here on the worker's own runtime watches the socket.
            if let Ok(socket) = TcpStream::from_std(socket)
                && connection.serve(socket).await == End::Aborted
            {
                aborted.fetch_add(1, Ordering::AcqRel);
            }
            connections.fetch_sub(1, Ordering::Relaxed);
            drop(place);
        });
    }
}

/// Whether a failed accept says nothing about the next one.
fn is_of_one_connection(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted)
}

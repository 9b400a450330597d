//! The accept loop: a place for every connection and a quick no to those beyond, patience with a process that is out of
//! files, and nothing left in the kernel's queue at the end.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::connection::{Admission, Connection, End};
use super::drain::Drain;
use super::exchange::Exchanges;
use super::limits::Limits;
use super::socket::Halves;
use super::{Drained, Handler, Listener, Peer, Worker};

/// The pause after a failure to accept, and the longest one after many in a row.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(200));

/// How many connections the kernel may have accepted ahead of us: what binding asks it for.
const BACKLOG: usize = 1024;

/// How long a connection that is refused may take to ask and to hear that.
const REFUSAL: Duration = Duration::from_secs(1);

/// The log says at most this often that connections are refused.
const TOLD: Duration = Duration::from_secs(10);

/// Accepts and serves until `drain` ends it. See [`Listener::run`].
pub(super) async fn run<H: Handler>(listener: Listener, workers: Vec<Worker<H>>, drain: Drain) -> Drained {
    let Listener { socket, limits, .. } = listener;
    let told = Arc::new(Limits { requests_per_connection: 1, ..Limits::clone(&limits) });
    let server = Server {
        workers,
        serving: Places::new(limits.connections.max(1), limits, Admission::Served),
        refusing: Places::new(told.refusals, told, Admission::Refused),
        drain,
        aborted: Arc::default(),
        refused: Mutex::default(),
    };
    let mut closing = pin!(server.drain.closing());
    loop {
        tokio::select! {
            biased;
            () = &mut closing => break,
            (socket, address) = accept(&socket) => server.take(socket, address),
        }
    }
    server.take_queued(socket);
    server.serving.all_free().await;
    server.refusing.all_free().await;
    Drained { aborted: server.aborted.load(Ordering::Acquire) }
}

/// What serves the connections of one listener.
struct Server<H> {
    workers: Vec<Worker<H>>,
    /// For as many as there may be.
    serving: Places,
    /// For those beyond, until they have heard that they are.
    refusing: Places,
    drain: Drain,
    /// Connections that the shutdown aborted.
    aborted: Arc<AtomicUsize>,
    /// Connections that were refused since the log said so last, and when that was.
    refused: Mutex<(u64, Option<Instant>)>,
}

/// Places for connections, and what holds for those that have one.
struct Places {
    free: Arc<Semaphore>,
    count: u32,
    limits: Arc<Limits>,
    admission: Admission,
}

impl Places {
    fn new(count: usize, limits: Arc<Limits>, admission: Admission) -> Self {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Self { free: Arc::new(Semaphore::new(count as usize)), count, limits, admission }
    }

    fn free(&self) -> Option<OwnedSemaphorePermit> {
        self.free.clone().try_acquire_owned().ok()
    }

    /// Waits until nobody has a place.
    async fn all_free(&self) {
        // The only error is that of a closed semaphore, and nothing closes it.
        let _ = self.free.acquire_many(self.count).await;
    }
}

/// The next connection. Errors are waited out: they pass by themselves.
async fn accept(listener: &TcpListener) -> (std::net::TcpStream, SocketAddr) {
    let mut pause = PAUSES.0;
    loop {
        match listener.accept().await {
            Ok((socket, address)) => match socket.into_std() {
                Ok(socket) => return (socket, address),
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

impl<H: Handler> Server<H> {
    /// Serves a connection if there is a place for it. One beyond those hears that; when too many hear it already, it is
    /// closed.
    fn take(&self, socket: std::net::TcpStream, address: SocketAddr) {
        if let Some(place) = self.serving.free() {
            return self.serve((place, &self.serving), socket, address);
        }
        self.tell();
        if let Some(place) = self.refusing.free() {
            self.serve((place, &self.refusing), socket, address);
        }
    }

    /// Says in the log that connections are refused, from time to time.
    fn tell(&self) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.0 += 1;
        if refused.1.is_none_or(|last| last.elapsed() >= TOLD) {
            let count = std::mem::take(&mut refused.0);
            refused.1 = Some(Instant::now());
            tracing::warn!(
                limit = self.serving.count,
                refused = count,
                "connections are refused, for there are too many"
            );
        }
    }

    /// Takes what the kernel has accepted already, and closes the listener. The runtime may not know yet what is in the
    /// queue, so the kernel itself is asked.
    fn take_queued(&self, listener: TcpListener) {
        let Ok(listener) = listener.into_std() else { return };
        for _ in 0..BACKLOG {
            let (socket, address) = match listener.accept() {
                Ok(accepted) => accepted,
                Err(error) if is_of_one_connection(&error) => continue,
                Err(_) => return,
            };
            if socket.set_nonblocking(true).is_ok() {
                self.take(socket, address);
            }
        }
    }

    /// Serves one connection in a task of its own, on the worker that has the fewest. It keeps its place until
    /// its end.
    fn serve(
        &self,
        (place, places): (OwnedSemaphorePermit, &Places),
        socket: std::net::TcpStream,
        address: SocketAddr,
    ) {
        static CONNECTIONS: AtomicU64 = AtomicU64::new(1);
        let Some(worker) = self.workers.iter().min_by_key(|worker| worker.connections.load(Ordering::Relaxed)) else {
            return;
        };
        // This fails when the client has left already, which the first read will tell as well.
        let _ = socket.set_nodelay(true);
        let admission = places.admission;
        let connection = Connection {
            handler: worker.handler.clone(),
            peer: Peer { address, connection: CONNECTIONS.fetch_add(1, Ordering::Relaxed) },
            limits: places.limits.clone(),
            admission,
            tls: worker.handler.tls(),
            drain: self.drain.clone(),
            exchanges: Exchanges::new(),
        };
        let (aborted, connections) = (self.aborted.clone(), worker.connections.clone());
        connections.fetch_add(1, Ordering::Relaxed);
        worker.runtime.spawn(async move {
            // From here on the worker's own runtime watches the socket.
            if let Ok(socket) = TcpStream::from_std(socket) {
                let ended = match admission {
                    Admission::Served => connection.serve(Halves::of(socket)).await,
                    Admission::Refused => {
                        timeout(REFUSAL, connection.serve(Halves::of(socket))).await.unwrap_or(End::Closed)
                    }
                };
                if ended == End::Aborted {
                    aborted.fetch_add(1, Ordering::AcqRel);
                }
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

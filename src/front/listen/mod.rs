//! The client-facing listener: accepts connections, speaks HTTP/1 and HTTP/2 on one port, with TLS or without,
//! and hands every request that can be read in exactly one way to a [`Handler`].
//!
//! ```text
//! socket (TLS) ─▶ io (strict: head, chunked) ─▶ hyper ─▶ connection ─▶ Handler
//! socket (TLS) ◀─────────────────────────────── hyper ◀─ AnswerBody ◀─ Handler
//! ```
//!
//! What the client will see: malformed or ambiguous requests are answered with 400, 414 or 431 as problem
//! documents and the connection closes; half-sent heads get 408; a shutdown loses no request ([`drain`]).
//! When a client leaves, the future of its handler is dropped at once: end of stream in the middle of an
//! HTTP/1 exchange counts as leaving, as does a reset stream over HTTP/2.
//!
//! `CONNECT` is refused and `Upgrade` is ignored, as RFC 9110 section 7.8 allows.

pub mod body;
pub mod drain;
pub mod http2;
pub mod limits;
pub mod refusal;

mod accept;
mod authority;
mod chunked;
mod connection;
mod deadline;
mod exchange;
mod head;
mod io;
mod socket;
mod strict;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io::{Error as IoError, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use http::{HeaderValue, Request, Response};
use tokio::net::TcpListener;
use tokio::runtime::Handle;

use crate::base::wire::Wire;
use crate::plan::ServerTls;
use connection::{Admission, Connection};
use exchange::Exchanges;
use socket::Halves;

pub use authority::host;
pub use body::{AnswerBody, BodyError, BoxError, RequestBody};
pub use drain::{Drain, DrainTimes, signals};
pub use limits::{Http2Limits, Limits};
pub use refusal::{Refusal, Refused};

/// Answers requests. Cloned once per connection.
pub trait Handler: Clone + Send + Sync + 'static {
    /// Answers one request. The future is dropped when the client leaves or the shutdown aborts.
    fn handle(&self, request: Request<RequestBody>, peer: Peer) -> impl Future<Output = Response<AnswerBody>> + Send;

    /// TLS that a connection which comes now is served with; `None` without.
    fn tls(&self) -> Option<ServerTls>;

    /// Takes note of a request that is refused before it can be handled, and gives it the id that its answer
    /// says.
    fn refused(&self, refused: &Refused<'_>, peer: Peer) -> HeaderValue;
}

/// Where connections are served: a runtime and the handler that belongs to it. A new connection goes
/// to the worker with the fewest and stays there.
#[derive(Debug)]
pub struct Worker<H> {
    runtime: Handle,
    handler: H,
    /// Connections that are open.
    connections: Arc<AtomicUsize>,
}

impl<H: Handler> Worker<H> {
    /// A worker that serves on `runtime`.
    pub fn new(runtime: Handle, handler: H) -> Self {
        Self { runtime, handler, connections: Arc::default() }
    }
}

/// Who sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The other end of the connection: the client, or a proxy before it.
    pub address: SocketAddr,
    /// Counts the connections of this process, from 1.
    pub connection: u64,
}

/// A bound port.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    limits: Arc<Limits>,
}

impl Listener {
    /// Binds `address`; port 0 takes any free port.
    ///
    /// # Errors
    /// The address is taken, not allowed, or not of this machine.
    pub async fn bind(address: SocketAddr, limits: Limits) -> Result<Self, BindError> {
        let failed = |source| BindError { address, source };
        let socket = TcpListener::bind(address).await.map_err(failed)?;
        Self::on(socket, limits).map_err(failed)
    }

    /// Listens on a socket that listens already.
    ///
    /// # Errors
    /// It has no address.
    pub fn on(socket: TcpListener, limits: Limits) -> Result<Self, IoError> {
        let address = socket.local_addr()?;
        Ok(Self { socket, address, limits: Arc::new(limits) })
    }

    /// The address that is listened on, with the port that was given.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts and serves connections until `drain` ends them. Whatever was accepted before the listener
    /// closes is answered, unless it takes longer than the drain's timeout.
    pub async fn run<H: Handler>(self, workers: Vec<Worker<H>>, drain: Drain) -> Drained {
        accept::run(self, workers, drain).await
    }
}

/// Serves one connection to its end that no [`Listener`] accepted, over what stands for its socket.
pub async fn serve<H: Handler>(wire: Box<dyn Wire>, (handler, peer): (H, Peer), (limits, drain): (Arc<Limits>, Drain)) {
    let (tls, exchanges, admission) = (handler.tls(), Exchanges::new(), Admission::Served);
    let connection = Connection { handler, peer, limits, admission, tls, drain, exchanges };
    connection.serve(Halves::over(wire)).await;
}

/// How a listener ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still open at the timeout or second signal.
    pub aborted: usize,
}

/// Why a port could not be bound.
#[derive(Debug)]
pub struct BindError {
    address: SocketAddr,
    source: IoError,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot listen on {}: ", self.address)?;
        match self.source.kind() {
            ErrorKind::AddrInUse => write!(f, "port {} is taken by another process", self.address.port()),
            ErrorKind::PermissionDenied => write!(f, "port {} needs more rights", self.address.port()),
            ErrorKind::AddrNotAvailable => f.write_str("this machine does not have the address"),
            _ => write!(f, "{}", self.source),
        }
    }
}

impl Error for BindError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

#[cfg(test)]
mod tests;

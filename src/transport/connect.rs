//! Opens connections to backends.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Authority;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

/// The time that a TCP connection may take to come about, within the call's own deadline.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Connects over TCP within a bounded time, without delaying small writes. The addresses of the host
/// are tried in the order in which it resolves.
///
/// # Errors
/// Nobody listens, the host does not resolve, or it took longer than two seconds.
pub(super) async fn connect(authority: &Authority) -> io::Result<TcpStream> {
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let port = authority.port_u16().unwrap_or(80);
    match tokio::time::timeout(TIMEOUT, TcpStream::connect((host, port))).await {
        Ok(stream) => {
            let stream = stream?;
            stream.set_nodelay(true)?;
            Ok(stream)
        }
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "connecting took too long")),
    }
}

/// The same for a client that asks by URI.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connector;

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(async move {
            let authority = uri.authority().ok_or_else(|| io::Error::other("the address has no host"))?;
            connect(authority).await.map(TokioIo::new)
        })
    }
}

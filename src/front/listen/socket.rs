//! The client's end of a connection: a socket, perhaps with TLS on it.
//!
//! The reading half is shared, so that a client that leaves is noticed also while nobody reads ([`super::connection`]).

use std::future::{pending, poll_fn};
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BufMut;
use tokio::io::{self, AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tokio_util::io::poll_read_buf;

use crate::base::wire::Wire;
use crate::plan::ServerTls;

/// A connection to a client: as it is, or with TLS on it.
pub(super) type Socket = Either<Halves, Box<TlsStream<Halves>>>;

/// Both directions of a connection without TLS.
#[derive(Debug)]
pub(super) struct Halves {
    pub(super) read: Arc<ReadHalf>,
    write: Either<OwnedWriteHalf, io::WriteHalf<Box<dyn Wire>>>,
}

/// The direction from the client.
#[derive(Debug)]
pub(super) enum ReadHalf {
    /// Of a socket.
    Socket(OwnedReadHalf),
    /// Of what stands for one.
    Wire(Mutex<io::ReadHalf<Box<dyn Wire>>>),
}

impl Halves {
    /// Those of a socket.
    pub(super) fn of(socket: TcpStream) -> Self {
        let (read, write) = socket.into_split();
        Self { read: Arc::new(ReadHalf::Socket(read)), write: Either::Left(write) }
    }

    /// Those of a wire that stands for a socket.
    pub(super) fn over(wire: Box<dyn Wire>) -> Self {
        let (read, write) = io::split(wire);
        Self { read: Arc::new(ReadHalf::Wire(Mutex::new(read))), write: Either::Right(write) }
    }
}

impl ReadHalf {
    /// Reads into `out`, without a copy; zero bytes are the client's end.
    fn poll_read_into(&self, context: &mut Context<'_>, out: &mut impl BufMut) -> Poll<io::Result<usize>> {
        match self {
            Self::Socket(read) => poll_read_plain(read, context, out),
            Self::Wire(read) => {
                let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
                poll_read_buf(Pin::new(&mut *read), context, out)
            }
        }
    }

    /// Ready when the client has closed its side, read or not; never where only reading tells.
    pub(super) async fn closed(&self) {
        #[cfg(target_os = "linux")]
        if let Self::Socket(read) = self {
            // Waiting for readability would return at once while there are unread bytes. Urgent data is never asked
            // for by the registration, so this waits for the end of the client's side alone.
            let ready = read.ready(tokio::io::Interest::PRIORITY).await;
            if ready.is_ok_and(|ready| ready.is_read_closed()) {
                return;
            }
        }
        pending().await
    }

    /// Reads and drops what the client still sends, to its end.
    pub(super) async fn discard(&self) {
        let mut scratch = vec![0; 16 << 10];
        while let Ok(1..) = poll_fn(|context| self.poll_read_into(context, &mut scratch.as_mut_slice())).await {}
    }
}

/// Puts TLS on a connection within `limit`; `None` if it did not come about.
pub(super) async fn secure(tls: &ServerTls, halves: Halves, limit: Duration) -> Option<Socket> {
    let acceptor = TlsAcceptor::from(tls.config.clone());
    match timeout(limit, acceptor.accept(halves)).await {
        Ok(Ok(stream)) => Some(Either::Right(Box::new(stream))),
        Ok(Err(error)) => {
            tracing::debug!(%error, "TLS with a client did not come about");
            None
        }
        Err(_) => {
            tracing::debug!("TLS with a client took too long");
            None
        }
    }
}

/// Reads into `out`; zero bytes are the client's end.
pub(super) fn poll_read_into(
    socket: &mut Socket,
    context: &mut Context<'_>,
    out: &mut impl BufMut,
) -> Poll<io::Result<usize>> {
    match socket {
        Either::Left(halves) => halves.read.poll_read_into(context, out),
        Either::Right(stream) => poll_read_buf(Pin::new(stream), context, out),
    }
}

/// Reads from the socket into `out`, without a copy.
fn poll_read_plain(read: &OwnedReadHalf, context: &mut Context<'_>, out: &mut impl BufMut) -> Poll<io::Result<usize>> {
    let socket: &TcpStream = read.as_ref();
    loop {
        ready!(socket.poll_read_ready(context))?;
        let mut length = None;
        let room = out.chunk_mut().len();
        let result = socket.try_io(Interest::READABLE, || {
            let read = socket.try_read_buf(out)?;
            length = Some(read);
            // A read that did not fill the buffer emptied the socket. Saying so spares the next read, which
            // would find nothing.
            if (1..room).contains(&read) { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        match (length, result) {
            (Some(length), _) => return Poll::Ready(Ok(length)),
            (None, Err(error)) if error.kind() != io::ErrorKind::WouldBlock => return Poll::Ready(Err(error)),
            (None, _) => {}
        }
    }
}

impl AsyncRead for Halves {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.read.poll_read_into(context, out).map_ok(drop)
    }
}

impl AsyncWrite for Halves {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.write).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.write).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_shutdown(context)
    }
}

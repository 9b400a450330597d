//! The wire between the gateway and one backend: a TCP proxy that can be slow, narrow, torn or dead.
//!
//! Its port is held by a socket that never listens, so that a link that refuses is not taken over by another test.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// What becomes of who connects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Way {
    /// Carried to the backend.
    #[default]
    Open,
    /// Refused, and what was open is reset: the process behind it is gone.
    Refused,
    /// Never answered: the queue of the listener is full, and its kernel drops each SYN.
    Blackhole,
}

/// How a link carries; by default at once, and everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    pub(crate) way: Way,
    /// How much later what the backend sends arrives, and up to how much beyond that.
    pub(crate) delay: Duration,
    pub(crate) jitter: Duration,
    /// Bytes in a second that the backend's side carries.
    pub(crate) rate: Option<u32>,
    /// The longest piece that arrives at once.
    pub(crate) slice: Option<usize>,
    /// Nothing passes, not even an end: the connection is half open.
    pub(crate) frozen: bool,
    /// How often everything that was open was reset.
    cuts: u64,
}

/// A running link; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Link {
    /// Where the gateway connects to.
    pub(crate) address: SocketAddr,
    line: watch::Sender<Line>,
    _port: TcpSocket,
    _task: JoinSet<()>,
}

impl Link {
    /// A link to `backend` at an address of this machine; port 0 is one of its own.
    pub(crate) async fn at(address: SocketAddr, backend: SocketAddr) -> io::Result<Self> {
        let port = socket(address)?;
        let address = port.local_addr()?;
        let (line, watched) = watch::channel(Line::default());
        let mut task = JoinSet::new();
        let first = listen(address, BACKLOG)?;
        task.spawn(serve(first, backend, watched));
        Ok(Self { address, line, _port: port, _task: task })
    }

    /// Changes how it carries from now on.
    pub(crate) fn set(&self, change: impl FnOnce(&mut Line)) {
        self.line.send_modify(|line| {
            change(line);
            line.cuts += u64::from(line.way != Way::Open);
        });
    }

    /// Carries as it did in the beginning.
    pub(crate) fn heal(&self) {
        self.line.send_modify(|line| *line = Line { cuts: line.cuts, ..Line::default() });
    }

    /// Resets everything that is open.
    pub(crate) fn cut(&self) {
        self.line.send_modify(|line| line.cuts += 1);
    }
}

/// Connections that wait to be taken, where nothing else is asked for.
const BACKLOG: u32 = 1024;

fn socket(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn listen(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    socket(address)?.listen(backlog)
}

async fn serve(first: TcpListener, backend: SocketAddr, line: watch::Receiver<Line>) {
    let Ok(address) = first.local_addr() else { return };
    let mut carried = JoinSet::new();
    let mut listener = Some(first);
    let mut changes = line.clone();
    loop {
        let way = changes.borrow_and_update().way;
        let changed = changes.wait_for(|line| line.way != way);
        let over = match way {
            Way::Open => {
                let Some(listener) = listener.take().or_else(|| listen(address, BACKLOG).ok()) else { return };
                tokio::select! {
                    changed = changed => changed.is_err(),
                    () = accept(&listener, backend, (&line, &mut carried)) => true,
                }
            }
            Way::Refused => changed.await.is_err(),
            Way::Blackhole => {
                let Ok(full) = listen(address, 1) else { return };
                let waiting = fill(address).await;
                let over = changed.await.is_err();
                drop((full, waiting));
                over
            }
        };
        if over {
            return;
        }
    }
}

async fn accept(
    listener: &TcpListener,
    backend: SocketAddr,
    (line, carried): (&watch::Receiver<Line>, &mut JoinSet<()>),
) {
    while let Ok((client, _)) = listener.accept().await {
        carried.spawn(carry(client, backend, line.clone()));
        while carried.try_join_next().is_some() {}
    }
}

/// Connections that nobody takes, as many as it needs until no further one is answered.
async fn fill(address: SocketAddr) -> Vec<TcpStream> {
    let mut waiting = Vec::new();
    while let Ok(Ok(stream)) = timeout(Duration::from_millis(30), TcpStream::connect(address)).await {
        waiting.push(stream);
    }
    waiting
}

async fn carry(mut client: TcpStream, backend: SocketAddr, line: watch::Receiver<Line>) {
    let torn = {
        let Ok(mut server) = TcpStream::connect(backend).await else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let mut cuts = line.clone();
        let born = cuts.borrow_and_update().cuts;
        let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
        let both = async {
            tokio::try_join!(requests(from_client, to_server, line.clone()), replies(from_server, to_client, line))
        };
        tokio::select! {
            ended = both => ended.is_err(),
            _ = cuts.wait_for(|line| line.cuts != born) => true,
        }
    };
    if torn {
        let _ = client.set_zero_linger();
    }
}

/// What an end sends in one go at most.
const PIECE: usize = 64 << 10;

async fn requests(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut line: watch::Receiver<Line>,
) -> io::Result<()> {
    let mut buffer = vec![0; PIECE];
    loop {
        let count = from.read(&mut buffer).await?;
        let _ = line.wait_for(|line| !line.frozen).await;
        match count {
            0 => return to.shutdown().await,
            _ => to.write_all(&buffer[..count]).await?,
        }
    }
}

async fn replies(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut line: watch::Receiver<Line>,
) -> io::Result<()> {
    let mut buffer = vec![0; PIECE];
    loop {
        let count = from.read(&mut buffer).await?;
        let _ = line.wait_for(|line| !line.frozen).await;
        let now = line.borrow().clone();
        let late = now.delay + now.jitter.mul_f64(chance());
        if !late.is_zero() {
            sleep(late).await;
        }
        if count == 0 {
            return to.shutdown().await;
        }
        for piece in buffer[..count].chunks(now.slice.unwrap_or(PIECE)) {
            if let Some(rate) = now.rate {
                sleep(Duration::from_secs(piece.len() as u64) / rate).await;
            }
            to.write_all(piece).await?;
        }
    }
}

/// A number from 0 to 1, another one each time.
pub(crate) fn chance() -> f64 {
    (RandomState::new().hash_one(()) >> 32) as f64 / f64::from(u32::MAX)
}

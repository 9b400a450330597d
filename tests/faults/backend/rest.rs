//! The REST backend: HTTP/1.1 as bytes, so that it can send what no good server sends.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{Backend, Call, Open, PATIENCE, Record, Script};
use crate::http1::Connection;
use crate::link::Link;

/// What comes back for one call.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    after: Duration,
    /// As they go on the wire.
    bytes: Vec<u8>,
    then: Then,
    /// How long the connection may rest behind it before it is closed.
    rests: Duration,
}

/// What happens when the bytes of a reply are sent.
#[derive(Clone, Debug)]
enum Then {
    /// The next request is read.
    Next,
    /// Nothing, until the gateway leaves.
    Hang,
    /// The connection ends.
    Close,
    /// These bytes again and again, with a rest between them.
    Again(Vec<u8>, Duration),
}

impl Reply {
    /// A whole reply of JSON.
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::of(status, "content-type: application/json\r\n", body.as_bytes())
    }

    /// A whole reply with these header lines, each with its end.
    pub(crate) fn of(status: u16, lines: &str, body: &[u8]) -> Self {
        let mut bytes = format!("HTTP/1.1 {status} x\r\n{lines}content-length: {}\r\n\r\n", body.len()).into_bytes();
        bytes.extend_from_slice(body);
        Self { after: Duration::ZERO, bytes, then: Then::Next, rests: PATIENCE }
    }

    /// Exactly these bytes, and the end of the connection.
    pub(crate) fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self { after: Duration::ZERO, bytes: bytes.into(), then: Then::Close, rests: PATIENCE }
    }

    /// Exactly these bytes, and nothing more on a connection that stays.
    pub(crate) fn stalling(bytes: impl Into<Vec<u8>>) -> Self {
        Self { then: Then::Hang, ..Self::bytes(bytes) }
    }

    /// No answer ever.
    pub(crate) fn never() -> Self {
        Self::stalling("")
    }

    /// A head, and `piece` without end.
    pub(crate) fn endless(head: &str, piece: Vec<u8>, rest: Duration) -> Self {
        Self { then: Then::Again(piece, rest), ..Self::bytes(head) }
    }

    /// The same, later.
    pub(crate) fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }

    /// The same, on a connection that is closed when it has rested so long.
    pub(crate) fn resting(self, rests: Duration) -> Self {
        Self { rests, ..self }
    }
}

/// Starts a backend that does `usual`.
pub(crate) async fn start(usual: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> io::Result<Backend<Reply>> {
    start_at(SocketAddr::from(([127, 0, 0, 1], 0)), usual).await
}

/// The same, at an address of this machine.
pub(crate) async fn start_at(
    address: SocketAddr,
    usual: impl Fn(&Call) -> Reply + Send + Sync + 'static,
) -> io::Result<Backend<Reply>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let link = Link::at(address, listener.local_addr()?).await?;
    let (record, script) = (Record::default(), Script::of(usual));
    let usual = script.current();
    let mut task = JoinSet::new();
    task.spawn(serve(listener, record.clone(), script.clone()));
    Ok(Backend { link, record, script, usual, _task: task })
}

async fn serve(listener: TcpListener, record: Record, script: Script<Reply>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(converse(stream, record.clone(), script.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(stream: TcpStream, record: Record, script: Script<Reply>) {
    let _open: Open = record.opened();
    let _ = stream.set_nodelay(true);
    let mut connection = Connection::over(Box::new(stream));
    let mut rests = PATIENCE;
    for number in 0.. {
        let Ok(Ok(Some(request))) = timeout(rests, connection.request()).await else { return };
        let call = record.arrived(number, (request.first_line, request.headers));
        let reply = script.play(&call);
        rests = reply.rests;
        match answer(&mut connection, reply, &record).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(_) => return record.left(call.number),
        }
    }
}

/// Says whether the connection goes on.
///
/// # Errors
/// The gateway left.
async fn answer(connection: &mut Connection, reply: Reply, record: &Record) -> io::Result<bool> {
    let left = || io::Error::from(io::ErrorKind::ConnectionAborted);
    if !reply.after.is_zero() {
        tokio::select! {
            () = sleep(reply.after) => {}
            () = connection.closed() => return Err(left()),
        }
    }
    connection.send(&reply.bytes).await?;
    match reply.then {
        Then::Next => Ok(true),
        Then::Close => Ok(false),
        Then::Hang => match timeout(PATIENCE, connection.closed()).await {
            Ok(()) => Err(left()),
            Err(_) => Ok(false),
        },
        Then::Again(piece, rest) => loop {
            connection.send(&piece).await?;
            record.with(|seen| seen.sent = Some(std::time::Instant::now()));
            sleep(rest).await;
        },
    }
}

//! The gRPC backend: HTTP/2 frame by frame, so that it can refuse streams, say goodbye and leave out trailers.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{Backend, Open, Record, Script};
use crate::link::Link;

/// What comes back for one call.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    after: Duration,
    act: Act,
}

#[derive(Clone, Debug)]
enum Act {
    /// DATA of these bytes, and status OK behind it.
    Frames(Vec<u8>),
    /// The same without trailers.
    Unfinished(Vec<u8>),
    /// This status, in the header fields or in trailers.
    Status(u8, In),
    /// The stream is refused, as one that was never looked at.
    Refuse,
    /// No answer ever.
    Hang,
}

/// Where a status stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum In {
    Trailers,
    Head,
}

impl Reply {
    /// The message `Stock { available }`.
    pub(crate) fn stock(available: u8) -> Self {
        Self::frames(framed(0, &[0x08, available]))
    }

    /// These bytes as DATA, and status OK.
    pub(crate) fn frames(bytes: Vec<u8>) -> Self {
        Self { after: Duration::ZERO, act: Act::Frames(bytes) }
    }

    /// The message `Stock { available }`, and an end without a status.
    pub(crate) fn unfinished(available: u8) -> Self {
        Self { after: Duration::ZERO, act: Act::Unfinished(framed(0, &[0x08, available])) }
    }

    /// A status and nothing else.
    pub(crate) fn status(code: u8, place: In) -> Self {
        Self { after: Duration::ZERO, act: Act::Status(code, place) }
    }

    /// REFUSED_STREAM.
    pub(crate) fn refused() -> Self {
        Self { after: Duration::ZERO, act: Act::Refuse }
    }

    /// No answer ever.
    pub(crate) fn never() -> Self {
        Self { after: Duration::ZERO, act: Act::Hang }
    }

    /// The same, later.
    pub(crate) fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}

/// A message behind the five bytes that gRPC puts before it.
pub(crate) fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let mut frame = vec![flag];
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.extend_from_slice(message);
    frame
}

/// What its connections keep to; 0 is no limit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manners {
    /// Calls after which a connection says goodbye.
    pub(crate) goodbye_after: Arc<AtomicU64>,
    /// Streams that a connection opened from now on allows at the same time.
    pub(crate) streams: Arc<AtomicU32>,
}

/// Starts a backend that does `usual`, with the manners of its connections.
pub(crate) async fn start(
    usual: impl Fn(&super::Call) -> Reply + Send + Sync + 'static,
) -> io::Result<(Backend<Reply>, Manners)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let link = Link::at(SocketAddr::from(([127, 0, 0, 1], 0)), listener.local_addr()?).await?;
    let (record, script, manners) = (Record::default(), Script::of(usual), Manners::default());
    let usual = script.current();
    let mut task = JoinSet::new();
    task.spawn(serve(listener, (record.clone(), script.clone()), manners.clone()));
    Ok((Backend { link, record, script, usual, _task: task }, manners))
}

async fn serve(listener: TcpListener, (record, script): (Record, Script<Reply>), manners: Manners) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(converse(stream, (record.clone(), script.clone()), manners.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(stream: TcpStream, (record, script): (Record, Script<Reply>), manners: Manners) {
    let _open: Open = record.opened();
    let _ = stream.set_nodelay(true);
    let mut builder = h2::server::Builder::new();
    if let streams @ 1.. = manners.streams.load(Ordering::Relaxed) {
        builder.max_concurrent_streams(streams);
    }
    let Ok(mut connection) = builder.handshake(stream).await else { return };
    let mut calls = JoinSet::new();
    let mut count = 0_u64;
    while let Some(Ok((request, respond))) = connection.accept().await {
        let (record, script) = (record.clone(), script.clone());
        calls.spawn(async move {
            let _ = answer((request, count), respond, (&record, &script)).await;
        });
        while calls.try_join_next().is_some() {}
        count += 1;
        if count == manners.goodbye_after.load(Ordering::Relaxed) {
            connection.graceful_shutdown();
        }
    }
}

async fn answer(
    (request, number): (Request<RecvStream>, u64),
    mut respond: SendResponse<Bytes>,
    (record, script): (&Record, &Script<Reply>),
) -> Result<(), h2::Error> {
    let (parts, mut body) = request.into_parts();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
    }
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let call = record.arrived(number, (parts.uri.path().to_owned(), headers));
    let Reply { after, act } = script.play(&call);
    let wait = async {
        match act {
            Act::Hang => std::future::pending().await,
            _ => sleep(after).await,
        }
    };
    tokio::select! {
        () = wait => send(respond, act),
        _ = poll_fn(|context| respond.poll_reset(context)) => {
            record.left(call.number);
            Ok(())
        }
    }
}

fn send(mut respond: SendResponse<Bytes>, act: Act) -> Result<(), h2::Error> {
    let mut head = Response::new(());
    head.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    match act {
        Act::Frames(bytes) => {
            let mut stream = respond.send_response(head, false)?;
            stream.send_data(BytesMut::from(bytes.as_slice()).freeze(), false)?;
            stream.send_trailers(status(0))
        }
        Act::Unfinished(bytes) => respond.send_response(head, false)?.send_data(bytes.into(), true),
        Act::Status(code, In::Head) => {
            head.headers_mut().extend(status(code));
            respond.send_response(head, true).map(drop)
        }
        Act::Status(code, In::Trailers) => respond.send_response(head, false)?.send_trailers(status(code)),
        Act::Refuse | Act::Hang => {
            respond.send_reset(Reason::REFUSED_STREAM);
            Ok(())
        }
    }
}

fn status(code: u8) -> HeaderMap {
    HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), HeaderValue::from(u16::from(code)))])
}

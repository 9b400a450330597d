//! The gRPC backend: HTTP/2 frame by frame, so that a script can leave out trailers or break the framing.

use std::future::poll_fn;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::secured::{Accepted, accept};
use super::{Player, or_null};
use crate::coding;
use crate::script::{Act, Asked, Last, Reply, Script};

/// Serves until the task is dropped.
pub(super) async fn serve(listener: TcpListener, player: Arc<Player>, pool: DescriptorPool) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        connections.spawn(serve_connection(stream, player.clone(), pool.clone()));
    }
}

/// Finds the mistakes of a script: an rpc that no proto has, a message that does not fit.
pub(super) fn check(script: &Script, pool: &DescriptorPool) -> Result<(), String> {
    for rule in &script.rules {
        let Asked::Rpc { path, message } = &rule.asked else { continue };
        let method = find(pool, path).ok_or_else(|| format!("backend {}: no proto has {path}", script.name))?;
        let replies = rule.replies.iter().flat_map(|reply| match &reply.act {
            Act::Message(value) | Act::NoTrailers(value) | Act::Packed { message: value, .. } => {
                std::slice::from_ref(value)
            }
            Act::Stream(values, _) => values,
            _ => &[],
        });
        let replies = replies.map(|value| (value, method.output()));
        for (value, descriptor) in message.iter().map(|value| (value, method.input())).chain(replies) {
            DynamicMessage::deserialize(descriptor, value)
                .map_err(|error| format!("backend {}: {path}: {error}: {value}", script.name))?;
        }
    }
    Ok(())
}

async fn serve_connection(stream: TcpStream, player: Arc<Player>, pool: DescriptorPool) {
    let Some(Accepted { stream, facts }) = accept(stream, &player.name, b"h2").await else { return };
    let Ok(mut connection) = h2::server::Builder::new().initial_window_size(1 << 20).handshake(stream).await else {
        return;
    };
    let mut calls = JoinSet::new();
    while let Some(Ok((request, respond))) = connection.accept().await {
        let (player, pool, facts) = (player.clone(), pool.clone(), facts.clone());
        calls.spawn(async move {
            let _ = answer((request, facts), respond, &player, &pool).await;
        });
    }
    // The connection is gone, and with it every call that still waits.
    drop(connection);
    tokio::time::timeout(std::time::Duration::from_millis(200), async { while calls.join_next().await.is_some() {} })
        .await
        .ok();
}

async fn answer(
    (request, facts): (Request<RecvStream>, Vec<(String, String)>),
    mut respond: SendResponse<Bytes>,
    player: &Player,
    pool: &DescriptorPool,
) -> Result<(), h2::Error> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let method = find(pool, &path);
    let frame = read(body).await?;
    let message = method.as_ref().map(|method| or_null(decode(&frame, method.input())));
    let headers =
        parts.headers.iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()));
    let (number, reply) = player.play(Asked::Rpc { path, message }, headers.chain(facts).collect());
    let unscripted = Act::Status { code: 12, text: "not scripted".into(), trailers_only: true };
    let reply = reply.unwrap_or(Reply {
        delay: std::time::Duration::ZERO,
        act: unscripted,
        headers: Vec::new(),
        trailers: Vec::new(),
    });
    let hang = reply.act == Act::Hang;
    tokio::select! {
        () = tokio::time::sleep(reply.delay), if !hang => {}
        _ = poll_fn(|context| respond.poll_reset(context)) => {
            player.record.cancelled(number);
            return Ok(());
        }
    }
    match reply.act {
        Act::Long { size, .. } => long(respond, size).await,
        Act::Stream(ref values, ref last) => {
            let left = stream(respond, &reply, (values, last), method.map(|method| method.output()).as_ref()).await?;
            if left {
                player.record.cancelled(number);
            }
            Ok(())
        }
        _ => send(respond, &reply, method.map(|method| method.output()).as_ref()),
    }
}

fn find(pool: &DescriptorPool, path: &str) -> Option<MethodDescriptor> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    pool.get_service_by_name(service)?.methods().find(|candidate| candidate.name() == method)
}

/// The whole request body: one frame of a unary call.
async fn read(mut body: RecvStream) -> Result<Bytes, h2::Error> {
    let mut all = BytesMut::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        all.extend_from_slice(&piece);
    }
    Ok(all.freeze())
}

fn decode(frame: &Bytes, descriptor: MessageDescriptor) -> Result<Value, String> {
    let wire = frame.get(5..).ok_or("shorter than a frame head")?;
    let message = DynamicMessage::decode(descriptor, wire).map_err(|error| error.to_string())?;
    serde_json::to_value(&message).map_err(|error| error.to_string())
}

fn send(mut respond: SendResponse<Bytes>, reply: &Reply, output: Option<&MessageDescriptor>) -> Result<(), h2::Error> {
    let mut head = Response::new(());
    head.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    extend(head.headers_mut(), &reply.headers);
    let trailers = match &reply.act {
        Act::Status { code, text, .. } => status(*code, text, &reply.trailers),
        _ => status(0, "", &reply.trailers),
    };
    let encoded = |value: &Value| output.map_or_else(Bytes::new, |output| encode(value, output.clone()));
    match &reply.act {
        Act::Status { trailers_only: true, .. } => {
            head.headers_mut().extend(trailers);
            respond.send_response(head, true).map(drop)
        }
        Act::Status { .. } => respond.send_response(head, false)?.send_trailers(trailers),
        Act::Message(value) => {
            let mut stream = respond.send_response(head, false)?;
            stream.send_data(encoded(value), false)?;
            stream.send_trailers(trailers)
        }
        Act::Packed { named, message } => {
            head.headers_mut()
                .insert("grpc-encoding", HeaderValue::from_str(named).unwrap_or(HeaderValue::from_static("?")));
            let packed = coding::coded("gzip", &encoded(message)[5..]);
            let mut frame = BytesMut::new();
            frame.put_u8(1);
            frame.put_u32(u32::try_from(packed.len()).unwrap_or(u32::MAX));
            frame.extend_from_slice(&packed);
            let mut stream = respond.send_response(head, false)?;
            stream.send_data(frame.freeze(), false)?;
            stream.send_trailers(trailers)
        }
        Act::NoTrailers(value) => respond.send_response(head, false)?.send_data(encoded(value), true),
        Act::Bytes(bytes) => {
            let mut stream = respond.send_response(head, false)?;
            stream.send_data(Bytes::copy_from_slice(bytes), false)?;
            stream.send_trailers(trailers)
        }
        Act::Http { status, .. } => {
            *head.status_mut() = http::StatusCode::from_u16(*status).unwrap_or_default();
            head.headers_mut().insert("content-type", HeaderValue::from_static("text/plain"));
            respond.send_response(head, true).map(drop)
        }
        _ => {
            respond.send_reset(Reason::INTERNAL_ERROR);
            Ok(())
        }
    }
}

/// Sends the messages of a stream and what comes behind them; says whether the caller gave it up.
async fn stream(
    mut respond: SendResponse<Bytes>,
    reply: &Reply,
    (values, last): (&[Value], &Last),
    output: Option<&MessageDescriptor>,
) -> Result<bool, h2::Error> {
    let mut head = Response::new(());
    head.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    extend(head.headers_mut(), &reply.headers);
    let mut stream = respond.send_response(head, false)?;
    for value in values {
        let frame = output.map_or_else(Bytes::new, |output| encode(value, output.clone()));
        if stream.send_data(frame, false).is_err() {
            return Ok(true);
        }
    }
    match last {
        Last::Status { code, text } => stream.send_trailers(status(*code, text, &reply.trailers)).map(|()| false),
        Last::Hang => Ok(poll_fn(|context| stream.poll_reset(context)).await.is_ok_and(|why| why == Reason::CANCEL)),
        Last::Close => {
            // A reset takes back what was not sent yet.
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
            stream.send_reset(Reason::INTERNAL_ERROR);
            Ok(false)
        }
    }
}

/// Sends a frame of `size` bytes without ever holding it, as far as the caller takes it.
async fn long(mut respond: SendResponse<Bytes>, size: u64) -> Result<(), h2::Error> {
    let mut head = Response::new(());
    head.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    let mut stream = respond.send_response(head, false)?;
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(size).unwrap_or(u32::MAX));
    stream.send_data(frame.freeze(), false)?;
    let mut left = size;
    while left > 0 {
        stream.reserve_capacity(64 << 10);
        let Some(capacity) = poll_fn(|context| stream.poll_capacity(context)).await else { return Ok(()) };
        let part = capacity?.min(usize::try_from(left).unwrap_or(usize::MAX));
        stream.send_data(Bytes::from(vec![b'x'; part]), false)?;
        left -= part as u64;
    }
    stream.send_trailers(status(0, "", &[]))
}

fn extend(headers: &mut HeaderMap, pairs: &[(String, String)]) {
    for (name, value) in pairs {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str())) {
            headers.append(name, value);
        }
    }
}

fn status(code: u8, text: &str, pairs: &[(String, String)]) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from(u16::from(code)));
    if let (false, Ok(text)) = (text.is_empty(), HeaderValue::try_from(text)) {
        trailers.insert("grpc-message", text);
    }
    extend(&mut trailers, pairs);
    trailers
}

/// The frame of a message given as JSON, which [`check`] has seen before.
fn encode(value: &Value, descriptor: MessageDescriptor) -> Bytes {
    let wire =
        DynamicMessage::deserialize(descriptor, value).map(|message| message.encode_to_vec()).unwrap_or_default();
    let mut frame = BytesMut::with_capacity(wire.len() + 5);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(wire.len()).unwrap_or(u32::MAX));
    frame.extend_from_slice(&wire);
    frame.freeze()
}

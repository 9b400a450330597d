//! gRPC calls: unary, over HTTP/2, JSON in and JSON out through message tables.

mod details;
pub mod message;
mod proto_json;
mod reflection;
mod status;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{BufMut as _, Bytes};
use http::header::{CONTENT_TYPE, HeaderName, TE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Response, uri};

pub use proto_json::ProtoJson;
pub use reflection::reflect;

use super::body::Unread;
use super::coding::Coding;
use super::http2::{self, Broken, ReplyBody};
use super::{Backend, RequestBody, body, remaining, rest};
use crate::base::call::Reply;
use crate::base::failure::{Cause, Failure};
use crate::base::value::Doc;
use crate::descriptor::DescriptorPool;
use crate::plan::Rpc;
use message::{MessageId, Tables};

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");
const ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");
const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
/// One byte of flags and four of length stand before each message.
const PREFIX: usize = 5;

/// A rpc with its message tables.
#[derive(Debug)]
pub(super) struct Method {
    path: uri::PathAndQuery,
    tables: Arc<Tables>,
    input: MessageId,
    output: MessageId,
}

/// What stands before the message of a call.
#[derive(Debug)]
pub(super) struct Head {
    /// The declared metadata.
    pub(super) headers: HeaderMap,
    /// When the reply must have come.
    pub(super) deadline: Instant,
}

/// The rpcs of a plan. Those of one pool of descriptors share their tables.
pub(super) fn methods(rpcs: &[Rpc]) -> Vec<Method> {
    let mut pools: Vec<(DescriptorPool, Arc<Tables>)> = Vec::new();
    let method = |rpc: &Rpc| {
        let pool = rpc.descriptor.parent_pool();
        let known = pools.iter().find(|(known, _)| known == pool).map(|(_, tables)| tables.clone());
        let tables = known.unwrap_or_else(|| {
            let of_pool = rpcs.iter().filter(|other| other.descriptor.parent_pool() == pool);
            let messages = of_pool.flat_map(|rpc| [rpc.descriptor.input(), rpc.descriptor.output()]);
            let tables = Arc::new(Tables::build(messages.chain(details::standard())));
            pools.push((pool.clone(), tables.clone()));
            tables
        });
        let input = tables.message(rpc.descriptor.input().full_name())?;
        let output = tables.message(rpc.descriptor.output().full_name())?;
        Some(Method { path: rpc.path.clone(), tables, input, output })
    };
    rpcs.iter().filter_map(method).collect()
}

/// Sends a unary call. A gRPC status other than OK becomes a reply with the HTTP status it maps to
/// and `{"code": "NOT_FOUND", "message": …}` as its body.
pub(super) async fn send(backend: &Backend, head: Head, (method, message): (&Method, Bytes)) -> Result<Reply, Failure> {
    let mut request = http::Request::new(RequestBody::Whole(Some(frame(method, &message)?)));
    *request.method_mut() = http::Method::POST;
    *request.headers_mut() = headers(head);
    match backend.instance().http2().send(method.path.clone(), request).await {
        Ok(response) => read(response, method, backend.max_reply).await,
        Err(Broken::Reset(reason)) => Ok(status::of_reset(reason)),
        Err(Broken::Failed(failure)) => Err(failure),
    }
}

/// The message behind its prefix.
fn frame(method: &Method, message: &Bytes) -> Result<Bytes, Failure> {
    let mut out = Vec::with_capacity(message.len() + PREFIX);
    out.put_bytes(0, PREFIX);
    message::encode(&method.tables, method.input, message, &mut out)
        .map_err(|error| Failure::new(Cause::InvalidMessage, error.to_string()))?;
    let length = u32::try_from(out.len() - PREFIX)
        .map_err(|_| Failure::new(Cause::InvalidMessage, "the message is larger than gRPC can send"))?;
    out[1..PREFIX].copy_from_slice(&length.to_be_bytes());
    Ok(out.into())
}

fn headers(head: Head) -> HeaderMap {
    let Head { mut headers, deadline } = head;
    headers.insert(CONTENT_TYPE, GRPC);
    headers.insert(TE, TRAILERS);
    headers.insert(ACCEPT_ENCODING, GZIP);
    headers.insert(USER_AGENT, rest::AGENT);
    headers.insert(TIMEOUT, timeout_value(remaining(deadline)));
    headers
}

/// At most eight digits and a unit, rounded down. Source: gRPC over HTTP2, "Timeout".
fn timeout_value(left: Duration) -> HeaderValue {
    const MOST: u128 = 99_999_999;
    let (number, unit) = match (left.as_micros(), left.as_millis(), u128::from(left.as_secs())) {
        (micros, ..) if micros <= MOST => (micros, 'u'),
        (_, millis, _) if millis <= MOST => (millis, 'm'),
        (.., seconds) => (seconds.min(MOST), 'S'),
    };
    HeaderValue::from_str(&format!("{number}{unit}")).unwrap_or(HeaderValue::from_static("0u"))
}

async fn read(response: Response<ReplyBody>, method: &Method, max: u64) -> Result<Reply, Failure> {
    let (mut head, body) = response.into_parts();
    if !is_grpc(&head.headers) {
        return Ok(status::of_http(head.status.as_u16(), head.headers));
    }
    if head.headers.contains_key(status::STATUS) {
        let trailers = head.headers.clone();
        return match status::read(&trailers) {
            Some(0) => Err(Failure::new(Cause::BadReply, "status OK without a message")),
            Some(code) => Ok(status::reply(code, head.headers, Some(&method.tables))),
            None => Err(Failure::new(Cause::BadReply, "an unreadable grpc-status")),
        };
    }
    let (bytes, trailers) = match body::read(body, max.saturating_add(PREFIX as u64)).await {
        Ok(read) => read,
        Err(Unread::Broken(error)) if let Some(reason) = http2::reset(&error) => return Ok(status::of_reset(reason)),
        Err(unread) => return Err(unread.into()),
    };
    let trailers = trailers.ok_or_else(|| Failure::new(Cause::BadReply, "the reply ended without trailers"))?;
    let code = status::read(&trailers)
        .ok_or_else(|| Failure::new(Cause::BadReply, "the trailers hold no readable grpc-status"))?;
    head.headers.extend(trailers);
    if code != 0 {
        return Ok(status::reply(code, head.headers, Some(&method.tables)));
    }
    let wire = unframe(&bytes, coding(&head.headers), max)?;
    let doc = decode(method, &wire)?.of_reply();
    let mut headers = head.headers;
    status::remove(&mut headers);
    Ok(Reply { status: 200, headers: Arc::new(headers), body: Some(Arc::new(doc)) })
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

fn decode(method: &Method, wire: &[u8]) -> Result<Doc, Failure> {
    message::decode(&method.tables, method.output, wire)
        .map_err(|error| Failure::new(Cause::BadReply, format!("the message cannot be read: {error}")))
}

/// The coding of messages that say that they are in one; `Err` is the name of one that was not offered.
fn coding(headers: &HeaderMap) -> Result<Coding, &str> {
    match headers.get(ENCODING).map(|name| name.to_str().unwrap_or("?")) {
        Some("gzip") => Ok(Coding::Gzip),
        Some(other) => Err(other),
        None => Err("none is named"),
    }
}

/// The one message of a unary reply, of at most `max` bytes.
fn unframe(bytes: &Bytes, coding: Result<Coding, &str>, max: u64) -> Result<Bytes, Failure> {
    let broken = |why: &str| Failure::new(Cause::BadReply, format!("broken gRPC framing: {why}"));
    let Some((prefix, _)) = bytes.split_first_chunk::<PREFIX>() else {
        return Err(broken("no whole message"));
    };
    let [flags, length @ ..] = *prefix;
    if flags > 1 {
        return Err(broken("an unknown flag"));
    }
    let length = u32::from_be_bytes(length) as usize;
    match bytes.len() - PREFIX {
        have if have < length => Err(broken("the message is cut short")),
        have if have > length => Err(broken("more than one message")),
        _ if flags == 0 => Ok(bytes.slice(PREFIX..)),
        _ => match coding {
            Ok(coding) => Ok(body::decoded::<h2::Error>(&bytes[PREFIX..], coding, max)?),
            Err(other) => Err(broken(&format!("the message is in a coding that was not offered: {other}"))),
        },
    }
}

/// Bytes that a test frames by hand.
#[cfg(test)]
fn framed(flags: u8, length: u32, message: &[u8]) -> Bytes {
    let mut out = vec![flags];
    out.put_u32(length);
    out.put_slice(message);
    out.into()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::time::Duration;

    use super::{framed, timeout_value, unframe};
    use crate::base::failure::{Cause, Failure};
    use crate::transport::coding::Coding;

    #[test]
    fn a_timeout_has_at_most_eight_digits_and_is_rounded_down() {
        assert_eq!(timeout_value(Duration::from_nanos(1_999)), "1u");
        assert_eq!(timeout_value(Duration::from_millis(1_500)), "1500000u");
        assert_eq!(timeout_value(Duration::from_secs(100)), "100000m");
        assert_eq!(timeout_value(Duration::from_secs(200_000)), "200000S");
    }

    #[test]
    fn framing_that_is_broken_is_refused() {
        let unframe = |bytes: &bytes::Bytes| unframe(bytes, Err("none is named"), 1_000);
        assert_eq!(unframe(&framed(0, 2, b"ab")).map(|b| b.len()).ok(), Some(2));
        for wrong in [framed(0, 3, b"ab"), framed(0, 1, b"ab"), framed(1, 2, b"ab"), framed(9, 2, b"ab")] {
            assert!(unframe(&wrong).is_err());
        }
        assert!(unframe(&bytes::Bytes::from_static(b"\0\0")).is_err());
    }

    #[test]
    fn a_message_in_gzip_is_read_up_to_the_cap() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&[7; 1_000]).expect("memory takes everything");
        let gzip = gzip.finish().expect("memory takes everything");
        let length = u32::try_from(gzip.len()).expect("it is short");
        let message = framed(1, length, &gzip);
        assert_eq!(unframe(&message, Ok(Coding::Gzip), 1_000).ok().as_deref(), Some([7; 1_000].as_slice()));
        let failed = |read: Result<bytes::Bytes, Failure>| read.err().map(|failure| failure.cause);
        assert_eq!(failed(unframe(&message, Ok(Coding::Gzip), 999)), Some(Cause::ReplyTooLarge));
        assert_eq!(failed(unframe(&message, Err("identity"), 1_000)), Some(Cause::BadReply));
        assert_eq!(failed(unframe(&framed(1, 2, b"ab"), Ok(Coding::Gzip), 1_000)), Some(Cause::BadReply));
    }
}

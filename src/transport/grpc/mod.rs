//! gRPC calls: one message goes out over HTTP/2, one or a list of them comes in, as JSON through message tables.

mod details;
mod health;
pub mod message;
mod messages;
mod proto_json;
mod reflection;
mod status;

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut as _, Bytes};
use http::header::{CONTENT_TYPE, HeaderName, TE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Response, uri};
use tokio::time::Instant;

pub(super) use health::check;
pub use proto_json::ProtoJson;
pub use reflection::reflect;

use super::body::Cap;
use super::http2::{Broken, ReplyBody};
use super::{Backend, Instance, RequestBody, remaining, rest};
use crate::base::call::{Collect, Over, Reply, Take};
use crate::base::failure::{Cause, Failure};
use crate::base::value::Held;
use crate::descriptor::DescriptorPool;
use crate::plan::Rpc;
use message::{HttpBody, MessageId, Tables, WireError};
use messages::{End, Messages, Next, broken};

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");
const ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");
const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
/// How many attempts of a call came before it (gRFC A6); not said of the first.
const PREVIOUS_ATTEMPTS: HeaderName = HeaderName::from_static("grpc-previous-rpc-attempts");
/// One byte of flags and four of length stand before each message.
const PREFIX: usize = 5;
/// Header fields that every call has.
const OWN_FIELDS: usize = 5;

/// A rpc with its message tables.
#[derive(Debug)]
pub(super) struct Method {
    path: uri::PathAndQuery,
    tables: Arc<Tables>,
    input: MessageId,
    output: MessageId,
}

/// What stands before the message of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'c> {
    /// The declared metadata.
    pub(super) headers: &'c HeaderMap,
    /// When the reply must have come.
    pub(super) deadline: Instant,
    /// Attempts of the call before this one.
    pub(super) previous: u32,
}

/// What a call says, and how much it takes for an answer.
#[derive(Debug)]
pub(super) struct Asked<'m> {
    /// The rpc.
    pub(super) method: &'m Method,
    /// The message as JSON.
    pub(super) message: &'m Bytes,
    /// What is held of the reply.
    pub(super) take: Take,
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

/// Sends a call. A gRPC status other than OK becomes a reply with the HTTP status it maps to
/// and `{"code": "NOT_FOUND", "message": …}` as its body.
pub(super) async fn send(
    (backend, instance): (&Backend, &Instance),
    head: Head<'_>,
    asked: Asked<'_>,
) -> Result<Reply, Failure> {
    let Asked { method, message, take } = asked;
    let mut request = http::Request::new(RequestBody::Whole(Some(frame(method, message)?)));
    *request.method_mut() = http::Method::POST;
    *request.headers_mut() = headers(head);
    match instance.http2().send(method.path.clone(), request).await {
        Ok(response) => read(response, (method, take), backend.cap()).await,
        Err(Broken::Reset(reason)) => Ok(status::of_reset(reason)),
        Err(Broken::Failed(failure)) => Err(failure),
    }
}

/// Whether what came of a call cannot be what its backend promised: the rpc is not known any more, or its reply cannot
/// be read.
pub(super) fn contradicts(sent: &Result<Reply, Failure>) -> bool {
    match sent {
        Ok(reply) => reply.status == status::UNIMPLEMENTED,
        Err(failure) => failure.cause == Cause::BadReply,
    }
}

/// The message behind its prefix.
fn frame(method: &Method, message: &Bytes) -> Result<Bytes, Failure> {
    let mut out = Vec::with_capacity(message.len() + PREFIX);
    out.put_bytes(0, PREFIX);
    message::encode(&method.tables, method.input, message, &mut out)
        .map_err(|wrong| Failure::new(Cause::InvalidMessage, wrong.to_string()))?;
    let length = u32::try_from(out.len() - PREFIX)
        .map_err(|_| Failure::new(Cause::InvalidMessage, "the message is larger than gRPC can send"))?;
    out[1..PREFIX].copy_from_slice(&length.to_be_bytes());
    Ok(out.into())
}

fn headers(head: Head<'_>) -> HeaderMap {
    let Head { headers: declared, deadline, previous } = head;
    let mut headers = HeaderMap::with_capacity(declared.len() + OWN_FIELDS);
    headers.extend(declared.iter().map(|(name, value)| (name.clone(), value.clone())));
    headers.insert(CONTENT_TYPE, GRPC);
    headers.insert(TE, TRAILERS);
    headers.insert(ACCEPT_ENCODING, GZIP);
    headers.insert(USER_AGENT, rest::AGENT);
    headers.insert(TIMEOUT, timeout_value(remaining(deadline)));
    if previous > 0 {
        headers.insert(PREVIOUS_ATTEMPTS, HeaderValue::from(previous));
    }
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

async fn read(
    response: Response<ReplyBody>,
    (method, take): (&Method, Take),
    Cap { max, room }: Cap<'_>,
) -> Result<Reply, Failure> {
    let (head, body) = response.into_parts();
    let mut headers = head.headers;
    if !is_grpc(&headers) {
        return Ok(status::of_http(head.status.as_u16(), headers));
    }
    let mut messages = Messages::new(&headers, body).within(room);
    let (wires, end) = match take {
        Take::Message | Take::Data => one(&mut messages, max).await.map(|(wire, end)| (Wires::One(wire), Some(end)))?,
        Take::List(collect) => {
            several(&mut messages, max, collect).await.map(|(wires, end)| (Wires::List(wires), end))?
        }
    };
    let is_cut = end.is_none();
    if let Some(End { code, trailers }) = end {
        headers.extend(trailers);
        if code != 0 {
            return Ok(status::reply(code, headers, Some(&method.tables)));
        }
    }
    status::remove(&mut headers);
    let mut taken = messages.into_taken();
    let body = held(method, (wires, take), &mut headers)?;
    taken.reach(room, body.size()).await?;
    let body = body.keeping(taken);
    Ok(Reply { status: 200, headers: Arc::new(headers.into()), body, is_cut, code: Some(0) })
}

/// What came of a reply, before it is read.
enum Wires {
    /// The message of a rpc that answers once; there is none beside a status that says failure.
    One(Option<Bytes>),
    /// The messages of a stream.
    List(Vec<Bytes>),
}

/// The one message of a reply.
async fn one(messages: &mut Messages<ReplyBody>, max: u64) -> Result<(Option<Bytes>, End), Failure> {
    let message = match messages.next(max).await? {
        Next::Message(message) => message,
        Next::End(end) => return Ok((None, end)),
    };
    match messages.next(max).await? {
        Next::Message(_) => Err(broken("more than one message")),
        Next::End(end) => Ok((Some(message), end)),
    }
}

/// The messages of a stream, together no larger than the cap; without an end where the rest was given up.
async fn several(
    messages: &mut Messages<ReplyBody>,
    max: u64,
    collect: Collect,
) -> Result<(Vec<Bytes>, Option<End>), Failure> {
    let (mut wires, mut left) = (Vec::new(), max);
    loop {
        if wires.len() == collect.max && collect.over == Over::Cut {
            // Whether more would have come is not waited for: a stream need not have an end.
            return Ok((wires, None));
        }
        match messages.next(left).await? {
            Next::End(end) => return Ok((wires, Some(end))),
            Next::Message(_) if wires.len() == collect.max => {
                return Err(Failure::new(Cause::TooManyItems, format!("more than {} messages", collect.max)));
            }
            Next::Message(wire) => {
                left -= wire.len() as u64;
                wires.push(wire);
            }
        }
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// What a step holds of a reply. Data says of what media type it is in the header fields, as over REST.
fn held(method: &Method, (wires, take): (Wires, Take), headers: &mut HeaderMap) -> Result<Held, Failure> {
    let unread = |error: WireError| Failure::new(Cause::BadReply, format!("the message cannot be read: {error}"));
    let doc = match wires {
        Wires::One(None) => return Err(Failure::new(Cause::BadReply, "status OK without a message")),
        Wires::One(Some(wire)) if take == Take::Data => {
            let HttpBody { content_type, data } = message::http_body(&wire).map_err(unread)?;
            headers.remove(CONTENT_TYPE);
            let media_type = HeaderValue::from_str(&content_type).ok().filter(|media_type| !media_type.is_empty());
            headers.extend(media_type.map(|media_type| (CONTENT_TYPE, media_type)));
            return Ok(Held::Bytes(data));
        }
        Wires::One(Some(wire)) => message::decode(&method.tables, method.output, &wire),
        Wires::List(wires) => message::decode_list(&method.tables, method.output, &wires),
    };
    Ok(Held::whole(doc.map_err(unread)?))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::timeout_value;

    #[test]
    fn a_timeout_has_at_most_eight_digits_and_is_rounded_down() {
        assert_eq!(timeout_value(Duration::from_nanos(1_999)), "1u");
        assert_eq!(timeout_value(Duration::from_millis(1_500)), "1500000u");
        assert_eq!(timeout_value(Duration::from_secs(100)), "100000m");
        assert_eq!(timeout_value(Duration::from_secs(200_000)), "200000S");
    }
}

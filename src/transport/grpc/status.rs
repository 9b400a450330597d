//! gRPC statuses and what they are over HTTP.

use std::sync::Arc;

use h2::Reason;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::details;
use super::message::Tables;
use crate::base::call::Reply;
use crate::base::value::{DocBuilder, Held, Kind, Sink as _};

pub(super) const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// The HTTP status of a rpc that the backend does not know.
pub(super) const UNIMPLEMENTED: u16 = 501;

/// Names and HTTP statuses by number. Source: google/rpc/code.proto.
const CODES: [(&str, u16); 17] = [
    ("OK", 200),
    ("CANCELLED", 499),
    ("UNKNOWN", 500),
    ("INVALID_ARGUMENT", 400),
    ("DEADLINE_EXCEEDED", 504),
    ("NOT_FOUND", 404),
    ("ALREADY_EXISTS", 409),
    ("PERMISSION_DENIED", 403),
    ("RESOURCE_EXHAUSTED", 429),
    ("FAILED_PRECONDITION", 400),
    ("ABORTED", 409),
    ("OUT_OF_RANGE", 400),
    ("UNIMPLEMENTED", UNIMPLEMENTED),
    ("INTERNAL", 500),
    ("UNAVAILABLE", 503),
    ("DATA_LOSS", 500),
    ("UNAUTHENTICATED", 401),
];

/// The status that headers or trailers carry; `None` when there is none or it is no number.
pub(super) fn read(headers: &HeaderMap) -> Option<u32> {
    headers.get(STATUS)?.to_str().ok()?.parse().ok()
}

/// A status as people read it: its name, and the backend's words.
pub(super) fn words(code: u32, headers: &HeaderMap) -> String {
    let message = message(headers).unwrap_or_default();
    format!("{} {message}", name(code)).trim_end().to_owned()
}

fn name(code: u32) -> &'static str {
    CODES.get(code as usize).map_or("UNKNOWN", |(name, _)| name)
}

/// The words that a status carries.
fn message(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(MESSAGE)?;
    Some(percent_encoding::percent_decode(value.as_bytes()).decode_utf8_lossy().into_owned())
}

/// A reply that failed with a gRPC status. Its body is `{"code": …, "message": …}`, and `details` if the status has any
/// that `tables` can read.
pub(super) fn reply(code: u32, mut headers: HeaderMap, tables: Option<&Tables>) -> Reply {
    let status = CODES.get(code as usize).map_or(500, |(_, status)| *status);
    let message = message(&headers);
    let details = tables.zip(headers.get(DETAILS)).map(|(tables, value)| details::read(value, tables));
    remove(&mut headers);
    let mut out = DocBuilder::default();
    out.begin_object();
    out.key(b"\"code\":");
    out.text(Kind::String, name(code));
    out.key(b"\"message\":");
    out.text(Kind::String, message.as_deref().unwrap_or(""));
    if let Some(details) = details.filter(|details| !details.is_empty()) {
        out.key(b"\"details\":");
        out.begin_array();
        details.iter().for_each(|detail| out.view(detail.root()));
        out.end_array();
    }
    out.end_object();
    Reply {
        status,
        headers: Arc::new(headers.into()),
        body: Held::whole(out.finish()),
        is_cut: false,
        code: Some(u8::try_from(code).unwrap_or(2)),
    }
}

/// A reply that is no gRPC at all, judged by its HTTP status.
/// Source: gRPC, "HTTP to gRPC Status Code Mapping".
pub(super) fn of_http(status: u16, headers: HeaderMap) -> Reply {
    let code = match status {
        400 | 431 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502 | 503 | 504 => 14,
        _ => 2,
    };
    reply(code, headers, None)
}

/// The reply of a backend that ended the call's stream.
pub(super) fn of_reset(reason: Reason) -> Reply {
    let (code, trailers) = reset(reason);
    reply(code, trailers, None)
}

/// The status, and the trailers, that the end of a call's stream stands for.
/// Source: gRPC over HTTP2, "Errors".
pub(super) fn reset(reason: Reason) -> (u32, HeaderMap) {
    let code = match reason {
        Reason::REFUSED_STREAM => 14,
        Reason::CANCEL => 1,
        Reason::ENHANCE_YOUR_CALM => 8,
        Reason::INADEQUATE_SECURITY => 7,
        _ => 13,
    };
    let words = HeaderValue::from_str(reason.description()).ok();
    (code, words.map(|words| (MESSAGE, words)).into_iter().collect())
}

/// Takes the protocol's own fields out, so that they never reach a client.
pub(super) fn remove(headers: &mut HeaderMap) {
    for name in [STATUS, MESSAGE, DETAILS] {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use h2::Reason;

    use super::of_reset;

    #[test]
    fn a_stream_that_ends_by_a_code_is_the_status_of_that_code() {
        let statuses = [
            (Reason::NO_ERROR, "INTERNAL", 500),
            (Reason::PROTOCOL_ERROR, "INTERNAL", 500),
            (Reason::INTERNAL_ERROR, "INTERNAL", 500),
            (Reason::FLOW_CONTROL_ERROR, "INTERNAL", 500),
            (Reason::SETTINGS_TIMEOUT, "INTERNAL", 500),
            (Reason::STREAM_CLOSED, "INTERNAL", 500),
            (Reason::FRAME_SIZE_ERROR, "INTERNAL", 500),
            (Reason::REFUSED_STREAM, "UNAVAILABLE", 503),
            (Reason::CANCEL, "CANCELLED", 499),
            (Reason::COMPRESSION_ERROR, "INTERNAL", 500),
            (Reason::CONNECT_ERROR, "INTERNAL", 500),
            (Reason::ENHANCE_YOUR_CALM, "RESOURCE_EXHAUSTED", 429),
            (Reason::INADEQUATE_SECURITY, "PERMISSION_DENIED", 403),
            (Reason::HTTP_1_1_REQUIRED, "INTERNAL", 500),
        ];
        for (reason, code, status) in statuses {
            let reply = of_reset(reason);
            let body = reply.body.to_json();
            assert_eq!(reply.status, status, "{reason:?}");
            assert!(body.starts_with(&format!("{{\"code\":\"{code}\"")), "{reason:?}");
        }
    }
}

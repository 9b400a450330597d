//! Failures as clients of REST endpoints read them: problem documents (RFC 9457).

use std::time::Duration;

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use super::listen::AnswerBody;
use crate::base::failure::Failure;
use crate::base::value::{JsonWriter, Kind, Sink as _, member_key};

/// Members that a composition cannot replace.
const OWN: [&str; 7] = ["type", "title", "status", "code", "detail", "undo_failed", "request_id"];

/// The answer of a request that failed. Nothing of the log's text reaches it.
pub(super) fn response(failure: &Failure, request_id: &HeaderValue) -> Response<AnswerBody> {
    let status = StatusCode::from_u16(failure.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut out = JsonWriter::default();
    out.begin_object();
    out.key(b"\"type\":");
    out.text(Kind::String, "about:blank");
    out.key(b"\"title\":");
    out.text(Kind::String, title(status));
    out.key(b"\"status\":");
    out.uint(status.as_u16().into());
    out.key(b"\"code\":");
    out.text(Kind::String, failure.code());
    out.key(b"\"detail\":");
    out.text(Kind::String, failure.client_text());
    if let Some(with) = &failure.with {
        for (name, view) in with.root().members().filter(|(name, _)| !OWN.contains(&&**name)) {
            out.key(&member_key(&name));
            out.view(view);
        }
    }
    if let Some(steps) = &failure.undo_failed {
        out.key(b"\"undo_failed\":");
        out.begin_array();
        steps.iter().for_each(|step| out.text(Kind::String, step));
        out.end_array();
    }
    out.key(b"\"request_id\":");
    out.text(Kind::String, request_id.to_str().unwrap_or_default());
    out.end_object();
    let mut response = Response::new(AnswerBody::from(bytes::Bytes::from(out.bytes)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let Some(retry_after) = retry_after(failure) {
        response.headers_mut().insert(RETRY_AFTER, retry_after);
    }
    response
}

/// In how many seconds another try may help. A pause without an end is none that a client could wait for.
fn retry_after(failure: &Failure) -> Option<HeaderValue> {
    let pause = failure.retry_after.filter(|pause| *pause < Duration::from_secs(86_400))?;
    Some(HeaderValue::from(pause.as_secs() + u64::from(pause.subsec_nanos() > 0)))
}

/// The reason phrase; for statuses that have none, what kind of status it is.
fn title(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or(match status.as_u16() {
        499 => "Client Closed Request",
        400..=499 => "Client Error",
        _ => "Server Error",
    })
}

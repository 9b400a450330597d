//! The answer to a request that the listener does not take: a problem document (RFC 9457).

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode, Version};

use super::body::AnswerBody;
use crate::base::failure::Cause;

/// The request's id, in both directions.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What stands for a method where none could be read (OpenTelemetry, semantic conventions for HTTP).
pub const UNKNOWN_METHOD: &str = "_OTHER";

/// Bytes of a refused request that are looked at for its method and path.
const SHOWN: usize = 1 << 10;

/// A request that is not taken, as far as it could be read.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// Why.
    pub refusal: Refusal,
    /// The method, or [`UNKNOWN_METHOD`]; `None` when the handler has taken note of the request already.
    pub method: Option<&'a str>,
    /// The path, without the query; empty when there is none. A very long one is cut.
    pub path: &'a str,
    /// The version of HTTP.
    pub version: Version,
}

impl<'a> Refused<'a> {
    /// A request over HTTP/1, from the bytes of its head that came.
    pub(super) fn of_head(refusal: Refusal, head: &'a [u8]) -> Self {
        let line = head.trim_ascii_start();
        let line = &line[..line.len().min(SHOWN)];
        let line = line.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        let text = std::str::from_utf8(line).unwrap_or_default();
        let (method, rest) = text.split_once(' ').unwrap_or_default();
        let (target, version) = rest.split_once(' ').unwrap_or((rest, ""));
        let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_alphabetic());
        let is_path = is_method && target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic());
        let path = if is_path { target.split('?').next().unwrap_or_default() } else { "" };
        let version = if version == "HTTP/1.0" { Version::HTTP_10 } else { Version::HTTP_11 };
        Self { refusal, method: Some(if is_method { method } else { UNKNOWN_METHOD }), path, version }
    }

    /// Bytes of the answer's body. One to HEAD has none (RFC 9110, section 9.3.2).
    pub fn length(&self, id: &HeaderValue) -> usize {
        if self.is_head() { 0 } else { self.refusal.document(id).len() }
    }

    /// The answer as HTTP/1.1 writes it, for a connection that closes after it.
    pub(super) fn bytes(&self, id: &HeaderValue) -> Bytes {
        let (status, document) = (self.refusal.status(), self.refusal.document(id));
        let reason = status.canonical_reason().unwrap_or("");
        Bytes::from(format!(
            "HTTP/1.1 {} {reason}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n\
             cache-control: no-store\r\n{REQUEST_ID}: {}\r\nconnection: close\r\n\r\n{}",
            status.as_u16(),
            document.len(),
            text(id),
            if self.is_head() { "" } else { &document },
        ))
    }

    fn is_head(&self) -> bool {
        self.method == Some("HEAD")
    }
}

/// Why a request is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The row of the table of failures: status and code of the answer.
    pub cause: Cause,
    /// What is wrong, one sentence that the client reads: it is about the client's own bytes.
    pub detail: &'static str,
}

impl Refusal {
    /// A request that contradicts itself or the grammar: 400.
    pub const fn bad(detail: &'static str) -> Self {
        Self { cause: Cause::BadRequest, detail }
    }

    /// A request target over its limit: 414.
    pub const TARGET_TOO_LONG: Self =
        Self { cause: Cause::UriTooLong, detail: "The request target is longer than this gateway takes." };

    /// Header lines over their limits: 431.
    pub const HEADERS_TOO_LARGE: Self =
        Self { cause: Cause::HeadersTooLarge, detail: "The header fields are larger or more than this gateway takes." };

    /// A request head that did not arrive in time: 408.
    pub const HEAD_TOO_SLOW: Self =
        Self { cause: Cause::RequestTimeout, detail: "The request head was not sent in time." };

    /// A request on a connection beyond as many as there may be: 503.
    pub(super) const TOO_MANY_CONNECTIONS: Self =
        Self { cause: Cause::Overloaded, detail: "There are too many connections at the moment." };

    /// A fault of the gateway itself: 500.
    pub(super) const INTERNAL: Self = Self { cause: Cause::Internal, detail: "The gateway failed." };

    /// The answer, which says the request's id.
    pub fn response(self, id: HeaderValue) -> Response<AnswerBody> {
        let mut response = Response::new(AnswerBody::from(Bytes::from(self.document(&id))));
        *response.status_mut() = self.status();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers_mut().insert(REQUEST_ID, id);
        if self.cause == Cause::Overloaded {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    fn status(self) -> StatusCode {
        StatusCode::from_u16(self.cause.status()).unwrap_or(StatusCode::BAD_REQUEST)
    }

    /// None of the texts in it holds a quote, a backslash or a control character.
    fn document(self, id: &HeaderValue) -> String {
        let status = self.status();
        format!(
            r#"{{"type":"about:blank","title":"{}","status":{},"code":"{}","detail":"{}","request_id":"{}"}}"#,
            status.canonical_reason().unwrap_or(""),
            status.as_u16(),
            self.cause.code(),
            self.detail,
            text(id),
        )
    }
}

/// An id that the gateway made, or one of a client that is of plain characters.
fn text(id: &HeaderValue) -> &str {
    id.to_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::{Refusal, Refused};

    #[test]
    fn what_came_of_a_head_says_method_and_path() {
        let read = |head: &'static str| {
            let refused = Refused::of_head(Refusal::HEAD_TOO_SLOW, head.as_bytes());
            (refused.method, refused.path)
        };
        assert_eq!(read("\r\nGET /a/b?secret=1 HTTP/1.1\r\nHost"), (Some("GET"), "/a/b"));
        assert_eq!(read("POST /half"), (Some("POST"), "/half"));
        assert_eq!(read("GET http://a/b HTTP/1.1\r\n"), (Some("GET"), ""));
        for noise in ["\u{16}\u{3}\u{1}", "GET", "", "G\u{0}T /a HTTP/1.1"] {
            assert_eq!(read(noise), (Some("_OTHER"), ""), "{noise:?}");
        }
        let long = format!("GET /{} HTTP/1.1", "x".repeat(9_000));
        assert_eq!(Refused::of_head(Refusal::TARGET_TOO_LONG, long.as_bytes()).path.len(), 1_020);
    }

    #[test]
    fn a_refusal_is_a_problem_document_that_closes_the_connection() {
        let refused = Refused::of_head(Refusal::HEADERS_TOO_LARGE, b"GET / HTTP/1.1\r\n");
        let bytes = refused.bytes(&HeaderValue::from_static("r-1"));
        let text = std::str::from_utf8(&bytes).expect("ASCII");
        let (head, document) = text.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"), "{head}");
        assert!(head.contains("connection: close"), "{head}");
        assert!(head.contains(&format!("content-length: {}\r\n", document.len())), "{head}");
        let document: serde_json::Value = serde_json::from_str(document).expect("JSON");
        assert_eq!(document["code"], "headers_too_large");
        assert_eq!(document["request_id"], "r-1");
        assert!(head.contains("x-request-id: r-1\r\n"), "{head}");
        assert_eq!(document["status"], 431);
        assert_eq!(document["type"], "about:blank");
        assert_eq!(document["title"], "Request Header Fields Too Large");
        let to_head = Refused::of_head(Refusal::HEADERS_TOO_LARGE, b"HEAD / HTTP/1.1\r\n");
        assert_eq!(to_head.bytes(&HeaderValue::from_static("r-1")), format!("{head}\r\n\r\n"));
        assert_eq!(to_head.length(&HeaderValue::from_static("r-1")), 0);
    }
}

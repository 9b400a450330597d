//! The answer to a request that the listener does not take: a problem document (RFC 9457).

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};

use super::body::AnswerBody;
use crate::base::failure::Cause;

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

    /// A fault of the gateway itself: 500.
    pub(super) const INTERNAL: Self = Self { cause: Cause::Internal, detail: "The gateway failed." };

    /// The answer.
    pub fn response(self) -> Response<AnswerBody> {
        let mut response = Response::new(AnswerBody::from(Bytes::from(self.document())));
        *response.status_mut() = self.status();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// The answer as HTTP/1.1 writes it, for a connection that closes after it.
    pub(super) fn bytes(self) -> Bytes {
        let (status, document) = (self.status(), self.document());
        let reason = status.canonical_reason().unwrap_or("");
        Bytes::from(format!(
            "HTTP/1.1 {} {reason}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n\
             cache-control: no-store\r\nconnection: close\r\n\r\n{document}",
            status.as_u16(),
            document.len(),
        ))
    }

    fn status(self) -> StatusCode {
        StatusCode::from_u16(self.cause.status()).unwrap_or(StatusCode::BAD_REQUEST)
    }

    /// None of the texts in it holds a quote, a backslash or a control character.
    fn document(self) -> String {
        let status = self.status();
        format!(
            r#"{{"type":"about:blank","title":"{}","status":{},"detail":"{}","code":"{}"}}"#,
            status.canonical_reason().unwrap_or(""),
            status.as_u16(),
            self.detail,
            self.cause.code(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Refusal;

    #[test]
    fn a_refusal_is_a_problem_document_that_closes_the_connection() {
        let bytes = Refusal::HEADERS_TOO_LARGE.bytes();
        let text = std::str::from_utf8(&bytes).expect("ASCII");
        let (head, document) = text.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"), "{head}");
        assert!(head.contains("connection: close"), "{head}");
        assert!(head.contains(&format!("content-length: {}\r\n", document.len())), "{head}");
        let document: serde_json::Value = serde_json::from_str(document).expect("JSON");
        assert_eq!(document["code"], "headers_too_large");
        assert_eq!(document["status"], 431);
        assert_eq!(document["type"], "about:blank");
        assert_eq!(document["title"], "Request Header Fields Too Large");
    }
}

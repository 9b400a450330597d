//! The heads of messages: a request's is written, a reply's is read (RFC 9112, sections 2 to 6).

use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, Method, StatusCode, Version, uri};

use super::framing::Framing;
use crate::base::fields::{Fields, Seen};
use crate::transport::instance::TIMEOUT;

/// Header fields that a reply may have.
const FIELDS: usize = 128;
/// Bytes that a reply's head may have.
const LENGTH: usize = 64 << 10;

/// What a request's head is written from.
#[derive(Debug)]
pub(super) struct RequestHead<'a> {
    pub(super) method: &'a Method,
    pub(super) target: &'a uri::PathAndQuery,
    pub(super) fields: RequestFields<'a>,
    /// How its body is framed, `None` for a request without one.
    pub(super) body: Option<Framing>,
}

/// The header fields of a request.
#[derive(Debug)]
pub(super) struct RequestFields<'a> {
    /// What it declares.
    pub(super) headers: &'a HeaderMap,
    /// What it has where it declares none of the same name.
    pub(super) usual: &'a [(HeaderName, HeaderValue)],
    /// The `Host` of a request that declares none.
    pub(super) host: &'a HeaderValue,
    /// How long the backend has to answer.
    pub(super) timeout: Duration,
}

impl RequestHead<'_> {
    /// The bytes of the head, with the empty line behind it. Fields that frame the message are written as the
    /// body demands, whatever the header fields say.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        let mut put = |parts: &[&[u8]]| parts.iter().for_each(|part| out.extend_from_slice(part));
        put(&[self.method.as_str().as_bytes(), b" ", self.target.as_str().as_bytes(), b" HTTP/1.1\r\n"]);
        let RequestFields { headers, usual, host, timeout } = self.fields;
        if !headers.contains_key(HOST) {
            put(&[b"host: ", host.as_bytes(), b"\r\n"]);
        }
        let declared = headers.iter().filter(|(name, _)| !is_framing(name));
        let usual = usual.iter().filter(|(name, _)| !headers.contains_key(name)).map(|(name, value)| (name, value));
        for (name, value) in declared.chain(usual) {
            put(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"]);
        }
        if !headers.contains_key(TIMEOUT) {
            let millis = HeaderValue::from(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
            put(&[TIMEOUT.as_str().as_bytes(), b": ", millis.as_bytes(), b"\r\n"]);
        }
        match self.body {
            Some(Framing::Length(length)) => {
                put(&[b"content-length: ", length.to_string().as_bytes(), b"\r\n"]);
            }
            Some(_) => put(&[b"transfer-encoding: chunked\r\n"]),
            None => {}
        }
        put(&[b"\r\n"]);
        out
    }
}

/// `Expect` is among them, for no body waits here for a backend's leave.
fn is_framing(name: &HeaderName) -> bool {
    [CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, UPGRADE, EXPECT].contains(name)
}

/// A reply's head.
#[derive(Debug)]
pub(super) struct ReplyHead {
    pub(super) status: StatusCode,
    pub(super) fields: Fields,
    /// How the body behind it is framed.
    pub(super) framing: Framing,
    /// Whether another request may follow on the connection.
    pub(super) is_kept: bool,
}

/// What the fields of a reply's head say of the message and its connection.
#[derive(Debug, Default)]
struct Said<'b> {
    length: Option<&'b [u8]>,
    has_other_length: bool,
    transfer_coding: Option<&'b [u8]>,
    has_other_transfer_coding: bool,
    is_close: bool,
    is_keep_alive: bool,
    content_type: Option<&'b [u8]>,
    is_coded: bool,
}

/// Takes the head of the reply to a request with `method` from the front of `bytes`, and any interim replies before
/// it. `None` asks for more bytes.
///
/// # Errors
/// Words for a head that is not HTTP/1, too large, or does not say in one way where its body ends.
pub(super) fn take(bytes: &mut Bytes, method: &Method) -> Result<Option<ReplyHead>, String> {
    loop {
        let mut fields = [const { std::mem::MaybeUninit::uninit() }; FIELDS];
        let mut parsed = httparse::Response::new(&mut []);
        let read = httparse::ParserConfig::default()
            .parse_response_with_uninit_headers(&mut parsed, bytes, &mut fields)
            .map_err(|error| format!("the reply is not HTTP/1.1: {error}"))?;
        let length = match read {
            httparse::Status::Complete(length) => length,
            httparse::Status::Partial if bytes.len() < LENGTH => return Ok(None),
            httparse::Status::Partial => return Err(format!("the reply's head is larger than {LENGTH} bytes")),
        };
        let status = parsed.code.and_then(|code| StatusCode::from_u16(code).ok());
        let status = status.ok_or_else(|| "the reply's status is not one of HTTP".to_owned())?;
        if status == StatusCode::SWITCHING_PROTOCOLS {
            return Err("the reply changes the protocol, which nothing asked for".to_owned());
        }
        if !status.is_informational() {
            let version = if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
            let said = Said::in_fields(parsed.headers);
            let framing = said.framing(version)?;
            let has_body =
                *method != Method::HEAD && status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED;
            let framing = if has_body { framing } else { Framing::Length(0) };
            let is_kept = if version == Version::HTTP_10 { said.is_keep_alive } else { !said.is_close };
            let content_type = said.content_type.and_then(|value| HeaderValue::from_bytes(value).ok());
            let seen = Seen { content_type, is_coded: said.is_coded };
            // The fields get bytes of their own: the rest of what was read is the body's.
            let fields = Fields::of_head(Bytes::copy_from_slice(&bytes[..length]), seen);
            bytes.advance(length);
            return Ok(Some(ReplyHead { status, fields, framing, is_kept }));
        }
        bytes.advance(length);
    }
}

impl<'b> Said<'b> {
    fn in_fields(fields: &[httparse::Header<'b>]) -> Self {
        let mut said = Self::default();
        for field in fields {
            let (name, value) = (field.name.as_bytes(), field.value);
            // The lengths of the names tell most of them apart.
            match name.len() {
                10 if name.eq_ignore_ascii_case(b"connection") => {
                    let named = |option: &[u8]| {
                        value.split(|byte| *byte == b',').any(|name| name.trim_ascii().eq_ignore_ascii_case(option))
                    };
                    said.is_close |= named(b"close");
                    said.is_keep_alive |= named(b"keep-alive");
                }
                12 if name.eq_ignore_ascii_case(b"content-type") => {
                    said.content_type = said.content_type.or(Some(value))
                }
                14 if name.eq_ignore_ascii_case(b"content-length") => {
                    said.has_other_length |= said.length.is_some_and(|length| length != value);
                    said.length = Some(value);
                }
                16 if name.eq_ignore_ascii_case(b"content-encoding") => said.is_coded = true,
                17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                    said.has_other_transfer_coding |= said.transfer_coding.is_some();
                    said.transfer_coding = Some(value);
                }
                _ => {}
            }
        }
        said
    }

    /// Where the body ends. What can be read in two ways is refused, for the next reply would begin at two places
    /// (RFC 9112, section 6.3).
    fn framing(&self, version: Version) -> Result<Framing, String> {
        if self.has_other_length {
            return Err("the reply has two different lengths".to_owned());
        }
        match (self.transfer_coding, self.length) {
            (None, None) => Ok(Framing::UntilClose),
            (None, Some(length)) => {
                let text =
                    std::str::from_utf8(length).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
                let number = text.and_then(|text| text.parse().ok());
                number.map(Framing::Length).ok_or_else(|| "the reply's length is not a number".to_owned())
            }
            (Some(_), Some(_)) => Err("the reply has both a length and a transfer coding".to_owned()),
            (Some(coding), None) => {
                let is_chunked = coding.eq_ignore_ascii_case(b"chunked") && !self.has_other_transfer_coding;
                match is_chunked && version == Version::HTTP_11 {
                    true => Ok(Framing::chunked()),
                    false => Err("the reply's transfer coding is not chunked".to_owned()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderName, HeaderValue, Method, uri};

    use std::time::Duration;

    use super::{RequestFields, RequestHead, take};
    use crate::transport::http1::framing::Framing;

    fn read(text: &str) -> Result<Option<(u16, Framing, bool, String)>, String> {
        let mut bytes = Bytes::copy_from_slice(text.as_bytes());
        let head = take(&mut bytes, &Method::GET)?;
        let rest = String::from_utf8_lossy(&bytes).into_owned();
        Ok(head.map(|head| (head.status.as_u16(), head.framing, head.is_kept, rest)))
    }

    #[test]
    fn a_request_says_its_own_framing_and_nobody_elses() {
        let mut headers = HeaderMap::new();
        headers.insert("content-length", HeaderValue::from_static("7"));
        headers.insert("x-one", HeaderValue::from_static("1"));
        let usual = ["x-one", "x-two"].map(|name| (HeaderName::from_static(name), HeaderValue::from_static("2")));
        let head = |body| {
            RequestHead {
                method: &Method::POST,
                target: &uri::PathAndQuery::from_static("/a?b=c"),
                fields: RequestFields {
                    headers: &headers,
                    usual: &usual,
                    host: &HeaderValue::from_static("shop:80"),
                    timeout: Duration::from_secs(5),
                },
                body,
            }
            .write()
        };
        let text = |body| String::from_utf8(head(body)).expect("it is ASCII");
        assert_eq!(
            text(None),
            "POST /a?b=c HTTP/1.1\r\nhost: shop:80\r\nx-one: 1\r\nx-two: 2\r\nx-request-timeout-ms: 5000\r\n\r\n"
        );
        assert!(
            text(Some(Framing::Length(2)))
                .ends_with("x-one: 1\r\nx-two: 2\r\nx-request-timeout-ms: 5000\r\ncontent-length: 2\r\n\r\n")
        );
        assert!(
            text(Some(Framing::chunked()))
                .ends_with("x-one: 1\r\nx-two: 2\r\nx-request-timeout-ms: 5000\r\ntransfer-encoding: chunked\r\n\r\n")
        );
    }

    #[test]
    fn a_head_is_taken_when_it_is_whole() {
        let text = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        for end in 0..text.len() - 2 {
            assert_eq!(read(&text[..end]), Ok(None));
        }
        assert_eq!(read(text), Ok(Some((200, Framing::Length(2), true, "ok".to_owned()))));
    }

    #[test]
    fn interim_replies_are_passed_over() {
        let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 404 N\r\n\r\n";
        assert_eq!(read(text), Ok(Some((404, Framing::UntilClose, true, String::new()))));
    }

    #[test]
    fn where_a_body_ends_and_whether_the_connection_stays() {
        let of = |fields: &str| read(&format!("{fields}\r\n\r\n")).map(|head| head.map(|head| (head.1, head.2)));
        assert_eq!(of("HTTP/1.1 204 No"), Ok(Some((Framing::Length(0), true))));
        assert_eq!(of("HTTP/1.1 304 Not\r\ncontent-length: 9"), Ok(Some((Framing::Length(0), true))));
        assert_eq!(of("HTTP/1.1 200 OK\r\nConnection: x, Close"), Ok(Some((Framing::UntilClose, false))));
        assert_eq!(of("HTTP/1.0 200 OK\r\ncontent-length: 1"), Ok(Some((Framing::Length(1), false))));
        let kept = "HTTP/1.0 200 OK\r\ncontent-length: 1\r\nconnection: keep-alive";
        assert_eq!(of(kept), Ok(Some((Framing::Length(1), true))));
        assert_eq!(of("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked"), Ok(Some((Framing::chunked(), true))));
        let twice = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1";
        assert_eq!(of(twice), Ok(Some((Framing::Length(1), true))));
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for fields in [
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2",
            "HTTP/1.1 200 OK\r\ncontent-length: +1",
            "HTTP/1.1 200 OK\r\ncontent-length: 1, 1",
            "HTTP/1.1 200 OK\r\ncontent-length:",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999",
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked",
            "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked",
            "HTTP/1.1 101 Switching",
            "HTTP/1.1 200 OK\r\nname : value",
            "HTTP/1.1 200 OK\r\na: b\r\n c",
            "HTTP/2 200 OK",
            "ICY 200 OK",
        ] {
            assert!(read(&format!("{fields}\r\n\r\n")).is_err(), "{fields}");
        }
        assert!(read(&format!("HTTP/1.1 200 OK\r\nlong: {}", "x".repeat(70_000))).is_err());
        assert!(read(&format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(200))).is_err());
    }
}

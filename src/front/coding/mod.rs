//! Answers in a content coding, as far as a client asks for it and it is worth the time (RFC 9110 section 12.5.3).
//!
//! What the client will see: bodies of text from a kilobyte on come in zstd, brotli or gzip, whichever it likes best, and say
//! in `Vary` that they differ by `Accept-Encoding`. What passes through (`proxy`) and what streams is left as it is.

mod accept;
mod streamed;
mod whole;

use std::sync::Mutex;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, VARY};
use http::{HeaderMap, HeaderValue, Response};

use super::listen::AnswerBody;

pub use accept::Accepted;
use streamed::Streamed;
use whole::Kept;

/// Bodies below this many bytes stay as they are: they fit into one packet anyway.
const LEAST: usize = 1024;
/// Bodies up to this many bytes are coded in one piece. Larger ones are coded while they are sent, so that one of them
/// does not keep its thread from all others.
const AT_ONCE: usize = 64 << 10;

/// A content coding that answers can have. The levels are the fastest that make bodies of JSON small: a level more costs
/// twice the time and saves a twentieth (`docs/DESIGN.md` has the figures).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Zstandard (RFC 8878).
    Zstd,
    /// Brotli (RFC 7932).
    Brotli,
    /// gzip (RFC 1952).
    Gzip,
}

impl Coding {
    /// Every coding, the best first where a client likes several alike.
    const ALL: [Self; 3] = [Self::Zstd, Self::Brotli, Self::Gzip];

    /// Its name in header fields.
    fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }
}

/// What codes the answers of one worker. What it needs is made once and kept.
#[derive(Debug, Default)]
pub struct Coder {
    kept: Mutex<Kept>,
}

impl Coder {
    /// The answer in the coding that its client likes best. One to HEAD says what that to GET would.
    pub fn code(&self, mut answer: Response<AnswerBody>, accepted: Accepted, to_head: ToHead) -> Response<AnswerBody> {
        let Some(bytes) = answer.body().bytes().filter(|bytes| !bytes.is_empty()).cloned() else { return answer };
        let is_long = bytes.len() >= LEAST;
        if !(is_long || accepted.refuses_plain()) || !is_of_its_own(answer.headers()) {
            return answer;
        }
        let is_worth_it = is_long && is_text(answer.headers());
        if is_worth_it {
            add_vary(answer.headers_mut());
        }
        let Some(coding) = accepted.best(is_worth_it) else { return answer };
        let coded = match () {
            () if to_head == ToHead::Yes => None,
            () if bytes.len() <= AT_ONCE => self.whole(coding, &bytes).map(AnswerBody::from),
            () => Streamed::new(coding, bytes).map(AnswerBody::stream),
        };
        let body = match (coded, to_head) {
            (Some(coded), _) => coded,
            (None, ToHead::Yes) => AnswerBody::empty(),
            // Memory takes everything; were it not so, the body would go out as it is.
            (None, ToHead::No) => return answer,
        };
        let (mut head, _) = answer.into_parts();
        head.headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
        match http_body::Body::size_hint(&body).exact().filter(|_| to_head == ToHead::No) {
            Some(length) => drop(head.headers.insert(CONTENT_LENGTH, HeaderValue::from(length))),
            None => drop(head.headers.remove(CONTENT_LENGTH)),
        }
        weaken_tag(&mut head.headers);
        Response::from_parts(head, body)
    }

    fn whole(&self, coding: Coding, bytes: &[u8]) -> Option<Bytes> {
        let mut kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        kept.code(coding, bytes).ok().map(Bytes::from)
    }
}

/// Whether an answer is one to HEAD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToHead {
    /// It will have no body.
    Yes,
    /// It will have its body.
    No,
}

/// Whether a body may be changed: it is in no coding, it is no part, and nothing forbids it (RFC 9111 section 5.2.2.6).
fn is_of_its_own(headers: &HeaderMap) -> bool {
    let forbids =
        |value: &HeaderValue| value.to_str().is_ok_and(|value| value.to_ascii_lowercase().contains("no-transform"));
    !headers.contains_key(CONTENT_ENCODING)
        && !headers.contains_key(CONTENT_RANGE)
        && !headers.get_all(CACHE_CONTROL).iter().any(forbids)
}

/// Whether the media type is one whose bodies become smaller.
fn is_text(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(CONTENT_TYPE).map(HeaderValue::to_str) else { return false };
    let media = value.split(';').next().unwrap_or_default().trim();
    let is = |wanted: &str| media.eq_ignore_ascii_case(wanted);
    let begins = |wanted: &str| media.get(..wanted.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(wanted));
    let ends = |wanted: &str| {
        media.len() >= wanted.len()
            && media.get(media.len() - wanted.len()..).is_some_and(|end| end.eq_ignore_ascii_case(wanted))
    };
    is("application/json")
        || begins("text/")
        || ends("+json")
        || ends("+xml")
        || ["application/javascript", "application/xml", "application/x-ndjson"].into_iter().any(is)
}

/// Says that the answer differs by `Accept-Encoding`, unless that is said.
fn add_vary(headers: &mut HeaderMap) {
    let says = |value: &HeaderValue| {
        value.to_str().is_ok_and(|value| {
            value.split(',').map(str::trim).any(|name| name == "*" || name.eq_ignore_ascii_case("accept-encoding"))
        })
    };
    if !headers.get_all(VARY).iter().any(says) {
        headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    }
}

/// A tag of the body as it was stands for one that means the same, and is not the same to the byte (RFC 9110 section 8.8.1).
fn weaken_tag(headers: &mut HeaderMap) {
    let Some(tag) = headers.get(ETAG).filter(|tag| !tag.as_bytes().starts_with(b"W/")) else { return };
    if let Ok(weak) = HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat()) {
        headers.insert(ETAG, weak);
    }
}

#[cfg(test)]
mod tests;

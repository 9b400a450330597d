//! What clients may keep: the header fields that say so, tags of answers, and 304 for who has the answer already.

use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderValue, Method, Response, StatusCode};

use super::super::listen::AnswerBody;
use crate::exec::ClientRequest;
use crate::plan::{AnswerCache, Endpoint};

/// What the answer to one request says of keeping it.
#[derive(Debug)]
pub(super) struct Keeping<'p> {
    cache: &'p AnswerCache,
    /// The tags that the client has.
    known: Vec<HeaderValue>,
}

impl<'p> Keeping<'p> {
    /// For a request; `None` where nothing is kept.
    pub(super) fn of(endpoint: &'p Endpoint, client: &ClientRequest) -> Option<Self> {
        let cache = endpoint.cache.as_deref()?;
        let reads = matches!(client.head.method, Method::GET | Method::HEAD);
        let known = client.head.headers.get_all(IF_NONE_MATCH).iter().cloned();
        reads.then(|| Self { cache, known: known.collect() })
    }

    /// The answer with what it says of keeping it, or that the client has it. One that says already that nobody keeps it, or
    /// is no success, is not kept.
    pub(super) fn said(&self, mut response: Response<AnswerBody>) -> Response<AnswerBody> {
        if !response.status().is_success() || response.headers().contains_key(CACHE_CONTROL) {
            return response;
        }
        let tag = response.body().bytes().filter(|_| self.cache.is_tagged).map(|bytes| tag(bytes));
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, self.cache.control.clone());
        headers.append(VARY, self.cache.vary.clone());
        let Some(Ok(value)) = tag.as_ref().map(|tag| HeaderValue::from_str(tag)) else { return response };
        headers.insert(ETAG, value);
        let known = tag.as_ref().and_then(|tag| self.known(tag));
        if let Some(known) = known.filter(|_| response.status() == StatusCode::OK) {
            response.headers_mut().insert(ETAG, known);
            response.headers_mut().remove(CONTENT_TYPE);
            response.headers_mut().remove(CONTENT_LENGTH);
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = AnswerBody::empty();
        }
        response
    }

    /// The tag as the client has it, if it does: one in a content coding is marked as weak, and means the same.
    fn known(&self, tag: &str) -> Option<HeaderValue> {
        let written = self.known.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        let mut same = written.map(str::trim).filter_map(|known| match known {
            "*" => Some(tag),
            known => (known.strip_prefix("W/").unwrap_or(known) == tag).then_some(known),
        });
        same.next().and_then(|known| HeaderValue::from_str(known).ok())
    }
}

/// A strong tag of a body: half of its SHA-256.
fn tag(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    let half = &digest.as_ref()[..16];
    format!("\"{}\"", half.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::tag;

    #[test]
    fn a_tag_tells_bodies_apart_and_is_the_same_everywhere() {
        assert_eq!(tag(b""), "\"e3b0c44298fc1c149afbf4c8996fb924\"");
        assert_ne!(tag(b"1"), tag(b"2"));
    }
}

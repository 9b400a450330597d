//! Clients that stay at the addresses of backends where they were: the cookies that they bring, and get.
//!
//! **Invariant:** an answer with such a cookie is kept by nobody. What is kept here is kept without it.

use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::client::ClientRequest;
use crate::base::anchor::Anchor;
use crate::plan::Sticky;

/// What tells caches before the gateway otherwise than `Cache-Control` does (RFC 9213, and what was there before it).
const FOR_SHARED_CACHES: [HeaderName; 2] =
    [HeaderName::from_static("cdn-cache-control"), HeaderName::from_static("surrogate-control")];

/// Where the calls of one request stay, by backend.
#[derive(Debug, Default)]
pub(super) struct Anchors(Mutex<Vec<(Arc<Sticky>, Arc<Anchor>)>>);

impl ClientRequest {
    /// Where the calls of this request to a backend stay.
    pub(super) fn anchor(&self, sticky: &Arc<Sticky>) -> Arc<Anchor> {
        let mut anchors = self.anchors.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, anchor)) = anchors.iter().find(|(known, _)| known.cookie == sticky.cookie) {
            return anchor.clone();
        }
        let anchor = Arc::new(Anchor::new(self.cookie(&sticky.cookie).and_then(parsed)));
        anchors.push((sticky.clone(), anchor.clone()));
        anchor
    }

    /// Tells the client in its answer where it is to stay, if it does not know.
    pub(super) fn tell_anchors(&self, answer: &mut HeaderMap) {
        for (sticky, anchor) in self.anchors.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let field = anchor.moved().map(|at| format!("{}={at:016x}{}", sticky.cookie, sticky.attributes));
            // The name of a cookie is a token, and the rest was checked or is made here.
            let Some(Ok(field)) = field.map(|field| HeaderValue::from_str(&field)) else { continue };
            answer.append(SET_COOKIE, field);
            answer.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            FOR_SHARED_CACHES.iter().for_each(|name| drop(answer.remove(name)));
        }
    }
}

/// The id in a cookie; `None` for what this gateway never writes.
fn parsed(value: &str) -> Option<NonZeroU64> {
    let is_written = value.len() == 16 && value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    u64::from_str_radix(value, 16).ok().filter(|_| is_written).and_then(NonZeroU64::new)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn request(cookies: &str) -> ClientRequest {
        let (head, ()) = http::Request::builder().header("cookie", cookies).body(()).expect("it is one").into_parts();
        ClientRequest::new(head, HeaderValue::from_static("r"), IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    fn sticky(cookie: &str) -> Arc<Sticky> {
        Arc::new(Sticky { cookie: cookie.into(), attributes: "; Path=/".into(), of: "a".into() })
    }

    fn id(id: u64) -> NonZeroU64 {
        NonZeroU64::new(id).expect("it is not 0")
    }

    #[test]
    fn a_client_that_knows_its_address_is_told_nothing() {
        let request = request("at=00000000000000ff");
        assert_eq!(request.anchor(&sticky("at")).at(), Some(id(255)));
        let mut answer = HeaderMap::new();
        request.tell_anchors(&mut answer);
        assert!(answer.is_empty());
    }

    #[test]
    fn calls_to_one_backend_share_an_anchor_and_the_answer_says_it_once() {
        let request = request("at=ff; other=0000000000000000");
        request.anchor(&sticky("at")).moor(None, id(7));
        assert_eq!(request.anchor(&sticky("at")).at(), Some(id(7)));
        assert_eq!(request.anchor(&sticky("other")).at(), None);
        let mut answer = HeaderMap::new();
        answer.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
        answer.insert(&FOR_SHARED_CACHES[0], HeaderValue::from_static("max-age=60"));
        request.tell_anchors(&mut answer);
        assert_eq!(answer.len(), 2);
        assert_eq!(answer[SET_COOKIE], "at=0000000000000007; Path=/");
        assert_eq!(answer[CACHE_CONTROL], "no-store");
    }

    #[test]
    fn only_what_the_gateway_writes_is_an_id() {
        assert_eq!(parsed("00000000000000ff"), Some(id(255)));
        for other in ["", "ff", "00000000000000FF", "+0000000000000ff", "0000000000000000", "00000000000000ff0"] {
            assert_eq!(parsed(other), None, "{other}");
        }
    }
}

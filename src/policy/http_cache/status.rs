//! What answers say of the cache (RFC 9211).

use std::fmt::Write as _;
use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};

/// `Cache-Status`.
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// Why a request was sent on (section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forwarded {
    /// The request is nothing for a cache.
    Bypass,
    /// Its method is nothing for a cache.
    Method,
    /// Nothing is kept for its target.
    UriMiss,
    /// What is kept for its target is for other requests.
    VaryMiss,
    /// What is kept is fresh, and the request wants its backend asked.
    Request,
    /// What is kept is stale.
    Stale,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It was answered by what is kept, which stays fresh for so long; without, it is stale.
    Hit(Option<Duration>),
    /// It was sent on, its backend failed, and what is kept stands in.
    InPlace(Forwarded),
    /// It was sent on, and answered with this status.
    Sent(Forwarded, StatusCode),
    /// The same, and the reply is kept when it has come to its end.
    Stored(Forwarded, StatusCode),
}

impl Forwarded {
    fn name(self) -> &'static str {
        match self {
            Self::Bypass => "bypass",
            Self::Method => "method",
            Self::UriMiss => "uri-miss",
            Self::VaryMiss => "vary-miss",
            Self::Request => "request",
            Self::Stale => "stale",
        }
    }
}

/// The field that says what became of a request; it is added behind those of caches nearer to the origin.
pub fn status_field(kept: Kept) -> Option<(HeaderName, HeaderValue)> {
    let mut text = String::from("selvedge; ");
    let written = match kept {
        Kept::Hit(Some(left)) => write!(text, "hit; ttl={}", left.as_secs()),
        Kept::Hit(None) => write!(text, "hit; detail=stale"),
        Kept::InPlace(why) => write!(text, "fwd={}; detail=backend-failed", why.name()),
        Kept::Sent(why, status) => write!(text, "fwd={}; fwd-status={}", why.name(), status.as_u16()),
        Kept::Stored(why, status) => write!(text, "fwd={}; fwd-status={}; stored", why.name(), status.as_u16()),
    };
    written.ok()?;
    Some((CACHE_STATUS, HeaderValue::from_str(&text).ok()?))
}

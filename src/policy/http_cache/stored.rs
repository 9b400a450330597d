//! A reply that is kept: whether it may be, for which requests, and what it is good for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{
    AGE, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, COOKIE, DATE, ETAG, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, LAST_MODIFIED, SET_COOKIE, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::time::Instant;

use super::directives::Directives;
use super::freshness::{initial_age, is_heuristic, lifetime};

/// How much longer than it serves a reply is kept that can be asked about: `304` is cheaper than all of it.
const ASKABLE: Duration = Duration::from_secs(24 * 60 * 60);
/// Final statuses whose meaning for caches is known, for `must-understand` (RFC 9111 section 5.2.2.3).
const UNDERSTOOD: [u16; 44] = [
    200, 203, 204, 300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413,
    414, 415, 416, 417, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 511,
];
/// Fields of a `304` that say nothing of the kept body (section 3.2).
const OF_THE_BODY: [&str; 8] = [
    "content-encoding",
    "content-length",
    "content-md5",
    "content-range",
    "content-digest",
    "repr-digest",
    "etag",
    "transfer-encoding",
];

/// The value of a field as it selects; `None` where a request has no such field.
type Selected = Option<Box<[u8]>>;

/// When a reply came.
#[derive(Clone, Copy, Debug)]
pub struct Came {
    /// By the clock on the wall, which `Date` goes by.
    pub wall: SystemTime,
    /// The same moment, for what passes after it.
    pub at: Instant,
    /// How long after it was asked for.
    pub delay: Duration,
}

/// A reply that is kept.
#[derive(Debug)]
pub struct Stored {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    /// The fields of the request that select it, with their values there.
    selecting: Box<[(HeaderName, Selected)]>,
    /// The fields that a composition writes into such requests.
    declared: Box<[HeaderName]>,
    directives: Directives,
    lifetime: Duration,
    initial_age: Duration,
    came: Came,
    /// Whether a newer one is being fetched behind it.
    is_refreshing: AtomicBool,
}

/// Whether the reply to a GET with these fields may be kept and could be of use (RFC 9111 section 3).
pub fn is_storable(asked: &HeaderMap, (status, headers): (StatusCode, &HeaderMap), came: Came) -> bool {
    let directives = Directives::of_reply(headers);
    let is_understood = UNDERSTOOD.contains(&status.as_u16());
    let forbids = match directives.must_understand {
        true => !is_understood,
        false => directives.no_store,
    };
    let is_partial = matches!(status.as_u16(), 206 | 304) || status.is_informational();
    if forbids || is_partial || directives.private || Directives::of_request(asked).no_store {
        return false;
    }
    let is_everybodys = directives.public || directives.s_maxage.is_some() || directives.must_revalidate;
    let has_credentials =
        asked.contains_key(AUTHORIZATION) || (asked.contains_key(COOKIE) && !varies_by(headers, "cookie"));
    let sets_cookies = headers.contains_key(SET_COOKIE) && !directives.public;
    if (has_credentials && !is_everybodys) || sets_cookies || varies_by(headers, "*") {
        return false;
    }
    let lifetime = lifetime((status, headers), &directives, came.wall);
    let is_askable = headers.contains_key(ETAG) || headers.contains_key(LAST_MODIFIED);
    let is_fresh = lifetime.is_some_and(|lifetime| lifetime > initial_age(headers, came.wall, came.delay));
    let may_be_kept = lifetime.is_some() || directives.public || is_heuristic(status);
    let serves_stale = directives.stale_if_error.or(directives.stale_while_revalidate).is_some();
    may_be_kept && (is_fresh || is_askable || serves_stale)
}

impl Stored {
    /// A reply to a request, all of it. Whether it may be kept is for [`is_storable`] to say.
    pub fn new(
        (asked, declared): (&HeaderMap, Box<[HeaderName]>),
        (status, mut headers): (StatusCode, HeaderMap),
        body: Bytes,
        came: Came,
    ) -> Self {
        if !headers.contains_key(DATE)
            && let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(came.wall))
        {
            headers.insert(DATE, date);
        }
        let directives = Directives::of_reply(&headers);
        let lifetime = lifetime((status, &headers), &directives, came.wall).unwrap_or_default();
        let initial_age = initial_age(&headers, came.wall, came.delay);
        let names = vary(&headers).chain(declared.iter().cloned());
        let selecting = names.map(|name| (selected(asked, &name), name)).map(|(value, name)| (name, value)).collect();
        let is_refreshing = AtomicBool::new(false);
        Self { status, headers, body, selecting, declared, directives, lifetime, initial_age, came, is_refreshing }
    }

    /// Whether it serves a request with these fields, of which a composition writes the `declared` (section 4.1).
    pub fn selects(&self, asked: &HeaderMap, declared: &[HeaderName]) -> bool {
        *self.declared == *declared && self.selecting.iter().all(|(name, value)| selected(asked, name) == *value)
    }

    /// Whether a later one takes its place: it was selected by the same.
    pub(super) fn is_replaced_by(&self, other: &Self) -> bool {
        self.selecting == other.selecting && self.declared == other.declared
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The header fields as they were kept.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The header fields of an answer now: with the age that it has (section 5.1).
    pub fn answered(&self, now: Instant) -> HeaderMap {
        let mut headers = self.headers.clone();
        headers.insert(AGE, HeaderValue::from(self.age(now).as_secs()));
        headers.entry(CONTENT_LENGTH).or_insert(HeaderValue::from(self.body.len()));
        headers
    }

    /// How old it is.
    pub fn age(&self, now: Instant) -> Duration {
        self.initial_age + now.saturating_duration_since(self.came.at)
    }

    /// For how long it is fresh from its birth.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    pub(super) fn directives(&self) -> &Directives {
        &self.directives
    }

    /// Whether it may never serve without having been asked about once it is stale (section 4.2.4).
    pub(super) fn is_bound(&self) -> bool {
        let Directives { must_revalidate, proxy_revalidate, no_cache, s_maxage, .. } = &self.directives;
        *must_revalidate || *proxy_revalidate || *no_cache || s_maxage.is_some()
    }

    /// Whether it serves now although its backend fails (RFC 5861 section 4).
    pub fn serves_on_error(&self, now: Instant) -> bool {
        let longer = self.directives.stale_if_error.filter(|_| !self.is_bound());
        longer.is_some_and(|longer| self.age(now) < self.lifetime + longer)
    }

    /// Makes a request ask whether it is still right, in place of what the client asks (section 4.3.1); says whether that
    /// can be asked.
    pub fn ask_about(&self, headers: &mut HeaderMap) -> bool {
        headers.remove(IF_NONE_MATCH);
        headers.remove(IF_MODIFIED_SINCE);
        let pairs = [(IF_NONE_MATCH, ETAG), (IF_MODIFIED_SINCE, LAST_MODIFIED)];
        let known = pairs.into_iter().filter_map(|(asks, says)| Some((asks, self.headers.get(says)?.clone())));
        headers.extend(known);
        headers.contains_key(IF_NONE_MATCH) || headers.contains_key(IF_MODIFIED_SINCE)
    }

    /// The same with what a `304` says anew (section 4.3.4), to a request with these fields.
    #[must_use]
    pub fn freshened(&self, asked: &HeaderMap, said: &HeaderMap, came: Came) -> Self {
        let mut headers = self.headers.clone();
        headers.remove(AGE);
        for name in said.keys().filter(|name| !OF_THE_BODY.contains(&name.as_str())) {
            headers.remove(name);
            for value in said.get_all(name) {
                headers.append(name, value.clone());
            }
        }
        if !said.contains_key(DATE) {
            headers.remove(DATE);
        }
        Self::new((asked, self.declared.clone()), (self.status, headers), self.body.clone(), came)
    }

    /// Begins to fetch a newer one behind it, unless somebody does.
    pub fn begin_refresh(&self) -> bool {
        !self.is_refreshing.swap(true, Ordering::AcqRel)
    }

    /// Nobody fetches a newer one any more.
    pub fn end_refresh(&self) {
        self.is_refreshing.store(false, Ordering::Release);
    }

    /// For how long it is of use from when it came.
    pub(super) fn kept_for(&self) -> Duration {
        let Directives { stale_while_revalidate, stale_if_error, .. } = &self.directives;
        let stale = (*stale_while_revalidate).max(*stale_if_error).unwrap_or_default();
        let is_askable = self.headers.contains_key(ETAG) || self.headers.contains_key(LAST_MODIFIED);
        let left = (self.lifetime + stale).saturating_sub(self.initial_age);
        left + if is_askable { ASKABLE } else { Duration::ZERO }
    }

    /// Bytes that it takes.
    pub(super) fn size(&self) -> usize {
        let fields: usize = self.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 64).sum();
        self.body.len() + fields + size_of::<Self>()
    }

    /// The fields that a `304` to the client says: those that are not about the body that it does not have.
    pub fn without_body(headers: &mut HeaderMap) {
        for name in [CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_RANGE, http::header::CONTENT_TYPE] {
            headers.remove(name);
        }
    }
}

/// The names in `Vary`.
fn vary(headers: &HeaderMap) -> impl Iterator<Item = HeaderName> {
    let names = headers.get_all(VARY).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    names.filter_map(|name| name.trim().parse().ok())
}

fn varies_by(headers: &HeaderMap, wanted: &str) -> bool {
    let mut names =
        headers.get_all(VARY).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    names.any(|name| name.trim().eq_ignore_ascii_case(wanted))
}

/// The value of a field as it selects: several lines are one list, and spaces around commas mean nothing.
fn selected(headers: &HeaderMap, name: &HeaderName) -> Selected {
    let mut values = headers.get_all(name).iter().peekable();
    values.peek()?;
    let members = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    Some(members.collect::<Vec<_>>().join(&b","[..]).into())
}

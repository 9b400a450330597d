//! The directives of `Cache-Control` (RFC 9111 section 5.2), and of `CDN-Cache-Control` (RFC 9213).

use std::time::Duration;

use http::header::{CACHE_CONTROL, PRAGMA};
use http::{HeaderMap, HeaderName, HeaderValue};

/// What origins say to gateways alone; it stands before `Cache-Control` and `Expires` (RFC 9213 section 2.2).
const TARGETED: HeaderName = HeaderName::from_static("cdn-cache-control");
/// Larger numbers of seconds count as this one (RFC 9111 section 1.2.2).
const MOST_SECONDS: u64 = 1 << 31;

/// What a request or a reply says about caches. What a message cannot say of the two is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Directives {
    pub(super) no_store: bool,
    pub(super) no_cache: bool,
    pub(super) private: bool,
    pub(super) public: bool,
    pub(super) must_revalidate: bool,
    pub(super) proxy_revalidate: bool,
    pub(super) must_understand: bool,
    pub(super) only_if_cached: bool,
    pub(super) max_age: Option<Duration>,
    pub(super) s_maxage: Option<Duration>,
    pub(super) min_fresh: Option<Duration>,
    /// How stale a reply may be; without a number, any.
    pub(super) max_stale: Option<Duration>,
    pub(super) stale_while_revalidate: Option<Duration>,
    pub(super) stale_if_error: Option<Duration>,
    /// They come from a targeted field: `Expires` says nothing beside it.
    pub(super) is_targeted: bool,
}

impl Directives {
    /// Those of a request. Without any, `Pragma: no-cache` stands for `no-cache` (section 5.4).
    pub(super) fn of_request(headers: &HeaderMap) -> Self {
        if headers.contains_key(CACHE_CONTROL) {
            return Self::of(headers.get_all(CACHE_CONTROL));
        }
        let pragma = Self::of(headers.get_all(PRAGMA));
        Self { no_cache: pragma.no_cache, ..Self::default() }
    }

    /// Those of a reply.
    pub(super) fn of_reply(headers: &HeaderMap) -> Self {
        let targeted: Vec<&str> =
            headers.get_all(TARGETED).iter().map(|value| value.to_str().unwrap_or("\"")).collect();
        let is_targeted = targeted.iter().any(|value| !value.trim().is_empty())
            && targeted.iter().all(|value| members(value).all(is_well_formed));
        match is_targeted {
            true => Self { is_targeted, ..Self::of(headers.get_all(TARGETED)) },
            false => Self::of(headers.get_all(CACHE_CONTROL)),
        }
    }

    fn of<'h>(values: impl IntoIterator<Item = &'h HeaderValue>) -> Self {
        let mut directives = Self::default();
        for value in values {
            let text = String::from_utf8_lossy(value.as_bytes());
            members(&text).for_each(|member| directives.add(member));
        }
        directives
    }

    fn add(&mut self, member: &str) {
        let (name, value) = member.split_once('=').unwrap_or((member, ""));
        match &*name.to_ascii_lowercase() {
            "no-store" => self.no_store = true,
            // Where it names fields, the whole reply is taken to be meant (sections 5.2.2.4 and 5.2.2.7).
            "no-cache" => self.no_cache = true,
            "private" => self.private = true,
            "public" => self.public = true,
            "must-revalidate" => self.must_revalidate = true,
            "proxy-revalidate" => self.proxy_revalidate = true,
            "must-understand" => self.must_understand = true,
            "only-if-cached" => self.only_if_cached = true,
            "max-age" => set(&mut self.max_age, value),
            "s-maxage" => set(&mut self.s_maxage, value),
            "min-fresh" => set(&mut self.min_fresh, value),
            "max-stale" if value.is_empty() => self.max_stale = Some(Duration::MAX),
            "max-stale" => set(&mut self.max_stale, value),
            "stale-while-revalidate" => set(&mut self.stale_while_revalidate, value),
            "stale-if-error" => set(&mut self.stale_if_error, value),
            _ => {}
        }
    }
}

/// Sets a number of seconds. One that is none counts as zero, and so do two that differ (section 4.2.1).
fn set(slot: &mut Option<Duration>, written: &str) {
    let value = seconds(written.trim_matches('"')).unwrap_or_default();
    *slot = Some(if slot.is_some_and(|known| known != value) { Duration::ZERO } else { value });
}

/// A number of seconds; `None` for anything else.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    if text.is_empty() || !text.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    Some(Duration::from_secs(text.parse().unwrap_or(MOST_SECONDS).min(MOST_SECONDS)))
}

/// The members of a list; commas within quotes divide nothing.
pub(super) fn members(text: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let divides = move |c: char| {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ',' => return !is_quoted,
            _ => {}
        }
        false
    };
    text.split(divides).map(|member| member.trim_matches([' ', '\t'])).filter(|member| !member.is_empty())
}

/// Whether a member could be one of a dictionary of structured fields (RFC 9651 section 3.2), as far as caches look.
fn is_well_formed(member: &str) -> bool {
    let (key, value) = member.split_once('=').unwrap_or((member, "?1"));
    let is_key = key.starts_with(|c: char| c.is_ascii_lowercase() || c == '*')
        && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.*".contains(&b));
    let is_text = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
    let is_token = value.starts_with(|c: char| c.is_ascii_alphanumeric() || "?-*:".contains(c))
        && value.bytes().all(|b| b.is_ascii_graphic() && !b"\"(),".contains(&b));
    is_key && (is_text || is_token)
}

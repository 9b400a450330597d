//! Whether a client has already what a reply says (RFC 9110 section 13, RFC 9111 section 4.3.2).

use http::header::{DATE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderMap, StatusCode};

use super::directives::members;
use super::freshness::date;
use super::stored::Stored;

impl Stored {
    /// Whether the client that sent these fields has it. Tags are compared weakly and count before dates.
    pub fn is_known_to(&self, asked: &HeaderMap) -> bool {
        if self.status() != StatusCode::OK {
            return false;
        }
        let said = self.headers();
        if asked.contains_key(IF_NONE_MATCH) {
            let tag = said.get(ETAG).map(|tag| opaque(tag.as_bytes()));
            return asked.get_all(IF_NONE_MATCH).iter().any(|value| {
                let text = String::from_utf8_lossy(value.as_bytes());
                text.trim() == "*" || tag.is_some_and(|tag| members(&text).any(|known| opaque(known.as_bytes()) == tag))
            });
        }
        let Some(since) = date(asked, IF_MODIFIED_SINCE) else { return false };
        let changed = date(said, LAST_MODIFIED).or_else(|| date(said, DATE));
        changed.is_some_and(|changed| changed <= since)
    }
}

/// A tag without its mark of weakness.
fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

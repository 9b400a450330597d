//! What clients may keep of the answers of an endpoint.

use http::HeaderValue;

/// What clients, and caches before the gateway, may keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerCache {
    /// `Cache-Control`.
    pub control: HeaderValue,
    /// `Vary`: what is declared, and the coding that an answer may be in.
    pub vary: HeaderValue,
    /// Whether answers have a tag.
    pub is_tagged: bool,
}

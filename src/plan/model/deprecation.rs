//! What answers say of an endpoint that will go away.

use std::ops::Range;

use http::HeaderValue;

use crate::base::value::Timestamp;

/// That an endpoint will go away.
#[derive(Debug)]
pub struct Deprecation {
    /// Since when, where it is said.
    pub since: Option<Timestamp>,
    /// When it will stop to answer.
    pub sunset: Option<Timestamp>,
    /// `Deprecation` (RFC 9745), which has no form without a date.
    pub deprecation_field: Option<HeaderValue>,
    /// `Sunset` (RFC 8594).
    pub sunset_field: Option<HeaderValue>,
    /// What to call instead, as it was written.
    pub successor: Option<Box<str>>,
    /// The target of the successor's link; empty without one.
    pub link: Box<[LinkPart]>,
}

/// A piece of a link's target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkPart {
    /// Text.
    Text(Box<str>),
    /// The parameter of the endpoint's path at this position, as the client wrote it.
    Parameter(usize),
}

impl Deprecation {
    /// `Link` to the successor of a request's target (RFC 8288; the relation is that of RFC 5829). `parameters`
    /// says where in `path` the endpoint's parameters stand.
    pub fn link_field(&self, path: &str, parameters: &[Range<usize>]) -> Option<HeaderValue> {
        if self.link.is_empty() {
            return None;
        }
        let mut link = String::from("<");
        for part in &self.link {
            link.push_str(match part {
                LinkPart::Text(text) => text,
                LinkPart::Parameter(at) => parameters.get(*at).and_then(|bytes| path.get(bytes.clone()))?,
            });
        }
        link.push_str(">; rel=\"successor-version\"");
        HeaderValue::from_str(&link).ok()
    }
}

//! Header fields of a reply, made into a map when somebody asks for one.
//!
//! Few replies are asked for their header fields, and a map of them costs as much as reading a small body.

use std::sync::OnceLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Bytes that a field takes beside its name and its value.
const FIELD: usize = 64;

/// Header fields of a reply.
#[derive(Debug)]
pub struct Fields {
    /// The head that they stand in; empty when they came as a map.
    head: Bytes,
    /// What [`Fields::content_type`] says of the head.
    content_type: Option<HeaderValue>,
    is_coded: bool,
    map: OnceLock<HeaderMap>,
}

/// Header fields of a reply's head over HTTP/1, of which the parser has seen these.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// `Content-Type`.
    pub content_type: Option<HeaderValue>,
    /// Whether there is a `Content-Encoding`.
    pub is_coded: bool,
}

impl Fields {
    /// The fields of `head`, which a parser has found to be the head of a reply over HTTP/1.
    pub fn of_head(head: Bytes, seen: Seen) -> Self {
        Self { head, content_type: seen.content_type, is_coded: seen.is_coded, map: OnceLock::new() }
    }

    /// The media type of the body, as it is written.
    pub fn content_type(&self) -> Option<&HeaderValue> {
        self.content_type.as_ref()
    }

    /// Whether the body is in a content coding.
    pub fn is_coded(&self) -> bool {
        self.is_coded
    }

    /// The bytes that they take in memory, about.
    pub fn size(&self) -> usize {
        let map: usize = self.map().iter().map(|(name, value)| name.as_str().len() + value.len() + FIELD).sum();
        self.head.len() + map
    }

    /// All of them.
    pub fn map(&self) -> &HeaderMap {
        self.map.get_or_init(|| read(&self.head))
    }

    /// The same, pointing into nothing larger than themselves.
    #[must_use]
    pub fn detached(&self) -> Self {
        let owned = |value: &HeaderValue| HeaderValue::from_bytes(value.as_bytes()).ok();
        let fields = self.map().iter().filter_map(|(name, value)| Some((name.clone(), owned(value)?)));
        let mut map = HeaderMap::new();
        fields.for_each(|(name, value)| {
            map.append(name, value);
        });
        map.into()
    }

    /// All of them.
    pub fn into_map(self) -> HeaderMap {
        let Self { head, map, .. } = self;
        map.into_inner().unwrap_or_else(|| read(&head))
    }
}

impl From<HeaderMap> for Fields {
    fn from(map: HeaderMap) -> Self {
        Self {
            head: Bytes::new(),
            content_type: map.get(http::header::CONTENT_TYPE).cloned(),
            is_coded: map.contains_key(http::header::CONTENT_ENCODING),
            map: map.into(),
        }
    }
}

/// The fields of a head. The values share its bytes.
fn read(head: &Bytes) -> HeaderMap {
    let mut map = HeaderMap::new();
    // The head was parsed before: behind its first line stand lines of a name, a colon and a value.
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_maybe_shared(head.slice_ref(line[colon + 1..].trim_ascii()));
        if let (Ok(name), Ok(value)) = (name, value) {
            map.append(name, value);
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Fields, Seen};

    #[test]
    fn fields_are_read_as_they_stand_in_the_head() {
        let head = "HTTP/1.1 200 OK\r\nContent-Type:text/plain\r\nx-empty:\r\nX-Two:  a: b \r\nx-two: c\r\n\r\n";
        let fields = Fields::of_head(Bytes::from_static(head.as_bytes()), Seen::default());
        let found: Vec<_> =
            fields.map().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default())).collect();
        assert_eq!(found, [("content-type", "text/plain"), ("x-empty", ""), ("x-two", "a: b"), ("x-two", "c")]);
    }
}

//! The data of a `google.api.HttpBody` without a document of it. Source: google/api/httpbody.proto.

use bytes::Bytes;

use super::error::{Fault, WireError};
use super::wire::{BLOCK, Reader};

const CONTENT_TYPE: u32 = 1 << 3 | BLOCK;
const DATA: u32 = 2 << 3 | BLOCK;

/// What a `google.api.HttpBody` holds beside its extensions.
#[derive(Debug, PartialEq, Eq)]
pub struct HttpBody {
    /// The media type; often empty.
    pub content_type: Box<str>,
    /// The data, a part of the message's bytes.
    pub data: Bytes,
}

/// Reads the wire bytes of a `google.api.HttpBody`.
///
/// # Errors
/// Bytes that are no message, or a media type that is no text.
pub fn http_body(wire: &Bytes) -> Result<HttpBody, WireError> {
    read(wire).map_err(|fault| WireError { path: String::new(), reason: fault.reason(), unprintable: false })
}

fn read(wire: &Bytes) -> Result<HttpBody, Fault> {
    let (mut content_type, mut data) = (&b""[..], &b""[..]);
    let mut reader = Reader::new(wire);
    while !reader.is_empty() {
        match reader.tag()? {
            CONTENT_TYPE => content_type = reader.block()?,
            DATA => data = reader.block()?,
            tag => reader.skip(tag)?,
        }
    }
    let content_type = std::str::from_utf8(content_type).map_err(|_| Fault::Utf8)?;
    Ok(HttpBody { content_type: content_type.into(), data: wire.slice_ref(data) })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{HttpBody, http_body};

    #[test]
    fn the_last_of_each_counts_and_extensions_are_passed_over() {
        let wire = Bytes::from_static(b"\x12\x01x\x0a\x03a/b\x1a\x02\x0a\x00\x12\x02hi");
        let read = http_body(&wire).expect("it is an HttpBody");
        assert_eq!(read, HttpBody { content_type: "a/b".into(), data: Bytes::from_static(b"hi") });
        assert!(wire.as_ptr_range().contains(&read.data.as_ptr()), "it was copied");
        assert_eq!(http_body(&Bytes::new()), Ok(HttpBody { content_type: "".into(), data: Bytes::new() }));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for wire in [&b"\x12\x03hi"[..], b"\x0a\x01\xff", b"\x0f", b"\x1c", b"\x12"] {
            assert!(http_body(&Bytes::from_static(wire)).is_err(), "{wire:?}");
        }
    }
}

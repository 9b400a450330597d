//! Plain data as bytes that another process reads: numbers, and parts that begin with their length.
//!
//! Whoever reads gets nothing where the bytes are not what they must be: they come from outside.

use bytes::{BufMut as _, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Appends plain data to bytes.
#[derive(Debug, Default)]
pub struct Packer(Vec<u8>);

/// Reads what a [`Packer`] wrote, in the same order. Parts share the bytes.
#[derive(Clone, Debug)]
pub struct Unpacker(Bytes);

impl Packer {
    /// A byte.
    pub fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// A number.
    pub fn number(&mut self, number: u64) {
        self.0.put_u64_le(number);
    }

    /// Bytes of a length that the reader knows.
    pub fn fixed(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Bytes behind their length.
    pub fn part(&mut self, part: &[u8]) {
        self.number(part.len() as u64);
        self.fixed(part);
    }

    /// What is there or not.
    pub fn option<T>(&mut self, option: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.byte(u8::from(option.is_some()));
        if let Some(there) = option {
            write(self, there);
        }
    }

    /// Header fields.
    pub fn fields(&mut self, fields: &HeaderMap) {
        self.number(fields.len() as u64);
        for (name, value) in fields {
            self.part(name.as_str().as_bytes());
            self.part(value.as_bytes());
        }
    }

    /// The bytes.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

impl Unpacker {
    /// Reads these bytes.
    pub fn new(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Option<u8> {
        Some(self.fixed::<1>()?[0])
    }

    /// The next number.
    pub fn number(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.fixed()?))
    }

    /// The next number, of things that take a byte each at least: no more than there are bytes.
    pub fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok().filter(|count| *count <= self.0.len())
    }

    /// The next bytes, as many as are wanted.
    pub fn fixed<const LENGTH: usize>(&mut self) -> Option<[u8; LENGTH]> {
        let bytes = self.0.get(..LENGTH)?.try_into().ok()?;
        self.0 = self.0.split_off(LENGTH);
        Some(bytes)
    }

    /// The next part.
    pub fn part(&mut self) -> Option<Bytes> {
        let length = self.count()?;
        let rest = self.0.split_off(length);
        Some(std::mem::replace(&mut self.0, rest))
    }

    /// The next part, which is text.
    pub fn text(&mut self) -> Option<Box<str>> {
        Some(std::str::from_utf8(&self.part()?).ok()?.into())
    }

    /// What is there or not: `None` where the bytes say neither, or `read` fails.
    pub fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.byte()? {
            0 => Some(None),
            1 => read(self).map(Some),
            _ => None,
        }
    }

    /// As many things as a number before them says.
    pub fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.count()?;
        (0..count).map(|_| read(self)).collect()
    }

    /// Header fields.
    pub fn fields(&mut self) -> Option<HeaderMap> {
        let fields = self.list(|bytes| {
            let name = HeaderName::from_bytes(&bytes.part()?).ok()?;
            Some((name, HeaderValue::from_maybe_shared(bytes.part()?).ok()?))
        })?;
        let mut map = HeaderMap::with_capacity(fields.len());
        for (name, value) in fields {
            map.append(name, value);
        }
        Some(map)
    }

    /// What was not read yet.
    pub fn rest(self) -> Bytes {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Packer, Unpacker};

    #[test]
    fn what_was_written_is_read() {
        let mut out = Packer::default();
        out.byte(7);
        out.part(b"part");
        out.option(Some(5), Packer::number);
        out.option(None, Packer::number);
        out.number(2);
        out.part(b"a");
        out.part(b"b");
        out.fixed(b"xyz");
        let mut bytes = Unpacker::new(out.finish().into());
        assert_eq!(bytes.byte(), Some(7));
        assert_eq!(bytes.text().as_deref(), Some("part"));
        assert_eq!(bytes.option(Unpacker::number), Some(Some(5)));
        assert_eq!(bytes.option(Unpacker::number), Some(None));
        assert_eq!(bytes.list(Unpacker::text), Some(vec!["a".into(), "b".into()]));
        assert_eq!(bytes.clone().fixed::<4>(), None);
        assert_eq!(bytes.rest(), Bytes::from_static(b"xyz"));
    }

    #[test]
    fn lengths_that_are_too_large_are_refused_before_anything_is_made_of_them() {
        let mut out = Packer::default();
        out.number(u64::MAX);
        let bytes = Unpacker::new(out.finish().into());
        assert_eq!(bytes.clone().part(), None);
        assert_eq!(bytes.clone().list(Unpacker::byte), None);
    }
}

//! The lines that stand between the parts of a form (RFC 2046, section 5.1.1), found in bytes as they come.

use bytes::{Buf as _, Bytes, BytesMut};
use memchr::memmem::Finder;
use memchr::memrchr;

/// Bytes in which a boundary is looked for.
#[derive(Debug)]
pub(super) struct Splitter {
    /// The end of a line, two hyphens and the boundary.
    delimiter: Finder<'static>,
    /// What came and was not taken. Content never waits here but for what may begin a delimiter.
    pub(super) buffer: Bytes,
}

/// What comes next of the content of a part.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// More must come before that can be said.
    More,
    /// Bytes of it, at least one.
    Bytes(Bytes),
    /// A delimiter, which was taken.
    Delimiter,
}

/// What stands behind a delimiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behind {
    /// The end of a line: a part.
    Part,
    /// Two hyphens: the form has ended.
    Nothing,
    /// Neither, which no form has.
    Neither,
}

impl Splitter {
    pub(super) fn new(boundary: &str) -> Self {
        let delimiter = Finder::new(&format!("\r\n--{boundary}")).into_owned();
        // The first delimiter of a form has no line before it.
        Self { delimiter, buffer: Bytes::from_static(b"\r\n") }
    }

    /// Adds what came. Nothing is copied unless something waits.
    pub(super) fn push(&mut self, bytes: Bytes) {
        if self.buffer.is_empty() {
            self.buffer = bytes;
            return;
        }
        let mut joined = BytesMut::with_capacity(self.buffer.len() + bytes.len());
        joined.extend_from_slice(&self.buffer);
        joined.extend_from_slice(&bytes);
        self.buffer = joined.freeze();
    }

    /// Takes a delimiter that must come now: whether it did; `None` when more must come.
    pub(super) fn delimiter(&mut self) -> Option<bool> {
        let delimiter = self.delimiter.needle();
        let known = self.buffer.len().min(delimiter.len());
        if self.buffer[..known] != delimiter[..known] {
            return Some(false);
        }
        if known < delimiter.len() {
            return None;
        }
        self.buffer.advance(known);
        Some(true)
    }

    /// Takes what stands behind a delimiter; `None` when more must come.
    pub(super) fn behind(&mut self) -> Option<Behind> {
        let found = match self.buffer.get(..2)? {
            b"\r\n" => Behind::Part,
            b"--" => Behind::Nothing,
            _ => Behind::Neither,
        };
        self.buffer.advance(2);
        Some(found)
    }

    /// Takes what comes next of a part's content.
    pub(super) fn content(&mut self) -> Piece {
        let delimiter = self.delimiter.needle();
        let end = match self.delimiter.find(&self.buffer) {
            Some(0) => {
                self.buffer.advance(delimiter.len());
                return Piece::Delimiter;
            }
            Some(at) => at,
            // A delimiter has one carriage return, its first byte: what may begin one begins at the last.
            None => match memrchr(b'\r', &self.buffer) {
                Some(at) if delimiter.starts_with(&self.buffer[at..]) => at,
                _ => self.buffer.len(),
            },
        };
        match self.buffer.split_to(end) {
            bytes if bytes.is_empty() => Piece::More,
            bytes => Piece::Bytes(bytes),
        }
    }
}

//! The rules for a chunked body (RFC 9112, section 7.1).

use super::head::{framing_field, is_text, line_end, split_field};
use super::limits::Limits;
use super::refusal::Refusal;

/// Most digits of a chunk size: those of a 64-bit number.
const SIZE_DIGITS: usize = 16;

/// One chunked body, judged while its bytes arrive.
#[derive(Debug)]
pub(super) struct Chunked {
    part: Part,
    /// Bytes of chunk extensions that may still come.
    extensions: usize,
    /// Bytes and lines of trailers that may still come.
    trailers: (usize, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// A line with the size of the next chunk.
    Size,
    /// The content of a chunk.
    Content {
        left: u64,
    },
    /// The line end after the content of a chunk.
    ContentEnd,
    /// The trailers and the empty line after them.
    Trailers,
    Done,
}

impl Chunked {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            part: Part::Size,
            extensions: limits.chunk_extensions,
            trailers: (limits.header_block, limits.header_fields),
        }
    }

    /// Judges `bytes` and returns how many of them may pass. See [`super::strict::Strict::accept`].
    pub(super) fn accept(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        let mut passed = 0;
        while self.part != Part::Done {
            let length = self.accept_part(&bytes[passed..])?;
            if length == 0 {
                break;
            }
            passed += length;
        }
        Ok(passed)
    }

    /// Bytes of content that may pass unseen.
    pub(super) fn opaque(&self) -> u64 {
        match self.part {
            Part::Content { left } => left,
            _ => 0,
        }
    }

    /// Takes note that `length` bytes of content passed.
    pub(super) fn pass(&mut self, length: u64) {
        if let Part::Content { left } = self.part {
            let left = left.saturating_sub(length);
            self.part = if left == 0 { Part::ContentEnd } else { Part::Content { left } };
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.part == Part::Done
    }

    /// Judges one line or a stretch of content; zero asks for more bytes.
    fn accept_part(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        match self.part {
            Part::Content { left } => {
                let length = left.min(bytes.len() as u64);
                self.pass(length);
                Ok(length as usize)
            }
            Part::ContentEnd => {
                if !b"\r\n".starts_with(&bytes[..bytes.len().min(2)]) {
                    return Err(Refusal::bad("A chunk is not as long as its size says."));
                }
                if bytes.len() < 2 {
                    return Ok(0);
                }
                self.part = Part::Size;
                Ok(2)
            }
            Part::Size => self.accept_size(bytes),
            Part::Trailers => self.accept_trailer(bytes),
            Part::Done => Ok(0),
        }
    }

    fn accept_size(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        let newline = memchr::memchr(b'\n', bytes);
        if newline.unwrap_or(bytes.len()) > SIZE_DIGITS + self.extensions + 1 {
            return Err(Refusal::bad("The chunk extensions are too long."));
        }
        let Some(newline) = newline else { return Ok(0) };
        let line = &bytes[..line_end(bytes, 0, newline)?];
        let digits = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
        let size = std::str::from_utf8(&line[..digits]).ok().and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let (Some(size), true) = (size, digits <= SIZE_DIGITS) else {
            return Err(Refusal::bad("A chunk size is not a hexadecimal number."));
        };
        self.check_extensions(&line[digits..])?;
        self.part = if size == 0 { Part::Trailers } else { Part::Content { left: size } };
        Ok(newline + 1)
    }

    /// Extensions begin with a semicolon, which white space may precede. What they say is ignored.
    fn check_extensions(&mut self, extensions: &[u8]) -> Result<(), Refusal> {
        let start = extensions.iter().position(|byte| !matches!(byte, b' ' | b'\t'));
        let is_well_formed = extensions.is_empty() || start.is_some_and(|start| extensions[start] == b';');
        if !is_well_formed || !is_text(extensions) {
            return Err(Refusal::bad("A chunk size is followed by something else than an extension."));
        }
        let Some(left) = self.extensions.checked_sub(extensions.len()) else {
            return Err(Refusal::bad("The chunk extensions are too long."));
        };
        self.extensions = left;
        Ok(())
    }

    fn accept_trailer(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        let newline = memchr::memchr(b'\n', bytes);
        let Some(bytes_left) = self.trailers.0.checked_sub(newline.unwrap_or(bytes.len())) else {
            return Err(Refusal::HEADERS_TOO_LARGE);
        };
        let Some(newline) = newline else { return Ok(0) };
        let line = &bytes[..line_end(bytes, 0, newline)?];
        if line.is_empty() {
            self.part = Part::Done;
            return Ok(newline + 1);
        }
        let Some(lines_left) = self.trailers.1.checked_sub(1) else { return Err(Refusal::HEADERS_TOO_LARGE) };
        let (name, _) = split_field(line)?;
        if framing_field(name).is_some() {
            return Err(Refusal::bad("A trailer has a field that decides on framing."));
        }
        self.trailers = (bytes_left, lines_left);
        Ok(newline + 1)
    }
}

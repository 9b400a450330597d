//! Where the body of a reply ends (RFC 9112, sections 6 and 7).

use bytes::{Buf as _, Bytes};

/// Bytes that a chunk's size with its extensions may take, and each line of trailers.
const LINE: usize = 4096;
/// Lines of trailers that a reply may have.
const TRAILERS: u32 = 128;

/// How a body is framed, and how much of it is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes are left.
    Length(u64),
    /// In chunks.
    Chunked(Chunk),
    /// It ends with the connection.
    UntilClose,
}

/// What comes next of a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    /// The line with the next chunk's size.
    Size,
    /// So many bytes of a chunk's content.
    Content(u64),
    /// The line end behind a chunk's content.
    End,
    /// Lines of trailers, or the empty one behind them. So many were there.
    Trailers(u32),
    /// Nothing.
    Done,
}

impl Framing {
    /// A chunked body that has not begun.
    pub(super) fn chunked() -> Self {
        Self::Chunked(Chunk::Size)
    }

    /// Whether nothing more of the body can come.
    pub(super) fn is_done(self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunk::Done))
    }

    /// Takes content from the front of `bytes`: all that is there of one piece. `None` asks for more bytes, or is
    /// the end when the framing [is done](Self::is_done). Trailers are passed over.
    ///
    /// # Errors
    /// Words for chunks that are not as they must be.
    pub(super) fn take(&mut self, bytes: &mut Bytes) -> Result<Option<Bytes>, &'static str> {
        match self {
            Self::UntilClose => Ok(some(std::mem::take(bytes))),
            Self::Length(left) => Ok(some(take_most(bytes, left))),
            Self::Chunked(chunk) => chunk.take(bytes),
        }
    }
}

impl Chunk {
    fn take(&mut self, bytes: &mut Bytes) -> Result<Option<Bytes>, &'static str> {
        loop {
            match self {
                Self::Content(left) => {
                    let content = take_most(bytes, left);
                    if *left == 0 {
                        *self = Self::End;
                    }
                    return Ok(some(content));
                }
                Self::Done => return Ok(None),
                Self::Size | Self::End | Self::Trailers(_) => {
                    let Some(line) = take_line(bytes)? else { return Ok(None) };
                    *self = self.behind(&line)?;
                }
            }
        }
    }

    /// What comes behind a line.
    fn behind(self, line: &[u8]) -> Result<Self, &'static str> {
        match self {
            Self::Size => match size(line)? {
                0 => Ok(Self::Trailers(0)),
                length => Ok(Self::Content(length)),
            },
            Self::End if line.is_empty() => Ok(Self::Size),
            Self::End => Err("a chunk of the reply is not as long as its size says"),
            Self::Trailers(_) if line.is_empty() => Ok(Self::Done),
            Self::Trailers(lines) if lines < TRAILERS => Ok(Self::Trailers(lines + 1)),
            Self::Trailers(_) => Err("the reply has too many trailers"),
            Self::Content(_) | Self::Done => Ok(self),
        }
    }
}

fn some(content: Bytes) -> Option<Bytes> {
    (!content.is_empty()).then_some(content)
}

/// Takes `left` bytes, or as many as are there.
fn take_most(bytes: &mut Bytes, left: &mut u64) -> Bytes {
    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
    *left -= length as u64;
    if length == bytes.len() { std::mem::take(bytes) } else { bytes.split_to(length) }
}

/// Takes a line without its end.
fn take_line(bytes: &mut Bytes) -> Result<Option<Bytes>, &'static str> {
    let newline = memchr::memchr(b'\n', bytes);
    if newline.unwrap_or(bytes.len()) > LINE {
        return Err("a line between the chunks of the reply is too long");
    }
    let Some(newline) = newline else { return Ok(None) };
    let line = bytes.split_to(newline);
    bytes.advance(1);
    match line.strip_suffix(b"\r") {
        Some(text) => Ok(Some(line.slice_ref(text))),
        None => Err("a line between the chunks of the reply does not end with CR LF"),
    }
}

/// The size of a chunk; what an extension says is ignored.
fn size(line: &[u8]) -> Result<u64, &'static str> {
    const WRONG: &str = "the size of a chunk of the reply is not a hexadecimal number";
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii_end();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(WRONG);
    }
    let text = std::str::from_utf8(digits).map_err(|_| WRONG)?;
    u64::from_str_radix(text, 16).map_err(|_| WRONG)
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};

    use super::Framing;

    /// The content of a body that arrives in pieces of `size` bytes, and what is left behind it.
    fn read(mut framing: Framing, body: &[u8], size: usize) -> Result<(Vec<u8>, bool, usize), &'static str> {
        let (mut content, mut have) = (Vec::new(), BytesMut::new());
        for piece in body.chunks(size) {
            have.extend_from_slice(piece);
            let mut bytes = have.split().freeze();
            while let Some(data) = framing.take(&mut bytes)? {
                content.extend_from_slice(&data);
            }
            have.extend_from_slice(&bytes);
        }
        Ok((content, framing.is_done(), have.len()))
    }

    #[test]
    fn chunks_are_read_however_they_arrive() {
        let body = b"5\r\nhello\r\n00006;name=value\r\n world\r\nA \r\n0123456789\r\n0\r\ntrailer: one\r\n\r\nnext";
        for size in 1..=body.len() {
            let read = read(Framing::chunked(), body, size);
            assert_eq!(read, Ok((b"hello world0123456789".to_vec(), true, 4)), "in pieces of {size}");
        }
    }

    #[test]
    fn a_body_of_known_length_ends_there() {
        assert_eq!(read(Framing::Length(3), b"abcdef", 2), Ok((b"abc".to_vec(), true, 3)));
        assert_eq!(read(Framing::Length(9), b"abcdef", 2), Ok((b"abcdef".to_vec(), false, 0)));
        assert_eq!(read(Framing::UntilClose, b"abcdef", 4), Ok((b"abcdef".to_vec(), false, 0)));
    }

    #[test]
    fn chunks_that_are_not_chunks_are_refused() {
        let long = [b"1;".as_slice(), &[b'x'; 5000]].concat();
        let trailers = [b"0\r\n".as_slice(), &b"a: b\r\n".repeat(200)].concat();
        for body in [
            b"x\r\n".as_slice(),
            b"\r\n",
            b"-1\r\n",
            b"+1\r\na\r\n",
            b"0x1\r\n",
            b"1\r\nab\r\n",
            b"1\na\r\n",
            b"11111111111111111\r\n",
            &long,
            &trailers,
        ] {
            assert!(read(Framing::chunked(), body, body.len()).is_err(), "{:?}", Bytes::copy_from_slice(body));
        }
    }
}

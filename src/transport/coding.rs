//! Content codings of replies: what backends are offered, and how it is taken off under a cap.

use std::io::{self, Write};

use brotli::DecompressorWriter;
use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, HeaderValue};

use crate::base::failure::{Cause, Failure};

/// What a REST backend may code its replies in.
pub(super) const OFFERED: HeaderValue = HeaderValue::from_static("gzip, br");

/// Bytes that brotli hands over at once.
const PIECE: usize = 16 << 10;

/// A content coding (RFC 9110 section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Brotli,
}

impl Coding {
    /// The coding of a body with these headers; `None` for one that is as it is.
    ///
    /// # Errors
    /// A coding that was not offered, or several on one another.
    pub(super) fn of(headers: &HeaderMap) -> Result<Option<Self>, Failure> {
        let Some(written) = headers.get(CONTENT_ENCODING) else { return Ok(None) };
        let mut fields = headers.get_all(CONTENT_ENCODING).iter();
        let is_one = fields.nth(1).is_none();
        match written.as_bytes().trim_ascii().to_ascii_lowercase().as_slice() {
            b"gzip" | b"x-gzip" if is_one => Ok(Some(Self::Gzip)),
            b"br" if is_one => Ok(Some(Self::Brotli)),
            b"identity" | b"" if is_one => Ok(None),
            _ => {
                let why = format!("the reply is in a coding that was not offered: {written:?}");
                Err(Failure::new(Cause::BadReply, why))
            }
        }
    }
}

/// Takes a coding off, piece by piece. What comes out is bounded, so that a small body which stands for a large one ends
/// at the cap.
pub(super) struct Decoder {
    kind: Kind,
    /// Coded bytes that may still come: a body may be coded as more than it is.
    left: u64,
}

enum Kind {
    Gzip(Box<MultiGzDecoder<Capped>>),
    Brotli(Box<DecompressorWriter<Capped>>),
}

/// Why a coding cannot be taken off.
#[derive(Debug)]
pub(super) enum Wrong {
    /// More than the cap comes out, or goes in.
    TooLarge,
    /// The bytes are not in the coding.
    Broken(io::Error),
}

impl Decoder {
    /// For a body of which at most `max` bytes are taken.
    pub(super) fn new(coding: Coding, max: u64) -> Self {
        let out = Capped { bytes: Vec::new(), max: usize::try_from(max).unwrap_or(usize::MAX), is_over: false };
        let kind = match coding {
            Coding::Gzip => Kind::Gzip(Box::new(MultiGzDecoder::new(out))),
            Coding::Brotli => Kind::Brotli(Box::new(DecompressorWriter::new(out, PIECE))),
        };
        Self { kind, left: max }
    }

    /// Takes the next piece.
    pub(super) fn write(&mut self, piece: &[u8]) -> Result<(), Wrong> {
        self.left = self.left.checked_sub(piece.len() as u64).ok_or(Wrong::TooLarge)?;
        let written = match &mut self.kind {
            Kind::Gzip(decoder) => decoder.write_all(piece),
            Kind::Brotli(decoder) => decoder.write_all(piece),
        };
        written.map_err(|error| self.wrong(error))
    }

    /// Bytes that have come out so far.
    pub(super) fn size(&mut self) -> usize {
        self.out_mut().bytes.len()
    }

    /// Everything that came out.
    pub(super) fn finish(mut self) -> Result<Bytes, Wrong> {
        let ended = match &mut self.kind {
            Kind::Gzip(decoder) => decoder.try_finish(),
            Kind::Brotli(decoder) => decoder.close(),
        };
        ended.map_err(|error| self.wrong(error))?;
        Ok(std::mem::take(&mut self.out_mut().bytes).into())
    }

    fn wrong(&mut self, error: io::Error) -> Wrong {
        if self.out_mut().is_over { Wrong::TooLarge } else { Wrong::Broken(error) }
    }

    fn out_mut(&mut self) -> &mut Capped {
        match &mut self.kind {
            Kind::Gzip(decoder) => decoder.get_mut(),
            Kind::Brotli(decoder) => decoder.get_mut(),
        }
    }
}

/// Bytes that came out, up to a cap.
struct Capped {
    bytes: Vec<u8>,
    max: usize,
    /// More than the cap would have come.
    is_over: bool,
}

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.max {
            self.is_over = true;
            return Err(io::Error::other("over the cap"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http::HeaderMap;
    use http::header::CONTENT_ENCODING;

    use super::{Coding, Decoder, Wrong};

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::default());
        out.write_all(bytes).expect("memory takes everything");
        out.finish().expect("memory takes everything")
    }

    fn brotli(bytes: &[u8]) -> Vec<u8> {
        let mut out = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
        out.write_all(bytes).expect("memory takes everything");
        out.into_inner()
    }

    fn decoded(coding: Coding, bytes: &[u8], (max, piece): (u64, usize)) -> Result<Vec<u8>, Wrong> {
        let mut decoder = Decoder::new(coding, max);
        for piece in bytes.chunks(piece) {
            decoder.write(piece)?;
        }
        decoder.finish().map(|bytes| bytes.to_vec())
    }

    #[test]
    fn what_was_coded_comes_out_in_pieces_of_any_size() {
        let text = b"{\"evening\":\"willow trug\"}".repeat(2_000);
        for (coding, coded) in [(Coding::Gzip, gzip(&text)), (Coding::Brotli, brotli(&text))] {
            for piece in [1, 7, 1_000_000] {
                assert_eq!(decoded(coding, &coded, (1 << 20, piece)).ok().as_deref(), Some(text.as_slice()));
            }
        }
        let two = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(decoded(Coding::Gzip, &two, (100, 3)).ok().as_deref(), Some(b"one two".as_slice()));
    }

    #[test]
    fn a_bomb_ends_at_the_cap_and_leaves_no_more_than_that_behind() {
        let zeros = vec![0; 64 << 20];
        for (coding, bomb) in [(Coding::Gzip, gzip(&zeros)), (Coding::Brotli, brotli(&zeros))] {
            let mut decoder = Decoder::new(coding, 1 << 20);
            let wrong = bomb.chunks(1024).find_map(|piece| decoder.write(piece).err());
            assert!(matches!(wrong, Some(Wrong::TooLarge)), "{coding:?}: {wrong:?}");
            assert!(decoder.out_mut().bytes.capacity() <= 2 << 20);
        }
    }

    #[test]
    fn what_says_nothing_in_many_bytes_ends_at_the_cap_too() {
        // Members of gzip that are empty.
        let empty = gzip(b"").repeat(1_000);
        assert!(matches!(decoded(Coding::Gzip, &empty, (1_000, 100)), Err(Wrong::TooLarge)));
    }

    #[test]
    fn what_is_cut_short_or_not_in_the_coding_is_broken() {
        for (coding, coded) in [(Coding::Gzip, gzip(b"hello, hello")), (Coding::Brotli, brotli(b"hello, hello"))] {
            let cut = &coded[..coded.len() - 3];
            assert!(matches!(decoded(coding, cut, (1_000, 5)), Err(Wrong::Broken(_))), "{coding:?} cut");
            let followed = [coded.as_slice(), b"rubbish that follows"].concat();
            assert!(matches!(decoded(coding, &followed, (1_000, 5)), Err(Wrong::Broken(_))), "{coding:?} followed");
            assert!(matches!(decoded(coding, b"{\"a\":1}", (1_000, 5)), Err(Wrong::Broken(_))), "{coding:?} plain");
        }
        let mut damaged = gzip(b"hello, hello");
        let last = damaged.len() - 6;
        damaged[last] ^= 1;
        assert!(matches!(decoded(Coding::Gzip, &damaged, (1_000, 5)), Err(Wrong::Broken(_))));
    }

    #[test]
    fn one_coding_that_was_offered_is_taken() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, http::HeaderValue::from_static(value));
            }
            Coding::of(&headers)
        };
        assert_eq!(of(&[]).ok(), Some(None));
        assert_eq!(of(&["identity"]).ok(), Some(None));
        assert_eq!(of(&["GZip"]).ok(), Some(Some(Coding::Gzip)));
        assert_eq!(of(&["x-gzip"]).ok(), Some(Some(Coding::Gzip)));
        assert_eq!(of(&["br"]).ok(), Some(Some(Coding::Brotli)));
        for wrong in [&["zstd"][..], &["gzip, gzip"], &["gzip", "br"], &["deflate"], &["none of these"]] {
            assert!(of(wrong).is_err(), "{wrong:?}");
        }
    }
}

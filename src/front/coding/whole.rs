//! Bodies that are coded in one piece. What the codings work with is kept from body to body: making it anew would cost
//! more than a small body itself.

use std::fmt;
use std::io::{self, Write as _};

use brotli::CompressorWriter;
use flate2::{Compress, Compression, FlushCompress, Status};
use zstd::bulk::Compressor;

use super::Coding;
use super::streamed::{BROTLI_LEVEL, BROTLI_WINDOW, GZIP_LEVEL, ZSTD_LEVEL};

/// Bytes that brotli takes at once.
const PIECE: usize = 4 << 10;

/// The window of gzip, as a power of two: the largest.
const GZIP_WINDOW: u8 = 15;

/// What is kept, once it was needed.
#[derive(Default)]
pub(super) struct Kept {
    zstd: Option<Compressor<'static>>,
    gzip: Option<Compress>,
}

impl Kept {
    /// The bytes in a coding.
    ///
    /// # Errors
    /// The library's own; memory takes everything.
    pub(super) fn code(&mut self, coding: Coding, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match coding {
            Coding::Zstd => {
                let kept = match self.zstd.take() {
                    Some(kept) => kept,
                    None => Compressor::new(ZSTD_LEVEL)?,
                };
                self.zstd.insert(kept).compress(bytes)
            }
            Coding::Gzip => {
                let make = || Compress::new_gzip(Compression::new(GZIP_LEVEL), GZIP_WINDOW);
                let kept = self.gzip.get_or_insert_with(make);
                kept.reset();
                // What does not become smaller grows by a few bytes for each block.
                let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 1000 + 64);
                match kept.compress_vec(bytes, &mut out, FlushCompress::Finish)? {
                    Status::StreamEnd => Ok(out),
                    Status::Ok | Status::BufError => Err(io::ErrorKind::WriteZero.into()),
                }
            }
            Coding::Brotli => {
                let out = Vec::with_capacity(bytes.len() / 2);
                let mut writer = CompressorWriter::new(out, PIECE, BROTLI_LEVEL, BROTLI_WINDOW);
                writer.write_all(bytes)?;
                Ok(writer.into_inner())
            }
        }
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kept(zstd: {}, gzip: {})", self.zstd.is_some(), self.gzip.is_some())
    }
}

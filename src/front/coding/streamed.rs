//! Bodies that are coded while they are sent, a piece whenever the client takes one.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use brotli::CompressorWriter;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body::{Body, Frame};
use zstd::stream::write::Encoder;

use super::super::listen::BoxError;
use super::{AT_ONCE, Coding};

/// The levels: the fastest of zstd, brotli and gzip.
pub(super) const ZSTD_LEVEL: i32 = 1;
pub(super) const BROTLI_LEVEL: u32 = 1;
pub(super) const GZIP_LEVEL: u32 = 1;
/// The window of brotli, as a power of two: more does not make answers smaller and takes memory.
pub(super) const BROTLI_WINDOW: u32 = 18;

/// Bytes that brotli takes at once.
const PIECE: usize = 16 << 10;

/// A body on its way into a coding.
pub(super) struct Streamed {
    /// What is still to be coded.
    rest: Bytes,
    /// `None` once everything is coded.
    writer: Option<Writer>,
}

enum Writer {
    Zstd(Encoder<'static, Vec<u8>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Gzip(Box<GzEncoder<Vec<u8>>>),
}

impl Streamed {
    /// A body to be coded; `None` if the coding cannot begin.
    pub(super) fn new(coding: Coding, bytes: Bytes) -> Option<Self> {
        let out = Vec::new();
        let writer = match coding {
            Coding::Zstd => Writer::Zstd(Encoder::new(out, ZSTD_LEVEL).ok()?),
            Coding::Brotli => Writer::Brotli(Box::new(CompressorWriter::new(out, PIECE, BROTLI_LEVEL, BROTLI_WINDOW))),
            Coding::Gzip => Writer::Gzip(Box::new(GzEncoder::new(out, Compression::new(GZIP_LEVEL)))),
        };
        Some(Self { rest: bytes, writer: Some(writer) })
    }

    /// Codes until there is something to send; `None` when everything was sent.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        while let Some(writer) = &mut self.writer {
            let piece = self.rest.split_to(self.rest.len().min(AT_ONCE));
            if piece.is_empty() {
                let last = self.writer.take().map(Writer::finish).transpose()?;
                return Ok(last.filter(|last| !last.is_empty()));
            }
            let coded = writer.take(&piece)?;
            if !coded.is_empty() {
                return Ok(Some(coded));
            }
        }
        Ok(None)
    }
}

impl Writer {
    fn take(&mut self, piece: &[u8]) -> io::Result<Vec<u8>> {
        let out = match self {
            Self::Zstd(writer) => {
                writer.write_all(piece)?;
                writer.get_mut()
            }
            Self::Brotli(writer) => {
                writer.write_all(piece)?;
                writer.get_mut()
            }
            Self::Gzip(writer) => {
                writer.write_all(piece)?;
                writer.get_mut()
            }
        };
        Ok(std::mem::take(out))
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Zstd(writer) => writer.finish(),
            Self::Brotli(writer) => Ok(writer.into_inner()),
            Self::Gzip(writer) => writer.finish(),
        }
    }
}

impl Body for Streamed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let next = self.next().map_err(BoxError::from).transpose();
        Poll::Ready(next.map(|coded| coded.map(|coded| Frame::data(coded.into()))))
    }
}

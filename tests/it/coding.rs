//! Content codings as the tests put them on and take them off.

use std::io::{self, Read as _, Write as _};

use crate::http1::Message;

/// Bytes in `gzip`, `br` or `zstd`.
pub(crate) fn coded(coding: &str, bytes: &[u8]) -> Vec<u8> {
    let memory = "memory takes everything";
    match coding {
        "gzip" => {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            out.write_all(bytes).expect(memory);
            out.finish().expect(memory)
        }
        "br" => {
            let mut out = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
            out.write_all(bytes).expect(memory);
            out.into_inner()
        }
        _ => zstd::stream::encode_all(bytes, 3).expect(memory),
    }
}

/// The message with the coding of its body taken off; its header fields stay.
///
/// # Errors
/// A body that is not in the coding that is named.
pub(crate) fn plain(mut message: Message) -> io::Result<Message> {
    let mut out = Vec::new();
    let body = message.body.as_slice();
    match message.header("content-encoding").as_deref() {
        _ if body.is_empty() => return Ok(message),
        Some("gzip") => drop(flate2::read::GzDecoder::new(body).read_to_end(&mut out)?),
        Some("br") => drop(brotli::Decompressor::new(body, 4096).read_to_end(&mut out)?),
        Some("zstd") => out = zstd::stream::decode_all(body)?,
        _ => return Ok(message),
    }
    message.body = out;
    Ok(message)
}

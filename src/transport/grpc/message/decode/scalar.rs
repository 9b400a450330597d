//! Values that are no messages: the table from protobuf types to JSON.
//! Source: protobuf.dev/programming-guides/json.

use super::super::error::Fault;
use super::super::tables::Scalar;
use super::super::wire::{Reader, unzigzag};
use super::Decoder;
use crate::base::value::{Kind, Sink as _, base64_into, double_into, escape_into, int_into, uint_into};

impl Decoder<'_> {
    /// Writes a value of any type but a message.
    pub(super) fn scalar(&mut self, kind: Scalar, reader: &mut Reader<'_>) -> Result<(), Fault> {
        match kind {
            Scalar::Int32 => self.out.int(i64::from(reader.varint()? as i32)),
            Scalar::Sint32 => self.out.int(i64::from(unzigzag(u64::from(reader.varint()? as u32)) as i32)),
            Scalar::Sfixed32 => self.out.int(i64::from(reader.fixed32()? as i32)),
            Scalar::Uint32 => self.out.uint(u64::from(reader.varint()? as u32)),
            Scalar::Fixed32 => self.out.uint(u64::from(reader.fixed32()?)),
            Scalar::Int64 => self.quoted_int(reader.varint()? as i64),
            Scalar::Sint64 => self.quoted_int(unzigzag(reader.varint()?)),
            Scalar::Sfixed64 => self.quoted_int(reader.fixed64()? as i64),
            Scalar::Uint64 => self.quoted_uint(reader.varint()?),
            Scalar::Fixed64 => self.quoted_uint(reader.fixed64()?),
            Scalar::Double => self.double(f64::from_bits(reader.fixed64()?)),
            Scalar::Float => self.double(shortest(f32::from_bits(reader.fixed32()?))),
            Scalar::Bool => self.out.bool(reader.varint()? != 0),
            Scalar::String => self.out.text(Kind::String, text(reader)?),
            Scalar::Bytes => {
                let bytes = reader.block()?;
                self.out.scalar(Kind::Base64, |out| {
                    out.push(b'"');
                    base64_into(out, bytes);
                    out.push(b'"');
                });
            }
            Scalar::Null => {
                reader.varint()?;
                self.out.null();
            }
            Scalar::Enumeration(id) => {
                let number = reader.varint()? as i32;
                match self.tables.enumeration(id).text(number) {
                    Some(text) => self.out.scalar(Kind::String, |out| out.extend_from_slice(text)),
                    None => {
                        self.has_unnamed = true;
                        self.out.int(i64::from(number));
                    }
                }
            }
        }
        Ok(())
    }

    /// Leaves the key of a map entry as `"text":` in `self.key`; says whether it holds a backslash.
    pub(super) fn prepare_key(&mut self, kind: Scalar, mut reader: Reader<'_>) -> Result<bool, Fault> {
        let out = &mut self.key;
        out.clear();
        out.push(b'"');
        let mut escaped = false;
        match kind {
            Scalar::String => escaped = escape_into(out, text(&mut reader)?),
            Scalar::Bool => out.extend_from_slice(if reader.varint()? != 0 { b"true" } else { b"false" }),
            Scalar::Int32 => int_into(out, i64::from(reader.varint()? as i32)),
            Scalar::Sint32 => int_into(out, i64::from(unzigzag(u64::from(reader.varint()? as u32)) as i32)),
            Scalar::Sfixed32 => int_into(out, i64::from(reader.fixed32()? as i32)),
            Scalar::Int64 => int_into(out, reader.varint()? as i64),
            Scalar::Sint64 => int_into(out, unzigzag(reader.varint()?)),
            Scalar::Sfixed64 => int_into(out, reader.fixed64()? as i64),
            Scalar::Uint32 => uint_into(out, u64::from(reader.varint()? as u32)),
            Scalar::Fixed32 => uint_into(out, u64::from(reader.fixed32()?)),
            Scalar::Fixed64 => uint_into(out, reader.fixed64()?),
            // No other type is a key.
            _ => uint_into(out, reader.varint()?),
        }
        out.extend_from_slice(b"\":");
        Ok(escaped)
    }
}

impl Decoder<'_> {
    fn quoted_int(&mut self, value: i64) {
        self.out.scalar(Kind::QuotedInt, |out| {
            out.push(b'"');
            int_into(out, value);
            out.push(b'"');
        });
    }

    fn quoted_uint(&mut self, value: u64) {
        self.out.scalar(Kind::QuotedUint, |out| {
            out.push(b'"');
            uint_into(out, value);
            out.push(b'"');
        });
    }

    fn double(&mut self, value: f64) {
        let text = match value {
            f64::INFINITY => "Infinity",
            f64::NEG_INFINITY => "-Infinity",
            value if value.is_nan() => "NaN",
            finite => return self.out.scalar(Kind::Double, |out| double_into(out, finite)),
        };
        self.out.text(Kind::QuotedDouble, text);
    }
}

fn text<'w>(reader: &mut Reader<'w>) -> Result<&'w str, Fault> {
    std::str::from_utf8(reader.block()?).map_err(|_| Fault::Utf8)
}

/// The double whose shortest text is that of a float, so that 0.1 does not read 0.10000000149011612.
fn shortest(value: f32) -> f64 {
    let exact = f64::from(value);
    if exact.fract() == 0.0 && exact.abs() < f64::from(1 << f32::MANTISSA_DIGITS) {
        return exact;
    }
    // Six digits: a double that near the middle of two floats cannot be, so rounding twice is safe.
    for scale in [10.0, 100.0, 1_000.0, 10_000.0] {
        let scaled = (exact * scale).round();
        if scaled.abs() < 1e6 && (scaled / scale) as f32 == value {
            return scaled / scale;
        }
    }
    value.to_string().parse().unwrap_or(exact)
}

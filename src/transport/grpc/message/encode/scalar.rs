//! Values that are no messages, in every spelling that ProtoJSON allows.
//! Source: protobuf.dev/programming-guides/json.

use std::borrow::Cow;
use std::str::FromStr;

use super::super::json::{Result, Whole, is_number, whole};
use super::super::tables::{EnumerationId, Scalar};
use super::super::wire::{close_block, open_block, varint_into, zigzag};
use super::{Encoder, unknown};
use crate::base::value::base64_decode_into;

impl Encoder<'_, '_, '_> {
    /// Writes a value of any type but a message, without its tag.
    pub(super) fn scalar(&mut self, kind: Scalar) -> Result<()> {
        match kind {
            Scalar::Double => {
                let value: f64 = self.float()?;
                self.out.extend_from_slice(&value.to_le_bytes());
            }
            Scalar::Float => {
                let value: f32 = self.float()?;
                self.out.extend_from_slice(&value.to_le_bytes());
            }
            Scalar::String => {
                let text = self.reader.string()?;
                varint_into(self.out, text.len() as u64);
                self.out.extend_from_slice(text.as_bytes());
            }
            Scalar::Bytes => {
                let block = open_block(self.out);
                self.base64()?;
                close_block(self.out, block);
            }
            Scalar::Bool => {
                let value = self.reader.bool()?;
                self.out.push(u8::from(value));
            }
            Scalar::Null => self.null()?,
            Scalar::Enumeration(id) => {
                let number = self.enumeration(id)?;
                varint_into(self.out, i64::from(number) as u64);
            }
            _ => {
                let integer = self.integer()?;
                let offset = integer.offset;
                integer_into(self.out, kind, integer.value)
                    .ok_or_else(|| self.reader.wrong_at(offset, "number out of range"))?;
            }
        }
        Ok(())
    }

    /// Writes the key of a map entry, which JSON gives as text. Fails with the reason.
    pub(super) fn map_key(&mut self, kind: Scalar, key: &str) -> std::result::Result<(), &'static str> {
        match kind {
            Scalar::String => {
                varint_into(self.out, key.len() as u64);
                self.out.extend_from_slice(key.as_bytes());
            }
            Scalar::Bool => match key {
                "true" => self.out.push(1),
                "false" => self.out.push(0),
                _ => return Err("expected \"true\" or \"false\" as a key"),
            },
            _ => {
                let value = exactly(whole(key))?;
                integer_into(self.out, kind, value).ok_or("number out of range")?;
            }
        }
        Ok(())
    }

    /// An integer, in quotes or not.
    fn integer(&mut self) -> Result<Integer> {
        let quoted = self.reader.peek() == Some(b'"');
        let offset = self.reader.offset();
        let whole = if quoted { whole(&self.reader.string()?) } else { whole(self.reader.number()?) };
        match exactly(whole) {
            Ok(value) => Ok(Integer { value, offset }),
            Err(reason) => Err(self.reader.wrong_at(offset, reason)),
        }
    }

    fn float<F: FromStr + Copy + Into<f64>>(&mut self) -> Result<F> {
        let quoted = self.reader.peek() == Some(b'"');
        let offset = self.reader.offset();
        let text = if quoted { self.reader.string()? } else { Cow::Borrowed(self.reader.number()?) };
        let special = quoted && matches!(&*text, "NaN" | "Infinity" | "-Infinity");
        match text.parse::<F>() {
            Ok(value) if special => Ok(value),
            Ok(value) if !quoted || is_number(&text) => {
                let finite = value.into().is_finite();
                finite.then_some(value).ok_or_else(|| self.reader.wrong_at(offset, "number out of range"))
            }
            _ => Err(self.reader.wrong_at(offset, "expected a number")),
        }
    }

    /// Writes bytes without their length, which JSON gives in base64.
    pub(super) fn base64(&mut self) -> Result<()> {
        self.reader.peek();
        let offset = self.reader.offset();
        let text = self.reader.string()?;
        let decoded = base64_decode_into(self.out, text.as_bytes());
        decoded.then_some(()).ok_or_else(|| self.reader.wrong_at(offset, "expected base64"))
    }

    fn enumeration(&mut self, id: EnumerationId) -> Result<i32> {
        let quoted = self.reader.peek() == Some(b'"');
        let offset = self.reader.offset();
        if !quoted {
            let number = self.integer()?;
            return i32::try_from(number.value).map_err(|_| self.reader.wrong_at(offset, "number out of range"));
        }
        let name = self.reader.string()?;
        let numbers = &self.tables.enumeration(id).numbers;
        numbers.find(name.as_bytes()).ok_or_else(|| {
            self.reader.wrong_at(offset, unknown(&format!("enum value `{name}`"), (&name, numbers.iter())))
        })
    }

    fn null(&mut self) -> Result<()> {
        let first = self.reader.peek();
        let offset = self.reader.offset();
        let is_null = match first {
            Some(b'n') => self.reader.null().map(|()| true)?,
            Some(b'"') => self.reader.string()? == "NULL_VALUE",
            _ => self.integer()?.value == 0,
        };
        if !is_null {
            return Err(self.reader.wrong_at(offset, "expected null"));
        }
        self.out.push(0);
        Ok(())
    }
}

struct Integer {
    value: i128,
    /// Where it stands.
    offset: usize,
}

fn exactly(whole: Whole) -> std::result::Result<i128, &'static str> {
    match whole {
        Whole::Is(value) => Ok(value),
        Whole::TooLarge => Err("number out of range"),
        Whole::Fraction => Err("expected a whole number"),
        Whole::NoNumber => Err("expected a number"),
    }
}

/// Appends an integer in the encoding of its type; `None` when it does not fit.
#[inline]
fn integer_into(out: &mut Vec<u8>, kind: Scalar, value: i128) -> Option<()> {
    match kind {
        Scalar::Int32 => varint_into(out, i64::from(i32::try_from(value).ok()?) as u64),
        Scalar::Int64 => varint_into(out, i64::try_from(value).ok()? as u64),
        Scalar::Uint32 => varint_into(out, u64::from(u32::try_from(value).ok()?)),
        Scalar::Sint32 => varint_into(out, zigzag(i64::from(i32::try_from(value).ok()?))),
        Scalar::Sint64 => varint_into(out, zigzag(i64::try_from(value).ok()?)),
        Scalar::Fixed32 => out.extend_from_slice(&u32::try_from(value).ok()?.to_le_bytes()),
        Scalar::Fixed64 => out.extend_from_slice(&u64::try_from(value).ok()?.to_le_bytes()),
        Scalar::Sfixed32 => out.extend_from_slice(&i32::try_from(value).ok()?.to_le_bytes()),
        Scalar::Sfixed64 => out.extend_from_slice(&i64::try_from(value).ok()?.to_le_bytes()),
        // No other type is an integer.
        _ => varint_into(out, u64::try_from(value).ok()?),
    }
    Some(())
}

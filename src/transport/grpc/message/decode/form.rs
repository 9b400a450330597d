//! The JSON forms of messages: most are objects, some of `google.protobuf` have one of their own.
//! Source: protobuf.dev/programming-guides/json and the comments in their .proto files.

use super::super::error::Fault;
use super::super::tables::{Form, Message, Records, Scalar, Shape, Type};
use super::super::wire::{Reader, ZEROS};
use super::{Decoder, Order, regroup};
use crate::base::value::{Duration, Kind, Sink as _, Timestamp, base64_into};

impl<'t> Decoder<'t> {
    /// Writes a message in the JSON form that it has.
    #[inline]
    pub(super) fn in_form(&mut self, message: &'t Message, body: &[u8]) -> Result<(), Fault> {
        match message.form {
            Form::Fields => self.object(message, body),
            Form::Any => self.any(message, body),
            Form::Timestamp => {
                let (seconds, nanos) = seconds_and_nanos(message, body)?;
                let nanos = u32::try_from(nanos).map_err(|_| Fault::Timestamp)?;
                let time = Timestamp { seconds, nanos };
                self.quoted(Kind::Timestamp, |out| time.text_into(out).then_some(()).ok_or(Fault::Timestamp))
            }
            Form::Duration => {
                let (seconds, nanos) = seconds_and_nanos(message, body)?;
                let span = Duration { seconds, nanos };
                self.quoted(Kind::Duration, |out| span.text_into(out).then_some(()).ok_or(Fault::Duration))
            }
            Form::FieldMask => self.field_mask(message, body),
            Form::Struct | Form::ListValue => self.container(message, body),
            Form::Value => {
                if self.order == Order::Made && !regroup::is_ordered(message, body)? {
                    return self.dynamic_value(message, &regroup::regroup(message, body)?);
                }
                self.dynamic_value(message, body)
            }
            Form::Wrapper(scalar) => {
                let mut value = Reader::new(&ZEROS);
                let mut records = Records::new(message, body);
                while records.advance()?.is_some() {
                    value = records.reader;
                    records.skip()?;
                }
                self.scalar(scalar, &mut value)
            }
        }
    }

    /// The members of the message inside beside its `@type`; a message with a form of its own
    /// stands under `value`, and so does, in base64, one that the tables do not know.
    fn any(&mut self, message: &'t Message, body: &[u8]) -> Result<(), Fault> {
        let (mut type_url, mut inside) = (&b""[..], &b""[..]);
        let mut records = Records::new(message, body);
        while let Some(position) = records.advance()? {
            let block = records.reader.block()?;
            if position == 0 { type_url = block } else { inside = block }
        }
        self.out.begin_object();
        if !(type_url.is_empty() && inside.is_empty()) {
            let type_url = std::str::from_utf8(type_url).map_err(|_| Fault::Utf8)?;
            self.out.prepared_key(b"\"@type\":", false);
            self.out.text(Kind::String, type_url);
            self.any_contents(type_url, inside)?;
        }
        self.out.end_object();
        Ok(())
    }

    fn any_contents(&mut self, type_url: &str, inside: &[u8]) -> Result<(), Fault> {
        let known = type_url.rsplit_once('/').and_then(|(_, full_name)| self.tables.message(full_name));
        let Some(id) = known else {
            self.out.prepared_key(b"\"value\":", false);
            return self.quoted(Kind::Base64, |out| {
                base64_into(out, inside);
                Ok(())
            });
        };
        let message = self.tables.at(id);
        if message.form == Form::Fields {
            return self.fields(message, inside);
        }
        self.out.prepared_key(b"\"value\":", false);
        self.message(id, inside)
    }

    fn field_mask(&mut self, message: &Message, body: &[u8]) -> Result<(), Fault> {
        let mut records = Records::new(message, body);
        self.quoted(Kind::String, |out| {
            let mut first = true;
            while records.advance()?.is_some() {
                if !std::mem::take(&mut first) {
                    out.push(b',');
                }
                camel_case_into(out, records.reader.block()?).ok_or(Fault::FieldMask)?;
            }
            Ok(())
        })
    }

    /// A Struct or a ListValue: the map or list that is its only field.
    fn container(&mut self, message: &'t Message, body: &[u8]) -> Result<(), Fault> {
        let mut records = Records::new(message, body);
        let field = &message.fields[0];
        let is_empty = records.advance()?.is_none();
        match field.shape {
            Shape::Map(_) if is_empty => {
                self.out.begin_object();
                self.out.end_object();
                Ok(())
            }
            Shape::Map(entry) if self.order == Order::Made => self.distinct_map(entry, 0, &mut records),
            Shape::Map(entry) => self.map(entry, 0, &mut records),
            _ if is_empty => {
                self.out.begin_array();
                self.out.end_array();
                Ok(())
            }
            _ => self.list(field.kind, 0, &mut records),
        }
    }

    fn dynamic_value(&mut self, message: &'t Message, body: &[u8]) -> Result<(), Fault> {
        let mut records = Records::new(message, body);
        let Some(position) = records.advance()? else {
            self.out.null();
            return Ok(());
        };
        match message.fields[position].kind {
            Type::Scalar(Scalar::Double) => {
                let number = f64::from_bits(records.reader.fixed64()?);
                self.out.double(number).map_err(|_| Fault::NotANumber)?;
            }
            kind => self.value(kind, records.tag, &mut records.reader)?,
        }
        if records.advance()?.is_some() { Err(Fault::Disorder) } else { Ok(()) }
    }

    /// Writes text in quotes that needs no escapes.
    fn quoted(&mut self, kind: Kind, write: impl FnOnce(&mut Vec<u8>) -> Result<(), Fault>) -> Result<(), Fault> {
        let mut outcome = Ok(());
        self.out.scalar(kind, |out| {
            out.push(b'"');
            outcome = write(out);
            out.push(b'"');
        });
        outcome
    }
}

fn seconds_and_nanos(message: &Message, body: &[u8]) -> Result<(i64, i32), Fault> {
    let (mut seconds, mut nanos) = (0, 0);
    let mut records = Records::new(message, body);
    while let Some(position) = records.advance()? {
        let value = records.reader.varint()?;
        if position == 0 { seconds = value as i64 } else { nanos = value as i32 }
    }
    Ok((seconds, nanos))
}

/// Appends a path in lowerCamelCase: `a_b.c` as `aB.c`. `None` when the way back would not lead
/// here, or when a character has no place in a path.
fn camel_case_into(out: &mut Vec<u8>, path: &[u8]) -> Option<()> {
    let mut capital = false;
    for byte in path {
        match byte {
            b'a'..=b'z' if capital => out.push(byte.to_ascii_uppercase()),
            b'_' if !capital => {}
            b'A'..=b'Z' | b'_' | b'"' | b'\\' | b',' => return None,
            b'!'..=b'~' if !capital => out.push(*byte),
            _ => return None,
        }
        capital = *byte == b'_';
    }
    (!capital).then_some(())
}

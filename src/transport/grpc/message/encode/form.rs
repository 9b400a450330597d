//! The JSON forms of messages: most are objects, some of `google.protobuf` have one of their own.
//! Source: protobuf.dev/programming-guides/json and the comments in their .proto files.

use std::borrow::Cow;

use super::super::json::{Reader, Result};
use super::super::tables::{Form, Message, MessageId};
use super::super::wire::{close_block, open_block, varint_into};
use super::{Encoder, Host};
use crate::base::value::{Duration, Timestamp};

impl<'t> Encoder<'t, '_, '_> {
    /// Writes a message from the JSON form that it has, without tag or length.
    #[inline]
    pub(super) fn in_form(&mut self, message: &'t Message) -> Result<()> {
        match message.form {
            Form::Fields => self.object(message, Host::Message),
            Form::Any => self.any(message),
            Form::Timestamp => self.time(message, "expected an RFC 3339 time such as 2024-02-29T12:00:00Z", |text| {
                // RFC 3339 leaves lower case to applications, and protobuf forbids it.
                let time = Timestamp::parse(text).filter(|_| !text.contains(['t', 'z']))?;
                Some((time.seconds, i64::from(time.nanos)))
            }),
            Form::Duration => self.time(message, "expected seconds with an s, such as 1.5s", |text| {
                Duration::parse(text).map(|span| (span.seconds, i64::from(span.nanos)))
            }),
            Form::FieldMask => self.field_mask(message),
            Form::Value => self.dynamic_value(message),
            // The map, list or scalar that is the message's only field.
            Form::Struct | Form::ListValue | Form::Wrapper(_) => self.field(&message.fields[0]),
        }
    }

    fn time(
        &mut self,
        message: &Message,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<(i64, i64)>,
    ) -> Result<()> {
        self.reader.peek();
        let offset = self.reader.offset();
        let text = self.reader.string()?;
        let (seconds, nanos) = parse(&text).ok_or_else(|| self.reader.wrong_at(offset, expected))?;
        for (field, value) in message.fields.iter().zip([seconds, nanos]) {
            if value != 0 {
                varint_into(self.out, u64::from(field.tag));
                varint_into(self.out, value as u64);
            }
        }
        Ok(())
    }

    fn field_mask(&mut self, message: &Message) -> Result<()> {
        self.reader.peek();
        let offset = self.reader.offset();
        let paths = self.reader.string()?;
        if paths.is_empty() {
            return Ok(());
        }
        for path in paths.split(',') {
            varint_into(self.out, u64::from(message.fields[0].tag));
            let block = open_block(self.out);
            snake_case_into(self.out, path).ok_or_else(|| {
                self.reader.wrong_at(offset, "expected field paths in lowerCamelCase, such as user.displayName,photo")
            })?;
            close_block(self.out, block);
        }
        Ok(())
    }

    fn dynamic_value(&mut self, message: &'t Message) -> Result<()> {
        let position = match self.reader.peek() {
            Some(b'n') => 0,
            Some(b'"') => 2,
            Some(b't' | b'f') => 3,
            Some(b'{') => 4,
            Some(b'[') => 5,
            _ => 1,
        };
        self.tagged(&message.fields[position])
    }

    fn any(&mut self, message: &'t Message) -> Result<()> {
        let offset = self.reader.offset();
        let Some(type_url) = type_url(self.reader)? else {
            // An Any without a type is empty.
            let members = self.reader.open(b'{', b'}')?;
            return if members { Err(self.reader.wrong_at(offset, "`@type` is missing")) } else { Ok(()) };
        };
        let Some((_, full_name)) = type_url.rsplit_once('/').filter(|(_, name)| !name.is_empty()) else {
            return Err(self
                .reader
                .wrong_at(offset, "`@type` is no type URL such as type.googleapis.com/shop.v1.Order"));
        };
        varint_into(self.out, u64::from(message.fields[0].tag));
        varint_into(self.out, type_url.len() as u64);
        self.out.extend_from_slice(type_url.as_bytes());
        let start = self.out.len();
        varint_into(self.out, u64::from(message.fields[1].tag));
        let block = open_block(self.out);
        match self.tables.message(full_name).map(|id| (id, self.tables.at(id))) {
            Some((_, inside)) if inside.form == Form::Fields => self.object(inside, Host::Any)?,
            Some((id, _)) => self.any_value(Inside::Message(id))?,
            None => self.any_value(Inside::Opaque)?,
        }
        if self.out.len() == block {
            self.out.truncate(start);
        } else {
            close_block(self.out, block);
        }
        Ok(())
    }

    /// The object of an Any whose contents stand under `value`.
    fn any_value(&mut self, inside: Inside) -> Result<()> {
        let opened = self.reader.offset();
        let (mut types, mut values) = (0, 0);
        let mut more = self.reader.open(b'{', b'}')?;
        while more {
            let offset = self.reader.offset();
            match &*self.reader.key()? {
                "@type" => {
                    types += 1;
                    self.reader.skip()?;
                }
                "value" => {
                    values += 1;
                    let value = self.reader;
                    if let Err(wrong) = self.inside(inside) {
                        self.pass_over(value, wrong)?;
                    }
                }
                _ => return Err(self.reader.wrong_at(offset, "an Any of this type holds `@type` and `value` only")),
            }
            more = self.reader.another(b'}')?;
        }
        if (types, values) == (1, 1) {
            Ok(())
        } else {
            Err(self.reader.wrong_at(opened, "expected one `@type` and one `value`"))
        }
    }

    fn inside(&mut self, inside: Inside) -> Result<()> {
        match inside {
            Inside::Message(id) => self.message(id),
            Inside::Opaque => self.base64(),
        }
    }
}

/// What stands under the `value` of an Any.
#[derive(Clone, Copy)]
enum Inside {
    /// A message with a JSON form of its own.
    Message(MessageId),
    /// Base64 of a message that the tables do not know.
    Opaque,
}

/// The `@type` of the object at which `reader` stands, wherever among its members it is.
fn type_url<'j>(mut reader: Reader<'j>) -> Result<Option<Cow<'j, str>>> {
    let mut more = reader.open(b'{', b'}')?;
    while more {
        if reader.key()? == "@type" {
            return reader.string().map(Some);
        }
        reader.skip()?;
        more = reader.another(b'}')?;
    }
    Ok(None)
}

/// Appends a lowerCamelCase path in snake_case: `aB.c` as `a_b.c`. `None` when the way back would
/// not lead here.
fn snake_case_into(out: &mut Vec<u8>, path: &str) -> Option<()> {
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' => out.extend_from_slice(&[b'_', byte.to_ascii_lowercase()]),
            b'_' | b'"' | b'\\' => return None,
            b'!'..=b'~' => out.push(byte),
            _ => return None,
        }
    }
    (!path.is_empty()).then_some(())
}

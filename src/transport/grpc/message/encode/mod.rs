//! From ProtoJSON text to wire bytes, without a tree.
//!
//! Members are written in the order in which they come, which protobuf allows. A member is first
//! taken to be the one whose field follows the last: writers keep to the order of the fields, so
//! most names are compared once and never looked up.
//!
//! A value that is wrong is noted and passed over, so that everything that is wrong is found. Where in the text it
//! stands is worked out only then: what is right pays nothing for it.

mod form;
mod scalar;

use std::collections::HashSet;

use super::DEPTH_LIMIT;
use super::error::{JsonError, JsonErrors};
use super::json::{Reader, Result, place};
use super::keys::KeyHashes;
use super::tables::{Entry, Field, Message, MessageId, Shape, Tables, Type};
use super::wire::{self, close_block, group_end, open_block, varint_into};
use crate::base::diagnostic::did_you_mean;
use crate::base::path::MISTAKE_LIMIT;

/// Appends the wire bytes of a message given as ProtoJSON text. On an error `out` is as it was.
///
/// # Errors
/// What is wrong, at most [`MISTAKE_LIMIT`] mistakes.
pub fn encode(
    tables: &Tables,
    message: MessageId,
    json: &[u8],
    out: &mut Vec<u8>,
) -> std::result::Result<(), JsonErrors> {
    let start = out.len();
    // Names and punctuation make JSON text longer than the wire, almost always.
    out.reserve(json.len());
    let reader = Reader::new(json).map_err(|wrong| JsonErrors(vec![*wrong]))?;
    let mut encoder = Encoder { tables, reader, out, depth: 0, mistakes: Mistakes::default() };
    let written = encoder.message(message).and_then(|()| encoder.reader.end());
    let mut mistakes = encoder.mistakes;
    if let Err(wrong) = written {
        // What stopped it was noted.
        let _ = mistakes.note(wrong);
    }
    if mistakes.found.is_empty() {
        return Ok(());
    }
    out.truncate(start);
    place(reader, &mut mistakes.found);
    Err(JsonErrors(mistakes.found))
}

struct Encoder<'t, 'j, 'o> {
    tables: &'t Tables,
    reader: Reader<'j>,
    out: &'o mut Vec<u8>,
    /// Messages around the current one.
    depth: usize,
    mistakes: Mistakes,
}

/// What was found to be wrong so far.
#[derive(Default)]
struct Mistakes {
    found: Vec<JsonError>,
    /// Whether there is no going on: the text is no JSON, or enough was found.
    stopped: bool,
}

impl Mistakes {
    /// Notes a mistake; gives it back where there is no going on.
    fn note(&mut self, wrong: Box<JsonError>) -> Result<()> {
        self.stopped |= self.found.len() == MISTAKE_LIMIT;
        if self.stopped {
            return Err(wrong);
        }
        self.found.push(*wrong);
        Ok(())
    }
}

/// Whether an object may hold an `@type` beside the members of its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Host {
    Message,
    Any,
}

/// What a member's name stands for.
enum Name {
    Field(usize),
    TypeUrl,
    /// Nothing, which is noted.
    Unknown,
}

impl<'t, 'j> Encoder<'t, 'j, '_> {
    /// Writes a message without tag or length.
    fn message(&mut self, id: MessageId) -> Result<()> {
        if self.depth > DEPTH_LIMIT {
            return Err(self.reader.wrong("nested too deeply"));
        }
        self.depth += 1;
        let written = self.in_form(self.tables.at(id));
        self.depth -= 1;
        written
    }

    /// Notes what is wrong with the value at which `value` stands, and goes on behind it.
    #[cold]
    fn pass_over(&mut self, value: Reader<'j>, wrong: Box<JsonError>) -> Result<()> {
        self.mistakes.note(wrong)?;
        self.reader = value;
        let passed = self.reader.skip();
        self.mistakes.stopped |= passed.is_err();
        passed
    }

    fn object(&mut self, message: &'t Message, host: Host) -> Result<()> {
        let mut seen = Seen::default();
        let mut next = 0;
        let mut more = self.reader.open(b'{', b'}')?;
        while more {
            match self.name(message, host, next)? {
                Name::Field(position) => {
                    let value = self.reader;
                    if let Err(wrong) = self.member(message, position, &mut seen) {
                        self.pass_over(value, wrong)?;
                    }
                    next = position + 1;
                }
                Name::TypeUrl if !seen.insert(message.fields.len() + message.oneofs.len()) => {
                    return Err(self.reader.wrong("`@type` is given twice"));
                }
                // The one was read before the members were, the other is nothing.
                Name::TypeUrl | Name::Unknown => self.reader.skip()?,
            }
            more = self.reader.another(b'}')?;
        }
        Ok(())
    }

    /// Reads a member's name; `next` is the position of the field that is most likely meant.
    #[inline]
    fn name(&mut self, message: &'t Message, host: Host, next: usize) -> Result<Name> {
        if let Some(field) = message.fields.get(next)
            && self.reader.take(&field.key)
        {
            return Ok(Name::Field(next));
        }
        let offset = self.reader.offset();
        let name = self.reader.key()?;
        match message.by_name.find(name.as_bytes()) {
            Some(position) => Ok(Name::Field(position as usize)),
            None if host == Host::Any && name == "@type" => Ok(Name::TypeUrl),
            None => {
                let known = message.fields.iter().map(|field| &*field.name);
                self.mistakes.note(self.reader.wrong_at(offset, unknown("field", (&name, known))))?;
                Ok(Name::Unknown)
            }
        }
    }

    fn member(&mut self, message: &'t Message, position: usize, seen: &mut Seen) -> Result<()> {
        let field = &message.fields[position];
        if !seen.insert(position) {
            return Err(self.reader.wrong("given twice"));
        }
        if !field.takes_null && self.reader.peek() == Some(b'n') {
            return self.reader.null();
        }
        if let Some(oneof) = field.oneof
            && !seen.insert(message.fields.len() + oneof as usize)
        {
            let name = &message.oneofs[oneof as usize];
            return Err(self.reader.wrong(format!("another member of the oneof `{name}` is given")));
        }
        self.field(field)
    }

    fn field(&mut self, field: &'t Field) -> Result<()> {
        match field.shape {
            Shape::Explicit => self.tagged(field),
            Shape::Implicit(scalar) => {
                let start = self.out.len();
                varint_into(self.out, u64::from(field.tag));
                let value = self.out.len();
                self.scalar(scalar)?;
                // Defaults are written as zeros, and nothing else is: text begins with its length.
                if self.out[value..].iter().all(|byte| *byte == 0) {
                    self.out.truncate(start);
                }
                Ok(())
            }
            Shape::List => self.list(|encoder| encoder.tagged(field)),
            Shape::Packed(scalar) => {
                let start = self.out.len();
                varint_into(self.out, u64::from(field.tag));
                let block = open_block(self.out);
                self.list(|encoder| encoder.scalar(scalar))?;
                if self.out.len() == block {
                    self.out.truncate(start);
                } else {
                    close_block(self.out, block);
                }
                Ok(())
            }
            Shape::Map(entry) => self.map(field.tag, entry),
        }
    }

    /// Writes one record: tag and value.
    #[inline]
    fn tagged(&mut self, field: &'t Field) -> Result<()> {
        if let Type::Item(id) = field.kind {
            return self.item(field, id);
        }
        varint_into(self.out, u64::from(field.tag));
        self.value(field.kind)?;
        if let Type::Group(_) = field.kind {
            varint_into(self.out, u64::from(group_end(field.tag)));
        }
        Ok(())
    }

    /// Writes an item of a MessageSet: its type, which is the field's number, and its message.
    fn item(&mut self, field: &Field, id: MessageId) -> Result<()> {
        for part in [wire::ITEM, wire::ITEM_TYPE, field.tag >> 3, wire::ITEM_MESSAGE] {
            varint_into(self.out, u64::from(part));
        }
        self.value(Type::Message(id))?;
        varint_into(self.out, u64::from(group_end(wire::ITEM)));
        Ok(())
    }

    #[inline]
    fn value(&mut self, kind: Type) -> Result<()> {
        match kind {
            Type::Scalar(scalar) => self.scalar(scalar),
            Type::Message(id) | Type::Item(id) => {
                let block = open_block(self.out);
                self.message(id)?;
                close_block(self.out, block);
                Ok(())
            }
            Type::Group(id) => self.message(id),
        }
    }

    #[inline]
    fn list(&mut self, mut element: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        let mut more = self.reader.open(b'[', b']')?;
        while more {
            let value = self.reader;
            if let Err(wrong) = element(self) {
                self.pass_over(value, wrong)?;
            }
            more = self.reader.another(b']')?;
        }
        Ok(())
    }

    fn map(&mut self, tag: u32, entry: Entry) -> Result<()> {
        let start = self.out.len();
        let opened = self.reader.offset();
        let mut keys = KeyHashes::default();
        let mut more = self.reader.open(b'{', b'}')?;
        while more {
            let record = self.out.len();
            varint_into(self.out, u64::from(tag));
            let block = open_block(self.out);
            let offset = self.reader.offset();
            let key = self.reader.key()?;
            let value = self.reader;
            match self.entry(entry, (&key, offset), &mut keys) {
                Ok(()) => close_block(self.out, block),
                Err(wrong) => {
                    // Half a record would not be read again by those who look for keys.
                    self.out.truncate(record);
                    self.pass_over(value, wrong)?;
                }
            }
            more = self.reader.another(b'}')?;
        }
        if keys.may_repeat() && repeats_a_key(&self.out[start..]) {
            return Err(self.reader.wrong_at(opened, "a key is given twice"));
        }
        Ok(())
    }

    /// Writes key and value of a map's entry; its key stands at `offset`.
    #[inline]
    fn entry(&mut self, entry: Entry, (key, offset): (&str, usize), keys: &mut KeyHashes) -> Result<()> {
        varint_into(self.out, u64::from(entry.key_tag()));
        let from = self.out.len();
        self.map_key(entry.key, key).map_err(|reason| self.reader.wrong_at(offset, reason))?;
        keys.add(&self.out[from..]);
        varint_into(self.out, u64::from(entry.value_tag()));
        self.value(entry.value)
    }
}

/// Whether two of the given map entries, which begin with their keys, have the same key.
fn repeats_a_key(records: &[u8]) -> bool {
    let mut keys = HashSet::new();
    let mut reader = wire::Reader::new(records);
    while let Ok(entry) = reader.tag().and_then(|_| reader.block()) {
        let mut key = wire::Reader::new(entry);
        let Ok(()) = key.tag().and_then(|tag| key.skip(tag)) else { return false };
        if !keys.insert(&entry[..entry.len() - key.rest.len()]) {
            return true;
        }
    }
    false
}

/// What is wrong with a name that nothing has, and what was probably meant.
fn unknown<'a>(what: &str, (name, known): (&str, impl IntoIterator<Item = &'a str>)) -> String {
    match did_you_mean(name, known) {
        nothing if nothing.is_empty() => format!("unknown {what}"),
        suggestion => format!("unknown {what}; {suggestion}"),
    }
}

/// Which fields and oneofs an object has set so far, by a number for each.
#[derive(Default)]
struct Seen {
    first: u64,
    /// For all but the first 64, which are enough for most messages.
    rest: Vec<u64>,
}

impl Seen {
    /// Says whether `index` was not there yet.
    #[inline]
    fn insert(&mut self, index: usize) -> bool {
        const BITS: usize = u64::BITS as usize;
        let word = match index / BITS {
            0 => &mut self.first,
            word => {
                if self.rest.len() < word {
                    self.rest.resize(word, 0);
                }
                &mut self.rest[word - 1]
            }
        };
        let bit = 1 << (index % BITS);
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }
}

//! The tables that messages are read and written by: flat, immutable, indices instead of pointers.

use std::collections::HashMap;

use super::error::Fault;
use super::names::Names;
use super::wire::{self, Reader};
use crate::descriptor::MessageDescriptor;

/// The messages of one schema and everything they reach. Made once at load, then only read.
#[derive(Debug)]
pub struct Tables {
    pub(super) messages: Vec<Message>,
    pub(super) enumerations: Vec<Enumeration>,
    pub(super) by_name: HashMap<Box<str>, MessageId>,
}

/// A message of the [`Tables`] that handed it out; of no meaning to other tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageId(pub(super) u32);

/// An enumeration of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct EnumerationId(pub(super) u32);

impl Tables {
    /// The tables of the given messages and of everything reachable from them.
    pub fn build(messages: impl IntoIterator<Item = MessageDescriptor>) -> Self {
        super::build::tables(messages)
    }

    /// The message called `full_name`, such as `shop.v1.Order`.
    pub fn message(&self, full_name: &str) -> Option<MessageId> {
        self.by_name.get(full_name).copied()
    }

    pub(super) fn at(&self, id: MessageId) -> &Message {
        &self.messages[id.0 as usize]
    }

    pub(super) fn enumeration(&self, id: EnumerationId) -> &Enumeration {
        &self.enumerations[id.0 as usize]
    }
}

/// How one message is read and written.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) form: Form,
    /// By number, lowest first. A field's position here is what the rest of the module calls it by.
    pub(super) fields: Box<[Field]>,
    /// Positions of the fields with small numbers; `NO_FIELD` where there is none.
    pub(super) by_small_number: Box<[u8]>,
    /// Positions by JSON name and by proto name.
    pub(super) by_name: Names<u32>,
    /// Names of the oneofs, for errors.
    pub(super) oneofs: Box<[Box<str>]>,
    /// Whether ordinary encoders write this message out of order: they put a oneof where its
    /// first member would stand, so one with another field's number between its members is late.
    pub(super) scattered: bool,
    /// What must be done to its wire bytes before their records are those of its fields.
    pub(super) irregular: Option<Irregular>,
}

/// Why records of a message are not simply those of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Irregular {
    /// A field holds a closed enumeration, so that numbers may be unknown.
    Closed,
    /// It is a MessageSet, and its records are items.
    MessageSet,
}

/// Field numbers below this are found by index, all others by search.
pub(super) const SMALL_NUMBERS: u32 = 128;
pub(super) const NO_FIELD: u8 = u8::MAX;

impl Message {
    /// The position of the field that `tag` is a record of. `None` for an unknown number, and for
    /// a wire type that is not the field's: such a record is skipped as unknown.
    fn find(&self, tag: u32) -> Option<usize> {
        let number = tag >> 3;
        let position = match self.by_small_number.get(number as usize) {
            Some(&NO_FIELD) => return None,
            Some(position) => usize::from(*position),
            None => self.fields.binary_search_by_key(&number, |field| field.tag >> 3).ok()?,
        };
        let field = &self.fields[position];
        (tag == field.tag || tag == field.other_tag).then_some(position)
    }
}

/// How a message looks in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// An object with a member for each field.
    Fields,
    Any,
    Timestamp,
    Duration,
    FieldMask,
    Struct,
    ListValue,
    Value,
    /// One of `google/protobuf/wrappers.proto`: the value of its only field.
    Wrapper(Scalar),
}

/// One field of a message.
#[derive(Debug)]
pub(super) struct Field {
    /// Its JSON name.
    pub(super) name: Box<str>,
    /// Its JSON name as it is written: `"name":`.
    pub(super) key: Box<[u8]>,
    /// Whether the key holds a backslash.
    pub(super) key_escaped: bool,
    /// `number << 3 | wire type` as it is written.
    pub(super) tag: u32,
    /// The other tag that is read: unpacked for packed and packed for unpacked lists, else the same.
    pub(super) other_tag: u32,
    pub(super) kind: Type,
    pub(super) shape: Shape,
    /// The position of its oneof in the message, if it has one.
    pub(super) oneof: Option<u32>,
    /// Whether JSON `null` is a value of this field rather than its absence.
    pub(super) takes_null: bool,
}

/// How often a field stands in its message, and what its absence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Once; absent and default are the same.
    Implicit(Scalar),
    /// Once or not at all.
    Explicit,
    /// Any number of times, a record for each.
    List,
    /// Any number of times, in one record.
    Packed(Scalar),
    /// An object whose entries are records.
    Map(Entry),
}

/// What the entries of a map hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: Scalar,
    pub(super) value: Type,
}

impl Entry {
    pub(super) fn key_tag(self) -> u32 {
        1 << 3 | self.key.wire_type()
    }

    pub(super) fn value_tag(self) -> u32 {
        2 << 3 | self.value.wire_type()
    }
}

/// What one value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Scalar(Scalar),
    Message(MessageId),
    /// A message between a begin and an end tag: a proto2 group, or delimited encoding.
    Group(MessageId),
    /// A message in an item of a MessageSet; an ordinary one to whoever reads what the items became.
    Item(MessageId),
}

/// A value that holds no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
    /// The enumeration `google.protobuf.NullValue`, whose only value is JSON's `null`.
    Null,
    Enumeration(EnumerationId),
}

impl Type {
    pub(super) fn wire_type(self) -> u32 {
        match self {
            Self::Scalar(scalar) => scalar.wire_type(),
            Self::Message(_) | Self::Item(_) => wire::BLOCK,
            Self::Group(_) => wire::GROUP,
        }
    }

    /// The scalar that this is, if several may stand in one record.
    pub(super) fn packable(self) -> Option<Scalar> {
        match self {
            Self::Scalar(scalar) if scalar.wire_type() != wire::BLOCK => Some(scalar),
            _ => None,
        }
    }
}

impl Scalar {
    pub(super) fn wire_type(self) -> u32 {
        match self {
            Self::Double | Self::Fixed64 | Self::Sfixed64 => wire::FIXED64,
            Self::Float | Self::Fixed32 | Self::Sfixed32 => wire::FIXED32,
            Self::String | Self::Bytes => wire::BLOCK,
            _ => wire::VARINT,
        }
    }
}

/// The names of an enumeration's numbers, both ways.
#[derive(Debug)]
pub(super) struct Enumeration {
    /// Whether it holds no other numbers than those that it names.
    pub(super) closed: bool,
    pub(super) numbers: Names<i32>,
    /// By number, lowest first: the name as it is written, `"NAME"`. Of aliases the first.
    pub(super) texts: Box<[(i32, Box<[u8]>)]>,
}

impl Enumeration {
    /// The name of `number` in quotes.
    pub(super) fn text(&self, number: i32) -> Option<&[u8]> {
        // Most enumerations count up from 0, so the number is the position.
        match self.texts.get(number as usize) {
            Some((found, text)) if *found == number => Some(text),
            _ => self.texts.binary_search_by_key(&number, |(found, _)| *found).ok().map(|at| &*self.texts[at].1),
        }
    }
}

/// Walks the records of one message that belong to known fields. A copy is a place to come back to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Records<'t, 'w> {
    pub(super) message: &'t Message,
    /// Stands at the payload of the current record.
    pub(super) reader: Reader<'w>,
    /// The wire bytes from the current record's tag on.
    pub(super) from_tag: &'w [u8],
    /// The current record's tag.
    pub(super) tag: u32,
    /// The position of the field that most probably comes next.
    likely: usize,
}

impl<'t, 'w> Records<'t, 'w> {
    pub(super) fn new(message: &'t Message, body: &'w [u8]) -> Self {
        Self { message, reader: Reader::new(body), from_tag: body, tag: 0, likely: 0 }
    }

    /// Goes to the next record, once the payload of the current one is read. Returns the position
    /// of its field. Records of unknown fields are passed over.
    #[inline]
    pub(super) fn advance(&mut self) -> Result<Option<usize>, Fault> {
        if self.reader.is_empty() {
            return Ok(None);
        }
        self.from_tag = self.reader.rest;
        self.tag = self.reader.tag()?;
        let likely = self.likely;
        if self.message.fields.get(likely).is_some_and(|field| field.tag == self.tag) {
            self.likely = likely + 1;
            return Ok(Some(likely));
        }
        self.look_up()
    }

    /// Goes to the next record if it belongs to the field at `position`, which is the current
    /// record's; says whether it did.
    #[inline]
    pub(super) fn advance_within(&mut self, position: usize) -> Result<bool, Fault> {
        let mut ahead = *self;
        ahead.likely = position;
        let within = ahead.advance()? == Some(position);
        if within {
            *self = ahead;
        }
        Ok(within)
    }

    /// Passes over the payload of the current record.
    pub(super) fn skip(&mut self) -> Result<(), Fault> {
        self.reader.skip(self.tag)
    }

    /// Finds the field of the current record, or goes to the first record after it that has one.
    fn look_up(&mut self) -> Result<Option<usize>, Fault> {
        loop {
            if let Some(position) = self.message.find(self.tag) {
                self.likely = position + 1;
                return Ok(Some(position));
            }
            self.reader.skip(self.tag)?;
            if self.reader.is_empty() {
                return Ok(None);
            }
            self.from_tag = self.reader.rest;
            self.tag = self.reader.tag()?;
        }
    }
}

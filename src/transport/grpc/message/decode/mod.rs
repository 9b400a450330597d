//! From wire bytes to a document, in one pass.
//!
//! The pass assumes what every ordinary encoder does: records in the order of their field numbers,
//! each single field once, each map key once. When that proves wrong the pass is given up and a
//! second one puts the records of every message in order before it reads them ([`regroup`]). Never
//! more than two passes, so no nesting of disorder makes reading more than linear.

mod closed;
mod form;
mod message_set;
mod regroup;
mod scalar;

pub(super) use closed::has_closed;

use std::collections::HashSet;

use bytes::Bytes;

use super::error::{Fault, WireError};
use super::keys::KeyHashes;
use super::tables::{Entry, Field, Irregular, Message, MessageId, Records, Scalar, Shape, Tables, Type};
use super::wire::{self, Reader, ZEROS};
use super::{DEPTH_LIMIT, DOCUMENT_LIMIT};
use crate::base::value::{Doc, DocBuilder, Sink as _};

/// The document of the wire bytes of a message: JSON text by the rules of ProtoJSON, with the
/// kinds that expressions see. Fields without presence are always there, others when they are set,
/// in the order of their numbers; unknown fields are not. It is marked as a reply if an enumeration in it holds a number
/// without a name.
pub fn decode(tables: &Tables, message: MessageId, wire: &[u8]) -> Result<Doc, WireError> {
    decoded(tables, wire.len(), |decoder| decoder.message(message, wire))
}

/// The document of a list of messages of one kind, each as [`decode`] has it.
pub fn decode_list(tables: &Tables, message: MessageId, wires: &[Bytes]) -> Result<Doc, WireError> {
    decoded(tables, wires.iter().map(Bytes::len).sum(), |decoder| {
        decoder.out.begin_array();
        for wire in wires {
            decoder.message(message, wire)?;
            decoder.check_size()?;
        }
        decoder.out.end_array();
        Ok(())
    })
}

fn decoded<'t>(
    tables: &'t Tables,
    wire_bytes: usize,
    work: impl Fn(&mut Decoder<'t>) -> Result<(), Fault>,
) -> Result<Doc, WireError> {
    let mut decoder = Decoder::new(tables, wire_bytes, Order::Assumed);
    let mut outcome = work(&mut decoder);
    if outcome == Err(Fault::Disorder) {
        decoder = Decoder::new(tables, wire_bytes, Order::Made);
        outcome = work(&mut decoder);
    }
    match outcome {
        Ok(()) => Ok(if decoder.has_unnamed { decoder.out.finish().of_reply() } else { decoder.out.finish() }),
        Err(fault) => Err(decoder.explain(fault)),
    }
}

/// Whether records are taken to be in order or put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Assumed,
    Made,
}

struct Decoder<'t> {
    tables: &'t Tables,
    out: DocBuilder,
    order: Order,
    /// Messages around the current one.
    depth: usize,
    /// The key of a map entry while it is prepared.
    key: Vec<u8>,
    /// Whether an enumeration held a number that has no name: nothing else in a message can break a promise.
    has_unnamed: bool,
    /// Names of the fields around a fault, innermost first; empty while there is none.
    fault_path: Vec<&'t str>,
}

impl<'t> Decoder<'t> {
    fn new(tables: &'t Tables, wire_bytes: usize, order: Order) -> Self {
        // Keys make JSON text two to three times as long as the wire.
        let out = DocBuilder::with_capacity(wire_bytes * 3 + 64);
        Self { tables, out, order, depth: 0, key: Vec::new(), has_unnamed: false, fault_path: Vec::new() }
    }

    fn message(&mut self, id: MessageId, body: &[u8]) -> Result<(), Fault> {
        if self.depth > DEPTH_LIMIT {
            return Err(Fault::Depth);
        }
        self.depth += 1;
        self.in_form(self.tables.at(id), body)?;
        self.depth -= 1;
        Ok(())
    }

    fn object(&mut self, message: &'t Message, body: &[u8]) -> Result<(), Fault> {
        self.out.begin_object();
        self.fields(message, body)?;
        self.out.end_object();
        Ok(())
    }

    /// Writes the members of an object for the fields of a message.
    fn fields(&mut self, message: &'t Message, body: &[u8]) -> Result<(), Fault> {
        let regular = match message.irregular {
            None => None,
            Some(Irregular::Closed) => closed::without_unknown(self.tables, message, body)?,
            Some(Irregular::MessageSet) => Some(message_set::items_as_fields(body)?),
        };
        let body = regular.as_deref().unwrap_or(body);
        let must_be_ordered = self.order == Order::Made || message.scattered;
        if must_be_ordered && !regroup::is_ordered(message, body)? {
            return self.ordered_fields(message, &regroup::regroup(message, body)?);
        }
        self.ordered_fields(message, body)
    }

    fn ordered_fields(&mut self, message: &'t Message, body: &[u8]) -> Result<(), Fault> {
        let mut records = Records::new(message, body);
        let mut next = 0;
        let mut oneofs_seen = 0u64;
        // A field that nobody reads would be skipped here like an unknown one.
        while let Some(position) = records.advance()? {
            if position < next {
                return Err(Fault::Disorder);
            }
            let field = &message.fields[position];
            if let Some(oneof) = field.oneof {
                // A message with more oneofs than bits is `scattered`, so its order was checked.
                let bit = 1u64.checked_shl(oneof).unwrap_or(0);
                if oneofs_seen & bit != 0 {
                    return Err(Fault::Disorder);
                }
                oneofs_seen |= bit;
            }
            if position > next {
                self.absent_fields(&message.fields[next..position])?;
            }
            next = position + 1;
            if let Err(fault) = self.field(field, position, &mut records) {
                self.fault_path.push(&field.name);
                return Err(fault);
            }
        }
        self.absent_fields(&message.fields[next..])
    }

    /// Writes the defaults of fields that no record stands for.
    fn absent_fields(&mut self, fields: &[Field]) -> Result<(), Fault> {
        for field in fields {
            match field.shape {
                Shape::Explicit => continue,
                Shape::Implicit(scalar) => {
                    self.out.prepared_key(&field.key, field.key_escaped);
                    self.scalar(scalar, &mut Reader::new(&ZEROS))?;
                }
                Shape::List | Shape::Packed(_) => {
                    self.out.prepared_key(&field.key, field.key_escaped);
                    self.out.begin_array();
                    self.out.end_array();
                }
                Shape::Map(_) => {
                    self.out.prepared_key(&field.key, field.key_escaped);
                    self.out.begin_object();
                    self.out.end_object();
                }
            }
        }
        self.check_size()
    }

    /// Writes one member: the current record, and for lists and maps those that follow it.
    fn field(&mut self, field: &Field, position: usize, records: &mut Records<'t, '_>) -> Result<(), Fault> {
        self.out.prepared_key(&field.key, field.key_escaped);
        match field.shape {
            Shape::Implicit(_) | Shape::Explicit => self.value(field.kind, records.tag, &mut records.reader),
            Shape::List | Shape::Packed(_) => self.list(field.kind, position, records),
            Shape::Map(entry) if self.order == Order::Made => self.distinct_map(entry, position, records),
            Shape::Map(entry) => self.map(entry, position, records),
        }
    }

    #[inline]
    fn value(&mut self, kind: Type, tag: u32, reader: &mut Reader<'_>) -> Result<(), Fault> {
        match kind {
            Type::Message(id) | Type::Item(id) => {
                let body = reader.block()?;
                self.message(id, body)
            }
            Type::Group(id) => {
                let body = reader.group(tag)?;
                self.message(id, body)
            }
            Type::Scalar(scalar) => self.scalar(scalar, reader),
        }
    }

    /// Writes a list from the current record and those of the same field that follow it, packed or not.
    fn list(&mut self, kind: Type, position: usize, records: &mut Records<'t, '_>) -> Result<(), Fault> {
        self.out.begin_array();
        loop {
            match kind.packable() {
                Some(scalar) if records.tag & 7 == wire::BLOCK => self.packed(scalar, records.reader.block()?)?,
                _ => self.value(kind, records.tag, &mut records.reader)?,
            }
            self.check_size()?;
            if !records.advance_within(position)? {
                break;
            }
        }
        self.out.end_array();
        Ok(())
    }

    fn packed(&mut self, scalar: Scalar, block: &[u8]) -> Result<(), Fault> {
        let mut reader = Reader::new(block);
        while !reader.is_empty() {
            self.scalar(scalar, &mut reader)?;
            self.check_size()?;
        }
        Ok(())
    }

    /// Writes an object from the current record and those of the same field that follow it.
    fn map(&mut self, entry: Entry, position: usize, records: &mut Records<'t, '_>) -> Result<(), Fault> {
        let mut keys = KeyHashes::default();
        self.out.begin_object();
        loop {
            let parts = EntryParts::split(entry, records.reader.block()?)?;
            self.map_key(entry.key, parts.key)?;
            keys.add(&self.key);
            self.map_value(entry, parts)?;
            if !records.advance_within(position)? {
                break;
            }
        }
        self.out.end_object();
        if keys.may_repeat() { Err(Fault::Disorder) } else { Ok(()) }
    }

    /// The same where keys may repeat: of entries with one key the last counts.
    fn distinct_map(&mut self, entry: Entry, position: usize, records: &mut Records<'t, '_>) -> Result<(), Fault> {
        let mut entries = Vec::new();
        loop {
            entries.push(EntryParts::split(entry, records.reader.block()?)?);
            if !records.advance_within(position)? {
                break;
            }
        }
        let mut keys = HashSet::new();
        let mut last = vec![false; entries.len()];
        for (parts, last) in entries.iter().zip(&mut last).rev() {
            self.prepare_key(entry.key, parts.key)?;
            *last = keys.insert(self.key.clone());
        }
        self.out.begin_object();
        for (parts, _) in entries.into_iter().zip(last).filter(|(_, last)| *last) {
            self.map_key(entry.key, parts.key)?;
            self.map_value(entry, parts)?;
        }
        self.out.end_object();
        Ok(())
    }

    fn map_key(&mut self, kind: Scalar, key: Reader<'_>) -> Result<(), Fault> {
        let escaped = self.prepare_key(kind, key)?;
        self.out.prepared_key(&self.key, escaped);
        Ok(())
    }

    fn map_value(&mut self, entry: Entry, parts: EntryParts<'_>) -> Result<(), Fault> {
        match (entry.value, parts.earlier_value) {
            (Type::Message(id), Some(mut merged)) => {
                let mut value = parts.value;
                merged.extend_from_slice(value.block()?);
                self.message(id, &merged)?;
            }
            (kind, _) => self.value(kind, entry.value_tag(), &mut { parts.value })?,
        }
        self.check_size()
    }

    fn check_size(&self) -> Result<(), Fault> {
        if self.out.len() > DOCUMENT_LIMIT { Err(Fault::TooLarge) } else { Ok(()) }
    }

    fn explain(&self, fault: Fault) -> WireError {
        let names: Vec<&str> = self.fault_path.iter().rev().copied().collect();
        WireError { path: names.join("."), reason: fault.reason(), unprintable: fault.is_of_json() }
    }
}

/// Where key and value of a map entry stand; at zeros when there is none.
struct EntryParts<'w> {
    key: Reader<'w>,
    value: Reader<'w>,
    /// Bodies of values before the last one, which it is merged with if it is a message.
    earlier_value: Option<Vec<u8>>,
}

impl<'w> EntryParts<'w> {
    fn split(entry: Entry, body: &'w [u8]) -> Result<Self, Fault> {
        let mut parts = Self { key: Reader::new(&ZEROS), value: Reader::new(&ZEROS), earlier_value: None };
        let mut seen_value = false;
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            let tag = reader.tag()?;
            if tag == entry.key_tag() {
                parts.key = reader;
            } else if tag == entry.value_tag() {
                if seen_value && matches!(entry.value, Type::Message(_)) {
                    parts.earlier_value.get_or_insert_default().extend_from_slice(parts.value.block()?);
                }
                seen_value = true;
                parts.value = reader;
            }
            reader.skip(tag)?;
        }
        Ok(parts)
    }
}

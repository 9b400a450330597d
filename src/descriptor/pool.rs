//! Linked descriptors: what the plan and the message tables are made from.
//!
//! A descriptor is a pool and a position in it: cheap to clone, equal when it is the same entry of the same pool.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::http::HttpBinding;
use super::service::ServiceDescriptor;

/// Messages, enumerations and services whose types are all there.
#[derive(Clone)]
pub struct DescriptorPool(pub(super) Arc<Entries>);

/// The entries of a pool. A position in one of the lists never leaves it.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) messages: Vec<MessageEntry>,
    pub(super) enumerations: Vec<EnumEntry>,
    pub(super) services: Vec<ServiceEntry>,
    pub(super) messages_by_name: HashMap<Box<str>, u32>,
}

#[derive(Debug)]
pub(super) struct MessageEntry {
    pub(super) full_name: Box<str>,
    /// By number, lowest first.
    pub(super) fields: Vec<FieldEntry>,
    /// Without those that stand for `optional`.
    pub(super) oneofs: Vec<Box<str>>,
    pub(super) is_map_entry: bool,
    /// Whether it has the wire format of protobuf's first version: `message_set_wire_format`.
    pub(super) is_message_set: bool,
}

#[derive(Debug)]
pub(super) struct FieldEntry {
    pub(super) name: Box<str>,
    pub(super) json_name: Box<str>,
    pub(super) number: u32,
    pub(super) kind: KindEntry,
    pub(super) cardinality: Cardinality,
    pub(super) has_presence: bool,
    pub(super) is_packed: bool,
    pub(super) is_delimited: bool,
    /// A position in the message's `oneofs`.
    pub(super) oneof: Option<u32>,
}

/// A type, with positions for descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KindEntry {
    Scalar(Scalar),
    Message(u32),
    Enum(u32),
}

/// The scalar types, in the order of their numbers in descriptor.proto.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Double,
    Float,
    Int64,
    Uint64,
    Int32,
    Fixed64,
    Fixed32,
    Bool,
    String,
    Bytes,
    Uint32,
    Sfixed32,
    Sfixed64,
    Sint32,
    Sint64,
}

#[derive(Debug)]
pub(super) struct EnumEntry {
    pub(super) full_name: Box<str>,
    pub(super) values: Vec<EnumValue>,
    pub(super) is_closed: bool,
}

#[derive(Debug)]
pub(super) struct ServiceEntry {
    pub(super) full_name: Box<str>,
    pub(super) file: Box<str>,
    pub(super) methods: Vec<MethodEntry>,
}

#[derive(Debug)]
pub(super) struct MethodEntry {
    pub(super) name: Box<str>,
    pub(super) input: u32,
    pub(super) output: u32,
    pub(super) client_streaming: bool,
    pub(super) server_streaming: bool,
    pub(super) has_no_side_effects: bool,
    pub(super) http: Vec<HttpBinding>,
}

/// A named number of an enumeration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnumValue {
    /// Its name.
    pub name: Box<str>,
    /// Its number; several names may have the same.
    pub number: i32,
}

/// How many values a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cardinality {
    /// One or none.
    Optional,
    /// One; a message without it is not whole.
    Required,
    /// Any number: a list, or the entries of a map.
    Repeated,
}

/// The type of a field.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are those of the types")]
pub enum Kind {
    Double,
    Float,
    Int64,
    Uint64,
    Int32,
    Fixed64,
    Fixed32,
    Bool,
    String,
    Bytes,
    Uint32,
    Sfixed32,
    Sfixed64,
    Sint32,
    Sint64,
    Message(MessageDescriptor),
    Enum(EnumDescriptor),
}

impl DescriptorPool {
    /// The message called `full_name`, such as `shop.v1.Order`.
    pub fn message(&self, full_name: &str) -> Option<MessageDescriptor> {
        let index = *self.0.messages_by_name.get(full_name)?;
        Some(MessageDescriptor { pool: self.clone(), index })
    }

    /// The enumeration of this full name.
    pub fn enumeration(&self, full_name: &str) -> Option<EnumDescriptor> {
        let index = self.0.enumerations.iter().position(|found| *found.full_name == *full_name)?;
        Some(EnumDescriptor { pool: self.clone(), index: index as u32 })
    }

    /// The service called `full_name`.
    pub fn service(&self, full_name: &str) -> Option<ServiceDescriptor> {
        self.services().find(|service| service.full_name() == full_name)
    }

    /// All messages, those inside messages and the entries of maps too.
    pub fn messages(&self) -> impl Iterator<Item = MessageDescriptor> {
        (0..self.0.messages.len() as u32).map(|index| MessageDescriptor { pool: self.clone(), index })
    }

    /// The services in the order of their files.
    pub fn services(&self) -> impl Iterator<Item = ServiceDescriptor> {
        (0..self.0.services.len() as u32).map(|index| ServiceDescriptor { pool: self.clone(), index })
    }
}

impl PartialEq for DescriptorPool {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for DescriptorPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DescriptorPool({} messages, {} services)", self.0.messages.len(), self.0.services.len())
    }
}

/// A message.
#[derive(Clone, PartialEq)]
pub struct MessageDescriptor {
    pub(super) pool: DescriptorPool,
    pub(super) index: u32,
}

impl MessageDescriptor {
    fn entry(&self) -> &MessageEntry {
        &self.pool.0.messages[self.index as usize]
    }

    /// Its name with its package: `shop.v1.Order`.
    pub fn full_name(&self) -> &str {
        &self.entry().full_name
    }

    /// The pool that it belongs to.
    pub fn parent_pool(&self) -> &DescriptorPool {
        &self.pool
    }

    /// Its fields by number, lowest first; extensions of it among them, by their names in brackets.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = FieldDescriptor> {
        (0..self.entry().fields.len()).map(|index| self.at(index))
    }

    /// The field with this number.
    pub fn field(&self, number: u32) -> Option<FieldDescriptor> {
        self.entry().fields.binary_search_by_key(&number, |field| field.number).ok().map(|index| self.at(index))
    }

    /// The field with this name in JSON, else the one with this name in its file.
    pub fn field_named(&self, name: &str) -> Option<FieldDescriptor> {
        let fields = &self.entry().fields;
        let json = fields.iter().position(|field| *field.json_name == *name);
        json.or_else(|| fields.iter().position(|field| *field.name == *name)).map(|index| self.at(index))
    }

    /// The names of its oneofs, without those that stand for `optional`.
    pub fn oneofs(&self) -> impl Iterator<Item = &str> {
        self.entry().oneofs.iter().map(|name| &**name)
    }

    /// Whether it is an entry of a map, which no file names.
    pub fn is_map_entry(&self) -> bool {
        self.entry().is_map_entry
    }

    /// Whether its fields, which are extensions, are written as items of a MessageSet.
    pub fn is_message_set(&self) -> bool {
        self.entry().is_message_set
    }

    fn at(&self, index: usize) -> FieldDescriptor {
        FieldDescriptor { message: self.clone(), index: index as u32 }
    }
}

impl fmt::Debug for MessageDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MessageDescriptor").field(&self.full_name()).finish()
    }
}

/// A field of a message.
#[derive(Clone, PartialEq)]
pub struct FieldDescriptor {
    message: MessageDescriptor,
    index: u32,
}

impl FieldDescriptor {
    fn entry(&self) -> &FieldEntry {
        &self.message.entry().fields[self.index as usize]
    }

    /// Its name in its file.
    pub fn name(&self) -> &str {
        &self.entry().name
    }

    /// Its name in JSON.
    pub fn json_name(&self) -> &str {
        &self.entry().json_name
    }

    /// Its name with its message's: `shop.v1.Order.id`.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.message.full_name(), self.name())
    }

    /// Its number, from 1 to 2^29 - 1.
    pub fn number(&self) -> u32 {
        self.entry().number
    }

    /// Its type; for a list that of one element, for a map the entry.
    pub fn kind(&self) -> Kind {
        let pool = &self.message.pool;
        match self.entry().kind {
            KindEntry::Message(index) => Kind::Message(MessageDescriptor { pool: pool.clone(), index }),
            KindEntry::Enum(index) => Kind::Enum(EnumDescriptor { pool: pool.clone(), index }),
            KindEntry::Scalar(scalar) => scalar.kind(),
        }
    }

    /// How many values it holds.
    pub fn cardinality(&self) -> Cardinality {
        self.entry().cardinality
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        self.cardinality() == Cardinality::Repeated && !self.is_map()
    }

    /// Whether it is a map.
    pub fn is_map(&self) -> bool {
        match self.entry().kind {
            KindEntry::Message(index) => self.message.pool.0.messages[index as usize].is_map_entry,
            _ => false,
        }
    }

    /// Whether its list is written as one record.
    pub fn is_packed(&self) -> bool {
        self.entry().is_packed
    }

    /// Whether its message stands between tags, as groups do.
    pub fn is_delimited(&self) -> bool {
        self.entry().is_delimited
    }

    /// Whether a field that was set to its default differs from one that was not set.
    pub fn supports_presence(&self) -> bool {
        self.entry().has_presence
    }

    /// The position of its oneof in its message's, if it is in one.
    pub fn oneof(&self) -> Option<u32> {
        self.entry().oneof
    }
}

impl fmt::Debug for FieldDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FieldDescriptor({})", self.full_name())
    }
}

impl Scalar {
    fn kind(self) -> Kind {
        match self {
            Self::Double => Kind::Double,
            Self::Float => Kind::Float,
            Self::Int64 => Kind::Int64,
            Self::Uint64 => Kind::Uint64,
            Self::Int32 => Kind::Int32,
            Self::Fixed64 => Kind::Fixed64,
            Self::Fixed32 => Kind::Fixed32,
            Self::Bool => Kind::Bool,
            Self::String => Kind::String,
            Self::Bytes => Kind::Bytes,
            Self::Uint32 => Kind::Uint32,
            Self::Sfixed32 => Kind::Sfixed32,
            Self::Sfixed64 => Kind::Sfixed64,
            Self::Sint32 => Kind::Sint32,
            Self::Sint64 => Kind::Sint64,
        }
    }
}

/// An enumeration.
#[derive(Clone, PartialEq)]
pub struct EnumDescriptor {
    pool: DescriptorPool,
    index: u32,
}

impl EnumDescriptor {
    fn entry(&self) -> &EnumEntry {
        &self.pool.0.enumerations[self.index as usize]
    }

    /// Its name with its package.
    pub fn full_name(&self) -> &str {
        &self.entry().full_name
    }

    /// Its values in declared order; at least one.
    pub fn values(&self) -> &[EnumValue] {
        &self.entry().values
    }

    /// Whether it holds no other numbers than those of its values.
    pub fn is_closed(&self) -> bool {
        self.entry().is_closed
    }
}

impl fmt::Debug for EnumDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EnumDescriptor").field(&self.full_name()).finish()
    }
}

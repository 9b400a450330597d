//! From descriptors to tables.

use std::collections::HashMap;

use super::decode::has_closed;
use super::names::Names;
use super::tables::{
    Entry, Enumeration, EnumerationId, Field, Form, Irregular, Message, MessageId, NO_FIELD, SMALL_NUMBERS, Scalar,
    Shape, Tables, Type,
};
use super::wire;
use crate::base::value::member_key;
use crate::descriptor::{Cardinality, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};

/// The tables of the given messages and of everything reachable from them.
pub(super) fn tables(messages: impl IntoIterator<Item = MessageDescriptor>) -> Tables {
    let mut builder = Builder::default();
    for message in messages {
        builder.message_id(&message);
    }
    let mut messages = Vec::new();
    // Building a message may find more messages.
    while let Some(descriptor) = builder.found.get(messages.len()).cloned() {
        messages.push(builder.message(&descriptor));
    }
    mark_fields_that_take_null(&mut messages);
    let by_name = builder.message_ids;
    Tables { messages, enumerations: builder.enumerations, by_name }
}

#[derive(Default)]
struct Builder {
    message_ids: HashMap<Box<str>, MessageId>,
    /// The messages that ids were given to, in order of their ids.
    found: Vec<MessageDescriptor>,
    enumeration_ids: HashMap<Box<str>, EnumerationId>,
    enumerations: Vec<Enumeration>,
}

impl Builder {
    fn message_id(&mut self, descriptor: &MessageDescriptor) -> MessageId {
        if let Some(id) = self.message_ids.get(descriptor.full_name()) {
            return *id;
        }
        let id = MessageId(self.found.len() as u32);
        self.message_ids.insert(descriptor.full_name().into(), id);
        self.found.push(descriptor.clone());
        id
    }

    fn message(&mut self, descriptor: &MessageDescriptor) -> Message {
        let oneofs: Vec<Box<str>> = descriptor.oneofs().map(Box::from).collect();
        let mut fields = Vec::new();
        let mut proto_names = Vec::new();
        for field in descriptor.fields() {
            proto_names.push(Box::from(field.name()));
            let mut field = self.field(&field);
            if let (Type::Message(id), true) = (field.kind, descriptor.is_message_set()) {
                field.kind = Type::Item(id);
            }
            fields.push(field);
        }
        let json_names = fields.iter().map(|field| field.name.clone()).zip(0..);
        Message {
            form: form(descriptor.full_name(), &fields),
            by_small_number: by_small_number(&fields),
            by_name: Names::new(json_names.chain(proto_names.into_iter().zip(0..))),
            scattered: oneofs.len() > u64::BITS as usize || (0..oneofs.len()).any(|oneof| is_scattered(&fields, oneof)),
            oneofs: oneofs.into(),
            irregular: match descriptor.is_message_set() {
                true => Some(Irregular::MessageSet),
                false => has_closed(&self.enumerations, &fields).then_some(Irregular::Closed),
            },
            fields: fields.into(),
        }
    }

    fn field(&mut self, descriptor: &FieldDescriptor) -> Field {
        let kind = match self.type_of(&descriptor.kind()) {
            Type::Message(id) if descriptor.is_delimited() => Type::Group(id),
            kind => kind,
        };
        let shape = self.shape(descriptor, kind);
        let tag = |wire_type: u32| descriptor.number() << 3 | wire_type;
        let (written, read) = match shape {
            Shape::Packed(scalar) => (wire::BLOCK, scalar.wire_type()),
            Shape::List if kind.packable().is_some() => (kind.wire_type(), wire::BLOCK),
            _ => (kind.wire_type(), kind.wire_type()),
        };
        let key = member_key(descriptor.json_name());
        Field {
            name: descriptor.json_name().into(),
            key_escaped: key.contains(&b'\\'),
            key,
            tag: tag(written),
            other_tag: tag(read),
            kind,
            shape,
            oneof: descriptor.oneof(),
            takes_null: false,
        }
    }

    fn shape(&mut self, descriptor: &FieldDescriptor, kind: Type) -> Shape {
        if let Some(entry) = self.map_entry(descriptor) {
            return Shape::Map(entry);
        }
        let repeated = descriptor.cardinality() == Cardinality::Repeated;
        match (kind, kind.packable()) {
            (_, Some(scalar)) if descriptor.is_packed() => Shape::Packed(scalar),
            _ if repeated => Shape::List,
            (Type::Scalar(scalar), _) if !descriptor.supports_presence() => Shape::Implicit(scalar),
            _ => Shape::Explicit,
        }
    }

    /// Key and value of a map field's entries; `None` for every other field.
    fn map_entry(&mut self, field: &FieldDescriptor) -> Option<Entry> {
        let Kind::Message(entry) = field.kind() else { return None };
        if !field.is_map() {
            return None;
        }
        let (key, value) = (entry.field(1)?, entry.field(2)?);
        match self.type_of(&key.kind()) {
            Type::Scalar(key) => Some(Entry { key, value: self.type_of(&value.kind()) }),
            _ => None,
        }
    }

    fn type_of(&mut self, kind: &Kind) -> Type {
        Type::Scalar(match kind {
            Kind::Message(message) => return Type::Message(self.message_id(message)),
            Kind::Double => Scalar::Double,
            Kind::Float => Scalar::Float,
            Kind::Int32 => Scalar::Int32,
            Kind::Int64 => Scalar::Int64,
            Kind::Uint32 => Scalar::Uint32,
            Kind::Uint64 => Scalar::Uint64,
            Kind::Sint32 => Scalar::Sint32,
            Kind::Sint64 => Scalar::Sint64,
            Kind::Fixed32 => Scalar::Fixed32,
            Kind::Fixed64 => Scalar::Fixed64,
            Kind::Sfixed32 => Scalar::Sfixed32,
            Kind::Sfixed64 => Scalar::Sfixed64,
            Kind::Bool => Scalar::Bool,
            Kind::String => Scalar::String,
            Kind::Bytes => Scalar::Bytes,
            Kind::Enum(null) if null.full_name() == "google.protobuf.NullValue" => Scalar::Null,
            Kind::Enum(enumeration) => Scalar::Enumeration(self.enumeration_id(enumeration)),
        })
    }

    fn enumeration_id(&mut self, descriptor: &EnumDescriptor) -> EnumerationId {
        if let Some(id) = self.enumeration_ids.get(descriptor.full_name()) {
            return *id;
        }
        let id = EnumerationId(self.enumerations.len() as u32);
        self.enumeration_ids.insert(descriptor.full_name().into(), id);
        self.enumerations.push(enumeration(descriptor));
        id
    }
}

fn enumeration(descriptor: &EnumDescriptor) -> Enumeration {
    let mut values: Vec<_> = descriptor.values().iter().collect();
    // The sort keeps declared order, which tells the first of several aliases.
    values.sort_by_key(|value| value.number);
    values.dedup_by_key(|value| value.number);
    let quoted = |name: &str| format!("\"{name}\"").into_bytes().into_boxed_slice();
    Enumeration {
        closed: descriptor.is_closed(),
        numbers: Names::new(descriptor.values().iter().map(|value| (value.name.clone(), value.number))),
        texts: values.iter().map(|value| (value.number, quoted(&value.name))).collect(),
    }
}

fn by_small_number(fields: &[Field]) -> Box<[u8]> {
    let largest = fields.last().map_or(0, |field| field.tag >> 3);
    let mut positions = vec![NO_FIELD; largest.saturating_add(1).min(SMALL_NUMBERS) as usize];
    for (position, field) in fields.iter().enumerate() {
        if let Some(slot) = positions.get_mut((field.tag >> 3) as usize) {
            // A position is below its number, and the number below `SMALL_NUMBERS`.
            *slot = position as u8;
        }
    }
    positions.into()
}

/// Whether another field's number stands between those of the members of a oneof.
fn is_scattered(fields: &[Field], oneof: usize) -> bool {
    let is_member = |field: &Field| field.oneof == Some(oneof as u32);
    let members = fields.iter().filter(|field| is_member(field)).count();
    fields.iter().skip_while(|field| !is_member(field)).take(members).any(|field| !is_member(field))
}

/// The JSON form of a message: its name decides, if its fields are those that the name promises.
fn form(full_name: &str, fields: &[Field]) -> Form {
    let Some(name) = full_name.strip_prefix("google.protobuf.") else { return Form::Fields };
    let numbered = fields.iter().zip(1..).all(|(field, number)| field.tag >> 3 == number);
    let kinds: Vec<Type> = fields.iter().map(|field| field.kind).collect();
    let scalars = |promised: &[Scalar]| kinds.iter().copied().eq(promised.iter().map(|scalar| Type::Scalar(*scalar)));
    let wrapped = |scalar: Scalar| (Form::Wrapper(scalar), scalars(&[scalar]));
    let (form, as_promised) = match name {
        "Any" => (Form::Any, scalars(&[Scalar::String, Scalar::Bytes])),
        "Timestamp" => (Form::Timestamp, scalars(&[Scalar::Int64, Scalar::Int32])),
        "Duration" => (Form::Duration, scalars(&[Scalar::Int64, Scalar::Int32])),
        "FieldMask" => (Form::FieldMask, scalars(&[Scalar::String]) && fields[0].shape == Shape::List),
        "Struct" => (Form::Struct, matches!(fields, [Field { shape: Shape::Map(_), .. }])),
        "ListValue" => (Form::ListValue, matches!(fields, [Field { shape: Shape::List, .. }])),
        "Value" => {
            let (single, nested) = kinds.split_at(kinds.len().min(4));
            let promised = [Scalar::Null, Scalar::Double, Scalar::String, Scalar::Bool].map(Type::Scalar);
            (Form::Value, single == promised && matches!(nested, [Type::Message(_), Type::Message(_)]))
        }
        "DoubleValue" => wrapped(Scalar::Double),
        "FloatValue" => wrapped(Scalar::Float),
        "Int64Value" => wrapped(Scalar::Int64),
        "UInt64Value" => wrapped(Scalar::Uint64),
        "Int32Value" => wrapped(Scalar::Int32),
        "UInt32Value" => wrapped(Scalar::Uint32),
        "BoolValue" => wrapped(Scalar::Bool),
        "StringValue" => wrapped(Scalar::String),
        "BytesValue" => wrapped(Scalar::Bytes),
        _ => (Form::Fields, true),
    };
    if numbered && as_promised { form } else { Form::Fields }
}

/// `null` is a value for `Value` and `NullValue`, known once all forms are.
fn mark_fields_that_take_null(messages: &mut [Message]) {
    let forms: Vec<Form> = messages.iter().map(|message| message.form).collect();
    for field in messages.iter_mut().flat_map(|message| &mut message.fields) {
        let single = matches!(field.shape, Shape::Implicit(_) | Shape::Explicit);
        field.takes_null = single
            && match field.kind {
                Type::Scalar(scalar) => scalar == Scalar::Null,
                Type::Message(id) | Type::Group(id) | Type::Item(id) => forms[id.0 as usize] == Form::Value,
            };
    }
}

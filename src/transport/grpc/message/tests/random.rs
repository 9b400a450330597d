//! Random messages, and random ways to write them.

use prost_reflect::prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage as _, Value};

use super::super::wire::{GROUP, Reader, group_end, varint_into};
use super::descriptor;

/// A source of choices. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators".
pub(super) struct Random(pub(super) u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// An integer of any magnitude, small ones as often as large ones.
    fn integer(&mut self) -> i64 {
        let shift = self.below(64);
        (self.bits() as i64) >> shift
    }

    fn text(&mut self) -> String {
        let alphabet = ['a', 'b', 'Z', '0', ' ', '"', '\\', '/', '\n', '\u{1}', 'é', '漢', '😀', '\u{7f}', '\u{2028}'];
        (0..self.below(12)).map(|_| self.one_of(&alphabet)).collect()
    }

    fn blob(&mut self) -> Vec<u8> {
        (0..self.below(9)).map(|_| self.bits() as u8).collect()
    }

    fn double(&mut self) -> f64 {
        match self.below(4) {
            0 => self.integer() as f64 / 100.0,
            1 => self.integer() as i32 as f64,
            2 => self.one_of(&[0.0, 1.5, 1e21, -1e-7, f64::MAX, f64::MIN_POSITIVE, 5e-324]),
            _ => Some(f64::from_bits(self.bits())).filter(|double| double.is_finite()).unwrap_or(0.25),
        }
    }

    fn float(&mut self) -> f32 {
        match self.below(3) {
            0 => self.integer() as i16 as f32 / 100.0,
            1 => self.one_of(&[0.1, 16_777_216.0, f32::MAX, f32::MIN_POSITIVE, 1e-45, 3.4e10]),
            _ => Some(f32::from_bits(self.bits() as u32)).filter(|float| float.is_finite()).unwrap_or(0.25),
        }
    }

    /// A message that has a JSON form. `size` bounds how deep and how wide it is.
    pub(super) fn message(&mut self, descriptor: &MessageDescriptor, size: u64) -> DynamicMessage {
        let mut message = DynamicMessage::new(descriptor.clone());
        if self.well_known(&mut message, size) {
            return message;
        }
        for field in descriptor.fields() {
            let nested = matches!(field.kind(), Kind::Message(_));
            if self.below(2) == 0 || (nested && size == 0) {
                continue;
            }
            let value = self.field(&field, size.saturating_sub(1));
            message.set_field(&field, value);
        }
        message
    }

    fn field(&mut self, field: &FieldDescriptor, size: u64) -> Value {
        let count = self.below(4);
        match field.kind() {
            Kind::Message(entry) if field.is_map() => {
                let (key, value) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
                Value::Map((0..count).map(|_| (self.key(&key), self.value(&value, size))).collect())
            }
            kind if field.is_list() => Value::List((0..count).map(|_| self.value(&kind, size)).collect()),
            kind => self.value(&kind, size),
        }
    }

    fn key(&mut self, kind: &Kind) -> MapKey {
        match self.value(kind, 0) {
            Value::Bool(key) => MapKey::Bool(key),
            Value::I32(key) => MapKey::I32(key),
            Value::I64(key) => MapKey::I64(key),
            Value::U32(key) => MapKey::U32(key),
            Value::U64(key) => MapKey::U64(key),
            Value::String(key) => MapKey::String(key),
            other => unreachable!("{other:?} is no key"),
        }
    }

    fn value(&mut self, kind: &Kind, size: u64) -> Value {
        let special = self.below(8) == 0;
        match kind {
            Kind::Double if special => Value::F64(self.one_of(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY])),
            Kind::Float if special => Value::F32(self.one_of(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY])),
            Kind::Double => Value::F64(self.double()),
            Kind::Float => Value::F32(self.float()),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(self.integer() as i32),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(self.integer()),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(self.integer() as u32),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(self.integer() as u64),
            Kind::Bool => Value::Bool(special),
            Kind::String => Value::String(self.text()),
            Kind::Bytes => Value::Bytes(self.blob().into()),
            Kind::Enum(null) if null.name() == "NullValue" => Value::EnumNumber(0),
            Kind::Enum(_) => Value::EnumNumber(self.one_of(&[0, 1, 2, 3, 1000, -1, i32::MIN])),
            Kind::Message(message) => Value::Message(self.message(message, size)),
        }
    }

    /// Fills a message of `google.protobuf` with something that has a JSON form; says whether it was one.
    fn well_known(&mut self, message: &mut DynamicMessage, size: u64) -> bool {
        let name = message.descriptor().full_name().to_owned();
        let nanos = self.one_of(&[0, 500_000_000, 123_456_000, 1, 999_999_999]);
        match name.as_str() {
            "google.protobuf.Timestamp" => {
                let seconds = -62_135_596_800 + self.below(315_537_897_600) as i64;
                message.set_field_by_number(1, Value::I64(seconds));
                message.set_field_by_number(2, Value::I32(nanos));
            }
            "google.protobuf.Duration" => {
                let sign = self.one_of(&[1, -1]);
                message.set_field_by_number(1, Value::I64(self.below(315_576_000_000) as i64 * sign));
                message.set_field_by_number(2, Value::I32(nanos * sign as i32));
            }
            "google.protobuf.FieldMask" => {
                let paths = (0..self.below(3)).map(|_| self.one_of(&["a", "user.display_name", "_x", "b1.c_d"]));
                message.set_field_by_number(1, Value::List(paths.map(|path| Value::String(path.to_owned())).collect()));
            }
            "google.protobuf.Any" => {
                let inner = self.one_of(&["rich.Plain", "rich.Scattered", "google.protobuf.Timestamp", "rich.Scalars"]);
                let wire = self.message(&descriptor(inner), size.saturating_sub(1)).encode_to_vec();
                message.set_field_by_number(1, Value::String(format!("type.example.com/{inner}")));
                message.set_field_by_number(2, Value::Bytes(wire.into()));
            }
            "google.protobuf.Value" => {
                let choices = if size == 0 { 4 } else { 6 };
                let number = 1 + self.below(choices) as u32;
                let field = message.descriptor().get_field(number).expect("Value has six fields");
                let value =
                    if number == 2 { Value::F64(self.double()) } else { self.field(&field, size.saturating_sub(1)) };
                message.set_field(&field, value);
            }
            "google.protobuf.DoubleValue" => message.set_field_by_number(1, Value::F64(self.double())),
            "google.protobuf.FloatValue" => message.set_field_by_number(1, Value::F32(self.float())),
            _ => return false,
        }
        true
    }

    /// The same message written as no ordinary encoder does: records of every message in any order,
    /// unknown fields among them.
    pub(super) fn shuffled(&mut self, descriptor: &MessageDescriptor, wire: &[u8]) -> Vec<u8> {
        let mut records = Vec::new();
        let mut reader = Reader::new(wire);
        while !reader.is_empty() {
            let before = reader.rest;
            let tag = reader.tag().expect("valid");
            let mut record = Vec::new();
            match descriptor.get_field(tag >> 3).map(|field| (field.is_group(), field.kind())) {
                Some((is_group, Kind::Message(message))) => {
                    let body = if tag & 7 == GROUP { reader.group(tag) } else { reader.block() };
                    let body = self.shuffled(&message, body.expect("valid"));
                    varint_into(&mut record, u64::from(tag));
                    if !is_group {
                        varint_into(&mut record, body.len() as u64);
                    }
                    record.extend_from_slice(&body);
                    if is_group {
                        varint_into(&mut record, u64::from(group_end(tag)));
                    }
                }
                _ => {
                    reader.skip(tag).expect("valid");
                    record.extend_from_slice(&before[..before.len() - reader.rest.len()]);
                }
            }
            records.push(record);
        }
        if self.below(4) == 0 && !descriptor.is_map_entry() {
            records.push(b"\xc0\xf7\x01\x07".to_vec());
        }
        for last in (1..records.len()).rev() {
            records.swap(last, self.below(last as u64 + 1) as usize);
        }
        records.concat()
    }
}

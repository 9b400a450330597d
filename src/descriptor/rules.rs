//! What a message and an enumeration must keep to, so that they can be read and written.
//! Source: protobuf.dev/programming-guides, "assigning field numbers", "reserved", "maps", "oneof", "enumerations".

use std::collections::HashMap;

use super::declare::{Declarations, Declared};
use super::names::json_name;
use super::pool::{Cardinality, EnumEntry, FieldEntry, KindEntry, MessageEntry, Scalar};
use super::raw;

/// Numbers of fields.
const NUMBERS: std::ops::RangeInclusive<i32> = 1..=536_870_911;
/// Those among them that implementations keep to themselves.
const IMPLEMENTATION: std::ops::RangeInclusive<i32> = 19_000..=19_999;

/// What is wrong in a message or enumeration: the path from there, and the words.
type Wrong = Vec<(Vec<i32>, String)>;

/// What is wrong with a message.
pub(super) fn of_message(
    declared: &Declared<'_, raw::Message>,
    (entry, enumerations): (&MessageEntry, &[EnumEntry]),
    all: &Declarations<'_>,
) -> Wrong {
    let mut wrong = numbers(declared.raw);
    wrong.extend(labels(declared.raw));
    wrong.extend(oneofs(declared.raw));
    if declared.features.json_names_differ
        && !declared.raw.options.as_ref().is_some_and(|options| options.legacy_json_conflicts)
    {
        wrong.extend(json_names(declared.raw));
    }
    for field in &entry.fields {
        let position = declared.raw.field.iter().position(|raw| raw.name == *field.name).unwrap_or(0) as i32;
        if let Some(message) = kind(field, enumerations, all) {
            wrong.push((vec![2, position], message));
        }
    }
    if entry.is_map_entry && !is_entry(&entry.fields) {
        wrong.push((Vec::new(), format!("`{}` is no entry of a map", entry.full_name)));
    }
    wrong
}

/// What is wrong with an enumeration.
pub(super) fn of_enum(declared: &Declared<'_, raw::Enum>) -> Wrong {
    let mut wrong = Wrong::new();
    let raw = declared.raw;
    match raw.value.first() {
        None => wrong.push((vec![1], format!("the enum `{}` has no value", declared.full_name))),
        Some(first) if first.number != 0 && !declared.features.closed_enums => {
            wrong.push((vec![2, 0], format!("the first value of the enum `{}` must be 0", declared.full_name)));
        }
        _ => {}
    }
    let mut numbers = HashMap::new();
    let may_alias = raw.options.as_ref().is_some_and(|options| options.allow_alias);
    for (value, position) in raw.value.iter().zip(0..) {
        if let (Some(first), false) = (numbers.insert(value.number, &value.name), may_alias) {
            let message =
                format!("`{}` has the number {} of `{first}`, and no `allow_alias`", value.name, value.number);
            wrong.push((vec![2, position], message));
        }
    }
    wrong
}

/// Whether a oneof only says that a field is `optional`.
pub(super) fn is_synthetic(message: &raw::Message, oneof: i32) -> bool {
    message.field.iter().any(|field| field.proto3_optional && field.oneof_index == Some(oneof))
}

/// Whether a field may have this number.
pub(super) fn is_number(number: i32) -> bool {
    NUMBERS.contains(&number) && !IMPLEMENTATION.contains(&number)
}

fn numbers(message: &raw::Message) -> Wrong {
    let mut wrong = Wrong::new();
    let mut known: HashMap<i32, &str> = HashMap::new();
    for (field, position) in message.field.iter().zip(0..) {
        let (name, number) = (&field.name, field.number);
        let reserved = message.reserved_range.iter().any(|range| (range.start..range.end).contains(&number));
        let message = if !NUMBERS.contains(&number) {
            format!("`{name}` has the number {number}, and fields are numbered from 1 to 536870911")
        } else if IMPLEMENTATION.contains(&number) {
            format!("`{name}` has the number {number}, and 19000 to 19999 are no fields' to take")
        } else if reserved {
            format!("`{name}` has the number {number}, which is reserved")
        } else if message.reserved_name.contains(name) {
            format!("the name `{name}` is reserved")
        } else if let Some(first) = known.insert(number, name) {
            format!("`{name}` has the number {number} of `{first}`")
        } else {
            continue;
        };
        wrong.push((vec![2, position], message));
    }
    wrong
}

fn labels(message: &raw::Message) -> Wrong {
    let fields = message.field.iter().zip(0..).filter(|(field, _)| !(0..=3).contains(&field.label));
    fields.map(|(field, position)| (vec![2, position], format!("`{}` has no known label", field.name))).collect()
}

fn oneofs(message: &raw::Message) -> Wrong {
    let mut wrong = Wrong::new();
    let mut members = vec![0_usize; message.oneof.len()];
    for (field, position) in message.field.iter().zip(0..) {
        let Some(index) = field.oneof_index else { continue };
        match usize::try_from(index).ok().and_then(|index| members.get_mut(index)) {
            Some(count) => *count += 1,
            None => wrong.push((vec![2, position], format!("`{}` is in a oneof that is not there", field.name))),
        }
        if matches!(field.label, 2 | 3) {
            wrong.push((vec![2, position], format!("`{}` is in a oneof, so it takes no label", field.name)));
        }
    }
    for ((oneof, count), index) in message.oneof.iter().zip(members).zip(0..) {
        if count == 0 {
            wrong.push((vec![8, index], format!("the oneof `{}` has no field", oneof.name)));
        } else if count > 1 && is_synthetic(message, index) {
            wrong.push((
                vec![8, index],
                format!("the oneof `{}` stands for `optional` and has several fields", oneof.name),
            ));
        }
    }
    wrong
}

fn json_names(message: &raw::Message) -> Wrong {
    let mut known: HashMap<String, &str> = HashMap::new();
    let mut wrong = Wrong::new();
    for (field, position) in message.field.iter().zip(0..) {
        let name = field.json_name.clone().unwrap_or_else(|| json_name(&field.name));
        if let Some(first) = known.insert(name.clone(), &field.name) {
            wrong.push((vec![2, position], format!("`{}` is `{name}` in JSON, and so is `{first}`", field.name)));
        }
    }
    wrong
}

/// What is wrong with the type of a field.
fn kind(field: &FieldEntry, enumerations: &[EnumEntry], all: &Declarations<'_>) -> Option<String> {
    match field.kind {
        KindEntry::Message(index) => {
            let raw = all.messages[index as usize].raw;
            let is_entry = raw.options.as_ref().is_some_and(|options| options.map_entry);
            (is_entry && field.cardinality != Cardinality::Repeated)
                .then(|| format!("`{}` holds one entry of a map, and a map holds any number", field.name))
        }
        KindEntry::Enum(index) if field.cardinality == Cardinality::Optional && !field.has_presence => {
            let enumeration = &enumerations[index as usize];
            enumeration.is_closed.then(|| {
                format!("`{}` has no presence, and its enum `{}` is closed", field.name, enumeration.full_name)
            })
        }
        _ => None,
    }
}

/// Whether fields are those of an entry of a map: a key that JSON can write as a name, and one value.
fn is_entry(fields: &[FieldEntry]) -> bool {
    let is_single = |field: &FieldEntry| field.cardinality != Cardinality::Repeated;
    let [key, value] = fields else { return false };
    let no_key = [Scalar::Double, Scalar::Float, Scalar::Bytes];
    let is_key = matches!(key.kind, KindEntry::Scalar(scalar) if !no_key.contains(&scalar));
    (key.number, value.number) == (1, 2) && is_key && is_single(key) && is_single(value)
}

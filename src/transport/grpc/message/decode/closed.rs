//! Closed enumerations: a record with a number that is none of theirs counts as one of an unknown field.
//! Source: protobuf.dev/programming-guides/enum.

use super::super::error::Fault;
use super::super::tables::{Enumeration, Field, Message, Records, Scalar, Shape, Tables, Type};
use super::super::wire::{self, Reader, varint_into};

/// The wire bytes of a message without numbers that its closed enumerations do not have; `None` when there are none.
pub(super) fn without_unknown(tables: &Tables, message: &Message, body: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
    let mut kept: Option<Vec<u8>> = None;
    let mut records = Records::new(message, body);
    while let Some(position) = records.advance()? {
        let (field, tag, from_tag) = (&message.fields[position], records.tag, records.from_tag);
        let payload = records.reader;
        records.skip()?;
        let record = &from_tag[..from_tag.len() - records.reader.rest.len()];
        let known = match closed(tables, field) {
            Some(enumeration) => known_part(enumeration, field, (tag, payload))?,
            None => Known::All,
        };
        let before = body.len() - from_tag.len();
        match (known, &mut kept) {
            (Known::All, None) => {}
            (Known::All, Some(kept)) => kept.extend_from_slice(record),
            (Known::Some(part), kept) => kept.get_or_insert_with(|| body[..before].to_vec()).extend_from_slice(&part),
        }
    }
    Ok(kept)
}

/// What of a record is known.
enum Known {
    All,
    /// These bytes, with their tag; perhaps none.
    Some(Vec<u8>),
}

/// The closed enumeration that a field holds, in a map as its values.
fn closed<'t>(tables: &'t Tables, field: &Field) -> Option<&'t Enumeration> {
    let kind = match field.shape {
        Shape::Map(entry) => entry.value,
        _ => field.kind,
    };
    let Type::Scalar(Scalar::Enumeration(id)) = kind else { return None };
    Some(tables.enumeration(id)).filter(|enumeration| enumeration.closed)
}

fn known_part(enumeration: &Enumeration, field: &Field, (tag, payload): (u32, Reader<'_>)) -> Result<Known, Fault> {
    let mut payload = payload;
    let is_known = |number: u64| enumeration.text(number as i32).is_some();
    if let Shape::Map(entry) = field.shape {
        let mut inside = Reader::new(payload.block()?);
        let mut known = true;
        while !inside.is_empty() {
            let part = inside.tag()?;
            if part == entry.value_tag() {
                known = is_known(inside.varint()?);
            } else {
                inside.skip(part)?;
            }
        }
        return Ok(if known { Known::All } else { Known::Some(Vec::new()) });
    }
    if tag & 7 != wire::BLOCK {
        return Ok(if is_known(payload.varint()?) { Known::All } else { Known::Some(Vec::new()) });
    }
    let mut numbers = Reader::new(payload.block()?);
    let (mut all, mut kept) = (true, Vec::new());
    while !numbers.is_empty() {
        let number = numbers.varint()?;
        match is_known(number) {
            true => varint_into(&mut kept, number),
            false => all = false,
        }
    }
    if all {
        return Ok(Known::All);
    }
    let mut part = Vec::new();
    varint_into(&mut part, u64::from(tag));
    varint_into(&mut part, kept.len() as u64);
    part.append(&mut kept);
    Ok(Known::Some(part))
}

/// Whether a message has a field that holds a closed enumeration.
pub(in super::super) fn has_closed(enumerations: &[Enumeration], fields: &[Field]) -> bool {
    let is_closed = |kind: Type| match kind {
        Type::Scalar(Scalar::Enumeration(id)) => enumerations[id.0 as usize].closed,
        _ => false,
    };
    fields.iter().any(|field| match field.shape {
        Shape::Map(entry) => is_closed(entry.value),
        _ => is_closed(field.kind),
    })
}

//! Putting the records of one message in order.
//!
//! Protobuf lets them come in any order and more than once: the last record of a single field
//! wins, messages merge, lists and maps go on, and of a oneof only the member set last is left.
//! Merging two messages is reading their bytes one after the other, so a message can be put in
//! order without looking into its fields.
//! Source: protobuf.dev/programming-guides/encoding#order and #last-one-wins.

use super::super::error::Fault;
use super::super::tables::{Field, Message, Records, Shape, Type};
use super::super::wire::{Reader, group_end, varint_into};

/// Whether the records of a message come in order, each single field and each oneof once.
pub(super) fn is_ordered(message: &Message, body: &[u8]) -> Result<bool, Fault> {
    let mut records = Records::new(message, body);
    let mut oneofs_seen = vec![false; message.oneofs.len()];
    let mut next = 0;
    while let Some(position) = records.advance()? {
        let field = &message.fields[position];
        let seen_before = field.oneof.is_some_and(|oneof| std::mem::replace(&mut oneofs_seen[oneof as usize], true));
        if position < next || seen_before {
            return Ok(false);
        }
        next = if is_single(field) { position + 1 } else { position };
        records.skip()?;
    }
    Ok(true)
}

/// The wire bytes of the same message with its records in order.
pub(super) fn regroup(message: &Message, body: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut found = collect(message, body)?;
    found.sort_by_key(|record| record.position);
    let mut out = Vec::with_capacity(body.len());
    for same_field in found.chunk_by(|a, b| a.position == b.position) {
        let field = &message.fields[same_field[0].position];
        match (field.kind, same_field) {
            (Type::Scalar(_), [.., last]) if is_single(field) => out.extend_from_slice(last.bytes),
            (Type::Message(_) | Type::Group(_) | Type::Item(_), [_, _, ..]) if is_single(field) => {
                merge_into(&mut out, field, same_field)?;
            }
            _ => same_field.iter().for_each(|record| out.extend_from_slice(record.bytes)),
        }
    }
    Ok(out)
}

/// A record of a known field, tag and payload.
struct Record<'w> {
    position: usize,
    bytes: &'w [u8],
}

/// The records that count: of a oneof only those since its last change of member.
fn collect<'w>(message: &Message, body: &'w [u8]) -> Result<Vec<Record<'w>>, Fault> {
    /// Which member of a oneof is set, and since which record.
    #[derive(Clone, Copy)]
    struct Set {
        position: usize,
        since: usize,
    }
    let mut found = Vec::new();
    let mut sets = vec![None; message.oneofs.len()];
    let mut records = Records::new(message, body);
    while let Some(position) = records.advance()? {
        let from_tag = records.from_tag;
        records.skip()?;
        if let Some(oneof) = message.fields[position].oneof {
            let set = &mut sets[oneof as usize];
            if set.is_none_or(|set: Set| set.position != position) {
                *set = Some(Set { position, since: found.len() });
            }
        }
        found.push(Record { position, bytes: &from_tag[..from_tag.len() - records.reader.rest.len()] });
    }
    let mut index = 0;
    found.retain(|record| {
        let set = message.fields[record.position].oneof.and_then(|oneof| sets[oneof as usize]);
        let counts = set.is_none_or(|set| set.position == record.position && index >= set.since);
        index += 1;
        counts
    });
    Ok(found)
}

/// Writes one record that holds the contents of several of the same message field.
fn merge_into(out: &mut Vec<u8>, field: &Field, records: &[Record<'_>]) -> Result<(), Fault> {
    let mut merged = Vec::new();
    for record in records {
        let mut reader = Reader::new(record.bytes);
        let tag = reader.tag()?;
        let is_group = matches!(field.kind, Type::Group(_));
        merged.extend_from_slice(if is_group { reader.group(tag)? } else { reader.block()? });
    }
    varint_into(out, u64::from(field.tag));
    if let Type::Group(_) = field.kind {
        out.append(&mut merged);
        varint_into(out, u64::from(group_end(field.tag)));
    } else {
        varint_into(out, merged.len() as u64);
        out.append(&mut merged);
    }
    Ok(())
}

fn is_single(field: &Field) -> bool {
    matches!(field.shape, Shape::Implicit(_) | Shape::Explicit)
}

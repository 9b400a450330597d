//! MessageSets, the extensible messages of protobuf's first version: each item is a group of a type, which is the number
//! of an extension, and a message. Source: descriptor.proto, `message_set_wire_format`.

use super::super::error::Fault;
use super::super::wire::{BLOCK, ITEM, ITEM_MESSAGE, ITEM_TYPE, Reader, varint_into};

/// The wire bytes of a MessageSet with the record of an ordinary field in the place of each item.
pub(super) fn items_as_fields(body: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::with_capacity(body.len());
    let mut reader = Reader::new(body);
    while !reader.is_empty() {
        let from_tag = reader.rest;
        let tag = reader.tag()?;
        if tag == ITEM {
            let (number, message) = item(reader.group(tag)?)?;
            if let (Some(number), Some(message)) = (number, message) {
                varint_into(&mut out, u64::from(number) << 3 | u64::from(BLOCK));
                varint_into(&mut out, message.len() as u64);
                out.extend_from_slice(message);
            }
            continue;
        }
        reader.skip(tag)?;
        out.extend_from_slice(&from_tag[..from_tag.len() - reader.rest.len()]);
    }
    Ok(out)
}

/// Type and message of an item, in whatever order they come; of several the first counts.
fn item(body: &[u8]) -> Result<(Option<u32>, Option<&[u8]>), Fault> {
    let (mut number, mut message) = (None, None);
    let mut reader = Reader::new(body);
    while !reader.is_empty() {
        match reader.tag()? {
            ITEM_TYPE => {
                let found = reader.varint()?;
                // What no field can have is no field that is known.
                let fits = u32::try_from(found).ok().filter(|number| (1..1 << 29).contains(number));
                number = number.or(fits);
            }
            ITEM_MESSAGE => {
                let found = reader.block()?;
                message = message.or(Some(found));
            }
            tag => reader.skip(tag)?,
        }
    }
    Ok((number, message))
}

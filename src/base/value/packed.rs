//! Held values as bytes that another process reads: JSON text, and what a contract says of its nodes.

use std::sync::Arc;

use super::{Doc, Held, HeldMap, Kind, Kinds};
use crate::base::packed::{Packer, Unpacker};

/// Lists and maps of documents inside one another, at most: steps hold two.
const DEPTH: usize = 8;

/// What only a contract says of a number, and of text.
const NUMBERS: Kinds = Kinds::of(&[Kind::Int, Kind::Uint, Kind::Double]);
const TEXTS: Kinds =
    Kinds::of(&[Kind::QuotedInt, Kind::QuotedUint, Kind::QuotedDouble, Kind::Timestamp, Kind::Duration, Kind::Base64]);

impl Held {
    /// Appends it. A part of a document is written as a document of its own.
    pub fn pack(&self, out: &mut Packer) {
        match self {
            Self::Null => out.byte(0),
            Self::Doc(doc, 0) => {
                out.byte(1);
                doc.pack(out);
            }
            Self::Doc(..) => self.detached().pack(out),
            Self::Bytes(bytes) => {
                out.byte(2);
                out.part(bytes);
            }
            Self::List(items) => {
                out.byte(3);
                out.number(items.len() as u64);
                items.iter().for_each(|item| item.pack(out));
            }
            Self::Map(map) => {
                out.byte(4);
                out.number(map.len() as u64);
                for (key, held) in map.iter() {
                    out.part(key.as_bytes());
                    held.pack(out);
                }
            }
        }
    }

    /// Reads one; `None` for bytes that are none.
    pub fn unpack(bytes: &mut Unpacker) -> Option<Self> {
        unpacked(bytes, DEPTH)
    }
}

fn unpacked(bytes: &mut Unpacker, depth: usize) -> Option<Held> {
    let depth = depth.checked_sub(1)?;
    match bytes.byte()? {
        0 => Some(Held::Null),
        1 => Doc::unpack(bytes).map(Held::whole),
        2 => Some(Held::Bytes(bytes.part()?)),
        3 => Some(Held::List(bytes.list(|bytes| unpacked(bytes, depth))?.into())),
        4 => {
            let entries = bytes.list(|bytes| Some((bytes.text()?, unpacked(bytes, depth)?)))?;
            Some(Held::Map(Arc::new(HeldMap::new(entries))))
        }
        _ => None,
    }
}

impl Doc {
    fn pack(&self, out: &mut Packer) {
        out.byte(u8::from(self.is_reply));
        out.part(&self.bytes);
        let is_of_contract = |kind| NUMBERS.and(TEXTS).holds(kind);
        match self.nodes.iter().any(|node| is_of_contract(node.kind)) {
            false => out.part(&[]),
            true => out.part(&self.nodes.iter().map(|node| node.kind as u8).collect::<Vec<_>>()),
        }
    }

    /// Reads one. What a contract says of a node is believed where JSON could say it.
    fn unpack(bytes: &mut Unpacker) -> Option<Self> {
        let is_reply = bytes.byte()? == 1;
        let mut doc = Self::parse(bytes.part()?).ok()?;
        let kinds = bytes.part()?;
        if !kinds.is_empty() && kinds.len() != doc.nodes.len() {
            return None;
        }
        for (node, kind) in doc.nodes.iter_mut().zip(&kinds) {
            let said = match node.kind {
                Kind::Number => NUMBERS.named(*kind),
                Kind::String | Kind::EscapedString => TEXTS.named(*kind),
                _ => None,
            };
            match said {
                Some(said) => node.kind = said,
                None if node.kind as u8 == *kind => {}
                None => return None,
            }
        }
        Some(Self { is_reply, ..doc })
    }
}

impl Kinds {
    /// The kind of the set that is written as this number.
    fn named(self, number: u8) -> Option<Kind> {
        const ALL: [Kind; 9] = [
            Kind::Int,
            Kind::Uint,
            Kind::Double,
            Kind::QuotedInt,
            Kind::QuotedUint,
            Kind::QuotedDouble,
            Kind::Timestamp,
            Kind::Duration,
            Kind::Base64,
        ];
        ALL.into_iter().find(|kind| *kind as u8 == number && self.holds(*kind))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::{DocBuilder, Sink as _};
    use super::*;

    fn again(held: &Held) -> Option<Held> {
        let mut out = Packer::default();
        held.pack(&mut out);
        let mut bytes = Unpacker::new(out.finish().into());
        let read = Held::unpack(&mut bytes)?;
        bytes.rest().is_empty().then_some(read)
    }

    fn message() -> Held {
        let mut out = DocBuilder::default();
        out.begin_object();
        out.key(b"\"id\":");
        out.text(Kind::QuotedInt, "12345678901234567890");
        out.key(b"\"n\":");
        out.int(7);
        out.key(b"\"t\":");
        out.text(Kind::Timestamp, "2026-01-02T03:04:05Z");
        out.end_object();
        Held::whole(out.finish().of_reply())
    }

    fn kinds(held: &Held) -> Vec<Kind> {
        let Held::Doc(doc, _) = held else { return Vec::new() };
        doc.nodes.iter().map(|node| node.kind).collect()
    }

    #[test]
    fn a_message_keeps_what_its_contract_says() {
        let (before, after) = (message(), again(&message()).expect("it is read"));
        assert_eq!(after.to_json(), before.to_json());
        assert_eq!(kinds(&after), [Kind::Object, Kind::QuotedInt, Kind::Int, Kind::Timestamp]);
        assert!(after.view().is_some_and(|view| view.is_of_reply()));
    }

    #[test]
    fn all_that_a_step_holds_is_read_again() {
        let doc = |text: &'static str| Held::whole(Doc::parse(Bytes::from_static(text.as_bytes())).expect("JSON"));
        let whole = doc(r#"{"a":[1.10,"b\n",null,true],"c":{"d":2}}"#);
        let Held::Doc(inner, _) = &whole else { unreachable!("it is a document") };
        let map = HeldMap::new(vec![("k".into(), doc("1")), ("l".into(), Held::Null)]);
        for held in [
            Held::Null,
            whole.clone(),
            Held::Doc(inner.clone(), 1),
            Held::Bytes(Bytes::from_static(b"\xff\0")),
            Held::List([doc("[]"), Held::Null].into()),
            Held::Map(Arc::new(map)),
        ] {
            assert_eq!(again(&held).map(|held| held.to_json()), Some(held.to_json()));
        }
    }

    #[test]
    fn bytes_that_are_no_value_are_refused() {
        let mut out = Packer::default();
        message().pack(&mut out);
        let whole = out.finish();
        for length in 0..whole.len() {
            assert!(Held::unpack(&mut Unpacker::new(Bytes::copy_from_slice(&whole[..length]))).is_none(), "{length}");
        }
        // Any byte may be another: what is read then is a value all the same, or nothing.
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x15;
            if let Some(held) = Held::unpack(&mut Unpacker::new(changed.into())) {
                let _ = (held.to_json(), held.value());
            }
        }
        let nested = [3, 1, 0, 0, 0, 0, 0, 0, 0].repeat(DEPTH + 1);
        assert!(Held::unpack(&mut Unpacker::new(nested.into())).is_none());
    }
}

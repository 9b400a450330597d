//! What a step's name stands for while its request lives.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::base::room::Taken;

use super::{Doc, JsonWriter, NotANumber, Number, Sink, Value, View};

/// A value that outlives the evaluation that made it. Replies are shared, never copied.
#[derive(Clone, Debug, Default)]
pub enum Held {
    /// Null: skipped, failed and optional, or an empty reply.
    #[default]
    Null,
    /// A node of a reply or of a document that the gateway made.
    Doc(Arc<Doc>, u32),
    /// A reply that is neither JSON nor text.
    Bytes(Bytes),
    /// The results of a `for_each`, in the order of its list.
    List(Arc<[Held]>),
    /// The results of a `for_each` with `key`, in the order in which keys were first seen.
    Map(Arc<HeldMap>),
}

impl Held {
    /// The whole of a document.
    pub fn whole(doc: Doc) -> Self {
        Self::Doc(Arc::new(doc), 0)
    }

    /// Keeps a value past its evaluation: views share their document, anything else is written
    /// into a document of its own. Fails for a number that JSON cannot write.
    pub fn keep(value: &Value<'_>) -> Result<Self, NotANumber> {
        Ok(match value {
            Value::Null => Self::Null,
            Value::View(view) => Self::Doc(view.doc.clone(), view.node),
            Value::Held(held) => (*held).clone(),
            Value::Bytes(bytes) => Self::Bytes(bytes.clone()),
            made => {
                let mut out = super::DocBuilder::default();
                out.value(made)?;
                Self::whole(out.finish())
            }
        })
    }

    /// The same, which keeps the room that was taken for it for as long as anything of its bytes is held. It must not be
    /// shared yet.
    #[must_use]
    pub fn keeping(self, taken: Taken) -> Self {
        match self {
            Self::Doc(mut doc, node) => {
                if let Some(doc) = Arc::get_mut(&mut doc) {
                    doc.bytes = taken.around(std::mem::take(&mut doc.bytes));
                }
                Self::Doc(doc, node)
            }
            Self::Bytes(bytes) => Self::Bytes(taken.around(bytes)),
            other => other,
        }
    }

    /// This as a value that borrows.
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Doc(doc, node) => View { doc, node: *node }.value(),
            Self::Bytes(bytes) => Value::Bytes(bytes.clone()),
            Self::List(_) | Self::Map(_) => Value::Held(self),
        }
    }

    /// The node of a document that this is, if it is one.
    pub fn view(&self) -> Option<View<'_>> {
        match self {
            Self::Doc(doc, node) => Some(doc.view(*node)),
            _ => None,
        }
    }

    /// The nodes of documents that this is made of, in order.
    pub fn documents(&self) -> Box<dyn Iterator<Item = View<'_>> + '_> {
        match self {
            Self::Null | Self::Bytes(_) => Box::new(std::iter::empty()),
            Self::Doc(doc, node) => Box::new(std::iter::once(doc.view(*node))),
            Self::List(items) => Box::new(items.iter().flat_map(Self::documents)),
            Self::Map(map) => Box::new(map.iter().flat_map(|(_, held)| held.documents())),
        }
    }

    /// The bytes that this takes in memory, about; the whole documents that it points into.
    pub fn size(&self) -> usize {
        match self {
            Self::Null => 0,
            Self::Doc(doc, _) => doc.size(),
            Self::Bytes(bytes) => bytes.len(),
            Self::List(items) => items.iter().map(|item| item.size() + size_of::<Self>()).sum(),
            Self::Map(map) => map.iter().map(|(key, held)| key.len() + held.size() + size_of::<Self>()).sum(),
        }
    }

    /// The same, pointing into nothing larger than itself.
    #[must_use]
    pub fn detached(&self) -> Self {
        match self {
            Self::Null => Self::Null,
            Self::Doc(doc, node) => {
                let mut out = super::DocBuilder::default();
                out.view(doc.view(*node));
                let made = out.finish();
                Self::whole(if doc.is_reply { made.of_reply() } else { made })
            }
            Self::Bytes(bytes) => Self::Bytes(Bytes::copy_from_slice(bytes)),
            Self::List(items) => Self::List(items.iter().map(Self::detached).collect()),
            Self::Map(map) => {
                let entries = map.iter().map(|(key, held)| (key.clone(), held.detached()));
                Self::Map(Arc::new(HeldMap::new(entries.collect())))
            }
        }
    }

    /// Whether this is null, held or inside a document.
    pub fn is_null(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Doc(doc, node) => doc.view(*node).is_null(),
            _ => false,
        }
    }

    /// This as JSON text, for keys, logs and tests.
    pub fn to_json(&self) -> String {
        let mut out = JsonWriter::default();
        match out.value(&self.value()) {
            Ok(()) => String::from_utf8_lossy(&out.bytes).into_owned(),
            Err(NotANumber) => "null".to_owned(),
        }
    }
}

/// Held values found by the text of their key.
#[derive(Debug, Default)]
pub struct HeldMap {
    entries: Box<[(Box<str>, Held)]>,
    /// Position by key.
    index: HashMap<Box<str>, usize>,
}

impl HeldMap {
    /// Builds the map; of equal keys the first stays.
    pub fn new(entries: Vec<(Box<str>, Held)>) -> Self {
        let mut index = HashMap::with_capacity(entries.len());
        let mut kept = Vec::with_capacity(entries.len());
        for (key, held) in entries {
            if !index.contains_key(&key) {
                index.insert(key.clone(), kept.len());
                kept.push((key, held));
            }
        }
        Self { entries: kept.into(), index }
    }

    /// The value under `key`.
    pub fn find(&self, key: &str) -> Option<&Held> {
        self.index.get(key).map(|at| &self.entries[*at].1)
    }

    /// The entries in order.
    pub fn iter(&self) -> std::slice::Iter<'_, (Box<str>, Held)> {
        self.entries.iter()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// The text by which keys compare: text as it is, numbers and booleans as JSON writes them (a
/// whole double without its `.0`), objects as JSON. `None` for null, which is no key.
/// Source: composition language, "Keys compare as text".
pub fn key_text(value: &Value<'_>) -> Option<String> {
    if let Some(text) = value.as_text() {
        return Some(text.to_owned());
    }
    match value.number() {
        Some(Number::Int(n)) => return Some(n.to_string()),
        Some(Number::Uint(n)) => return Some(n.to_string()),
        Some(Number::Double(n)) => {
            if let Value::View(view) = value
                && view.raw().bytes().all(|b| b.is_ascii_digit() || b == b'-')
            {
                return Some(view.raw().to_owned());
            }
            return match Number::Double(n).to_int() {
                Some(whole) => Some(whole.to_string()),
                None => Some(n.to_string()),
            };
        }
        None => {}
    }
    if matches!(value, Value::Null | Value::Optional(None)) {
        return None;
    }
    let mut out = JsonWriter::default();
    out.value(value).ok()?;
    String::from_utf8(out.bytes).ok()
}

//! JSON values without trees.
//!
//! A reply is parsed once into a [`Doc`]: its bytes plus a flat list of nodes that point into them.
//! Expressions and answers read it through [`View`]s, which are a document and a node number, and
//! an untouched part of a reply is written to the client by copying its span of bytes.
//!
//! [`Value`] is what an expression yields while it is evaluated; [`Held`] is what outlives the
//! evaluation because a step's name stands for it. Both borrow or share, never copy, reply bytes.

mod doc;
mod held;
mod number;
mod packed;
mod parse;
mod text;
mod time;
mod view;
mod write;

pub use doc::{Doc, DocBuilder, Kind, Kinds, Mark, Node};
pub use held::{Held, HeldMap, key_text};
pub use number::Number;
pub use parse::{DEPTH_LIMIT, ParseError, plain_run};
pub use text::Text;
pub use time::{Duration, Timestamp, civil_from_days};
pub use view::{Elements, Members, View};
pub use write::{
    JsonWriter, NotANumber, Sink, base64_decode_into, base64_into, double_into, escape_into, int_into, member_key,
    uint_into,
};

use std::sync::Arc;

use bytes::Bytes;

/// What an expression yields. Cheap to clone: text and lists are borrowed or shared.
///
/// A list or object can stand in three forms (read from a reply, held by a step, made by the
/// expression); [`Value::elements`], [`Value::member`] and [`Value::size`] treat them alike.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// CEL's `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A signed 64-bit integer.
    Int(i64),
    /// An unsigned 64-bit integer.
    Uint(u64),
    /// An IEEE 754 double.
    Double(f64),
    /// Text.
    Text(Text<'a>),
    /// Bytes; base64 text in JSON.
    Bytes(Bytes),
    /// A point in time; RFC 3339 text in JSON.
    Timestamp(Timestamp),
    /// A span of time; `"1.5s"` in JSON.
    Duration(Duration),
    /// A number without a contract, a list or an object inside a reply.
    /// Never a null, boolean, text or contract number: those are converted by [`View::value`].
    View(View<'a>),
    /// A list or keyed collection that a step holds.
    Held(&'a Held),
    /// A list made by an expression.
    List(Arc<[Value<'a>]>),
    /// A map made by an expression, in written order. Keys are text, int, uint or bool.
    Map(Arc<[(Value<'a>, Value<'a>)]>),
    /// CEL's `optional` type: `None` drops the entry that it is written to.
    Optional(Option<Arc<Value<'a>>>),
    /// A type, by CEL's name for it; its name as text in JSON.
    Type(&'static str),
}

/// The kinds of [`Value`] that expressions distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ValueKind {
    Null,
    Bool,
    Int,
    Uint,
    Double,
    /// A number whose type no contract tells: a double in arithmetic, its text when passed on.
    Number,
    Text,
    Bytes,
    Timestamp,
    Duration,
    List,
    Map,
    Optional,
    Type,
}

impl<'a> Value<'a> {
    /// A text value that borrows.
    pub fn text(text: &'a str) -> Self {
        Self::Text(Text::Borrowed(text))
    }

    /// The kind of value, whatever form it stands in.
    pub fn kind(&self) -> ValueKind {
        match self {
            Self::Null => ValueKind::Null,
            Self::Bool(_) => ValueKind::Bool,
            Self::Int(_) => ValueKind::Int,
            Self::Uint(_) => ValueKind::Uint,
            Self::Double(_) => ValueKind::Double,
            Self::Text(_) => ValueKind::Text,
            Self::Bytes(_) => ValueKind::Bytes,
            Self::Timestamp(_) => ValueKind::Timestamp,
            Self::Duration(_) => ValueKind::Duration,
            Self::List(_) => ValueKind::List,
            Self::Map(_) => ValueKind::Map,
            Self::Optional(_) => ValueKind::Optional,
            Self::Type(_) => ValueKind::Type,
            Self::View(view) => match view.kind() {
                Kind::Array => ValueKind::List,
                Kind::Object => ValueKind::Map,
                _ => ValueKind::Number,
            },
            Self::Held(held) => match held {
                Held::Map(_) => ValueKind::Map,
                _ => ValueKind::List,
            },
        }
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The number that this is, if it is one. A number without a contract reads as a double.
    pub fn number(&self) -> Option<Number> {
        match self {
            Self::Int(n) => Some(Number::Int(*n)),
            Self::Uint(n) => Some(Number::Uint(*n)),
            Self::Double(n) => Some(Number::Double(*n)),
            Self::View(view) if view.kind() == Kind::Number => Some(Number::Double(view.double())),
            _ => None,
        }
    }

    /// The text that this is, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number of elements of a list or entries of a map; `None` for everything else.
    pub fn size(&self) -> Option<usize> {
        match self {
            Self::View(view) if view.kind() == Kind::Array => Some(view.elements().count()),
            Self::View(view) if view.kind() == Kind::Object => Some(view.members().count()),
            Self::Held(Held::List(items)) => Some(items.len()),
            Self::Held(Held::Map(map)) => Some(map.len()),
            Self::List(items) => Some(items.len()),
            Self::Map(entries) => Some(entries.len()),
            _ => None,
        }
    }

    /// The element at `index` of a list; `None` past its end or when this is no list.
    pub fn element(&self, index: usize) -> Option<Value<'a>> {
        match self {
            Self::View(view) => view.elements().nth(index).map(View::value),
            Self::Held(Held::List(items)) => items.get(index).map(Held::value),
            Self::List(items) => items.get(index).cloned(),
            _ => None,
        }
    }

    /// The member called `name` of an object or map with text keys; `None` when absent.
    pub fn member(&self, name: &str) -> Option<Value<'a>> {
        match self {
            Self::View(view) => view.member(name).map(View::value),
            Self::Held(Held::Map(map)) => map.find(name).map(Held::value),
            Self::Map(entries) => {
                entries.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value.clone())
            }
            _ => None,
        }
    }

    /// The elements of a list in order; `None` when this is no list.
    pub fn elements(&self) -> Option<Items<'a>> {
        Some(match self {
            Self::View(view) if view.kind() == Kind::Array => Items::View(view.elements()),
            Self::Held(Held::List(items)) => Items::Held(items.iter()),
            Self::List(items) => Items::Made(items.clone(), 0),
            _ => return None,
        })
    }

    /// The entries of an object or map in document or written order; `None` when this is neither.
    pub fn entries(&self) -> Option<Entries<'a>> {
        Some(match self {
            Self::View(view) if view.kind() == Kind::Object => Entries::View(view.members()),
            Self::Held(Held::Map(map)) => Entries::Held(map.iter()),
            Self::Map(entries) => Entries::Made(entries.clone(), 0),
            _ => return None,
        })
    }
}

/// Iterates over the elements of a list value. See [`Value::elements`].
#[allow(missing_docs)]
pub enum Items<'a> {
    View(Elements<'a>),
    Held(std::slice::Iter<'a, Held>),
    Made(Arc<[Value<'a>]>, usize),
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        match self {
            Self::View(elements) => elements.next().map(View::value),
            Self::Held(items) => items.next().map(Held::value),
            Self::Made(items, at) => {
                let item = items.get(*at).cloned();
                *at += 1;
                item
            }
        }
    }
}

/// Iterates over the entries of a map value. See [`Value::entries`].
#[allow(missing_docs)]
pub enum Entries<'a> {
    View(Members<'a>),
    Held(std::slice::Iter<'a, (Box<str>, Held)>),
    Made(Arc<[(Value<'a>, Value<'a>)]>, usize),
}

impl<'a> Iterator for Entries<'a> {
    type Item = (Value<'a>, Value<'a>);

    fn next(&mut self) -> Option<(Value<'a>, Value<'a>)> {
        match self {
            Self::View(members) => members.next().map(|(key, view)| (Value::Text(key), view.value())),
            Self::Held(entries) => entries.next().map(|(key, held)| (Value::text(key), held.value())),
            Self::Made(entries, at) => {
                let entry = entries.get(*at).cloned();
                *at += 1;
                entry
            }
        }
    }
}

#[cfg(test)]
mod tests;

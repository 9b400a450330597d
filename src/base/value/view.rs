//! Reading a document in place.

use std::sync::Arc;

use super::{Doc, Duration, Kind, Node, Number, Text, Timestamp, Value};

/// One node of a document: what a path such as `product.seller.name` points at.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub(super) doc: &'a Arc<Doc>,
    pub(super) node: u32,
}

impl<'a> View<'a> {
    /// What the node is.
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// Whether a backend sent the document, and it may hold something else than its contract promises.
    pub fn is_of_reply(self) -> bool {
        self.doc.is_reply
    }

    /// Whether the node is the whole document.
    pub fn is_whole(self) -> bool {
        self.node == 0
    }

    /// Whether the node is `null`.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The document and node number, to keep the part alive.
    pub fn parts(self) -> (&'a Arc<Doc>, u32) {
        (self.doc, self.node)
    }

    /// The JSON text of the node as it came.
    pub fn raw(self) -> &'a str {
        std::str::from_utf8(self.raw_bytes()).unwrap_or("null")
    }

    /// The same as bytes, which are known to be UTF-8: for whoever copies them.
    pub fn raw_bytes(self) -> &'a [u8] {
        let node = self.node();
        &self.doc.bytes[node.start as usize..node.end as usize]
    }

    /// How many bytes [`View::raw`] has.
    pub fn raw_len(self) -> usize {
        let node = self.node();
        (node.end - node.start) as usize
    }

    /// The member called `name`; `None` when absent or when this is no object. Of members with
    /// the same name the first is taken.
    pub fn member(self, name: &str) -> Option<View<'a>> {
        let mut children = Children::of(self, Kind::Object);
        children.find(|child| child.is_under(name))
    }

    /// The elements of a list in order; none when this is no list.
    pub fn elements(self) -> Elements<'a> {
        Elements(Children::of(self, Kind::Array))
    }

    /// The members of an object in document order; none when this is no object.
    pub fn members(self) -> Members<'a> {
        Members(Children::of(self, Kind::Object))
    }

    /// The elements of a list, or the values of an object's members, in order; none when this is neither.
    pub fn children(self) -> Elements<'a> {
        Elements(Children::of(self, self.kind()))
    }

    /// The text of a text node, unescaped; `None` for every other node.
    pub fn text(self) -> Option<Text<'a>> {
        let raw = self.raw();
        let inner = raw.get(1..raw.len().checked_sub(1)?)?;
        match self.kind() {
            Kind::EscapedString => Some(super::parse::unescape(inner).into()),
            Kind::String
            | Kind::Timestamp
            | Kind::Duration
            | Kind::Base64
            | Kind::QuotedInt
            | Kind::QuotedUint
            | Kind::QuotedDouble => Some(Text::Borrowed(inner)),
            _ => None,
        }
    }

    /// The double nearest to a number node; NaN for every other node.
    pub fn double(self) -> f64 {
        self.raw().parse().unwrap_or(f64::NAN)
    }

    /// The value that expressions see.
    pub fn value(self) -> Value<'a> {
        let quoted = || self.text().unwrap_or(Text::Borrowed(""));
        match self.kind() {
            Kind::Null => Value::Null,
            Kind::False => Value::Bool(false),
            Kind::True => Value::Bool(true),
            Kind::Number | Kind::Array | Kind::Object => Value::View(self),
            Kind::Int => {
                // A contract's integer may be written `20.0`.
                let whole = self.raw().parse().ok().or_else(|| Number::Double(self.double()).to_int());
                whole.map_or(Value::View(self), Value::Int)
            }
            Kind::Uint => self.raw().parse().map_or(Value::View(self), Value::Uint),
            Kind::Double => Value::Double(self.double()),
            Kind::QuotedInt => quoted().parse().map_or(Value::Null, Value::Int),
            Kind::QuotedUint => quoted().parse().map_or(Value::Null, Value::Uint),
            Kind::QuotedDouble => quoted().parse().map_or(Value::Null, Value::Double),
            Kind::Timestamp => Timestamp::parse(&quoted()).map_or(Value::Null, Value::Timestamp),
            Kind::Duration => Duration::parse(&quoted()).map_or(Value::Null, Value::Duration),
            Kind::Base64 => {
                super::write::base64_decode(&quoted()).map_or(Value::Null, |bytes| Value::Bytes(bytes.into()))
            }
            Kind::String | Kind::EscapedString => Value::Text(quoted()),
        }
    }

    pub(super) fn node(self) -> &'a Node {
        &self.doc.nodes[self.node as usize]
    }

    /// Whether the node stands under the key `name` of an object. Meaningless elsewhere.
    pub fn is_under(self, name: &str) -> bool {
        let node = self.node();
        if node.key_escaped {
            return *self.key() == *name;
        }
        node.key_len as usize == name.len()
            && &self.doc.bytes[node.key as usize..(node.key + node.key_len) as usize] == name.as_bytes()
    }

    fn key(self) -> Text<'a> {
        let node = self.node();
        let raw = &self.doc.bytes[node.key as usize..(node.key + node.key_len) as usize];
        let raw = std::str::from_utf8(raw).unwrap_or("");
        if node.key_escaped { super::parse::unescape(raw).into() } else { Text::Borrowed(raw) }
    }
}

/// Walks the direct children of a list or object.
#[derive(Clone, Debug)]
struct Children<'a> {
    doc: &'a Arc<Doc>,
    at: u32,
    end: u32,
}

impl<'a> Children<'a> {
    /// The children of a node of the wanted kind; none for a node of another kind.
    fn of(view: View<'a>, wanted: Kind) -> Self {
        let node = view.node();
        let at = if node.kind == wanted { view.node + 1 } else { node.next };
        Self { doc: view.doc, at, end: node.next }
    }
}

impl<'a> Iterator for Children<'a> {
    type Item = View<'a>;

    fn next(&mut self) -> Option<View<'a>> {
        if self.at >= self.end {
            return None;
        }
        let view = View { doc: self.doc, node: self.at };
        self.at = view.node().next;
        Some(view)
    }
}

/// The elements of a list. See [`View::elements`].
#[derive(Clone, Debug)]
pub struct Elements<'a>(Children<'a>);

impl<'a> Iterator for Elements<'a> {
    type Item = View<'a>;

    fn next(&mut self) -> Option<View<'a>> {
        self.0.next()
    }
}

/// The members of an object. See [`View::members`].
#[derive(Clone, Debug)]
pub struct Members<'a>(Children<'a>);

impl<'a> Iterator for Members<'a> {
    type Item = (Text<'a>, View<'a>);

    fn next(&mut self) -> Option<(Text<'a>, View<'a>)> {
        self.0.next().map(|view| (view.key(), view))
    }
}

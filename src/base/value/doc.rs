//! A parsed document: bytes and a flat list of nodes that point into them.

use std::sync::Arc;

use bytes::Bytes;

use super::{NotANumber, Number, Sink, View};

/// JSON text and its nodes in document order. Node 0 is the whole.
///
/// **Invariant:** the bytes are valid UTF-8 and valid JSON (RFC 8259); every node lies inside them.
#[derive(Debug)]
pub struct Doc {
    pub(super) bytes: Bytes,
    pub(super) nodes: Vec<Node>,
    /// Whether a backend sent it, and it may hold something else than its contract promises.
    pub(super) is_reply: bool,
}

impl Doc {
    /// Says that a backend sent it, and that it may hold something else than its contract promises: what is read of it
    /// is held to that.
    #[must_use]
    pub fn of_reply(self) -> Self {
        Self { is_reply: true, ..self }
    }

    /// The node `node` of this document.
    pub fn view(self: &Arc<Self>, node: u32) -> View<'_> {
        View { doc: self, node }
    }

    /// The whole document.
    pub fn root(self: &Arc<Self>) -> View<'_> {
        self.view(0)
    }

    /// The JSON text of the whole document.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The bytes that it takes in memory, about. Room for nodes that there are not was never written to, and takes none.
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.bytes.len() + self.nodes.len() * size_of::<Node>()
    }

    /// What a node is.
    pub fn kind(&self, node: u32) -> Kind {
        self.nodes[node as usize].kind
    }

    /// Says that a number is a signed integer, as a contract does. One that is not whole, or too large,
    /// stays what it is.
    pub fn mark_integer(&mut self, node: u32) {
        let found = self.nodes[node as usize];
        let text = self.bytes.get(found.start as usize..found.end as usize);
        let text = text.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
        let double = || Number::Double(text.parse().unwrap_or(f64::NAN)).to_int();
        if found.kind == Kind::Number && (text.parse::<i64>().is_ok() || double().is_some()) {
            self.nodes[node as usize].kind = Kind::Int;
        }
    }

    /// The first element of a list, or the first member of an object.
    pub fn first_child(&self, node: u32) -> Option<u32> {
        (self.nodes[node as usize].next > node + 1).then_some(node + 1)
    }

    /// The element or member of `parent` that follows `child`.
    pub fn sibling(&self, parent: u32, child: u32) -> Option<u32> {
        let next = self.nodes[child as usize].next;
        (next < self.nodes[parent as usize].next).then_some(next)
    }

    /// Whether a member stands under the key `name`.
    pub fn is_under(&self, child: u32, name: &str) -> bool {
        let node = &self.nodes[child as usize];
        let key = self.bytes.get(node.key as usize..(node.key + node.key_len) as usize).unwrap_or_default();
        match node.key_escaped {
            true => std::str::from_utf8(key).is_ok_and(|key| super::parse::unescape(key) == name),
            false => key == name.as_bytes(),
        }
    }
}

/// One value of a document, and the key it stands under when its parent is an object.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// Where its JSON text begins, quotes included.
    pub start: u32,
    /// One past where its JSON text ends.
    pub end: u32,
    /// The number of the first node after this one's subtree: its next sibling, if it has one.
    pub next: u32,
    /// Where its key begins, after the quote. Meaningless outside objects.
    pub key: u32,
    /// The bytes of its key, before the closing quote.
    pub key_len: u32,
    /// What it is.
    pub kind: Kind,
    /// Whether the key contains a backslash.
    pub key_escaped: bool,
}

/// What a node is. Kinds beyond JSON's own come from a contract (a proto message): the JSON text
/// is what clients get when the part is passed on, the kind is what expressions see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `false`
    False,
    /// `true`
    True,
    /// A number whose type no contract tells.
    Number,
    /// A number that a contract says is a signed integer.
    Int,
    /// A number that a contract says is an unsigned integer.
    Uint,
    /// A number that a contract says is a double.
    Double,
    /// A signed integer written as text, as ProtoJSON writes 64-bit integers.
    QuotedInt,
    /// An unsigned integer written as text.
    QuotedUint,
    /// `"NaN"`, `"Infinity"` or `"-Infinity"` of a double field.
    QuotedDouble,
    /// Text without escapes.
    String,
    /// Text with at least one backslash.
    EscapedString,
    /// RFC 3339 text of a Timestamp.
    Timestamp,
    /// `"1.5s"` of a Duration.
    Duration,
    /// Base64 text of bytes.
    Base64,
    /// A list.
    Array,
    /// An object.
    Object,
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u32);

impl Kinds {
    /// Every kind of number that is not written as text.
    pub const NUMBERS: Self = Self::of(&[Kind::Number, Kind::Int, Kind::Uint, Kind::Double]);
    /// Text, and what is text in JSON.
    pub const TEXTS: Self = Self::of(&[Kind::String, Kind::EscapedString]);

    /// The set of these.
    pub const fn of(kinds: &[Kind]) -> Self {
        let (mut set, mut at) = (0, 0);
        while at < kinds.len() {
            set |= 1 << kinds[at] as u32;
            at += 1;
        }
        Self(set)
    }

    /// The kinds of both.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether a kind is one of them.
    pub const fn holds(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u32) != 0
    }
}

/// Writes JSON text and its nodes in one pass. See [`Sink`] for how.
#[derive(Debug, Default)]
pub struct DocBuilder {
    bytes: Vec<u8>,
    nodes: Vec<Node>,
    /// Numbers of the lists and objects that are open.
    open: Vec<u32>,
    /// The key that the next value stands under.
    key: (u32, u32),
    key_escaped: bool,
}

/// A position in a sink to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    pub(super) bytes: usize,
    pub(super) nodes: usize,
    pub(super) open: usize,
}

impl DocBuilder {
    /// A builder with room for about `bytes` of JSON text.
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            nodes: Vec::with_capacity(bytes / 16 + 1),
            open: Vec::with_capacity(16),
            ..Self::default()
        }
    }

    /// The bytes written so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The finished document. Everything opened must have been closed.
    pub fn finish(self) -> Doc {
        debug_assert!(self.open.is_empty(), "a list or object was left open");
        Doc { bytes: self.bytes.into(), nodes: self.nodes, is_reply: false }
    }

    /// Writes a key as [`super::member_key`] prepared it: `"name":`, escaped.
    /// `escaped` says whether the name holds a backslash.
    pub fn prepared_key(&mut self, key: &[u8], escaped: bool) {
        self.comma();
        self.key = (self.bytes.len() as u32 + 1, key.len() as u32 - 3);
        self.key_escaped = escaped;
        self.bytes.extend_from_slice(key);
    }

    /// Writes a value of the given kind whose JSON text `write` appends.
    pub fn scalar(&mut self, kind: Kind, write: impl FnOnce(&mut Vec<u8>)) {
        self.comma();
        let start = self.bytes.len() as u32;
        write(&mut self.bytes);
        let next = self.nodes.len() as u32 + 1;
        self.push_node(kind, start, self.bytes.len() as u32, next);
    }

    fn push_node(&mut self, kind: Kind, start: u32, end: u32, next: u32) {
        let (key, key_len) = self.key;
        self.nodes.push(Node { start, end, next, key, key_len, kind, key_escaped: self.key_escaped });
    }

    fn comma(&mut self) {
        super::write::comma(&mut self.bytes);
    }

    fn begin(&mut self, kind: Kind, bracket: u8) {
        self.comma();
        let start = self.bytes.len() as u32;
        self.bytes.push(bracket);
        self.open.push(self.nodes.len() as u32);
        self.push_node(kind, start, 0, 0);
    }

    fn end(&mut self, bracket: u8) {
        self.bytes.push(bracket);
        let next = self.nodes.len() as u32;
        if let Some(node) = self.open.pop().and_then(|at| self.nodes.get_mut(at as usize)) {
            node.end = self.bytes.len() as u32;
            node.next = next;
        }
    }
}

impl Sink for DocBuilder {
    fn begin_object(&mut self) {
        self.begin(Kind::Object, b'{');
    }

    fn end_object(&mut self) {
        self.end(b'}');
    }

    fn begin_array(&mut self) {
        self.begin(Kind::Array, b'[');
    }

    fn end_array(&mut self) {
        self.end(b']');
    }

    fn key(&mut self, key: &[u8]) {
        self.prepared_key(key, memchr::memchr(b'\\', key).is_some());
    }

    fn null(&mut self) {
        self.scalar(Kind::Null, |out| out.extend_from_slice(b"null"));
    }

    fn bool(&mut self, value: bool) {
        let (kind, text) = if value { (Kind::True, "true") } else { (Kind::False, "false") };
        self.scalar(kind, |out| out.extend_from_slice(text.as_bytes()));
    }

    fn int(&mut self, value: i64) {
        self.scalar(Kind::Int, |out| super::write::int_into(out, value));
    }

    fn uint(&mut self, value: u64) {
        self.scalar(Kind::Uint, |out| super::write::uint_into(out, value));
    }

    fn double(&mut self, value: f64) -> Result<(), NotANumber> {
        if !value.is_finite() {
            return Err(NotANumber);
        }
        self.scalar(Kind::Double, |out| super::write::double_into(out, value));
        Ok(())
    }

    fn text(&mut self, kind: Kind, text: &str) {
        self.comma();
        let start = self.bytes.len() as u32;
        let escaped = super::write::string_into(&mut self.bytes, text);
        let kind = if escaped && kind == Kind::String { Kind::EscapedString } else { kind };
        let next = self.nodes.len() as u32 + 1;
        self.push_node(kind, start, self.bytes.len() as u32, next);
    }

    fn view(&mut self, view: View<'_>) {
        self.comma();
        let from = view.node();
        let bytes_shift = i64::from(self.bytes.len() as u32) - i64::from(from.start);
        let first = self.nodes.len();
        let nodes_shift = first as i64 - i64::from(view.node);
        self.bytes.extend_from_slice(view.raw_bytes());
        let shifted = view.doc.nodes[view.node as usize..from.next as usize].iter().map(|node| Node {
            start: (i64::from(node.start) + bytes_shift) as u32,
            end: (i64::from(node.end) + bytes_shift) as u32,
            next: (i64::from(node.next) + nodes_shift) as u32,
            key: (i64::from(node.key) + bytes_shift) as u32,
            ..*node
        });
        self.nodes.extend(shifted);
        let root = &mut self.nodes[first];
        (root.key, root.key_len) = self.key;
        root.key_escaped = self.key_escaped;
    }

    fn mark(&self) -> Mark {
        Mark { bytes: self.bytes.len(), nodes: self.nodes.len(), open: self.open.len() }
    }

    fn rewind(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
        self.nodes.truncate(mark.nodes);
        self.open.truncate(mark.open);
    }
}

//! What a composition file says, key by key: its YAML walked along the tables of the language.
//!
//! It reads for itself and not with the reader under test, and takes from that only which keys there are.

use std::ops::Range;

use saphyr_parser::{Event, Parser, Span, StrInput};
use selvedge::spec::{FieldDoc, NOT_SUPPORTED_KEYS, ObjectDoc, Shape, Spec};

/// One thing that a file says.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// The type that it stands in, such as `RestCall`.
    pub(crate) object: &'static str,
    /// The key of the type that it is, or stands under; empty for the short form of the whole type.
    pub(crate) key: String,
    /// What it is there.
    pub(crate) role: Role,
    /// Where it is written, with its quotes.
    pub(crate) bytes: Range<usize>,
    /// The same, for a key and what stands under it.
    pub(crate) whole: Range<usize>,
}

impl Written {
    /// The type and the key that it is, or stands under.
    pub(crate) fn of(&self) -> (&'static str, String) {
        (self.object, self.key.clone())
    }
}

/// A key of the language.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    /// The type that it stands in, such as `RestCall`.
    pub(crate) object: &'static str,
    /// What people call the type, such as "a REST call".
    pub(crate) title: &'static str,
    pub(crate) key: &'static str,
    /// What it means, in whole sentences.
    pub(crate) description: String,
}

impl Key {
    /// The type and the key.
    pub(crate) fn of(&self) -> (&'static str, String) {
        (self.object, self.key.to_owned())
    }
}

/// What something is where it stands.
#[derive(Clone, Debug)]
pub(crate) enum Role {
    /// The key itself.
    Key,
    /// A name that the writer chose, of a mapping from names.
    Name,
    /// The name of a member of a value.
    Member,
    /// A scalar.
    Value(Shape),
}

/// Everything that a file says, in written order. A key that the language does not have is passed over.
///
/// # Errors
/// What the parser says of text that is no YAML.
pub(crate) fn read(text: &str) -> Result<Vec<Written>, String> {
    let mut walk = Walk { said: Vec::new() };
    if let Some(root) = tree(text)? {
        let docs: Vec<_> = Spec::fields().iter().map(|field| (field.key, (field.shape)())).collect();
        for (key, node) in root.pairs() {
            let Some((name, shape)) = docs.iter().find(|(name, _)| *name == key.text()) else { continue };
            walk.key(("Spec", name), key, node);
            walk.shape(("Spec", name), shape, node);
        }
    }
    Ok(walk.said)
}

/// Every key of the language that is in force.
pub(crate) fn keys() -> Vec<Key> {
    let mut found = Found::default();
    let title = "a composition file";
    found.fields((&["Spec"], title), Spec::fields());
    let own = |object, title, (key, description): (&'static str, &str)| Key {
        object,
        title,
        key,
        description: description.to_owned(),
    };
    let names = (GRAPH_NAMES, "In `graph`: how a field without an entry finds its member.");
    let sections = found.keys.iter().take_while(|key| key.object == "Spec").count();
    found.keys.insert(sections, own("Spec", title, names));
    found.keys.extend(DIRECTIVES.map(|directive| own("Template", "a value", directive)));
    found.keys
}

/// Keys while they are collected.
#[derive(Default)]
struct Found {
    keys: Vec<Key>,
    docs: Vec<&'static str>,
}

impl Found {
    /// The keys of a type, and then those of what stands under them. `of` is the type, and behind it the types that it
    /// is a part of.
    fn fields(&mut self, (of, title): (&[&'static str], &'static str), fields: &'static [FieldDoc]) {
        let refused = |key: &str| {
            of.iter().any(|name| NOT_SUPPORTED_KEYS.iter().any(|(o, keys)| o == name && keys.contains(&key)))
        };
        let in_force: Vec<&FieldDoc> = fields.iter().filter(|field| !refused(field.key)).collect();
        for field in in_force.iter().filter(|field| !field.key.is_empty()) {
            let description = field.description();
            self.keys.push(Key { object: of[0], title, key: field.key, description });
        }
        for field in in_force {
            self.shape(of, &(field.shape)());
        }
    }

    fn shape(&mut self, of: &[&'static str], shape: &Shape) {
        match shape {
            Shape::List(inner) | Shape::Map(inner) => self.shape(of, inner),
            Shape::OneOf(shapes) => shapes.iter().for_each(|shape| self.shape(of, shape)),
            Shape::Object(doc) => self.doc(&[], doc),
            Shape::Beside(doc) => self.doc(of, doc),
            _ => {}
        }
    }

    fn doc(&mut self, within: &[&'static str], doc: &'static ObjectDoc) {
        if self.docs.contains(&doc.name) {
            return;
        }
        self.docs.push(doc.name);
        let of = [&[doc.name], within].concat();
        self.fields((&of, doc.title), doc.fields);
        doc.alternatives.iter().for_each(|other| self.doc(&of, other));
    }
}

/// The one key beside the fields of the graph.
const GRAPH_NAMES: &str = "names";

/// The keys of values that have a meaning of their own.
const DIRECTIVES: [(&str, &str); 3] = [
    ("$each", "The list that is mapped."),
    ("$as", "With `$each`: what each item becomes."),
    ("$when", "The object, or the item of `$each`, is left out unless this is true."),
];

/// A type, and a key of it.
type At<'k> = (&'static str, &'k str);

struct Walk {
    said: Vec<Written>,
}

impl Walk {
    fn add(&mut self, (object, key): At<'_>, role: Role, node: &Node) {
        let bytes = node.bytes.clone();
        self.said.push(Written { object, key: key.to_owned(), role, whole: bytes.clone(), bytes });
    }

    fn key(&mut self, (object, key): At<'_>, name: &Node, value: &Node) {
        let whole = name.bytes.start..value.bytes.end.max(name.bytes.end);
        self.said.push(Written { object, key: key.to_owned(), role: Role::Key, bytes: name.bytes.clone(), whole });
    }

    fn shape(&mut self, at: At<'_>, shape: &Shape, node: &Node) {
        match (shape, &node.kind) {
            (Shape::OneOf(shapes), _) => {
                let known = |shape: &&Shape| match shape {
                    Shape::Object(doc) => node.pairs().iter().filter(|(key, _)| has(doc, key.text())).count(),
                    _ => 0,
                };
                // Of several that are alike the first.
                let fitting = shapes.iter().rev().filter(|shape| fits(shape, node)).max_by_key(known);
                let fitting = fitting.or(shapes.first());
                fitting.into_iter().for_each(|shape| self.shape(at, shape, node));
            }
            (Shape::List(inner), Kind::List(items)) => items.iter().for_each(|item| self.shape(at, inner, item)),
            (Shape::List(inner), _) => self.shape(at, inner, node),
            (Shape::Map(inner), Kind::Map(pairs)) => {
                for (name, node) in pairs {
                    if at == ("Spec", "graph") && name.text() == GRAPH_NAMES {
                        self.key(("Spec", GRAPH_NAMES), name, node);
                        self.shape(("Spec", GRAPH_NAMES), &Shape::Text, node);
                    } else {
                        self.add(at, Role::Name, name);
                        self.shape(at, inner, node);
                    }
                }
            }
            (Shape::Object(doc) | Shape::Beside(doc), Kind::Map(_)) => self.object(doc, node),
            (Shape::Object(doc), Kind::Scalar(_)) => self.add((doc.name, ""), Role::Value(shape.clone()), node),
            (Shape::Template | Shape::Scalar, _) => self.template(at, node),
            (_, Kind::Scalar(_)) => self.add(at, Role::Value(shape.clone()), node),
            _ => {}
        }
    }

    fn object(&mut self, doc: &'static ObjectDoc, node: &Node) {
        for (key, value) in node.pairs() {
            let Some((owner, shape)) = field(doc, key.text(), node) else { continue };
            self.key((owner, key.text()), key, value);
            self.shape((owner, key.text()), &shape, value);
        }
    }

    fn template(&mut self, at: At<'_>, node: &Node) {
        match &node.kind {
            Kind::Scalar(_) => self.add(at, Role::Value(Shape::Template), node),
            Kind::List(items) => items.iter().for_each(|item| self.template(at, item)),
            Kind::Map(pairs) => {
                for (key, value) in pairs {
                    match DIRECTIVES.iter().any(|(own, _)| *own == key.text()) {
                        true => self.key(("Template", key.text()), key, value),
                        false => self.add(at, Role::Member, key),
                    }
                    match (key.text(), &value.kind) {
                        // The name of the item, and the list.
                        ("$each", Kind::Map(pairs)) => pairs.iter().for_each(|(_, list)| self.template(at, list)),
                        _ => self.template(at, value),
                    }
                }
            }
        }
    }
}

/// Whether a node can be of a shape, as far as its kind tells.
fn fits(shape: &Shape, node: &Node) -> bool {
    match node.kind {
        Kind::Map(_) => matches!(shape, Shape::Map(_) | Shape::Object(_) | Shape::Template),
        Kind::List(_) => matches!(shape, Shape::List(_) | Shape::Template),
        Kind::Scalar(_) => !matches!(shape, Shape::Map(_) | Shape::Object(_) | Shape::List(_)),
    }
}

/// The type that a key of a mapping belongs to, and what stands under it. Of alternatives it is that which
/// has most of the mapping's keys.
fn field(doc: &'static ObjectDoc, key: &str, node: &Node) -> Option<(&'static str, Shape)> {
    if let Some(field) = doc.fields.iter().find(|field| !field.key.is_empty() && field.key == key) {
        return Some((doc.name, (field.shape)()));
    }
    let groups = doc.fields.iter().filter(|field| field.key.is_empty()).filter_map(|field| match (field.shape)() {
        Shape::Beside(group) => Some(group),
        _ => None,
    });
    let known = |other: &ObjectDoc| node.pairs().iter().filter(|(key, _)| has(other, key.text())).count();
    let alternative = doc.alternatives.iter().copied().rev().max_by_key(|other| known(other));
    groups.chain(alternative).find_map(|group| field(group, key, node))
}

fn has(doc: &ObjectDoc, key: &str) -> bool {
    doc.fields.iter().any(|field| match (field.shape)() {
        Shape::Beside(group) if field.key.is_empty() => has(group, key),
        _ => field.key == key,
    }) || doc.alternatives.iter().any(|other| has(other, key))
}

/// A value of a YAML file, and where it is written.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) bytes: Range<usize>,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The text of a scalar; empty for anything else.
    pub(crate) fn text(&self) -> &str {
        match &self.kind {
            Kind::Scalar(text) => text,
            _ => "",
        }
    }

    /// The entries of a mapping; none of anything else.
    pub(crate) fn pairs(&self) -> &[(Node, Node)] {
        match &self.kind {
            Kind::Map(pairs) => pairs,
            _ => &[],
        }
    }

    /// What a mapping holds under a key.
    pub(crate) fn member(&self, key: &str) -> Option<&Node> {
        self.pairs().iter().find(|(name, _)| name.text() == key).map(|(_, node)| node)
    }
}

/// The tree of a file; `None` for one that holds nothing.
///
/// # Errors
/// What the parser says of text that is no YAML.
pub(crate) fn tree(text: &str) -> Result<Option<Node>, String> {
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let mut events = Events { parser: Parser::new_from_str(text), starts };
    loop {
        match events.next()? {
            (Event::StreamEnd, _) => return Ok(None),
            (Event::DocumentStart(_), _) => {
                let (event, bytes) = events.next()?;
                return events.node(event, bytes).map(Some);
            }
            _ => {}
        }
    }
}

struct Events<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// The byte at which each character begins.
    starts: Vec<usize>,
}

impl<'a> Events<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Range<usize>), String> {
        let (event, span) = match self.parser.next_event() {
            Some(next) => next.map_err(|error| error.to_string())?,
            None => (Event::StreamEnd, Span::default()),
        };
        let byte = |character: usize| self.starts[character.min(self.starts.len() - 1)];
        let start = byte(span.start.index());
        Ok((event, start..byte(span.end.index()).max(start)))
    }

    fn node(&mut self, event: Event<'a>, bytes: Range<usize>) -> Result<Node, String> {
        let mut end = bytes.end;
        let kind = match event {
            Event::Scalar(text, ..) => Kind::Scalar(text.into_owned()),
            Event::SequenceStart(..) => {
                let mut items: Vec<Node> = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, closed) => {
                            end = ending(&closed, items.last(), end);
                            break Kind::List(items);
                        }
                        (event, bytes) => items.push(self.node(event, bytes)?),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut pairs: Vec<(Node, Node)> = Vec::new();
                loop {
                    match self.next()? {
                        (Event::MappingEnd, closed) => {
                            end = ending(&closed, pairs.last().map(|(_, node)| node), end);
                            break Kind::Map(pairs);
                        }
                        (event, bytes) => {
                            let key = self.node(event, bytes)?;
                            let (event, bytes) = self.next()?;
                            pairs.push((key, self.node(event, bytes)?));
                        }
                    }
                }
            }
            other => return Err(format!("{other:?} is no value")),
        };
        Ok(Node { kind, bytes: bytes.start..end })
    }
}

/// Where a list or mapping ends: at its bracket, or without one with the last thing in it.
fn ending(closed: &Range<usize>, last: Option<&Node>, start: usize) -> usize {
    match last {
        _ if !closed.is_empty() => closed.end,
        Some(last) => last.bytes.end,
        None => start,
    }
}

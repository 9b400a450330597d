//! What a composition file says, key by key: its YAML walked along the tables of the language.
//!
//! It reads for itself and not with the reader under test, and takes from that only which keys there are.

use std::ops::Range;

use saphyr_parser::{Event, Parser, Span, StrInput};
use selvedge::spec::{ObjectDoc, Shape, Spec};

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
            walk.add(("Spec", name), Role::Key, key);
            walk.shape(("Spec", name), shape, node);
        }
    }
    Ok(walk.said)
}

/// The one key beside the fields of the graph.
const GRAPH_NAMES: &str = "names";

/// The keys of values that have a meaning of their own.
const DIRECTIVES: [&str; 5] = ["$each", "$as", "$when", "$merge", "$prefer"];

/// A type, and a key of it.
type At<'k> = (&'static str, &'k str);

struct Walk {
    said: Vec<Written>,
}

impl Walk {
    fn add(&mut self, (object, key): At<'_>, role: Role, node: &Node) {
        self.said.push(Written { object, key: key.to_owned(), role, bytes: node.bytes.clone() });
    }

    fn shape(&mut self, at: At<'_>, shape: &Shape, node: &Node) {
        match (shape, &node.kind) {
            (Shape::OneOf(shapes), _) => {
                let fitting = shapes.iter().find(|shape| fits(shape, node)).or(shapes.first());
                fitting.into_iter().for_each(|shape| self.shape(at, shape, node));
            }
            (Shape::List(inner), Kind::List(items)) => items.iter().for_each(|item| self.shape(at, inner, item)),
            (Shape::List(inner), _) => self.shape(at, inner, node),
            (Shape::Map(inner), Kind::Map(pairs)) => {
                for (name, node) in pairs {
                    let is_key = at == ("Spec", "graph") && name.text() == GRAPH_NAMES;
                    let at = if is_key { ("Spec", GRAPH_NAMES) } else { at };
                    self.add(at, if is_key { Role::Key } else { Role::Name }, name);
                    self.shape(at, inner, node);
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
            self.add((owner, key.text()), Role::Key, key);
            self.shape((owner, key.text()), &shape, value);
        }
    }

    fn template(&mut self, at: At<'_>, node: &Node) {
        match &node.kind {
            Kind::Scalar(_) => self.add(at, Role::Value(Shape::Template), node),
            Kind::List(items) => items.iter().for_each(|item| self.template(at, item)),
            Kind::Map(pairs) => {
                for (key, value) in pairs {
                    let own = DIRECTIVES.contains(&key.text());
                    self.add(
                        if own { ("Template", key.text()) } else { at },
                        if own { Role::Key } else { Role::Member },
                        key,
                    );
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
        let kind = match event {
            Event::Scalar(text, ..) => Kind::Scalar(text.into_owned()),
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break Kind::List(items),
                        (event, bytes) => items.push(self.node(event, bytes)?),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut pairs = Vec::new();
                loop {
                    match self.next()? {
                        (Event::MappingEnd, _) => break Kind::Map(pairs),
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
        Ok(Node { kind, bytes })
    }
}

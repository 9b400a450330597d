//! The names of a composition file that must stand for something: each use of one, not where it is defined.

use std::ops::Range;

use selvedge::spec::Shape;

use super::expression::{self, Word};
use crate::written::{self, Role, Written};

/// A use of a name.
#[derive(Clone, Debug)]
pub(super) struct Name {
    /// What it must be a name of.
    pub(super) of: Of,
    /// Where it is written.
    pub(super) bytes: Range<usize>,
}

/// What a name must be a name of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// What the table of the language calls it: "backend", "key", "rpc".
    Language(&'static str),
    /// A function, or something that expressions see.
    Expression,
    /// A member in an expression: `c` in `a.b.c` is that of `a`, through `b`.
    Member { of: Vec<String>, through: Vec<String> },
}

/// Values that name something, by type and key.
const VALUES: &[(&str, &str, &str)] = &[
    ("Arg", "", "type"),
    ("Arg", "type", "type"),
    ("Backend", "proto", "file"),
    ("Backend", "reads", "rpc"),
    ("Endpoint", "body", "type"),
    ("Endpoint", "graph", "field of the schema"),
    ("Endpoint", "part", "part"),
    ("GrpcCall", "backend", "backend"),
    ("GrpcCall", "rpc", "rpc"),
    ("PartUse", "part", "part"),
    ("Proxy", "", "backend"),
    ("Proxy", "backend", "backend"),
    ("RestCall", "backend", "backend"),
    ("Step", "after", "step"),
];

/// The names that a file uses.
///
/// # Errors
/// What the parser says of text that is no YAML.
pub(super) fn names(text: &str) -> Result<Vec<Name>, String> {
    let mut names = Vec::new();
    for written in written::read(text)? {
        let source = &text[written.bytes.clone()];
        let words = |of: &'static str| within(&written.bytes, expression::words(source), of);
        match &written.role {
            Role::Key => names.extend(words("key")),
            Role::Name => names.extend(chosen(&written, source)),
            Role::Member if (written.object, written.key.as_str()) == ("GrpcCall", "message") => {
                names.extend(words("field of a message"));
            }
            Role::Member => {}
            Role::Value(Shape::Template | Shape::Word(_)) if source.contains("${") => {
                names.extend(used(&written.bytes, source))
            }
            Role::Value(Shape::Word(_) | Shape::Bool) => names.extend(words("word")),
            Role::Value(_) => {
                let known = VALUES.iter().find(|(object, key, _)| (*object, *key) == (written.object, &*written.key));
                known.into_iter().for_each(|(.., of)| names.extend(words(of)));
            }
        }
    }
    Ok(names)
}

/// Of names that the writer chooses, those that must be known all the same.
fn chosen(written: &Written, source: &str) -> Vec<Name> {
    match (written.object, written.key.as_str()) {
        ("Spec", "graph") => within(&written.bytes, expression::words(source), "field of the schema"),
        ("PartUse", "args") => within(&written.bytes, expression::words(source), "argument"),
        ("Spec", "endpoints") => {
            // A tail, `{*path}`, need not be declared.
            let is_parameter = |word: &Range<usize>| source[..word.start].ends_with('{');
            let path = source.find('/').unwrap_or(source.len());
            let words = expression::words(source).filter(|word| word.end <= path || is_parameter(word));
            within(&written.bytes, words, "method or argument")
        }
        _ => Vec::new(),
    }
}

/// The names in the expressions of a scalar.
fn used(bytes: &Range<usize>, source: &str) -> Vec<Name> {
    let name = |word: Word| Name { of: word.of, bytes: bytes.start + word.bytes.start..bytes.start + word.bytes.end };
    expression::names(source).into_iter().map(name).collect()
}

fn within(bytes: &Range<usize>, words: impl Iterator<Item = Range<usize>>, of: &'static str) -> Vec<Name> {
    let name =
        |word: Range<usize>| Name { of: Of::Language(of), bytes: bytes.start + word.start..bytes.start + word.end };
    words.map(name).collect()
}

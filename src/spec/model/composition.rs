//! `args`, `steps`, `result`: the composition, the same wherever it stands.

use crate::spec::keys::{Definition, Entries, FromNode, Keys, Reader, Shape, keys, words};
use crate::spec::name::is_name;
use crate::spec::yaml::{Kind, Literal, Node, Scalar};

use super::{Located, Named, Step, Template};

keys! {
    /// Arguments, steps, and the result made of them.
    pub struct Composition: "a composition", as in "{ steps: { p: { backend: catalog, get: /products } }, result: \"${p}\" }" {
        /// What it is called with.
        args: Vec<Named<Arg>>,
        /// Calls, parts and values, by name.
        steps: Vec<Named<Step>>,
        /// What it yields. Without it: the object of what the steps hold, or the body of the only step.
        result: Option<Template>,
    }
}

keys! {
    /// An argument. `id: ID!` is short for `id: { type: ID! }`.
    pub struct Arg: "an argument", as in "{ type: Int, in: query, default: 3 }", or Arg::of_type {
        /// The GraphQL type, as written: `ID!`, `[ID!]!`.
        type_name: Located<String> = "type",
        /// Where a request carries it. Without it: the path if it names it, else the query.
        source: Option<Located<ArgSource>> = "in",
        /// Its name in the request, if that is not the argument's own.
        name: Option<Located<String>>,
        /// What it is when the request does not carry it; may be made from `request`.
        default: Option<Template>,
        /// The smallest number allowed; of text, the least number of characters.
        min: Option<Located<f64>>,
        /// The greatest number allowed; of text, the greatest number of characters.
        max: Option<Located<f64>>,
        /// A regular expression that text must match from beginning to end.
        pattern: Option<Located<String>>,
        /// The only values allowed.
        values: Option<Vec<Scalar>> = "enum",
    }
    then Arg::check
}

words! {
    /// Where a request carries an argument.
    pub enum ArgSource {
        /// A parameter of the path.
        Path = "path",
        /// The query string.
        Query = "query",
        /// A header field.
        Header = "header",
        /// A cookie.
        Cookie = "cookie",
        /// A field of the form that the body is, before its file.
        Form = "form",
    }
}

impl Composition {
    /// Takes steps and result where `args` cannot be declared; `why` says who declares them.
    pub(super) fn take_without_args(entries: &mut Entries<'_>, reader: &mut Reader<'_>, why: &str) -> Option<Self> {
        if let Some((key, _)) = entries.take("args") {
            let diagnostic = reader.error("misplaced-key", &key.place, "`args` cannot stand here").help(why);
            reader.report(diagnostic);
        }
        Self::take(entries, reader)
    }

    /// Whether there is neither a step nor a result.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.result.is_none()
    }
}

/// A part.
impl Definition for Composition {
    const KIND: &'static str = "part";

    fn shape() -> Shape {
        <Self as FromNode>::shape()
    }

    fn define(name: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.checked_name(Self::KIND, name);
        let part = Self::read(node, reader)?;
        if part.is_empty() && node.member("steps").is_none() && node.member("result").is_none() {
            let diagnostic = reader
                .error("empty", &name.place, format!("the part `{}` has neither steps nor a result", name.value))
                .help("write `result:` with what it yields");
            reader.report(diagnostic);
        }
        Some(part)
    }
}

impl Definition for Arg {
    const KIND: &'static str = "argument";

    fn shape() -> Shape {
        Shape::OneOf(vec![Shape::Text, <Self as FromNode>::shape()])
    }

    fn define(name: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.checked_free_name(Self::KIND, name);
        Self::read(node, reader)
    }
}

impl Arg {
    /// `id: ID!`.
    fn of_type(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if matches!(node.kind, Kind::Sequence(_)) {
            let diagnostic = reader
                .error("yaml-quotes", &node.place, "without quotes YAML reads this type as a list")
                .help("quote it, as in `\"[ID!]!\"`");
            reader.report(diagnostic);
            return None;
        }
        Entries::read(&node.under("type"), None, reader)
    }

    fn check(&self, _: &Entries<'_>, reader: &mut Reader<'_>) {
        if !is_type(&self.type_name.value) {
            let message = format!("`{}` is no type", self.type_name.value);
            let help = "write a type as GraphQL does: `ID!`, `Int`, `\"[String!]!\"`";
            reader.report(reader.error("malformed-type", &self.type_name.place, message).help(help));
        }
        if let (Some(min), Some(max)) = (&self.min, &self.max)
            && min.value > max.value
        {
            let diagnostic = reader
                .error(
                    "empty-range",
                    &max.place,
                    format!("nothing is at least {} and at most {}", min.value, max.value),
                )
                .related(min.place.clone(), "`min` stands here");
            reader.report(diagnostic);
        }
        for value in self.values.iter().flatten().filter(|value| value.value == Literal::Null) {
            reader.expected_scalar("a value of the argument's type", value);
        }
    }
}

/// Whether text has the form of a GraphQL type; names may be qualified as in proto files.
fn is_type(text: &str) -> bool {
    let text = text.strip_suffix('!').unwrap_or(text);
    match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(item) => is_type(item.trim()),
        None => text.split('.').all(is_name),
    }
}

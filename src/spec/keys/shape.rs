//! The reference of the language, as the manual and the JSON Schema are made from it.

/// One key of a mapping.
#[derive(Clone, Copy, Debug)]
pub struct FieldDoc {
    /// The key; empty for a group of keys that stand among the others ([`Shape::Beside`]).
    pub key: &'static str,
    /// What it means, as the lines stand in the source; see [`FieldDoc::description`].
    pub doc: &'static str,
    /// Whether it must be written.
    pub required: bool,
    /// What to write. A function, because types of the language contain each other.
    pub shape: fn() -> Shape,
}

/// A mapping with known keys.
#[derive(Clone, Copy, Debug)]
pub struct ObjectDoc {
    /// The name of the type, such as `Backend`.
    pub name: &'static str,
    /// What diagnostics call it, such as "a backend".
    pub title: &'static str,
    /// What it is, as the lines stand in the source; see [`ObjectDoc::description`].
    pub doc: &'static str,
    /// An example, in YAML.
    pub example: &'static str,
    /// Its keys.
    pub fields: &'static [FieldDoc],
    /// Mappings of which it is exactly one; then `fields` is empty.
    pub alternatives: &'static [&'static ObjectDoc],
}

impl FieldDoc {
    /// What the key means, in whole sentences on one line.
    pub fn description(&self) -> String {
        on_one_line(self.doc)
    }
}

impl ObjectDoc {
    /// What the mapping is, in whole sentences on one line.
    pub fn description(&self) -> String {
        on_one_line(self.doc)
    }
}

fn on_one_line(doc: &str) -> String {
    doc.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// What can be written somewhere.
#[derive(Clone, Debug)]
pub enum Shape {
    /// Any text.
    Text,
    /// A name: letters, digits, `_`, not beginning with a digit.
    Name,
    /// Text that may hold `${…}`, a number, a boolean, or null.
    Scalar,
    /// Any value, with expressions, `$each` and `$merge` in it.
    Template,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A whole number between the two, both included.
    Integer(u64, u64),
    /// A number and `ms`, `s`, `m`, `h` or `d`.
    Duration,
    /// A number and `B`, `KB`, `MB`, `GB`, `KiB`, `MiB` or `GiB`.
    Size,
    /// Text of one form.
    Form(Form),
    /// One expression.
    Expression,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list; one item may stand without brackets.
    List(Box<Shape>),
    /// A mapping from names to this.
    Map(Box<Shape>),
    /// A mapping with known keys.
    Object(&'static ObjectDoc),
    /// A group of keys that stand among the others.
    Beside(&'static ObjectDoc),
    /// A JSON Schema.
    Schema,
    /// Any of these.
    OneOf(Vec<Shape>),
}

/// How some text is written.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// A regular expression that finds something in it.
    pub pattern: &'static str,
    /// What to write, as in "a share such as `20%`".
    pub wanted: &'static str,
}

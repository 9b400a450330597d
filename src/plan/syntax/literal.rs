//! Values as GraphQL writes them, with numbers as text.

use std::fmt::{self, Write as _};

use async_graphql_parser::{Pos, Positioned};
use async_graphql_value::{ConstValue, Value};

/// The numbers of a text, in its order, each with where it begins.
#[derive(Debug, Default)]
pub struct Numbers(pub(super) Vec<(Pos, Box<str>)>);

/// A value as written.
#[derive(Clone, Debug)]
pub enum Literal<'a> {
    /// `null`
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number, digit for digit.
    Number(&'a str),
    /// The text that a string or block string means.
    Text(&'a str),
    /// A value of an enum.
    Enum(&'a str),
    /// A variable, by its name; constants have none.
    Variable(&'a str),
    /// `[ … ]`
    List(Vec<Literal<'a>>),
    /// `{ … }`, its fields in written order.
    Object(Vec<(&'a str, Literal<'a>)>),
}

impl Numbers {
    /// A value of the parser with its numbers as they are written.
    pub fn literal<'a>(&'a self, value: &'a Positioned<Value>) -> Literal<'a> {
        Literal::of_value(&value.node, &mut self.since(value.pos))
    }

    /// A constant of the parser with its numbers as they are written.
    pub fn constant<'a>(&'a self, value: &'a Positioned<ConstValue>) -> Literal<'a> {
        Literal::of_constant(&value.node, &mut self.since(value.pos))
    }

    /// The numbers from a place on. A value takes as many of them as it has, for between its own stands no other; and
    /// as many there are, for the parser makes numbers of nothing else.
    fn since(&self, place: Pos) -> impl Iterator<Item = &str> {
        let first = self.0.partition_point(|(at, _)| *at < place);
        self.0[first..].iter().map(|(_, number)| &**number)
    }
}

impl<'a> Literal<'a> {
    /// The field of an object.
    pub fn field(&self, name: &str) -> Option<&Self> {
        let Self::Object(fields) = self else { return None };
        fields.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Whether a variable stands in it or is all of it.
    pub fn has_variables(&self) -> bool {
        match self {
            Self::Variable(_) => true,
            Self::List(items) => items.iter().any(Self::has_variables),
            Self::Object(fields) => fields.iter().any(|(_, field)| field.has_variables()),
            _ => false,
        }
    }

    fn of_value(value: &'a Value, numbers: &mut impl Iterator<Item = &'a str>) -> Self {
        match value {
            Value::Variable(name) => Self::Variable(name),
            // The parser makes no binary values; there is no syntax for them.
            Value::Null | Value::Binary(_) => Self::Null,
            Value::Boolean(value) => Self::Boolean(*value),
            Value::Number(_) => Self::Number(numbers.next().unwrap_or_default()),
            Value::String(text) => Self::Text(text),
            Value::Enum(name) => Self::Enum(name),
            Value::List(items) => Self::List(items.iter().map(|item| Self::of_value(item, numbers)).collect()),
            Value::Object(fields) => {
                Self::Object(fields.iter().map(|(name, field)| (&**name, Self::of_value(field, numbers))).collect())
            }
        }
    }

    fn of_constant(value: &'a ConstValue, numbers: &mut impl Iterator<Item = &'a str>) -> Self {
        match value {
            ConstValue::Null | ConstValue::Binary(_) => Self::Null,
            ConstValue::Boolean(value) => Self::Boolean(*value),
            ConstValue::Number(_) => Self::Number(numbers.next().unwrap_or_default()),
            ConstValue::String(text) => Self::Text(text),
            ConstValue::Enum(name) => Self::Enum(name),
            ConstValue::List(items) => Self::List(items.iter().map(|item| Self::of_constant(item, numbers)).collect()),
            ConstValue::Object(fields) => {
                Self::Object(fields.iter().map(|(name, field)| (&**name, Self::of_constant(field, numbers))).collect())
            }
        }
    }
}

/// Values are equal whatever the order of their fields; numbers when they have the same digits.
impl PartialEq for Literal<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Boolean(one), Self::Boolean(two)) => one == two,
            (Self::Number(one), Self::Number(two))
            | (Self::Text(one), Self::Text(two))
            | (Self::Enum(one), Self::Enum(two))
            | (Self::Variable(one), Self::Variable(two)) => one == two,
            (Self::List(one), Self::List(two)) => one == two,
            (Self::Object(one), Self::Object(two)) => {
                one.len() == two.len() && one.iter().all(|(name, field)| other.field(name) == Some(field))
            }
            _ => false,
        }
    }
}

/// The value as GraphQL writes it, on one line.
impl fmt::Display for Literal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Number(text) | Self::Enum(text) => f.write_str(text),
            Self::Text(text) => quoted(text, f),
            Self::Variable(name) => write!(f, "${name}"),
            Self::List(items) => {
                f.write_char('[')?;
                for (at, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if at == 0 { "" } else { ", " })?;
                }
                f.write_char(']')
            }
            Self::Object(fields) => {
                f.write_char('{')?;
                for (at, (name, field)) in fields.iter().enumerate() {
                    write!(f, "{}{name}: {field}", if at == 0 { "" } else { ", " })?;
                }
                f.write_char('}')
            }
        }
    }
}

fn quoted(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        match character {
            '\r' => f.write_str("\\r")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            control if control.is_control() => write!(f, "\\u{:04x}", u32::from(control))?,
            other => f.write_char(other)?,
        }
    }
    f.write_char('"')
}

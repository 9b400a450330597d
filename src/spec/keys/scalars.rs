//! Typed scalars: durations, sizes, numbers, booleans, text; and lists of anything.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::base::unit::{parse_duration, parse_size};
use crate::spec::constant::{constant, holds_expression};
use crate::spec::model::{Located, Size};
use crate::spec::yaml::{Kind, Literal, Node, Scalar, literal};

use super::{FromNode, Reader, Shape};

/// A type that one scalar holds.
pub(in crate::spec) trait FromScalar: Sized {
    /// Whether `${env(…)}` and `${file(…)}` are looked up before the scalar is read.
    const TAKES_CONSTANTS: bool = true;

    /// What to write, for the reference.
    fn shape() -> Shape;

    /// Reads it. `None` when it cannot be read; then the reader has been told why.
    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self>;
}

impl<T: FromScalar> FromNode for Located<T> {
    fn shape() -> Shape {
        T::shape()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Kind::Scalar(scalar) = &node.kind else {
            reader.expected(&expectation(&T::shape()), node);
            return None;
        };
        let value = match scalar.text() {
            Some(text) if T::TAKES_CONSTANTS && holds_expression(text) => {
                let found = looked_up(scalar, text, reader)?;
                let expected = format!("{}, and this constant holds something else", expectation(&T::shape()));
                reader.without_showing((&scalar.place, &expected), |reader| T::from_scalar(&found, reader))?
            }
            _ => T::from_scalar(scalar, reader)?,
        };
        Some(Self { value, place: node.place.clone() })
    }
}

impl FromNode for Scalar {
    fn shape() -> Shape {
        Shape::Scalar
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Kind::Scalar(scalar) = &node.kind else {
            reader.expected("one value or expression, such as `${args.id}`", node);
            return None;
        };
        Some(scalar.clone())
    }
}

impl<T: FromNode> FromNode for Vec<T> {
    const REQUIRED: bool = false;

    fn shape() -> Shape {
        Shape::List(Box::new(T::shape()))
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Kind::Sequence(items) = &node.kind else {
            return T::read(node, reader).map(|only| vec![only]);
        };
        let read = |(index, item)| reader.within_item(index, |reader| T::read(item, reader));
        Some(items.iter().enumerate().filter_map(read).collect())
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

impl FromScalar for String {
    const TAKES_CONSTANTS: bool = false;

    fn shape() -> Shape {
        Shape::Text
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        let text = scalar.text().map(str::to_owned);
        if text.is_none() {
            reader.expected_scalar(&expectation(&Shape::Text), scalar);
        }
        text
    }
}

impl FromScalar for bool {
    fn shape() -> Shape {
        Shape::Bool
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        if let Literal::Bool(value) = scalar.value {
            return Some(value);
        }
        reader.expected_scalar(&expectation(&Shape::Bool), scalar);
        None
    }
}

impl FromScalar for f64 {
    fn shape() -> Shape {
        Shape::Number
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        let number = number(scalar).and_then(|text| text.parse().ok());
        if number.is_none() {
            reader.expected_scalar(&expectation(&Shape::Number), scalar);
        }
        number
    }
}

/// A count: at least one.
impl FromScalar for u32 {
    fn shape() -> Shape {
        Shape::Integer(1, u64::from(Self::MAX))
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        integer(scalar, 1..=Self::MAX, reader)
    }
}

/// An HTTP status.
impl FromScalar for u16 {
    fn shape() -> Shape {
        Shape::Integer(100, 599)
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        integer(scalar, 100..=599, reader).and_then(|status| Self::try_from(status).ok())
    }
}

impl FromScalar for Duration {
    fn shape() -> Shape {
        Shape::Duration
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        quantity(scalar, &Shape::Duration, parse_duration, reader)
    }
}

impl FromScalar for Size {
    fn shape() -> Shape {
        Shape::Size
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        quantity(scalar, &Shape::Size, parse_size, reader).map(Self)
    }
}

fn number(scalar: &Scalar) -> Option<&str> {
    match &scalar.value {
        Literal::Number(text) => Some(text),
        _ => None,
    }
}

fn integer(scalar: &Scalar, within: RangeInclusive<u32>, reader: &mut Reader<'_>) -> Option<u32> {
    let value = number(scalar).and_then(|text| text.parse().ok()).filter(|value| within.contains(value));
    if value.is_none() {
        let shape = Shape::Integer(u64::from(*within.start()), u64::from(*within.end()));
        reader.expected_scalar(&expectation(&shape), scalar);
    }
    value
}

/// A number with a unit.
fn quantity<T>(
    scalar: &Scalar,
    shape: &Shape,
    parse: fn(&str) -> Result<T, &'static str>,
    reader: &mut Reader<'_>,
) -> Option<T> {
    let (Literal::Text(text) | Literal::Number(text)) = &scalar.value else {
        reader.expected_scalar(&expectation(shape), scalar);
        return None;
    };
    match parse(text) {
        Ok(value) => Some(value),
        Err(wrong) => {
            let (message, help) = wrong.split_once("; ").unwrap_or((wrong, ""));
            let diagnostic = reader.error("bad-unit", &scalar.place, format!("`{text}` {message}")).help(help);
            reader.report(diagnostic);
            None
        }
    }
}

/// The scalar with its constants looked up: what they hold is read as if it stood there unquoted.
fn looked_up(scalar: &Scalar, text: &str, reader: &mut Reader<'_>) -> Option<Scalar> {
    match constant(text, reader.look_up) {
        Ok(found) => Some(scalar.with(literal(&found))),
        Err(mistake) => {
            let place = scalar.place_of(mistake.bytes);
            let diagnostic = reader.error("bad-constant", &place, mistake.message).help(mistake.help);
            reader.report(diagnostic);
            None
        }
    }
}

/// What to write, for "expected …, found …".
pub(super) fn expectation(shape: &Shape) -> String {
    match shape {
        Shape::Bool => "`true` or `false`".to_owned(),
        Shape::Number => "a number such as `10`".to_owned(),
        Shape::Integer(100, 599) => "an HTTP status such as `404`".to_owned(),
        Shape::Integer(least, most) if *most == u64::from(u32::MAX) => {
            format!("a whole number from {least}, such as `8`")
        }
        Shape::Integer(least, most) => format!("a whole number from {least} to {most}"),
        Shape::Duration => "a duration such as `300ms`".to_owned(),
        Shape::Size => "a size such as `4MiB`".to_owned(),
        Shape::Form(form) => form.wanted.to_owned(),
        Shape::Word(words) => format!("one of {}", words.join(", ")),
        _ => "text; quote what YAML would read as something else".to_owned(),
    }
}

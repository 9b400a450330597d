//! What policies are measured in (shares, frequencies, periods, counts within bounds) and turned off with (`none`).

use std::time::Duration;

use crate::base::diagnostic::Place;
use crate::base::unit::parse_duration;
use crate::spec::constant::holds_expression;
use crate::spec::keys::{Form, FromNode, FromScalar, Reader, Shape};
use crate::spec::yaml::{Kind, Literal, Node, Scalar};

use super::Located;

/// What `none` turns off, wherever it was turned on.
#[derive(Clone, Debug)]
pub enum Switch<T> {
    /// `none`; the place is that of the word.
    Off(Place),
    /// What is written.
    On(T),
}

impl<T> Switch<T> {
    /// What is written, if it is not `none`.
    pub fn on(&self) -> Option<&T> {
        match self {
            Self::Off(_) => None,
            Self::On(written) => Some(written),
        }
    }
}

/// One of some words, or an expression.
#[derive(Clone, Debug)]
pub enum WordOr<W> {
    /// A word.
    Word(Located<W>),
    /// One expression.
    Expression(Scalar),
}

/// A share of a whole, from 0 to 1: `50%` is 0.5.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(pub f64);

/// How often something may happen: `100/s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frequency {
    /// How many times.
    pub times: u32,
    /// Within this.
    pub within: Duration,
}

/// A duration that is longer than nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub Duration);

/// A whole number within bounds, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within<const LEAST: u32, const MOST: u32>(pub u32);

/// A list or a mapping with something in it.
#[derive(Clone, Debug)]
pub struct Filled<V>(pub V);

impl<T: FromNode> FromNode for Switch<T> {
    fn shape() -> Shape {
        Shape::OneOf(vec![Shape::Word(&["none"]), T::shape()])
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.kind {
            Kind::Scalar(scalar) if scalar.text() == Some("none") => Some(Self::Off(node.place.clone())),
            _ => T::read(node, reader).map(Self::On),
        }
    }
}

impl<W: FromScalar> FromNode for WordOr<W> {
    fn shape() -> Shape {
        Shape::OneOf(vec![W::shape(), Shape::Expression])
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.kind {
            Kind::Scalar(scalar) if scalar.text().is_some_and(holds_expression) => {
                Some(Self::Expression(scalar.clone()))
            }
            _ => Located::read(node, reader).map(Self::Word),
        }
    }
}

impl<V: FromNode> FromNode for Filled<V> {
    fn shape() -> Shape {
        V::shape()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if matches!(&node.kind, Kind::Sequence(items) if items.is_empty())
            || matches!(&node.kind, Kind::Mapping(pairs) if pairs.is_empty())
        {
            reader.expected("at least one", node);
        }
        V::read(node, reader).map(Self)
    }
}

impl FromScalar for Share {
    fn shape() -> Shape {
        Shape::Form(Form {
            pattern: r"^(100(\.0*)?|[0-9]{1,2}(\.[0-9]+)?)%$",
            wanted: "a share from 0% to 100%, such as `20%`",
        })
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        let number = scalar.text().and_then(|text| text.strip_suffix('%')).filter(|text| is_plain_number(text));
        let share = number.and_then(|number| number.parse::<f64>().ok()).filter(|share| *share <= 100.0);
        if share.is_none() {
            reader.expected_form::<Self>(scalar);
        }
        share.map(|share| Self(share / 100.0))
    }
}

impl FromScalar for Frequency {
    fn shape() -> Shape {
        Shape::Form(Form { pattern: "^[1-9][0-9]{0,8}/(s|m|h|d)$", wanted: "a number in a time, such as `100/s`" })
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        let read = || {
            let (times, unit) = scalar.text()?.split_once('/')?;
            let within = matches!(unit, "s" | "m" | "h" | "d").then(|| parse_duration(&format!("1{unit}")).ok())??;
            let digits = times.bytes().all(|byte| byte.is_ascii_digit());
            let times = times.parse().ok().filter(|times| digits && *times > 0)?;
            Some(Self { times, within })
        };
        let frequency = read();
        if frequency.is_none() {
            reader.expected_form::<Self>(scalar);
        }
        frequency
    }
}

impl FromScalar for Period {
    fn shape() -> Shape {
        Shape::Duration
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        let duration = Duration::from_scalar(scalar, reader)?;
        if duration.is_zero() {
            reader.expected_scalar("a duration longer than nothing, such as `300ms`", scalar);
            return None;
        }
        Some(Self(duration))
    }
}

impl<const LEAST: u32, const MOST: u32> FromScalar for Within<LEAST, MOST> {
    fn shape() -> Shape {
        Shape::Integer(u64::from(LEAST), u64::from(MOST))
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        let number = match &scalar.value {
            Literal::Number(text) => text.parse().ok().filter(|number| (LEAST..=MOST).contains(number)),
            _ => None,
        };
        if number.is_none() {
            reader.expected_form::<Self>(scalar);
        }
        number.map(Self)
    }
}

/// Whether text is digits, perhaps with a point between them: no sign, no exponent.
fn is_plain_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

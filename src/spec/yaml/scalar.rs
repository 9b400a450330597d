//! A scalar: its value by the core schema, and the way from a byte of the value to a byte of the file.

use std::ops::Range;

use crate::base::diagnostic::Place;

use super::origin::Origin;

/// A scalar as the core schema of YAML 1.2 reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// Text, which may hold `${…}`. Quoted scalars are always text.
    Text(String),
    /// `true` or `false`.
    Bool(bool),
    /// A number, in the form of JSON.
    Number(String),
    /// `null`, `~`, or nothing.
    Null,
}

/// A scalar and where it is written.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// What it says.
    pub value: Literal,
    /// Where, quotes included.
    pub place: Place,
    /// How the bytes of the text and the bytes of the file correspond.
    pub(super) origin: Origin,
}

impl Scalar {
    /// The text, if it is text.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Literal::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Where a stretch of the text (in bytes) is written in the file. Exact for plain and quoted
    /// scalars, escapes and folded lines included; block scalars are exact within a line. For a
    /// scalar that is no text, the whole.
    pub fn place_of(&self, bytes: Range<usize>) -> Place {
        if self.text().is_none() {
            return self.place.clone();
        }
        let bytes = self.origin.start(bytes.start)..self.origin.end(bytes.end);
        let start = bytes.start.clamp(self.place.bytes.start, self.place.bytes.end);
        Place { file: self.place.file, bytes: start..bytes.end.clamp(start, self.place.bytes.end) }
    }

    /// The same place with another value, as a constant that was looked up has it.
    pub(in crate::spec) fn with(&self, value: Literal) -> Self {
        Self { value, place: self.place.clone(), origin: self.origin.clone() }
    }

    /// A scalar that text of the composition stands for, in tests and short forms.
    pub(in crate::spec) fn at(value: Literal, place: Place) -> Self {
        let origin = Origin::straight(place.bytes.start);
        Self { value, place, origin }
    }
}

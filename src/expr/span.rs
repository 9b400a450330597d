//! Where in which expression a compiled node stood, for errors at run time.

use std::ops::Range;

/// A stretch of one expression's source.
///
/// Compiled expressions are put inside one another, so a span names its expression too: by the
/// number that [`super::Scope::source`] gave when the expression was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Which expression; opaque here.
    pub source: u32,
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes of the expression's source.
    pub fn bytes(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

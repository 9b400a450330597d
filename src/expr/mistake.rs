//! What is wrong with an expression, found at load.

use std::ops::Range;

/// One mistake in an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where, in bytes of the expression's source.
    pub bytes: Range<usize>,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// What to write instead, one sentence; empty when there is nothing to suggest.
    pub help: String,
}

impl Mistake {
    /// A mistake with nothing to suggest.
    pub fn new(bytes: Range<usize>, message: impl Into<String>) -> Self {
        Self { bytes, message: message.into(), help: String::new() }
    }

    /// The same with a sentence on what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }
}

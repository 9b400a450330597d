//! Why an expression failed at run time.

use std::borrow::Cow;
use std::fmt;

use super::span::Span;

/// The kinds of failure that an expression knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// An operator or function met null.
    Null,
    /// A value that text needs is null or absent.
    MissingValue,
    /// A map has no such key.
    NoSuchMember,
    /// A list has no such index.
    NoSuchIndex,
    /// A result does not fit its number type, or a time its range.
    Overflow,
    /// Integer division or remainder by zero.
    DivisionByZero,
    /// An operator or function met a value of a type that it does not take.
    Type,
    /// A result is null where its declared type says that it cannot be.
    Required,
    /// Two parts of a `$merge` have a value for one member.
    Clash,
    /// The step or size budget of the request is used up.
    Budget,
    /// NaN or an infinity, which JSON cannot write.
    NotANumber,
    /// A value cannot be converted: `int("x")`.
    Conversion,
    /// An argument is of the right type and makes no sense: a negative count.
    Argument,
}

/// A failed evaluation. One pointer wide, because every step of the evaluator may return it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvalError(Box<Parts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    kind: ErrorKind,
    message: Cow<'static, str>,
    span: Option<Span>,
}

impl EvalError {
    /// An error whose place is not known yet. The message names no data of the request.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts { kind, message: message.into(), span: None }))
    }

    /// What kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What went wrong, one sentence without a full stop; names no data.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The expression and the bytes of its source, if known.
    pub fn span(&self) -> Option<Span> {
        self.0.span
    }

    /// The same with a place, unless an inner one is known already.
    #[must_use]
    pub(super) fn at(mut self, span: impl Into<Option<Span>>) -> Self {
        self.0.span = self.0.span.or(span.into());
        self
    }

    /// The same with the function's name before the message, unless an inner place is known.
    #[must_use]
    pub(super) fn within(mut self, function: &str, span: Span) -> Self {
        if self.0.span.is_none() {
            self.0.message = format!("`{function}` {}", self.0.message).into();
        }
        self.at(span)
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for EvalError {}

/// The failures of [`super::Node::Leaf`]s: parts that became null because they could not be computed.
#[derive(Clone, Debug, Default)]
pub struct Failures {
    errors: Vec<EvalError>,
    count: usize,
}

/// How many failures are kept; the rest is only counted, for a leaf may stand under a long list.
const KEPT: usize = 32;

impl Failures {
    /// The first failures, at most 32.
    pub fn errors(&self) -> &[EvalError] {
        &self.errors
    }

    /// How many there were.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether nothing failed.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds one.
    pub fn push(&mut self, error: EvalError) {
        self.count += 1;
        if self.errors.len() < KEPT {
            self.errors.push(error);
        }
    }
}

//! What one request may spend on expressions: steps of evaluation, and bytes of what they make.

use std::cell::Cell;

use super::error::{ErrorKind, EvalError};
use crate::base::value::{Text, Value};

/// What is left for the expressions of one request. Shared by all of them.
#[derive(Debug)]
pub struct Budget {
    steps: Cell<u64>,
    bytes: Cell<u64>,
}

/// Takes what text of so many bytes costs.
type TakeText = fn(&Budget, usize) -> Result<(), EvalError>;

/// Bytes that cost as much as one step to look at, to copy or to make.
const BYTES_PER_STEP: usize = 64;

/// Bytes that one element of a made list, or one side of an entry of a made map, counts.
const ELEMENT: usize = size_of::<Value<'static>>();

impl Budget {
    /// Steps that one request may take. A step is about one node evaluated inside a comprehension, one
    /// element of a made list, or 64 bytes looked at.
    pub const STEPS: u64 = 1_000_000;

    /// Bytes of strings, lists and maps that the expressions of one request may make.
    pub const BYTES: u64 = 8 << 20;

    /// A budget of so many steps and bytes.
    pub fn new(steps: u64, bytes: u64) -> Self {
        Self { steps: Cell::new(steps), bytes: Cell::new(bytes) }
    }

    /// The steps that are left.
    pub fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// Takes steps.
    pub(super) fn spend(&self, steps: usize) -> Result<(), EvalError> {
        take(&self.steps, steps, "this request's budget for expressions is used up")
    }

    /// Takes what looking through text of so many bytes costs.
    pub(super) fn look_at(&self, bytes: usize) -> Result<(), EvalError> {
        self.spend(bytes / BYTES_PER_STEP)
    }

    /// Takes what making text of so many bytes costs. To be called before it is made.
    pub(super) fn make_text(&self, bytes: usize) -> Result<(), EvalError> {
        self.look_at(bytes)?;
        self.make(bytes)
    }

    /// Takes what making a list of so many elements costs.
    pub(super) fn make_list(&self, elements: usize) -> Result<(), EvalError> {
        self.spend(elements)?;
        self.make(elements.saturating_mul(ELEMENT))
    }

    /// Takes what making a map of so many entries costs.
    pub(super) fn make_map(&self, entries: usize) -> Result<(), EvalError> {
        self.spend(entries)?;
        self.make(entries.saturating_mul(2 * ELEMENT))
    }

    /// Takes what writing a value costs that an expression made: parts that it shares are written every
    /// time. Parts of replies only pass through.
    pub(super) fn write(&self, value: &Value<'_>) -> Result<(), EvalError> {
        self.parts(value, Self::look_at)
    }

    /// Takes what making text of a whole value costs. To be called before it is made.
    pub(super) fn make_text_of(&self, value: &Value<'_>) -> Result<(), EvalError> {
        self.part(value, Self::make_text)
    }

    fn parts(&self, value: &Value<'_>, passed_on: TakeText) -> Result<(), EvalError> {
        match value {
            Value::List(items) => {
                self.spend(items.len())?;
                items.iter().try_for_each(|item| self.part(item, passed_on))
            }
            Value::Map(entries) => {
                self.spend(entries.len())?;
                entries.iter().try_for_each(|(_, value)| self.part(value, passed_on))
            }
            Value::Optional(Some(held)) => self.parts(held, passed_on),
            _ => Ok(()),
        }
    }

    fn part(&self, value: &Value<'_>, passed_on: TakeText) -> Result<(), EvalError> {
        match value {
            Value::Text(Text::Shared(text)) => self.make_text(text.len()),
            Value::Text(Text::Borrowed(text)) => passed_on(self, text.len()),
            Value::Bytes(bytes) => self.make_text(bytes.len().saturating_mul(2)),
            Value::View(view) => passed_on(self, view.raw_len()),
            Value::Held(held) => held.documents().try_for_each(|view| passed_on(self, view.raw_len())),
            other => self.parts(other, passed_on),
        }
    }

    fn make(&self, bytes: usize) -> Result<(), EvalError> {
        take(&self.bytes, bytes, "the values that expressions make for this request are too large")
    }
}

impl Default for Budget {
    /// The budget of one request.
    fn default() -> Self {
        Self::new(Self::STEPS, Self::BYTES)
    }
}

/// Takes from what is left. What was asked for in vain is gone: nothing goes on after that.
fn take(left: &Cell<u64>, wanted: usize, message: &'static str) -> Result<(), EvalError> {
    let rest = left.get().checked_sub(wanted as u64);
    left.set(rest.unwrap_or(0));
    rest.map(drop).ok_or_else(|| EvalError::new(ErrorKind::Budget, message))
}

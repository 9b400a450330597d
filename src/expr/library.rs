//! The functions that expressions can call: one row each.
//!
//! Names and behaviour are those of CEL's standard library and of its extensions as cel-go names
//! them (strings, lists, math, encoders, optionals); `default sum min max json pick omit` are ours.
//! Macros and `default`, `or`, `orValue`, whose arguments are not all computed, are nodes of their
//! own and no rows here.

use std::fmt;

use super::budget::Budget;
use super::error::{ErrorKind, EvalError};
use super::types::Type;
use crate::base::value::{Number, Text, Value, ValueKind};

mod convert;
mod format;
mod json;
mod list;
mod number;
mod optional;
mod signature;
mod strings;
#[cfg(test)]
mod tests;
mod time;

pub(super) use convert::{TYPE_NAMES, display};
pub(super) use list::sort_by;
use signature::Signature;
pub(super) use signature::{Fit, Is, Misfit};

/// One function with all its overloads.
pub struct Function {
    /// What it is called; with its namespace, if it has one: `math.abs`.
    pub(super) name: &'static str,
    /// How it may be written.
    pub(super) form: Form,
    /// What it takes and gives, for the checker. A method's receiver is its first argument.
    pub(super) signatures: &'static [Signature],
    /// What it does. It checks its arguments again, for their types may be unknown at load.
    pub(super) run: Run,
}

/// How a function may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `f(x)`
    Global,
    /// `x.f()`
    Method,
    /// `f(x)` or `x.f()`
    Either,
}

/// A function at run time.
pub(super) type Run = for<'a> fn(&[Value<'a>], &Budget) -> Result<Value<'a>, EvalError>;

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

const TABLES: &[&[Function]] = &[
    convert::TABLE,
    strings::TABLE,
    format::TABLE,
    list::TABLE,
    json::TABLE,
    number::TABLE,
    time::TABLE,
    optional::TABLE,
];

/// Namespaces of functions. No name of a composition may be one of them.
const NAMESPACES: &[&str] = &["base64", "cel", "lists", "math", "optional", "strings"];

/// Whether functions live under `name.`.
pub(super) fn is_namespace(name: &str) -> bool {
    NAMESPACES.contains(&name)
}

/// The function called `name`, whatever its form.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    functions().find(|function| function.name == name)
}

/// Every function.
pub(super) fn functions() -> impl Iterator<Item = &'static Function> {
    TABLES.iter().flat_map(|table| table.iter())
}

impl Function {
    /// What it is called; with its namespace, if it has one: `math.abs`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it is written after its first argument: `x.f()`.
    pub fn is_method(&self) -> bool {
        self.form == Form::Method
    }

    /// The type that a call gives; `Err` tells why the arguments do not fit.
    pub(super) fn check(&self, arguments: &[Type]) -> Result<Type, signature::Misfit> {
        signature::check(self.signatures, arguments)
    }
}

/// An argument of the wrong type, or null.
pub(super) fn wrong(value: &Value<'_>, wanted: &str) -> EvalError {
    let kind = if value.is_null() { ErrorKind::Null } else { ErrorKind::Type };
    EvalError::new(kind, format!("takes {wanted}, not {}", kind_name(value.kind())))
}

/// What people call a kind of value.
pub(super) fn kind_name(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Null => "null",
        ValueKind::Bool => "a bool",
        ValueKind::Int => "an int",
        ValueKind::Uint => "a uint",
        ValueKind::Double => "a double",
        ValueKind::Number => "a number",
        ValueKind::Text => "a string",
        ValueKind::Bytes => "bytes",
        ValueKind::Timestamp => "a timestamp",
        ValueKind::Duration => "a duration",
        ValueKind::List => "a list",
        ValueKind::Map => "a map",
        ValueKind::Optional => "an optional",
        ValueKind::Type => "a type",
    }
}

fn text<'v>(value: &'v Value<'_>) -> Result<&'v str, EvalError> {
    value.as_text().ok_or_else(|| wrong(value, "a string"))
}

fn number(value: &Value<'_>) -> Result<Number, EvalError> {
    value.number().ok_or_else(|| wrong(value, "a number"))
}

/// A whole number. A JSON number without a contract is one if it is whole.
fn whole(value: &Value<'_>) -> Result<i64, EvalError> {
    number(value)?.to_int().ok_or_else(|| wrong(value, "a whole number"))
}

/// A count or position that cannot be negative.
fn count(value: &Value<'_>) -> Result<usize, EvalError> {
    usize::try_from(whole(value)?).map_err(|_| argument("takes no negative number here"))
}

fn elements<'a>(value: &Value<'a>) -> Result<crate::base::value::Items<'a>, EvalError> {
    value.elements().ok_or_else(|| wrong(value, "a list"))
}

fn argument(message: &'static str) -> EvalError {
    EvalError::new(ErrorKind::Argument, message)
}

fn overflow() -> EvalError {
    EvalError::new(ErrorKind::Overflow, "gives a number that does not fit its type")
}

fn made(text: impl Into<String>) -> Value<'static> {
    Value::Text(Text::from(text.into()))
}

//! Optionals. Source: cel-spec proposal 246, cel-go `cel.OptionalTypes`.

use super::Form::{Global, Method};
use super::signature::{Gives, Is, takes};
use super::{Function, wrong};
use crate::base::value::{Number, Value};
use crate::expr::budget::Budget;
use crate::expr::error::{ErrorKind, EvalError};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "optional.of",
        form: Global,
        signatures: &[takes(&[Is::Any], Gives::Optional)],
        run: |a, _| Ok(Value::Optional(Some(a[0].clone().into()))),
    },
    Function {
        name: "optional.ofNonZeroValue",
        form: Global,
        signatures: &[takes(&[Is::Any], Gives::Optional)],
        run: |a, _| Ok(Value::Optional(Some(&a[0]).filter(|value| !is_zero(value)).cloned().map(Into::into))),
    },
    Function {
        name: "optional.none",
        form: Global,
        signatures: &[takes(&[], Gives::Optional)],
        run: |_, _| Ok(Value::Optional(None)),
    },
    Function {
        name: "hasValue",
        form: Method,
        signatures: &[takes(&[Is::Optional], Gives::Bool)],
        run: |a, _| held(&a[0]).map(|held| Value::Bool(held.is_some())),
    },
    Function { name: "value", form: Method, signatures: &[takes(&[Is::Optional], Gives::Held)], run: value },
];

/// Whether a value is the default of its type: what proto would not write.
fn is_zero(value: &Value<'_>) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Text(text) => text.is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::Duration(span) => span.seconds == 0 && span.nanos == 0,
        other => match other.number() {
            Some(number) => number.compare(Number::Int(0)).is_some_and(std::cmp::Ordering::is_eq),
            None => other.size() == Some(0),
        },
    }
}

fn held<'v, 'a>(value: &'v Value<'a>) -> Result<Option<&'v Value<'a>>, EvalError> {
    match value {
        Value::Optional(held) => Ok(held.as_deref()),
        other => Err(wrong(other, "an optional")),
    }
}

fn value<'a>(a: &[Value<'a>], _: &Budget) -> Result<Value<'a>, EvalError> {
    let empty = || EvalError::new(ErrorKind::MissingValue, "met an empty optional");
    held(&a[0])?.cloned().ok_or_else(empty)
}

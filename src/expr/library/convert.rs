//! Conversions between types. Source: cel-spec "Standard Definitions"; text of doubles as in
//! ECMA-262, Number::toString.

use super::Form::Global;
use super::signature::{Gives, Is, takes};
use super::time::{duration_text, parse_duration, timestamp_text};
use super::{Function, made, overflow, text, wrong};
use crate::base::value::{Kind, Number, Text, Timestamp, Value, ValueKind, View, double_into};
use crate::expr::budget::Budget;
use crate::expr::error::{ErrorKind, EvalError};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "string",
        form: Global,
        signatures: &[
            takes(&[Is::Text], Gives::Text),
            takes(&[Is::Number], Gives::Text),
            takes(&[Is::Bool], Gives::Text),
            takes(&[Is::Bytes], Gives::Text),
            takes(&[Is::Timestamp], Gives::Text),
            takes(&[Is::Duration], Gives::Text),
        ],
        run: string,
    },
    Function {
        name: "int",
        form: Global,
        signatures: &[
            takes(&[Is::Number], Gives::Int),
            takes(&[Is::Text], Gives::Int),
            takes(&[Is::Timestamp], Gives::Int),
        ],
        run: int,
    },
    Function {
        name: "uint",
        form: Global,
        signatures: &[takes(&[Is::Number], Gives::Uint), takes(&[Is::Text], Gives::Uint)],
        run: uint,
    },
    Function {
        name: "double",
        form: Global,
        signatures: &[takes(&[Is::Number], Gives::Double), takes(&[Is::Text], Gives::Double)],
        run: double,
    },
    Function {
        name: "bool",
        form: Global,
        signatures: &[takes(&[Is::Bool], Gives::Bool), takes(&[Is::Text], Gives::Bool)],
        run: bool,
    },
    Function {
        name: "bytes",
        form: Global,
        signatures: &[takes(&[Is::Bytes], Gives::Bytes), takes(&[Is::Text], Gives::Bytes)],
        run: bytes,
    },
    Function {
        name: "timestamp",
        form: Global,
        signatures: &[
            takes(&[Is::Timestamp], Gives::Timestamp),
            takes(&[Is::Text], Gives::Timestamp),
            takes(&[Is::Whole], Gives::Timestamp),
        ],
        run: timestamp,
    },
    Function {
        name: "duration",
        form: Global,
        signatures: &[takes(&[Is::Duration], Gives::Duration), takes(&[Is::Text], Gives::Duration)],
        run: duration,
    },
    Function {
        name: "type",
        form: Global,
        signatures: &[takes(&[Is::Any], Gives::Type)],
        run: |a, _| Ok(type_of(&a[0])),
    },
    Function { name: "dyn", form: Global, signatures: &[takes(&[Is::Any], Gives::Dyn)], run: |a, _| Ok(a[0].clone()) },
];

/// Every type that a value can be of, as CEL calls it.
pub(in crate::expr) const TYPE_NAMES: &[&str] = &[
    "bool",
    "bytes",
    "double",
    "google.protobuf.Duration",
    "google.protobuf.Timestamp",
    "int",
    "list",
    "map",
    "null_type",
    "optional_type",
    "string",
    "type",
    "uint",
];

/// The type of a value. A JSON number without a contract is a double.
fn type_of(value: &Value<'_>) -> Value<'static> {
    Value::Type(match value.kind() {
        ValueKind::Null => "null_type",
        ValueKind::Bool => "bool",
        ValueKind::Int => "int",
        ValueKind::Uint => "uint",
        ValueKind::Double | ValueKind::Number => "double",
        ValueKind::Text => "string",
        ValueKind::Bytes => "bytes",
        ValueKind::Timestamp => "google.protobuf.Timestamp",
        ValueKind::Duration => "google.protobuf.Duration",
        ValueKind::List => "list",
        ValueKind::Map => "map",
        ValueKind::Optional => "optional_type",
        ValueKind::Type => "type",
    })
}

/// The text of a scalar, as `string` and text templates write it; `None` for everything else.
/// A whole JSON number keeps all its digits, also where a double could not hold them.
pub(in crate::expr) fn display<'a>(value: &Value<'a>) -> Option<Text<'a>> {
    Some(match value {
        Value::Text(text) => text.clone(),
        Value::Bool(true) => Text::Borrowed("true"),
        Value::Bool(false) => Text::Borrowed("false"),
        Value::Timestamp(time) => timestamp_text(*time)?.into(),
        Value::Duration(span) => duration_text(*span).into(),
        Value::View(view) if whole_digits(*view) => Text::Borrowed(view.raw()),
        other => match other.number()? {
            Number::Int(n) => n.to_string().into(),
            Number::Uint(n) => n.to_string().into(),
            Number::Double(n) => double_text(n).into(),
        },
    })
}

/// Whether a JSON number is written as an integer.
fn whole_digits(view: View<'_>) -> bool {
    view.kind() == Kind::Number && view.raw().bytes().all(|b| b.is_ascii_digit() || b == b'-') && view.raw() != "-0"
}

fn double_text(value: f64) -> String {
    match value {
        n if n.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        finite => {
            let mut out = Vec::with_capacity(24);
            double_into(&mut out, finite);
            String::from_utf8(out).unwrap_or_default()
        }
    }
}

fn cannot(what: &'static str) -> EvalError {
    EvalError::new(ErrorKind::Conversion, what)
}

fn string<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    if let Value::Bytes(bytes) = &a[0] {
        budget.make_text(bytes.len())?;
        let text = std::str::from_utf8(bytes).map_err(|_| cannot("cannot read these bytes as UTF-8"))?;
        return Ok(made(text));
    }
    display(&a[0]).map(Value::Text).ok_or_else(|| wrong(&a[0], "a scalar"))
}

fn int<'a>(a: &[Value<'a>], _: &Budget) -> Result<Value<'a>, EvalError> {
    let converted = match &a[0] {
        Value::Text(text) => text.parse().map_err(|_| cannot("cannot read this text as an int"))?,
        Value::Timestamp(time) => time.seconds,
        Value::View(view) if whole_digits(*view) => view.raw().parse().map_err(|_| overflow())?,
        other => match other.number().ok_or_else(|| wrong(other, "a number, a string or a timestamp"))? {
            // CEL refuses the bounds themselves, for the nearest doubles lie outside.
            Number::Double(n) if n > -(2f64.powi(63)) && n < 2f64.powi(63) => n as i64,
            Number::Double(_) => return Err(overflow()),
            whole => whole.to_int().ok_or_else(overflow)?,
        },
    };
    Ok(Value::Int(converted))
}

fn uint<'a>(a: &[Value<'a>], _: &Budget) -> Result<Value<'a>, EvalError> {
    let converted = match &a[0] {
        Value::Text(text) => text.parse().map_err(|_| cannot("cannot read this text as a uint"))?,
        Value::View(view) if whole_digits(*view) => view.raw().parse().map_err(|_| overflow())?,
        other => match other.number().ok_or_else(|| wrong(other, "a number or a string"))? {
            Number::Int(n) => u64::try_from(n).map_err(|_| overflow())?,
            Number::Uint(n) => n,
            Number::Double(n) if n > -1.0 && n < 2f64.powi(64) => n as u64,
            Number::Double(_) => return Err(overflow()),
        },
    };
    Ok(Value::Uint(converted))
}

fn double<'a>(a: &[Value<'a>], _: &Budget) -> Result<Value<'a>, EvalError> {
    if let Value::Text(text) = &a[0] {
        return text.parse().map(Value::Double).map_err(|_| cannot("cannot read this text as a double"));
    }
    let number = a[0].number().ok_or_else(|| wrong(&a[0], "a number or a string"))?;
    Ok(Value::Double(number.to_double()))
}

fn bool<'a>(a: &[Value<'a>], _: &Budget) -> Result<Value<'a>, EvalError> {
    if let Value::Bool(value) = a[0] {
        return Ok(Value::Bool(value));
    }
    match text(&a[0])? {
        "1" | "t" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
        "0" | "f" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
        _ => Err(cannot("cannot read this text as a bool")),
    }
}

fn bytes<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    if let Value::Bytes(bytes) = &a[0] {
        return Ok(Value::Bytes(bytes.clone()));
    }
    let text = text(&a[0])?;
    budget.make_text(text.len())?;
    Ok(Value::Bytes(bytes::Bytes::copy_from_slice(text.as_bytes())))
}

fn timestamp<'a>(a: &[Value<'a>], _: &Budget) -> Result<Value<'a>, EvalError> {
    let time = match &a[0] {
        Value::Timestamp(time) => Some(*time),
        Value::Text(text) => Timestamp::parse(text),
        other => {
            let seconds = other.number().ok_or_else(|| wrong(other, "a string or an int"))?.to_int();
            seconds.map(|seconds| Timestamp { seconds, nanos: 0 }).filter(|time| time.to_text().is_some())
        }
    };
    time.map(Value::Timestamp).ok_or_else(|| cannot("cannot read this as a timestamp"))
}

fn duration<'a>(a: &[Value<'a>], _: &Budget) -> Result<Value<'a>, EvalError> {
    if let Value::Duration(span) = a[0] {
        return Ok(Value::Duration(span));
    }
    parse_duration(text(&a[0])?).map(Value::Duration).ok_or_else(|| cannot("cannot read this text as a duration"))
}

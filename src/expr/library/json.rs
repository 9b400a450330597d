//! JSON text, parts of objects, base64. Source: cel-go `ext/encoders`; `json pick omit` are ours.

use super::Form::Global;
use super::signature::{Gives, Is, takes, takes_more};
use super::{Function, made, text, wrong};
use crate::base::value::{JsonWriter, NotANumber, Sink, Value, base64_decode_into, base64_into};
use crate::expr::budget::Budget;
use crate::expr::error::{ErrorKind, EvalError};

pub(super) const TABLE: &[Function] = &[
    Function { name: "json", form: Global, signatures: &[takes(&[Is::Any], Gives::Text)], run: json },
    Function {
        name: "pick",
        form: Global,
        signatures: &[takes_more(&[Is::Map, Is::Text], Is::Text, Gives::Dyn)],
        run: |a, budget| part(a, true, budget),
    },
    Function {
        name: "omit",
        form: Global,
        signatures: &[takes_more(&[Is::Map, Is::Text], Is::Text, Gives::Dyn)],
        run: |a, budget| part(a, false, budget),
    },
    Function { name: "base64.encode", form: Global, signatures: &[takes(&[Is::Bytes], Gives::Text)], run: encode },
    Function { name: "base64.decode", form: Global, signatures: &[takes(&[Is::Text], Gives::Bytes)], run: decode },
];

fn json<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    budget.make_text_of(&a[0])?;
    let mut out = JsonWriter::default();
    let written = out.value(&a[0]);
    written.map_err(|NotANumber| EvalError::new(ErrorKind::NotANumber, "met a number that JSON cannot write"))?;
    Ok(made(String::from_utf8(out.bytes).unwrap_or_default()))
}

/// The entries of a map whose names are among the other arguments, or are not.
fn part<'a>(a: &[Value<'a>], named: bool, budget: &Budget) -> Result<Value<'a>, EvalError> {
    let names: Result<Vec<&str>, _> = a[1..].iter().map(text).collect();
    let names = names?;
    let entries = a[0].entries().ok_or_else(|| wrong(&a[0], "a map"))?;
    let mut kept = Vec::new();
    for (key, value) in entries {
        if key.as_text().is_some_and(|key| names.contains(&key)) == named {
            budget.make_map(1)?;
            kept.push((key, value));
        }
    }
    Ok(Value::Map(kept.into()))
}

fn encode<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    let Value::Bytes(bytes) = &a[0] else { return Err(wrong(&a[0], "bytes")) };
    budget.make_text(bytes.len() / 3 * 4 + 4)?;
    let mut out = Vec::with_capacity(bytes.len() / 3 * 4 + 4);
    base64_into(&mut out, bytes);
    Ok(made(String::from_utf8(out).unwrap_or_default()))
}

fn decode<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    let text = text(&a[0])?;
    budget.make_text(text.len())?;
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    if base64_decode_into(&mut out, text.as_bytes()) {
        return Ok(Value::Bytes(out.into()));
    }
    Err(EvalError::new(ErrorKind::Conversion, "cannot read this text as base64"))
}

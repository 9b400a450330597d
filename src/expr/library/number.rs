//! `math.*`. Source: cel-go `ext/math`.

use std::cmp::Ordering;

use super::Form::Global;
use super::signature::{Gives, Is, Signature, takes, takes_more};
use super::{Function, argument, elements, number, overflow, whole, wrong};
use crate::base::value::{Number, Value};
use crate::expr::budget::Budget;
use crate::expr::error::EvalError;

const OF_NUMBER: &[Signature] = &[takes(&[Is::Number], Gives::Same)];
const OF_DOUBLE: &[Signature] = &[takes(&[Is::Double], Gives::Double)];
const IS_DOUBLE: &[Signature] = &[takes(&[Is::Double], Gives::Bool)];
const OF_MANY: &[Signature] =
    &[takes(&[Is::Addends], Gives::Element), takes_more(&[Is::Number], Is::Number, Gives::Joined)];
const OF_BITS: &[Signature] = &[takes(&[Is::Int, Is::Int], Gives::Int), takes(&[Is::Uint, Is::Uint], Gives::Uint)];
const OF_SHIFT: &[Signature] = &[takes(&[Is::Int, Is::Int], Gives::Int), takes(&[Is::Uint, Is::Int], Gives::Uint)];

macro_rules! math {
    ($($name:literal, $signatures:expr, $run:expr;)*) => {
        pub(super) const TABLE: &[Function] = &[$(
            Function { name: $name, form: Global, signatures: $signatures, run: $run },
        )*];
    };
}

math! {
    "math.greatest", OF_MANY, |a, budget| extreme(a, Ordering::Greater, budget);
    "math.least", OF_MANY, |a, budget| extreme(a, Ordering::Less, budget);
    "math.abs", OF_NUMBER, |a, _| absolute(&a[0]);
    "math.sign", OF_NUMBER, |a, _| sign(&a[0]);
    "math.ceil", OF_DOUBLE, |a, _| rounded(&a[0], f64::ceil);
    "math.floor", OF_DOUBLE, |a, _| rounded(&a[0], f64::floor);
    "math.round", OF_DOUBLE, |a, _| rounded(&a[0], f64::round);
    "math.trunc", OF_DOUBLE, |a, _| rounded(&a[0], f64::trunc);
    "math.sqrt", &[takes(&[Is::Number], Gives::Double)], |a, _| Ok(Value::Double(number(&a[0])?.to_double().sqrt()));
    "math.isNaN", IS_DOUBLE, |a, _| Ok(Value::Bool(double(&a[0])?.is_nan()));
    "math.isInf", IS_DOUBLE, |a, _| Ok(Value::Bool(double(&a[0])?.is_infinite()));
    "math.isFinite", IS_DOUBLE, |a, _| Ok(Value::Bool(double(&a[0])?.is_finite()));
    "math.bitAnd", OF_BITS, |a, _| bits(a, |x, y| x & y);
    "math.bitOr", OF_BITS, |a, _| bits(a, |x, y| x | y);
    "math.bitXor", OF_BITS, |a, _| bits(a, |x, y| x ^ y);
    "math.bitNot", &[takes(&[Is::Int], Gives::Int), takes(&[Is::Uint], Gives::Uint)], |a, _| not(&a[0]);
    "math.bitShiftLeft", OF_SHIFT, |a, _| shift(a, u64::checked_shl);
    "math.bitShiftRight", OF_SHIFT, |a, _| shift(a, u64::checked_shr);
}

fn double(value: &Value<'_>) -> Result<f64, EvalError> {
    match number(value)? {
        Number::Double(value) => Ok(value),
        _ => Err(wrong(value, "a double")),
    }
}

fn rounded<'a>(value: &Value<'_>, round: fn(f64) -> f64) -> Result<Value<'a>, EvalError> {
    Ok(Value::Double(round(double(value)?)))
}

fn absolute<'a>(value: &Value<'_>) -> Result<Value<'a>, EvalError> {
    Ok(match number(value)? {
        Number::Int(n) => Value::Int(n.checked_abs().ok_or_else(overflow)?),
        Number::Uint(n) => Value::Uint(n),
        Number::Double(n) => Value::Double(n.abs()),
    })
}

fn sign<'a>(value: &Value<'_>) -> Result<Value<'a>, EvalError> {
    Ok(match number(value)? {
        Number::Int(n) => Value::Int(n.signum()),
        Number::Uint(n) => Value::Uint(u64::from(n > 0)),
        Number::Double(n) if n == 0.0 || n.is_nan() => Value::Double(n),
        Number::Double(n) => Value::Double(n.signum()),
    })
}

/// The number that is `wanted` than all others: of a list, or of all arguments.
fn extreme<'a>(a: &[Value<'a>], wanted: Ordering, budget: &Budget) -> Result<Value<'a>, EvalError> {
    let listed: Vec<Value<'a>>;
    let values = match a {
        [list] if list.number().is_none() => {
            listed = elements(list)?.collect();
            &listed[..]
        }
        numbers => numbers,
    };
    budget.spend(values.len())?;
    let mut best: Option<(Number, &Value<'a>)> = None;
    for value in values {
        let candidate = number(value)?;
        if best.is_none_or(|(best, _)| candidate.compare(best) == Some(wanted)) {
            best = Some((candidate, value));
        }
    }
    best.map(|(_, value)| value.clone()).ok_or_else(|| argument("takes no empty list"))
}

fn bits<'a>(a: &[Value<'a>], combine: fn(u64, u64) -> u64) -> Result<Value<'a>, EvalError> {
    match (number(&a[0])?, number(&a[1])?) {
        (Number::Int(x), Number::Int(y)) => Ok(Value::Int(combine(x as u64, y as u64) as i64)),
        (Number::Uint(x), Number::Uint(y)) => Ok(Value::Uint(combine(x, y))),
        _ => Err(argument("takes two ints or two uints")),
    }
}

fn not<'a>(value: &Value<'_>) -> Result<Value<'a>, EvalError> {
    match number(value)? {
        Number::Int(n) => Ok(Value::Int(!n)),
        Number::Uint(n) => Ok(Value::Uint(!n)),
        Number::Double(_) => Err(wrong(value, "an int or a uint")),
    }
}

/// Shifts the bits, also those of an int, without regard to its sign; far shifts give 0.
fn shift<'a>(a: &[Value<'a>], shift: fn(u64, u32) -> Option<u64>) -> Result<Value<'a>, EvalError> {
    let by = u64::try_from(whole(&a[1])?).map_err(|_| argument("takes no negative shift"))?;
    let shifted = |value| u32::try_from(by).ok().and_then(|by| shift(value, by)).unwrap_or(0);
    match number(&a[0])? {
        Number::Int(n) => Ok(Value::Int(shifted(n as u64) as i64)),
        Number::Uint(n) => Ok(Value::Uint(shifted(n))),
        Number::Double(_) => Err(wrong(&a[0], "an int or a uint")),
    }
}

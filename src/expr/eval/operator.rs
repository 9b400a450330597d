//! What operators do with values. Source: cel-spec `doc/langdef.md`, with numbers that mix:
//! int or uint with double gives double, int with uint gives int.

use std::cmp::Ordering;

use crate::base::value::{Duration, Number, Timestamp, Value, key_text};
use crate::expr::budget::Budget;
use crate::expr::error::{ErrorKind, EvalError};
use crate::expr::library::kind_name;
use crate::expr::node::Infix;

/// `a + b` and the other arithmetic operators.
pub(in crate::expr) fn arithmetic<'a>(
    infix: Infix,
    left: &Value<'a>,
    right: &Value<'a>,
    budget: &Budget,
) -> Result<Value<'a>, EvalError> {
    if let (Some(left), Some(right)) = (left.number(), right.number()) {
        return numbers(infix, left, right);
    }
    match (infix, left, right) {
        (Infix::Add, Value::Text(left), Value::Text(right)) => {
            budget.make_text(left.len() + right.len())?;
            let mut out = String::with_capacity(left.len() + right.len());
            out.push_str(left);
            out.push_str(right);
            Ok(Value::Text(out.into()))
        }
        (Infix::Add, Value::Bytes(left), Value::Bytes(right)) => {
            budget.make_text(left.len() + right.len())?;
            Ok(Value::Bytes([&left[..], &right[..]].concat().into()))
        }
        (Infix::Add | Infix::Subtract, Value::Duration(_) | Value::Timestamp(_), _) => times(infix, left, right),
        (Infix::Add, ..) => match (left.elements(), right.elements()) {
            (Some(first), Some(second)) => {
                budget.make_list(left.size().unwrap_or(0) + right.size().unwrap_or(0))?;
                Ok(Value::List(first.chain(second).collect()))
            }
            _ => Err(cannot(symbol(infix), left, right)),
        },
        _ => Err(cannot(symbol(infix), left, right)),
    }
}

/// `-a`.
pub(super) fn negate<'a>(value: &Value<'a>) -> Result<Value<'a>, EvalError> {
    match value.number() {
        Some(Number::Int(n)) => n.checked_neg().map(Value::Int).ok_or_else(|| overflow("-")),
        Some(Number::Double(n)) => Ok(Value::Double(-n)),
        _ => {
            let kind = if value.is_null() { ErrorKind::Null } else { ErrorKind::Type };
            Err(EvalError::new(kind, format!("`-` takes a signed number, not {}", kind_name(value.kind()))))
        }
    }
}

/// The order of two values of one comparable type; `None` beside a NaN.
pub(in crate::expr) fn compare(left: &Value<'_>, right: &Value<'_>) -> Result<Option<Ordering>, EvalError> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Ok(Some((**left).cmp(&**right))),
        (Value::Bool(left), Value::Bool(right)) => Ok(Some(left.cmp(right))),
        (Value::Bytes(left), Value::Bytes(right)) => Ok(Some(left.cmp(right))),
        (Value::Timestamp(left), Value::Timestamp(right)) => Ok(Some(left.cmp(right))),
        (Value::Duration(left), Value::Duration(right)) => Ok(Some(left.cmp(right))),
        _ => match (left.number(), right.number()) {
            (Some(left), Some(right)) => Ok(left.compare(right)),
            _ => Err(cannot("an order", left, right)),
        },
    }
}

/// CEL equality: numbers by value whatever their type, lists and maps by content, never an error.
pub(in crate::expr) fn equal(left: &Value<'_>, right: &Value<'_>, budget: &Budget) -> Result<bool, EvalError> {
    match (left, right) {
        (Value::Null, Value::Null) | (Value::Optional(None), Value::Optional(None)) => return Ok(true),
        (Value::Text(left), Value::Text(right)) => return Ok(left == right),
        (Value::Type(left), Value::Type(right)) => return Ok(left == right),
        (Value::Optional(Some(left)), Value::Optional(Some(right))) => return equal(left, right, budget),
        _ => {}
    }
    if let (Some(left), Some(right)) = (left.number(), right.number()) {
        return Ok(left.compare(right).is_some_and(Ordering::is_eq));
    }
    if let (Some(first), Some(second)) = (left.elements(), right.elements()) {
        return same_elements(first, second, budget);
    }
    match (left.entries(), right.size(), right.entries()) {
        (Some(entries), Some(len), Some(_)) if left.size() == Some(len) => {
            budget.spend(len)?;
            for (key, value) in entries {
                let same = entry(right, &key, budget)?.map(|other| equal(&value, &other, budget)).transpose()?;
                if same != Some(true) {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Some(_), _, _) => Ok(false),
        _ => Ok(compare(left, right).is_ok_and(|order| order.is_some_and(Ordering::is_eq))),
    }
}

/// `value in collection`.
pub(super) fn contains(collection: &Value<'_>, value: &Value<'_>, budget: &Budget) -> Result<bool, EvalError> {
    if let Some(items) = collection.elements() {
        for item in items {
            budget.spend(1)?;
            if equal(&item, value, budget)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    if collection.entries().is_some() {
        return Ok(entry(collection, value, budget)?.is_some());
    }
    let kind = if collection.is_null() { ErrorKind::Null } else { ErrorKind::Type };
    Err(EvalError::new(kind, format!("`in` takes a list or a map, not {}", kind_name(collection.kind()))))
}

/// The value under a key of a map.
pub(super) fn entry<'a>(map: &Value<'a>, key: &Value<'_>, budget: &Budget) -> Result<Option<Value<'a>>, EvalError> {
    if let Some(name) = key.as_text() {
        return Ok(map.member(name));
    }
    match map {
        // What a step holds by key was keyed by text: its keys compare as text.
        Value::Held(_) => Ok(key_text(key).and_then(|key| map.member(&key))),
        Value::Map(entries) => {
            for (other, value) in entries.iter() {
                if equal(other, key, budget)? {
                    return Ok(Some(value.clone()));
                }
            }
            Ok(None)
        }
        _ => Ok(None),
    }
}

fn same_elements<'a, 'b>(
    first: impl Iterator<Item = Value<'a>>,
    mut second: impl Iterator<Item = Value<'b>>,
    budget: &Budget,
) -> Result<bool, EvalError> {
    for left in first {
        budget.spend(1)?;
        let Some(right) = second.next() else { return Ok(false) };
        if !equal(&left, &right, budget)? {
            return Ok(false);
        }
    }
    Ok(second.next().is_none())
}

fn numbers<'a>(infix: Infix, left: Number, right: Number) -> Result<Value<'a>, EvalError> {
    match (left, right) {
        (Number::Int(left), Number::Int(right)) => integers(infix, left.into(), right.into())
            .and_then(|total| i64::try_from(total).map(Value::Int).map_err(|_| overflow(symbol(infix)))),
        (Number::Uint(left), Number::Uint(right)) => integers(infix, left.into(), right.into())
            .and_then(|total| u64::try_from(total).map(Value::Uint).map_err(|_| overflow(symbol(infix)))),
        (Number::Double(_), _) | (_, Number::Double(_)) => doubles(infix, left.to_double(), right.to_double()),
        _ => {
            let wide = |number| match number {
                Number::Int(n) => i128::from(n),
                Number::Uint(n) => i128::from(n),
                Number::Double(_) => 0,
            };
            let total = integers(infix, wide(left), wide(right))?;
            i64::try_from(total).map(Value::Int).map_err(|_| overflow(symbol(infix)))
        }
    }
}

/// Integers of at most 65 bits, whose sums and products fit.
fn integers(infix: Infix, left: i128, right: i128) -> Result<i128, EvalError> {
    let by_zero = || EvalError::new(ErrorKind::DivisionByZero, format!("`{}` by zero", symbol(infix)));
    // The smallest int divided by -1 fits no int, and CEL says the same of its remainder.
    let smallest = left == i128::from(i64::MIN) && right == -1;
    match infix {
        Infix::Add => Ok(left + right),
        Infix::Subtract => Ok(left - right),
        Infix::Multiply => left.checked_mul(right).ok_or_else(|| overflow("*")),
        Infix::Divide => left.checked_div(right).ok_or_else(by_zero),
        Infix::Remainder if smallest => Err(overflow("%")),
        Infix::Remainder => left.checked_rem(right).ok_or_else(by_zero),
    }
}

fn doubles<'a>(infix: Infix, left: f64, right: f64) -> Result<Value<'a>, EvalError> {
    Ok(Value::Double(match infix {
        Infix::Add => left + right,
        Infix::Subtract => left - right,
        Infix::Multiply => left * right,
        Infix::Divide => left / right,
        Infix::Remainder => {
            return Err(EvalError::new(ErrorKind::Type, "`%` takes integers; convert a number with int(…)"));
        }
    }))
}

const NANOS: i128 = 1_000_000_000;

/// Sums and differences of points and spans of time.
fn times<'a>(infix: Infix, left: &Value<'a>, right: &Value<'a>) -> Result<Value<'a>, EvalError> {
    let span = |span: &Duration| i128::from(span.seconds) * NANOS + i128::from(span.nanos);
    let point = |time: &Timestamp| i128::from(time.seconds) * NANOS + i128::from(time.nanos);
    let add = infix == Infix::Add;
    let signed = |nanos: i128| if add { nanos } else { -nanos };
    let (nanos, is_point) = match (left, right) {
        (Value::Duration(left), Value::Duration(right)) => (span(left) + signed(span(right)), false),
        (Value::Timestamp(left), Value::Duration(right)) => (point(left) + signed(span(right)), true),
        (Value::Duration(left), Value::Timestamp(right)) if add => (span(left) + point(right), true),
        // CEL measures between two points in 64 bits of nanoseconds: about 292 years.
        (Value::Timestamp(left), Value::Timestamp(right)) if !add => {
            let between = i64::try_from(point(left) - point(right)).map_err(|_| overflow(symbol(infix)))?;
            (i128::from(between), false)
        }
        _ => return Err(cannot(symbol(infix), left, right)),
    };
    let seconds = i64::try_from(nanos.div_euclid(NANOS)).map_err(|_| overflow(symbol(infix)))?;
    let made = if is_point {
        let time = Timestamp { seconds, nanos: nanos.rem_euclid(NANOS) as u32 };
        time.to_text().map(|_| Value::Timestamp(time))
    } else {
        let span = Duration { seconds: (nanos / NANOS) as i64, nanos: (nanos % NANOS) as i32 };
        span.to_text().map(|_| Value::Duration(span))
    };
    made.ok_or_else(|| overflow(symbol(infix)))
}

/// The operator as it is written.
pub(in crate::expr) fn symbol(infix: Infix) -> &'static str {
    match infix {
        Infix::Add => "+",
        Infix::Subtract => "-",
        Infix::Multiply => "*",
        Infix::Divide => "/",
        Infix::Remainder => "%",
    }
}

fn overflow(symbol: &str) -> EvalError {
    EvalError::new(ErrorKind::Overflow, format!("the result of `{symbol}` does not fit its type"))
}

fn cannot(operation: &str, left: &Value<'_>, right: &Value<'_>) -> EvalError {
    let operation = if operation.contains(' ') { operation.to_owned() } else { format!("`{operation}`") };
    let kind = if left.is_null() || right.is_null() { ErrorKind::Null } else { ErrorKind::Type };
    let (left, right) = (kind_name(left.kind()), kind_name(right.kind()));
    EvalError::new(kind, format!("there is no {operation} of {left} and {right}").replace("no an ", "no "))
}

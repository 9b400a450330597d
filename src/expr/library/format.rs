//! `format`: values put into a text. Source: cel-go `ext/strings`, `format`.

use super::Form::Method;
use super::signature::{Gives, Is, takes};
use super::{Function, argument, display, elements, made, number, text, wrong};
use crate::base::value::{Number, Value};
use crate::expr::budget::Budget;
use crate::expr::error::EvalError;

pub(super) const TABLE: &[Function] =
    &[Function { name: "format", form: Method, signatures: &[takes(&[Is::Text, Is::List], Gives::Text)], run: format }];

/// Digits after the point where a clause does not say.
const PRECISION: usize = 6;

/// No double has more digits that are not zero.
const PRECISION_LIMIT: usize = 1_100;

fn format<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    let mut rest = text(&a[0])?;
    let mut items = elements(&a[1])?;
    let mut out = String::with_capacity(rest.len());
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let (clause, after) = Clause::read(after)?;
        let item = items.next().ok_or_else(|| argument("got fewer values than its text has clauses"))?;
        budget.make_text_of(&item)?;
        clause.write(&item, &mut out)?;
        rest = after;
    }
    out.push_str(rest);
    budget.make_text(out.len())?;
    Ok(made(out))
}

/// What stands after a percent sign.
struct Clause {
    verb: char,
    /// Digits after the point.
    precision: usize,
}

impl Clause {
    /// The clause, and what follows it.
    fn read(text: &str) -> Result<(Self, &str), EvalError> {
        let (precision, rest) = match text.strip_prefix('.') {
            None => (PRECISION, text),
            Some(digits) => {
                let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
                let precision = digits[..end].parse().ok().filter(|precision| *precision <= PRECISION_LIMIT);
                (precision.ok_or_else(|| argument("takes a precision from 0 to 1100"))?, &digits[end..])
            }
        };
        let verb = rest.chars().next().ok_or_else(|| argument("ends with an unfinished clause"))?;
        Ok((Self { verb, precision }, &rest[verb.len_utf8()..]))
    }

    fn write(&self, value: &Value<'_>, out: &mut String) -> Result<(), EvalError> {
        match self.verb {
            's' => return write_text(value, out),
            'f' => match number(value)?.to_double() {
                finite if finite.is_finite() => out.push_str(&format!("{finite:.*}", self.precision)),
                _ => return write_text(value, out),
            },
            'e' => match number(value)?.to_double() {
                finite if finite.is_finite() => out.push_str(&scientific(finite, self.precision)),
                _ => return write_text(value, out),
            },
            'd' => match number(value)? {
                Number::Double(n) if !n.is_finite() => return write_text(value, out),
                _ => out.push_str(&integer(value)?.to_string()),
            },
            'b' => match value {
                Value::Bool(bit) => out.push(if *bit { '1' } else { '0' }),
                _ => out.push_str(&signed(integer(value)?, |n| format!("{n:b}"))),
            },
            'o' => out.push_str(&signed(integer(value)?, |n| format!("{n:o}"))),
            'x' => out.push_str(&hexadecimal(value)?),
            'X' => out.push_str(&hexadecimal(value)?.to_uppercase()),
            _ => return Err(argument("knows the clauses %s %d %f %e %b %o %x %X and %% only")),
        }
        Ok(())
    }
}

/// The text of any value: text without quotes, lists and maps in brackets, maps by key.
fn write_text(value: &Value<'_>, out: &mut String) -> Result<(), EvalError> {
    if let Some(items) = value.elements() {
        out.push('[');
        for (at, item) in items.enumerate() {
            out.push_str(if at > 0 { ", " } else { "" });
            write_text(&item, out)?;
        }
        out.push(']');
        return Ok(());
    }
    if let Some(entries) = value.entries() {
        let mut written = Vec::new();
        for (key, value) in entries {
            let (mut key_text, mut value_text) = (String::new(), String::new());
            write_text(&key, &mut key_text)?;
            write_text(&value, &mut value_text)?;
            written.push((key_text, value_text));
        }
        written.sort();
        let written: Vec<String> = written.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
        out.push_str(&format!("{{{}}}", written.join(", ")));
        return Ok(());
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Type(name) => out.push_str(name),
        Value::Bytes(bytes) => {
            out.push_str(std::str::from_utf8(bytes).map_err(|_| argument("cannot read these bytes as UTF-8"))?);
        }
        other => out.push_str(&display(other).ok_or_else(|| wrong(other, "a value with a text"))?),
    }
    Ok(())
}

/// An int or uint. A JSON number without a contract is one if it is whole.
fn integer(value: &Value<'_>) -> Result<i128, EvalError> {
    match (number(value)?, value) {
        (Number::Int(n), _) => Ok(n.into()),
        (Number::Uint(n), _) => Ok(n.into()),
        (whole, Value::View(_)) => whole.to_int().map(i128::from).ok_or_else(|| wrong(value, "a whole number")),
        _ => Err(wrong(value, "an int or a uint")),
    }
}

/// A sign before the digits of the magnitude, not the two's complement.
fn signed(value: i128, digits: impl Fn(u128) -> String) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", digits(value.unsigned_abs()))
}

fn hexadecimal(value: &Value<'_>) -> Result<String, EvalError> {
    let of_bytes = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    match value {
        Value::Text(text) => Ok(of_bytes(text.as_bytes())),
        Value::Bytes(bytes) => Ok(of_bytes(bytes)),
        other => Ok(signed(integer(other)?, |n| format!("{n:x}"))),
    }
}

/// One digit before the point and at least two in the exponent.
fn scientific(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

//! Whether an answer and the calls behind it are what a document says.

use serde_json::Value;

use crate::backend::Seen;
use crate::document::{Answer, Calls, Expected};
use crate::http1::{Message, joined};
use crate::script::Asked;

/// Compares an answer with what it must be.
///
/// # Errors
/// The first difference, with both sides.
pub(crate) fn answer(expected: &Answer, actual: &Message) -> Result<(), String> {
    let whole = || format!("\n--- the whole answer\n{}\n{:?}\n\n{}", actual.first_line, actual.headers, actual.text());
    let Some(status) = expected.status else { return Err(format!("expected no answer{}", whole())) };
    if status != actual.status() {
        return Err(format!("expected status {status}{}", whole()));
    }
    for (name, value) in &expected.headers {
        header(name, value.as_deref(), &actual.headers).map_err(|why| format!("{why}{}", whole()))?;
    }
    let text = actual.text();
    let same = match expected.json {
        true => same_json(&expected.body, &text)?,
        false => expected.body == "..." || same_text(&expected.body, &text),
    };
    match same {
        true => Ok(()),
        false => Err(format!("the body differs\n--- expected\n{}\n--- actual\n{text}", expected.body)),
    }
}

/// Compares the calls that were made with those that must have been.
///
/// # Errors
/// What is missing or too much.
pub(crate) fn calls(expected: &Calls, actual: &[Seen]) -> Result<(), String> {
    let both = || {
        let made: Vec<String> = actual.iter().map(show).collect();
        let wanted: Vec<&str> = expected.calls.iter().map(|call| call.text.as_str()).collect();
        format!("\n--- expected\n{}\n--- actual\n{}", wanted.join("\n"), made.join("\n"))
    };
    let mut left: Vec<&Seen> = actual.iter().collect();
    for call in &expected.calls {
        let place = match expected.in_order {
            true => left.first().is_some_and(|seen| fits(call, seen)).then_some(0),
            false => left.iter().position(|seen| fits(call, seen)),
        };
        let Some(place) = place else { return Err(format!("not called: {}{}", call.text, both())) };
        let seen = left.remove(place);
        for (name, value) in &call.headers {
            header(name, value.as_deref(), &seen.headers).map_err(|why| format!("{}: {why}", call.text))?;
        }
    }
    match left.first() {
        Some(seen) => Err(format!("called too much: {}{}", show(seen), both())),
        None => Ok(()),
    }
}

/// Compares lines of a log with those that must be there.
///
/// # Errors
/// Both sides, when they differ.
pub(crate) fn lines(expected: &[String], actual: &[String]) -> Result<(), String> {
    let same = expected.len() == actual.len() && expected.iter().zip(actual).all(|(one, other)| fits_line(one, other));
    let both = || format!("\n--- expected\n{}\n--- actual\n{}", expected.join("\n"), actual.join("\n"));
    if same { Ok(()) } else { Err(format!("the lines differ{}", both())) }
}

/// Whether a line is as expected when each `*` stands for anything.
fn fits_line(expected: &str, actual: &str) -> bool {
    let Some((before, after)) = expected.split_once('*') else { return expected == actual };
    let Some(rest) = actual.strip_prefix(before) else { return false };
    rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| fits_line(after, &rest[at..]))
}

/// A call as a `calls` block writes it.
pub(crate) fn show(seen: &Seen) -> String {
    let end = if seen.cancelled { "   (cancelled)" } else { "" };
    match &seen.asked {
        Asked::Rest { method, target, body } => {
            format!("{} {method} {target} {}{end}", seen.backend, body.as_deref().unwrap_or_default())
        }
        Asked::Rpc { path, message } => {
            let message = message.as_ref().map(Value::to_string).unwrap_or_default();
            format!("{} rpc {} {message}{end}", seen.backend, path.trim_start_matches('/'))
        }
    }
}

fn fits(expected: &Expected, seen: &Seen) -> bool {
    expected.backend == seen.backend && expected.cancelled == seen.cancelled && same_call(&expected.asked, &seen.asked)
}

fn same_call(expected: &Asked, seen: &Asked) -> bool {
    match (expected, seen) {
        (Asked::Rest { method, target, body }, Asked::Rest { method: m, target: t, body: b }) => {
            method == m && target == t && (body.is_none() || body == b)
        }
        (Asked::Rpc { path, message }, Asked::Rpc { path: p, message: m }) => {
            path == p && (message.is_none() || message == m)
        }
        _ => false,
    }
}

fn header(name: &str, expected: Option<&str>, actual: &[(String, String)]) -> Result<(), String> {
    match (expected, joined(actual, name)) {
        (None, None) => Ok(()),
        (None, Some(value)) => Err(format!("header {name} must not be there, but is {value:?}")),
        (Some("*"), Some(_)) => Ok(()),
        (Some(expected), Some(value)) if expected == value => Ok(()),
        (Some(expected), value) => Err(format!("header {name} must be {expected:?}, but is {value:?}")),
    }
}

/// Whether two texts are equal when each `"*"` of the expected one stands for any JSON string.
fn same_text(expected: &str, actual: &str) -> bool {
    let Some((before, expected)) = expected.split_once("\"*\"") else { return expected == actual };
    let Some(rest) = actual.strip_prefix(before) else { return false };
    let mut strings = serde_json::Deserializer::from_str(rest).into_iter::<String>();
    match strings.next() {
        Some(Ok(_)) => same_text(expected, &rest[strings.byte_offset()..]),
        _ => false,
    }
}

fn same_json(expected: &str, actual: &str) -> Result<bool, String> {
    let wanted: Value = serde_json::from_str(expected).map_err(|error| format!("the document's JSON: {error}"))?;
    let made: Value =
        serde_json::from_str(actual).map_err(|error| format!("the answer is no JSON: {error}: {actual}"))?;
    Ok(same_value(&wanted, &made))
}

fn same_value(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::String(star), Value::String(_)) if star == "*" => true,
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same_value(a, b)))
        }
        (a, b) => a == b,
    }
}

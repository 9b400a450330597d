//! Text. Positions count code points. Source: cel-spec "Standard Definitions"; cel-go `ext/strings`.

use super::Form::{Either, Method};
use super::signature::{Gives, Is, takes};
use super::{Function, argument, count, elements, made, text, whole, wrong};
use crate::base::value::{Text, Value};
use crate::expr::budget::Budget;
use crate::expr::error::{ErrorKind, EvalError};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "contains",
        form: Method,
        signatures: &[takes(&[Is::Text, Is::Text], Gives::Bool)],
        run: contains,
    },
    Function {
        name: "startsWith",
        form: Method,
        signatures: &[takes(&[Is::Text, Is::Text], Gives::Bool)],
        run: |a, _| Ok(Value::Bool(text(&a[0])?.starts_with(text(&a[1])?))),
    },
    Function {
        name: "endsWith",
        form: Method,
        signatures: &[takes(&[Is::Text, Is::Text], Gives::Bool)],
        run: |a, _| Ok(Value::Bool(text(&a[0])?.ends_with(text(&a[1])?))),
    },
    Function {
        name: "lowerAscii",
        form: Method,
        signatures: &[takes(&[Is::Text], Gives::Text)],
        run: |a, budget| mapped(&a[0], budget, |text| text.to_ascii_lowercase()),
    },
    Function {
        name: "upperAscii",
        form: Method,
        signatures: &[takes(&[Is::Text], Gives::Text)],
        run: |a, budget| mapped(&a[0], budget, |text| text.to_ascii_uppercase()),
    },
    Function { name: "trim", form: Method, signatures: &[takes(&[Is::Text], Gives::Text)], run: trim },
    Function {
        name: "replace",
        form: Method,
        signatures: &[
            takes(&[Is::Text, Is::Text, Is::Text], Gives::Text),
            takes(&[Is::Text, Is::Text, Is::Text, Is::Whole], Gives::Text),
        ],
        run: replace,
    },
    Function {
        name: "split",
        form: Method,
        signatures: &[
            takes(&[Is::Text, Is::Text], Gives::Texts),
            takes(&[Is::Text, Is::Text, Is::Whole], Gives::Texts),
        ],
        run: split,
    },
    Function {
        name: "join",
        form: Either,
        signatures: &[takes(&[Is::Texts], Gives::Text), takes(&[Is::Texts, Is::Text], Gives::Text)],
        run: join,
    },
    Function {
        name: "substring",
        form: Method,
        signatures: &[
            takes(&[Is::Text, Is::Whole], Gives::Text),
            takes(&[Is::Text, Is::Whole, Is::Whole], Gives::Text),
        ],
        run: substring,
    },
    Function {
        name: "charAt",
        form: Method,
        signatures: &[takes(&[Is::Text, Is::Whole], Gives::Text)],
        run: character_at,
    },
    Function {
        name: "indexOf",
        form: Method,
        signatures: &[takes(&[Is::Text, Is::Text], Gives::Int), takes(&[Is::Text, Is::Text, Is::Whole], Gives::Int)],
        run: index_of,
    },
    Function {
        name: "lastIndexOf",
        form: Method,
        signatures: &[takes(&[Is::Text, Is::Text], Gives::Int), takes(&[Is::Text, Is::Text, Is::Whole], Gives::Int)],
        run: last_index_of,
    },
    Function {
        name: "strings.quote",
        form: super::Form::Global,
        signatures: &[takes(&[Is::Text], Gives::Text)],
        run: |a, budget| mapped(&a[0], budget, quote),
    },
];

fn mapped<'a>(value: &Value<'a>, budget: &Budget, map: impl Fn(&str) -> String) -> Result<Value<'a>, EvalError> {
    let text = text(value)?;
    // What is longest is text in quotes with every character escaped.
    budget.make_text(text.len().saturating_mul(2))?;
    Ok(made(map(text)))
}

fn contains<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    let (whole_text, wanted) = (text(&a[0])?, text(&a[1])?);
    budget.look_at(whole_text.len())?;
    Ok(Value::Bool(whole_text.contains(wanted)))
}

/// A part of a text; a part of a reply's text stays a slice of it.
fn part<'a>(value: &Value<'a>, part: std::ops::Range<usize>, budget: &Budget) -> Result<Value<'a>, EvalError> {
    let Value::Text(text) = value else { return Err(wrong(value, "a string")) };
    Ok(match text {
        Text::Borrowed(text) => Value::text(text.get(part).unwrap_or("")),
        Text::Shared(text) => {
            let part = text.get(part).unwrap_or("");
            budget.make_text(part.len())?;
            made(part)
        }
    })
}

/// The byte at which code point `position` begins; the length for the one after the last.
fn byte_of(text: &str, position: usize) -> Option<usize> {
    text.char_indices().map(|(byte, _)| byte).chain([text.len()]).nth(position)
}

fn out_of_range() -> EvalError {
    EvalError::new(ErrorKind::NoSuchIndex, "got a position outside its text")
}

fn trim<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    let whole = text(&a[0])?;
    let start = whole.len() - whole.trim_start().len();
    part(&a[0], start..start + whole.trim().len(), budget)
}

fn replace<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    let (whole_text, from, to) = (text(&a[0])?, text(&a[1])?, text(&a[2])?);
    let most = a.get(3).map(whole).transpose()?.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    let found = whole_text.matches(from).take(most).count();
    budget.make_text(whole_text.len().saturating_add(found.saturating_mul(to.len())))?;
    Ok(made(whole_text.replacen(from, to, most)))
}

fn split<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    let (whole_text, separator) = (text(&a[0])?, text(&a[1])?);
    let most = match a.get(2).map(whole).transpose()? {
        Some(0) => return Ok(Value::List([].into())),
        Some(most) => usize::try_from(most).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    let mut bounds = Vec::new();
    let mut start = 0;
    // An empty separator parts code points; elsewhere it would also be found at both ends.
    let found = whole_text
        .match_indices(separator)
        .filter(|(at, _)| !separator.is_empty() || (*at > 0 && *at < whole_text.len()));
    for (at, _) in found {
        if bounds.len() + 1 >= most {
            break;
        }
        budget.make_list(1)?;
        bounds.push(start..at);
        start = at + separator.len();
    }
    if !(separator.is_empty() && whole_text.is_empty()) {
        bounds.push(start..whole_text.len());
    }
    let parts: Result<Vec<_>, _> = bounds.into_iter().map(|bounds| part(&a[0], bounds, budget)).collect();
    Ok(Value::List(parts?.into()))
}

fn join<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    let separator = a.get(1).map(text).transpose()?.unwrap_or("");
    let mut out = String::new();
    for (at, item) in elements(&a[0])?.enumerate() {
        let item = text(&item)?;
        budget.make_text(item.len() + separator.len())?;
        if at > 0 {
            out.push_str(separator);
        }
        out.push_str(item);
    }
    Ok(made(out))
}

fn substring<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    let whole_text = text(&a[0])?;
    budget.look_at(whole_text.len())?;
    let start = byte_of(whole_text, count(&a[1])?).ok_or_else(out_of_range)?;
    let end = match a.get(2) {
        Some(end) => byte_of(whole_text, count(end)?).ok_or_else(out_of_range)?,
        None => whole_text.len(),
    };
    if start > end {
        return Err(argument("got an end before its start"));
    }
    part(&a[0], start..end, budget)
}

fn character_at<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    let whole_text = text(&a[0])?;
    budget.look_at(whole_text.len())?;
    let start = byte_of(whole_text, count(&a[1])?).ok_or_else(out_of_range)?;
    let len = whole_text[start..].chars().next().map_or(0, char::len_utf8);
    part(&a[0], start..start + len, budget)
}

fn index_of<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    let (whole_text, wanted) = (text(&a[0])?, text(&a[1])?);
    budget.look_at(whole_text.len())?;
    let start = match a.get(2) {
        Some(from) => byte_of(whole_text, count(from)?).ok_or_else(out_of_range)?,
        None => 0,
    };
    let found = whole_text[start..].find(wanted).map(|at| whole_text[..start + at].chars().count());
    Ok(Value::Int(found.map_or(-1, |at| at as i64)))
}

fn last_index_of<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    let (whole_text, wanted) = (text(&a[0])?, text(&a[1])?);
    budget.look_at(whole_text.len())?;
    let last = match a.get(2) {
        Some(from) => byte_of(whole_text, count(from)?).ok_or_else(out_of_range)?,
        None => whole_text.len(),
    };
    let found = whole_text.match_indices(wanted).map(|(at, _)| at).take_while(|at| *at <= last).last();
    Ok(Value::Int(found.map_or(-1, |at| whole_text[..at].chars().count() as i64)))
}

/// Text in quotes with the escapes of a CEL literal.
fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\u{b}' => out.push_str("\\v"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

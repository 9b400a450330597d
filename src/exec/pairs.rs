//! Names with values, filled in: header fields, queries, forms, cookies.
//!
//! **Invariant:** neither a name nor a value can end a header line, begin a parameter or a cookie of its
//! own, or frame a message: it is percent-encoded, refused, or left out.

use std::borrow::Cow;
use std::collections::HashSet;

use http::header::{ACCEPT_ENCODING, EXPECT, HOST, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, utf8_percent_encode};

use super::env::Env;
use super::render::{header_value, is_absent, scalar_text};
use crate::base::call::{COMPONENT, frames};
use crate::base::failure::{Cause, Failure};
use crate::base::value::{Value, key_text};
use crate::plan::{ListStyle, Pair, Parameter};

/// Fields that are about the client's own message and its way here, beside those of its content.
const OF_ITS_MESSAGE: [HeaderName; 4] = [HOST, EXPECT, ACCEPT_ENCODING, PROXY_AUTHORIZATION];

/// What RFC 6265 section 4.1.1 does not allow in the value of a cookie.
const COOKIE: &AsciiSet = &percent_encoding::CONTROLS.add(b' ').add(b'"').add(b',').add(b';').add(b'\\');

/// Visits every name with its value, null and absent ones included; of equal names only the first.
///
/// # Errors
/// A value that cannot be computed, a map that is none, a name that cannot be one, and what `visit` says.
pub(super) fn each<N: Name>(
    pairs: &[Pair<N>],
    env: &Env<'_>,
    visit: &mut dyn FnMut(&N, &Value<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    // Written names were told apart at load; what a map holds is known only now.
    let may_meet = pairs.len() > 1 && pairs.iter().any(|pair| matches!(pair, Pair::Map(_)));
    let mut seen: HashSet<Box<str>> = HashSet::new();
    let mut is_new = |name: &N| !may_meet || seen.insert(name.text().into());
    for pair in pairs {
        match pair {
            Pair::One(name, node) => {
                if is_new(name) {
                    visit(name, &env.eval(node)?)?;
                }
            }
            Pair::Map(node) => {
                let map = env.eval(node)?;
                if is_absent(&map) {
                    continue;
                }
                let entries = map.entries().ok_or_else(no_map)?;
                for (key, value) in entries {
                    let name = N::of_key(&key_text(&key).unwrap_or_default())?;
                    if let Some(name) = name.filter(|name| is_new(name)) {
                        visit(&name, &value)?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn no_map() -> Failure {
    Failure::new(Cause::ExpressionFailed, "an expression for all names with their values must give an object")
}

/// A name that a map may hold.
pub(super) trait Name: Sized {
    /// What tells it from others.
    fn text(&self) -> &str;

    /// The name that a key of a map is; `None` leaves the entry out.
    fn of_key(key: &str) -> Result<Option<Self>, Failure>;
}

impl Name for Parameter {
    fn text(&self) -> &str {
        &self.name
    }

    fn of_key(key: &str) -> Result<Option<Self>, Failure> {
        let name = utf8_percent_encode(key, COMPONENT).to_string().into();
        Ok(Some(Self { name, style: ListStyle::Repeat }))
    }
}

impl Name for HeaderName {
    fn text(&self) -> &str {
        self.as_str()
    }

    /// Fields that frame or describe a message are the gateway's to write: a map of a client's fields
    /// has those of the client's message.
    fn of_key(key: &str) -> Result<Option<Self>, Failure> {
        let name: Self = key.parse().map_err(|_| bad_name("a header field"))?;
        let describes = name.as_str().starts_with("content-") || OF_ITS_MESSAGE.contains(&name);
        Ok((!describes && !frames(name.as_str())).then_some(name))
    }
}

impl Name for Box<str> {
    fn text(&self) -> &str {
        self
    }

    fn of_key(key: &str) -> Result<Option<Self>, Failure> {
        // The name of a cookie is a token, as field names are (RFC 6265 section 4.1.1).
        key.parse::<HeaderName>().map_err(|_| bad_name("a cookie"))?;
        Ok(Some(key.into()))
    }
}

fn bad_name(of: &str) -> Failure {
    Failure::new(Cause::ExpressionFailed, format!("a map holds a name that {of} cannot have"))
}

/// Header fields; null drops a field.
pub(super) fn headers(pairs: &[Pair<HeaderName>], env: &Env<'_>) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::with_capacity(pairs.len());
    each(pairs, env, &mut |name, value| {
        // A map may hold one name in two spellings; the first counts.
        if !is_absent(value) && !headers.contains_key(name) {
            headers.insert(name.clone(), header_value(name, value)?);
        }
        Ok(())
    })?;
    Ok(headers)
}

/// The value of the field `Cookie`; `None` without any cookie.
pub(super) fn cookies(pairs: &[Pair<Box<str>>], env: &Env<'_>) -> Result<Option<HeaderValue>, Failure> {
    let mut field = String::new();
    each(pairs, env, &mut |name, value| {
        if !is_absent(value) {
            let mark = if field.is_empty() { "" } else { "; " };
            field.extend([mark, name, "="]);
            field.extend(utf8_percent_encode(&scalar_text(value)?, COOKIE));
        }
        Ok(())
    })?;
    let invalid = |_| Failure::new(Cause::ExpressionFailed, "the cookies cannot be written");
    (!field.is_empty()).then(|| HeaderValue::from_str(&field).map_err(invalid)).transpose()
}

/// Adds parameters as `name=value`, `mark` before the first and `&` between them; nothing for null,
/// one for each element of a repeated list.
pub(super) fn parameters(
    (out, mark): (&mut String, &str),
    pairs: &[Pair<Parameter>],
    env: &Env<'_>,
) -> Result<(), Failure> {
    let mut mark = mark;
    each(pairs, env, &mut |Parameter { name, style }, value| {
        let mut begin = |out: &mut String| out.extend([std::mem::replace(&mut mark, "&"), name, "="]);
        let Some(elements) = value.elements() else {
            if !is_absent(value) {
                begin(out);
                out.extend(utf8_percent_encode(&scalar_text(value)?, COMPONENT));
            }
            return Ok(());
        };
        for (position, element) in elements.filter(|element| !is_absent(element)).enumerate() {
            match style {
                ListStyle::Comma if position > 0 => out.push(','),
                _ => begin(out),
            }
            let text: Cow<'_, str> = scalar_text(&element)?;
            out.extend(utf8_percent_encode(&text, COMPONENT));
        }
        Ok(())
    })
}

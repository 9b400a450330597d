//! Filling in a call: path, query, header fields and body from the values that are there.
//!
//! **Invariant:** values never reach scheme, host or port, never add a path segment, never end a
//! header line. What would is the failure `missing_value` or is percent-encoded.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tokio::time::Instant;

use super::choose::hashed;
use super::env::Env;
use super::{multipart, pairs, rules};
use crate::base::call::{COMPONENT, Call, Content, Request, RestRequest};
use crate::base::failure::{Cause, Failure};
use crate::base::value::{JsonWriter, Number, Value, ValueKind, key_text};
use crate::expr::Node;
use crate::plan::{self, PathPart};

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// What RFC 6265 section 4.1.1 does not allow in the value of a cookie, and `%` itself.
const SET_COOKIE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b',').add(b';').add(b'\\').add(b'%');

/// How long a call may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time {
    /// When its answer is of no use any more.
    pub(super) deadline: Instant,
    /// The time that the composition gives it, as in [`Call::given`].
    pub(super) given: Duration,
}

/// Renders a call.
pub(super) fn call(
    (call, target): (&plan::Call, &plan::Target),
    env: &Env<'_>,
    Time { deadline, given }: Time,
) -> Result<Call, Failure> {
    let mut headers = pairs::headers(&target.headers, env)?;
    let request = match &call.request {
        plan::Request::Rest { method, path: parts, cookies, body, operation, .. } => {
            let mut path = path(parts, env)?;
            let mark = if path.contains('?') { "&" } else { "?" };
            pairs::parameters((&mut path, mark), &target.query, env)?;
            if let Some(cookies) = pairs::cookies(cookies, env)? {
                headers.insert(COOKIE, cookies);
            }
            let body = match body {
                Some(body) => body_of(body, &mut headers, env)?,
                None => None,
            };
            let (method, target) = (method.clone(), self::target(path)?);
            Request::Rest(RestRequest { method, target, body, operation: *operation })
        }
        plan::Request::Grpc { method, message, take } => {
            Request::Grpc { method: *method, message: json(message, env)?.into(), take: *take }
        }
    };
    let affinity = target.affinity.as_ref().map_or(Ok(None), |by| hashed(by, env))?;
    Ok(Call {
        backend: target.backend,
        request,
        headers,
        deadline,
        given,
        policies: target.policies,
        is_attempted_once: env.request.is_another_attempt,
        affinity,
        anchor: target.sticky.as_ref().map(|sticky| env.request.anchor(sticky)),
        judge: rules::judge_of(call, env),
        keeping: None,
    })
}

/// Path and query as they go on the wire.
pub(super) fn target(text: String) -> Result<PathAndQuery, Failure> {
    PathAndQuery::from_maybe_shared(Bytes::from(text))
        .map_err(|error| Failure::new(Cause::MissingValue, format!("cannot form the target: {error}")))
}

/// The body of a REST call. A form says that it is one; what says nothing is JSON.
fn body_of(body: &plan::Body, headers: &mut HeaderMap, env: &Env<'_>) -> Result<Option<Content>, Failure> {
    match body {
        plan::Body::Json(node) => Ok(Some(Content::Whole(json(node, env)?.into()))),
        plan::Body::Multipart(parts) => multipart::form(parts, headers, env).map(Some),
        plan::Body::Raw(content) => multipart::raw(content, headers, env),
        plan::Body::Form(form) => {
            let mut text = String::new();
            pairs::parameters((&mut text, ""), form, env)?;
            headers.entry(CONTENT_TYPE).or_insert(FORM);
            Ok(Some(Content::Whole(text.into())))
        }
    }
}

/// The value of a header field: text as it is, numbers and booleans as JSON writes them.
pub(super) fn header_value(name: &HeaderName, value: &Value<'_>) -> Result<HeaderValue, Failure> {
    let text = scalar_text(value)?;
    HeaderValue::from_str(&text).map_err(|_| {
        Failure::new(
            Cause::ExpressionFailed,
            format!("the value of `{name}` has characters that no header field may have"),
        )
    })
}

/// The value of a `Set-Cookie` field; `None` for a cookie whose value is null.
pub(super) fn cookie(cookie: &plan::Cookie, env: &Env<'_>) -> Result<Option<HeaderValue>, Failure> {
    let value = env.eval(&cookie.value.node)?;
    if is_absent(&value) {
        return Ok(None);
    }
    let mut field = format!("{}={}", cookie.name, utf8_percent_encode(&scalar_text(&value)?, SET_COOKIE));
    for (key, program) in [("max_age", &cookie.max_age), ("expires", &cookie.expires)] {
        let Some(program) = program else { continue };
        match (key, env.eval(&program.node)?) {
            (_, Value::Null | Value::Optional(None)) => {}
            // What is over is removed, which zero says to browsers of any age (RFC 6265 section 5.2.2).
            ("max_age", Value::Duration(age)) => {
                let seconds = age.seconds + i64::from(age.nanos > 0);
                field.push_str(&format!("; Max-Age={}", seconds.max(0)));
            }
            ("expires", Value::Timestamp(time)) => field.push_str(&format!("; Expires={}", time.to_http_date())),
            _ => return Err(Failure::new(Cause::ExpressionFailed, format!("`{key}` gave a value of another kind"))),
        }
    }
    field.push_str(&cookie.attributes);
    HeaderValue::from_str(&field)
        .map(Some)
        .map_err(|_| Failure::new(Cause::ExpressionFailed, format!("the cookie `{}` cannot be written", cookie.name)))
}

/// Renders a path: each value is percent-encoded and stays within its segment.
pub(super) fn path(parts: &[PathPart], env: &Env<'_>) -> Result<String, Failure> {
    let mut out = String::with_capacity(64);
    // Where the segment began that holds a value, if one does.
    let mut open: Option<usize> = None;
    for part in parts {
        match part {
            PathPart::Text(text) => {
                if let (Some(start), Some(slash)) = (open, text.find('/')) {
                    check_segment(&out[start..], &text[..slash])?;
                    open = None;
                }
                out.push_str(text);
            }
            PathPart::Value(node) => {
                let value = env.eval(node)?;
                open.get_or_insert(out.rfind('/').map_or(0, |slash| slash + 1));
                out.extend(utf8_percent_encode(&path_text(&value)?, COMPONENT));
            }
            PathPart::Tail => {
                for segment in env.request.tail.split('/') {
                    let decoded = percent_encoding::percent_decode_str(segment).decode_utf8_lossy();
                    check_segment(&decoded, "")
                        .map_err(|_| Failure::told(Cause::BadRequest, "The path holds an empty segment."))?;
                }
                out.push_str(&env.request.tail);
            }
        }
    }
    if let Some(start) = open {
        check_segment(&out[start..], "")?;
    }
    Ok(out)
}

fn path_text<'a>(value: &'a Value<'_>) -> Result<Cow<'a, str>, Failure> {
    if is_absent(value) {
        return Err(Failure::new(Cause::MissingValue, "a value in the path is null"));
    }
    scalar_text(value)
}

/// A segment that is empty, `.` or `..` would ask for something else than was written.
fn check_segment(begin: &str, end: &str) -> Result<(), Failure> {
    match (begin, end) {
        ("", "") | (".", "") | ("..", "") | ("", ".") | ("", "..") | (".", ".") => {
            Err(Failure::new(Cause::MissingValue, "a path segment is empty, `.` or `..`"))
        }
        _ => Ok(()),
    }
}

/// A JSON body or message.
fn json(node: &Node, env: &Env<'_>) -> Result<Vec<u8>, Failure> {
    let mut out = JsonWriter::default();
    env.write(node, &mut out)?;
    Ok(out.bytes)
}

/// The text of a scalar: what it looks like in JSON, without quotes.
pub(super) fn scalar_text<'a>(value: &'a Value<'_>) -> Result<Cow<'a, str>, Failure> {
    match value {
        Value::Text(text) => Ok(Cow::Borrowed(text)),
        Value::Bool(value) => Ok(if *value { "true" } else { "false" }.into()),
        Value::Int(number) => Ok(number.to_string().into()),
        Value::Uint(number) => Ok(number.to_string().into()),
        Value::View(view) if value.kind() == ValueKind::Number => Ok(Cow::Borrowed(view.raw())),
        Value::Optional(Some(inner)) => scalar_text(inner).map(|text| Cow::Owned(text.into_owned())),
        other if other.number().is_some() => Ok(double_text(other.number()).into()),
        Value::Timestamp(time) => Ok(time.to_text().unwrap_or_default().into()),
        Value::Duration(span) => Ok(span.to_text().unwrap_or_default().into()),
        Value::Bytes(_) => key_text(value).map(Cow::Owned).ok_or_else(not_text),
        _ => Err(not_text()),
    }
}

fn double_text(number: Option<Number>) -> String {
    let value = Value::Double(number.map_or(0.0, Number::to_double));
    let mut out = JsonWriter::default();
    match crate::base::value::Sink::value(&mut out, &value) {
        Ok(()) => String::from_utf8_lossy(&out.bytes).into_owned(),
        Err(_) => String::new(),
    }
}

fn not_text() -> Failure {
    Failure::new(Cause::ExpressionFailed, "a list, object or null cannot stand as text here")
}

pub(super) fn is_absent(value: &Value<'_>) -> bool {
    matches!(value, Value::Null | Value::Optional(None))
}

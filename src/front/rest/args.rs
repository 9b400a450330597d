//! Arguments of endpoints: found, coerced, held to their bounds.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::base::failure::{Cause, Failure};
use crate::base::value::{DocBuilder, Held, JsonWriter, Sink as _, Value};
use crate::exec::{self, ClientRequest};
use crate::plan::schema::coerce::{Input, InvalidInput, coerce as coerce_input};
use crate::plan::{Arg, ArgSource, Endpoint, Plan};

/// The object of a request's arguments.
///
/// # Errors
/// `invalid_argument` with a sentence for every argument that is wrong.
pub(super) fn coerce(
    plan: &Plan,
    endpoint: &Endpoint,
    parameters: &[&str],
    client: &ClientRequest,
) -> Result<Held, Failure> {
    if endpoint.args.is_empty() {
        return Ok(Held::Null);
    }
    let mut out = DocBuilder::default();
    let mut wrong: Vec<String> = Vec::new();
    out.begin_object();
    for arg in &endpoint.args {
        out.key(&arg.key);
        if let Err(error) = one(plan, arg, (parameters, client), &mut out) {
            out.null();
            wrong.push(error.of(&arg.name).sentence());
        }
    }
    out.end_object();
    if wrong.is_empty() { Ok(Held::whole(out.finish())) } else { Err(refused(&wrong)) }
}

fn refused(wrong: &[String]) -> Failure {
    let sentences: Vec<String> = wrong.iter().map(|error| format!("Argument {error}")).collect();
    Failure::told(Cause::InvalidArgument, sentences.join(" "))
}

/// Writes the value of one argument.
fn one(
    plan: &Plan,
    arg: &Arg,
    (parameters, client): (&[&str], &ClientRequest),
    out: &mut DocBuilder,
) -> Result<(), InvalidInput> {
    let texts = texts(arg, parameters, client)?;
    let schema = &plan.schema;
    let list = arg.ty.item().is_some();
    match (&texts[..], &arg.default) {
        ([], Some(default)) => return default_into(plan, arg, default, client, out),
        ([], None) if arg.ty.is_non_null() => return Err(InvalidInput::new("is required and missing")),
        ([], None) => {
            out.null();
            return Ok(());
        }
        ([_, _, ..], _) if !list => return Err(InvalidInput::new("is given more than once")),
        _ => {}
    }
    for text in &texts {
        check_bounds(arg, text)?;
    }
    let input = if list { Input::Texts(&texts) } else { Input::Text(&texts[0]) };
    coerce_input(schema, &input, &arg.ty, out)
}

fn default_into(
    plan: &Plan,
    arg: &Arg,
    default: &crate::plan::Expr,
    client: &ClientRequest,
    out: &mut DocBuilder,
) -> Result<(), InvalidInput> {
    let held = exec::constant(client, &default.node)
        .map_err(|_| InvalidInput::new("has a default that cannot be computed"))?;
    let value: Value<'_> = held.value();
    // A number may stand for an ID: texts of both are the same.
    let text = match value.number() {
        Some(_) => crate::base::value::key_text(&value),
        None => None,
    };
    let input = text.as_deref().map_or(Input::Json(value), Input::Text);
    coerce_input(&plan.schema, &input, &arg.ty, out)
}

/// The texts that a request gives for an argument.
fn texts<'a>(
    arg: &'a Arg,
    parameters: &'a [&'a str],
    client: &'a ClientRequest,
) -> Result<Vec<Cow<'a, str>>, InvalidInput> {
    let decoded = |position: usize| {
        let raw = parameters.get(position).copied().unwrap_or("");
        percent_decode_str(raw).decode_utf8().map_err(|_| InvalidInput::new("is not UTF-8"))
    };
    Ok(match &arg.source {
        ArgSource::Path(position) | ArgSource::Tail(position) => vec![decoded(*position)?],
        ArgSource::Query(name) => client.query_values(name).map(Cow::Borrowed).collect(),
        ArgSource::Cookie(name) => client.cookie(name).map(Cow::Borrowed).into_iter().collect(),
        ArgSource::Header(name) => {
            let text = |value: &'a http::HeaderValue| {
                value.to_str().map(Cow::Borrowed).map_err(|_| InvalidInput::new("is not text"))
            };
            client.head.headers.get_all(name).iter().map(text).collect::<Result<_, _>>()?
        }
    })
}

/// `min`, `max` and `enum`.
fn check_bounds(arg: &Arg, text: &str) -> Result<(), InvalidInput> {
    if !arg.allowed.is_empty() && !arg.allowed.iter().any(|allowed| **allowed == *text) {
        return Err(InvalidInput::new(format!("must be one of {}", arg.allowed.join(", "))));
    }
    if arg.min.is_none() && arg.max.is_none() {
        return Ok(());
    }
    let is_text = !arg.counts;
    let (measure, of) = match (is_text, text.parse::<f64>()) {
        (true, _) => (text.chars().count() as f64, " characters"),
        (false, Ok(number)) => (number, ""),
        // What is no number is refused by its type, with better words.
        (false, Err(_)) => return Ok(()),
    };
    let verb = if is_text { "have" } else { "be" };
    match (arg.min, arg.max) {
        (Some(min), _) if measure < min => Err(InvalidInput::new(format!("must {verb} at least {}{of}", plain(min)))),
        (_, Some(max)) if measure > max => Err(InvalidInput::new(format!("must {verb} at most {}{of}", plain(max)))),
        _ => Ok(()),
    }
}

/// A bound as people write it.
fn plain(number: f64) -> String {
    let mut out = JsonWriter::default();
    match out.double(number) {
        Ok(()) => String::from_utf8_lossy(&out.bytes).into_owned(),
        Err(_) => number.to_string(),
    }
}

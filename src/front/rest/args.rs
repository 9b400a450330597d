//! Arguments of endpoints: found, coerced, held to their bounds.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::violations::{Violations, Wrong};
use crate::base::diagnostic::did_you_mean;
use crate::base::failure::Cause;
use crate::base::path::Path;
use crate::base::value::{DocBuilder, Held, Sink as _};
use crate::exec::form::Field;
use crate::exec::{self, ClientRequest};
use crate::plan::contract::schema::Violation;
use crate::plan::schema::coerce::InvalidInput;
use crate::plan::{Arg, ArgDefault, ArgSource, Endpoint, Plan};

/// The object of a request's arguments. Each that is wrong is null in it, and a violation.
pub(super) fn coerce(
    plan: &Plan,
    endpoint: &Endpoint,
    (parameters, client): (&[&str], &ClientRequest),
    violations: &mut Violations,
) -> Held {
    if endpoint.args.is_empty() {
        return Held::Null;
    }
    let mut out = DocBuilder::default();
    out.begin_object();
    for arg in &endpoint.args {
        out.key(&arg.key);
        let written = match given(arg, parameters, client) {
            Ok(texts) if texts.is_empty() => absent((plan, endpoint), arg, client, &mut out),
            Ok(texts) => arg.bounds.coerce_texts((&plan.schema, &arg.ty), &texts, &mut out),
            Err(wrong) => Err(vec![wrong]),
        };
        if let Err(wrong) = written {
            out.null();
            for wrong in wrong {
                violations.add(Cause::InvalidArgument, Wrong::in_argument(arg, wrong));
            }
        }
    }
    out.end_object();
    Held::whole(out.finish())
}

/// Notes the fields of a form that no argument is.
pub(super) fn check_fields(endpoint: &Endpoint, fields: &[Field], violations: &mut Violations) {
    let declared =
        || endpoint.args.iter().filter(|arg| matches!(arg.source, ArgSource::Form(_))).map(Arg::name_outside);
    for field in fields.iter().filter(|field| !declared().any(|name| name == field.name)) {
        let pointer = Path::default().to(&*field.name).pointer();
        let hint = did_you_mean(&field.name, declared());
        let violation = Violation { pointer, reason: "is no field of the form".into(), hint, ..Violation::default() };
        violations.add(Cause::InvalidBody, Wrong::in_body(violation));
    }
}

/// Writes what an argument is that the request does not give.
fn absent(
    (plan, endpoint): (&Plan, &Endpoint),
    arg: &Arg,
    client: &ClientRequest,
    out: &mut DocBuilder,
) -> Result<(), Vec<InvalidInput>> {
    match &arg.default {
        Some(ArgDefault::Constant { value, .. }) => {
            out.view(value.root());
            return Ok(());
        }
        Some(ArgDefault::Computed(node)) => {
            let held = exec::computed(client, (node, &endpoint.default_sources))
                .map_err(|_| vec![InvalidInput::new("is missing, and its default cannot be computed")])?;
            if !held.is_null() {
                return arg.bounds.coerce_value((&plan.schema, &arg.ty), &held.value(), out);
            }
        }
        None => {}
    }
    if arg.ty.is_non_null() {
        return Err(vec![InvalidInput::new("is required and missing")]);
    }
    out.null();
    Ok(())
}

/// The texts that a request gives for an argument.
fn given<'a>(
    arg: &'a Arg,
    parameters: &'a [&'a str],
    client: &'a ClientRequest,
) -> Result<Vec<Cow<'a, str>>, InvalidInput> {
    Ok(match &arg.source {
        ArgSource::Path(position) | ArgSource::Tail(position) => {
            let raw = parameters.get(*position).copied().unwrap_or("");
            vec![percent_decode_str(raw).decode_utf8().map_err(|_| no_text())?]
        }
        ArgSource::Query(name) => values(client.query_fields(), name)?,
        ArgSource::Form(name) => values(&client.form, name)?,
        ArgSource::Cookie(name) => client.cookie(name).map(Cow::Borrowed).into_iter().collect(),
        ArgSource::Header(name) => {
            let texts = client.head.headers.get_all(name).iter().map(|value| value.to_str().map_err(|_| no_text()));
            match arg.ty.item() {
                None => texts.map(|text| text.map(Cow::Borrowed)).collect::<Result<_, _>>()?,
                Some(_) => elements(&texts.collect::<Result<Vec<_>, _>>()?),
            }
        }
    })
}

/// The values of the fields of a name.
fn values<'a>(fields: &'a [Field], name: &str) -> Result<Vec<Cow<'a, str>>, InvalidInput> {
    let named = fields.iter().filter(|field| field.name == name);
    named.map(|field| if field.is_text { Ok(Cow::Borrowed(&*field.value)) } else { Err(no_text()) }).collect()
}

fn no_text() -> InvalidInput {
    InvalidInput::new("is not UTF-8")
}

/// The elements of a list in header fields (RFC 9110, section 5.6.1): several fields and commas mean the same.
fn elements<'a>(fields: &[&'a str]) -> Vec<Cow<'a, str>> {
    let elements = fields.iter().flat_map(|field| field.split(',')).map(str::trim);
    elements.filter(|element| !element.is_empty()).map(Cow::Borrowed).collect()
}

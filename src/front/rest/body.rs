//! JSON bodies of requests.

use std::sync::Arc;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use super::super::listen::RequestBody;
use crate::base::failure::{Cause, Failure};
use crate::base::value::{Doc, DocBuilder, Held, Kind, Sink as _};
use crate::plan::contract::schema::{Violation, validate};
use crate::plan::schema::coerce::{Input, coerce};
use crate::plan::{BodyType, Endpoint, Plan};
use crate::transport::grpc::ProtoJson;
use crate::transport::grpc::message::JsonError;

/// Reads, parses and coerces a body.
///
/// # Errors
/// 413, 415, or 400 with what is wrong with it.
pub(super) async fn read(
    plan: &Plan,
    (endpoint, ty, message): (&Endpoint, &BodyType, Option<&ProtoJson>),
    (headers, body): (&HeaderMap, RequestBody),
) -> Result<Held, Failure> {
    if !matches!(ty, BodyType::Mentioned) {
        check_media_type(headers)?;
    }
    let cap = usize::try_from(endpoint.max_body).unwrap_or(usize::MAX);
    let bytes = body.read(cap).await.map_err(|error| Failure::new(error.cause(), error.to_string()))?;
    if bytes.is_empty() && matches!(ty, BodyType::Mentioned) {
        return Ok(Held::Null);
    }
    if bytes.is_empty() {
        return Err(Failure::told(Cause::InvalidBody, "The request needs a JSON body."));
    }
    let mut doc = Doc::parse(bytes)
        .map_err(|error| Failure::told(Cause::InvalidBody, format!("The request body is not JSON: {error}.")))?;
    match (ty, message) {
        (BodyType::Schema(ty), _) => {
            let mut out = DocBuilder::default();
            let given = Held::whole(doc);
            coerce(&plan.schema, &Input::Json(given.value()), ty, &mut out).map_err(|error| {
                Failure::told(Cause::InvalidBody, format!("In the request body {}", error.sentence()))
            })?;
            Ok(Held::whole(out.finish()))
        }
        (BodyType::JsonSchema { schemas, id }, _) => {
            schemas.mark_integers(*id, &mut doc);
            let given = Held::whole(doc);
            let violations = validate(schemas, *id, &given.value());
            if violations.is_empty() { Ok(given) } else { Err(refused(&violations)) }
        }
        (BodyType::Message(_), Some(message)) => {
            message.read(doc.bytes()).map(Held::whole).map_err(|error| refused(&[violation(&error)]))
        }
        (BodyType::Message(_) | BodyType::Any | BodyType::Mentioned, _) => Ok(Held::whole(doc)),
    }
}

/// A body that is not what was declared: every violation in a sentence and, for programs, with its JSON
/// pointer in `errors` (RFC 9457, section 3, shows this member).
fn refused(violations: &[Violation]) -> Failure {
    let sentence = |violation: &Violation| {
        let sentence = violation.to_string();
        if sentence.ends_with('?') { sentence } else { sentence + "." }
    };
    let sentences: Vec<String> =
        violations.iter().map(|violation| format!("In the request body {}", sentence(violation))).collect();
    let mut out = DocBuilder::default();
    out.begin_object();
    out.key(b"\"errors\":");
    out.begin_array();
    for violation in violations {
        out.begin_object();
        out.key(b"\"pointer\":");
        out.text(Kind::String, &format!("#{}", violation.pointer));
        out.key(b"\"detail\":");
        out.text(Kind::String, &violation.reason);
        out.end_object();
    }
    out.end_array();
    out.end_object();
    let failure = Failure::told(Cause::InvalidBody, sentences.join(" "));
    Failure { with: Some(Arc::new(out.finish())), ..failure }
}

/// What is wrong with a message; `lines[2].count` becomes `/lines/2/count`.
fn violation(error: &JsonError) -> Violation {
    let steps = error.path.split(['.', '[']).filter(|step| !step.is_empty());
    let pointer = steps.map(|step| format!("/{}", step.trim_end_matches(']'))).collect();
    Violation { pointer, reason: format!("is wrong: {}", error.reason), ..Violation::default() }
}

/// JSON, or what is JSON by its suffix; a body without a media type is taken for JSON.
fn check_media_type(headers: &HeaderMap) -> Result<(), Failure> {
    let Some(media) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let media = media.to_str().unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if media == "application/json" || (media.starts_with("application/") && media.ends_with("+json")) {
        return Ok(());
    }
    Err(Failure::told(Cause::UnsupportedMediaType, "The request body must be application/json."))
}

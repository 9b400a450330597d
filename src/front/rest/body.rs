//! Bodies of requests: JSON, and forms where the type has fields to hold them.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;

use super::super::listen::RequestBody;
use super::violations::{Violations, Wrong};
use crate::base::failure::{Cause, Failure};
use crate::base::room::{Room, Taken};
use crate::base::value::{Doc, DocBuilder, Held, Kind, Sink as _, base64_into};
use crate::exec::form;
use crate::plan::contract::schema::{Violation, validate};
use crate::plan::schema::coerce::{Form, Input, InvalidInput, coerce};
use crate::plan::schema::{Schema, TypeRef};
use crate::plan::{BodyType, Endpoint, Plan};
use crate::transport::grpc::ProtoJson;
use crate::transport::grpc::message::JsonError;

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Media {
    Json,
    Form,
    Other,
}

/// A body as it is sent.
pub(super) struct Sent<'s> {
    pub(super) headers: &'s HeaderMap,
    pub(super) body: RequestBody,
    /// Where it has its room from.
    pub(super) room: &'s Arc<Room>,
}

/// Reads, parses and coerces a body. What is wrong in it is a violation, and it is null.
///
/// # Errors
/// 413, 415 or 503, or what keeps it from being read.
pub(super) async fn read(
    plan: &Plan,
    (endpoint, ty, message): (&Endpoint, &BodyType, Option<&ProtoJson>),
    Sent { headers, body, room }: Sent<'_>,
    (taken, violations): (&mut Taken, &mut Violations),
) -> Result<Held, Failure> {
    let media = media(headers);
    match (ty, media) {
        (BodyType::Mentioned | BodyType::HttpBody, _) | (_, Media::Json) | (BodyType::Input(_), Media::Form) => {}
        (BodyType::Input(_), Media::Other) => {
            return Err(unsupported("application/json or application/x-www-form-urlencoded"));
        }
        _ => return Err(unsupported("application/json")),
    }
    let cap = usize::try_from(endpoint.max_body).unwrap_or(usize::MAX);
    let bytes = body.read(cap, (room, taken)).await?;
    let read = match (ty, media) {
        (BodyType::Input(ty), Media::Form) => of_form(&plan.schema, ty, &bytes),
        (BodyType::Mentioned, _) if bytes.is_empty() => Ok(Held::Null),
        (BodyType::HttpBody, _) => Ok(http_body(headers, &bytes)),
        _ => json(bytes).and_then(|doc| of_json(&plan.schema, (ty, message), doc)),
    };
    let read = read.unwrap_or_else(|wrong| {
        wrong.into_iter().for_each(|wrong| violations.add(Cause::InvalidBody, wrong));
        Held::Null
    });
    taken.reach(room, read.size()).await?;
    Ok(read)
}

fn unsupported(wanted: &str) -> Failure {
    Failure::told(Cause::UnsupportedMediaType, format!("The request body must be {wanted}."))
}

fn json(bytes: Bytes) -> Result<Doc, Vec<Wrong>> {
    if bytes.is_empty() {
        return Err(vec![Wrong::sentence("The request needs a JSON body.")]);
    }
    Doc::parse(bytes).map_err(|error| vec![Wrong::sentence(format!("The request body is not JSON: {error}."))])
}

fn of_json(schema: &Schema, (ty, message): (&BodyType, Option<&ProtoJson>), mut doc: Doc) -> Result<Held, Vec<Wrong>> {
    match (ty, message) {
        (BodyType::Schema(ty) | BodyType::Input(ty), _) => coerced(schema, ty, &Input::Json(Held::whole(doc).value())),
        (BodyType::JsonSchema { schemas, id }, _) => {
            schemas.mark_integers(*id, &mut doc);
            let given = Held::whole(doc);
            let violations = validate(schemas, *id, &given.value());
            if violations.is_empty() { Ok(given) } else { Err(violations.into_iter().map(Wrong::in_body).collect()) }
        }
        (BodyType::Message(_), Some(message)) => message
            .read(doc.bytes())
            .map(Held::whole)
            .map_err(|wrong| wrong.0.into_iter().map(|wrong| Wrong::in_body(of_message(wrong))).collect()),
        (
            BodyType::Message(_) | BodyType::HttpBody | BodyType::Upload { .. } | BodyType::Any | BodyType::Mentioned,
            _,
        ) => Ok(Held::whole(doc)),
    }
}

/// A body of any media type as the message that stands for it. Source: google/api/httpbody.proto.
fn http_body(headers: &HeaderMap, bytes: &Bytes) -> Held {
    let media_type = headers.get(CONTENT_TYPE).and_then(|media_type| media_type.to_str().ok());
    let mut out = DocBuilder::with_capacity(bytes.len() / 3 * 4 + 128);
    out.begin_object();
    out.key(b"\"contentType\":");
    out.text(Kind::String, media_type.unwrap_or("application/octet-stream"));
    out.key(b"\"data\":");
    out.scalar(Kind::Base64, |out| {
        out.push(b'"');
        base64_into(out, bytes);
        out.push(b'"');
    });
    out.key(b"\"extensions\":");
    out.begin_array();
    out.end_array();
    out.end_object();
    Held::whole(out.finish())
}

fn of_form(schema: &Schema, ty: &TypeRef, bytes: &Bytes) -> Result<Held, Vec<Wrong>> {
    let fields = std::str::from_utf8(bytes).map(form::fields).unwrap_or_default();
    if fields.iter().any(|field| !field.is_text) || (fields.is_empty() && !bytes.is_empty()) {
        return Err(vec![Wrong::sentence("The request body is not a form in UTF-8.")]);
    }
    let form = Form::new(fields.iter().map(|field| (field.name.as_str(), field.value.as_str())));
    coerced(schema, ty, &Input::Form(&form))
}

fn coerced(schema: &Schema, ty: &TypeRef, given: &Input<'_>) -> Result<Held, Vec<Wrong>> {
    let mut out = DocBuilder::default();
    match coerce(schema, given, ty, &mut out) {
        Ok(()) => Ok(Held::whole(out.finish())),
        Err(wrong) => Err(wrong.into_iter().map(|wrong| Wrong::in_body(of_input(wrong))).collect()),
    }
}

fn of_input(wrong: InvalidInput) -> Violation {
    let InvalidInput { path, reason, hint } = wrong;
    Violation { pointer: path.pointer(), reason, hint, ..Violation::default() }
}

fn of_message(wrong: JsonError) -> Violation {
    let JsonError { path, reason, .. } = wrong;
    Violation { pointer: path.pointer(), reason: format!("is wrong: {reason}"), ..Violation::default() }
}

/// JSON, or what is JSON by its suffix; a body without a media type is taken for JSON.
fn media(headers: &HeaderMap) -> Media {
    let Some(media) = headers.get(CONTENT_TYPE) else { return Media::Json };
    let media = media.to_str().unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    match media.as_str() {
        "application/json" => Media::Json,
        "application/x-www-form-urlencoded" => Media::Form,
        other if other.starts_with("application/") && other.ends_with("+json") => Media::Json,
        _ => Media::Other,
    }
}

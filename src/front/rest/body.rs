//! JSON bodies of requests.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use super::super::listen::RequestBody;
use crate::base::failure::{Cause, Failure};
use crate::base::value::{Doc, DocBuilder, Held};
use crate::plan::schema::coerce::{Input, coerce};
use crate::plan::{BodyType, Endpoint, Plan};

/// Reads, parses and coerces a body.
///
/// # Errors
/// 413, 415, or 400 with what is wrong with it.
pub(super) async fn read(
    plan: &Plan,
    (endpoint, ty): (&Endpoint, &BodyType),
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
    let doc = Doc::parse(bytes)
        .map_err(|error| Failure::told(Cause::InvalidBody, format!("The request body is not JSON: {error}.")))?;
    let given = Held::whole(doc);
    let BodyType::Schema(ty) = ty else { return Ok(given) };
    let mut out = DocBuilder::default();
    coerce(&plan.schema, &Input::Json(given.value()), ty, &mut out)
        .map_err(|error| Failure::told(Cause::InvalidBody, format!("In the request body {}", error.sentence())))?;
    Ok(Held::whole(out.finish()))
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

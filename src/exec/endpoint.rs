//! Answers of endpoints: runs what answers and writes its result in one pass.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::time::Instant;

use super::client::ClientRequest;
use super::crowd::{Bounds, CrowdId, Wanted};
use super::env::Env;
use super::frame::{At, FrameId, Slot};
use super::partial::Partial;
use super::run::Run;
use super::{Live, graph, pairs, render};
use crate::base::failure::{Cause, Failure};
use crate::base::value::{Held, JsonWriter, Text, Value, View, base64_decode_into};
use crate::expr::{self, Node};
use crate::plan::{self, BodyForm, Composed, Respond};

/// The media type of bytes that nothing is said of.
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// The answer of a composition.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The status.
    pub status: StatusCode,
    /// Declared header fields, and the media type when there is a body.
    pub headers: HeaderMap,
    /// The body; `None` sends none.
    pub body: Option<Bytes>,
    /// What it had to do without.
    pub partial: Partial,
}

/// Answers one request to an endpoint that composes its answer.
///
/// # Errors
/// The first required failure; everything else that was under way is dropped with the run.
pub async fn answer(
    live: &Live,
    answer: &plan::Answer,
    request: &ClientRequest,
    deadline: Instant,
) -> Result<Answered, Failure> {
    match answer {
        plan::Answer::Compose(composed) => compose(live, composed, request, deadline).await,
        plan::Answer::Query(queried) => graph::query(live, queried, request, deadline).await,
        plan::Answer::Proxy(_) => Err(Failure::new(Cause::Internal, "a proxy composes nothing")),
    }
}

async fn compose(
    live: &Live,
    composed: &Composed,
    request: &ClientRequest,
    deadline: Instant,
) -> Result<Answered, Failure> {
    let mut run = Run::new(live, request, deadline);
    let items = vec![Held::Null];
    let bounds = Bounds { parallel: 1, deadline: None };
    let wanted = Wanted::Steps(&composed.needs);
    let crowd = run.start_crowd(&composed.composition, wanted, (request.args.clone(), items), bounds);
    let answered = finished(&mut run, crowd).await.and_then(|()| respond(&run, composed));
    let undo_failed = run.take_back(answered.is_err()).await;
    match answered {
        Ok(mut answered) => {
            request.tell_anchors(&mut answered.headers);
            Ok(Answered { partial: run.into_partial(), ..answered })
        }
        Err(failure) => Err(Failure { undo_failed, ..failure }),
    }
}

/// Works until a crowd of one is over.
async fn finished(run: &mut Run<'_>, crowd: CrowdId) -> Result<(), Failure> {
    while let Some(done) = run.next_finished().await {
        if done == crowd {
            return run.take_results(crowd).pop().map_or(Ok(()), |result| result.map(drop));
        }
    }
    Err(Failure::new(Cause::Internal, "a run came to a halt with steps left"))
}

fn respond(run: &Run<'_>, composed: &Composed) -> Result<Answered, Failure> {
    let frame = FrameId(0);
    let env = run.env(frame);
    let result = &composed.composition.result.node;
    let room = room(run, composed);
    let declared = &composed.respond.media_type;
    let passed_on = match composed.respond.body {
        BodyForm::None | BodyForm::Json | BodyForm::Text => None,
        BodyForm::Reply(step) => bytes_of(run.frames.slot(At { frame, step })),
        BodyForm::HttpBody(step) => {
            let slot = run.frames.slot(At { frame, step });
            bytes_of(slot).or_else(|| http_body(slot.held.view()))
        }
    };
    let body = match (passed_on, composed.respond.body) {
        (Some(passed_on), _) => Some(passed_on),
        (None, BodyForm::None) => None,
        (None, BodyForm::Text) => Some((text((result, room), &env)?, declared.clone())),
        (None, _) => Some((write((result, room), &env)?, declared.clone())),
    };
    let (body, media_type) = body.unzip();
    let (status, headers) = head(&composed.respond, &env, media_type)?;
    Ok(Answered { status, headers, body, partial: Partial::default() })
}

/// The bytes that a step holds, and the media type of the reply that they came in.
fn bytes_of(slot: &Slot) -> Option<(Bytes, HeaderValue)> {
    let Held::Bytes(bytes) = &slot.held else { return None };
    let media_type = slot.headers.as_ref().and_then(|fields| fields.content_type()).cloned();
    Some((bytes.clone(), media_type.unwrap_or(OCTETS)))
}

/// The bytes that a `google.api.HttpBody` stands for, and their media type; `None` for null.
fn http_body(message: Option<View<'_>>) -> Option<(Bytes, HeaderValue)> {
    let message = message.filter(|message| !message.is_null())?;
    let text = |name: &str| message.member(name).and_then(View::text);
    let data = text("data").unwrap_or(Text::Borrowed(""));
    let mut bytes = Vec::with_capacity(data.len() / 4 * 3);
    base64_decode_into(&mut bytes, data.as_bytes());
    let media_type = text("contentType").and_then(|media_type| HeaderValue::from_str(&media_type).ok());
    Some((bytes.into(), media_type.filter(|media_type| !media_type.is_empty()).unwrap_or(OCTETS)))
}

/// Status and header fields of an answer, whose body has this media type if there is one.
pub(super) fn head(
    respond: &Respond,
    env: &Env<'_>,
    media_type: Option<HeaderValue>,
) -> Result<(StatusCode, HeaderMap), Failure> {
    let Respond { status, headers, cookies, .. } = respond;
    let mut answer_headers = pairs::headers(headers, env)?;
    for cookie in cookies {
        if let Some(value) = render::cookie(cookie, env)? {
            answer_headers.append(SET_COOKIE, value);
        }
    }
    let status = match status {
        Some(status) => status_of(&env.eval(&status.node)?)?,
        None if media_type.is_some() => StatusCode::OK,
        None => StatusCode::NO_CONTENT,
    };
    if let Some(media_type) = media_type {
        answer_headers.entry(CONTENT_TYPE).or_insert(media_type);
    }
    Ok((status, answer_headers))
}

/// How many bytes the answer may well have: what is written around replies is small beside them.
fn room(run: &Run<'_>, composed: &Composed) -> usize {
    const AROUND: usize = 512;
    const MOST: usize = 1 << 20;
    let held = composed.needs.iter().map(|need| run.frames.slot(run.frames.locate(FrameId(0), *need)).held.view());
    let replies: usize = held.map(|view| view.map_or(0, View::raw_len)).sum();
    (replies + AROUND).min(MOST)
}

/// Writes the result as JSON. A reply that is the whole result is handed on without a copy.
fn write((node, room): (&Node, usize), env: &Env<'_>) -> Result<Bytes, Failure> {
    if let Some(whole) = expr::whole(node, env) {
        return Ok(whole.bytes().clone());
    }
    let mut out = JsonWriter::default();
    out.bytes.reserve(room);
    env.write(node, &mut out)?;
    if out.bytes.is_empty() {
        out.bytes.extend_from_slice(b"null");
    }
    Ok(out.bytes.into())
}

/// Writes a text or bytes as they are, and anything else as JSON.
fn text((node, room): (&Node, usize), env: &Env<'_>) -> Result<Bytes, Failure> {
    match env.eval(node)? {
        Value::Text(text) => Ok(Bytes::copy_from_slice(text.as_bytes())),
        Value::Bytes(bytes) => Ok(bytes),
        _ => write((node, room), env),
    }
}

fn status_of(value: &Value<'_>) -> Result<StatusCode, Failure> {
    let wrong = || Failure::new(Cause::ExpressionFailed, "`respond.status` is no HTTP status");
    let number = value.number().and_then(crate::base::value::Number::to_int).ok_or_else(wrong)?;
    u16::try_from(number).ok().and_then(|number| StatusCode::from_u16(number).ok()).ok_or_else(wrong)
}

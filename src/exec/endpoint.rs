//! Answers of endpoints: runs what answers and writes its result in one pass.

use std::time::Instant;

use bytes::Bytes;
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode};

use super::client::ClientRequest;
use super::crowd::{Bounds, Wanted};
use super::env::Env;
use super::frame::FrameId;
use super::partial::Partial;
use super::run::Run;
use super::{Live, graph, pairs, render};
use crate::base::failure::{Cause, Failure};
use crate::base::value::{Held, JsonWriter, Value, View};
use crate::expr::{Env as _, Node};
use crate::plan::{self, BodyForm, Composed, Respond};

/// The answer of a composition.
#[derive(Debug)]
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
    while let Some(done) = run.next_finished().await {
        if done == crowd {
            if let Some(Err(failure)) = run.take_results(crowd).pop() {
                return Err(failure);
            }
            return respond(run, composed);
        }
    }
    Err(Failure::new(Cause::Internal, "a run came to a halt with steps left"))
}

fn respond(run: Run<'_>, composed: &Composed) -> Result<Answered, Failure> {
    let frame = FrameId(0);
    let env = run.env(frame);
    let result = &composed.composition.result.node;
    let room = room(&run, composed);
    let body = match composed.respond.body {
        BodyForm::None => None,
        BodyForm::Json => Some(write((result, room), &env)?),
        BodyForm::Text => Some(text((result, room), &env)?),
    };
    let (status, headers) = head(&composed.respond, &env, body.is_some())?;
    Ok(Answered { status, headers, body, partial: run.into_partial() })
}

/// Status and header fields of an answer.
pub(super) fn head(respond: &Respond, env: &Env<'_>, has_body: bool) -> Result<(StatusCode, HeaderMap), Failure> {
    let Respond { status, headers, cookies, media_type, .. } = respond;
    let mut answer_headers = pairs::headers(headers, env)?;
    for cookie in cookies {
        if let Some(value) = render::cookie(cookie, env)? {
            answer_headers.append(SET_COOKIE, value);
        }
    }
    let status = match status {
        Some(status) => status_of(&env.eval(&status.node)?)?,
        None if has_body => StatusCode::OK,
        None => StatusCode::NO_CONTENT,
    };
    if has_body {
        answer_headers.entry(http::header::CONTENT_TYPE).or_insert_with(|| media_type.clone());
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
    if let Node::Path { var, steps } = node
        && steps.is_empty()
        && let Some((doc, 0)) = env.view(*var).map(View::parts)
    {
        return Ok(doc.bytes().clone());
    }
    let mut out = JsonWriter::default();
    out.bytes.reserve(room);
    env.write(node, &mut out)?;
    if out.bytes.is_empty() {
        out.bytes.extend_from_slice(b"null");
    }
    Ok(out.bytes.into())
}

/// Writes a text as it is, and anything else as JSON.
fn text((node, room): (&Node, usize), env: &Env<'_>) -> Result<Bytes, Failure> {
    match env.eval(node)? {
        Value::Text(text) => Ok(Bytes::copy_from_slice(text.as_bytes())),
        _ => write((node, room), env),
    }
}

fn status_of(value: &Value<'_>) -> Result<StatusCode, Failure> {
    let wrong = || Failure::new(Cause::ExpressionFailed, "`respond.status` is no HTTP status");
    let number = value.number().and_then(crate::base::value::Number::to_int).ok_or_else(wrong)?;
    u16::try_from(number).ok().and_then(|number| StatusCode::from_u16(number).ok()).ok_or_else(wrong)
}

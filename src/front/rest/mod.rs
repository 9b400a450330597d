//! REST in front: finds the endpoint, reads arguments and body, writes the answer.

mod args;
mod body;
mod kept;
mod parts;
mod routes;
mod split;
mod upload;
mod violations;

use std::ops::Range;
use std::sync::Arc;

use http::header::{CACHE_CONTROL, CONTENT_LENGTH, HeaderName, LINK};
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::BodyExt as _;
use tokio::time::Instant;

use super::listen::{AnswerBody, RequestBody};
use crate::base::failure::{Cause, Failure};
use crate::base::id::EndpointId;
use crate::exec::idempotency::{self, Begun, Once};
use crate::exec::{self, Answered, ClientRequest, Live};
use crate::plan::{Answer, BodyType, Endpoint, Proxy, Segment};
use crate::transport;

use body::Sent;
use kept::Keeping;
use violations::Violations;

pub use routes::{Found, Routes};

/// What the answer had to do without: a list of steps with a code each.
pub const PARTIAL: HeaderName = HeaderName::from_static("selvedge-partial");

/// That the answer is that of an earlier request with the same `Idempotency-Key`.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// That the endpoint is deprecated (RFC 9745).
const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
/// When the endpoint will stop to answer (RFC 8594).
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// A matched request.
#[derive(Debug)]
pub struct Matched {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Where in the path its parameters stand, percent-encoded, by position.
    pub parameters: Vec<Range<usize>>,
}

/// Answers a request to an endpoint.
///
/// # Errors
/// What keeps it from being answered, with the status that the endpoint gives it; the caller makes a problem
/// document of it.
pub async fn serve(
    live: &Arc<Live>,
    matched: &Matched,
    client: ClientRequest,
    body: RequestBody,
) -> Result<Response<AnswerBody>, Failure> {
    let errors = &live.plan.endpoint(matched.endpoint).errors;
    answer(live, matched, client, body).await.map_err(|failure| errors.answering(failure))
}

/// The header fields of every answer of an endpoint that will go away; none of any other.
pub fn notice(endpoint: &Endpoint, path: &str, parameters: &[Range<usize>]) -> HeaderMap {
    let mut fields = HeaderMap::new();
    if let Some(deprecation) = &endpoint.deprecation {
        fields.extend(deprecation.deprecation_field.clone().map(|date| (DEPRECATION, date)));
        fields.extend(deprecation.sunset_field.clone().map(|date| (SUNSET, date)));
        fields.extend(deprecation.link_field(path, parameters).map(|link| (LINK, link)));
    }
    fields
}

async fn answer(
    live: &Arc<Live>,
    matched: &Matched,
    mut client: ClientRequest,
    body: RequestBody,
) -> Result<Response<AnswerBody>, Failure> {
    let endpoint = live.plan.endpoint(matched.endpoint);
    let deadline = client.deadline(endpoint.timeout);
    let mut violations = Violations::default();
    match (&endpoint.answer, &endpoint.body) {
        (Answer::Proxy(proxy), _) => {
            arguments(live, matched, &mut client, &mut violations);
            violations.refuse()?;
            // Boxed, or every request would have room for the exchange of one that is passed through.
            Box::pin(pass(live, proxy, (client, body), deadline)).await
        }
        (_, Some(BodyType::Upload { part })) => {
            let room = live.calls.shared().room();
            let broke_off =
                Box::pin(upload::open(&mut client, (body, room), (part.as_deref(), endpoint.max_body))).await?;
            args::check_fields(endpoint, &client.form, &mut violations);
            arguments(live, matched, &mut client, &mut violations);
            violations.refuse()?;
            let answered = perform(live, matched.endpoint, (client, None), deadline).await;
            // Whatever became of it: what the client's own body broke is the client's to hear.
            match broke_off.failure() {
                Some(failure) => Err(failure.clone()),
                None => Ok(response(answered?)),
            }
        }
        (_, ty) => {
            arguments(live, matched, &mut client, &mut violations);
            if let Some(ty) = ty {
                let message = live.messages[matched.endpoint.index()].as_ref();
                let sent = Sent { headers: &client.head.headers, body, room: live.calls.shared().room() };
                client.body =
                    body::read(&live.plan, (endpoint, ty, message), sent, (&mut client.taken, &mut violations)).await?;
            }
            violations.refuse()?;
            let once = match &endpoint.idempotency {
                // Boxed, or every request would have room for it.
                Some(_) => Box::pin(idempotency::begin(live, endpoint, &client)).await?,
                None => None,
            };
            let begun = match once {
                Some(Once::Again(outcome)) => return again(&outcome),
                Some(Once::First(begun)) => Some(begun),
                None => None,
            };
            let keeping = Keeping::of(endpoint, &client);
            let answer = perform(live, matched.endpoint, (client, begun), deadline).await.map(response)?;
            Ok(match keeping {
                Some(keeping) => keeping.said(answer),
                None => answer,
            })
        }
    }
}

/// Finds what the request says of the endpoint's arguments.
fn arguments(live: &Live, matched: &Matched, client: &mut ClientRequest, violations: &mut Violations) {
    let endpoint = live.plan.endpoint(matched.endpoint);
    (client.tail, client.args) = {
        let parameters: Vec<&str> =
            matched.parameters.iter().filter_map(|bytes| client.path().get(bytes.clone())).collect();
        let args = args::coerce(&live.plan, endpoint, (&parameters, client), violations);
        (tail(endpoint, &parameters), args)
    };
}

/// Passes a request through.
async fn pass(
    live: &Arc<Live>,
    proxy: &Proxy,
    (client, body): (ClientRequest, RequestBody),
    deadline: Instant,
) -> Result<Response<AnswerBody>, Failure> {
    let (stream, broke_off) = upload::passed_on(body, proxy.max_body)?;
    let body = transport::RequestBody::Stream(stream);
    let response = exec::forward(live, proxy, (client, body), deadline).await;
    // When the client's own body broke the exchange, that is what it must be told.
    let response = response.map_err(|failure| match broke_off.failure() {
        Some(own) => Failure { log: failure.log, ..own.clone() },
        None => failure,
    })?;
    Ok(response.map(|body| AnswerBody::stream(body.map_err(Into::into))))
}

/// Runs what answers.
async fn perform(
    live: &Arc<Live>,
    id: EndpointId,
    (client, begun): (ClientRequest, Option<Begun>),
    deadline: Instant,
) -> Result<Answered, Failure> {
    let endpoint = live.plan.endpoint(id);
    match endpoint.answer.writes() {
        true => detached(live.clone(), id, (client, begun), deadline).await,
        false => exec::answer(live, &endpoint.answer, &client, deadline).await,
    }
}

/// Answers in a task of its own, because something is written: once begun it comes to its end,
/// whether its client stays or not.
async fn detached(
    live: Arc<Live>,
    endpoint: EndpointId,
    (client, begun): (ClientRequest, Option<Begun>),
    deadline: Instant,
) -> Result<Answered, Failure> {
    let task = live.detached.clone().spawn(async move {
        let answer = &live.plan.endpoint(endpoint).answer;
        let answered = exec::answer(&live, answer, &client, deadline).await;
        if let Some(begun) = begun {
            begun.finish(&answered).await;
        }
        answered
    });
    match task.await {
        Ok(answered) => answered,
        Err(error) => Err(Failure::new(Cause::Internal, format!("a composition broke off: {error}"))),
    }
}

/// The answer that the first request with the same key got.
fn again(outcome: &Result<Answered, Failure>) -> Result<Response<AnswerBody>, Failure> {
    let mut response = response(outcome.clone()?);
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

fn response(answered: Answered) -> Response<AnswerBody> {
    let mut headers: HeaderMap = answered.headers;
    if !answered.partial.is_empty()
        && let Ok(value) = HeaderValue::from_str(&answered.partial.header())
    {
        headers.insert(PARTIAL, value);
        // What is incomplete now may be whole the next time.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    let body = match answered.body {
        Some(bytes) => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
            AnswerBody::from(bytes)
        }
        None => AnswerBody::empty(),
    };
    let mut response = Response::new(body);
    *response.status_mut() = answered.status;
    *response.headers_mut() = headers;
    response
}

/// What the tail parameter took; empty without one.
fn tail(endpoint: &Endpoint, parameters: &[&str]) -> String {
    match endpoint.segments.last() {
        Some(Segment::Tail(_)) => parameters.last().copied().unwrap_or_default().to_owned(),
        _ => String::new(),
    }
}

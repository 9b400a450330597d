//! REST in front: finds the endpoint, reads arguments and body, writes the answer.

mod args;
mod body;
mod routes;
mod violations;

use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, LINK};
use http::{HeaderMap, HeaderValue, Response};
use http_body::Body as _;
use http_body_util::BodyExt as _;

use super::listen::{AnswerBody, RequestBody};
use crate::base::failure::{Cause, Failure};
use crate::base::id::EndpointId;
use crate::base::upload::{Stream, Upload};
use crate::exec::{self, Answered, ClientRequest, Live};
use crate::plan::{Answer, BodyType, Endpoint, Segment};
use crate::transport;

use violations::Violations;

pub use routes::{Found, Routes};

/// What the answer had to do without: a list of steps with a code each.
pub const PARTIAL: HeaderName = HeaderName::from_static("selvedge-partial");

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
    let deadline = Instant::now() + endpoint.timeout;
    let mut violations = Violations::default();
    (client.tail, client.args) = {
        let parameters: Vec<&str> =
            matched.parameters.iter().filter_map(|bytes| client.path().get(bytes.clone())).collect();
        let args = args::coerce(&live.plan, endpoint, (&parameters, &client), &mut violations);
        (tail(endpoint, &parameters), args)
    };
    match &endpoint.answer {
        Answer::Proxy(proxy) => {
            violations.refuse()?;
            let (stream, broke_off) = passed_on(body, proxy.max_body)?;
            let body = transport::RequestBody::Stream(stream);
            // Boxed, or every request would have room for the exchange of one that is passed through.
            let response = Box::pin(exec::forward(live, proxy, (client, body), deadline)).await;
            // When the client's own body broke the exchange, that is what it must be told.
            let response = response.map_err(|failure| match broke_off.get() {
                Some(cause) => Failure::new(*cause, failure.log),
                None => failure,
            })?;
            Ok(response.map(|body| AnswerBody::stream(body.map_err(Into::into))))
        }
        Answer::Compose(_) | Answer::Query(_) => {
            let upload = match &endpoint.body {
                Some(BodyType::Upload) => Some(body),
                Some(ty) => {
                    let message = live.messages[matched.endpoint.index()].as_ref();
                    let sent = (&client.head.headers, body);
                    client.body = body::read(&live.plan, (endpoint, ty, message), sent, &mut violations).await?;
                    None
                }
                None => None,
            };
            violations.refuse()?;
            perform(live, matched.endpoint, (client, upload), deadline).await
        }
    }
}

/// Runs what answers. An upload is handed to it as it comes.
async fn perform(
    live: &Arc<Live>,
    id: EndpointId,
    (mut client, upload): (ClientRequest, Option<RequestBody>),
    deadline: Instant,
) -> Result<Response<AnswerBody>, Failure> {
    let endpoint = live.plan.endpoint(id);
    let mut broke_off = None;
    if let Some(body) = upload {
        let headers = &client.head.headers;
        if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
            return Err(Failure::told(Cause::UnsupportedMediaType, "The request body must not be compressed."));
        }
        let media_type = headers.get(CONTENT_TYPE).cloned();
        let (stream, noted) = passed_on(body, Some(endpoint.max_body))?;
        client.upload = Some(Upload::new(stream, media_type));
        broke_off = Some(noted);
    }
    let answered = match endpoint.answer.writes() {
        true => detached(live.clone(), id, client, deadline).await,
        false => exec::answer(live, &endpoint.answer, &client, deadline).await,
    };
    // Whatever became of it: what the client's own body broke is the client's to hear.
    match broke_off.and_then(|broke_off| broke_off.get().copied()) {
        Some(cause) => Err(Failure::new(cause, "the upload broke off")),
        None => Ok(response(answered?)),
    }
}

/// The body of a request on its way through, and why it broke off if it does.
fn passed_on(body: RequestBody, max: Option<u64>) -> Result<(Stream, Arc<OnceLock<Cause>>), Failure> {
    let max = max.unwrap_or(u64::MAX);
    if body.size_hint().lower() > max {
        return Err(Failure::new(Cause::BodyTooLarge, "the declared length is over the endpoint's cap"));
    }
    let broke_off = Arc::new(OnceLock::new());
    let noted = broke_off.clone();
    let body = body.capped(max).map_err(move |error| {
        // The first reason is the one that counts.
        let _ = noted.set(error.cause());
        error.into()
    });
    Ok((body.boxed_unsync(), broke_off))
}

/// Answers in a task of its own, because something is written: once begun it comes to its end,
/// whether its client stays or not.
async fn detached(
    live: Arc<Live>,
    endpoint: EndpointId,
    client: ClientRequest,
    deadline: Instant,
) -> Result<Answered, Failure> {
    let task = live.detached.clone().spawn(async move {
        let answer = &live.plan.endpoint(endpoint).answer;
        exec::answer(&live, answer, &client, deadline).await
    });
    match task.await {
        Ok(answered) => answered,
        Err(error) => Err(Failure::new(Cause::Internal, format!("a composition broke off: {error}"))),
    }
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

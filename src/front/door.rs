//! The client-side pipeline: what happens to every request, in its fixed order.
//!
//! request id → path check → route → front → answer headers → access log. It mirrors
//! [`crate::call::run`] on the other side.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use http::header::{ALLOW, CONTENT_LENGTH, HeaderName, SERVER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};

use super::graphql;
use super::listen::{AnswerBody, Handler, Peer, RequestBody};
use super::problem;
use super::rest::{self, Found, Routes};
use crate::base::failure::{Cause, Failure};
use crate::exec::{ClientRequest, Live, Query};
use crate::observe::access::{AccessRecord, access, access_enabled};

/// The request's id, in both directions.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// An id that a client sends is kept when it is no longer than this and of plain characters.
const ID_LENGTH: usize = 128;

/// Everything that stands between the listener and a plan.
#[derive(Debug)]
pub struct Door {
    live: Arc<Live>,
    routes: Routes,
    graphql: Option<graphql::Front>,
    ids: Ids,
}

impl Door {
    /// A door to a plan.
    pub fn new(live: Arc<Live>) -> Self {
        let routes = Routes::new(&live.plan);
        let graphql = graphql::Front::new(&live);
        Self { live, routes, graphql, ids: Ids::new() }
    }

    /// Answers one request.
    pub async fn handle(&self, request: Request<RequestBody>, peer: Peer) -> Response<AnswerBody> {
        let id = self.ids.of(request.headers());
        let mut exchange = Exchange::begin(&request, &id, peer);
        let head = *request.method() == Method::HEAD;
        let answered = self.answer(request, &id, (peer, &mut exchange)).await;
        let mut response = answered.unwrap_or_else(|failure| {
            exchange.failed(&failure);
            problem::response(&failure, &id)
        });
        finish(&mut response, &id);
        exchange.end(&response);
        if head { without_body(response) } else { response }
    }

    async fn answer(
        &self,
        request: Request<RequestBody>,
        id: &str,
        (peer, exchange): (Peer, &mut Exchange),
    ) -> Result<Response<AnswerBody>, Failure> {
        check_path(request.uri().path())?;
        let client = client_request(&request, id, peer);
        if let Some(graphql) = self.graphql.as_ref().filter(|graphql| graphql.is_at(&client.path)) {
            exchange.route = Some(client.path.clone());
            let served = graphql.serve(&self.live, client, request).await?;
            exchange.cause = served.cause;
            exchange.partial = served.response.headers().get(rest::PARTIAL).cloned();
            return Ok(served.response);
        }
        match self.routes.find(&self.live.plan, request.method(), request.uri().path()) {
            Found::Endpoint(matched) => {
                exchange.route = Some(self.live.plan.endpoint(matched.endpoint).path.to_string());
                let answered = rest::serve(&self.live, &matched, client, request).await?;
                exchange.partial = answered.headers().get(rest::PARTIAL).cloned();
                Ok(answered)
            }
            Found::OtherMethods(methods) if *request.method() == Method::OPTIONS => Ok(options(&methods)),
            Found::OtherMethods(methods) => {
                let failure = Failure::new(Cause::MethodNotAllowed, "no endpoint of this path takes the method");
                exchange.failed(&failure);
                let mut response = problem::response(&failure, id);
                response.headers_mut().insert(ALLOW, allow(&methods));
                Ok(response)
            }
            Found::Nothing => Err(Failure::new(Cause::NotFound, "no endpoint has this path")),
        }
    }
}

/// The door as the listener hands requests to it.
#[derive(Clone, Debug)]
pub struct Shared(pub Arc<Door>);

impl Handler for Shared {
    async fn handle(&self, request: Request<RequestBody>, peer: Peer) -> Response<AnswerBody> {
        self.0.handle(request, peer).await
    }
}

/// A path that one reader could take for another: dot segments, also encoded, and characters that
/// end text elsewhere.
fn check_path(path: &str) -> Result<(), Failure> {
    let dots = |segment: &str| {
        let plain = segment.replace("%2e", ".").replace("%2E", ".");
        plain == "." || plain == ".."
    };
    let lower = path.to_ascii_lowercase();
    if !path.starts_with('/') && path != "*"
        || path.split('/').any(dots)
        || lower.contains("%00")
        || path.contains('\\')
    {
        return Err(Failure::told(Cause::BadRequest, "The path holds a dot segment or a forbidden character."));
    }
    Ok(())
}

fn client_request(request: &Request<RequestBody>, id: &str, peer: Peer) -> ClientRequest {
    ClientRequest {
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        tail: String::new(),
        query: request.uri().query().map(Query::parse).unwrap_or_default(),
        headers: request.headers().clone(),
        client_ip: peer.address.ip(),
        id: id.to_owned(),
        time: SystemTime::now(),
        args: Default::default(),
        body: Default::default(),
        lazy: Default::default(),
    }
}

fn options(methods: &[Method]) -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(ALLOW, allow(methods));
    response
}

fn allow(methods: &[Method]) -> HeaderValue {
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    HeaderValue::from_str(&names.join(", ")).unwrap_or(HeaderValue::from_static("GET"))
}

/// What every answer carries.
fn finish(response: &mut Response<AnswerBody>, id: &str) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.entry(SERVER).or_insert(HeaderValue::from_static("selvedge"));
}

/// The answer to HEAD: what GET would say, without the body.
fn without_body(response: Response<AnswerBody>) -> Response<AnswerBody> {
    let (mut parts, body) = response.into_parts();
    if let Some(length) = http_body::Body::size_hint(&body).exact().filter(|length| *length > 0) {
        parts.headers.entry(CONTENT_LENGTH).or_insert(HeaderValue::from(length));
    }
    Response::from_parts(parts, AnswerBody::empty())
}

/// Ids of requests: unique over restarts and instances, without a lock.
#[derive(Debug)]
struct Ids {
    /// Drawn at start.
    instance: u64,
    next: AtomicU64,
}

impl Ids {
    fn new() -> Self {
        use std::hash::{BuildHasher as _, RandomState};
        let instance = RandomState::new().hash_one((std::process::id(), SystemTime::now()));
        Self { instance, next: AtomicU64::new(1) }
    }

    /// The id that a client sent, when it is fit to be logged and passed on, else a new one.
    fn of(&self, headers: &HeaderMap) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | '+' | '=');
        let sent = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
        match sent {
            Some(id) if !id.is_empty() && id.len() <= ID_LENGTH && id.chars().all(plain) => id.to_owned(),
            _ => format!("{:016x}-{:x}", self.instance, self.next.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

/// The facts of one request for the access log. A client that leaves is logged too: then this is
/// dropped before it ends.
#[must_use]
#[derive(Debug)]
pub struct Exchange {
    record: Option<Record>,
    /// The endpoint's path, once it is known.
    pub route: Option<String>,
    /// The code of the failure that made the answer.
    pub cause: Option<String>,
    /// What the answer had to do without.
    pub partial: Option<HeaderValue>,
}

#[derive(Debug)]
struct Record {
    started: Instant,
    id: String,
    method: Method,
    path: String,
    version: Version,
    peer: Peer,
}

impl Exchange {
    fn begin(request: &Request<RequestBody>, id: &str, peer: Peer) -> Self {
        let record = access_enabled().then(|| Record {
            started: Instant::now(),
            id: id.to_owned(),
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            version: request.version(),
            peer,
        });
        Self { record, route: None, cause: None, partial: None }
    }

    /// Notes why the answer is a failure.
    pub fn failed(&mut self, failure: &Failure) {
        if failure.cause.fault() != crate::base::failure::Fault::Client {
            tracing::warn!(code = failure.code(), log = &*failure.log, "a request failed");
        }
        self.cause = Some(failure.code().to_owned());
    }

    fn end(mut self, response: &Response<AnswerBody>) {
        let bytes = http_body::Body::size_hint(response.body()).exact().unwrap_or(0);
        self.log(response.status().as_u16(), bytes);
    }

    fn log(&mut self, status: u16, bytes_out: u64) {
        let Some(record) = self.record.take() else { return };
        access(&AccessRecord {
            request_id: &record.id,
            method: record.method.as_str(),
            path: &record.path,
            route: self.route.as_deref(),
            version: match record.version {
                Version::HTTP_10 => "1.0",
                Version::HTTP_2 => "2",
                _ => "1.1",
            },
            status,
            duration: record.started.elapsed(),
            bytes_out,
            client: record.peer.address,
            cause: self.cause.as_deref(),
            partial: self.partial.as_ref().and_then(|partial| partial.to_str().ok()),
        });
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if self.record.is_some() {
            self.cause.get_or_insert_with(|| Cause::ClientLeft.code().to_owned());
            self.log(Cause::ClientLeft.status(), 0);
        }
    }
}

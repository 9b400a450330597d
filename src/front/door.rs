//! The client-side pipeline: what happens to every request, in its fixed order.
//!
//! request id → path check → route → a place among the requests under way → front → answer headers → access log. It mirrors
//! [`crate::call::run`] on the other side.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use http::header::{ALLOW, CONTENT_LENGTH, LINK};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};

use super::coding::{Accepted, Coder, ToHead};
use super::exchange::{Exchange, log_refused};
use super::graphql;
use super::listen::refusal::REQUEST_ID;
use super::listen::{AnswerBody, Peer, Refused, RequestBody, host};
use super::problem;
use super::rest::{self, Found, Routes};
use crate::base::failure::{Cause, Failure};
use crate::call::{Calls, Clients, Shared};
use crate::exec::idempotency::Kept;
use crate::exec::{ClientRequest, Live};
use crate::observe::drift::Drift;
use crate::plan::{Plan, Succession};
use crate::policy::overload::{Class, Overload, Place, Shed};

/// An id that a client sends is kept when it is no longer than this and of plain characters.
const ID_LENGTH: usize = 128;

/// Requests that may be under way for each worker, where nothing is written.
const REQUESTS: usize = 2_000;

/// Everything that stands between the listener and a plan.
#[derive(Debug)]
pub(super) struct Door {
    live: Arc<Live>,
    routes: Arc<Routes>,
    graphql: Option<Arc<graphql::Front>>,
    ids: Arc<Ids>,
    overload: Arc<Overload>,
    coder: Coder,
}

impl Door {
    /// Doors to a plan, one for each worker: they share what a plan has once, and each has clients to
    /// the backends of its own.
    pub(super) fn for_workers(plan: &Arc<Plan>, clients: Clients) -> Vec<Self> {
        let workers = clients.workers;
        let drift = Arc::new(Drift::new(&plan.promises));
        let shared = Arc::new(Shared::new(plan, clients));
        let kept = Arc::<Kept>::default();
        let calls = |worker| Calls::new(plan.clone(), shared.clone(), worker, drift.doubt().clone());
        let lives = (0..workers).map(|worker| Live::new(calls(worker), drift.clone(), kept.clone()));
        Self::around(plan, (&Arc::new(Ids::new()), &Arc::default()), lives.collect())
    }

    /// Doors to a plan that follows on that of the doors before it: what does not change goes on as it is.
    pub(super) fn succeeding(plan: &Arc<Plan>, previous: &[Arc<Self>]) -> Vec<Self> {
        let Some(first) = previous.first() else { return Vec::new() };
        let succession = Succession::between(first.plan(), plan);
        let drift = Arc::new(first.drift().followed_by(&plan.promises));
        let shared = Arc::new(Shared::succeeding(plan, (&succession, first.shared())));
        let live = |(worker, door): (usize, &Arc<Self>)| {
            let calls = Calls::new(plan.clone(), shared.clone(), worker, drift.doubt().clone());
            Live::succeeding(calls, drift.clone(), (&succession, &door.live))
        };
        let lives = previous.iter().enumerate().map(live);
        Self::around(plan, (&first.ids, &first.overload), lives.collect())
    }

    fn around(plan: &Arc<Plan>, (ids, overload): (&Arc<Ids>, &Arc<Overload>), lives: Vec<Live>) -> Vec<Self> {
        overload.limit_to(plan.gateway.overload.requests.unwrap_or(REQUESTS * lives.len()));
        let routes = Arc::new(Routes::new(plan));
        let graphql = graphql::Front::new(plan).map(Arc::new);
        let door = |live| Self {
            live: Arc::new(live),
            routes: routes.clone(),
            graphql: graphql.clone(),
            ids: ids.clone(),
            overload: overload.clone(),
            coder: Coder::default(),
        };
        lives.into_iter().map(door).collect()
    }

    /// What it answers by.
    pub(super) fn plan(&self) -> &Arc<Plan> {
        &self.live.plan
    }

    /// What replies do not keep, as all doors of the plan count it.
    pub(super) fn drift(&self) -> &Arc<Drift> {
        &self.live.drift
    }

    /// The requests under way, through all doors together.
    pub(super) fn overload(&self) -> &Arc<Overload> {
        &self.overload
    }

    /// The states of policies, as all doors of the plan share them.
    pub(super) fn shared(&self) -> &Arc<Shared> {
        self.live.calls.shared()
    }

    /// A place for a request, before anything of it is looked at but where it goes.
    fn place(&self, class: Class) -> Result<Place, Failure> {
        self.overload.enter(class).map_err(overloaded)
    }

    /// Waits until everything that runs on without its client has come to its end.
    pub(super) async fn detached(&self) {
        self.live.detached.close();
        self.live.detached.wait().await;
    }

    /// Answers one request.
    pub(super) async fn handle(&self, request: Request<RequestBody>, peer: Peer) -> Response<AnswerBody> {
        let (head, body) = request.into_parts();
        let id = self.ids.of(&head.headers);
        let mut exchange = Exchange::begin(&head, &id, peer);
        let to_head = if head.method == Method::HEAD { ToHead::Yes } else { ToHead::No };
        let accepted = Accepted::of(&head.headers);
        let client = ClientRequest::new(head, id.clone(), peer.address.ip());
        let answered = self.answer(client, body, &mut exchange).await;
        let mut response = answered.unwrap_or_else(|failure| {
            exchange.failed(&failure);
            problem::response(&failure, &id)
        });
        response.headers_mut().insert(REQUEST_ID, id);
        let response = self.coder.code(response, accepted, to_head);
        exchange.answer(if to_head == ToHead::Yes { headers_only(response) } else { response })
    }

    /// Logs a request that the listener refused, as far as it could be read, and names it.
    pub(super) fn refused(&self, refused: &Refused<'_>, peer: Peer) -> HeaderValue {
        let id = self.ids.next();
        log_refused(refused, &id, peer);
        id
    }

    async fn answer(
        &self,
        client: ClientRequest,
        body: RequestBody,
        exchange: &mut Exchange,
    ) -> Result<Response<AnswerBody>, Failure> {
        if client.path() == "*" {
            // The listener lets this pass with OPTIONS alone: it asks for the server, not for a path.
            return Ok(options(&[]));
        }
        check_path(client.path())?;
        if let Some(graphql) = self.graphql.as_ref().filter(|graphql| graphql.is_at(client.path())) {
            exchange.route = Some(graphql.path().clone());
            if client.head.method == Method::OPTIONS {
                return Ok(options(&[Method::GET, Method::HEAD, Method::POST, Method::OPTIONS]));
            }
            let place = exchange.place.insert(self.place(graphql.class())?);
            let served = graphql.serve(&self.live, (client, body), place).await?;
            exchange.cause = served.cause;
            exchange.partial = served.response.headers().get(rest::PARTIAL).cloned();
            return Ok(served.response);
        }
        match self.routes.find(host(&client.head), &client.head.method, client.path()) {
            Found::Endpoint(matched) => {
                let endpoint = self.live.plan.endpoint(matched.endpoint);
                exchange.route = Some(endpoint.path.clone());
                exchange.place = Some(self.place(endpoint.class)?);
                let notice = rest::notice(endpoint, client.path(), &matched.parameters);
                let answered = rest::serve(&self.live, &matched, client, body).await;
                let mut response = answered.unwrap_or_else(|failure| {
                    exchange.failed(&failure);
                    problem::response(&failure, &exchange.id)
                });
                exchange.partial = response.headers().get(rest::PARTIAL).cloned();
                add(&notice, response.headers_mut());
                Ok(response)
            }
            Found::OtherMethods(methods) if client.head.method == Method::OPTIONS => Ok(options(&methods)),
            Found::OtherMethods(methods) => {
                let failure = Failure::new(Cause::MethodNotAllowed, "no endpoint of this path takes the method");
                exchange.failed(&failure);
                let mut response = problem::response(&failure, &client.id);
                response.headers_mut().insert(ALLOW, allow(&methods));
                Ok(response)
            }
            Found::Nothing => Err(Failure::new(Cause::NotFound, "no endpoint has this path")),
        }
    }
}

/// What a request hears that finds no place.
pub(super) fn overloaded(Shed: Shed) -> Failure {
    let failure = Failure::new(Cause::Overloaded, "more requests are under way than there may be");
    Failure { retry_after: Some(Duration::from_secs(1)), ..failure }
}

/// A path that one reader could take for another: dot segments, also encoded, and characters that
/// end text elsewhere.
fn check_path(path: &str) -> Result<(), Failure> {
    let suspect = memchr::memchr3(b'.', b'%', b'\\', path.as_bytes()).is_some();
    if path.starts_with('/') && !(suspect && is_ambiguous(path)) {
        return Ok(());
    }
    Err(Failure::told(Cause::BadRequest, "The path holds a dot segment or a forbidden character."))
}

fn is_ambiguous(path: &str) -> bool {
    let plain = path.replace("%2e", ".").replace("%2E", ".");
    path.contains('\\') || path.contains("%00") || plain.split('/').any(|segment| matches!(segment, "." | ".."))
}

fn options(methods: &[Method]) -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if !methods.is_empty() {
        response.headers_mut().insert(ALLOW, allow(methods));
    }
    response
}

fn allow(methods: &[Method]) -> HeaderValue {
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    HeaderValue::from_str(&names.join(", ")).unwrap_or(HeaderValue::from_static("GET"))
}

/// Adds what the gateway says of an endpoint. What the answer says itself stays; links stand side by side.
fn add(notice: &HeaderMap, headers: &mut HeaderMap) {
    for (name, value) in notice {
        if name == LINK || !headers.contains_key(name) {
            headers.append(name, value.clone());
        }
    }
}

/// The answer to HEAD: what GET would say, without the body.
fn headers_only(response: Response<AnswerBody>) -> Response<AnswerBody> {
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
    /// The number of the next one.
    count: AtomicU64,
}

impl Ids {
    fn new() -> Self {
        use std::hash::{BuildHasher as _, RandomState};
        let instance = RandomState::new().hash_one((std::process::id(), SystemTime::now()));
        Self { instance, count: AtomicU64::new(1) }
    }

    /// The id that a client sent, when it is the only one and fit to be logged and passed on, else a new one.
    fn of(&self, headers: &HeaderMap) -> HeaderValue {
        let plain = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.' | b':' | b'/' | b'+' | b'=');
        let mut sent = headers.get_all(REQUEST_ID).iter();
        match sent.next().filter(|_| sent.next().is_none()) {
            Some(id) if !id.is_empty() && id.len() <= ID_LENGTH && id.as_bytes().iter().all(plain) => id.clone(),
            _ => self.next(),
        }
    }

    /// A new id.
    fn next(&self) -> HeaderValue {
        let id = format!("{:016x}-{:x}", self.instance, self.count.fetch_add(1, Ordering::Relaxed));
        HeaderValue::from_maybe_shared(bytes::Bytes::from(id)).unwrap_or(HeaderValue::from_static("0"))
    }
}

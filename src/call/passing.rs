//! Requests that are passed through, and the HTTP cache before them.
//!
//! What is kept answers where it may. Else the request goes on, and its reply is kept while it passes. A stale reply is
//! asked about first, and serves when its backend fails and it said so.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, Method, Response, StatusCode};
use http_body_util::BodyExt as _;
use tokio::time::Instant;

use super::Calls;
use super::passed::{Keeping, PassedBody};
use crate::base::failure::{Cause, Failure};
use crate::base::id::PoliciesId;
use crate::policy::http_cache::{Asked, Came, Forwarded, Found, Kept, Key, Stored, Use, is_storable, status_field};
use crate::transport::{Passage, RequestBody};

/// A client's request on its way through, with what stands around it.
#[derive(Debug)]
pub struct Passing {
    /// The request and where it goes.
    pub passage: Passage,
    /// What stands around it.
    pub policies: PoliciesId,
    /// The fields that a composition writes into it, where replies to it are kept; `None` keeps none.
    pub cached: Option<Box<[HeaderName]>>,
}

/// The reply to a request that was passed through.
#[derive(Debug)]
pub struct Passed {
    /// The reply; its body may be still to come.
    pub response: Response<PassedBody>,
    /// A kept reply is served that is to be fetched anew.
    pub refresh: Option<Refresh>,
}

/// A kept reply that is to be fetched anew behind the answer. Dropped, it lets another request do it.
#[derive(Debug)]
#[must_use]
pub struct Refresh {
    turn: Turn,
    passage: Passage,
    asking: Asking,
    within: Duration,
}

/// The turn to fetch a kept reply anew, which one request has at a time.
#[derive(Debug)]
struct Turn(Arc<Stored>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.end_refresh();
    }
}

/// What the reply to a request is kept by.
#[derive(Debug)]
struct Asking {
    policies: PoliciesId,
    key: Key,
    /// The fields that a composition writes into the request.
    declared: Box<[HeaderName]>,
}

impl Calls {
    /// Passes a request through, or answers it with what is kept.
    ///
    /// # Errors
    /// As [`super::run`]; no reply head before the deadline; nothing is kept and the request takes nothing else.
    pub async fn forward(&self, passing: Passing) -> Result<Passed, Failure> {
        let Passing { passage, policies, cached } = passing;
        let request = Asked::of(passage.request.method(), passage.request.headers());
        match cached {
            Some(declared) if request.is_answerable() => self.cached((passage, policies), request, declared).await,
            cached => self.around(passage, policies, cached.is_some()).await,
        }
    }

    /// Passes a request on that no kept reply can answer; if it changes something, what it changes is kept no more.
    async fn around(&self, passage: Passage, policies: PoliciesId, is_cached: bool) -> Result<Passed, Failure> {
        let (backend, method) = (passage.backend, passage.request.method().clone());
        let is_write = !method.is_safe() && self.plan.around.self_telling.contains(&backend);
        let changed = is_write.then(|| passage.target.clone());
        let mut response = self.passed(passage, self.policies(policies)).await?;
        if let Some(target) = changed {
            self.invalidate(backend, (&method, target.as_str()), (response.status(), response.headers()));
        }
        if is_cached {
            let why =
                if method == Method::GET || method == Method::HEAD { Forwarded::Bypass } else { Forwarded::Method };
            say(&mut response, |status| Kept::Sent(why, status));
        }
        Ok(Passed { response: response.map(PassedBody::Streamed), refresh: None })
    }

    async fn cached(
        &self,
        (passage, policies): (Passage, PoliciesId),
        request: Asked,
        declared: Box<[HeaderName]>,
    ) -> Result<Passed, Failure> {
        let key = key(self.shared.stamp(passage.backend), passage.target.as_str());
        let asked = passage.request.headers();
        let (stored, why) = match self.shared.http_replies().find(&key, (asked, &declared)) {
            Found::Stored(stored) => match request.of_stored(&stored, Instant::now()) {
                Use::Answer => return Ok(Passed { response: answer(&stored, asked), refresh: None }),
                Use::AnswerAndRefresh => {
                    let response = answer(&stored, asked);
                    let asking = Asking { policies, key, declared };
                    let refresh = stored.begin_refresh().then(|| Refresh::new(Turn(stored), passage, asking));
                    return Ok(Passed { response, refresh });
                }
                Use::Ask => (Some(stored), Forwarded::Stale),
                Use::AskAnyway => (Some(stored), Forwarded::Request),
            },
            Found::Others => (None, Forwarded::VaryMiss),
            Found::Nothing => (None, Forwarded::UriMiss),
        };
        if request.only_if_cached() {
            return Err(Failure::new(Cause::NotCached, "nothing that is kept can answer"));
        }
        let response = self.fetch(passage, Asking { policies, key, declared }, (stored, why)).await?;
        Ok(Passed { response, refresh: None })
    }

    /// Asks the backend, about what is kept where there is something, and keeps what it says.
    async fn fetch(
        &self,
        mut passage: Passage,
        asking: Asking,
        (stored, why): (Option<Arc<Stored>>, Forwarded),
    ) -> Result<Response<PassedBody>, Failure> {
        let began = Instant::now();
        let is_get = passage.request.method() == Method::GET;
        // As the client sent them, with what the composition wrote.
        let asked = passage.request.headers().clone();
        let asked_about =
            stored.as_ref().is_some_and(|stored| is_get && stored.ask_about(passage.request.headers_mut()));
        let outcome = self.passed(passage, self.policies(asking.policies)).await;
        let at = Instant::now();
        let came = Came { wall: SystemTime::now(), at, delay: at - began };
        let failed = match &outcome {
            Ok(response) => matches!(response.status().as_u16(), 500 | 502 | 503 | 504),
            Err(_) => true,
        };
        if let Some(stored) = stored.as_ref().filter(|stored| failed && stored.serves_on_error(at)) {
            let mut answer = plain_answer(stored, &asked);
            say(&mut answer, |_| Kept::InPlace(why));
            return Ok(answer);
        }
        let mut response = outcome?;
        if let Some(stored) = stored.as_ref().filter(|_| asked_about && response.status() == StatusCode::NOT_MODIFIED) {
            let freshened = stored.freshened(&asked, response.headers(), came);
            let mut answer = plain_answer(&freshened, &asked);
            say(&mut answer, |_| Kept::Stored(why, StatusCode::NOT_MODIFIED));
            self.shared.http_replies().keep(asking.key, freshened, began);
            return Ok(answer);
        }
        if let Some(stored) = stored.as_ref().filter(|_| is_get && !failed) {
            self.shared.http_replies().forget(&asking.key, stored);
        }
        if !is_get || !is_storable(&asked, (response.status(), response.headers()), came) {
            say(&mut response, |status| Kept::Sent(why, status));
            return Ok(response.map(PassedBody::Streamed));
        }
        let head = (response.status(), response.headers().clone());
        say(&mut response, |status| Kept::Stored(why, status));
        let (Asking { key, declared, .. }, store) = (asking, self.shared.http_replies().clone());
        Ok(response.map(|body| PassedBody::copied(body, Keeping { store, key, asked, declared, head, came, began })))
    }

    /// Fetches a kept reply anew. What becomes of it is seen by the next request.
    pub async fn refresh(&self, refresh: Refresh) {
        let Refresh { turn, mut passage, asking, within } = refresh;
        passage.deadline = Instant::now() + within;
        let deadline = passage.deadline;
        let known = (Some(turn.0.clone()), Forwarded::Stale);
        let fetched = async {
            let mut response = self.fetch(passage, asking, known).await.ok()?;
            while let Some(Ok(_)) = response.body_mut().frame().await {}
            Some(())
        };
        let _ = tokio::time::timeout_at(deadline, fetched).await;
    }
}

impl Refresh {
    /// The request that was answered, to be sent as a GET by nobody in a hurry.
    fn new(turn: Turn, passage: Passage, asking: Asking) -> Self {
        let within = passage.deadline.saturating_duration_since(Instant::now());
        let mut request = passage.request.map(|_| RequestBody::Whole(None));
        *request.method_mut() = Method::GET;
        Self { turn, passage: Passage { request, is_hurried: false, ..passage }, asking, within }
    }
}

/// What the replies of a target are kept under.
pub(super) fn key(backend: u64, target: &str) -> Key {
    Key { backend, target: target.into() }
}

/// What is kept as the answer to a request with these fields: itself, or that the client has it already.
fn answer(stored: &Stored, asked: &HeaderMap) -> Response<PassedBody> {
    let (lifetime, age) = (stored.lifetime(), stored.age(Instant::now()));
    // In whole seconds, as the age that stands beside it.
    let left = (age < lifetime).then(|| Duration::from_secs(lifetime.as_secs().saturating_sub(age.as_secs())));
    let mut response = plain_answer(stored, asked);
    say(&mut response, |_| Kept::Hit(left));
    response
}

fn plain_answer(stored: &Stored, asked: &HeaderMap) -> Response<PassedBody> {
    let mut headers = stored.answered(Instant::now());
    let is_known = stored.is_known_to(asked);
    let mut response = Response::new(PassedBody::Stored(stored.body().clone()));
    *response.status_mut() = stored.status();
    if is_known {
        Stored::without_body(&mut headers);
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = PassedBody::Stored(bytes::Bytes::new());
    }
    *response.headers_mut() = headers;
    response
}

/// Says in an answer what became of its request.
fn say<B>(response: &mut Response<B>, kept: impl FnOnce(StatusCode) -> Kept) {
    if let Some((name, value)) = status_field(kept(response.status())) {
        response.headers_mut().append(name, value);
    }
}

//! Requests that are passed through, and the HTTP cache before them.
//!
//! What is kept answers where it may. Else the request goes on, and its reply is kept while it passes. A stale reply is
//! asked about first, and serves when its backend fails and it said so.

use std::sync::Arc;
use std::time::{Duration, Instant as StdInstant, SystemTime};

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tokio::time::Instant;

use super::Calls;
use super::passed::{Keeping, PassedBody};
use super::streamed::Streamed;
use crate::base::failure::{Cause, Failure};
use crate::base::id::{BackendId, PoliciesId};
use crate::policy::http_cache::{
    Asked, Came, Forwarded, Found, Kept, Key, Stored, Use, invalidated, is_storable, status_field,
};
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
    stored: Arc<Stored>,
    asking: Asking,
    target: PathAndQuery,
    affinity: Option<u64>,
    within: Duration,
}

/// A GET whose reply can be kept.
#[derive(Debug)]
struct Asking {
    backend: BackendId,
    policies: PoliciesId,
    key: Key,
    method: Method,
    /// As the client sent them, with what the composition wrote.
    headers: HeaderMap,
    declared: Box<[HeaderName]>,
}

impl Drop for Refresh {
    fn drop(&mut self) {
        self.stored.end_refresh();
    }
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
        let (backend, method, target) = (passage.backend, passage.request.method().clone(), passage.target.clone());
        let mut response = self.passed(passage, self.policies(policies)).await?;
        self.invalidate(backend, (&method, target.as_str()), (response.status(), response.headers()));
        if is_cached {
            let why =
                if method == Method::GET || method == Method::HEAD { Forwarded::Bypass } else { Forwarded::Method };
            say(&mut response, |status| Kept::Sent(why, status));
        }
        Ok(Passed { response: response.map(PassedBody::Streamed), refresh: None })
    }

    /// Forgets what a write made wrong.
    fn invalidate(
        &self,
        backend: BackendId,
        (method, target): (&Method, &str),
        (status, headers): (StatusCode, &HeaderMap),
    ) {
        let addresses = &self.plan.backends[backend.index()].addresses;
        let authorities: Vec<&str> = addresses.iter().map(|address| address.authority.as_str()).collect();
        let number = self.shared.number(backend);
        for target in invalidated((method, target), (status, headers), &authorities) {
            let prefixes = addresses.iter().map(|address| &*address.prefix).filter(|prefix| !prefix.is_empty());
            let inner = prefixes.filter_map(|prefix| target.strip_prefix(prefix)).find(|rest| rest.starts_with('/'));
            let key = Key { backend: number, target: inner.unwrap_or(&target).into() };
            self.shared.http_replies().invalidate(key, Instant::now());
        }
    }

    async fn cached(
        &self,
        (passage, policies): (Passage, PoliciesId),
        request: Asked,
        declared: Box<[HeaderName]>,
    ) -> Result<Passed, Failure> {
        let key = Key { backend: self.shared.number(passage.backend), target: passage.target.as_str().into() };
        let (method, headers) = (passage.request.method().clone(), passage.request.headers().clone());
        let asking = Asking { backend: passage.backend, policies, key, method, headers, declared };
        let now = Instant::now();
        let found = self.shared.http_replies().find(&asking.key, (&asking.headers, &asking.declared));
        let (stored, why) = match found {
            Found::Stored(stored) => match request.of_stored(&stored, now) {
                Use::Answer => return Ok(Passed { response: answer(&stored, &asking.headers), refresh: None }),
                Use::AnswerAndRefresh => {
                    let response = answer(&stored, &asking.headers);
                    let within = passage.deadline.saturating_duration_since(StdInstant::now());
                    let (target, affinity) = (passage.target, passage.affinity);
                    let refresh = stored.begin_refresh().then(|| Refresh {
                        stored: stored.clone(),
                        asking,
                        target,
                        affinity,
                        within,
                    });
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
        let response = self.fetch(passage, asking, (stored, why)).await?;
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
        let is_get = asking.method == Method::GET;
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
            let mut answer = plain_answer(stored, &asking.headers);
            say(&mut answer, |_| Kept::InPlace(why));
            return Ok(answer);
        }
        let response = outcome?;
        if let Some(stored) = stored.as_ref().filter(|_| asked_about && response.status() == StatusCode::NOT_MODIFIED) {
            let freshened = stored.freshened(&asking.headers, response.headers(), came);
            let mut answer = plain_answer(&freshened, &asking.headers);
            say(&mut answer, |_| Kept::Stored(why, StatusCode::NOT_MODIFIED));
            self.shared.http_replies().keep(asking.key, freshened, began);
            return Ok(answer);
        }
        if let Some(stored) = stored.as_ref().filter(|_| is_get && !failed) {
            self.shared.http_replies().forget(&asking.key, stored);
        }
        Ok(self.kept(response, asking, (why, came, began)))
    }

    /// A reply on its way to the client, kept beside if it may be.
    fn kept(
        &self,
        mut response: Response<Streamed>,
        asking: Asking,
        (why, came, began): (Forwarded, Came, Instant),
    ) -> Response<PassedBody> {
        let head = (response.status(), response.headers());
        if asking.method != Method::GET || !is_storable(&asking.headers, head, came) {
            say(&mut response, |status| Kept::Sent(why, status));
            return response.map(PassedBody::Streamed);
        }
        let head = (response.status(), response.headers().clone());
        say(&mut response, |status| Kept::Stored(why, status));
        let Asking { key, headers: asked, declared, .. } = asking;
        let store = self.shared.http_replies().clone();
        response.map(|body| PassedBody::copied(body, Keeping { store, key, asked, declared, head, came, began }))
    }

    /// Fetches a kept reply anew. What becomes of it is seen by the next request.
    pub async fn refresh(&self, refresh: Refresh) {
        let Asking { backend, policies, key, method: _, headers, declared } = &refresh.asking;
        let mut request = Request::new(RequestBody::Whole(None));
        *request.headers_mut() = headers.clone();
        let deadline = StdInstant::now() + refresh.within;
        let passage = Passage {
            backend: *backend,
            target: refresh.target.clone(),
            request,
            deadline,
            is_hurried: false,
            affinity: refresh.affinity,
        };
        let asking = Asking {
            backend: *backend,
            policies: *policies,
            key: key.clone(),
            method: Method::GET,
            headers: headers.clone(),
            declared: declared.clone(),
        };
        let known = (Some(refresh.stored.clone()), Forwarded::Stale);
        let fetched = async {
            let mut response = self.fetch(passage, asking, known).await.ok()?;
            while let Some(Ok(_)) = response.body_mut().frame().await {}
            Some(())
        };
        let _ = tokio::time::timeout_at(deadline.into(), fetched).await;
    }
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

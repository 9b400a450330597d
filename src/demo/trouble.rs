//! Slow and failing on purpose: what `--delay` and `--fail` do to a backend's replies.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tonic::Status;

use super::grpc;
use super::options::{Backend, Options};
use super::rest::Refusal;

/// The delay and the failures of one backend.
#[derive(Debug)]
pub(super) struct Trouble {
    backend: Backend,
    delay: Duration,
    /// How many of a hundred requests fail.
    percent: u64,
    /// How many requests came so far.
    requests: AtomicU64,
}

impl Trouble {
    /// What `options` say about `backend`.
    pub(super) fn new(backend: Backend, options: &Options) -> Self {
        let failure = options.failures.iter().rev().find(|failure| failure.backend == backend);
        let percent = failure.map_or(0, |failure| u64::from(failure.percent));
        Self { backend, delay: options.delay, percent, requests: AtomicU64::new(0) }
    }

    /// Whether the next request fails. The failures are spread evenly and the same on every start:
    /// 10 % is each tenth request.
    fn next_fails(&self) -> bool {
        let before = self.requests.fetch_add(1, Ordering::Relaxed);
        (before + 1) * self.percent / 100 > before * self.percent / 100
    }

    fn refusal(&self) -> Response {
        let message = format!("{} fails on purpose", self.backend);
        match self.backend {
            Backend::Catalog | Backend::Shop => {
                Refusal { status: StatusCode::SERVICE_UNAVAILABLE, code: "unavailable", message }.into_response()
            }
            Backend::Reviews | Backend::Inventory => Status::unavailable(message).into_http(),
        }
    }
}

/// `router` with `trouble` before each of its routes except the health checks.
pub(super) fn disturbed(router: Router, trouble: Trouble) -> Router {
    router.layer(middleware::from_fn_with_state(Arc::new(trouble), disturb))
}

async fn disturb(State(trouble): State<Arc<Trouble>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path == "/healthz" || path == grpc::HEALTH_CHECK {
        return next.run(request).await;
    }
    let fails = trouble.next_fails();
    if !trouble.delay.is_zero() {
        tokio::time::sleep(trouble.delay).await;
    }
    if fails {
        return trouble.refusal();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::Trouble;
    use crate::demo::options::{Backend, Failure, Options};

    #[test]
    fn failures_come_evenly_and_as_often_as_asked() {
        for percent in [0, 1, 10, 33, 50, 100] {
            let failures = vec![Failure { backend: Backend::Shop, percent }];
            let trouble = Trouble::new(Backend::Shop, &Options { failures, ..Options::default() });
            let failed = (0..1_000).filter(|_| trouble.next_fails()).count();
            assert_eq!(failed, usize::from(percent) * 10, "{percent} %");
        }
    }

    #[test]
    fn ten_percent_is_each_tenth_request() {
        let failures = vec![Failure { backend: Backend::Shop, percent: 10 }];
        let trouble = Trouble::new(Backend::Shop, &Options { failures, ..Options::default() });
        let failed: Vec<usize> = (1..=30).filter(|_| trouble.next_fails()).collect();
        assert_eq!(failed, [10, 20, 30]);
    }
}

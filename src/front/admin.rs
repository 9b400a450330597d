//! The operators' address: whether the process lives and takes requests.

use std::future::Future;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;

use super::listen::Drain;

/// Serves `/healthz` (the process lives) and `/readyz` (it takes requests: 503 while it drains)
/// until `stop` is done.
pub async fn serve(listener: TcpListener, drain: Drain, stop: impl Future<Output = ()> + Send + 'static) {
    let router = Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz)).with_state(drain);
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop).await {
        tracing::error!(%error, "the admin address failed");
    }
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(drain): State<Drain>) -> (StatusCode, &'static str) {
    if drain.is_announced() { (StatusCode::SERVICE_UNAVAILABLE, "draining\n") } else { (StatusCode::OK, "ready\n") }
}

//! The operators' address: whether the process lives and takes requests, what replies do not keep, and whether a changed
//! project is taken up.

mod breakers;
mod bulkheads;
mod cache;
mod instances;
mod overload;
mod reload;

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::entrance::Entrance;
use super::listen::Drain;
use crate::base::value::{JsonWriter, Kind, Sink as _, Timestamp, member_key};
use crate::observe::drift::Drift;
use crate::observe::reload::Reloads;

pub use reload::Ask;

/// What operators can ask about.
#[derive(Clone, Debug)]
pub struct Known {
    /// Whether requests are taken.
    pub drain: Drain,
    /// Where requests go: it knows what replies do not keep.
    pub entrance: Arc<Entrance>,
    /// What became of changed projects.
    pub reloads: Arc<Reloads>,
    /// Where a reload is asked for.
    pub ask: mpsc::Sender<Ask>,
}

/// Serves `/healthz` (the process lives), `/readyz` (it takes requests: 503 while it drains), `/drift` (what replies do
/// not keep), `/cache` (what is kept; POST to `/cache/purge` throws it away), `/breakers` (how they stand, and who decides),
/// `/concurrency` (how many calls are under way of how many), `/instances` (how the addresses of backends do) and `/reload` (POST takes up the project as it is now) until `stop` is
/// done.
pub async fn serve(listener: TcpListener, known: Known, stop: impl Future<Output = ()> + Send + 'static) {
    let router = Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/drift", get(drift))
        .route("/reload", get(reload::show).post(reload::post))
        .route("/breakers", get(breakers::show).post(breakers::force))
        .route("/concurrency", get(bulkheads::show))
        .route("/instances", get(instances::show))
        .route("/cache", get(cache::show))
        .route("/cache/purge", post(cache::purge))
        .route("/overload", get(overload::show))
        .with_state(known);
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop).await {
        tracing::error!(%error, "the admin address failed");
    }
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(known): State<Known>) -> (StatusCode, &'static str) {
    if known.drain.is_announced() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else {
        (StatusCode::OK, "ready\n")
    }
}

async fn drift(State(known): State<Known>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], listed(known.entrance.doors().drift()))
}

/// The promises that were not kept, as a JSON list.
fn listed(drift: &Drift) -> Vec<u8> {
    let mut out = JsonWriter::default();
    out.begin_array();
    for broken in drift.broken() {
        out.begin_object();
        out.key(b"\"backends\":");
        out.begin_array();
        broken.promise.backends.iter().for_each(|backend| out.text(Kind::String, backend));
        out.end_array();
        out.key(b"\"field\":");
        out.text(Kind::String, &broken.promise.field);
        out.key(b"\"expected\":");
        out.text(Kind::String, &broken.promise.expected);
        out.key(b"\"found\":");
        out.begin_object();
        for (found, count) in &broken.found {
            out.key(&member_key(found.noun()));
            out.uint(*count);
        }
        out.end_object();
        out.key(b"\"count\":");
        out.uint(broken.count);
        out.key(b"\"last_seen\":");
        let last_seen = Timestamp { seconds: broken.last_seen, nanos: 0 };
        out.text(Kind::String, &last_seen.to_text().unwrap_or_default());
        out.end_object();
    }
    out.end_array();
    out.bytes.push(b'\n');
    out.bytes
}

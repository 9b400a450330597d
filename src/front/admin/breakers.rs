//! Circuit breakers as operators see them, and what operators decide.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde::Deserialize;

use super::Known;
use crate::base::value::{JsonWriter, Kind, Sink as _};
use crate::policy::breaker::{Forced, Seen, State as BreakerState};

/// The breakers, as a JSON list.
pub(super) async fn show(State(known): State<Known>) -> impl IntoResponse {
    let mut out = JsonWriter::default();
    out.begin_array();
    let doors = known.entrance.doors();
    let shared = doors.shared();
    for breaker in shared.breakers() {
        let now = tokio::time::Instant::now();
        let left = match breaker.seen.state {
            BreakerState::Open(until) => Some(until.saturating_duration_since(now).as_millis()),
            BreakerState::Closed | BreakerState::HalfOpen => None,
        };
        out.begin_object();
        out.key(b"\"at\":");
        out.text(Kind::String, breaker.owner);
        out.key(b"\"state\":");
        out.text(Kind::String, state(&breaker.seen));
        if let Some(left) = left {
            out.key(b"\"open_ms\":");
            out.uint(u64::try_from(left).unwrap_or(u64::MAX));
        }
        out.key(b"\"opened\":");
        out.uint(breaker.seen.opened);
        out.key(b"\"refused\":");
        out.uint(breaker.seen.refused);
        out.end_object();
    }
    out.end_array();
    out.bytes.push(b'\n');
    ([(CONTENT_TYPE, "application/json")], out.bytes)
}

/// How a breaker stands, as operators read it.
pub(super) fn state(seen: &Seen) -> &'static str {
    match (seen.forced, seen.state) {
        (Some(Forced::Open), _) => "forced_open",
        (Some(Forced::Closed), _) => "forced_closed",
        (None, BreakerState::Closed) => "closed",
        (None, BreakerState::Open(_)) => "open",
        (None, BreakerState::HalfOpen) => "half_open",
    }
}

/// What operators decide over a breaker.
#[derive(Debug, Deserialize)]
pub(super) struct Decision {
    /// Where it is written.
    at: String,
    /// `open`, `closed`, or `auto` to give the decision back.
    force: String,
}

/// Lets an operator decide over the breakers that are written somewhere.
pub(super) async fn force(State(known): State<Known>, Query(decision): Query<Decision>) -> (StatusCode, &'static str) {
    let forced = match decision.force.as_str() {
        "open" => Some(Forced::Open),
        "closed" => Some(Forced::Closed),
        "auto" => None,
        _ => return (StatusCode::BAD_REQUEST, "force is open, closed or auto\n"),
    };
    match known.entrance.doors().shared().force(&decision.at, forced) {
        true => (StatusCode::OK, "done\n"),
        false => (StatusCode::NOT_FOUND, "no breaker is written there\n"),
    }
}

//! Limits of concurrency as operators see them.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use super::Known;
use crate::base::value::{JsonWriter, Kind, Sink as _};

/// The limits, as a JSON list of `{at, limit, in_flight, refused}`.
pub(super) async fn show(State(known): State<Known>) -> impl IntoResponse {
    let mut out = JsonWriter::default();
    out.begin_array();
    let doors = known.entrance.doors();
    for bulkhead in doors.shared().bulkheads() {
        out.begin_object();
        out.key(b"\"at\":");
        out.text(Kind::String, bulkhead.owner);
        out.key(b"\"limit\":");
        out.uint(bulkhead.seen.limit.into());
        out.key(b"\"in_flight\":");
        out.uint(bulkhead.seen.under_way.into());
        out.key(b"\"refused\":");
        out.uint(bulkhead.seen.refused);
        out.end_object();
    }
    out.end_array();
    out.bytes.push(b'\n');
    ([(CONTENT_TYPE, "application/json")], out.bytes)
}

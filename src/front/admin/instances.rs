//! The addresses of backends as operators see them.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use super::Known;
use crate::base::value::{JsonWriter, Kind, Sink as _};
use crate::call::Seen;

/// The addresses of every backend, as a JSON list.
pub(super) async fn show(State(known): State<Known>) -> impl IntoResponse {
    let mut out = JsonWriter::default();
    out.begin_array();
    let doors = known.entrance.doors();
    for (backend, addresses) in doors.shared().addresses() {
        addresses.iter().for_each(|seen| write(&mut out, backend, seen));
    }
    out.end_array();
    out.bytes.push(b'\n');
    ([(CONTENT_TYPE, "application/json")], out.bytes)
}

/// `{backend, address, state, in_flight, latency_us, out_ms}`; of a backend's only address nothing more is known.
fn write(out: &mut JsonWriter, backend: &str, seen: &Seen) {
    out.begin_object();
    out.key(b"\"backend\":");
    out.text(Kind::String, backend);
    out.key(b"\"address\":");
    out.text(Kind::String, &seen.address);
    out.key(b"\"state\":");
    out.text(Kind::String, seen.state());
    if let Some(known) = seen.known {
        out.key(b"\"in_flight\":");
        out.uint(known.under_way.into());
        out.key(b"\"latency_us\":");
        out.uint(u64::try_from(known.latency.as_micros()).unwrap_or(u64::MAX));
        if let Some(left) = known.out_for {
            out.key(b"\"out_ms\":");
            out.uint(u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
        }
    }
    out.end_object();
}

//! Kept replies as operators see them, in memory and in the store that replicas share, and throwing them away.

use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::{Known, breakers};
use crate::base::value::{JsonWriter, Kind, Sink as _};
use crate::exec::form;
use crate::policy::cache::Purge;
use crate::store::Seen;

/// How long an operator waits until the store has heard of a purge.
const TELLING: Duration = Duration::from_secs(1);

/// How much is kept, and how often that served.
pub(super) async fn show(State(known): State<Known>) -> impl IntoResponse {
    let doors = known.entrance.doors();
    let shared = doors.shared();
    let seen = shared.replies().seen();
    let mut out = JsonWriter::default();
    out.begin_object();
    let members: [(&[u8], u64); 6] = [
        (b"\"entries\":", seen.entries),
        (b"\"bytes\":", seen.bytes),
        (b"\"capacity\":", seen.capacity),
        (b"\"hits\":", seen.hits),
        (b"\"misses\":", seen.misses),
        (b"\"coalesced\":", shared.coalesced()),
    ];
    for (key, value) in members {
        out.key(key);
        out.uint(value);
    }
    if let Some(store) = shared.store() {
        out.key(b"\"store\":");
        write_store(&store.seen(), &mut out);
    }
    out.end_object();
    out.bytes.push(b'\n');
    ([(CONTENT_TYPE, "application/json")], out.bytes)
}

fn write_store(seen: &Seen, out: &mut JsonWriter) {
    out.begin_object();
    out.key(b"\"at\":");
    out.text(Kind::String, &seen.place);
    out.key(b"\"connected\":");
    out.bool(seen.is_there);
    out.key(b"\"breaker\":");
    out.text(Kind::String, breakers::state(&seen.breaker));
    let members: [(&[u8], u64); 6] = [
        (b"\"hits\":", seen.hits),
        (b"\"misses\":", seen.misses),
        (b"\"errors\":", seen.errors),
        (b"\"skipped\":", seen.skipped),
        (b"\"dropped\":", seen.dropped),
        (b"\"purges_waiting\":", seen.purges),
    ];
    for (key, value) in members {
        out.key(key);
        out.uint(value);
    }
    out.end_object();
}

/// Throws away what has a tag, what a backend said, or everything: `tag=NAME`, `backend=NAME`, `all`.
pub(super) async fn purge(State(known): State<Known>, RawQuery(query): RawQuery) -> Response {
    let fields = form::fields(query.as_deref().unwrap_or_default());
    let [field] = &fields[..] else { return refused() };
    let purge = match (field.name.as_str(), field.value.as_str()) {
        ("all", "") => Purge::All,
        ("tag", tag) => Purge::Tag(tag),
        ("backend", name) => Purge::Backend(name),
        _ => return refused(),
    };
    let doors = known.entrance.doors();
    if let Purge::Backend(name) = purge
        && !doors.plan().backends.iter().any(|backend| *backend.name == *name)
    {
        return (StatusCode::NOT_FOUND, "no backend has this name\n").into_response();
    }
    doors.shared().purge(purge);
    let is_told = match doors.shared().store() {
        Some(store) => tokio::time::timeout(TELLING, store.settled()).await.is_ok(),
        None => true,
    };
    // What is gone is gone; that it takes no room either may take a while to find out.
    let swept = tokio::task::spawn_blocking(move || doors.shared().replies().sweep());
    match swept.await {
        Ok(_) if !is_told => {
            (StatusCode::ACCEPTED, "done here; the store hears of it when it is back\n").into_response()
        }
        Ok(_) => (StatusCode::OK, "done\n").into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn refused() -> Response {
    (StatusCode::BAD_REQUEST, "write tag=NAME, backend=NAME or all\n").into_response()
}

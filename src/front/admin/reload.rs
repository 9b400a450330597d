//! `/reload`: takes up the project as it is now, and says what became of the last attempt.
//!
//! What operators ask for in JSON (`Accept: application/json`) they get in JSON, else as text.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::sync::oneshot;

use super::Known;
use crate::base::value::{JsonWriter, Kind, Sink as _};
use crate::observe::reload::{BackendChanges, FileChanges, Reload};

/// Somebody wants the project to be taken up as it is now, and waits to hear what became of it.
pub type Ask = oneshot::Sender<Arc<Reload>>;

/// `POST /reload`: 200 with what changed, 422 with what is wrong.
pub(super) async fn post(State(known): State<Known>, headers: HeaderMap) -> Response {
    let refused = || {
        let draining = known.drain.is_announced();
        let status = if draining { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::CONFLICT };
        (status, if draining { "draining\n" } else { "this gateway has no project that it could read again\n" })
    };
    let (ask, answered) = oneshot::channel();
    if known.ask.send(ask).await.is_err() {
        return refused().into_response();
    }
    let Ok(reload) = answered.await else { return refused().into_response() };
    let status = if reload.changes.is_some() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let wants_json = headers.get_all(ACCEPT).iter().any(|value| value.to_str().is_ok_and(|text| text.contains("json")));
    if wants_json {
        let mut out = JsonWriter::default();
        write(&mut out, &reload);
        out.bytes.push(b'\n');
        return (status, [(CONTENT_TYPE, "application/json")], out.bytes).into_response();
    }
    (status, text(&reload)).into_response()
}

/// `GET /reload`: the last attempt, how many there were, and how many plans there are now.
pub(super) async fn show(State(known): State<Known>) -> impl IntoResponse {
    let mut out = JsonWriter::default();
    out.begin_object();
    out.key(b"\"last_reload\":");
    match known.reloads.last() {
        Some(reload) => write(&mut out, &reload),
        None => out.null(),
    }
    out.key(b"\"taken_up\":");
    out.uint(known.reloads.taken_up());
    out.key(b"\"failed\":");
    out.uint(known.reloads.failed());
    out.key(b"\"plans\":");
    out.uint(known.entrance.plans() as u64);
    out.end_object();
    out.bytes.push(b'\n');
    ([(CONTENT_TYPE, "application/json")], out.bytes)
}

/// What changed, a line for each kind, and what there is to say about it.
fn text(reload: &Reload) -> String {
    let mut out = String::new();
    if let Some(changes) = &reload.changes {
        let (files, backends) = (&changes.files, &changes.backends);
        out.push_str(if files.is_empty() { "taken up; no file changed\n" } else { "taken up\n" });
        let lines = [
            ("files added", &files.added),
            ("files changed", &files.changed),
            ("files removed", &files.removed),
            ("backends that begin", &backends.begun),
            ("backends that end", &backends.ended),
        ];
        for (what, names) in lines.into_iter().filter(|(_, names)| !names.is_empty()) {
            out.push_str(&format!("{what}: {}\n", names.join(", ")));
        }
    }
    out + &reload.diagnostics.text
}

/// `{at, ok, files, backends, diagnostics}`; without files and backends where nothing was taken up.
fn write(out: &mut JsonWriter, reload: &Reload) {
    out.begin_object();
    out.key(b"\"at\":");
    out.text(Kind::String, &reload.at.to_text().unwrap_or_default());
    out.key(b"\"ok\":");
    out.bool(reload.changes.is_some());
    if let Some(changes) = &reload.changes {
        let FileChanges { added, changed, removed } = &changes.files;
        out.key(b"\"files\":");
        lists(out, &[(b"\"added\":", added), (b"\"changed\":", changed), (b"\"removed\":", removed)]);
        let BackendChanges { kept, begun, ended } = &changes.backends;
        out.key(b"\"backends\":");
        lists(out, &[(b"\"kept\":", kept), (b"\"begun\":", begun), (b"\"ended\":", ended)]);
    }
    out.key(b"\"diagnostics\":");
    out.bytes.extend_from_slice(&reload.diagnostics.json);
    out.end_object();
}

fn lists(out: &mut JsonWriter, members: &[(&[u8], &[String])]) {
    out.begin_object();
    for (key, names) in members {
        out.key(key);
        out.begin_array();
        names.iter().for_each(|name| out.text(Kind::String, name));
        out.end_array();
    }
    out.end_object();
}

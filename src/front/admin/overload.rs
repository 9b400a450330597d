//! How much there is to do, against how much there may be.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use super::Known;
use crate::base::value::{JsonWriter, Kind, Sink as _};
use crate::policy::overload::Class;

/// Requests under way and refused by class, memory, files, as a JSON object.
pub(super) async fn show(State(known): State<Known>) -> impl IntoResponse {
    let doors = known.entrance.doors();
    let overload = doors.overload();
    let mut out = JsonWriter::default();
    out.begin_object();
    out.key(b"\"limit\":");
    out.uint(overload.limit() as u64);
    out.key(b"\"classes\":");
    out.begin_array();
    for class in Class::ALL {
        let seen = overload.seen(class);
        out.begin_object();
        out.key(b"\"class\":");
        out.text(Kind::String, class.name());
        out.key(b"\"under_way\":");
        out.uint(seen.under_way as u64);
        out.key(b"\"shed\":");
        out.uint(seen.shed);
        out.end_object();
    }
    out.end_array();
    let (used, limit) = overload.memory();
    out.key(b"\"memory\":");
    out.begin_object();
    out.key(b"\"used\":");
    out.uint(used);
    out.key(b"\"limit\":");
    out.uint(limit);
    out.key(b"\"classes_refused\":");
    out.uint(overload.short().into());
    out.end_object();
    let room = doors.shared().room();
    out.key(b"\"bodies\":");
    out.begin_object();
    out.key(b"\"used\":");
    out.uint(room.taken());
    out.key(b"\"limit\":");
    out.uint(room.limit());
    out.key(b"\"refused\":");
    out.uint(room.refused());
    out.end_object();
    out.key(b"\"files_open\":");
    out.uint(std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count) as u64);
    out.end_object();
    out.bytes.push(b'\n');
    ([(CONTENT_TYPE, "application/json")], out.bytes)
}

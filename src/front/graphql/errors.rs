//! How a client reads that its GraphQL request is not run at all.

use bytes::Bytes;

use super::request::Format;
use crate::base::failure::Cause;
use crate::base::value::{JsonWriter, Kind, Sink, member_key};
use crate::plan::operation::{Problem, RequestError};

/// The HTTP status. A request that is well-formed HTTP but whose document cannot be run is 200
/// for clients of plain `application/json` (GraphQL over HTTP, section 6.4.1).
pub fn status(error: &RequestError, format: Format) -> u16 {
    match (error.cause, format) {
        (
            Cause::GraphqlParse
            | Cause::GraphqlValidation
            | Cause::GraphqlLimit
            | Cause::GraphqlVariable
            | Cause::GraphqlOperation,
            Format::Json,
        ) => 200,
        (cause, _) => cause.status(),
    }
}

/// The body of the answer: `{"errors":[{"message":…,"locations":[…],"extensions":{"code":…}}]}`.
pub fn body(error: &RequestError) -> Bytes {
    let mut out = JsonWriter::default();
    out.begin_object();
    out.key(&member_key("errors"));
    out.begin_array();
    for problem in &error.problems {
        write(problem, error.cause, &mut out);
    }
    out.end_array();
    out.end_object();
    out.bytes.into()
}

fn write(problem: &Problem, cause: Cause, out: &mut JsonWriter) {
    out.begin_object();
    out.key(&member_key("message"));
    out.text(Kind::String, &problem.message);
    if !problem.locations.is_empty() {
        out.key(&member_key("locations"));
        out.begin_array();
        for location in &problem.locations {
            out.begin_object();
            out.key(&member_key("line"));
            out.uint(u64::from(location.line));
            out.key(&member_key("column"));
            out.uint(u64::from(location.column));
            out.end_object();
        }
        out.end_array();
    }
    out.key(&member_key("extensions"));
    out.begin_object();
    out.key(&member_key("code"));
    out.text(Kind::String, cause.code());
    out.end_object();
    out.end_object();
}

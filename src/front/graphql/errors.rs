//! Why a GraphQL request is not run at all, and how the client reads it.

use bytes::Bytes;

use super::request::Format;
use crate::base::failure::Cause;
use crate::base::value::{JsonWriter, Kind, Sink, member_key};

/// Problems that one answer names at most. A document can have thousands.
const PROBLEM_LIMIT: usize = 20;

/// A request error of the GraphQL specification (section 7.1.2): nothing was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError {
    /// The row of the table of causes, which gives the code and the status.
    pub cause: Cause,
    /// What is wrong, in the order of the document. Never empty.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// One sentence for the client.
    pub message: String,
    /// Where in the document, if it is about a place in it.
    pub locations: Vec<Location>,
}

/// A place in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl From<async_graphql_parser::Pos> for Location {
    fn from(position: async_graphql_parser::Pos) -> Self {
        let short = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self { line: short(position.line), column: short(position.column) }
    }
}

impl Problem {
    /// A problem at one place.
    pub fn at(place: impl Into<Location>, message: impl Into<String>) -> Self {
        Self { message: message.into(), locations: vec![place.into()] }
    }
}

impl RequestError {
    /// An error that is about no place in the document.
    pub fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self { cause, problems: vec![Problem { message: message.into(), locations: Vec::new() }] }
    }

    /// An error at one place.
    pub fn at(cause: Cause, place: impl Into<Location>, message: impl Into<String>) -> Self {
        Self { cause, problems: vec![Problem::at(place, message)] }
    }

    /// All problems as one error in the order of the document, the first few if there are many;
    /// nothing when there are none.
    ///
    /// # Errors
    /// The problems, if there are any.
    pub fn unless_empty(cause: Cause, mut problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() {
            return Ok(());
        }
        problems.sort_by(|a, b| a.locations.cmp(&b.locations));
        problems.dedup();
        problems.truncate(PROBLEM_LIMIT);
        Err(Self { cause, problems })
    }

    /// The HTTP status. A request that is well-formed HTTP but whose document cannot be run is 200
    /// for clients of plain `application/json` (GraphQL over HTTP, section 6.4.1).
    pub fn status(&self, format: Format) -> u16 {
        match (self.cause, format) {
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
    pub fn to_json(&self) -> Bytes {
        let mut out = JsonWriter::default();
        out.begin_object();
        out.key(&member_key("errors"));
        out.begin_array();
        for problem in &self.problems {
            problem.write(self.cause, &mut out);
        }
        out.end_array();
        out.end_object();
        out.bytes.into()
    }
}

impl Problem {
    fn write(&self, cause: Cause, out: &mut JsonWriter) {
        out.begin_object();
        out.key(&member_key("message"));
        out.text(Kind::String, &self.message);
        if !self.locations.is_empty() {
            out.key(&member_key("locations"));
            out.begin_array();
            for location in &self.locations {
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
}

//! Why a GraphQL request is not run at all.

use crate::base::failure::Cause;

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
}

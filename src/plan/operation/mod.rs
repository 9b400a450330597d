//! GraphQL operations: from the text of a document to what runs on a plan.
//!
//! ```text
//! guard ─▶ prepare ─▶ parse ─▶ validate ─▶ compile ─▶ Operation ─▶ Planned
//! ```
//!
//! An [`Operation`] knows the schema and nothing of who answers its fields; [`Planned`] knows both.
//! Neither depends on the values of variables, so one serves every request with the same text.
//!
//! The parser is async-graphql's. Validation is our own: a typed walk is needed anyway to merge
//! fields and coerce arguments, and the rules must hold for all values of variables at once.

mod compile;
mod document;
mod errors;
pub mod guard;
mod planned;
pub mod selection;
mod validate;
mod values;

pub use document::Document;
pub use errors::{Location, Problem, RequestError};
pub use guard::Limits;
pub use planned::{Answers, Planned, PlannedField, PlannedSelection};
pub use selection::{Operation, OperationKind};
pub use validate::Introspection;

use crate::plan::schema::Schema;

/// How documents are judged.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How much a document may ask.
    pub limits: Limits,
    /// Whether it may ask for the schema.
    pub introspection: Introspection,
}

/// Parses and validates a document.
///
/// # Errors
/// It goes over a limit, does not parse, or is not valid against the schema; then all that is wrong.
pub fn read(text: &str, schema: &Schema, settings: &Settings) -> Result<Document, RequestError> {
    let document = Document::parse(text, &settings.limits)?;
    validate::validate(&document, schema, settings.introspection)?;
    Ok(document)
}

/// Reads a document and compiles one of its operations: the one of this name, or its only one.
///
/// # Errors
/// As [`read`]; or there is no such operation, it is a subscription, or its fields go over a limit.
pub fn compile(
    text: &str,
    name: Option<&str>,
    schema: &Schema,
    settings: &Settings,
) -> Result<Operation, RequestError> {
    compile::compile(&read(text, schema, settings)?, name, schema, &settings.limits)
}

//! What will run, explained: as text for people, as a chart for pages, as JSON for machines.
//!
//! ```text
//! Plan ─▶ analysis ─▶ describe ─▶ Explanation, Operation (data) ─▶ text │ mermaid │ json
//! ```
//!
//! What is said is decided once, in `describe`; the printers lay it out and decide nothing. Nothing
//! here runs unless somebody asks for an explanation.

mod describe;
mod index;
mod json;
mod mermaid;
mod model;
#[cfg(test)]
mod tests;
mod text;
mod way;

pub use index::index;
pub use model::{Explanation, Head, Operation};

use super::operation::{Introspection, Planned, RequestError, Settings, compile};
use super::{Endpoint, Field, Graph, Plan};

/// Something explained.
#[derive(Debug)]
pub enum Explained {
    /// What a composition answers, or what is passed through.
    Composition(Explanation),
    /// A GraphQL operation.
    Operation(Operation),
}

/// The form of an explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Text for a terminal of 100 columns.
    Text,
    /// A Mermaid flowchart.
    Mermaid,
    /// One JSON object.
    Json,
}

/// Explains an endpoint: what it takes, which call waits for which, what it costs its backends at
/// most, and whom the reply to each call may serve.
pub fn endpoint(plan: &Plan, endpoint: &Endpoint) -> Explained {
    describe::endpoint(plan, endpoint)
}

/// The same for a field of the graph that a composition answers.
pub fn field(plan: &Plan, field: &Field) -> Explained {
    Explained::Composition(describe::field(plan, field))
}

/// The same for an operation of a GraphQL document: the one of this name, or its only one.
///
/// # Errors
/// The document is not valid, or has no such operation.
pub fn document(plan: &Plan, graph: &Graph, (text, name): (&str, Option<&str>)) -> Result<Explained, RequestError> {
    // Whether clients may ask for the schema does not matter to whoever has the project.
    let settings = Settings { introspection: Introspection::On, ..graph.settings() };
    let operation = compile(text, name, &graph.schema, &settings)?;
    let planned = Planned::new(graph, &plan.fields, operation);
    Ok(Explained::Operation(describe::document(plan, graph, &planned)))
}

/// Explanations in a form, with a line end.
pub fn print(explained: &[Explained], form: Form) -> String {
    let printed = |print: fn(&Explained) -> String| explained.iter().map(print).collect::<Vec<_>>();
    match form {
        Form::Text => printed(text::text).join("\n\n"),
        Form::Mermaid => mermaid::mermaid(explained),
        Form::Json => format!("{{\"explanations\":[{}]}}\n", printed(json::json).join(",")),
    }
}

impl Explained {
    /// What it is, and what clients see of it.
    pub fn head(&self) -> &Head {
        match self {
            Self::Composition(explanation) => &explanation.head,
            Self::Operation(operation) => &operation.head,
        }
    }
}

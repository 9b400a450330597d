//! The front of the graph: from an HTTP request to an operation with its variables.
//!
//! ```text
//! GraphqlRequest::read ─▶ operation::compile ─▶ kept by its text
//!                                                     │
//!             Prepared ◀─ introspection ◀─ variables ◀┘ for every request
//! ```
//!
//! What an operation is and how it is made stands in [`crate::plan::operation`]; here is how it is asked
//! for. The tests ask async-graphql's validation and introspection for a second opinion.

mod cache;
pub mod errors;
mod front;
mod introspection;
pub mod playground;
pub mod request;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use http::Method;

use crate::base::failure::Cause;
use crate::base::value::{Doc, DocBuilder, Sink};
use crate::plan::operation::{
    self, Introspection, Location, Operation, OperationKind, Problem, RequestError, Settings,
};
use crate::plan::schema::Schema;
use crate::plan::schema::coerce::{Input, InvalidInput, coerce};
use cache::OperationCache;
use request::GraphqlRequest;

pub use front::{Front, Served};

/// Bytes, estimated, of operations that are kept.
const CACHE_BYTES: usize = 32 << 20;

/// The front of one graph. Made once for a schema and shared by all requests.
///
/// `T` is what is made of an operation once, to be kept with it: what the executor runs.
pub struct Graph<T> {
    schema: Arc<Schema>,
    settings: Settings,
    operations: OperationCache<T>,
    plan: Box<dyn Fn(Operation) -> T + Send + Sync>,
}

/// A request that is ready to run.
#[derive(Debug)]
pub struct Prepared<T> {
    /// What to run.
    pub operation: Arc<T>,
    /// The coerced variables: an object without those that have neither value nor default.
    pub variables: Arc<Doc>,
    /// The JSON of the introspection fields of the root, by response key.
    pub introspection: Vec<(Box<str>, Bytes)>,
}

impl<T> std::fmt::Debug for Graph<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Graph").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl<T: AsRef<Operation>> Graph<T> {
    /// The front of the graph of `schema`; `plan` is called once for each operation that is kept.
    pub fn new(schema: Arc<Schema>, settings: Settings, plan: impl Fn(Operation) -> T + Send + Sync + 'static) -> Self {
        Self { schema, settings, operations: OperationCache::new(CACHE_BYTES), plan: Box::new(plan) }
    }

    /// The operation, variables and introspection of a request.
    ///
    /// # Errors
    /// A request error: the document or its variables are wrong, or the method may not run it.
    pub fn prepare(&self, request: &GraphqlRequest) -> Result<Prepared<T>, RequestError> {
        let kept = self.operation(&request.document, request.operation_name.as_deref())?;
        let operation = (*kept).as_ref();
        if operation.kind == OperationKind::Mutation && request.method == Method::GET {
            return Err(RequestError::new(Cause::MethodNotAllowed, "A mutation is asked by POST, not by GET."));
        }
        let variables = Arc::new(self.variables(operation, request)?);
        let introspection = introspection::answer(&self.schema, operation, variables.root())?;
        Ok(Prepared { operation: kept, variables, introspection })
    }

    fn operation(&self, document: &str, name: Option<&str>) -> Result<Arc<T>, RequestError> {
        if let Some(kept) = self.operations.find(document, name) {
            return Ok(kept);
        }
        let operation = operation::compile(document, name, &self.schema, &self.settings)?;
        let operation = Arc::new((self.plan)(operation));
        self.operations.keep(document, name, operation.clone());
        Ok(operation)
    }

    /// Coerces the values that a request gives (GraphQL, section 6.1.2, "CoerceVariableValues").
    fn variables(&self, operation: &Operation, request: &GraphqlRequest) -> Result<Doc, RequestError> {
        let given = request.variables.value();
        let mut out = DocBuilder::default();
        let mut problems = Vec::new();
        out.begin_object();
        for variable in &operation.variables {
            let mark = out.mark();
            out.key(&variable.key);
            let written = match (given.member(&variable.name), &variable.default) {
                (Some(value), _) => coerce(&self.schema, &Input::Json(value), &variable.ty, &mut out),
                (None, Some(default)) => {
                    out.view(default.value.root());
                    Ok(())
                }
                (None, None) if variable.ty.is_non_null() => Err(vec![InvalidInput::new("is required and missing")]),
                (None, None) => {
                    out.rewind(mark);
                    Ok(())
                }
            };
            for mut error in written.err().unwrap_or_default() {
                if self.settings.introspection == Introspection::Off {
                    error.hint.clear();
                }
                let message = format!("Variable {}", error.within(&*format!("${}", variable.name)).sentence());
                problems.push(Problem::at(Location { line: variable.line, column: variable.column }, message));
            }
        }
        out.end_object();
        RequestError::unless_empty(Cause::GraphqlVariable, problems)?;
        Ok(out.finish())
    }
}

//! Endpoints that are a query of the graph: the operation runs, and its data is the answer.

use std::cell::RefCell;

use tokio::time::Instant;

use super::{Inputs, perform, write};
use crate::base::failure::{Cause, Failure};
use crate::base::value::{DocBuilder, Held, JsonWriter, Sink as _};
use crate::exec::client::ClientRequest;
use crate::exec::env::Env;
use crate::exec::{Answered, Live, endpoint};
use crate::expr::Budget;
use crate::plan::Queried;

/// Answers a request to such an endpoint. Fields that failed and are null for it are what the answer
/// had to do without.
///
/// # Errors
/// What left nothing to answer: the failure of a field that may not be null, nor anything around it.
pub async fn query(
    live: &Live,
    queried: &Queried,
    request: &ClientRequest,
    deadline: Instant,
) -> Result<Answered, Failure> {
    let variables = variables(queried, request);
    let inputs = Inputs { variables: &variables, introspection: &[] };
    let mut execution = perform(live, &queried.operation, inputs, (request, deadline)).await;
    let out = JsonWriter { bytes: Vec::with_capacity(4096) };
    let written = write::data(&mut execution, &queried.operation, out);
    let mut errors = written.errors;
    if written.no_data {
        let why = errors.pop().map(|error| error.failure);
        return Err(why.unwrap_or_else(|| Failure::new(Cause::Internal, "there is no data and no error")));
    }
    let mut partial = execution.run.into_partial();
    for error in &errors {
        partial.add(&error.field(), error.failure.code());
    }
    let (budget, leaves) = (Budget::default(), RefCell::default());
    let env = Env::bare(request, &queried.sources, (&budget, &leaves));
    let (status, headers) = endpoint::head(&queried.respond, &env, Some(queried.respond.media_type.clone()))?;
    Ok(Answered { status, headers, body: Some(written.out.bytes.into()), partial })
}

/// The object of variables: arguments that have a value, defaults of the document for the others.
fn variables(queried: &Queried, request: &ClientRequest) -> Held {
    let mut out = DocBuilder::default();
    out.begin_object();
    for (at, variable) in queried.operation.operation.variables.iter().enumerate() {
        let given = match queried.body {
            Some(body) if body == at => request.body.view(),
            _ => request.args.view().and_then(|args| args.member(&variable.name)),
        };
        let default = variable.default.as_ref().map(|default| default.value.root());
        if let Some(value) = given.filter(|value| !value.is_null()).or(default) {
            out.key(&variable.key);
            out.view(value);
        }
    }
    out.end_object();
    Held::whole(out.finish())
}

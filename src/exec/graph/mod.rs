//! GraphQL operations on the same plan, runs and values as endpoints.
//!
//! A bound field runs its composition once for every parent object of the answer, all of them side
//! by side: fields below lists are fetched once per list, and one call serves many parents where a
//! step has `batch`. Everything else is read from the values that are there when the answer is
//! written, in one pass.

mod collect;
mod complete;
mod leaf;
mod query;
mod write;

use bytes::Bytes;
use tokio::time::Instant;

use super::Live;
use super::client::ClientRequest;
use super::crowd::{Bounds, CrowdId, Wanted};
use super::partial::Partial;
use super::run::Run;
use crate::base::failure::{Cause, Failure};
use crate::base::value::{DocBuilder, Held, Value};
pub use query::query;

use crate::plan::Field;
use crate::plan::operation::{Answers, OperationKind, Planned, PlannedField, PlannedSelection};

/// What an operation gave.
#[derive(Debug)]
pub struct GraphAnswer {
    /// `{"data": …}`, with `errors` when there are any.
    pub body: Bytes,
    /// Whether `data` itself is null.
    pub no_data: bool,
    /// The codes of the errors, for the log; empty when there are none.
    pub codes: Vec<String>,
    /// What it had to do without, beside what the errors say.
    pub partial: Partial,
}

/// What the front hands over with an operation.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The object of coerced variables.
    pub variables: &'a Held,
    /// Answers of introspection fields, by response key.
    pub introspection: &'a [(Box<str>, Bytes)],
}

/// The fields of one operation that run, and what they gave.
struct Execution<'p> {
    live: &'p Live,
    inputs: Inputs<'p>,
    run: Run<'p>,
    /// By the number that [`Answers::Bound`] has.
    groups: Vec<Group<'p>>,
    /// Which group a crowd belongs to.
    crowds: Vec<(CrowdId, usize)>,
}

/// Every occurrence of one bound field in the answer.
#[derive(Debug, Default)]
struct Group<'p> {
    field: Option<&'p PlannedField>,
    /// The objects that it hangs on, in the order in which the answer is written.
    parents: Vec<Held>,
    /// What it gave for each.
    results: Vec<Result<Held, Failure>>,
    /// Where the writer stands.
    cursor: usize,
}

/// Runs an operation. Failures of fields are in the answer.
pub async fn execute(
    live: &Live,
    planned: &Planned,
    inputs: Inputs<'_>,
    (request, deadline): (&ClientRequest, Instant),
) -> GraphAnswer {
    write::answer(perform(live, planned, inputs, (request, deadline)).await, planned)
}

/// Runs everything that an operation asks for; what is left is to write the answer.
async fn perform<'p>(
    live: &'p Live,
    planned: &'p Planned,
    inputs: Inputs<'p>,
    (request, deadline): (&'p ClientRequest, Instant),
) -> Execution<'p> {
    let mut execution = Execution {
        live,
        inputs,
        run: Run::new(live, request, deadline),
        groups: (0..planned.groups).map(|_| Group::default()).collect(),
        crowds: Vec::new(),
    };
    match planned.operation.kind {
        OperationKind::Query => {
            execution.begin(&planned.selection);
            execution.work().await;
        }
        OperationKind::Mutation => {
            for field in &planned.selection.fields {
                execution.begin_field(field);
                execution.work().await;
            }
        }
    }
    execution
}

impl<'p> Execution<'p> {
    /// Starts every bound field of the root.
    fn begin(&mut self, selection: &'p PlannedSelection) {
        for field in &selection.fields {
            self.begin_field(field);
        }
    }

    fn begin_field(&mut self, field: &'p PlannedField) {
        if let Answers::Bound { group, .. } = field.answers
            && field.is_included(self.inputs.variables)
        {
            self.groups[group].field = Some(field);
            self.groups[group].parents.push(Held::Null);
            self.start(group);
        }
    }

    /// Works until nothing is under way: each group that is over starts those below it.
    async fn work(&mut self) {
        while let Some(done) = self.run.next_finished().await {
            let Some(at) = self.crowds.iter().position(|(crowd, _)| *crowd == done) else { continue };
            let (_, group) = self.crowds.swap_remove(at);
            let mut results = self.run.take_results(done);
            let undo_failed = self.run.take_back(results.iter().any(Result::is_err)).await;
            for failure in results.iter_mut().filter_map(|result| result.as_mut().err()) {
                failure.undo_failed.clone_from(&undo_failed);
            }
            self.groups[group].results = results;
            self.descend(group);
            if self.crowds.is_empty() {
                return;
            }
        }
        self.give_up();
    }

    /// Starts a group: its composition once for each parent.
    fn start(&mut self, group: usize) {
        let Some(field) = self.groups[group].field else { return };
        let Answers::Bound { field: id, value, .. } = &field.answers else { return };
        let bound = &self.live.plan.fields[id.index()];
        let parents = self.groups[group].parents.clone();
        let refused = match arguments(field, (bound, self.inputs.variables)) {
            Err(failure) => failure,
            Ok(_) if parents.len() > bound.max => {
                let log = format!("{}: more than {} parents", bound.name, bound.max);
                Failure::new(Cause::TooManyItems, log)
            }
            Ok(args) => {
                let deadline = bound.timeout.map(|timeout| Instant::now() + timeout);
                let bounds = Bounds { parallel: bound.parallel, deadline };
                let crowd = self.run.start_crowd(&bound.composition, Wanted::Value(value), (args, parents), bounds);
                self.crowds.push((crowd, group));
                return;
            }
        };
        self.groups[group].results = parents.iter().map(|_| Err(refused.clone())).collect();
    }

    /// What is still waiting will never come: says so rather than hang.
    fn give_up(&mut self) {
        for (_, group) in std::mem::take(&mut self.crowds) {
            let lost = Failure::new(Cause::Internal, "a field came to a halt");
            self.groups[group].results = self.groups[group].parents.iter().map(|_| Err(lost.clone())).collect();
        }
    }
}

/// The object of a field's arguments.
fn arguments(field: &PlannedField, (bound, variables): (&Field, &Held)) -> Result<Held, Failure> {
    let Some(variables) = object_of(variables) else { return Ok(Held::Null) };
    let mut out = DocBuilder::default();
    if let Err(error) = field.field.write_arguments(variables, &mut out) {
        return Err(Failure::told(Cause::GraphqlVariable, error.to_string()));
    }
    let arguments = Held::whole(out.finish());
    for (name, bounds) in &bound.bounds {
        let given = arguments.value().member(name).unwrap_or(Value::Null);
        if let Err(wrong) = bounds.check_value(&given) {
            let sentence = format!("Argument {}", wrong.within(&**name).sentence());
            return Err(Failure::told(Cause::InvalidArgument, sentence));
        }
    }
    Ok(arguments)
}

fn object_of(held: &Held) -> Option<crate::base::value::View<'_>> {
    match held {
        Held::Doc(doc, node) => Some(doc.view(*node)),
        _ => None,
    }
}

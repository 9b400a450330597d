//! An explanation as data: what the printers print.
//!
//! Everything that is said is decided here, nothing is laid out: texts are whole and have no lines.
//! Steps point at each other by their position in [`Explanation::steps`].

mod carried;
mod operation;

use std::time::Duration;

pub(super) use carried::{Asked, Body, Choice, Pair, Variant};
pub use operation::Operation;
pub(super) use operation::{ListSize, OperationField, Taken};

use super::way;
use crate::plan::analysis::{Calls, Sharing};
use crate::plan::{Because, Protocol, TimeoutBy};

/// What an endpoint or a field of the graph does.
#[derive(Debug)]
pub struct Explanation {
    /// What it is, and what clients see of it.
    pub head: Head,
    /// What it does: blocks before what is inside them, else in the order in which steps can start.
    pub steps: Vec<Step>,
    /// The steps that nothing needs, by their ways.
    pub never: Vec<String>,
    /// What its answer is made of.
    pub result: Vec<Members>,
    /// The steps that the answer waits for, without what these wait for anyway.
    pub answer_waits: Vec<usize>,
    /// The program of the answer, where nothing is called.
    pub expression: Option<String>,
    /// What it can cost.
    pub cost: Cost,
    /// What makes a reply a failure in every call to a backend, once for each backend and rule.
    pub refusals: Vec<(String, String)>,
}

/// What clients see.
#[derive(Debug)]
pub struct Head {
    /// The key that it was written under: `GET /v1/products/{id}`, `Query.product`.
    pub name: String,
    /// What it is.
    pub subject: Subject,
    /// What its writer says that it is for.
    pub summary: Option<String>,
    /// What else is said of it, a sentence each: at length, its tags, its hosts, that it will go away.
    pub about: Vec<String>,
    /// The statuses that it gives failures, by their code or their own status.
    pub failures: Vec<(String, u16)>,
    /// What clients send.
    pub arguments: Vec<Argument>,
}

/// What is explained.
#[derive(Debug)]
pub enum Subject {
    /// An endpoint that a composition answers.
    Endpoint(Answer),
    /// An endpoint that passes requests through.
    Proxy(Proxy),
    /// A field of the graph.
    Field(Field),
    /// A GraphQL document, answered within this time.
    Document(Duration),
}

/// The answer of an endpoint.
#[derive(Debug)]
pub struct Answer {
    /// Its status, or the expression that gives it.
    pub status: String,
    /// Its media type; `None` when there is no body.
    pub media_type: Option<String>,
    /// The time within which it comes.
    pub within: Duration,
    /// Header fields that it sets.
    pub headers: Vec<Pair>,
    /// Cookies that it sets: name, and value with attributes.
    pub cookies: Vec<(String, String)>,
}

/// How a request is passed through.
#[derive(Debug)]
pub struct Proxy {
    /// Where to.
    pub backend: String,
    /// The path there; `None` keeps the request's.
    pub path: Option<String>,
    /// Header fields that are set or removed.
    pub headers: Vec<Pair>,
    /// Which variant of the backend it goes to, if that has several.
    pub choice: Option<Choice>,
    /// Whether replies are kept as their header fields say.
    pub is_cached: bool,
    /// The time within which the answer begins.
    pub within: Duration,
}

/// A field of the graph and how often it runs.
#[derive(Debug)]
pub struct Field {
    /// What it gives, in GraphQL's words.
    pub ty: Option<String>,
    /// How often it runs in one answer.
    pub runs: FieldRuns,
    /// The time of the whole answer, if the graph sets one.
    pub within: Option<Duration>,
}

/// How often a field runs in one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldRuns {
    /// Where a query asks for it.
    InQuery,
    /// Where a mutation asks for it, after the mutations before.
    InMutation,
    /// Nothing is called: it is computed for each parent.
    Computed,
    /// Once for all parents.
    ForAllParents,
    /// For each parent.
    ForEachParent {
        /// Parents at the same time.
        parallel: u64,
        /// Parents at most.
        max: u64,
    },
}

/// Something that clients send.
#[derive(Debug)]
pub struct Argument {
    /// What compositions call it.
    pub name: String,
    /// Its type, in GraphQL's words.
    pub ty: String,
    /// Where it comes from: `from the query`; empty for arguments of a field.
    pub from: String,
    /// What is said about its value: `0 to 20`.
    pub rules: Vec<String>,
    /// What it is when the client does not say.
    pub default: Option<String>,
    /// Whether the client must say it, and could leave it out.
    pub required: bool,
}

/// A step, or a block of steps.
#[derive(Debug)]
pub struct Step {
    /// Its name after those of the steps around it, with dots: `price.prices`.
    pub way: String,
    /// The block that it stands in.
    pub inside: Option<usize>,
    /// What it does, once for each of its items if it has any.
    pub action: Action,
    /// The items that it runs for.
    pub items: Option<Items>,
    /// What it waits for, without what these wait for anyway.
    pub waits: Vec<usize>,
    /// It runs only if one of these is so; without any, always.
    pub only_if: Vec<Condition>,
    /// It is done only when this is true.
    pub when: Option<String>,
    /// What it holds when that is false.
    pub otherwise: Option<String>,
    /// What it holds when it fails; `None` fails what is around it.
    pub on_failure: Option<String>,
    /// How many calls are answered one after another before it can start.
    pub turn: u64,
    /// The time that it may take; `None` where only what is around it limits it.
    pub deadline: Option<Deadline>,
}

/// What a step does.
#[derive(Debug)]
pub enum Action {
    /// It calls a backend.
    Call(Box<Call>),
    /// It refuses.
    Guard(Vec<String>),
    /// It is a composition of the steps inside it.
    Composition {
        /// The part that it is, if it is one.
        part: Option<String>,
        /// With what it refuses once they are done.
        refusals: Vec<String>,
    },
}

/// A call to a backend.
#[derive(Debug)]
pub struct Call {
    /// Whom it asks.
    pub backend: String,
    /// What that speaks.
    pub protocol: Protocol,
    /// What it asks wherever it goes.
    pub asked: Asked,
    /// Header fields or metadata that it carries wherever it goes.
    pub headers: Vec<Pair>,
    /// Which variant of the backend it goes to, if that has several.
    pub choice: Option<Choice>,
    /// The only statuses that are success; empty for every 2xx.
    pub expects: Vec<u64>,
    /// What makes its reply a failure, beside what all calls to the backend have in common.
    pub refusals: Vec<String>,
    /// What the step holds, if not the whole reply.
    pub holds: Option<String>,
    /// One call for many keys.
    pub batch: Option<Batch>,
    /// A read again until it holds.
    pub repeat: Option<Repeat>,
    /// How much of a stream its reply is, where the rpc streams.
    pub messages: Option<Messages>,
    /// What takes it back, if it writes.
    pub undo: Option<Undo>,
    /// Whether it reads or writes.
    pub effect: Effect,
    /// How often it is made at most.
    pub calls: Calls,
    /// What of the request it mentions itself.
    pub inputs: Vec<String>,
    /// What of the request the steps that it mentions depend on, beside that.
    pub through: Vec<(usize, Vec<String>)>,
    /// Whom its reply may serve, if it is a read.
    pub sharing: Sharing,
    /// How its reply is kept, if it is.
    pub kept: Option<String>,
}

/// Whether a call reads or writes, and why it counts so.
#[derive(Debug)]
pub struct Effect {
    /// Its place among the writes, from 1; `None` for a read.
    pub write: Option<usize>,
    /// Why.
    pub because: Because,
}

/// One call for many keys.
#[derive(Debug)]
pub struct Batch {
    /// The key of one item or parent.
    pub key: String,
    /// The rows of the reply.
    pub from: String,
    /// The key of a row.
    pub by: String,
    /// Whether a key gets all rows of its own.
    pub many: bool,
    /// Keys in one call.
    pub max: u64,
    /// Whether a key without a row is a failure.
    pub missing_fails: bool,
}

/// A read again until it holds.
#[derive(Debug)]
pub struct Repeat {
    /// The call is not made again once this is true.
    pub until: String,
    /// Calls at most.
    pub max: u64,
    /// The pause between a reply and the next call.
    pub every: Duration,
    /// Whether what was got until then counts when these are used up; else that is a failure.
    pub cut: bool,
}

/// A call that takes a write back.
#[derive(Debug)]
pub struct Undo {
    /// Whom it asks.
    pub backend: String,
    /// What it asks.
    pub asked: Asked,
    /// The time that it has.
    pub timeout: Duration,
}

/// The messages of a stream that make a reply.
#[derive(Debug)]
pub struct Messages {
    /// Messages at most.
    pub max: u64,
    /// Whether the rest is given up when there may be more; else more are a failure.
    pub cut: bool,
}

/// The items that a step runs for.
#[derive(Debug)]
pub struct Items {
    /// What one is called.
    pub name: String,
    /// Where they come from.
    pub list: String,
    /// The key under which what became of an item is found.
    pub key: Option<String>,
    /// How many are taken.
    pub max: u64,
    /// Whether the rest is left out; else more are a failure.
    pub cut: bool,
    /// How many run at the same time.
    pub parallel: u64,
}

/// A condition under which a step is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The step that decides.
    pub step: usize,
    /// What must have become of it.
    pub outcome: Outcome,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its `when` is true.
    Called,
    /// Its `when` is false.
    Skipped,
    /// It failed.
    Failed,
}

/// The time that a step may take, and who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The time.
    pub time: Duration,
    /// Who says so.
    pub by: DeadlineBy,
}

/// Who limits the time of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadlineBy {
    /// The step itself.
    Step,
    /// What holds for its call where the step says nothing.
    Call(TimeoutBy),
    /// A composition around it.
    Around,
    /// The whole answer.
    Answer,
}

/// Members of the answer that come from the same steps.
#[derive(Debug)]
pub struct Members {
    /// Which they are.
    pub given: Given,
    /// The steps that they wait for.
    pub steps: Vec<usize>,
}

/// Which members of an answer something gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// The whole answer.
    Whole,
    /// All members of an object that is merged into the answer.
    Merged,
    /// These.
    Named(Vec<String>),
}

/// What an answer can cost.
#[derive(Debug, Default)]
pub struct Cost {
    /// The calls to each backend.
    pub backends: Vec<BackendCost>,
    /// The calls to all of them.
    pub together: Calls,
    /// Calls that wait for each other, one after another.
    pub depth: u64,
    /// The steps that make these, and how often each in turn.
    pub chain: Vec<(usize, u64)>,
    /// Bounds in these numbers that nobody wrote.
    pub defaults: Vec<DefaultBound>,
}

/// The calls to one backend.
#[derive(Debug)]
pub struct BackendCost {
    /// Its name.
    pub backend: String,
    /// How many at most.
    pub calls: Calls,
    /// How that adds up, where lists multiply: `1 + 100 × 2`.
    pub sum: Option<String>,
}

/// A bound that nobody wrote.
#[derive(Debug, PartialEq, Eq)]
pub struct DefaultBound {
    /// What it bounds: the way of a step, or a backend.
    pub of: String,
    /// The key that would set it.
    pub key: &'static str,
    /// What it is, for people: `100 items at most`.
    pub text: String,
}

impl Explanation {
    /// What a step is called where it is seen from inside a block.
    pub(super) fn name(&self, step: usize, from: Option<usize>) -> String {
        let from = from.map_or("", |block| &*self.steps[block].way);
        way::seen(&self.steps[step].way, from, &|way| self.steps.iter().any(|step| step.way == way))
    }

    /// What several steps are called, in their order.
    pub(super) fn names(&self, steps: &[usize], from: Option<usize>) -> String {
        steps.iter().map(|step| self.name(*step, from)).collect::<Vec<_>>().join(", ")
    }

    /// The one outermost block, if everything is inside it and nothing is said about it.
    pub(super) fn only_block(&self) -> Option<usize> {
        let [only] = self.inside(None)[..] else { return None };
        let step = &self.steps[only];
        let plain = matches!(&step.action, Action::Composition { refusals, .. } if refusals.is_empty());
        let says_nothing = step.items.is_none() && step.when.is_none() && step.on_failure.is_none();
        (plain && says_nothing && step.deadline.is_none() && self.never.is_empty()).then_some(only)
    }

    /// The steps directly inside a block, or the outermost.
    pub(super) fn inside(&self, block: Option<usize>) -> Vec<usize> {
        (0..self.steps.len()).filter(|step| self.steps[*step].inside == block).collect()
    }
}

impl Step {
    /// Its own name.
    pub(super) fn own_name(&self) -> &str {
        self.way.rsplit('.').next().unwrap_or(&self.way)
    }

    /// Its call, if it makes one.
    pub(super) fn call(&self) -> Option<&Call> {
        match &self.action {
            Action::Call(call) => Some(call),
            _ => None,
        }
    }
}

//! Compositions: steps, what they wait for, and a result.

use std::time::Duration;

use super::Call;
use crate::base::call::Over;
use crate::base::failure::Fault;
use crate::base::id::StepId;
use crate::expr::Node;

/// Steps and a result: what an endpoint, a field and each item of a `for_each` run.
#[derive(Debug)]
pub struct Composition {
    /// What each [`crate::expr::Var`] of its expressions reads.
    pub sources: Box<[Source]>,
    /// The outermost steps.
    pub scope: Scope,
    /// What it gives.
    pub result: Expr,
    /// Whether some step may change something at a backend: then it runs on when its client leaves.
    pub writes: bool,
    /// Which steps use a part: the way to the step ([`Step::name`]), and the part's name.
    pub parts: Box<[(Box<str>, Box<str>)]>,
}

/// Steps that run in one frame, and what the frame waits for in any case.
#[derive(Debug)]
pub struct Scope {
    /// How many scopes stand around it.
    pub depth: u16,
    /// The steps in written order, by [`StepId`].
    pub steps: Box<[Step]>,
    /// Writes and guards: what runs although nothing may mention it.
    pub always: Box<[StepId]>,
}

/// An expression and the steps that it waits for.
#[derive(Clone, Debug)]
pub struct Expr {
    /// The program.
    pub node: Node,
    /// The steps whose values it reads.
    pub needs: Box<[Need]>,
}

/// A step that something waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// The depth of the scope that the step stands in.
    pub depth: u16,
    /// The step.
    pub step: StepId,
}

/// What a variable of a compiled expression reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// What a step holds.
    Step(u16, StepId),
    /// The HTTP status of a step's reply; null when it was not called.
    Status(u16, StepId),
    /// The header fields of a step's reply.
    Headers(u16, StepId),
    /// The failure of a step as `{ code, status, detail, body }`; null when it did not fail.
    Error(u16, StepId),
    /// Whether a step's `when` was false.
    Skipped(u16, StepId),
    /// Whether a step's list, or the calls that it repeats, were cut at `max`.
    Cut(u16, StepId),
    /// Whether a step came to its regular end: neither skipped nor failed.
    Succeeded(u16, StepId),
    /// The item of a `for_each` scope; at depth 0 the parent object of a graph field.
    Item(u16),
    /// The object of coerced arguments.
    Args,
    /// The coerced request body.
    Body,
    /// A part of the client's request.
    Request(RequestPart),
    /// The body of the reply that is being judged or turned into a step's value.
    Reply,
    /// The HTTP status of that reply.
    ReplyStatus,
    /// The header fields of that reply.
    ReplyHeaders,
    /// The reply before, of a call that is repeated; null in the first call.
    Last,
    /// The replies of a call that is repeated, the one that is being judged included.
    Replies,
    /// The keys of the batch that is being called.
    Keys,
    /// The row of a batched reply that is being matched to its key.
    Row,
    /// The position of that row, or its key when the reply is an object.
    RowIndex,
}

/// A part of the client's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum RequestPart {
    Method,
    Path,
    Headers,
    Query,
    QueryAll,
    Cookies,
    Body,
    ClientIp,
    Id,
    Time,
}

/// One step.
#[derive(Debug)]
pub struct Step {
    /// Its name, with the names of the steps around it: `seller.s`.
    pub name: Box<str>,
    /// What it does.
    pub action: Action,
    /// Not done unless true.
    pub when: Option<Expr>,
    /// What it holds when `when` is false; without it, null.
    pub otherwise: Option<Expr>,
    /// What it waits for: what its action mentions, and what `after` or the written order demand.
    pub needs: Box<[Need]>,
    /// What a failure does.
    pub on_failure: OnFailure,
    /// The composition step around it that takes its failure, within the same scope.
    pub group: Option<StepId>,
    /// The time it may take.
    pub timeout: Option<Duration>,
    /// Whether it may change something at a backend.
    pub write: bool,
}

impl Step {
    /// Its programs, without those of the steps that run for each item of a list.
    pub(crate) fn nodes(&self) -> Vec<&Node> {
        let mut nodes: Vec<&Node> =
            [&self.when, &self.otherwise].into_iter().flatten().map(|expr| &expr.node).collect();
        if let OnFailure::Default(default) = &self.on_failure {
            nodes.push(&default.node);
        }
        match &self.action {
            Action::Call(call) => {
                nodes.extend(call.nodes());
                nodes.extend(call.undo.iter().flat_map(|undo| undo.call.nodes()));
            }
            Action::Each(each) => nodes.extend([&each.list, &each.value.node].into_iter().chain(&each.key)),
            Action::Group(guards) => nodes.extend(guards.iter().flat_map(Guard::nodes)),
        }
        nodes
    }
}

/// What the failure of a step does.
#[derive(Debug)]
pub enum OnFailure {
    /// It fails what is around it.
    Fail,
    /// The step holds null and the failure is reported.
    Null,
    /// The step holds this and the failure is reported.
    Default(Expr),
}

/// What a step does.
#[derive(Debug)]
pub enum Action {
    /// Calls a backend.
    Call(Box<Call>),
    /// Runs a scope for each item of a list.
    Each(Box<Each>),
    /// Waits for a composition (its needs are the step's), then lets its guards judge.
    Group(Box<[Guard]>),
}

/// A refusal: when its condition holds the step fails with what it declares.
#[derive(Debug)]
pub struct Guard {
    /// The condition.
    pub when: Node,
    /// The code that the client reads.
    pub code: Option<Box<str>>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The sentence that the client reads.
    pub detail: Option<Node>,
    /// Members added to the problem document.
    pub with: Option<Node>,
    /// Whose fault it is.
    pub blame: Option<Fault>,
}

impl Guard {
    /// Its programs.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Node> {
        [Some(&self.when), self.detail.as_ref(), self.with.as_ref()].into_iter().flatten()
    }
}

/// A step that runs once per item of a list.
#[derive(Debug)]
pub struct Each {
    /// What expressions call an item.
    pub name: Box<str>,
    /// The list. Null counts as empty.
    pub list: Node,
    /// What runs per item.
    pub scope: Scope,
    /// What one item gives.
    pub value: Expr,
    /// The key under which an item's value is found; null leaves the item out.
    pub key: Option<Node>,
    /// Items that run at the same time.
    pub parallel: usize,
    /// Items at most.
    pub max: usize,
    /// What happens beyond `max`.
    pub over: Over,
    /// Which of these bounds nobody wrote.
    pub unwritten: Unwritten,
}

/// Which bounds nobody wrote: they are the language's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unwritten {
    /// How many at the same time.
    pub parallel: bool,
    /// How many at all.
    pub max: bool,
}

//! From a plan to an [`Explanation`]: runs the analyses and puts what they found into words.

mod blocks;
mod call;
mod cost;
mod expression;
mod head;
mod naming;
mod operation;
mod pairs;
mod steps;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Explained;
use super::model::{Explanation, Given, Head, Members, Operation, Subject};
use crate::base::id::BackendId;
use crate::expr::Node;
use crate::plan::analysis::{At, Cost, Declared, Flow, Runs, Schedule, imply};
use crate::plan::operation::Planned;
use crate::plan::{
    Action, Answer, BodyForm, Composed, Composition, Endpoint, Field, Graph, Pair, Plan, Proxy, Queried, Respond,
    Scope, Unwritten, needs_of,
};

use blocks::Blocks;
pub(super) use call::duration_text;
use call::refusal;
pub(super) use expression::expression;
pub(super) use naming::Naming;

/// The time within which a field is answered where there is no graph: none is set.
const NO_LIMIT: Duration = Duration::MAX;

/// Explains an endpoint.
pub(super) fn endpoint(plan: &Plan, endpoint: &Endpoint) -> Explained {
    match &endpoint.answer {
        Answer::Compose(composed) => Explained::Composition(self::composed(plan, endpoint, composed)),
        Answer::Query(queried) => Explained::Operation(self::queried(plan, endpoint, queried)),
        Answer::Proxy(proxy) => Explained::Composition(self::proxy(plan, endpoint, proxy)),
    }
}

/// Explains an operation of a document.
pub(super) fn document(plan: &Plan, graph: &Graph, planned: &Planned) -> Operation {
    operation::operation((plan, graph), planned, operation::head_of_document(graph, planned))
}

/// Explains a field of the graph that a composition answers.
pub(super) fn field(plan: &Plan, field: &Field) -> Explanation {
    let composition = &field.composition;
    let whole = Whole::of_field(plan, field);
    let flow = Flow::new(&composition.sources, &composition.scope, &composition.result.needs);
    whole.explained(&flow, head::of_field(&whole, field), &[(None, &composition.result.node)])
}

fn composed(plan: &Plan, endpoint: &Endpoint, composed: &Composed) -> Explanation {
    let Composition { sources, scope, result, parts, .. } = &composed.composition;
    let whole = Whole::of_endpoint(plan, endpoint, parts);
    let flow = Flow::new(sources, scope, &composed.needs);
    let body = (composed.respond.body != BodyForm::None).then_some((None, &result.node));
    let answered: Vec<(Option<String>, &Node)> = body.into_iter().chain(head_nodes(&composed.respond)).collect();
    let naming = Naming::new(&flow);
    let subject = Subject::Endpoint(head::answer(endpoint, &composed.respond, &naming));
    whole.explained(&flow, head::of_endpoint(endpoint, subject), &answered)
}

fn queried(plan: &Plan, endpoint: &Endpoint, queried: &Queried) -> Operation {
    let scope = Scope { depth: 0, steps: Box::default(), always: Box::default() };
    let flow = Flow::new(&queried.sources, &scope, &[]);
    let naming = Naming::new(&flow);
    let subject = Subject::Endpoint(head::answer(endpoint, &queried.respond, &naming));
    let head = head::of_endpoint(endpoint, subject);
    operation::operation((plan, plan.graph()), &queried.operation, head)
}

fn proxy(plan: &Plan, endpoint: &Endpoint, proxy: &Proxy) -> Explanation {
    let whole = Whole::of_endpoint(plan, endpoint, &[]);
    let scope = Scope { depth: 0, steps: Box::default(), always: Box::default() };
    let flow = Flow::new(&proxy.sources, &scope, &[]);
    let naming = Naming::new(&flow);
    let subject = Subject::Proxy(head::proxy(&whole, (endpoint, proxy), &naming));
    let head = head::of_endpoint(endpoint, subject);
    Explanation { cost: cost::of_proxy(&whole, proxy), ..whole.explained(&flow, head, &[]) }
}

/// The programs of an answer's head, and what each gives.
fn head_nodes(respond: &Respond) -> impl Iterator<Item = (Option<String>, &Node)> {
    let computed = respond.status.iter().filter(|status| !status.needs.is_empty());
    let status = computed.map(|status| (Some("the status".to_owned()), &status.node));
    let headers = respond.headers.iter().map(|header| match header {
        Pair::One(name, value) => (Some(format!("the header {name}")), value),
        Pair::Map(map) => (Some("the headers".to_owned()), map),
    });
    let cookies = respond.cookies.iter().flat_map(|cookie| {
        cookie.programs().map(|program| (Some(format!("the cookie {}", cookie.name)), &program.node))
    });
    status.chain(headers).chain(cookies)
}

/// What is explained, as far as its steps and cost read it.
#[derive(Clone, Copy, Debug)]
struct Whole<'p> {
    plan: &'p Plan,
    /// The uses of parts, by their ways.
    parts: &'p [(Box<str>, Box<str>)],
    /// The arguments that an endpoint declares.
    args: Declared<'p>,
    /// The time of the whole answer.
    timeout: Duration,
    /// How often it runs for one answer.
    runs: Runs,
    /// Which bounds of that nobody wrote.
    unwritten: Unwritten,
}

/// Everything that describing the steps of one composition reads.
#[derive(Debug)]
struct Describer<'f, 'p> {
    whole: Whole<'p>,
    flow: &'f Flow<'p>,
    schedule: &'f Schedule<'f, 'p>,
    /// Where each step stands in the explanation.
    blocks: Blocks,
    /// The calls that are writes, in order.
    writes: Vec<At>,
    /// What makes a reply a failure in all calls to a backend, said once.
    refusals: BTreeMap<BackendId, BTreeSet<String>>,
}

impl<'p> Whole<'p> {
    fn of_endpoint(plan: &'p Plan, endpoint: &'p Endpoint, parts: &'p [(Box<str>, Box<str>)]) -> Self {
        let (args, timeout) = (Declared::of(endpoint), endpoint.timeout);
        Self { plan, parts, args, timeout, runs: Runs::Once, unwritten: Unwritten::default() }
    }

    fn of_field(plan: &'p Plan, field: &'p Field) -> Self {
        Self {
            plan,
            parts: &field.composition.parts,
            args: Declared::default(),
            timeout: plan.graph.as_ref().map_or(NO_LIMIT, |graph| graph.timeout),
            runs: Runs::of_field(plan, field),
            unwritten: field.unwritten,
        }
    }

    /// Explains a flow. `answered` are the programs of the answer; the body's has no name.
    fn explained(&self, flow: &Flow<'p>, head: Head, answered: &[(Option<String>, &Node)]) -> Explanation {
        let schedule = Schedule::of(flow);
        let naming = Naming::new(flow);
        let describer = Describer {
            whole: *self,
            flow,
            schedule: &schedule,
            blocks: Blocks::of(flow, &schedule),
            writes: writes(flow, &schedule),
            refusals: common_refusals(flow, &naming),
        };
        let calls_nobody = describer.blocks.entries.is_empty();
        let body = answered.iter().find(|(name, _)| name.is_none()).filter(|_| calls_nobody);
        Explanation {
            head,
            steps: describer.steps(),
            never: describer.never(),
            result: if calls_nobody { Vec::new() } else { describer.result(answered) },
            expression: body.map(|(_, node)| expression(node, &naming)),
            answer_waits: describer.answer_waits(),
            cost: describer.cost(&Cost::of(flow, &schedule, self.runs)),
            refusals: describer.said_refusals(),
        }
    }
}

impl Describer<'_, '_> {
    /// The steps that nothing asks for although what is around them runs.
    fn never(&self) -> Vec<String> {
        let around_runs = |at: &At| self.flow.around(*at).is_none_or(|around| self.schedule.runs(around));
        let idle = self.flow.all().filter(|at| !self.schedule.runs(*at)).filter(around_runs);
        idle.map(|at| self.flow.step(at).name.to_string()).collect()
    }

    /// The members of the answer by the steps that they wait for.
    fn result(&self, answered: &[(Option<String>, &Node)]) -> Vec<Members> {
        let mut members: Vec<(Given, &Node)> = Vec::new();
        for (name, node) in answered {
            match name {
                Some(name) => members.push((Given::Named(vec![name.clone()]), node)),
                None => give(node, Given::Whole, &mut members),
            }
        }
        let mut by_steps: Vec<Members> = Vec::new();
        for (given, node) in members {
            let needs = needs_of(node, self.flow.sources);
            let steps = needs.iter().filter_map(|need| self.flow.locate(self.flow.outermost(), *need));
            let steps: Vec<usize> = steps.filter_map(|at| self.blocks.position(at)).collect();
            let known = by_steps.iter_mut().filter(|known| known.steps == steps).map(|known| &mut known.given);
            match (known.last(), &given) {
                (Some(Given::Named(known)), Given::Named(names)) => {
                    known.extend(names.iter().filter(|name| !known.contains(name)).cloned().collect::<Vec<_>>());
                }
                (Some(Given::Merged), Given::Merged) => {}
                _ => by_steps.push(Members { given, steps }),
            }
        }
        by_steps
    }

    /// The steps that the answer waits for, mentioned or not.
    fn answer_waits(&self) -> Vec<usize> {
        let mut implied = BTreeSet::new();
        self.flow.roots().iter().for_each(|root| imply(self.flow, *root, &mut implied));
        let last = self.flow.roots().iter().filter(|root| !implied.contains(root));
        let last: BTreeSet<usize> = last.filter_map(|root| self.blocks.position(*root)).collect();
        last.into_iter().collect()
    }

    fn said_refusals(&self) -> Vec<(String, String)> {
        let said = |(id, texts): (&BackendId, &BTreeSet<String>)| {
            let backend = self.backend(*id);
            texts.iter().map(|text| (backend.clone(), text.clone())).collect::<Vec<_>>()
        };
        self.refusals.iter().flat_map(said).collect()
    }

    fn backend(&self, id: BackendId) -> String {
        self.whole.plan.backends[id.index()].name.to_string()
    }
}

/// The members of an answer with the programs that give them; `whole` is what a program gives that names none.
fn give<'n>(node: &'n Node, whole: Given, members: &mut Vec<(Given, &'n Node)>) {
    match node {
        Node::Object(inside) => {
            members.extend(inside.iter().map(|member| (Given::Named(vec![member.name.to_string()]), &member.value)));
        }
        Node::Merge(merge) => merge.parts.iter().for_each(|part| give(&part.node, Given::Merged, members)),
        other => members.push((whole, other)),
    }
}

/// The refusals that all calls to a backend have in common: those that the backend declares.
fn common_refusals(flow: &Flow<'_>, naming: &Naming<'_, '_>) -> BTreeMap<BackendId, BTreeSet<String>> {
    let mut common: BTreeMap<BackendId, BTreeSet<String>> = BTreeMap::new();
    for at in flow.all() {
        let Action::Call(call) = &flow.step(at).action else { continue };
        let own: BTreeSet<String> = call.guards().iter().map(|guard| refusal(guard, naming)).collect();
        common.entry(call.backend).and_modify(|known| known.retain(|text| own.contains(text))).or_insert(own);
    }
    common
}

/// The calls that are writes, in the order in which they can start.
fn writes(flow: &Flow<'_>, schedule: &Schedule<'_, '_>) -> Vec<At> {
    let is_write = |at: &At| flow.step(*at).write && matches!(flow.step(*at).action, Action::Call(_));
    let mut writes: Vec<At> = flow.all().filter(|at| schedule.runs(*at) && is_write(at)).collect();
    writes.sort_by_key(|at| schedule.start(*at));
    writes
}

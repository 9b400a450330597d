//! The sections about a composition: its steps, what they give, what they can cost, on what they depend.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::call::refusal;
use super::expression::expression;
use super::layout::{pairs, rows};
use super::naming::Naming;
use super::steps::writes;
use crate::base::id::BackendId;
use crate::expr::Node;
use crate::plan::analysis::{At, Flow};
use crate::plan::analysis::{Calls, Cost, Runs};
use crate::plan::analysis::{Chain, Link, Schedule};
use crate::plan::analysis::{Input, Inputs, Reader, Sharing};
use crate::plan::{Action, Arg, ArgSource, Plan, needs_of};

/// Columns before the content of a section.
pub(super) const INDENT: usize = 2;

/// What the sections about a composition read besides its steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'p> {
    /// The arguments that an endpoint declares.
    pub(super) args: &'p [Arg],
    /// The time of the whole answer.
    pub(super) timeout: Duration,
    /// How often it runs for one answer.
    pub(super) runs: Runs,
    /// The program of the answer's body, if there is one.
    pub(super) result: Option<&'p Node>,
}

/// Everything that the drawing of one composition reads.
#[derive(Debug)]
pub(super) struct Drawing<'f, 'p> {
    pub(super) plan: &'p Plan,
    pub(super) flow: &'f Flow<'p>,
    pub(super) schedule: &'f Schedule<'f, 'p>,
    pub(super) subject: Subject<'p>,
    /// The calls that are writes, in order.
    pub(super) writes: Vec<At>,
    /// What makes a reply a failure in all calls to a backend, said once.
    pub(super) failures: BTreeMap<BackendId, BTreeSet<String>>,
}

/// The sections about a composition.
pub(super) fn sections(plan: &Plan, flow: &Flow<'_>, subject: Subject<'_>) -> String {
    let naming = Naming::new(flow, &plan.hidden);
    if flow.all().next().is_none() {
        return nothing_called(&subject, &naming);
    }
    let schedule = Schedule::of(flow);
    let drawing = Drawing {
        plan,
        flow,
        schedule: &schedule,
        subject,
        writes: writes(flow, &schedule),
        failures: common_failures(flow, &naming),
    };
    let cost = Cost::of(flow, &schedule, subject.runs);
    let of = naming.prefix().map(|prefix| format!(" of {prefix}")).unwrap_or_default();
    let sections = [
        (format!("Steps{of}"), rows(&drawing.rows(&naming))),
        ("Result: what comes from which step".to_owned(), drawing.result(&naming)),
        ("In the worst case".to_owned(), drawing.cost(&cost, &naming)),
        ("Replies that count as failures".to_owned(), drawing.failures()),
        (
            "What each call depends on: its reply may serve requests that agree in it".to_owned(),
            drawing.inputs(&naming),
        ),
    ];
    let written = sections.into_iter().filter(|(_, text)| !text.is_empty());
    written.map(|(title, text)| format!("\n{title}\n{text}")).collect()
}

fn nothing_called(subject: &Subject<'_>, naming: &Naming<'_, '_>) -> String {
    let result = subject.result.map(|node| expression(node, naming));
    let pair = result.map(|text| ("result".to_owned(), text));
    let result = pair.map(|pair| pairs(INDENT, &[pair])).unwrap_or_default();
    format!("\nNothing is called\n{result}")
}

/// The refusals that all calls to a backend have in common: those that the backend declares.
fn common_failures(flow: &Flow<'_>, naming: &Naming<'_, '_>) -> BTreeMap<BackendId, BTreeSet<String>> {
    let mut common: BTreeMap<BackendId, BTreeSet<String>> = BTreeMap::new();
    for at in flow.all() {
        let Action::Call(call) = &flow.step(at).action else { continue };
        let own: BTreeSet<String> = call.guards.iter().map(|guard| refusal(guard, naming)).collect();
        common.entry(call.backend).and_modify(|known| known.retain(|text| own.contains(text))).or_insert(own);
    }
    common
}

impl Drawing<'_, '_> {
    /// The argument that holds the tail of the path.
    pub(super) fn tail(&self) -> String {
        tail(self.subject.args)
    }

    /// The members of the result by the steps that they wait for.
    fn result(&self, naming: &Naming<'_, '_>) -> String {
        let whole = [(None, self.subject.result)];
        let members: Vec<(Option<&str>, &Node)> = match self.subject.result {
            Some(Node::Object(members)) => members.iter().map(|member| (Some(&*member.name), &member.value)).collect(),
            _ => whole.into_iter().filter_map(|(name, node)| Some((name, node?))).collect(),
        };
        let mut by_steps: Vec<(String, Vec<&str>)> = Vec::new();
        for (name, node) in members {
            let needs = needs_of(node, self.flow.sources);
            let steps = needs.iter().filter_map(|need| self.flow.locate(self.flow.outermost(), *need));
            let steps = match naming.steps(steps) {
                none if none.is_empty() => "no step".to_owned(),
                steps => steps,
            };
            let name = name.unwrap_or("everything");
            match by_steps.iter_mut().find(|(known, _)| *known == steps) {
                Some((_, names)) => names.push(name),
                None => by_steps.push((steps, vec![name])),
            }
        }
        let lines: Vec<(String, String)> =
            by_steps.into_iter().map(|(steps, names)| (steps, names.join(", "))).collect();
        pairs(INDENT, &lines)
    }

    fn cost(&self, cost: &Cost, naming: &Naming<'_, '_>) -> String {
        let backend = |id: BackendId| self.plan.backends[id.index()].name.to_string();
        let mut lines: Vec<(String, String)> =
            cost.calls.iter().map(|(id, calls)| (backend(*id), calls_text(calls))).collect();
        if lines.len() > 1 {
            lines.push(("together".to_owned(), calls_text(&cost.total())));
        }
        if cost.chain.calls > 1 {
            lines.push(("one after another".to_owned(), self.chain_text(&cost.chain, naming)));
        }
        pairs(INDENT, &lines)
    }

    fn chain_text(&self, chain: &Chain, naming: &Naming<'_, '_>) -> String {
        let link = |link: &Link| match link.times {
            1 => naming.step(link.step),
            times => format!("{} ×{times}", naming.step(link.step)),
        };
        let links: Vec<String> = chain.links.iter().map(link).collect();
        format!("{}: {}", count(chain.calls, "call"), links.join(" → "))
    }

    fn failures(&self) -> String {
        let said = |(id, texts): (&BackendId, &BTreeSet<String>)| {
            let name = self.plan.backends[id.index()].name.to_string();
            let lines: Vec<(String, String)> = texts.iter().map(|text| (name.clone(), text.clone())).collect();
            lines
        };
        pairs(INDENT, &self.failures.iter().flat_map(said).collect::<Vec<_>>())
    }

    fn inputs(&self, naming: &Naming<'_, '_>) -> String {
        let reader = Reader::new(self.flow, self.subject.args);
        let mut lines = Vec::new();
        let mut steps: Vec<At> = self.flow.all().filter(|at| self.schedule.runs(*at)).collect();
        steps.sort_by_key(|at| self.schedule.start(*at));
        for at in steps {
            if let Action::Call(call) = &self.flow.step(at).action {
                let inputs = reader.of_call(at, call);
                lines.push((naming.step(at), self.inputs_text(at, &inputs, naming)));
            }
        }
        pairs(INDENT, &lines)
    }

    fn inputs_text(&self, at: At, inputs: &Inputs, naming: &Naming<'_, '_>) -> String {
        let list = |inputs: &BTreeSet<Input>| inputs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let mut parts: Vec<String> = Vec::new();
        if !inputs.own.is_empty() {
            parts.push(list(&inputs.own));
        }
        let mut said = inputs.own.clone();
        for (step, inputs) in &inputs.through {
            let more: BTreeSet<Input> = inputs.difference(&said).cloned().collect();
            if !more.is_empty() {
                parts.push(format!("{} through {}", list(&more), naming.step(*step)));
                said.extend(more);
            }
        }
        let text = if parts.is_empty() { "nothing of the request".to_owned() } else { parts.join("; ") };
        let whom = match inputs.sharing() {
            _ if self.flow.step(at).write => " (a write: never shared)",
            Sharing::Everyone | Sharing::Alike => "",
            Sharing::Private => " (private)",
            Sharing::Nobody => " (never shared)",
        };
        text + whom
    }
}

/// The argument that holds the tail of the path.
pub(super) fn tail(args: &[Arg]) -> String {
    let tail = args.iter().find(|arg| matches!(arg.source, ArgSource::Tail(_)));
    tail.map_or_else(|| "…".to_owned(), |arg| format!("args.{}", arg.name))
}

/// A number and what it counts.
pub(super) fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

fn calls_text(calls: &Calls) -> String {
    let mut parts = Vec::new();
    if calls.fixed > 0 {
        parts.push(count(calls.fixed, "call"));
    }
    if calls.per_parent > 0 {
        parts.push(format!("{} for each parent", count(calls.per_parent, "call")));
    }
    parts.extend(calls.per_keys.iter().map(|keys| format!("1 call for every {keys} keys")));
    parts.join(" and ")
}

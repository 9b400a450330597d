//! The drawing of steps: blocks in one another, and in each the order in which steps can start.

use super::super::model::{
    Action, Asked, Batch, Body, Call, Choice, Condition, Explanation, Items, Messages, Outcome, Pair, Repeat, Step,
    Undo, Variant,
};
use super::layout::{Row, StepRow};
use super::{count, duration_text};
use crate::plan::{Because, Protocol};

/// Columns by which what is inside something stands further right.
const INDENT: usize = 2;

/// When a step starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Start {
    waits: Vec<usize>,
    only_if: Vec<Condition>,
}

/// The rows of all steps inside a block, and of those that never run.
pub(super) fn rows(explanation: &Explanation, around: Option<usize>) -> Vec<Row> {
    let drawing = Drawing { explanation, alone: around.is_none() };
    let mut rows = drawing.block(around, &Start::default(), INDENT);
    if !explanation.never.is_empty() {
        rows.push(Row::Heading { indent: INDENT, text: "never: nothing needs it".to_owned() });
        let name = explanation.never.join(", ").replace('.', " › ");
        rows.push(Row::Step(StepRow { indent: 2 * INDENT, name, ..StepRow::default() }));
    }
    rows
}

/// The rows of all steps, below something that is said of them.
pub(super) fn inner_rows(explanation: &Explanation, indent: usize) -> Vec<Row> {
    Drawing { explanation, alone: false }.block(None, &Start::default(), indent)
}

struct Drawing<'e> {
    explanation: &'e Explanation,
    /// Whether the outermost steps stand below nothing that says when they start.
    alone: bool,
}

impl Drawing<'_> {
    /// The rows of the steps directly inside a block, or of the outermost. `said` was said of the block.
    fn block(&self, around: Option<usize>, said: &Start, indent: usize) -> Vec<Row> {
        let mut starts: Vec<(Start, Vec<usize>)> = Vec::new();
        for step in self.explanation.inside(around) {
            let start = self.start(step).without(said);
            match starts.iter_mut().find(|(known, _)| *known == start) {
                Some((_, steps)) => steps.push(step),
                None => starts.push((start, vec![step])),
            }
        }
        let plain =
            matches!(&starts[..], [(start, _)] if (around.is_some() || !self.alone) && *start == Start::default());
        let mut rows = Vec::new();
        for (start, steps) in starts {
            if !plain {
                rows.push(Row::Heading { indent, text: self.start_text(&start, around) });
            }
            let indent = if plain { indent } else { indent + INDENT };
            steps.into_iter().for_each(|step| rows.extend(self.step(step, &start.with(said), indent)));
        }
        rows
    }

    /// When a step starts: for a composition that decides nothing itself, when all that is inside it can.
    fn start(&self, at: usize) -> Start {
        let step = &self.explanation.steps[at];
        let own = Start { waits: step.waits.clone(), only_if: step.only_if.clone() };
        let hollow = matches!(step.action, Action::Composition { .. }) && step.when.is_none() && step.items.is_none();
        let inside = self.explanation.inside(Some(at));
        if !hollow || inside.is_empty() {
            return own;
        }
        let mut starts = inside.into_iter().map(|step| self.start(step));
        let first = starts.next().unwrap_or_default();
        let shared = starts.fold(first, |shared, start| Start {
            waits: shared.waits.into_iter().filter(|wait| start.waits.contains(wait)).collect(),
            only_if: if shared.only_if == start.only_if { shared.only_if } else { Vec::new() },
        });
        shared.with(&own)
    }

    /// The rows of one step and of what is inside it.
    fn step(&self, at: usize, said: &Start, indent: usize) -> Vec<Row> {
        let step = &self.explanation.steps[at];
        let mut row = StepRow { indent, name: step.own_name().to_owned(), ..StepRow::default() };
        match &step.action {
            Action::Call(call) => {
                let deadline = step.deadline.map(|deadline| duration_text(deadline.time));
                row.call = Some((call.backend.clone(), deadline.unwrap_or_default()));
                row.mark = self.write_mark(call);
                row.lines.extend(request(call));
                row.lines.extend(step.items.as_ref().map(items));
                row.lines.extend(reply(call));
            }
            Action::Guard(refusals) => {
                row.mark = "guard".to_owned();
                row.lines.extend(refusals.iter().map(|refusal| format!("fails with {refusal}")));
            }
            Action::Composition { part, refusals } => {
                row.lines.extend(part.as_ref().map(|part| format!("part {part}")));
                row.lines.extend(step.items.as_ref().map(items));
                row.lines.extend(refusals.iter().map(|refusal| format!("then fails with {refusal}")));
                let within = step.deadline.map(|deadline| format!("within {} together", duration_text(deadline.time)));
                row.lines.extend(within);
            }
        }
        row.lines.extend(conditions(step));
        let mut rows = vec![Row::Step(row)];
        rows.extend(self.block(Some(at), said, indent + INDENT));
        rows
    }

    fn start_text(&self, start: &Start, from: Option<usize>) -> String {
        let explanation = self.explanation;
        let after = (!start.waits.is_empty()).then(|| format!("after {}", explanation.names(&start.waits, from)));
        let only = (!start.only_if.is_empty()).then(|| {
            let conditions = start.only_if.iter().map(|condition| {
                let name = explanation.name(condition.step, from);
                match condition.outcome {
                    Outcome::Called => format!("{name} is called"),
                    Outcome::Skipped => format!("{name} is not called"),
                    Outcome::Failed => format!("{name} fails"),
                }
            });
            format!("only if {}", conditions.collect::<Vec<_>>().join(" or "))
        });
        let parts: Vec<String> = after.into_iter().chain(only).collect();
        if parts.is_empty() { "at once".to_owned() } else { parts.join(", ") }
    }

    fn write_mark(&self, call: &Call) -> String {
        let writes = self.explanation.steps.iter().filter_map(Step::call).filter(|call| call.effect.write.is_some());
        match call.effect.write {
            Some(_) if writes.count() == 1 => "write".to_owned(),
            Some(position) => format!("write {position}"),
            None => String::new(),
        }
    }
}

impl Start {
    /// What is left to say when something was said.
    fn without(self, said: &Self) -> Self {
        let said_only_if = said.only_if == self.only_if;
        Self {
            waits: self.waits.into_iter().filter(|wait| !said.waits.contains(wait)).collect(),
            only_if: if said_only_if { Vec::new() } else { self.only_if },
        }
    }

    /// Both together.
    fn with(&self, other: &Self) -> Self {
        let more = other.waits.iter().filter(|wait| !self.waits.contains(wait));
        let mut waits: Vec<usize> = self.waits.iter().chain(more).copied().collect();
        waits.sort_unstable();
        let only_if = if self.only_if.is_empty() { other.only_if.clone() } else { self.only_if.clone() };
        Self { waits, only_if }
    }
}

/// What a call asks for, and where it goes.
fn request(call: &Call) -> Vec<String> {
    let noun = if call.protocol == Protocol::Grpc { "metadata" } else { "header" };
    let mut lines = asked(&call.asked);
    lines.extend(carried(&call.headers, noun));
    if let Some(choice) = &call.choice {
        lines.push(self::choice(choice));
        lines.extend(choice.variants.iter().flat_map(|variant| only_there(variant, noun)));
    }
    lines.extend(call.batch.as_ref().map(batch));
    lines.extend(call.repeat.as_ref().map(repeat));
    lines.extend(call.messages.as_ref().map(messages));
    if let Some(Undo { backend, asked, timeout }) = &call.undo {
        let within = duration_text(*timeout);
        lines.push(format!("taken back by {backend}, within {within}: {}", self::asked(asked).join(" ")));
    }
    lines
}

/// What is asked: the operation, cookies, a body.
fn asked(Asked { operation, cookies, body }: &Asked) -> Vec<String> {
    let mut lines = vec![match body {
        Some(Body::Message(message)) => format!("{operation} {message}"),
        Some(Body::Json(_) | Body::Form(_) | Body::Multipart(_) | Body::Raw(_)) | None => operation.clone(),
    }];
    lines.extend(carried(cookies, "cookie"));
    lines.extend(match body {
        Some(Body::Json(body)) => Some(format!("with body {body}")),
        Some(Body::Form(form)) => Some(format!("with form {}", form.join("&"))),
        Some(Body::Multipart(parts)) => Some(format!("with parts {}", parts.join(", "))),
        Some(Body::Raw(body)) => Some(format!("with raw body {body}")),
        Some(Body::Message(_)) | None => None,
    });
    lines
}

/// What decides to which variant a request goes.
pub(in crate::plan::explain) fn choice(choice: &Choice) -> String {
    let variant = |Variant { name, share, .. }: &Variant| match share {
        Some(share) => format!("{share} of {name}"),
        None => name.clone(),
    };
    let by_share = choice.variants.iter().any(|variant| variant.share.is_some());
    let variants: Vec<String> = choice.variants.iter().map(variant).collect();
    let by = choice.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    format!("to {}{by}", variants.join(if by_share { ", " } else { " or " }))
}

/// What a call does only at one variant.
fn only_there(variant: &Variant, noun: &str) -> Vec<String> {
    let query = (!variant.query.is_empty()).then(|| format!("with query {}", variant.query.join("&")));
    let within = variant.within.map(|time| format!("within {}", duration_text(time)));
    let lines = query.into_iter().chain(carried(&variant.headers, noun)).chain(within);
    lines.map(|line| format!("{}: {line}", variant.name)).collect()
}

/// Header fields or cookies that a call carries, a line each.
fn carried(pairs: &[Pair], noun: &str) -> Vec<String> {
    let line = |pair: &Pair| match pair {
        Pair::Set(name, value) => format!("with {noun} {name}: {value}"),
        Pair::Removed(name) => format!("without {noun} {name}"),
        Pair::Map(map) => format!("with {noun} {{{map}}}"),
    };
    pairs.iter().map(line).collect()
}

/// What decides whether its reply is good, what becomes of it, and why it counts as a read or write.
fn reply(call: &Call) -> Vec<String> {
    let mut lines = Vec::new();
    if !call.expects.is_empty() {
        let statuses: Vec<String> = call.expects.iter().map(ToString::to_string).collect();
        lines.push(format!("expects {}", statuses.join(" or ")));
    }
    lines.extend(call.refusals.iter().map(|refusal| format!("fails with {refusal}")));
    lines.extend(call.holds.as_ref().map(|holds| format!("holds {holds}")));
    let effect = if call.effect.write.is_some() { "write" } else { "read" };
    let why = match call.effect.because {
        Because::Said => Some("`read` says so"),
        Because::Place => Some("only reads may stand here"),
        Because::Unsaid => Some("nothing says that it only reads"),
        Because::Method | Because::Proto | Because::Backend => None,
    };
    lines.extend(why.map(|why| format!("a {effect}, because {why}")));
    lines
}

/// Whether a step is done, and what stands for it otherwise.
fn conditions(step: &Step) -> Vec<String> {
    let otherwise = step.otherwise.as_deref().unwrap_or("null");
    let decision = step.when.as_ref().map(|when| format!("when {when}, else {otherwise}"));
    let who = if step.items.is_some() { "an item that fails" } else { "if it fails" };
    let failure = step.on_failure.as_ref().map(|holds| format!("{who}: {holds}"));
    decision.into_iter().chain(failure).collect()
}

fn items(items: &Items) -> String {
    let Items { name, list, max, parallel, .. } = items;
    let over = if items.cut { "the rest is left out" } else { "more fail" };
    let pace = match parallel {
        1 => "one at a time".to_owned(),
        parallel if parallel >= max => "all at once".to_owned(),
        parallel => format!("{parallel} at a time"),
    };
    let key = items.key.as_ref().map(|key| format!(", found by {key}")).unwrap_or_default();
    format!("for each {name} of {list}{key}: at most {max} ({over}), {pace}")
}

fn repeat(repeat: &Repeat) -> String {
    let Repeat { until, max, every, cut } = repeat;
    let pause = if every.is_zero() { String::new() } else { format!(", {} apart", duration_text(*every)) };
    let over = if *cut { "then it is cut" } else { "then it fails" };
    format!("again until {until}: at most {}{pause} ({over})", count(*max, "call"))
}

fn messages(messages: &Messages) -> String {
    let over = if messages.cut { "then it is cut" } else { "more fail" };
    format!("a list of at most {} ({over})", count(messages.max, "message"))
}

fn batch(batch: &Batch) -> String {
    let Batch { key, from, by, max, .. } = batch;
    let rows = if batch.many { "all rows" } else { "the row" };
    let missing = if batch.missing_fails { "; a key without a row fails" } else { "" };
    format!("one call for up to {max} keys {key}; each gets {rows} of {from} where {by} is its key{missing}")
}

//! An explanation as a Mermaid flowchart, to be put into a page or a merge request.
//!
//! Arrows lead from what is waited for to what waits. A dashed arrow is a condition: what it leads to
//! runs only then. Blocks are subgraphs, writes have a thick border.

use std::fmt::Write as _;

use super::Explained;
use super::describe::duration_text;
use super::model::{Action, Explanation, Items, Operation, Outcome, Step, Subject};
use super::text::{choice, count};

/// Characters of one line of a label; what is longer is cut.
const LONGEST_LINE: usize = 72;
/// What characters stand in a label as they are, beside letters and digits: nothing that Mermaid, or
/// the HTML that it makes, could read as its own.
const PLAIN: &str = " .,_-/=()[]{}?!'+*›→·…×⌈⌉÷•";

/// The whole chart: of several explanations each in a box, for a text is one chart to whoever draws it.
pub(super) fn mermaid(explained: &[Explained]) -> String {
    let mut out = "flowchart TD\n".to_owned();
    if let [only] = explained {
        return out + &body(only, "");
    }
    for (at, explained) in explained.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "  subgraph c{at}[\"{}\"]", escaped(&explained.head().name));
        body(explained, &format!("c{at}")).lines().for_each(|line| {
            let _ = writeln!(out, "  {line}");
        });
        out.push_str("  end\n");
    }
    out
}

/// The lines of a chart. The names of its nodes begin with `name`.
fn body(explained: &Explained, name: &str) -> String {
    match explained {
        Explained::Composition(explanation) => composition(explanation, name),
        Explained::Operation(operation) => self::operation(operation, name),
    }
}

/// The fields that call as boxes around their steps.
fn operation(operation: &Operation, name: &str) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "  {text}");
    };
    line(format!("{name}request([\"{}\"])", escaped(&operation.head.name)));
    for (at, field) in operation.fields.iter().enumerate() {
        let mut lines = vec![field.path.clone(), field.explanation.head.name.clone()];
        lines.extend(
            field.calls.iter().map(|(backend, calls)| format!("at most {} to {backend}", count(*calls, "call"))),
        );
        line(format!("subgraph {name}f{at}[\"{}\"]", label(&lines)));
        let mut chart = Chart { explanation: &field.explanation, name: format!("{name}f{at}"), out: String::new() };
        chart.block(None, 1);
        chart.waits();
        chart.out.lines().for_each(|inner| line(inner.to_owned()));
        line("end".to_owned());
    }
    for (at, field) in operation.fields.iter().enumerate() {
        let from = field.after.or(field.before).map_or("request".to_owned(), |before| format!("f{before}"));
        let from = format!("{name}{from}");
        match field.only_if.is_empty() {
            true => line(format!("{from} --> {name}f{at}")),
            false => line(format!("{from} -. \"only if {}\" .-> {name}f{at}", escaped(&field.only_if.join(" and ")))),
        }
    }
    out
}

fn composition(explanation: &Explanation, name: &str) -> String {
    let mut chart = Chart { explanation, name: name.to_owned(), out: String::new() };
    chart.line(1, &format!("{name}request([\"{}\"])", escaped(&explanation.head.name)));
    if let Subject::Proxy(proxy) = &explanation.head.subject {
        let mut lines = vec![proxy.backend.clone(), "passed through".to_owned()];
        lines.extend(proxy.choice.as_ref().map(choice));
        chart.line(1, &format!("{name}proxy[\"{}\"]", label(&lines)));
    }
    chart.block(None, 1);
    chart.line(1, &format!("{name}answer([\"{}\"])", escaped(&answer(&explanation.head.subject))));
    if matches!(explanation.head.subject, Subject::Proxy(_)) {
        chart.line(1, &format!("{name}request --> {name}proxy --> {name}answer"));
    }
    chart.waits();
    chart.ends();
    chart.classes();
    chart.out
}

struct Chart<'e> {
    explanation: &'e Explanation,
    /// What the names of its nodes begin with.
    name: String,
    out: String,
}

impl Chart<'_> {
    /// The nodes and subgraphs directly inside a block.
    fn block(&mut self, block: Option<usize>, depth: usize) {
        for at in self.explanation.inside(block) {
            let lines = lines(&self.explanation.steps[at]);
            if self.explanation.inside(Some(at)).is_empty() {
                let (open, close) = match &self.explanation.steps[at].action {
                    Action::Call(_) | Action::Composition { .. } => ("[", "]"),
                    Action::Guard(_) => ("{{", "}}"),
                };
                self.line(depth, &format!("{}{open}\"{}\"{close}", self.node(at), label(&lines)));
            } else {
                self.line(depth, &format!("subgraph {}[\"{}\"]", self.node(at), label(&lines)));
                self.block(Some(at), depth + 1);
                self.line(depth, "end");
            }
        }
    }

    /// The arrows between steps.
    fn waits(&mut self) {
        for (at, step) in self.explanation.steps.iter().enumerate() {
            let to = self.node(at);
            for wait in &step.waits {
                self.line(1, &format!("{} --> {to}", self.node(*wait)));
            }
            for condition in &step.only_if {
                let when = match condition.outcome {
                    Outcome::Called => "only if called",
                    Outcome::Skipped => "only if not called",
                    Outcome::Failed => "only if it fails",
                };
                self.line(1, &format!("{} -. \"{when}\" .-> {to}", self.node(condition.step)));
            }
        }
    }

    /// The arrows from the request and to the answer.
    fn ends(&mut self) {
        let explanation = self.explanation;
        for (at, step) in explanation.steps.iter().enumerate() {
            if step.waits.is_empty() && step.only_if.is_empty() && self.begins(at) {
                self.line(1, &format!("{}request --> {}", self.name, self.node(at)));
            }
        }
        if explanation.answer_waits.is_empty() && !matches!(explanation.head.subject, Subject::Proxy(_)) {
            self.line(1, &format!("{0}request --> {0}answer", self.name));
        }
        for step in &explanation.answer_waits {
            self.line(1, &format!("{} --> {}answer", self.node(*step), self.name));
        }
    }

    fn node(&self, step: usize) -> String {
        format!("{}s{step}", self.name)
    }

    /// Whether a step that waits for nothing is the first: it is no block of steps, and nothing
    /// around it waits.
    fn begins(&self, at: usize) -> bool {
        let mut around = self.explanation.steps[at].inside;
        while let Some(block) = around {
            let step = &self.explanation.steps[block];
            if !step.waits.is_empty() || !step.only_if.is_empty() {
                return false;
            }
            around = step.inside;
        }
        self.explanation.inside(Some(at)).is_empty()
    }

    fn classes(&mut self) {
        let steps = self.explanation.steps.iter().enumerate();
        let is_write = |step: &Step| step.call().is_some_and(|call| call.effect.write.is_some());
        let writes: Vec<String> = steps.filter(|(_, step)| is_write(step)).map(|(at, _)| self.node(at)).collect();
        if !writes.is_empty() {
            self.line(1, "classDef write stroke-width:4px");
            self.line(1, &format!("class {} write", writes.join(",")));
        }
    }

    fn line(&mut self, depth: usize, text: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.out, "{:indent$}{text}", "", indent = 2 * depth);
    }
}

/// What is said in a node, or in the head of a subgraph.
fn lines(step: &Step) -> Vec<String> {
    let mut lines = vec![step.own_name().to_owned()];
    match &step.action {
        Action::Call(call) => {
            let time = step.deadline.map(|deadline| format!(", {}", duration_text(deadline.time))).unwrap_or_default();
            let write = call.effect.write.map(|position| format!("write {position}: ")).unwrap_or_default();
            lines.push(format!("{write}{}{time}", call.backend));
            lines.push(call.asked.operation.clone());
            lines.extend(call.choice.as_ref().map(choice));
            let batch = call.batch.as_ref();
            lines.extend(call.repeat.as_ref().map(|repeat| format!("again, at most {} calls", repeat.max)));
            lines.extend(call.messages.as_ref().map(|messages| format!("at most {} messages", messages.max)));
            lines.extend(batch.map(|batch| format!("one call for up to {} keys", batch.max)));
        }
        Action::Guard(refusals) => lines.extend(refusals.iter().map(|refusal| format!("fails with {refusal}"))),
        Action::Composition { part, refusals } => {
            lines.extend(part.as_ref().map(|part| format!("part {part}")));
            lines.extend(refusals.iter().map(|refusal| format!("then fails with {refusal}")));
        }
    }
    lines.extend(
        step.items.as_ref().map(|Items { name, list, max, .. }| format!("for each {name} of {list}, at most {max}")),
    );
    lines.extend(step.when.as_ref().map(|when| format!("when {when}")));
    lines.extend(step.on_failure.as_ref().map(|holds| format!("may fail, then {holds}")));
    lines
}

fn answer(subject: &Subject) -> String {
    match subject {
        Subject::Endpoint(answer) => format!("answer {}", answer.status),
        Subject::Proxy(_) => "answer as it comes".to_owned(),
        Subject::Document(_) => "answer".to_owned(),
        Subject::Field(field) => field.ty.clone().unwrap_or_else(|| "answer".to_owned()),
    }
}

/// Lines as the text of a quoted label.
fn label(lines: &[String]) -> String {
    lines.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("<br/>")
}

fn escaped(line: &str) -> String {
    let mut out = String::new();
    for (at, c) in line.chars().enumerate() {
        if at == LONGEST_LINE {
            out.push('…');
            break;
        }
        match c {
            c if c.is_alphanumeric() || PLAIN.contains(c) => out.push(c),
            c if c.is_whitespace() || c.is_control() => out.push(' '),
            // Mermaid's own form of a character reference.
            c => {
                let _ = write!(out, "#{};", u32::from(c));
            }
        }
    }
    out
}

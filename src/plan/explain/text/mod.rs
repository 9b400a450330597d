//! An explanation as text for a terminal of 100 columns.

mod head;
mod layout;
mod operation;
mod steps;

use super::Explained;
use super::describe::duration_text;
use super::model::{Action, Call, Cost, Explanation, Given, Subject};
use crate::plan::analysis::{Calls, Sharing};
use layout::{pairs, rows};
pub(super) use steps::choice;

/// Columns before the content of a section.
const INDENT: usize = 2;

/// The whole text.
pub(super) fn text(explained: &Explained) -> String {
    match explained {
        Explained::Composition(explanation) => composition(explanation),
        Explained::Operation(operation) => self::operation::text(operation),
    }
}

fn composition(explanation: &Explanation) -> String {
    let around = explanation.only_block();
    let mut sections = vec![head::section(&explanation.head)];
    if let Subject::Proxy(proxy) = &explanation.head.subject {
        sections.push(section(&format!("Request to {}", proxy.backend), &head::proxy(proxy)));
    }
    if explanation.steps.is_empty() {
        sections.extend(explanation.expression.as_ref().map(|result| {
            let result = ("result".to_owned(), result.clone());
            section("Nothing is called", &pairs(INDENT, &[result]))
        }));
    }
    let of = around.map_or(String::new(), |block| match &explanation.steps[block].action {
        Action::Composition { part: Some(part), .. } => format!(" of {} (part {part})", explanation.name(block, None)),
        _ => format!(" of {}", explanation.name(block, None)),
    });
    let drawn = [
        (format!("Steps{of}: who is asked, within which time, for what"), rows(&steps::rows(explanation, around))),
        ("Result: what comes from which step".to_owned(), result(explanation, around)),
        ("In the worst case".to_owned(), cost(explanation, around)),
        ("Replies that count as failures".to_owned(), pairs(INDENT, &explanation.refusals)),
        ("Sharing: whose requests may get the same reply".to_owned(), sharing(explanation, around)),
    ];
    sections.extend(drawn.into_iter().map(|(title, content)| section(&title, &content)));
    sections.concat()
}

/// Names and a line about each.
pub(super) fn lines(entries: &[(String, String)]) -> String {
    let widest = entries.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0) + INDENT;
    let line = |(name, text): &(String, String)| {
        let line = format!("  {}{text}", layout::padded(name, widest));
        layout::cut_to(line.trim_end(), layout::WIDTH) + "\n"
    };
    entries.iter().map(line).collect()
}

/// A number and what it counts.
pub(super) fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

fn section(title: &str, content: &str) -> String {
    if content.is_empty() { String::new() } else { format!("\n{title}\n{content}") }
}

fn result(explanation: &Explanation, around: Option<usize>) -> String {
    let line = |members: &super::model::Members| {
        let steps = match &members.steps[..] {
            [] => "no step".to_owned(),
            steps => explanation.names(steps, around),
        };
        let given = match &members.given {
            Given::Whole => "everything".to_owned(),
            Given::Merged => "all members of it".to_owned(),
            Given::Named(names) => names.join(", "),
        };
        (steps, given)
    };
    pairs(INDENT, &explanation.result.iter().map(line).collect::<Vec<_>>())
}

fn cost(explanation: &Explanation, around: Option<usize>) -> String {
    let Cost { backends, together, depth, chain, defaults } = &explanation.cost;
    let mut lines: Vec<(String, String)> = Vec::new();
    for cost in backends {
        let sum = cost.sum.as_ref().map(|sum| format!(" = {sum}")).unwrap_or_default();
        lines.push((cost.backend.clone(), calls_text(&cost.calls) + &sum));
    }
    if backends.len() > 1 {
        lines.push(("together".to_owned(), calls_text(together)));
    }
    if *depth > 1 {
        let link = |(step, times): &(usize, u64)| match times {
            1 => explanation.name(*step, around),
            times => format!("{} ×{times}", explanation.name(*step, around)),
        };
        let links: Vec<String> = chain.iter().map(link).collect();
        lines.push(("one after another".to_owned(), format!("{}: {}", count(*depth, "call"), links.join(" → "))));
    }
    for (index, bound) in defaults.iter().enumerate() {
        let title = if index == 0 { "by default" } else { "" };
        lines.push((
            title.to_owned(),
            format!("{}: {} (`{}` is not written)", bound.of.replace('.', " › "), bound.text, bound.key),
        ));
    }
    pairs(INDENT, &lines)
}

/// Calls at most.
pub(super) fn calls_text(calls: &Calls) -> String {
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

fn sharing(explanation: &Explanation, around: Option<usize>) -> String {
    pairs(INDENT, &shared_calls(explanation, around))
}

/// Every call, and whom the reply to it may serve.
fn shared_calls(explanation: &Explanation, around: Option<usize>) -> Vec<(String, String)> {
    let calls = explanation.steps.iter().enumerate().filter_map(|(step, found)| Some((step, found.call()?)));
    let line = |(step, call): (usize, &Call)| (explanation.name(step, around), shared(explanation, around, call));
    calls.map(line).collect()
}

/// Whom the reply to a call may serve, and on what that depends.
fn shared(explanation: &Explanation, around: Option<usize>, call: &Call) -> String {
    let own = (!call.inputs.is_empty()).then(|| call.inputs.join(", "));
    let through = call
        .through
        .iter()
        .map(|(step, inputs)| format!("{} through {}", inputs.join(", "), explanation.name(*step, around)));
    let inputs = own.into_iter().chain(through).collect::<Vec<_>>().join("; ");
    let sharing = match call.sharing {
        _ if call.effect.write.is_some() => "never shared: it is a write".to_owned(),
        Sharing::Everyone => "may be shared by all callers".to_owned(),
        Sharing::Alike => format!("shared by callers that agree in {inputs}"),
        Sharing::Private => format!("private: depends on {inputs}"),
        Sharing::Nobody => format!("never shared: depends on {inputs}"),
    };
    match &call.kept {
        Some(kept) => format!("{sharing}; {kept}"),
        None => sharing,
    }
}

//! An operation as text: its fields that call, what each does, what the whole can cost.

use std::collections::BTreeMap;

use super::super::model::{Field, FieldRuns, Operation, OperationField, Subject};
use super::layout::{Row, pairs, rows};
use super::{INDENT, count, head, section, steps};
use crate::plan::operation::OperationKind;

/// The whole text.
pub(super) fn text(operation: &Operation) -> String {
    let title = match operation.kind {
        OperationKind::Query => "Fields that call, and what each does",
        OperationKind::Mutation => "Fields that call, and what each does; those of the root one after another",
    };
    let taken = if operation.fields.is_empty() { "Nothing is called" } else { "Taken from these, without a call" };
    let sections = [
        (title, drawing(operation)),
        (taken, self::taken(operation)),
        ("In the worst case", cost(operation)),
        ("Sharing: whose requests may get the same reply", sharing(operation)),
    ];
    let sections = sections.into_iter().map(|(title, content)| section(title, &content));
    head::section(&operation.head) + &sections.collect::<String>()
}

fn drawing(operation: &Operation) -> String {
    let mut drawn = Vec::new();
    for field in &operation.fields {
        drawn.push(Row::Heading { indent: INDENT, text: heading(operation, field) });
        drawn.extend(steps::inner_rows(&field.explanation, 2 * INDENT));
    }
    rows(&drawn)
}

/// What is said of a field above its steps.
fn heading(operation: &Operation, field: &OperationField) -> String {
    let path = |field: usize| &*operation.fields[field].path;
    let mut parts = vec![format!("{}: {}", field.path, field.explanation.head.name)];
    parts.extend(field.after.or(field.before).map(|before| format!("after {}", path(before))));
    parts.push(runs(field));
    parts.extend((!field.only_if.is_empty()).then(|| format!("only if {}", field.only_if.join(" and "))));
    parts.join(", ")
}

/// How often a field runs for the objects that it hangs on.
fn runs(field: &OperationField) -> String {
    let objects = count(field.objects, "object");
    match &field.explanation.head.subject {
        _ if field.objects == 1 => "once".to_owned(),
        Subject::Field(Field { runs: FieldRuns::ForEachParent { parallel, max }, .. }) => {
            let over = if field.objects > *max { format!(" (for {objects} it fails)") } else { String::new() };
            format!("for each of {}{over}, {parallel} at a time", count(*max, "object"))
        }
        _ if field.explanation.cost.together.per_parent > 0 => format!("for all of {objects}, some calls for each"),
        _ => format!("once for all of {objects}"),
    }
}

fn taken(operation: &Operation) -> String {
    let line = |taken: &super::super::model::Taken| {
        let field = |(name, how): &(String, Option<String>)| match how {
            Some(how) => format!("{name} ({how})"),
            None => name.clone(),
        };
        let path = if taken.path.is_empty() { "the root".to_owned() } else { taken.path.clone() };
        (path, taken.fields.iter().map(field).collect::<Vec<_>>().join(", "))
    };
    pairs(INDENT, &operation.taken.iter().map(line).collect::<Vec<_>>())
}

fn cost(operation: &Operation) -> String {
    let mut by_backend: BTreeMap<&str, Vec<(&str, u64)>> = BTreeMap::new();
    for field in &operation.fields {
        for (backend, calls) in &field.calls {
            by_backend.entry(backend).or_default().push((&field.path, *calls));
        }
    }
    let total = |calls: &[(&str, u64)]| calls.iter().fold(0_u64, |total, (_, calls)| total.saturating_add(*calls));
    let mut lines: Vec<(String, String)> = Vec::new();
    for (backend, calls) in &by_backend {
        let sum: Vec<String> = calls.iter().map(|(path, calls)| format!("{calls} for {path}")).collect();
        lines.push(((*backend).to_owned(), format!("{}: {}", count(total(calls), "call"), sum.join(" + "))));
    }
    if by_backend.len() > 1 {
        let together = by_backend.values().fold(0_u64, |sum, calls| sum.saturating_add(total(calls)));
        lines.push(("together".to_owned(), count(together, "call")));
    }
    if operation.depth > 1 {
        let way: Vec<&str> = operation.chain.iter().map(|field| &*operation.fields[*field].path).collect();
        lines
            .push(("one after another".to_owned(), format!("{}: {}", count(operation.depth, "call"), way.join(" → "))));
    }
    let lists = operation.lists.iter().map(|list| format!("{} {} ({})", list.path, list.size, list.because));
    let lists: Vec<String> = lists.collect();
    if !lines.is_empty() && !lists.is_empty() {
        lines.push(("lists taken as".to_owned(), lists.join(", ")));
    }
    pairs(INDENT, &lines)
}

fn sharing(operation: &Operation) -> String {
    let of_field = |field: &OperationField| {
        let lines = super::shared_calls(&field.explanation, None);
        lines.into_iter().map(|(step, whom)| (format!("{} › {step}", field.path), whom)).collect::<Vec<_>>()
    };
    pairs(INDENT, &operation.fields.iter().flat_map(of_field).collect::<Vec<_>>())
}

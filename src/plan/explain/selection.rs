//! What an operation asks the graph for, and what answers each field.

use super::layout::pairs;
use super::print::INDENT;
use crate::plan::Plan;
use crate::plan::operation::{Answers, OperationKind, Planned, PlannedSelection};

/// The fields of an operation, each below the one that it is of.
pub(super) fn section(plan: &Plan, planned: &Planned) -> String {
    let kind = match planned.operation.kind {
        OperationKind::Query => "Asks the graph for",
        OperationKind::Mutation => "Asks the graph for these mutations, one after another",
    };
    let mut lines = Vec::new();
    collect(plan, &planned.selection, 0, &mut lines);
    format!("\n{kind}\n{}", pairs(INDENT, &lines))
}

fn collect(plan: &Plan, selection: &PlannedSelection, depth: usize, lines: &mut Vec<(String, String)>) {
    for planned in &selection.fields {
        let answers = match &planned.answers {
            Answers::Bound { field, .. } => format!("what {} gives", plan.fields[field.index()].name),
            Answers::Expression(field) => format!("computed by {}", plan.fields[field.index()].name),
            Answers::Member(name) => format!("the member {name}"),
            Answers::Typename | Answers::Introspection => "from the schema".to_owned(),
        };
        lines.push((format!("{}{}", "  ".repeat(depth), planned.field.response_name), answers));
        collect(plan, &planned.selection, depth + 1, lines);
    }
}

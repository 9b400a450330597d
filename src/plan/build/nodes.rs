//! The programs that a call or guard evaluates.

use crate::expr::Node;
use crate::plan::{Call, Guard, PathPart, Query, Request};

/// Adds every program of a call.
pub(super) fn of_call<'a>(call: &'a Call, nodes: &mut Vec<&'a Node>) {
    match &call.request {
        Request::Rest { path, query, body, .. } => {
            nodes.extend(path.iter().filter_map(of_path));
            match query {
                Query::Entries(entries) => nodes.extend(entries.iter().map(|entry| &entry.value)),
                Query::Map(node) => nodes.push(node),
            }
            nodes.extend(body);
        }
        Request::Grpc { message, .. } => nodes.push(message),
    }
    nodes.extend(call.headers.iter().map(|(_, node)| node));
    nodes.extend(&call.result);
    for guard in &call.guards {
        of_guard(guard, nodes);
    }
    if let Some(batch) = &call.batch {
        nodes.extend([&batch.key, &batch.from, &batch.by]);
    }
    nodes.extend(call.repeat.iter().map(|repeat| &repeat.until));
}

/// Adds every program of a guard.
pub(super) fn of_guard<'a>(guard: &'a Guard, nodes: &mut Vec<&'a Node>) {
    nodes.push(&guard.when);
    nodes.extend(&guard.detail);
    nodes.extend(&guard.with);
}

/// The program of a piece of a path.
pub(super) fn of_path(part: &PathPart) -> Option<&Node> {
    match part {
        PathPart::Text(_) | PathPart::Tail => None,
        PathPart::Value(node) => Some(node),
    }
}

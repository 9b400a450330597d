//! What a program waits for.

use super::{Need, Source};
use crate::expr::{Node, Var};

/// The steps whose values a program reads, each once, in order.
///
/// Of a composition with conditions of its own only the composition's step counts: what is inside
/// runs when its conditions hold, and is done when that step is.
pub(crate) fn needs_of(node: &Node, sources: &[Source]) -> Box<[Need]> {
    let mut needs = Vec::new();
    collect(node, &mut |var| needs.extend(sources.get(var.0 as usize).and_then(need_of)));
    needs.sort_unstable();
    needs.dedup();
    needs.into()
}

fn collect(node: &Node, visit: &mut dyn FnMut(Var)) {
    match node {
        Node::Outcome { var, .. } => visit(*var),
        Node::Path { var, .. } => visit(*var),
        other => other.children(&mut |child| collect(child, visit)),
    }
}

/// The step that a variable waits for.
pub(crate) fn need_of(source: &Source) -> Option<Need> {
    match source {
        Source::Step(depth, step)
        | Source::Status(depth, step)
        | Source::Headers(depth, step)
        | Source::Error(depth, step)
        | Source::Skipped(depth, step)
        | Source::Cut(depth, step)
        | Source::Succeeded(depth, step) => Some(Need { depth: *depth, step: *step }),
        _ => None,
    }
}

//! Answers that are what a backend replied, as it came.

use super::types;
use super::unit::Unit;
use crate::base::call::Take;
use crate::base::id::StepId;
use crate::expr::{Node, Type};
use crate::plan::needs::need_of;
use crate::plan::{Action, BodyForm, Call, Composition, Need, Request, Scope, Source};

/// How a result goes out that is all that one step holds, if that may be something else than JSON.
pub(super) fn passed_on(unit: &Unit<'_, '_>) -> Option<BodyForm> {
    let result = unit.result(0).ok()?;
    let Node::Path { var, steps } = &result.node else { return None };
    let Source::Step(0, step) = unit.sources()[var.0 as usize] else { return None };
    match result.ty.present() {
        _ if !steps.is_empty() => None,
        Type::Object(object) if types::is_http_body(&**object) => Some(BodyForm::HttpBody(step)),
        Type::Dyn | Type::Bytes => Some(BodyForm::Reply(step)),
        _ => None,
    }
}

/// Lets the call of a step hold the data of its `google.api.HttpBody` as it came, if nobody but the body of the answer
/// looks at it. `others` are the programs of the answer beside its body.
pub(super) fn take_data(composition: &mut Composition, step: StepId, others: &[&Node]) {
    let own = Need { depth: 0, step };
    let sources = &composition.sources;
    let looks = |node: &Node| reads(node, sources, &|source| need_of(source) == Some(own));
    if others.iter().any(|node| looks(node)) || is_in(&composition.scope, &looks) {
        return;
    }
    let sees_reply = |source: &Source| matches!(source, Source::Reply | Source::ReplyHeaders);
    let Action::Call(call) = &mut composition.scope.steps[step.index()].action else { return };
    let is_plain = |call: &Call| call.result.is_none() && call.batch.is_none() && call.repeat.is_none();
    if !is_plain(call) || call.judging().into_iter().any(|node| reads(node, sources, &sees_reply)) {
        return;
    }
    if let Request::Grpc { take: take @ Take::Message, .. } = &mut call.request {
        *take = Take::Data;
    }
}

/// Whether a program reads such a source.
fn reads(node: &Node, sources: &[Source], is_such: &dyn Fn(&Source) -> bool) -> bool {
    let mut found = false;
    node.vars(&mut |var| found |= is_such(&sources[var.0 as usize]));
    found
}

/// Whether a step of a scope, or of the scopes inside it, has such a program.
fn is_in(scope: &Scope, is_such: &dyn Fn(&Node) -> bool) -> bool {
    scope.steps.iter().any(|step| {
        let inner = match &step.action {
            Action::Each(each) => is_in(&each.scope, is_such),
            Action::Call(_) | Action::Group(_) => false,
        };
        inner || step.nodes().into_iter().any(is_such)
    })
}

#[cfg(test)]
mod tests {
    use crate::base::call::Take;
    use crate::plan::analysis::tests::sample::{composed, plan_of};
    use crate::plan::{Action, Request};

    const PROTO: &str = "syntax = \"proto3\"; package s; import \"google/api/httpbody.proto\";
        service Files { rpc Get(Name) returns (google.api.HttpBody); } message Name { string name = 1; }";

    /// What the call of the first step takes of its reply.
    fn taken(steps: &str, end: &str) -> Take {
        let composition = format!(
            "backends: {{ s: {{ grpc: http://s.test, proto: proto/s.proto, reads: all }} }}
endpoints:
  GET /e:
    steps:
      blob: {{ backend: s, rpc: s.Files/Get{steps}
    result: ${{blob}}
{end}"
        );
        let plan = plan_of(&[("compositions/a.yaml", &composition), ("proto/s.proto", PROTO)]);
        let found = composed(&plan).composition.scope.steps.iter().find_map(|step| match &step.action {
            Action::Call(call) => match &call.request {
                Request::Grpc { take, .. } => Some(*take),
                Request::Rest { .. } => None,
            },
            _ => None,
        });
        found.expect("a call")
    }

    #[test]
    fn what_only_the_body_looks_at_is_taken_as_data() {
        for (steps, end) in [
            (" }", ""),
            (", optional: true }", ""),
            (", fail: { when: '${meta.status == 404}', status: 404 } }", ""),
            (" }", "    respond: { headers: { x-id: '${request.id}' } }"),
        ] {
            assert_eq!(taken(steps, end), Take::Data, "{steps} {end}");
        }
    }

    #[test]
    fn what_anything_else_looks_at_is_a_message() {
        for (steps, end) in [
            (" }", "    respond: { headers: { x-type: '${blob.content_type}' } }"),
            (" }", "    respond: { headers: { x-status: '${steps.blob.status}' } }"),
            (", fail: { when: '${reply.data.size() == 0}', code: empty } }", ""),
            (" }\n      there: { fail: { when: '${blob.data.size() == 0}', code: empty } }", ""),
            (", result: '${reply}' }", ""),
        ] {
            assert_eq!(taken(steps, end), Take::Message, "{steps} {end}");
        }
    }
}

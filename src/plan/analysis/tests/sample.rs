//! Small projects held in memory, and their plans.

use super::super::{At, Flow};
use crate::base::diagnostic::Diagnostic;
use crate::plan::{Answer, Composed, Plan, build};
use crate::spec::{Asked, read_texts};

const BACKENDS: &str = "backends:
  a: { rest: http://a.test }
  b: { rest: http://b.test, timeout: 3s }
  c: { rest: http://c.test, fail: { when: '${meta.status == 404}', status: 404, code: gone } }
";

/// The plan of a composition beside three backends, and of a schema if it has fields.
pub(crate) fn plan_with(composition: &str, schema: &str) -> Plan {
    let composition = format!("{BACKENDS}{composition}");
    let files = [("compositions/a.yaml", composition.as_str()), ("schema/a.graphql", schema)];
    plan_of(if schema.is_empty() { &files[..1] } else { &files[..] })
}

/// The plan of these files.
pub(crate) fn plan_of(files: &[(&str, &str)]) -> Plan {
    let look_up = |asked: Asked<'_>| match asked {
        Asked::Environment("TOKEN") => Ok(Some("s3cret".to_owned())),
        _ => Ok(None),
    };
    let reading = read_texts(files, &look_up);
    let built = build(&reading, (&look_up, &|_| Vec::new())).map(|(plan, _)| plan);
    let said = |diagnostics: Vec<Diagnostic>| {
        let said: Vec<String> = diagnostics.iter().map(|diagnostic| reading.sources.render(diagnostic)).collect();
        said.join("\n")
    };
    built.map_err(said).expect("the project is right")
}

/// The plan of one endpoint with these steps and this result.
pub(crate) fn endpoint(steps: &str, result: &str) -> Plan {
    let args = "{ x: String, list: '[String!]', c: { type: String, in: header, name: x-c } }";
    let steps: String = steps.lines().map(|line| format!("      {}\n", line.trim_start())).collect();
    plan_with(&format!("endpoints:\n  POST /e:\n    args: {args}\n    steps:\n{steps}    result: {result}\n"), "")
}

pub(crate) fn composed(plan: &Plan) -> &Composed {
    let composed = match &plan.endpoints[0].answer {
        Answer::Compose(composed) => Some(composed),
        Answer::Query(_) | Answer::Proxy(_) => None,
    };
    composed.expect("the endpoint is a composition")
}

pub(crate) fn flow(plan: &Plan) -> Flow<'_> {
    let composed = composed(plan);
    Flow::new(&composed.composition.sources, &composed.composition.scope, &composed.needs)
}

pub(crate) fn at(flow: &Flow<'_>, name: &str) -> At {
    let mut named = flow.all().filter(|at| *flow.step(*at).name == *name);
    named.next().expect(name)
}

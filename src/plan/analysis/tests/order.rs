//! What starts when, and what it costs.

use super::super::cost::{Calls, Cost, Runs};
use super::super::{At, Condition, Flow, Schedule, waits};
use super::sample::{at, endpoint, flow, plan_with};
use crate::plan::Plan;

fn names(flow: &Flow<'_>, steps: &[At]) -> Vec<String> {
    steps.iter().map(|at| flow.step(*at).name.to_string()).collect()
}

/// The longest chain of an endpoint: its length, and its steps with how often each calls in turn.
fn chain(plan: &Plan) -> (u64, Vec<(String, u64)>) {
    let flow = flow(plan);
    let chain = Schedule::of(&flow).chain();
    let links = chain.links.iter().map(|link| (flow.step(link.step).name.to_string(), link.times));
    (chain.calls, links.collect())
}

/// Calls to the first backend, and to the second.
fn calls(plan: &Plan) -> [u64; 2] {
    let flow = flow(plan);
    let cost = Cost::of(&flow, &Schedule::of(&flow), Runs::Once);
    [0, 1].map(|backend| cost.calls.iter().filter(|(id, _)| id.index() == backend).map(|(_, calls)| calls.fixed).sum())
}

#[test]
fn a_step_starts_after_what_it_mentions() {
    let plan = endpoint(
        "p: { backend: a, get: /p }
         q: { backend: a, get: '/q/${p.id}' }
         r: { backend: a, get: '/r/${args.x}' }
         s: { backend: a, get: '/s/${q.id}/${r.id}/${p.id}' }",
        "${s}",
    );
    let flow = flow(&plan);
    let schedule = Schedule::of(&flow);
    assert_eq!(["p", "q", "r", "s"].map(|name| schedule.start(at(&flow, name))), [0, 1, 0, 2]);
    // `s` mentions `p` too, but `q` is after that anyway.
    assert_eq!(names(&flow, &waits(&flow, at(&flow, "s"))), ["q", "r"]);
    assert_eq!(chain(&plan), (3, vec![("p".into(), 1), ("q".into(), 1), ("s".into(), 1)]));
}

#[test]
fn what_nothing_needs_never_runs_and_costs_nothing() {
    let inner = "c: { steps: { p: { backend: a, get: /p }, q: { backend: b, get: '/q/${p.id}' } } }";
    let plan = endpoint(inner, "${c.p}");
    let flow = flow(&plan);
    let schedule = Schedule::of(&flow);
    assert!(schedule.runs(at(&flow, "c.p")));
    assert!(!schedule.runs(at(&flow, "c.q")));
    assert_eq!(calls(&plan), [1, 0]);
}

#[test]
fn writes_and_guards_run_although_nothing_needs_them() {
    let plan = endpoint(
        "p: { backend: a, get: /p }
         g: { fail: { when: '${p.id == 1}', code: no } }
         w: { backend: b, post: /w }
         v: { backend: b, post: /v }",
        "null",
    );
    let flow = flow(&plan);
    let schedule = Schedule::of(&flow);
    assert_eq!(["p", "g", "w", "v"].map(|name| schedule.start(at(&flow, name))), [0, 1, 1, 2]);
    assert_eq!(names(&flow, &waits(&flow, at(&flow, "v"))), ["w"]);
    assert_eq!(calls(&plan), [1, 2]);
}

#[test]
fn a_fallback_is_asked_for_after_the_failure_and_counts() {
    let plan = endpoint(
        "p: { backend: a, get: /p, default: '${q.id}' }
         q: { backend: b, get: /q }
         r: { backend: a, get: '/r/${p.id}' }",
        "${r}",
    );
    let flow = flow(&plan);
    let schedule = Schedule::of(&flow);
    let fallback = at(&flow, "q");
    assert_eq!(schedule.conditions(fallback), [Condition::Failed(at(&flow, "p"))]);
    assert_eq!((schedule.start(fallback), schedule.start(at(&flow, "r"))), (1, 2));
    assert_eq!(calls(&plan), [2, 1]);
    assert_eq!(chain(&plan), (3, vec![("p".into(), 1), ("q".into(), 1), ("r".into(), 1)]));
}

#[test]
fn a_step_that_is_needed_anyway_has_no_condition() {
    let plan = endpoint(
        "p: { backend: a, get: /p, default: '${q.id}' }
         q: { backend: b, get: /q }",
        "{ p: '${p}', q: '${q}' }",
    );
    let flow = flow(&plan);
    let schedule = Schedule::of(&flow);
    assert_eq!(schedule.conditions(at(&flow, "q")), []);
    assert_eq!(schedule.start(at(&flow, "q")), 0);
}

#[test]
fn what_a_conditional_step_mentions_waits_for_its_condition() {
    let plan = endpoint(
        "p: { backend: a, get: /p }
         q: { backend: a, get: /q }
         r: { when: '${p.ok == true}', else: '${s.id}', backend: a, get: '/r/${q.id}' }
         s: { backend: b, get: /s }",
        "${r}",
    );
    let flow = flow(&plan);
    let schedule = Schedule::of(&flow);
    let gated = at(&flow, "r");
    assert_eq!(["p", "q", "r", "s"].map(|name| schedule.start(at(&flow, name))), [0, 1, 2, 1]);
    assert_eq!(schedule.conditions(at(&flow, "q")), [Condition::Holds(gated)]);
    assert_eq!(schedule.conditions(at(&flow, "s")), [Condition::Skipped(gated)]);
    // A step with `when` does not promise that what the rest of it mentions was there.
    assert_eq!(names(&flow, &waits(&flow, gated)), ["p", "q"]);
}

#[test]
fn steps_of_a_conditional_composition_wait_for_its_condition() {
    let plan = endpoint(
        "p: { backend: a, get: /p }
         c: { when: '${p.ok == true}', steps: { q: { backend: a, get: '/q/${p.id}' }, r: { backend: a, get: /r } } }",
        "${c}",
    );
    let flow = flow(&plan);
    let schedule = Schedule::of(&flow);
    assert_eq!(["c.q", "c.r"].map(|name| schedule.start(at(&flow, name))), [1, 1]);
    assert_eq!(schedule.conditions(at(&flow, "c.r")), [Condition::Holds(at(&flow, "c"))]);
    // Inside the composition what it waits for goes without saying.
    assert_eq!(names(&flow, &waits(&flow, at(&flow, "c.q"))), [""; 0]);
    assert_eq!(names(&flow, &waits(&flow, at(&flow, "c"))), ["p"]);
}

#[test]
fn items_multiply_calls_and_their_rounds_the_chain() {
    let plan = endpoint(
        "p: { backend: a, get: /p }
         e: { for_each: '${p.list}', max: 50, parallel: 8, backend: b, get: '/i/${item.id}' }",
        "${e}",
    );
    assert_eq!(calls(&plan), [1, 50]);
    assert_eq!(chain(&plan), (8, vec![("p".into(), 1), ("e".into(), 7)]));
}

#[test]
fn a_list_that_is_written_out_has_as_many_items() {
    let plan = endpoint("e: { for_each: \"${['u', 'v', 'w']}\", parallel: 2, backend: b, get: '/i/${item}' }", "${e}");
    assert_eq!((calls(&plan), chain(&plan).0), ([0, 3], 2));
}

#[test]
fn items_of_items_multiply_again() {
    let plan = plan_with(
        "parts:
  inner:
    args: { list: '[String!]!' }
    steps: { f: { for_each: '${args.list}', max: 3, parallel: 3, backend: b, get: '/f/${item}' } }
endpoints:
  GET /e:
    steps:
      p: { backend: a, get: /p }
      e: { for_each: { o: '${p.list}' }, max: 4, parallel: 2, part: inner, args: { list: '${o.list}' } }
    result: ${e}
",
        "",
    );
    assert_eq!(calls(&plan), [1, 12]);
    assert_eq!(chain(&plan).0, 3);
}

#[test]
fn a_batch_divides_the_calls() {
    let plan = endpoint(
        "e: { for_each: '${args.list}', max: 50, backend: b, get: /i, query: { ids: '${keys}' }, batch: { key: '${item}', from: '${reply}', by: '${item.id}', max: 20 } }",
        "${e}",
    );
    assert_eq!(calls(&plan), [0, 3]);
    assert_eq!(chain(&plan), (1, vec![("e".into(), 1)]));
}

#[test]
fn writes_of_items_run_one_at_a_time() {
    let plan = endpoint("e: { for_each: '${args.list}', max: 5, backend: a, post: '/i/${item}' }", "null");
    assert_eq!(chain(&plan), (5, vec![("e".into(), 5)]));
}

#[test]
fn fields_cost_by_parent_and_by_key() {
    let schema = "type Query { p: P } type P { one: String many: String both: String }";
    let plan = plan_with(
        "graph:
  Query.p: { steps: { p: { backend: a, get: /p } } }
  P.one: { max: 20, parallel: 5, steps: { s: { backend: a, get: '/s/${parent.id}' } } }
  P.many:
    steps: { s: { backend: a, get: /s, query: { ids: '${keys}' }, batch: { key: '${parent.id}', from: '${reply}', by: '${item.id}', max: 10 } } }
  P.both:
    steps:
      s: { backend: a, get: /s, query: { ids: '${keys}' }, batch: { key: '${parent.id}', from: '${reply}', by: '${item.id}' } }
      t: { backend: a, get: '/t/${s.id}' }
    result: ${t}
",
        schema,
    );
    let cost = |name: &str| {
        let field = plan.fields.iter().find(|field| *field.name == *name).expect(name);
        let composition = &field.composition;
        let flow = Flow::new(&composition.sources, &composition.scope, &composition.result.needs);
        let cost = Cost::of(&flow, &Schedule::of(&flow), Runs::of_field(&plan, field));
        (cost.total(), cost.chain.calls)
    };
    assert_eq!(cost("Query.p"), (Calls { fixed: 1, ..Calls::default() }, 1));
    assert_eq!(cost("P.one"), (Calls { fixed: 20, ..Calls::default() }, 4));
    assert_eq!(cost("P.many"), (Calls { per_keys: vec![10], ..Calls::default() }, 1));
    assert_eq!(cost("P.both"), (Calls { per_parent: 1, per_keys: vec![100], ..Calls::default() }, 2));
}

#[test]
fn a_repeated_call_counts_as_often_as_it_may_be_made() {
    let plan = endpoint(
        "p: { backend: a, get: /p, repeat: { until: '${reply.next == null}', max: 4 } }
         q: { for_each: '${p.items}', max: 3, parallel: 1, backend: b, get: '/q/${item}', repeat: { until: '${reply.done}', max: 2 } }",
        "${q}",
    );
    assert_eq!(calls(&plan), [4, 6]);
    assert_eq!(chain(&plan), (10, vec![("p".into(), 4), ("q".into(), 6)]));
}

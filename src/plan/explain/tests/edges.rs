//! Explanations of what is unusual: each in all forms.

use super::forms::mistakes_of;
use super::{printed, texted};
use crate::plan::Plan;
use crate::plan::analysis::tests::sample::{endpoint, plan_with};

/// The text, once all forms were found to be well formed.
fn sound(plan: &Plan) -> String {
    let (text, chart, json) = printed(plan);
    assert_eq!(mistakes_of(&chart), [""; 0], "{chart}");
    let wide = text.lines().find(|line| line.chars().count() > 100);
    assert_eq!(wide, None, "{text}");
    assert_eq!(json["name"], &*plan.endpoints[0].name);
    text
}

fn one(endpoint: &str) -> Plan {
    plan_with(&format!("endpoints:\n  {endpoint}\n"), "")
}

#[test]
fn an_endpoint_without_steps_says_what_it_computes() {
    let text = sound(&one("GET /e: { args: { n: { type: Int!, in: query } }, result: '${args.n + 1}' }"));
    assert!(text.contains("Nothing is called\n  result  args.n + 1\n"), "{text}");
}

#[test]
fn an_endpoint_may_only_respond() {
    let text = sound(&one("GET /e: { respond: { status: 302, headers: { location: /there } } }"));
    assert!(text.contains("Answers 302 without a body, within 10s.\n  Sets location: /there\n"), "{text}");
    assert!(!text.contains("Steps"), "{text}");
}

#[test]
fn a_proxy_says_what_it_passes() {
    let text = sound(&one(
        "GET /e/{*rest}: { proxy: { backend: a, path: '/f/${args.rest}', headers: { cookie: null, x-a: b } } }",
    ));
    for line in ["path            /f/{args.rest}", "header set      x-a: b", "header removed  cookie", "a  1 call"] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn guards_alone_call_nobody() {
    let text = sound(&endpoint("g: { fail: { when: '${args.x == null}', status: 400, code: no_x } }", "{ ok: true }"));
    assert!(text.contains("g  guard  fails with 400 no_x if args.x == null"), "{text}");
    assert!(!text.contains("Sharing"), "{text}");
}

#[test]
fn lists_inside_parts_multiply_and_say_so() {
    let plan = plan_with(
        "parts:
  inner:
    args: { list: '[String!]!' }
    steps:
      head: { backend: a, get: /head }
      f: { for_each: '${args.list}', backend: b, get: '/f/${item}/${head.id}' }
    result: ${f}
endpoints:
  GET /e:
    steps:
      p: { backend: a, get: /p }
      e: { for_each: { o: '${p.list}' }, max: 4, parallel: 2, part: inner, args: { list: '${o.list}' } }
    result: ${e}
",
        "",
    );
    let text = sound(&plan);
    for line in [
        "a                  5 calls = 1 + 4",
        "b                  400 calls = 4 × 100",
        "e › f: 100 items at most (`max` is not written)",
        "e › f: 8 at a time (`parallel` is not written)",
        "part inner",
        "for each o of p.list: at most 4 (more fail), 2 at a time",
        "for each item of o.list: at most 100 (more fail), 8 at a time",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn batches_and_keys_are_said() {
    let plan = endpoint(
        "e: { for_each: '${args.list}', max: 50, backend: b, get: /i, query: { ids: '${keys}' }, batch: { key: '${item}', from: '${reply}', by: '${item.id}', max: 20, many: true } }
         k: { for_each: { l: '${args.list}' }, key: '${l}', backend: a, get: '/k/${l}' }",
        "{ e: '${e}', k: '${k}' }",
    );
    let text = sound(&plan);
    for line in [
        "one call for up to 20 keys item; each gets all rows of reply where item.id is its key",
        "for each l of args.list, found by l: at most 100 (more fail), 8 at a time",
        "b                  3 calls = ⌈50 ÷ 20⌉",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn a_step_may_have_a_condition_an_else_and_a_default() {
    let plan =
        endpoint("p: { when: \"${args.x == 'y'}\", else: { n: 1 }, default: { n: 2 }, backend: a, get: /p }", "${p.n}");
    let text = sound(&plan);
    assert!(text.contains("when args.x == 'y', else {n: 1}"), "{text}");
    assert!(text.contains("if it fails: {n: 2}"), "{text}");
}

#[test]
fn after_is_a_wait_like_any_other() {
    let plan = endpoint(
        "v: { backend: a, post: /v }\nw: { after: [], backend: b, post: /w }\nx: { after: [w], backend: b, get: /x }",
        "${x}",
    );
    let text = sound(&plan);
    assert!(
        text.contains("  at once\n    v  write 1  a  5s  POST /v\n    w  write 2  b  3s  POST /w\n  after w\n    x "),
        "{text}"
    );
}

#[test]
fn fifty_steps_in_a_row_are_explained() {
    let steps: Vec<String> = (0..50)
        .map(|step| match step {
            0 => "s0: { backend: a, get: /s }".to_owned(),
            step => format!("s{step}: {{ backend: a, get: '/s/${{s{}.id}}' }}", step - 1),
        })
        .collect();
    let text = sound(&endpoint(&steps.join("\n"), "${s49}"));
    assert!(text.contains("one after another  50 calls: s0 → s1 →"), "{text}");
    assert_eq!(text.matches("\n  after s").count(), 49);
}

#[test]
fn a_name_that_means_two_steps_is_told_apart() {
    let plan = plan_with(
        "parts:
  card:
    args: { id: ID! }
    steps:
      product: { backend: a, get: '/products/${args.id}' }
      price: { backend: b, get: '/prices/${product.sku}' }
    result: { price: '${price}' }
endpoints:
  GET /e:
    steps:
      product: { backend: a, get: /product }
      card: { part: card, args: { id: '${product.other}' } }
    result: { card: '${card}' }
",
        "",
    );
    let text = sound(&plan);
    assert!(text.contains("GET /products/{outer product.other}"), "{text}");
    assert!(text.contains("GET /prices/{product.sku}"), "{text}");
    assert!(text.contains("product → card › product → card › price"), "{text}");
}

#[test]
fn steps_of_a_field_are_as_those_of_an_endpoint() {
    let plan = plan_with(
        "graph:
  Query.p: { steps: { p: { backend: a, get: /p } } }
  P.one: { max: 20, steps: { s: { backend: a, get: '/s/${parent.id}' } } }
  P.other: ${parent.x}
endpoints:
  GET /e: { result: null }
",
        "type Query { p: P } type P { one: String, other: String }",
    );
    let text = |name: &str| {
        let field = plan.fields.iter().find(|field| &*field.name == name).expect(name);
        super::print(&[super::super::field(&plan, field)], super::Form::Text)
    };
    assert!(text("P.one").contains("Runs for each parent in an answer: at most 20, 8 at a time."), "{}", text("P.one"));
    assert!(text("P.one").contains("a                  20 calls\n"), "{}", text("P.one"));
    assert!(text("P.one").contains("parents: 8 at a time (`parallel` is not written)"), "{}", text("P.one"));
    assert!(text("P.other").contains("Nothing is called\n  result  parent.x\n"), "{}", text("P.other"));
    assert!(texted(&plan).contains("Answers 204 without a body"), "{}", texted(&plan));
}

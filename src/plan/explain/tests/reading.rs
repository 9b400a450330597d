//! How the text reads.

use super::super::describe::{Naming, expression};
use super::{printed, texted};
use crate::expr::Node;
use crate::plan::analysis::tests::sample::{composed, endpoint, flow, plan_of, plan_with};

/// What an expression over `args.x` and `args.list` reads like again.
fn again(source: &str) -> String {
    let quoted = source.replace('\'', "''");
    let plan = endpoint("p: { backend: a, get: '/p' }", &format!("'${{{quoted}}}'"));
    let flow = flow(&plan);
    let node: &Node = &composed(&plan).composition.result.node;
    expression(node, &Naming::new(&flow))
}

fn explained(steps: &str, result: &str) -> String {
    texted(&endpoint(steps, result))
}

#[test]
fn an_expression_reads_as_it_was_written() {
    for source in [
        "p.a.b[0].c",
        "p['a-b']",
        "p.a + p.b * (p.c - 1)",
        "p.a - (p.b - p.c)",
        "(p.a + p.b) * 2",
        "p.a / 100.0",
        "-p.a",
        "!(p.a == 1 && p.b != 'x') || p.c in [1, 2]",
        "p.a == 1 || p.b == 2 && p.c == 3",
        "p.a < 1 ? 'a' : p.b >= 2 ? 'b' : 'c'",
        "default(p.a, 5)",
        "size(p.list)",
        "args.x == 'y' ? p.a.lowerAscii() : p.b.replace('a', 'b')",
        "p.lines.map(line, line.sku)",
        "p.lines.filter(line, line.n > 0).map(line, line.sku)",
        "p.lines.all(line, line.parts.exists(part, part.id == line.id))",
        "p.lines.all(line, p.lines.exists(line2, line2.id == line.id))",
        "p.categories.map(category, category.id)",
        "p[p.key]",
        "has(p.a)",
        "p.?a.orValue(1)",
        "{'a': p.a, 'b': [p.b, null, true]}",
        "string(p.a) + 'x'",
        "p.a.matches('^[a-z]+$') ? 1 : 2",
        "p.lines.map(l, l.sku)",
        "p.lines.map(l, l.n > 0, l.sku)",
        "p.lines.transformMap(k, v, v + k)",
        "cel.bind(total, p.a + p.b, total * total)",
        "p.?a.optMap(found, found.b)",
    ] {
        assert_eq!(again(source), source);
    }
}

#[test]
fn constants_that_json_does_not_have_are_converted_text() {
    for source in ["duration('2s')", "timestamp('2026-01-02T03:04:05Z')", "[1u, 2.0, 'n']", "{'a': {'b': 1}}"] {
        let source = format!("[p.a, {source}]");
        assert_eq!(again(&source), source);
    }
}

#[test]
fn what_the_environment_holds_is_not_shown() {
    let steps = "p: { backend: a, get: /p, query: { key: \"${env('TOKEN')}\" }, headers: { authorization: \"Bearer ${env('TOKEN')}\" } }";
    let text = explained(steps, "{ p: '${p}', t: \"${env('TOKEN')}\" }");
    assert!(!text.contains("s3cret"), "{text}");
    assert!(text.contains("GET /p?key={env('TOKEN')}"), "{text}");
    assert!(text.contains("with header authorization: Bearer {env('TOKEN')}"), "{text}");
}

#[test]
fn the_nearest_time_counts() {
    let steps = "p: { backend: b, get: /p }
         q: { backend: b, get: /q, timeout: 20s }
         c: { timeout: 500ms, steps: { r: { backend: b, get: /r }, s: { backend: b, get: /s, timeout: 100ms } }, result: ['${r}', '${s}'] }";
    let text = explained(steps, "['${p}', '${q}', '${c}']");
    for line in ["p    b  3s     GET /p", "q    b  10s    GET /q", "r  b  500ms  GET /r", "s  b  100ms  GET /s"] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(text.contains("c    within 500ms together"), "{text}");
}

#[test]
fn a_step_that_is_never_called_is_said() {
    let inner = "c: { steps: { p: { backend: a, get: /p }, q: { backend: a, get: /q } } }";
    let text = explained(inner, "${c.p}");
    assert!(text.contains("  never: nothing needs it\n    c › q\n"), "{text}");
}

#[test]
fn conditions_stand_above_the_steps_they_are_for() {
    let steps = "p: { backend: a, get: /p, default: '${q.id}' }
         q: { backend: b, get: /q }
         r: { when: '${p.ok == true}', else: '${s.id}', backend: a, get: /r }
         s: { backend: b, get: '/s/${q.id}' }";
    let text = explained(steps, "${r}");
    assert!(text.contains("  only if r is not called or p fails\n    q "), "{text}");
    assert!(text.contains("  after q, only if r is not called\n"), "{text}");
    assert!(text.contains("when p.ok == true, else s.id"), "{text}");
    assert!(text.contains("if it fails: q.id"), "{text}");
}

#[test]
fn refusals_of_a_backend_are_said_once() {
    let plan = plan_with(
        "endpoints:
  GET /e:
    steps:
      p: { backend: c, get: /p }
      q: { backend: c, get: /q, fail: { when: '${reply.ok == false}', status: 409 } }
    result: ['${p}', '${q}']
",
        "",
    );
    let text = texted(&plan);
    assert_eq!(text.matches("404 gone if meta.status == 404").count(), 1, "{text}");
    assert!(text.contains("fails with 409 if reply.ok == false"), "{text}");
}

#[test]
fn a_repeat_says_until_when_how_often_and_at_what_pace() {
    let text = explained(
        "p: { backend: a, get: /p, query: { after: '${last.next}' }, repeat: { until: '${reply.next == null}', over: cut } }
         q: { backend: b, get: '/q/${p.id}', repeat: { until: '${size(replies) > 1}', max: 3, every: 250ms } }",
        "{ $merge: [ '${p}', { q: '${q}' } ] }",
    );
    assert!(text.contains("GET /p?after={last.next}\n"), "{text}");
    assert!(text.contains("again until reply.next == null: at most 10 calls (then it is cut)"), "{text}");
    assert!(text.contains("again until size(replies) > 1: at most 3 calls, 250ms apart (then it fails)"), "{text}");
    assert!(text.contains("one after another  13 calls: p ×10 → q ×3"), "{text}");
}

#[test]
fn a_write_says_what_takes_it_back() {
    let text = explained(
        "p: { backend: a, post: /p, undo: { backend: b, post: '/p/${p.id}', body: { n: 1 }, timeout: 2s } }",
        "{ p: '${p}' }",
    );
    assert!(text.contains("taken back by b, within 2s: POST /p/{p.id} with body {n: 1}"), "{text}");
}

#[test]
fn of_a_merge_each_object_says_what_it_gives() {
    let text = explained(
        "p: { backend: a, get: /p }
         q: { backend: b, get: /q }",
        "{ $merge: [ '${p}', { x: '${q.x}', y: '${p.y}', z: '${q.z}' }, '${q.rest}' ] }",
    );
    let wanted = "  p  all members of it\n  q  x, z\n  p  y\n  q  all members of it\n";
    assert!(text.contains(wanted), "{text}");
}

#[test]
fn a_stream_says_how_many_of_its_messages_are_taken() {
    let proto = "syntax = 'proto3'; package t; service T { rpc List(Key) returns (stream Key); } message Key { string id = 1; }";
    let composition = "backends: { t: { grpc: http://t.test, proto: proto/t.proto, reads: all } }
endpoints:
  GET /e:
    steps:
      all: { backend: t, rpc: t.T/List }
      first: { backend: t, rpc: t.T/List, message: { id: '${all[0].id}' }, max: 1, over: cut }
";
    let (text, chart, json) = printed(&plan_of(&[("compositions/a.yaml", composition), ("proto/t.proto", proto)]));
    assert!(text.contains("a list of at most 100 messages (more fail)"), "{text}");
    assert!(text.contains("a list of at most 1 message (then it is cut)"), "{text}");
    assert!(chart.contains("at most 100 messages"), "{chart}");
    assert_eq!(json["steps"][1]["call"]["messages"], serde_json::json!({ "max": 1, "over": "cut" }), "{json}");
}

#[test]
fn bodies_that_are_no_json_say_what_they_hold() {
    let composition = "backends: { a: { rest: http://a.test } }
endpoints:
  PUT /e:
    args: { title: { type: String, in: form, name: t } }
    body: { type: Upload, part: picture, max: 1MB }
    steps:
      form: { backend: a, post: /f, read: true, multipart: { title: a title, file: '${args.body}' } }
      text: { backend: a, post: /t, raw: 'about ${form.id}' }
";
    let (text, _, json) = printed(&plan_of(&[("compositions/a.yaml", composition)]));
    assert!(text.contains("with parts title='a title', file=args.body"), "{text}");
    assert!(text.contains("with raw body"), "{text}");
    assert!(text.contains("an upload, the part `picture` of a form"), "{text}");
    assert!(text.contains("from the form as t"), "{text}");
    assert_eq!(json["steps"][0]["call"]["multipart"][1], "file=args.body", "{json}");
    assert_eq!(json["steps"][0]["call"]["sharing"], "alike", "{json}");
}

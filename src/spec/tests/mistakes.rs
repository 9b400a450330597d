//! Wrong compositions: the diagnostic each gets, and exactly where.

use crate::spec::{Asked, Reading, read_texts};

/// A wrong file, with `⟦` before the byte where the only diagnostic begins, and its code.
const MISTAKES: &[(&str, &str)] = &[
    // Keys.
    ("unknown-key", "⟦backend: { a: { rest: http://a } }"),
    ("unknown-key", "backends:\n  a: { rest: http://a, ⟦timeuot: 1s }"),
    ("unknown-key", "endpoints:\n  GET /:\n    steps:\n      p: { backend: a, get: /, ⟦tiemout: 1s }"),
    ("unknown-key", "parts: { a: { result: { ⟦$eech: \"${x}\", a: 1 } } }"),
    ("missing-key", "backends: { a: ⟦{ timeout: 1s } }"),
    ("missing-key", "endpoints:\n  GET /: { steps: { p: ⟦{ get: / } } }"),
    ("missing-key", "endpoints:\n  GET /: { steps: { p: ⟦{ backend: a } } }"),
    ("missing-key", "gateway: { admin: ⟦{ } }"),
    ("missing-key", "parts: { a: { result: ⟦{ $each: \"${x}\" } } }"),
    ("missing-key", "parts: { a: { result: { ⟦$as: 1, b: 2 } } }"),
    ("duplicate-key", "gateway:\n  timeout: 1s\n  ⟦timeout: 2s"),
    ("duplicate-key", "gateway: { calls: { headers: { x-a: 1, ⟦X-A: 2 } } }"),
    ("conflicting-keys", "backends: { a: { rest: http://a, ⟦grpc: http://b } }"),
    ("conflicting-keys", "endpoints:\n  GET /: { steps: { p: { backend: a, get: /, ⟦post: / } } }"),
    ("conflicting-keys", "endpoints:\n  GET /: { steps: { p: { backend: a, rpc: s.S/M, ⟦get: /, message: {} } } }"),
    ("conflicting-keys", "endpoints:\n  GET /: { steps: { p: { part: a, ⟦backend: b, get: / } } }"),
    ("conflicting-keys", "endpoints:\n  GET /: { part: a, result: ⟦1 }"),
    ("conflicting-keys", "endpoints:\n  GET /: { proxy: a, respond: ⟦{ status: 201 } }"),
    ("conflicting-keys", "graph: { Query.a: { part: a, ⟦result: 1 } }"),
    ("misplaced-key", "backends: { a: { rest: http://a, ⟦reads: all } }"),
    ("misplaced-key", "backends: { a: { grpc: http://a, ⟦headers: { x-a: 1 } } }"),
    ("misplaced-key", "endpoints:\n  GET /: { steps: { p: { backend: a, rpc: s.S/M, ⟦query: { a: 1 } } } }"),
    ("conflicting-keys", "endpoints:\n  GET /: { steps: { p: { part: a, ⟦result: 1 } } }"),
    ("misplaced-key", "endpoints:\n  GET /: { steps: { p: { result: 1, ⟦args: { a: 1 } } } }"),
    ("misplaced-key", "endpoints:\n  GET /: { steps: { p: { result: 1, else: ⟦2 } } }"),
    ("misplaced-key", "endpoints:\n  GET /: { steps: { p: { backend: a, get: /, parallel: ⟦4 } } }"),
    ("misplaced-key", "parts: { a: { result: { $each: \"${x}\", $as: 1, ⟦b: 2 } } }"),
    ("misplaced-key", "graph: { Query.a: { ⟦args: { id: ID! }, result: 1 } }"),
    ("misplaced-key", "endpoints:\n  GET /: { body: ⟦Order, result: 1 }"),
    ("not-supported-yet", "gateway: { ⟦cors: none }"),
    ("not-supported-yet", "endpoints:\n  GET /: { ⟦mcp: true, result: 1 }"),
    ("not-supported-yet", "graph: { Subscription.a: { ⟦stream: { backend: a, get: /a } } }"),
    ("empty", "endpoints:\n  GET /: { steps: { p: ⟦{} } }"),
    ("empty", "endpoints:\n  GET ⟦/: { summary: nothing }"),
    ("empty", "graph: { Query.a: ⟦{ timeout: 1s } }"),
    ("empty", "parts: { ⟦a: { args: { id: ID! } } }"),
    // Types, units, words.
    ("wrong-type", "endpoints: ⟦[ 1 ]"),
    ("wrong-type", "backends: { a: { rest: http://a, timeout: ⟦true } }"),
    ("wrong-type", "backends: { a: { rest: ⟦7001 } }"),
    ("wrong-type", "backends: { a: ⟦http://a }"),
    ("wrong-type", "gateway: { graphql: { playground: ⟦\"true\" } }"),
    ("wrong-type", "gateway: { graphql: { playground: ⟦on } }"),
    ("wrong-type", "gateway: { graphql: { limits: { depth: ⟦0 } } }"),
    ("wrong-type", "endpoints:\n  GET /: { result: 1, respond: { status: ⟦99 } }"),
    ("wrong-type", "endpoints:\n  GET /: { steps: { p: { for_each: ⟦[ 1 ], result: 1 } } }"),
    ("wrong-type", "endpoints:\n  GET /: { steps: { p: { backend: a, get: /, query: { a: ⟦{ value: { b: 1 } } } } } }"),
    ("wrong-type", "gateway:\n  ⟦timeout:\n  max_body: 1MB"),
    ("bad-unit", "backends: { a: { rest: http://a, timeout: ⟦300 } }"),
    ("bad-unit", "backends: { a: { rest: http://a, timeout: ⟦3 weeks } }"),
    ("bad-unit", "gateway: { max_body: ⟦5 }"),
    ("bad-status", "endpoints:\n  GET /: { steps: { p: { fail: { when: \"${true}\", status: ⟦200 } } } }"),
    ("unknown-word", "gateway: { access_log: ⟦jsno }"),
    ("unknown-word", "endpoints:\n  GET /: { args: { a: { type: Int, in: ⟦qeury } }, result: 1 }"),
    ("bad-constant", "gateway: { timeout: \"⟦${env('NOWHERE')}\" }"),
    ("bad-constant", "gateway: { timeout: \"⟦${args.timeout}\" }"),
    ("bad-unit", "gateway: { timeout: ⟦\"${env('FIVE')}\" }"),
    // Names and keys with a form.
    ("invalid-name", "backends: { ⟦a-b: { rest: http://a } }"),
    ("invalid-name", "endpoints:\n  GET /: { steps: { ⟦2nd: { result: 1 } } }"),
    ("reserved-name", "endpoints:\n  GET /: { steps: { ⟦request: { result: 1 } } }"),
    ("reserved-name", "parts: { a: { result: { $each: { ⟦parent: \"${x}\" }, $as: 1 } } }"),
    ("malformed-endpoint", "endpoints:\n  ⟦/products: { result: 1 }"),
    ("malformed-endpoint", "endpoints:\n  ⟦GTE /products: { result: 1 }"),
    ("malformed-endpoint", "endpoints:\n  GET|⟦GET /products: { result: 1 }"),
    ("malformed-endpoint", "endpoints:\n  GET ⟦products: { result: 1 }"),
    ("malformed-endpoint", "endpoints:\n  GET /products/⟦:id: { result: 1 }"),
    ("malformed-endpoint", "endpoints:\n  GET /products/⟦p{id}: { result: 1 }"),
    ("malformed-endpoint", "endpoints:\n  GET /⟦{*rest}/x: { result: 1 }"),
    ("malformed-endpoint", "endpoints:\n  GET /{id}/⟦{id}: { result: 1 }"),
    ("malformed-endpoint", "endpoints:\n  \"GET /⟦a?b=1\": { result: 1 }"),
    ("duplicate-route", "endpoints:\n  GET /a/{id}: { result: 1 }\n  ⟦GET|HEAD /a/{name}: { result: 2 }"),
    ("unknown-parameter", "endpoints:\n  GET /a/{id}: { args: { b: { type: ID!, in: ⟦path } }, result: 1 }"),
    ("malformed-field", "graph: { ⟦product: { result: 1 } }"),
    ("malformed-rpc", "endpoints:\n  GET /: { steps: { p: { backend: a, rpc: ⟦store.Reviews.List } } }"),
    ("malformed-path", "endpoints:\n  GET /: { steps: { p: { backend: a, get: ⟦products } } }"),
    ("malformed-path", "endpoints:\n  GET /: { steps: { p: { backend: a, get: ⟦http://a/b } } }"),
    ("malformed-type", "parts: { a: { args: { b: ⟦ID!! }, result: 1 } }"),
    ("malformed-pattern", "backends: { a: { grpc: http://a, reads: [ ⟦\"*Get\" ] } }"),
    ("malformed-header", "gateway: { calls: { headers: { ⟦x y: 1 } } }"),
    ("forbidden-header", "gateway: { calls: { headers: { ⟦Content-Length: 1 } } }"),
    ("expression-in-key", "parts: { a: { result: { ⟦\"${x}\": 1 } } }"),
    ("empty-range", "parts: { a: { args: { b: { type: Int, min: 3, max: ⟦2 } }, result: 1 } }"),
    // YAML.
    ("yaml-syntax", "parts: { a: { result: { id: ⟦${args.id} } } }"),
    ("yaml-syntax", "parts: { a: { args: { ids: ⟦[ID!]! }, result: 1 } }"),
    ("yaml-quotes", "parts: { a: { args: { ids: ⟦[ID!] }, result: 1 } }"),
    ("yaml-syntax", "parts:\n  a:\n    result: ⟦${x ? 1 : 2}"),
    ("yaml-quotes", "parts:\n  a:\n    result: ⟦${x # y}"),
    ("yaml-syntax", "parts:\n⟦\ta: 1"),
    ("yaml-syntax", "parts: ⟦{ a: 1"),
    ("yaml-syntax", "parts: { a: { result: ⟦\"x } }"),
    ("yaml-alias", "parts: { a: { result: ⟦&x 1 } }"),
    ("yaml-tag", "parts: { a: { result: ⟦!!str 1 } }"),
    ("yaml-documents", "parts: {}\n⟦---\nparts: {}"),
    ("yaml-key", "parts: { ⟦[a]: 1 }"),
    ("no-compositions", "⟦# nothing but a comment"),
];

#[test]
fn every_mistake_is_reported_once_with_its_code_and_place() {
    for (code, marked) in MISTAKES {
        let place = marked.find('⟦').expect(marked);
        let text = marked.replace('⟦', "");
        let reading = read_text(&text);
        let found: Vec<_> = reading.diagnostics.iter().map(|found| (found.code, found.place.bytes.start)).collect();
        assert_eq!(found, [(*code, place)], "{text}\n{}", rendered(&reading));
    }
}

#[test]
fn a_mistake_says_the_key_path_and_what_to_write_instead() {
    let text = "backends: { a: { rest: http://a } }\nendpoints:\n  GET /v1/products/{id}:\n    steps:\n      product: { backend: a, get: products, timeot: 1s }\n    result: { a: [ 1, { $each: 5, $as: 1 } ] }\n";
    let reading = read_text(text);
    let found: Vec<_> = reading
        .diagnostics
        .iter()
        .map(|found| (found.path.as_str(), found.message.as_str(), found.help.as_str()))
        .collect();
    assert_eq!(
        found[0],
        (
            "endpoints.\"GET /v1/products/{id}\".steps.product.get",
            "a path begins with `/`",
            "write it as in `/products/${args.id}`"
        )
    );
    assert_eq!(found[1].0, "endpoints.\"GET /v1/products/{id}\".steps.product");
    assert_eq!(found[1].1, "unknown key `timeot` in a step");
    assert!(found[1].2.starts_with("did you mean `timeout`? Allowed here: when, else"), "{}", found[1].2);
    assert_eq!(found[2].0, "endpoints.\"GET /v1/products/{id}\".result.a[1].$each");
    assert!(found[2].1.ends_with("found the number `5`"), "{}", found[2].1);
    assert_eq!(found.len(), 3);
}

#[test]
fn a_key_of_another_kind_of_step_says_where_it_belongs() {
    let reading = read_text("endpoints:\n  GET /: { steps: { p: { backend: a, rpc: s.S/M, body: { a: 1 } } } }");
    let [found] = &reading.diagnostics[..] else { unreachable!("{}", rendered(&reading)) };
    assert_eq!(found.message, "`body` belongs to a REST call, and this is a gRPC call");
    assert_eq!(found.help, "write `message`");
}

#[test]
fn a_name_defined_in_two_files_shows_both_places() {
    let files = [
        ("compositions/a.yaml", "backends:\n  a: { rest: http://a }\n"),
        ("compositions/b.yaml", "backends:\n  b: { rest: http://b }\n  a: { rest: http://c }\n"),
    ];
    let reading = read_texts(&files, &|_| Ok(None));
    assert_eq!(
        rendered(&reading),
        "error[defined-twice]: `a` is defined twice\n  --> compositions/b.yaml:3:3  (backends.a)\n   |\n 3 |   a: { rest: http://c }\n   |   ^\n  note: first defined here\n  --> compositions/a.yaml:2:3\n   |\n 2 |   a: { rest: http://a }\n   |   ^\n  help: leave one of them out, or give it another name\n"
    );
    let spec = reading.spec.expect("the first definitions stay");
    assert_eq!(spec.backends.iter().map(|backend| backend.name.value.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn the_names_of_definitions_that_could_not_be_read_are_known() {
    let reading = read_text(
        "backends: { a: { rest: http://a, grpc: http://b } }\nparts: { b: { steps: { c: {}, d: { result: 1 } } } }",
    );
    assert!(reading.unread.iter().eq(["backends.a", "parts.b.steps.c"]), "{:?}", reading.unread);
    let spec = reading.spec.expect("the rest is there");
    assert_eq!((spec.backends.len(), spec.parts[0].value.steps.len()), (0, 1));
}

#[test]
fn a_file_that_does_not_parse_leaves_no_spec_but_the_other_files_are_checked() {
    let files = [("compositions/a.yaml", "a: {"), ("compositions/b.yaml", "gateway: { timeout: 5 }")];
    let reading = read_texts(&files, &|_| Ok(None));
    assert!(reading.spec.is_none());
    assert_eq!(reading.diagnostics.iter().map(|found| found.code).collect::<Vec<_>>(), ["yaml-syntax", "bad-unit"]);
}

#[test]
fn the_depth_of_a_file_is_limited() {
    let deep = |depth: usize| format!("parts: {{ a: {{ result: {}1{} }} }}", "[".repeat(depth), "]".repeat(depth));
    assert!(read_text(&deep(61)).diagnostics.is_empty());
    assert_eq!(read_text(&deep(62)).diagnostics[0].code, "yaml-depth");
    assert_eq!(read_text(&deep(100_000)).diagnostics[0].code, "yaml-depth");
}

/// A project of one file.
fn read_text(text: &str) -> Reading {
    let look_up = |asked: Asked<'_>| Ok((asked == Asked::Environment("FIVE")).then(|| "5".to_owned()));
    read_texts(&[("compositions/a.yaml", text)], &look_up)
}

fn rendered(reading: &Reading) -> String {
    reading.diagnostics.iter().map(|found| reading.sources.render(found)).collect()
}

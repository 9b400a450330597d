//! What `eval` does, claim by claim.

use std::sync::Arc;

use crate::base::value::{Held, HeldMap};
use crate::expr::tests::{World, doc};
use crate::expr::{ErrorKind, Failures, Member, Node, Scope, TextPart, Type, Var, Wanted, eval, with_local};

fn world() -> World {
    let stock = HeldMap::new(vec![
        ("s1".into(), Held::whole(doc(r#"{"left": 4}"#))),
        ("7".into(), Held::whole(doc(r#"{"left": 0}"#))),
    ]);
    World::new()
        .with("p", r#"{"id": 7, "name": "Lämp", "price": 1.10, "big": 9007199254740993, "none": null, "a b": [1], "t": [3, 1, 2], "deep": {"x": {"y": "z"}}}"#)
        .with("items", r#"[{"id": 1, "q": 2, "tag": "a"}, {"id": 2, "q": 3}, {"id": 3, "q": 0, "tag": null}]"#)
        .held("stock", Held::Map(Arc::new(stock)))
        .held("rows", Held::List(Arc::new([Held::Null, Held::whole(doc("{\"n\": 5}"))])))
}

#[test]
fn a_plain_path_gives_null_where_there_is_nothing() {
    for (source, json) in [
        ("p.name", "\"Lämp\""),
        ("p.deep.x.y", "\"z\""),
        ("p['a b'][0]", "1"),
        ("p.`a b`[0]", "1"),
        ("p.missing", "null"),
        ("p.missing.more.more", "null"),
        ("p.none.more", "null"),
        ("p.name.more", "null"),
        ("p.t[9]", "null"),
        ("p.t[-1]", "null"),
        ("items[1].q", "3"),
        ("stock.s1.left", "4"),
        ("rows[1].n", "5"),
        ("rows[0].n", "null"),
        ("[p][0].id", "7"),
        ("{'a': p.id}.b", "null"),
        ("{1: 'x'}[1]", "\"x\""),
        ("p.missing == null", "true"),
    ] {
        assert_eq!(world().value(source), json, "{source}");
    }
}

#[test]
fn a_computed_index_that_finds_nothing_is_an_error_outside_default() {
    let world = world();
    assert_eq!(world.value("p.t[p.t[1]]"), "1");
    assert_eq!(world.value("stock[p.id].left"), "0");
    assert_eq!(world.value("items[0][p.none == null ? 'q' : 'id']"), "2");
    assert_eq!(world.error("p.t[p.id]"), ErrorKind::NoSuchIndex);
    assert_eq!(world.error("p[p.name]"), ErrorKind::NoSuchMember);
    assert_eq!(world.error("p.none[p.name]"), ErrorKind::Null);
    assert_eq!(world.error("p.t[p.price]"), ErrorKind::Type);
    assert_eq!(world.value("default(stock[p.name].left, 9)"), "9");
    assert_eq!(world.value("default(p.none[p.name].x, 9)"), "9");
    assert_eq!(world.value("p.t[?p.id].orValue(5)"), "5");
}

#[test]
fn numbers_mix_and_keep_their_text_when_passed_on() {
    for (source, json) in [
        ("p.price", "1.10"),
        ("p.big", "9007199254740993"),
        ("[p.price]", "[1.10]"),
        ("p.price * 2", "2.2"),
        ("p.id + 1", "8"),
        ("p.id / 2", "3.5"),
        ("7 / 2", "3"),
        ("-7 / 2", "-3"),
        ("-7 % 3", "-1"),
        ("1 + 2u", "3"),
        ("1 + 2.5", "3.5"),
        ("2u * 3u", "6"),
        ("1 - 2u", "-1"),
        ("10 - 3 - 2", "5"),
        ("2 * 3 + 4 * 5", "26"),
        ("1 == 1.0 && 1u == 1 && p.id == 7", "true"),
        ("9007199254740993 == 9007199254740992.0", "false"),
        ("9223372036854775807 < 9223372036854775808.0", "true"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("0.1 + 0.2", "0.30000000000000004"),
        ("10.0 * 2.0", "20"),
    ] {
        assert_eq!(world().value(source), json, "{source}");
    }
}

#[test]
fn arithmetic_that_has_no_result_is_an_error_with_its_place() {
    let world = world();
    for (source, kind) in [
        ("9223372036854775807 + p.t.size()", ErrorKind::Overflow),
        ("-9223372036854775807 - 2 * p.t.size()", ErrorKind::Overflow),
        ("9223372036854775807 * p.t.size()", ErrorKind::Overflow),
        ("1u - uint(p.id)", ErrorKind::Overflow),
        ("1 / (p.t.size() - 3)", ErrorKind::DivisionByZero),
        ("1 % (p.t.size() - 3)", ErrorKind::DivisionByZero),
        ("(-9223372036854775807 - 1) / (p.t.size() - 4)", ErrorKind::Overflow),
        ("p.none + 1", ErrorKind::Null),
        ("p.name + 1", ErrorKind::Type),
        ("p.name < 1", ErrorKind::Type),
        ("p.none < 1", ErrorKind::Null),
        ("-p.none", ErrorKind::Null),
        ("!p.none", ErrorKind::Null),
        ("p.id % 2", ErrorKind::Type),
        ("p.id / 0 * 0", ErrorKind::NotANumber),
    ] {
        assert_eq!(world.error(source), kind, "{source}");
    }
    let error = world.run("1 + (p.name + 1)").expect_err("no sum");
    assert_eq!(error.span().map(|span| span.bytes()), Some(4..16));
}

#[test]
fn logic_absorbs_errors_as_cel_does() {
    for (source, json) in [
        ("p.none > 1 || true", "true"),
        ("p.id > 1 || p.none > 1", "true"),
        ("p.none > 1 && p.id < 1", "false"),
        ("p.id < 1 && p.none > 1", "false"),
        ("items.exists(i, i.tag.size() == 1)", "true"),
        ("items.all(i, i.tag.size() == 2)", "false"),
    ] {
        assert_eq!(world().value(source), json, "{source}");
    }
    assert_eq!(world().error("p.none > 1 || p.id < 1"), ErrorKind::Null);
    assert_eq!(world().error("p.none || p.id < 1"), ErrorKind::Null);
    assert_eq!(world().error("items.exists(i, i.tag.size() == 2)"), ErrorKind::Null);
    assert_eq!(world().error("items.exists_one(i, i.tag.size() == 1)"), ErrorKind::Null);
}

#[test]
fn equality_looks_at_content_and_never_fails() {
    for (source, json) in [
        ("p.t == [3, 1, 2]", "true"),
        ("p.t == [3, 1]", "false"),
        ("p.deep == {'x': {'y': 'z'}}", "true"),
        ("{'a': 1, 'b': 2} == {'b': 2.0, 'a': 1u}", "true"),
        ("p.name == p.id", "false"),
        ("p.none == p.missing", "true"),
        ("p.name == null", "false"),
        ("2 in p.t && 2u in p.t && !('2' in p.t)", "true"),
        ("'x' in p.deep && !('y' in p.deep)", "true"),
        ("p.?id == optional.of(7)", "true"),
        ("p.?x == optional.none()", "true"),
    ] {
        assert_eq!(world().value(source), json, "{source}");
    }
}

#[test]
fn comprehensions_run_over_lists_and_maps_in_order() {
    for (source, json) in [
        ("items.map(i, i.q)", "[2,3,0]"),
        ("items.map(i, i.q > 0.0, i.id)", "[1,2]"),
        ("items.filter(i, i.q > 2.0)", r#"[{"id": 2, "q": 3}]"#),
        ("items.map(i, i.tag)", r#"["a",null,null]"#),
        ("p.deep.map(k, k)", r#"["x"]"#),
        ("items.all(i, i.id > 0.0)", "true"),
        ("items.exists_one(i, i.q == 3)", "true"),
        ("items.existsOne(i, i.q > 0.0)", "false"),
        ("[].all(x, false)", "true"),
        ("[].exists(x, true)", "false"),
        ("p.t.map(x, p.t.map(y, x * y))", "[[9,3,6],[3,1,2],[6,2,4]]"),
        ("items.transformList(i, x, i * 10)", "[0,10,20]"),
        ("p.t.transformList(i, x, i > 0, x)", "[1,2]"),
        ("p.deep.transformMap(k, v, v.y)", r#"{"x":"z"}"#),
        ("items.transformMapEntry(i, x, {string(x.id): x.q})", r#"{"1":2,"2":3,"3":0}"#),
        ("items.exists(i, x, i == 2 && x.id == 3)", "true"),
        ("items.sortBy(i, -i.q).map(i, i.id)", "[2,1,3]"),
        ("cel.bind(n, p.id, n + n)", "14"),
        ("p.?name.optMap(n, n + '!').orValue('-')", "\"Lämp!\""),
        ("p.?x.optMap(n, n + '!').orValue('-')", "\"-\""),
        ("p.?deep.optFlatMap(d, d.?x).hasValue()", "true"),
    ] {
        assert_eq!(world().value(source), json, "{source}");
    }
    assert_eq!(world().error("items.transformMapEntry(i, x, {'a': 1})"), ErrorKind::Argument);
    assert_eq!(world().error("p.none.map(x, x)"), ErrorKind::Null);
    assert_eq!(world().error("p.name.map(x, x)"), ErrorKind::Type);
    assert_eq!(world().error("[p.t, p.name].map(x, x.sortBy(y, y))"), ErrorKind::Type);
}

#[test]
fn optionals_and_defaults_fill_gaps() {
    for (source, json) in [
        ("default(p.missing.x, 5)", "5"),
        ("default(p.none, 5)", "5"),
        ("default(p.id, 5)", "7"),
        ("default(p.?none, 5)", "5"),
        ("default(p.?id, 5)", "7"),
        ("p.?none.orValue(5)", "null"),
        ("p.?x.orValue(5)", "5"),
        ("p.?x.or(p.?id).value()", "7"),
        ("p.?deep.x.y.orValue('')", "\"z\""),
        ("p.?deep.nope.y.orValue('-')", "\"-\""),
        ("p.t[?1].value()", "1"),
        ("optional.of({'c': {'d': 'x'}}).c.d.orValue('-')", "\"x\""),
        ("optional.of({'c': {}}).c['d'].orValue('-')", "\"-\""),
        ("[1, ?p.?x, ?p.?id]", "[1,7]"),
        ("{'a': 1, ?'b': p.?x, ?'c': p.?id}", r#"{"a":1,"c":7}"#),
        ("{'a': p.?x}", "{}"),
        ("has(p.none) && !has(p.missing) && !has(p.missing.more) && !has(p.none.more)", "true"),
    ] {
        assert_eq!(world().value(source), json, "{source}");
    }
    assert_eq!(world().error("p.?x.value()"), ErrorKind::MissingValue);
    assert_eq!(world().error("{'a': 1, p.t.size() > 1 ? 'a' : 'b': p.id}"), ErrorKind::Argument);
}

#[test]
fn the_budget_bounds_comprehensions_and_made_values() {
    let source = "p.t.map(a, p.t.map(b, p.t.map(c, a + b + c)))";
    assert!(world().run(source).is_ok());
    assert_eq!(world().budget(50).error(source), ErrorKind::Budget);
    assert_eq!(world().budget(50).error("lists.range(int(p.id) * 1000000)"), ErrorKind::Budget);
    assert_eq!(
        world().budget(20).error("items.exists(i, items.exists(j, j in items && p.id < 0.0)) || p.id > 0.0"),
        ErrorKind::Budget
    );
    let world = world();
    assert_eq!(world.value("items.map(i, i.id).size()"), "3");
    assert!((3..20).contains(&world.spent()), "{}", world.spent());
}

#[test]
fn a_template_is_written_in_one_pass() {
    let world = world();
    let scope = with_local(&world, "i", Type::Dyn);
    let check = |source: &str, scope: &dyn Scope| {
        crate::expr::check(&crate::expr::parse(source).expect(source), scope).expect(source).node
    };
    let body = Node::Object(Box::new([
        Member::new("id", check("i.id", &scope)),
        Member::new("tag", check("i.?tag", &scope)),
        Member { when: Some(check("i.q > 2.0", &scope)), ..Member::new("many", Node::Const(true_value())) },
    ]));
    let each = Node::Each {
        list: Box::new(world.program("items")),
        local: scope.local(),
        when: Some(Box::new(check("i.q > 0.0", &scope))),
        body: Box::new(body),
    };
    let nothing = Node::Each {
        list: Box::new(world.program("p.none")),
        local: scope.local(),
        when: None,
        body: Box::new(Node::NULL),
    };
    let text = Node::Text(Box::new([
        TextPart::Literal("/p/".into()),
        TextPart::Value(world.program("p.id")),
        TextPart::Literal("?".into()),
        TextPart::Value(world.program("p.price")),
    ]));
    let template = Node::Object(Box::new([
        Member::new("items", each),
        Member::new("nothing", nothing),
        Member::new("failed", Node::Leaf(Box::new(world.program("[p.none + 1]")))),
        Member::new("text", text),
        Member::new("list", Node::Items(Box::new([world.program("p.?x"), world.program("p.id")]))),
    ]));
    let (json, failures) = world.written(&template);
    assert_eq!(
        json,
        r#"{"items":[{"id":1,"tag":"a"},{"id":2,"many":true}],"nothing":null,"failed":null,"text":"/p/7?1.10","list":[7]}"#
    );
    assert_eq!(failures.count(), 1);
    assert_eq!(failures.errors()[0].kind(), ErrorKind::Null);
    let mut again = Failures::default();
    let value = eval(&template, &world, &mut again).expect("a value");
    assert_eq!(again.count(), 1);
    assert_eq!(value.member("list").and_then(|list| list.size()), Some(1));
}

fn true_value() -> crate::base::value::Value<'static> {
    crate::base::value::Value::Bool(true)
}

#[test]
fn nested_each_sees_both_items() {
    let world = world();
    let outer = with_local(&world, "a", Type::Dyn);
    let inner = with_local(&outer, "b", Type::Dyn);
    let check = |source: &str, scope: &dyn Scope| {
        crate::expr::check(&crate::expr::parse(source).expect(source), scope).expect(source).node
    };
    let each = |list, local, body| Node::Each { list: Box::new(list), local, when: None, body: Box::new(body) };
    let body = check("[a.id, b].map(x, x + 0)", &inner);
    let node = each(world.program("items"), outer.local(), each(check("[a.q]", &outer), inner.local(), body));
    assert_eq!(world.written(&node).0, "[[[1,2]],[[2,3]],[[3,0]]]");
}

#[test]
fn text_refuses_what_is_missing_or_has_no_text() {
    let world = world();
    for (source, kind) in [
        ("p.none", ErrorKind::MissingValue),
        ("p.missing", ErrorKind::MissingValue),
        ("p.?x", ErrorKind::MissingValue),
        ("p.t", ErrorKind::Type),
    ] {
        let node = Node::Text(Box::new([TextPart::Value(world.program(source))]));
        let error = eval(&node, &world, &mut Failures::default()).expect_err(source);
        assert_eq!(error.kind(), kind, "{source}");
    }
}

#[test]
fn an_outcome_takes_its_side_and_members_go_through_it() {
    let world = World::new().with("done", "true").with("failed", "false");
    let side = |text: &str| Box::new(Node::Object(Box::new([Member::new("x", Node::text(text))])));
    let outcome = |var| Node::Outcome { var: Var(var), done: side("yes"), otherwise: side("no") };
    assert_eq!(world.written(&outcome(0)).0, r#"{"x":"yes"}"#);
    assert_eq!(world.written(&outcome(1).member("x")).0, "\"no\"");
    assert_eq!(world.written(&outcome(1).member("y")).0, "null");
}

#[test]
fn pruning_keeps_what_is_wanted() {
    let world = world();
    let path = |source: &str| world.program(source);
    let inner = Node::Object(Box::new([Member::new("x", path("p.id")), Member::new("y", path("items"))]));
    let node = Node::Object(Box::new([Member::new("a", Node::Leaf(Box::new(inner))), Member::new("b", path("stock"))]));
    let wanted = Wanted::Members(vec![("a".into(), Wanted::Members(vec![("x".into(), Wanted::All)]))]);
    let pruned = node.pruned(&wanted);
    assert_eq!(world.written(&pruned).0, r#"{"a":{"x":7}}"#);
    let mut vars = Vec::new();
    pruned.vars(&mut |var| vars.push(var.0));
    assert_eq!(vars, [0]);
    let mut all = Vec::new();
    node.pruned(&Wanted::All).vars(&mut |var| all.push(var.0));
    assert_eq!(all, [0, 1, 2]);
}

#[test]
fn a_failed_leaf_deep_in_a_list_leaves_the_rest_whole() {
    let world = world();
    let scope = with_local(&world, "i", Type::Dyn);
    let ast = crate::expr::parse("{'n': [i.id, i.tag.size()]}").expect("valid");
    let body = crate::expr::check(&ast, &scope).expect("valid").node;
    let node = Node::Each {
        list: Box::new(world.program("items")),
        local: scope.local(),
        when: None,
        body: Box::new(Node::Leaf(Box::new(body))),
    };
    let (json, failures) = world.written(&node);
    assert_eq!(json, r#"[{"n":[1,1]},null,null]"#);
    assert_eq!(failures.count(), 2);
    assert!(world.spent() > 0);
}

#[test]
fn the_deepest_program_runs_on_a_small_stack() {
    let world = world();
    let mut node = world.program("p.id");
    for _ in 0..195 {
        node = Node::Items(Box::new([node]));
    }
    let nested = "p.id == 7 ? (".repeat(90) + "1" + &") : 0".repeat(90);
    let run = move || (world.written(&node).0.len(), world.value(&nested));
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(run).expect("a thread");
    assert_eq!(thread.join().expect("no overflow"), (391, "1".to_owned()));
}

//! What `check` does, claim by claim.

use std::sync::Arc;

use crate::expr::tests::{Nested, Shape, World, product};
use crate::expr::{Binding, Member, Node, Scope, Type, Unresolved, Var, check, parse, with_local};

fn world() -> World {
    World::new()
        .with("data", r#"{"a": 1}"#)
        .typed("product", product(), r#"{"id": 7, "name": "Lamp", "tags": []}"#)
        .typed("count", Type::Int, "3")
        .typed("price", Type::Double, "2.5")
}

/// The only mistake: message, marked source, help.
fn mistake(source: &str) -> (String, String, String) {
    let mut found = world().mistakes(source);
    assert_eq!(found.len(), 1, "{source}: {found:?}");
    found.remove(0)
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest() {
    let (message, marked, help) = mistake("prodcut.name");
    assert_eq!((message.as_str(), marked.as_str()), ("unknown name `prodcut`", "prodcut"));
    assert_eq!(help, "did you mean `product`?");
}

#[test]
fn an_unknown_member_of_a_contract_is_a_mistake_and_of_dyn_is_not() {
    let (message, marked, help) = mistake("product.seller.nmae");
    assert_eq!((message.as_str(), marked.as_str()), ("Seller has no member `nmae`", "nmae"));
    assert_eq!(help, "did you mean `name`?");
    assert!(world().check("data.anything.at.all").is_ok());
}

#[test]
fn a_pattern_is_compiled_at_load() {
    assert_eq!(world().value("data.a == 1.0 && 'lamp'.matches('^l[a-z]+$')"), "true");
    assert_eq!(world().value("matches('lamp', 'a' + 'm')"), "true");
    assert_eq!(mistake("product.name.matches(product.name)").0, "a pattern must be known at load");
    assert_eq!(mistake("product.name.matches('(a')").0, "this is no regular expression: unclosed group");
    assert_eq!(mistake("product.name.matches('a{1000}{1000}')").0, "this pattern takes more than 1 MiB when compiled");
    assert_eq!(mistake("product.name.matches(1)").0, "`matches` takes string here, not int");
    assert_eq!(mistake("product.note.matches('a')").0, "`product.note` may be null, and `matches` does not take null");
    assert_eq!(mistake("product.name.matches('a', 'b')").2, "write `text.matches('pattern')`");
}

#[test]
fn a_type_is_no_result() {
    let (message, marked, help) = mistake("type(count)");
    assert_eq!((message.as_str(), marked.as_str()), ("this is a type, and a type is no result", "type(count)"));
    assert_eq!(help, "compare it: `type(x) == string`");
    assert_eq!(mistake("list").0, "this is a type, and a type is no result");
    assert_eq!(mistake("type(count) < int").0, "type and type have no order");
    assert_eq!(mistake("google.protobuf.Timestam == int").0, "unknown name `google`");
}

#[test]
fn types_that_never_meet_are_refused() {
    for (source, message) in [
        ("product.name + 1", "there is no `+` of string and int"),
        ("product.name == 1", "string and int are never equal"),
        ("product.name < 1", "string and int have no order"),
        ("1 in product.tags", "`in` compares int with string, which are never equal"),
        ("-product.name", "`-` takes int or double, not string"),
        ("count ? 1 : 2", "a condition must be bool, and this is int"),
        ("!count", "a condition must be bool, and this is int"),
        ("count.name", "int has no member `name`"),
        ("product.tags.name", "list(string) has no member `name`"),
        ("count[0]", "`[ ]` takes a list or a map, not int"),
        ("product.tags[price > 1.0]", "bool is no index of list(string)"),
        ("{null: 1}", "a key must be string, int, uint or bool, and this is null"),
        ("product.name.startsWith(1)", "`startsWith` takes string here, not int"),
        ("size(1)", "`size` takes string or list or map or bytes here, not int"),
        ("count.map(x, x)", "a list or a map is needed here, not int"),
        ("price % 2", "there is no `%` of double and int"),
        ("product.name.orValue('')", "an optional is needed here, not string"),
        ("'a' && true", "a condition must be bool, and this is string"),
        ("{'a': data, 'a': count}", "the same key stands twice in this map"),
        ("'a' in 'ab'", "`in` takes a list or a map, not string"),
    ] {
        assert_eq!(mistake(source).0, message, "{source}");
    }
}

#[test]
fn functions_are_checked_for_name_form_and_count() {
    for (source, message, help) in [
        ("product.name.lenght()", "unknown function `lenght`", ""),
        ("product.name.startWith('a')", "unknown function `startWith`", "did you mean `startsWith`?"),
        ("product.name.toLowerCase()", "unknown function `toLowerCase`", "write `.lowerAscii()`"),
        ("now()", "unknown function `now`", "write `request.time`"),
        ("contains('a', 'b')", "`contains` is called on a value", "write `x.contains(…)`"),
        ("product.name.string()", "`string` is not called on a value", "write `string(x)`"),
        ("product.name.contains()", "`contains` takes 1 argument, not 0", ""),
        ("math.round()", "`math.round` takes 1 argument, not 0", ""),
        ("math.rund(1.5)", "unknown function `math.rund`", "did you mean `math.round`?"),
        ("product.tags.map(x)", "`map` is not called like this", "write `list.map(x, expression)`"),
        ("has(product)", "`has` is not called like this", "write `has(a.b)`"),
        ("product.tags.map(x.y, 1)", "a variable's name is expected here", "name the variable first"),
        ("product.tags.map(data, data)", "`data` is already the name of something else here", "choose another"),
        ("product.name.length", "string has no member `length`", "write `.size()`"),
    ] {
        let found = mistake(source);
        assert_eq!(found.0, message, "{source}");
        assert!(found.2.contains(help), "{source}: {}", found.2);
    }
}

#[test]
fn every_mistake_is_found_at_once() {
    let found = world().mistakes("prodcut.name + foo() + product.nme + (product.id && true ? 'a' : 'b')");
    let marked: Vec<&str> = found.iter().map(|(_, marked, _)| marked.as_str()).collect();
    assert_eq!(marked, ["prodcut", "foo", "nme", "product.id"]);
}

#[test]
fn null_must_be_guarded_where_it_is_refused() {
    let (message, marked, help) = mistake("product.note.size() > 0");
    assert_eq!(message, "`product.note` may be null, and `size` does not take null");
    assert_eq!(marked, "product.note");
    assert!(help.contains("`product.note != null && …`") && help.contains("`default(product.note, …)`"), "{help}");
    for source in [
        "product.note + 'x'",
        "product.seller.name.size()",
        "product.seller.rating > 3.0",
        "product.tags[0] + 'x'",
        "product.note == null && product.note.size() > 0",
        "product.note != null || product.note.size() > 0",
        "product.note != null ? 1 : product.note.size()",
        "product.note != 'x' && product.note.size() > 0",
        "product.seller != null && product.seller.rating > 3.0",
    ] {
        assert!(mistake(source).0.contains("may be null"), "{source}");
    }
}

#[test]
fn a_guard_is_seen_through_logic_conditions_and_paths() {
    for source in [
        "product.note != null && product.note.size() > 0",
        "null != product.note && product.note.size() > 0",
        "product.note == null || product.note.size() > 0",
        "!(product.note == null) && product.note.size() > 0",
        "!(product.note == null || product.note.size() == 0)",
        "product.note != null ? product.note.size() : 0",
        "product.note == null ? 0 : product.note.size()",
        "product.note == 'x' && product.note.size() > 0",
        "default(product.note, '').size() > 0",
        "has(product.note) && product.note.size() > 0",
        "product.seller.rating != null && product.seller.rating > 3.0 && product.seller.name.size() > 0",
        "product.seller != null && product.seller.name.size() > 0",
        "product.tags[0] != null && product.tags[0].size() > 0",
        "product.tags.map(t, product.note != null, product.note + t)",
        "product.tags.all(t, product.note != null && product.note + t != '')",
        "product.note == null",
        "data.x + 1",
    ] {
        assert!(world().check(source).is_ok(), "{source}: {:?}", world().mistakes(source));
    }
}

#[test]
fn a_guard_of_one_variable_is_none_of_another_with_its_name() {
    let world = World::new().typed("items", Type::list(Type::Text.nullable()), "[]");
    assert!(world.check("items.all(i, i != null && items.all(j, i.size() > 0))").is_ok());
    assert!(world.check("items.all(i, i != null && items.all(i, i.size() > 0))").is_err());
}

#[test]
fn types_follow_from_parts() {
    let world = world();
    for (source, ty) in [
        ("product", "Product"),
        ("product.seller", "Seller or null"),
        ("product.seller.name", "string or null"),
        ("product.tags.map(t, t.size())", "list(int)"),
        ("product.tags.filter(t, t != '')", "list(string)"),
        ("{'a': 1, 'b': 2}", "map(string, int)"),
        ("[1, 'a']", "list(dyn)"),
        ("[1, null]", "list(int or null)"),
        ("count > 1 ? 1 : null", "int or null"),
        ("{}", "map(string, nothing)"),
        ("count > 1 ? {'a': 1} : {}", "map(string, int)"),
        ("[{}, {'a': [1]}, {'b': []}]", "list(map(string, list(int)))"),
        ("default(data.x, {}).size()", "int"),
        ("count > 1 ? product : {}", "Product or an empty map"),
        ("[{}, product, null]", "list(Product or an empty map or null)"),
        ("(count > 1 ? product : {}).name", "string or null"),
        ("default(product.seller, {}).name", "string or null"),
        ("{}.a", "null"),
        ("{}.?a", "optional(dyn)"),
        ("{}[product.name]", "dyn"),
        ("{}.map(k, k)", "list(string)"),
        ("product.tags.transformMapEntry(i, t, t == '' ? {} : {t: i})", "map(string, int)"),
        ("count + 1u", "int"),
        ("count * price", "double"),
        ("data.x * price", "double"),
        ("data.x + 1", "dyn"),
        ("product.?note", "optional(string or null)"),
        ("product.?seller.name", "optional(string)"),
        ("{'a': {'b': 1}}.?a.b", "optional(int)"),
        ("product.tags.map(t, {t: 1})[?0].x.orValue(2)", "int"),
        ("product.tags[?0].orValue('')", "string"),
        ("default(product.note, '')", "string"),
        ("default(product.note, null)", "string or null"),
        ("product.tags.map(t, t.size()).sum()", "int"),
        ("product.tags.max()", "string or null"),
        ("[[1], [2]].flatten()", "list(int)"),
        ("timestamp('2024-01-01T00:00:00Z') - duration('1h')", "timestamp"),
        ("product.tags.map(t, {t: 1}).map(m, m.a)", "list(int or null)"),
        ("[1, 2][0]", "int"),
        ("dyn(1)", "dyn"),
    ] {
        let typed = world.check(source).unwrap_or_else(|found| unreachable!("{source}: {found:?}"));
        assert_eq!(typed.ty.to_string(), ty, "{source}");
    }
}

#[test]
fn names_of_their_own_must_be_followed_by_a_member() {
    let scope = Nested(world());
    let checked = |source: &str| check(&parse(source).expect(source), &scope);
    assert!(checked("args.id + args['id']").is_ok());
    for (source, message, help) in [
        ("args", "`args` is no value by itself; name one argument of it", "write `args.id`"),
        ("args.map(x, x)", "`args` is no value by itself; name one argument of it", "known here: id, limit"),
        ("args.limti", "unknown argument `limti`", "did you mean `limit`?"),
        ("args[string(count)]", "which argument of `args` is meant must be known at load", ""),
        ("secret.x", "`secret` is not for you", "ask"),
        ("args.limit + 1", "`args.limit` may be null, and `+` does not take null", "guard it"),
    ] {
        let found = checked(source).expect_err(source);
        assert_eq!(found.len(), 1, "{source}: {found:?}");
        assert_eq!(found[0].message, message, "{source}");
        assert!(found[0].help.contains(help), "{source}: {}", found[0].help);
    }
}

#[test]
fn what_is_known_at_load_is_computed_at_load() {
    let world = world();
    for source in ["1 + 2 * 3", "'a' + 'b'", "[1, 2].size()", "{'a': [1]}.a[0]", "true || data.x", "1 > 2 ? data : 5"] {
        assert!(world.program(source).as_constant().is_some(), "{source}: {:?}", world.program(source));
    }
    let typed = world.check("data.x == 1 || 1 / 0 > 0").expect("valid");
    assert!(typed.warnings.iter().any(|warning| warning.message.contains("by zero")), "{:?}", typed.warnings);
}

#[test]
fn division_of_two_ints_is_warned_of() {
    let warnings = |source: &str| world().check(source).expect(source).warnings.len();
    assert_eq!(warnings("count / 2"), 1);
    assert_eq!(warnings("int(count / 2)"), 0);
    assert_eq!(warnings("price / 2"), 0);
    assert_eq!(warnings("data.a / 2"), 0);
}

#[test]
fn a_member_of_an_inlined_object_mentions_only_what_it_needs() {
    struct Inlined(Type);
    impl Scope for Inlined {
        fn resolve(&self, _: &str) -> Result<Binding, Unresolved> {
            let path = |var| Node::Path { var: Var(var), steps: Box::default() };
            let object = Node::Object(Box::new([Member::new("name", path(1)), Member::new("price", path(2))]));
            let outcome = Node::Outcome { var: Var(9), done: Box::new(object), otherwise: Box::new(Node::NULL) };
            Ok(Binding::Node { node: outcome, ty: self.0.clone() })
        }
        fn names(&self) -> Vec<String> {
            Vec::new()
        }
    }
    let shape = Shape("Seller", vec![("name", Type::Text), ("price", Type::Int)]);
    let scope = Inlined(Type::Object(Arc::new(shape)));
    let typed = check(&parse("seller.name + '!'").expect("valid"), &scope).expect("valid");
    let mut vars = Vec::new();
    typed.node.vars(&mut |var| vars.push(var.0));
    assert_eq!(vars, [9, 1]);
}

#[test]
fn locals_of_templates_and_comprehensions_stand_side_by_side() {
    let world = world();
    let outer = with_local(&world, "line", Type::list(Type::Int));
    let inner = with_local(&outer, "part", Type::Int);
    assert_ne!(outer.local().id, inner.local().id);
    let typed = check(&parse("line.map(x, x + part)").expect("valid"), &inner).expect("valid");
    assert_eq!(typed.ty.to_string(), "list(int)");
    assert!(check(&parse("line.map(part, part)").expect("valid"), &inner).is_err());
}

#[test]
fn comprehensions_nest_only_so_deep() {
    let nested = |depth: usize| {
        let open: String = (0..depth).map(|at| format!("data.a.map(x{at}, ")).collect();
        open + "1" + &")".repeat(depth)
    };
    assert!(world().check(&nested(4)).is_ok());
    assert!(mistake(&nested(5)).0.contains("more than 4 comprehensions"));
}

#[test]
fn programs_put_inside_one_another_stay_within_the_evaluators_depth() {
    struct Deep(usize);
    impl Scope for Deep {
        fn resolve(&self, _: &str) -> Result<Binding, Unresolved> {
            let mut node = Node::Path { var: Var(0), steps: Box::default() };
            for _ in 0..self.0 {
                node = Node::Items(Box::new([node]));
            }
            Ok(Binding::Node { node, ty: Type::Dyn })
        }
        fn names(&self) -> Vec<String> {
            Vec::new()
        }
    }
    let source = parse("[[a]]").expect("valid");
    assert!(check(&source, &Deep(150)).is_ok());
    assert!(check(&source, &Deep(200)).is_err());
}

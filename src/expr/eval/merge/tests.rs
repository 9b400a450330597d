//! What `$merge` makes, written and evaluated.

use crate::base::value::Value;
use crate::expr::tests::World;
use crate::expr::{Clash, ErrorKind, Failures, Member, Merge, Node, Part, Wanted, Whole, eval};

fn world() -> World {
    World::new()
        .with("a", r#"{"id": 1.0, "x": {"p": 1, "q": null}, "s": "\u00e9", "twice": 1, "twice": 2}"#)
        .with("b", r#"{"x": {"q": 2, "r": [3]}, "n": null, "s": null, "id": null}"#)
        .with("c", r#"{"x": 5, "id": 6}"#)
        .with("l", "[1]")
        .with("n", "null")
}

fn merge(clash: Clash, sources: &[&str]) -> Node {
    let part = |source: &&str| Part { node: world().program(source), members: None };
    Node::Merge(Box::new(Merge { parts: sources.iter().map(part).collect(), clash, whole: Whole::Object }))
}

/// What writing and evaluating give, which must be the same but for how text is escaped.
fn both(node: &Node) -> (String, usize) {
    let world = world();
    let (written, failures) = world.written(node);
    let mut noted = Failures::default();
    let value = eval(node, &world, &mut noted).expect("a value");
    assert_eq!(json(&value).replace("\\u00e9", "é"), written.replace("\\u00e9", "é"));
    assert_eq!(noted.count(), failures.count());
    (written, failures.count())
}

fn json(value: &Value<'_>) -> String {
    use crate::base::value::{JsonWriter, Sink as _};
    let mut out = JsonWriter::default();
    out.value(value).expect("numbers of JSON");
    String::from_utf8(out.bytes).expect("text")
}

#[test]
fn members_stand_where_they_first_appear_and_null_gives_way() {
    let merged = merge(Clash::Fails, &["a", "n", "b", "{'more': a.s}"]);
    let expected = r#"{"id":1.0,"x":{"p":1,"q":2,"r":[3]},"s":"\u00e9","twice":1,"n":null,"more":"é"}"#;
    assert_eq!(both(&merged), (expected.to_owned(), 0));
    assert_eq!(both(&merge(Clash::Fails, &["n"])).0, "{}");
    assert_eq!(both(&merge(Clash::Fails, &[])).0, "{}");
    let alone = r#"{"x": {"q": 2, "r": [3]}, "n": null, "s": null, "id": null}"#;
    assert_eq!(both(&merge(Clash::Fails, &["n", "b"])).0, alone);
}

#[test]
fn the_preferred_value_decides_what_is_merged() {
    assert_eq!(
        both(&merge(Clash::First, &["b", "c", "a"])).0,
        r#"{"x":{"q":2,"r":[3],"p":1},"n":null,"s":"\u00e9","id":6,"twice":1}"#
    );
    assert_eq!(both(&merge(Clash::Last, &["b", "a", "c"])).0, r#"{"x":5,"n":null,"s":"\u00e9","id":6,"twice":1}"#);
}

#[test]
fn two_values_fail_or_are_null_and_reported() {
    let failing = merge(Clash::Fails, &["a", "c"]);
    let error = eval(&failing, &world(), &mut Failures::default()).expect_err("a conflict");
    assert_eq!((error.kind(), error.message()), (ErrorKind::Clash, "two parts of `$merge` have a value for `id`"));
    assert_eq!(
        both(&merge(Clash::Null, &["a", "c"])),
        (r#"{"id":null,"x":null,"s":"\u00e9","twice":1}"#.to_owned(), 2)
    );
}

#[test]
fn a_part_that_is_no_object_fails_and_in_a_leaf_is_left_out() {
    let failing = merge(Clash::Fails, &["a", "l"]);
    let error = eval(&failing, &world(), &mut Failures::default()).expect_err("a list");
    assert_eq!((error.kind(), error.message()), (ErrorKind::Type, "`$merge` takes objects, not a list"));
    let Node::Merge(mut merge) = merge(Clash::Null, &["c", "l", "l.x + 1"]) else { unreachable!() };
    for part in &mut merge.parts {
        part.node = Node::Leaf(Box::new(part.node.clone()));
    }
    assert_eq!(both(&Node::Merge(merge)), (r#"{"x": 5, "id": 6}"#.to_owned(), 2));
}

#[test]
fn a_selected_member_mentions_only_the_parts_that_can_have_it() {
    let part = |source: &str, members: Option<&[&str]>| Part {
        node: world().program(source),
        members: members.map(|members| members.iter().map(|member| (*member).into()).collect()),
    };
    let merged = |clash| {
        let written = Part {
            node: Node::Object([Member::new("id", Node::text("i")), Member::new("s", world().program("a.s"))].into()),
            members: Some(["id".into(), "s".into()].into()),
        };
        let parts = [written, part("b", Some(&["x", "s"])), part("c", None)];
        Node::Merge(Box::new(Merge { parts: parts.into(), clash, whole: Whole::Object }))
    };
    let mentioned = |node: &Node| {
        let mut mentioned = Vec::new();
        node.vars(&mut |var| mentioned.push(var.0));
        mentioned
    };
    assert_eq!(mentioned(&merged(Clash::First).member("id")), [] as [u32; 0]);
    assert_eq!(mentioned(&merged(Clash::Last).member("id")), [2]);
    assert_eq!(mentioned(&merged(Clash::Fails).member("x")), [1, 2]);
    let wanted = Wanted::Members(vec![("id".into(), Wanted::All)]);
    assert_eq!(mentioned(&merged(Clash::Fails).pruned(&wanted)), [2]);
    assert_eq!(both(&merged(Clash::Last).member("id")).0, "6");
    assert_eq!(both(&merged(Clash::First).member("x")).0, r#"{"q": 2, "r": [3]}"#);
    assert_eq!(both(&merged(Clash::First).member("n")).0, "null");
}

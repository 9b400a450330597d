//! Numbers are found where the parser says that values are, and what the parser would not see is told.

use async_graphql_parser::types::{ExecutableDocument, Selection, TypeKind, TypeSystemDefinition};
use async_graphql_parser::{Positioned, parse_query, parse_schema};
use async_graphql_value::{Name, Value};
use proptest::prelude::*;

use super::{Mistake, Numbers, Prepared, prepare};

fn mistake(text: &str) -> Option<Mistake<'_>> {
    prepare(text).err().map(|mistaken| mistaken.mistake)
}

fn read(text: &str) -> (ExecutableDocument, Numbers) {
    let Prepared { text, numbers } = prepare(text).expect("no mistake");
    (parse_query(text).expect("parses"), numbers)
}

/// The arguments of the first field of a document.
fn written(document: &ExecutableDocument) -> &[(Positioned<Name>, Positioned<Value>)] {
    let operation = document.operations.iter().next().map(|(_, operation)| &operation.node).expect("an operation");
    let first = match &operation.selection_set.node.items[0].node {
        Selection::Field(field) => Some(&field.node.arguments),
        _ => None,
    };
    first.expect("a field")
}

/// The arguments of the first field of a document, each as GraphQL writes it.
fn arguments(text: &str) -> Vec<String> {
    let (document, numbers) = read(text);
    written(&document).iter().map(|(_, value)| numbers.literal(value).to_string()).collect()
}

/// The default of the first argument of the first field that a schema defines.
fn default_in(schema: &str) -> String {
    let Prepared { text, numbers } = prepare(schema).expect("no mistake");
    let document = parse_schema(text).expect("parses");
    let found = document.definitions.iter().find_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => match &definition.node.kind {
            TypeKind::Object(object) => object.fields[0].node.arguments[0].node.default_value.as_ref(),
            _ => None,
        },
        _ => None,
    });
    numbers.constant(found.expect("a default")).to_string()
}

#[test]
fn numbers_keep_their_digits_however_many() {
    let large = "9".repeat(400);
    assert_eq!(
        arguments(&format!("{{ f(a: 1.50 b: 123456789012345678901234567890,c:1e400 d: -0 e: {large}) g(a: 2) }}")),
        ["1.50", "123456789012345678901234567890", "1e400", "-0", &large]
    );
}

#[test]
fn every_end_of_line_counts_for_the_places_of_numbers() {
    for end in ["\n", "\r", "\r\n", "\n\r"] {
        let text = format!("#1{end}{{ f(#2 {end} a: 3.0{end}b: \"\"\"4{end}5\"\"\",{end}{end} c: [6.0{end}7.0]) }}");
        let text = arguments(&text);
        assert_eq!([&*text[0], &*text[2]], ["3.0", "[6.0, 7.0]"], "{end:?}");
    }
}

#[test]
fn text_is_written_as_graphql_writes_it() {
    let text = "{ f(a: \"\\u0001\\u001f\\n\\t\\r\\\\\\\"é\", b: {c: RED, d: [null true]}, e: $v) }";
    assert_eq!(arguments(text), ["\"\\u0001\\u001f\\n\\t\\r\\\\\\\"é\"", "{c: RED, d: [null, true]}", "$v"]);
}

#[test]
fn values_are_equal_whatever_the_order_of_their_fields() {
    let (document, numbers) = read("{ f(a: {x: 1, y: [2 E]}, b: {y: [2 E], x: 1}, c: {y: [2 E], x: 1.0}, d: {x: 1}) }");
    let literals: Vec<_> = written(&document).iter().map(|(_, value)| numbers.literal(value)).collect();
    assert_eq!(literals[0], literals[1]);
    assert_ne!(literals[1], literals[2]);
    assert_ne!(literals[3], literals[0]);
    assert_ne!(literals[0], literals[3]);
}

#[test]
fn an_object_has_no_field_twice_and_other_names_may_come_again() {
    let wrong = [
        "{ f(a: {x: 1, x: 2}) }",
        "{ f(a: [{x: {y: [{}]}, z: 1, x: 2}]) }",
        "query($v: I = {x: 1 x: 1}) { f }",
        "{ a { b @d(if: {x: 1, y: {x: 1}, x: 1}) } }",
        "input I { a: J = {b: 1, x: 2, b: 3, x: 4} }",
        "type T { f(a: J = {b: [{x: 2}, {x: 3 x: 4}]}): Int }",
        "scalar S @d(a: {x: 1, x: 2})",
    ];
    for document in wrong {
        assert!(matches!(mistake(document), Some(Mistake::Twice("x" | "b"))), "{document}");
    }
    let right = [
        "{ f(a: {x: {x: {x: 1}}, y: [{x: 1}, {x: 2}]}, b: {x: 1}) g(a: {x: 1}) }",
        "{ x: a x: a { x: b } f(x: 1) { x: g(x: {x: 1}) x: h } }",
        "query($x: I = {x: 1}, $y: I = {x: 1}) { f }",
        "type T { x(x: I = {x: 1}): [Int] x: Int } input I { x: [Int] = [1] x: Int }",
    ];
    for document in right {
        assert_eq!(mistake(document), None, "{document}");
    }
}

#[test]
fn what_the_parser_would_not_see_is_told_where_it_stands() {
    for document in ["query () { a }", "query(#\n,) { a }", "{ a() }", "{ a @d( ) }"] {
        assert_eq!(mistake(document), Some(Mistake::Empty), "{document}");
    }
    assert_eq!(mistake("{ a(b: [], c: {}, d: \"()\") }"), None);
    for document in ["{ a(b: \"x }", "{ a(b: \"\"\"x }", "\"\\"] {
        assert_eq!(mistake(document), Some(Mistake::Unfinished), "{document}");
    }
    for document in ["{ a ? }", "{ ü }", "{ a\u{0} }", "{ ..a }"] {
        assert_eq!(mistake(document), Some(Mistake::Unknown), "{document}");
    }
    for document in ["{ a(b: 01) }", "{ a(b: [1.5c]) }", "{ a(b: -c) }"] {
        assert_eq!(mistake(document), Some(Mistake::NoNumber), "{document}");
    }
    let wrong = prepare("{\r  a(b: 1.5)\r\n  é ? }").expect_err("no token");
    assert_eq!((wrong.place.line, wrong.place.column, wrong.at), (3, 3, 17));
    let wrong = prepare("{ a(b: {c: 12, é").expect_err("no token");
    assert_eq!((wrong.place.column, wrong.at), (16, 15));
    let wrong = prepare("{ a(b: {c: 12, c : 3}").expect_err("twice");
    assert_eq!((wrong.place.column, wrong.at), (16, 15));
}

/// A value as it may be written, and as it is shown.
type Written = (String, String);

/// What may stand between tokens.
fn gap() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![" ", ",", "\n", "\r\n", "\r", "\t \u{feff}", " # 1.50 \" { 7\n", "#\"\"\"8\r", ", ,"])
}

fn number() -> impl Strategy<Value = String> {
    "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,4})?"
}

fn leaf() -> impl Strategy<Value = Written> {
    let alike = |text: &str| (text.to_owned(), text.to_owned());
    prop_oneof![
        4 => number().prop_map(|number| (number.clone(), number)),
        1 => prop::sample::select(vec!["RED", "_9", "E1", "null", "true", "false"]).prop_map(alike),
        1 => prop::sample::select(vec![
            alike("\"1 \\\" 2 # 3 { [\""),
            alike("\"\""),
            alike("\"é 1.5\""),
            ("\"\"\"4 \" 5 \"\" 6\"\"\"".to_owned(), "\"4 \\\" 5 \\\"\\\" 6\"".to_owned()),
            ("\"\"\"\r7\r\n 8\r\"\"\"".to_owned(), "\"7\\n 8\"".to_owned()),
        ]),
    ]
}

/// Values inside one another with gaps between all tokens.
fn value() -> impl Strategy<Value = Written> {
    leaf().prop_recursive(5, 60, 6, |inner| {
        let items = prop::collection::vec((inner.clone(), gap()), 0..6);
        let list = items.prop_map(|items| {
            let written: String = items.iter().map(|((written, _), gap)| format!("{gap}{written}{gap}")).collect();
            let shown: Vec<&str> = items.iter().map(|((_, shown), _)| &**shown).collect();
            (format!("[{written}]"), format!("[{}]", shown.join(", ")))
        });
        let fields = prop::collection::btree_map("[a-z_][a-z0-9_]{0,3}", (inner, gap(), gap()), 0..6);
        let object = fields.prop_map(|fields| {
            let written = |(name, ((written, _), before, after)): (&String, &(Written, &str, &str))| {
                format!("{before}{name}{after}:{before}{written}{after}")
            };
            let shown: Vec<String> = fields.iter().map(|(name, ((_, shown), ..))| format!("{name}: {shown}")).collect();
            (format!("{{{}}}", fields.iter().map(written).collect::<String>()), format!("{{{}}}", shown.join(", ")))
        });
        prop_oneof![list, object]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_numbers_found_are_the_numbers_written(values in prop::collection::vec((value(), gap()), 1..5)) {
        let written: String = (0..).zip(&values).map(|(at, ((written, _), gap))| format!("a{at}:{gap}{written}{gap} ")).collect();
        let shown: Vec<&str> = values.iter().map(|((_, shown), _)| &**shown).collect();
        prop_assert_eq!(arguments(&format!("query q($v: Float = 1.10) {{ f({written}) g(a: 2.20) }}")), shown);
    }

    #[test]
    fn defaults_have_the_numbers_written((value, gap) in (value(), gap()), number in number()) {
        let (written, shown) = value;
        let text = format!("\"3.0\" type T{gap}{{ f(a: [S!]{gap}={gap}{written}): Int g(a: S = {number}): Int }}");
        prop_assert_eq!(default_in(&text), shown);
    }
}

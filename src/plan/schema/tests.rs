//! What a schema reads as, what it refuses, and how values become values of its types.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::coerce::{Form, Input, coerce};
use super::{Schema, TypeId, TypeKind};
use crate::base::diagnostic::{Severity, Sources};
use crate::base::value::{Doc, JsonWriter};

const STORE: &str = r#"
"Everything to read."
type Query {
  product(id: ID!): Product
  products(first: Int = 10, order: Order! = PRICE): [Product!]!
  search(text: String!): [Result]
}
type Mutation { order(input: OrderInput!): ID }
interface Node { id: ID! owner: Node }
type Product implements Node {
  id: ID!
  owner: Seller
  "The price." price(currency: String = "EUR"): Float @deprecated(reason: "use prices")
}
type Seller implements Node { id: ID! owner: Seller! name: String }
union Result = Product | Seller
enum Order { PRICE NAME @deprecated }
scalar Json @specifiedBy(url: "https://www.rfc-editor.org/rfc/rfc8259")
input OrderInput { items: [Item!]! note: String gift: Boolean! = false meta: Json order: Order }
input Item { id: ID! qty: Int! = 1 }
input One @oneOf { id: ID name: String }
input Nested { item: Item = {id: 7} }
extend type Seller { since: Int }
extend enum Order { DATE }
"#;

fn read(text: &str) -> (Schema, Vec<String>) {
    let mut sources = Sources::default();
    let file = sources.add("schema/a.graphql", text);
    let (schema, diagnostics) = Schema::read(&[(file, sources.text(file))]);
    let shown = diagnostics.iter().map(|diagnostic| {
        assert_eq!(diagnostic.severity, Severity::Error);
        sources.render(diagnostic)
    });
    (schema, shown.collect())
}

fn store() -> Schema {
    let (schema, diagnostics) = read(STORE);
    assert_eq!(diagnostics, Vec::<String>::new());
    schema
}

/// The first line of every diagnostic about `text`, with the source text under its caret.
fn wrong(text: &str) -> Vec<String> {
    let first_line = |shown: &String| {
        let line = shown.lines().next().unwrap_or("").trim_start_matches("error").to_owned();
        let mut lines = shown.lines().skip_while(|line| !line.contains(" | ") || line.trim() == "|");
        let (source, caret) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
        let under = caret.find('^').map_or("", |at| source.get(at..caret.len()).unwrap_or(""));
        format!("{line} <{under}>")
    };
    read(text).1.iter().map(first_line).collect()
}

fn json(schema: &Schema, ty: &str, text: &str) -> Result<String, String> {
    let doc = Arc::new(Doc::parse(Bytes::copy_from_slice(text.as_bytes())).expect("JSON"));
    written(schema, ty, &Input::Json(doc.root().value()))
}

fn written(schema: &Schema, ty: &str, input: &Input<'_>) -> Result<String, String> {
    let ty = schema.type_ref(ty).expect("a type");
    let mut out = JsonWriter::default();
    let coerced = coerce(schema, input, &ty, &mut out);
    match coerced {
        Ok(()) => Ok(String::from_utf8(out.bytes).expect("UTF-8")),
        Err(wrong) => {
            assert!(out.bytes.is_empty(), "an error leaves nothing behind");
            let sentences = wrong.into_iter().map(|error| error.within("input").to_string());
            Err(sentences.collect::<Vec<_>>().join(" & "))
        }
    }
}

#[test]
fn a_schema_knows_its_types_fields_and_places() {
    let schema = store();
    let product = schema.type_named("Product").expect("there");
    let seller = schema.type_named("Seller").expect("there");
    let node = schema.type_named("Node").expect("there");
    assert_eq!(schema[product].kind, TypeKind::Object);
    assert_eq!(schema[node].possible, [product, seller]);
    assert_eq!(schema[schema.type_named("Result").expect("there")].possible, [product, seller]);
    let price = schema[product].field("price").expect("there");
    assert_eq!((price.ty.to_string(), price.ty.named()), ("Float".to_owned(), TypeId::FLOAT));
    assert_eq!(price.deprecated.as_deref(), Some("use prices"));
    assert_eq!(price.description.as_deref(), Some("The price."));
    assert_eq!(&STORE[price.place.bytes.clone()], "price");
    assert_eq!(&price.args[0].default.as_ref().expect("default").value.bytes()[..], b"\"EUR\"");
    assert!(schema[seller].field("since").is_some(), "extensions are merged");
    assert_eq!(schema[schema.query().expect("there")].description.as_deref(), Some("Everything to read."));
    let order = &schema[schema.type_named("Order").expect("there")];
    assert_eq!(order.values.iter().map(|value| value.name.as_str()).collect::<Vec<_>>(), ["PRICE", "NAME", "DATE"]);
}

#[test]
fn the_built_in_scalars_have_their_ids() {
    let schema = store();
    for (name, id) in [
        ("Int", TypeId::INT),
        ("Float", TypeId::FLOAT),
        ("String", TypeId::STRING),
        ("Boolean", TypeId::BOOLEAN),
        ("ID", TypeId::ID),
    ] {
        assert_eq!(schema.type_named(name), Some(id));
        assert!(id.is_built_in_scalar());
    }
    assert!(!schema.type_named("Json").expect("there").is_built_in_scalar());
}

#[test]
fn meta_fields_stand_where_the_specification_puts_them() {
    let schema = store();
    let (query, product) = (schema.query().expect("there"), schema.type_named("Product").expect("there"));
    assert!(schema.field(query, "__schema").is_some() && schema.field(query, "__typename").is_some());
    assert!(schema.field(product, "__typename").is_some() && schema.field(product, "__schema").is_none());
    assert!(schema.type_named("__Meta").is_none() && schema.type_named("__Type").is_some());
}

#[test]
fn a_directive_is_repeatable_only_if_it_says_so() {
    let text = "type Query { a: Int } directive @a(\"repeatable\" x: Int) on FIELD directive @b repeatable on | FIELD";
    let (schema, diagnostics) = read(text);
    assert_eq!(diagnostics, Vec::<String>::new());
    let repeatable = schema.directives().iter().filter(|directive| directive.repeatable);
    assert_eq!(repeatable.map(|directive| directive.name.as_str()).collect::<Vec<_>>(), ["b"]);
}

#[test]
fn type_references_are_read_and_printed() {
    let schema = store();
    for text in ["ID", "ID!", "[ID!]!", "[[OrderInput]!]"] {
        assert_eq!(schema.type_ref(text).map(|ty| ty.to_string()), Ok(text.to_owned()));
    }
    assert_eq!(schema.type_ref(" [ ID ! ] ").map(|ty| ty.to_string()), Ok("[ID!]".to_owned()));
    for text in ["", "!", "[]", "[ID", "ID]", "ID!!", "[ID]]", "I D", "ID[]", "[!ID]"] {
        assert!(schema.type_ref(text).is_err(), "{text}");
    }
    let error = schema.type_ref("[Prodct!]").expect_err("unknown");
    assert_eq!(error, "no type is called `Prodct`; did you mean `Product`?");
}

#[test]
fn unknown_and_doubled_names_are_shown_where_they_stand() {
    let query = "type Query { a: Int }\n";
    assert_eq!(
        read(&format!("{query}type Product {{ seller: [Seler!] other: Seler }}\ntype Seller {{ id: ID }}")).1[0],
        "error[unknown-type]: no type is called `Seler`\n  --> schema/a.graphql:2:24  (Product.seller)\n   |\n 2 | type Product { seller: [Seler!] other: Seler }\n   |                        ^^^^^^^^\n  help: did you mean `Seller`?\n"
    );
    for (text, expected) in [
        ("type A { x: Int } type A { y: Int }", "[duplicate-type]: `A` is defined twice <A>"),
        ("type A { x: Int x: Int }", "[duplicate-field]: `A.x` is defined twice <x>"),
        ("type A { x(a: Int a: Int): Int }", "[duplicate-field]: `A.x(a:)` is defined twice <a>"),
        ("enum A { X X }", "[duplicate-value]: `A.X` is defined twice <X>"),
        ("scalar ID", "[duplicate-type]: `ID` is defined twice <ID>"),
        ("extend type B { x: Int }", "[unknown-type]: no type is called `B` <B>"),
        (
            "type A { x: Int } extend input A { x: Int }",
            "[extends-other-kind]: `A` is an object type, so it cannot be extended as an input type <A>",
        ),
        ("type A { x: Int @depricated }", "[unknown-directive]: no directive is called `@depricated` <depricated>"),
        ("union U = Query | Nobody", "[unknown-type]: no type is called `Nobody` <Nobody>"),
        ("type __A { x: Int }", "[reserved-name]: `__A` begins with `__`, which GraphQL keeps for itself <__A>"),
    ] {
        assert_eq!(wrong(&format!("{query}{text}")), [expected], "{text}");
    }
}

#[test]
fn what_is_not_graphql_says_what_was_expected() {
    assert_eq!(wrong("type Query { a Int }").len(), 1);
    assert!(wrong("type Query { a Int }")[0].starts_with("[schema-syntax]: this is not GraphQL: expected "));
    assert_eq!(wrong("# nothing yet\n\n"), Vec::<String>::new());
}

#[test]
fn types_keep_the_rules_of_the_specification() {
    let query = "type Query { a: Int } ";
    for (text, expected) in [
        (
            "input I { x: Int } type A { x: I }",
            "[not-an-output-type]: `A.x` cannot answer a value of `I`, which is an input type <x>",
        ),
        (
            "type A { x(a: A): Int }",
            "[not-an-input-type]: `A.x(a:)` cannot take a value of `A`, which is an object type <a>",
        ),
        (
            "input I { a: Query }",
            "[not-an-input-type]: `I.a` cannot take a value of `Query`, which is an object type <a>",
        ),
        ("enum E", "[empty-type]: `E` is an enum without any value <E>"),
        ("type A", "[empty-type]: `A` is an object type without any field <A>"),
        ("input I { i: I! }", "[endless-input]: `I` needs a value of itself, so none could ever be written <I>"),
        ("union U = Query | U", "[not-an-object]: `U` is a union; a union is made of object types <U>"),
        (
            "type A implements Query { a: Int }",
            "[not-an-interface]: `Query` is an object type; only interfaces can be implemented <Query>",
        ),
        ("input I { a: Int! @deprecated }", "[deprecated-required]: `I.a` is required, so it cannot be deprecated <a>"),
        (
            "input I @oneOf { a: Int! }",
            "[one-of-field]: `I.a` belongs to a @oneOf input, so it can have neither `!` nor a default <a>",
        ),
        ("input I { a: Int = \"x\" }", "[wrong-default]: the default: the value must be Int, not text <\"x\">"),
        (
            "input I { a: J = {b: 1} } input J { c: Int }",
            "[wrong-default]: the default: `b` is no field of J; did you mean `c`? <{b: 1}>",
        ),
        (
            "input I { a: J = {} } input J { b: I = {} }",
            "[circular-defaults]: defaults of inputs lead to one another in a circle <{}>",
        ),
        ("schema { query: Qery }", "[unknown-type]: no type is called `Qery` <Qery>"),
    ] {
        assert_eq!(wrong(&format!("{query}{text}")), [expected], "{text}");
    }
    assert_eq!(
        wrong("input I { i: I, l: [I!]! } type A { x: Int }"),
        Vec::<String>::new(),
        "types for REST endpoints need no query type"
    );
    assert_eq!(wrong("type Mutation { x: Int }"), ["[missing-query]: the schema has no query type <Mutation>"]);
    assert_eq!(
        wrong("type Query { a: Int } schema { query: Query mutation: Query }"),
        ["[roots-not-distinct]: `Query` cannot be both the query and the mutation type <Query>"]
    );
}

#[test]
fn an_implementation_does_what_its_interface_asks() {
    let with = |implementation: &str| {
        wrong(&format!("type Query {{ a: Int }} interface N {{ id(a: Int): ID! next: N }} type A {implementation}"))
    };
    let none = Vec::<String>::new();
    assert_eq!(with("implements N { id(a: Int, b: Int): ID! next: A! }"), none, "answers may be narrower");
    assert_eq!(
        with("implements N { id(a: Int): ID! }"),
        ["[broken-interface]: `A` implements `N`, so it needs a field `next: N` <A>"]
    );
    assert_eq!(
        with("implements N { id(a: Int): ID next: N }"),
        ["[broken-interface]: `A` implements `N`, so `A.id` must be `ID!` or a type that is always one, not `ID` <id>"]
    );
    assert_eq!(
        with("implements N { id: ID! next: N }"),
        ["[broken-interface]: `A` implements `N`, so `A.id` must take the argument `a: Int` <id>"]
    );
    assert_eq!(
        with("implements N { id(a: Int, b: Int!): ID! next: N }"),
        [
            "[broken-interface]: `A` implements `N`, so `A.id` cannot require the argument `b`, which the interface does not have <id>"
        ]
    );
    assert_eq!(
        with("implements M { x: Int } interface M implements N { id(a: Int): ID! next: N x: Int }").len(),
        3,
        "the interface of an interface is asked for too"
    );
}

#[test]
fn json_becomes_a_value_of_its_type() {
    let schema = store();
    for (ty, text, expected) in [
        ("Int", "5", "5"),
        ("Int", "5.0", "5"),
        ("Int", "-2147483648", "-2147483648"),
        ("Float", "20", "20"),
        ("Float", "1e3", "1e3"),
        ("ID", "12345678901234567890123", "\"12345678901234567890123\""),
        ("ID!", "\"a\\\"b\"", "\"a\\\"b\""),
        ("ID", "5.0", "\"5\""),
        ("[Int]", "5", "[5]"),
        ("[[Int]]", "[1, null, [2]]", "[[1],null,[2]]"),
        ("Order", "\"PRICE\"", "\"PRICE\""),
        ("Json", "{\"a\": [1.50]}", "{\"a\": [1.50]}"),
        (
            "OrderInput!",
            r#"{"note": null, "items": {"id": 3}, "order": "DATE"}"#,
            r#"{"items":[{"id":"3","qty":1}],"note":null,"gift":false,"order":"DATE"}"#,
        ),
        ("Nested", "{}", r#"{"item":{"id":"7","qty":1}}"#),
        ("One", r#"{"id": 1}"#, r#"{"id":"1"}"#),
        ("OrderInput", "null", "null"),
    ] {
        assert_eq!(json(&schema, ty, text), Ok(expected.to_owned()), "{ty} {text}");
    }
}

#[test]
fn a_wrong_value_is_refused_with_its_path() {
    let schema = store();
    for (ty, text, expected) in [
        ("Int", "\"5\"", "`input` must be Int, not text"),
        ("Int", "5.5", "`input` must be Int, not this number"),
        ("Int", "2147483648", "`input` must be Int, a whole number between -2147483648 and 2147483647"),
        ("Float", "1e999", "`input` must be Float, and is too large for one"),
        ("Float", "true", "`input` must be Float, not a boolean"),
        ("String", "5", "`input` must be String, not this number"),
        ("String!", "null", "`input` must not be null"),
        ("Boolean", "\"true\"", "`input` must be Boolean, not text"),
        ("ID", "1.5", "`input` must be ID, not this number"),
        ("[Int!]", "[1, null]", "`input[1]` must not be null"),
        ("Order", "\"PRIZE\"", "`input` must be a value of Order; did you mean `PRICE`?"),
        ("OrderInput", "[]", "`input` must be OrderInput, not a list"),
        ("OrderInput", "{}", "`input.items` is required and missing"),
        (
            "OrderInput",
            r#"{"items": [{"id": 1}, {"id": 2, "qty": "x"}]}"#,
            "`input.items[1].qty` must be Int, not text",
        ),
        ("OrderInput", r#"{"items": [], "nots": 1}"#, "`input.nots` is no field of OrderInput; did you mean `note`?"),
        ("One", r#"{"id": 1, "name": "x"}"#, "`input` must give exactly one field of One"),
        ("One", r#"{"id": null}"#, "`input.id` must not be null"),
        ("Product", "{}", "`input` is of type Product, which no client can send"),
    ] {
        assert_eq!(json(&schema, ty, text), Err(expected.to_owned()), "{ty} {text}");
    }
}

#[test]
fn text_of_paths_and_queries_becomes_a_value_of_its_type() {
    let schema = store();
    let text = |ty: &str, text: &str| written(&schema, ty, &Input::Text(text)).ok();
    assert_eq!(text("Int!", "12").as_deref(), Some("12"));
    assert_eq!(text("Boolean!", "true").as_deref(), Some("true"));
    assert_eq!(text("Float", "1.5e2").as_deref(), Some("1.5e2"));
    assert_eq!(text("ID", "007").as_deref(), Some("\"007\""));
    assert_eq!(text("[ID!]!", "7").as_deref(), Some("[\"7\"]"));
    assert_eq!(text("Order", "NAME").as_deref(), Some("\"NAME\""));
    assert_eq!(text("Json", "5").as_deref(), Some("\"5\""));
    for (ty, wrong) in [
        ("Int", "+5"),
        ("Int", "5.0"),
        ("Int", ""),
        ("Int", " 5"),
        ("Float", "inf"),
        ("Float", "1 "),
        ("Float", ".5"),
        ("Boolean", "1"),
        ("Boolean", "TRUE"),
        ("Order", "price"),
        ("OrderInput", "{}"),
    ] {
        assert_eq!(text(ty, wrong), None, "{ty} {wrong}");
    }
    let texts = [Cow::Borrowed("1"), Cow::Borrowed("2")];
    assert_eq!(written(&schema, "[Int!]", &Input::Texts(&texts)).as_deref(), Ok("[1,2]"));
    assert_eq!(written(&schema, "Int", &Input::Texts(&texts[..1])).as_deref(), Ok("1"));
    assert!(written(&schema, "Int", &Input::Texts(&texts)).is_err());
    assert_eq!(written(&schema, "Int!", &Input::Text("x")), Err("`input` must be Int, not this text".to_owned()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_schema_file_makes_the_reader_panic(text in r##"(type|input|enum|union|extend|interface|schema|@|[A-C{}():!=|&"#\[\] \n]|Query|Int|é|"""| a){0,40}"##) {
        let _ = read(&text);
    }

    #[test]
    fn whatever_int_takes_is_an_int_of_32_bits(numbers in prop::collection::vec(any::<f64>(), 0..50)) {
        let (schema, _) = Schema::read(&[]);
        for number in numbers {
            if let Ok(text) = json(&schema, "Int", &serde_json::to_string(&number).expect("JSON")) {
                prop_assert!(text.parse::<i32>().is_ok(), "{}", text);
            }
        }
    }
}

#[test]
fn everything_that_is_wrong_with_a_value_is_told_within_reason() {
    let schema = store();
    assert_eq!(
        json(&schema, "OrderInput", r#"{"items": [{"qty": "x"}], "nots": 1}"#),
        Err("`input.nots` is no field of OrderInput; did you mean `note`? & `input.items[0].id` is required and \
             missing & `input.items[0].qty` must be Int, not text"
            .to_owned())
    );
    let many = format!("[{}]", vec!["\"x\""; 1_000].join(","));
    let told = json(&schema, "[Int]", &many).expect_err("no numbers");
    assert_eq!(told.split(" & ").count(), crate::base::path::MISTAKE_LIMIT);
}

#[test]
fn a_form_becomes_an_input_by_the_types_of_its_fields() {
    let schema = store();
    let form = |fields: &[(&'static str, &'static str)]| {
        written(&schema, "One", &Input::Form(&Form::new(fields.iter().copied())))
    };
    assert_eq!(form(&[("id", "7")]).as_deref(), Ok("{\"id\":\"7\"}"));
    assert_eq!(form(&[("id", "7"), ("id", "8")]), Err("`input.id` must be ID, not a list".to_owned()));
    assert_eq!(form(&[("id.x", "7")]), Err("`input.id` must be ID, not an object".to_owned()));
    let deep = "a.".repeat(100_000);
    let fields = [(deep.as_str(), "1")];
    assert!(written(&schema, "One", &Input::Form(&Form::new(fields))).is_err());
}

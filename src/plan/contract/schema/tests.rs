//! Schemas as types, as declarations, and as judges of values.

use std::sync::Arc;

use bytes::Bytes;

use super::{Reader, SchemaId, Schemas, Sort, declared, type_of, validate};
use crate::base::value::{Doc, Held};
use crate::expr::Type;
use crate::plan::contract::{Documents, Spot};
use crate::spec::{Reading, read_texts};

fn reading(text: &str) -> Reading {
    read_texts(&[("schema/a.yaml", text)], &|_| Ok(None))
}

fn compiled(text: &str, sort: Sort) -> (Arc<Schemas>, SchemaId) {
    let reading = reading(text);
    let documents = Documents::of(&reading);
    let place = crate::base::diagnostic::Place { file: crate::base::id::FileId(0), bytes: 0..0 };
    let document = documents.open("schema/a.yaml", (&place, "")).expect("it is read");
    let mut reader = Reader::new(&documents, sort, "");
    let id = reader.read(&Spot::whole(document), "It").expect("it is there");
    let schemas = Arc::new(reader.finish());
    let mistakes = documents.take_diagnostics();
    assert!(mistakes.is_empty(), "{mistakes:?}");
    (schemas, id)
}

fn ty(text: &str) -> String {
    let (schemas, id) = compiled(text, Sort::JsonSchema);
    type_of(&schemas, id).to_string()
}

/// What is said of a JSON value.
fn said(schema: &str, json: &str) -> Vec<String> {
    let (schemas, id) = compiled(schema, Sort::JsonSchema);
    let doc = Held::whole(Doc::parse(Bytes::copy_from_slice(json.as_bytes())).expect(json));
    validate(&schemas, id, &doc.value()).iter().map(ToString::to_string).collect()
}

#[test]
fn schemas_have_the_types_of_their_values() {
    for (schema, expected) in [
        ("{ type: integer }", "int"),
        ("{ type: number, minimum: 0 }", "double"),
        ("{ type: string, format: date-time }", "string"),
        ("{ enum: [a, b] }", "string"),
        ("{ const: 5 }", "int"),
        ("{ type: [string, 'null'] }", "string or null"),
        ("{ type: [string, integer] }", "dyn"),
        ("{ type: array, items: { type: integer } }", "list(int)"),
        ("{ type: array }", "list(dyn)"),
        ("{ type: object }", "map(string, dyn)"),
        ("{ type: object, additionalProperties: { type: number } }", "map(string, double)"),
        ("{ properties: { a: { type: string } } }", "It"),
        ("{ anyOf: [{ type: string }, { type: 'null' }] }", "string or null"),
        ("{ oneOf: [{ type: integer }, { type: integer, minimum: 5 }] }", "int"),
        ("{ oneOf: [{ type: integer }, { type: string }] }", "dyn"),
        ("{ allOf: [{ type: [integer, 'null'] }, { type: [integer, string] }] }", "int"),
        ("{ $ref: '#/$defs/A', $defs: { A: { type: boolean } } }", "bool"),
        ("true", "dyn"),
        ("{}", "dyn"),
    ] {
        assert_eq!(ty(schema), expected, "{schema}");
    }
}

#[test]
fn openapi_3_0_says_null_and_bounds_in_words_of_its_own() {
    let (schemas, id) = compiled("{ type: string, nullable: true }", Sort::OpenApi30);
    assert_eq!(type_of(&schemas, id).to_string(), "string or null");
    let (schemas, id) = compiled("{ type: integer, minimum: 5, exclusiveMinimum: true }", Sort::OpenApi30);
    let held = Held::whole(Doc::parse(Bytes::from_static(b"5")).expect("a number"));
    assert_eq!(validate(&schemas, id, &held.value()).len(), 1);
}

#[test]
fn members_come_from_all_of_and_may_be_absent() {
    let schema = "allOf:\n  - { properties: { id: { type: integer }, note: { type: string } }, required: [id] }\n  - $ref: '#/$defs/Named'\n$defs: { Named: { required: [name], properties: { name: { type: string } } } }\n";
    let (schemas, id) = compiled(schema, Sort::JsonSchema);
    let object = match type_of(&schemas, id) {
        Type::Object(object) => Some(object),
        _ => None,
    };
    let object = object.expect("it is an object");
    assert_eq!(object.members(), ["id", "note", "name"]);
    let member = |name: &str| object.member(name).map(|ty| ty.to_string());
    assert_eq!(member("id").as_deref(), Some("int"));
    assert_eq!(member("note").as_deref(), Some("string or null"));
    assert_eq!(member("name").as_deref(), Some("string"));
    assert_eq!(member("nmae"), None);
}

#[test]
fn schemas_that_hold_themselves_end() {
    for endless in [
        "{ $ref: '#' }",
        "{ allOf: [{ $ref: '#' }] }",
        "{ anyOf: [{ $ref: '#' }, { type: 'null' }] }",
        "{ type: array, items: { $ref: '#' } }",
        "{ properties: { inner: { $ref: '#' } }, required: [inner] }",
        "{ not: { not: { $ref: '#' } } }",
        "{ $ref: '#/$defs/A', $defs: { A: { $ref: '#/$defs/B' }, B: { $ref: '#/$defs/A' } } }",
    ] {
        let (schemas, id) = compiled(endless, Sort::JsonSchema);
        let _ = (type_of(&schemas, id).to_string(), declared(&schemas, id).to_string(), schemas.name(id));
        said(endless, r#"{"inner":{"inner":[[[[]]]]}}"#);
    }
}

#[test]
fn a_chain_of_references_of_any_length_is_read() {
    let mut text = String::from("{ $ref: '#/$defs/s0', $defs: {");
    for at in 0..3_000 {
        text.push_str(&format!(" s{at}: {{ $ref: '#/$defs/s{}' }},", at + 1));
    }
    text.push_str(" s3000: { type: integer } } }");
    assert_eq!(ty(&text), "int");
}

#[test]
fn every_keyword_judges() {
    for (schema, good, bad, words) in [
        ("{ type: string }", r#""a""#, "1", "the value must be string, not this number"),
        ("{ type: integer }", "1.0", "1.5", "the value must be integer, not this number"),
        ("{ type: [integer, 'null'] }", "null", "\"a\"", "the value must be null or integer, not text"),
        ("{ enum: [1, a, { b: [1] }] }", r#"{"b":[1.0]}"#, "2", "the value must be one of 1, \"a\", {\"b\":[1]}"),
        ("{ const: { a: 1, b: 2 } }", r#"{"b":2,"a":1}"#, r#"{"a":1}"#, "the value must be {\"a\":1,\"b\":2}"),
        ("{ minimum: 1 }", "1", "0.5", "the value must be at least 1"),
        ("{ maximum: 1 }", "1", "1.5", "the value must be at most 1"),
        ("{ exclusiveMinimum: 1 }", "1.1", "1", "the value must be more than 1"),
        ("{ exclusiveMaximum: 1 }", "0.9", "1", "the value must be less than 1"),
        ("{ multipleOf: 0.01 }", "4.35", "4.355", "the value must be a multiple of 0.01"),
        ("{ multipleOf: 3 }", "9007199254740993", "9007199254740992", "the value must be a multiple of 3"),
        ("{ minLength: 2 }", r#""éé""#, r#""é""#, "the value must have at least 2 characters"),
        ("{ maxLength: 1 }", r#""😀""#, r#""ab""#, "the value must have at most 1 character"),
        ("{ pattern: '^a+$' }", r#""aa""#, r#""ab""#, "the value must match `^a+$`"),
        ("{ minItems: 1 }", "[1]", "[]", "the value must have at least 1 item"),
        ("{ maxItems: 1 }", "[1]", "[1,2]", "the value must have at most 1 item"),
        (
            "{ uniqueItems: true }",
            "[1,\"1\",{\"a\":1}]",
            "[1,1.0]",
            "the value must not hold a value twice, and item 1 is there already",
        ),
        ("{ minProperties: 1 }", r#"{"a":1}"#, "{}", "the value must have at least 1 member"),
        ("{ maxProperties: 1 }", "{}", r#"{"a":1,"b":2}"#, "the value must have at most 1 member"),
        ("{ required: [a] }", r#"{"a":null}"#, "{}", "`/a` is required and missing"),
        (
            "{ required: [a, b], properties: { a: { readOnly: true }, b: {} } }",
            r#"{"b":1}"#,
            r#"{"a":1}"#,
            "`/b` is required and missing",
        ),
        (
            "{ properties: { name: {} }, additionalProperties: false }",
            "{}",
            r#"{"nmae":1}"#,
            "`/nmae` is no member of It; did you mean `name`?",
        ),
        ("{ additionalProperties: { type: integer } }", "{}", r#"{"a/b":"x"}"#, "`/a~1b` must be integer, not text"),
        ("{ items: { type: integer } }", "[1]", "[1,\"x\"]", "`/1` must be integer, not text"),
        ("{ allOf: [{ minimum: 1 }, { maximum: 2 }] }", "1", "3", "the value must be at most 2"),
        (
            "{ anyOf: [{ type: integer }, { type: boolean }] }",
            "true",
            "\"a\"",
            "the value is of none of the forms that are allowed",
        ),
        ("{ anyOf: [{ type: integer }, { type: 'null' }] }", "null", "\"a\"", "the value must be integer, not text"),
        (
            "{ oneOf: [{ minimum: 1 }, { maximum: 2 }] }",
            "5",
            "1.5",
            "the value must be one of several forms, and is 2 of them",
        ),
        ("{ not: { type: 'null' } }", "1", "null", "the value is of a form that is not allowed"),
        ("{ properties: { a: false } }", "{}", r#"{"a":1}"#, "`/a` is not allowed"),
        ("{ $ref: '#/$defs/A', maximum: 5, $defs: { A: { minimum: 1 } } }", "3", "7", "the value must be at most 5"),
    ] {
        assert_eq!(said(schema, good), Vec::<String>::new(), "{schema} {good}");
        assert!(said(schema, bad).iter().any(|said| said == words), "{schema} {bad}: {:?}", said(schema, bad));
    }
}

#[test]
fn violations_are_all_listed_up_to_a_limit() {
    let schema = "{ items: { type: integer } }";
    assert_eq!(said(schema, "[\"a\",1,\"b\"]"), ["`/0` must be integer, not text", "`/2` must be integer, not text"]);
    let many = format!("[{}]", vec!["\"a\""; 200].join(","));
    assert_eq!(said(schema, &many).len(), crate::base::path::MISTAKE_LIMIT);
}

#[test]
fn of_alternatives_the_nearest_is_explained() {
    let schema = "oneOf:\n  - { properties: { kind: { const: card }, number: { type: string } }, required: [kind, number] }\n  - { type: string }\n";
    assert_eq!(said(schema, r#"{"kind":"card","number":5}"#), ["`/number` must be string, not this number"]);
}

#[test]
fn alternatives_without_end_are_given_up() {
    let schema = "properties:\n  a: { anyOf: [{ $ref: '#' }, { $ref: '#' }, { $ref: '#' }] }\nrequired: [b]\n";
    let mut deep = String::from("{}");
    for _ in 0..60 {
        deep = format!("{{\"a\":{deep}}}");
    }
    assert_eq!(said(schema, &deep), ["the value takes too long to be checked"]);
}

#[test]
fn unknown_keywords_are_ignored_and_some_are_named() {
    let (schemas, _) = compiled("{ type: object, x-note: 1, if: {}, format: uri, title: T }", Sort::JsonSchema);
    assert_eq!(schemas.unsupported().map(|(keyword, _)| keyword.as_str()).collect::<Vec<_>>(), ["if"]);
}

#[test]
fn integers_are_marked_where_the_contract_says_so() {
    let schema = "{ properties: { n: { type: integer }, f: { type: number }, l: { items: { type: integer } }, o: { oneOf: [{ properties: { n: { type: integer } } }, { type: 'null' }] } } }";
    let (schemas, id) = compiled(schema, Sort::JsonSchema);
    assert!(schemas.has_integers(id));
    let json = br#"{"n":7,"f":7,"l":[1,2.0,2.5,"x"],"other":7,"o":{"n":7}}"#;
    let mut doc = Doc::parse(Bytes::from_static(json)).expect("JSON");
    schemas.mark_integers(id, &mut doc);
    let held = Held::whole(doc);
    let kind = |value: Option<crate::base::value::Value<'_>>| format!("{:?}", value.map(|value| value.kind()));
    let value = held.value();
    assert_eq!(kind(value.member("n")), "Some(Int)");
    assert_eq!(kind(value.member("f")), "Some(Number)");
    assert_eq!(kind(value.member("other")), "Some(Number)");
    assert_eq!(kind(value.member("o").expect("there").member("n")), "Some(Int)");
    let list = value.member("l").expect("there");
    let kinds: Vec<String> = list.elements().expect("a list").map(|item| kind(Some(item))).collect();
    assert_eq!(kinds, ["Some(Int)", "Some(Int)", "Some(Number)", "Some(Text)"]);
    assert_eq!(held.to_json().as_bytes(), json);
}

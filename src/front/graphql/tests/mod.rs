//! From a document to a prepared operation: limits, variables, the cache, introspection, and no panic ever.

mod merging;
mod oracle;
mod over_http;
mod validation;

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use proptest::prelude::*;

use super::request::GraphqlRequest;
use super::{Graph, Prepared};
use crate::base::failure::Cause;
use crate::base::id::FileId;
use crate::base::value::{Doc, DocBuilder, Held, View};
use crate::plan::operation::selection::{Field, FieldSource, Selection};
use crate::plan::operation::{Introspection, Limits, Operation, Problem, RequestError, Settings};
use crate::plan::schema::Schema;

const STORE: &str = r#"
type Query {
  product(id: ID!): Product
  products(first: Int! = 10, ids: [ID!], order: Order = PRICE, filter: Filter): [Product!]!
  pet: Animal
  pets: [Pet!]
  any(value: Json): Json
}
type Mutation { order(input: OrderInput!): Product cancel(id: ID!): Boolean }
type Subscription { stock(sku: ID!): Int }
type Product { id: ID! name: String price(currency: String = "EUR"): Float seller: Seller related(first: Int): [Product!]! }
type Seller { id: ID! name: String products: [Product!]! }
interface Animal { name: String owner: Animal friend: Pet legs: Int }
type Dog implements Animal { name: String owner: Human friend: Pet legs: Int barks: Boolean loud(at: Int = 3): Int }
type Cat implements Animal { name: String owner: Animal friend: Pet legs: Int meows: Boolean loud(at: Int): Int }
type Human implements Animal { name: String owner: Animal friend: Pet legs: Int job: String! loud: String }
union Pet = Dog | Cat
enum Order { PRICE NAME }
scalar Json
input Filter { any: [Filter!] name: String min: Int! = 0 order: Order one: One }
input OrderInput { items: [Item!]! note: String }
input Item { id: ID! qty: Int! = 1 }
input One @oneOf { id: ID name: String }
"#;

static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    let (schema, diagnostics) = Schema::read(&[(FileId(0), STORE.into())]);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    Arc::new(schema)
});

fn graph(settings: Settings) -> Graph<Operation> {
    Graph::new(SCHEMA.clone(), settings, |operation| operation)
}

fn open() -> Graph<Operation> {
    graph(Settings { limits: Limits::default(), introspection: Introspection::On })
}

fn post(document: &str, variables: &str) -> GraphqlRequest {
    let doc = Arc::new(Doc::parse(Bytes::copy_from_slice(variables.as_bytes())).expect("JSON"));
    GraphqlRequest {
        method: Method::POST,
        document: document.into(),
        operation_name: None,
        variables: Held::Doc(doc, 0),
        extensions: Held::Null,
    }
}

fn named(document: &str, name: &str) -> GraphqlRequest {
    GraphqlRequest { operation_name: Some(name.into()), ..post(document, "{}") }
}

fn prepare(document: &str) -> Prepared<Operation> {
    prepare_with(document, "{}")
}

/// Prepares a document without variables on another schema.
fn prepare_on(schema: Arc<Schema>, document: &str) -> Prepared<Operation> {
    let settings = Settings { limits: Limits::default(), introspection: Introspection::On };
    Graph::new(schema, settings, |operation| operation).prepare(&post(document, "{}")).expect(document)
}

fn prepare_with(document: &str, variables: &str) -> Prepared<Operation> {
    open().prepare(&post(document, variables)).unwrap_or_else(|error| unreachable!("{document}: {error:?}"))
}

/// The problems of a refused request, each as `line:column message`.
fn refused(document: &str, variables: &str) -> (Cause, Vec<String>) {
    shown(&open().prepare(&post(document, variables)).expect_err(document))
}

fn shown(error: &RequestError) -> (Cause, Vec<String>) {
    let line = |problem: &Problem| {
        let places = problem.locations.iter().map(|place| format!("{}:{} ", place.line, place.column));
        places.collect::<String>() + &problem.message
    };
    (error.cause, error.problems.iter().map(line).collect())
}

/// What runs for an object of one type and these variables: `key:name(arguments){…}`.
fn plan(prepared: &Prepared<Operation>, object: &str) -> String {
    let object = SCHEMA.type_named(object).expect("a type");
    let fields = prepared.operation.selection.fields.iter();
    let fields = fields.filter(|field| field.applies_to(object) && field.is_included(prepared.variables.root()));
    fields.map(|field| show(field, prepared.variables.root())).collect::<Vec<_>>().join(" ")
}

fn show(field: &Field, variables: View<'_>) -> String {
    let mut shown = String::new();
    if let Some(on) = &field.on {
        shown += &format!("{}x", on.len());
    }
    shown += &field.response_name;
    if field.response_name != field.name {
        shown += &format!(":{}", field.name);
    }
    if !field.arguments.is_empty() {
        shown += &arguments(field, variables).unwrap_or_else(|error| format!("<{error}>"));
    }
    if !field.selection.fields.is_empty() {
        shown += &format!("{{{}}}", show_all(&field.selection, variables));
    }
    shown
}

fn show_all(selection: &Selection, variables: View<'_>) -> String {
    let included = selection.fields.iter().filter(|field| field.is_included(variables));
    included.map(|field| show(field, variables)).collect::<Vec<_>>().join(" ")
}

fn arguments(field: &Field, variables: View<'_>) -> Result<String, String> {
    let mut out = DocBuilder::default();
    field.write_arguments(variables, &mut out).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(out.finish().bytes()).into_owned())
}

#[test]
fn an_operation_is_typed_and_its_arguments_are_coerced() {
    let prepared = prepare("{ p: product(id: 7) { id price } products(ids: \"a\") { name } }");
    assert_eq!(
        plan(&prepared, "Query"),
        r#"p:product{"id":"7"}{id price{"currency":"EUR"}} products{"first":10,"ids":["a"],"order":"PRICE"}{name}"#
    );
    let field = &prepared.operation.selection.fields[0];
    assert_eq!((&*field.key, field.ty.to_string().as_str()), (&b"\"p\":"[..], "Product"));
    assert_eq!((field.line, field.column, field.source), (1, 3, FieldSource::Schema(0)));
    assert!(field.on.is_none() && field.conditions.is_empty());
}

#[test]
fn variables_stand_inside_values_and_fall_back_to_defaults() {
    let document = "query($id: ID!, $min: Int, $first: Int, $j: Json) {
        product(id: $id) { id }
        products(first: $first, ids: [\"a\", $id], filter: {any: {min: $min, name: \"x\"}, order: NAME}) { id }
        any(value: {a: [1, $j], b: E})
    }";
    let at = |variables: &str| plan(&prepare_with(document, variables), "Query");
    assert_eq!(
        at(r#"{"id": 5, "min": 2, "first": 3, "j": {"z": 1.50}}"#),
        concat!(
            r#"product{"id":"5"}{id} products{"first":3,"ids":["a","5"],"order":"PRICE","#,
            r#""filter":{"any":[{"name":"x","min":2}],"min":0,"order":"NAME"}}{id} any{"value":{"a":[1,{"z": 1.50}],"b":"E"}}"#
        )
    );
    assert_eq!(
        at(r#"{"id": "5"}"#),
        concat!(
            r#"product{"id":"5"}{id} products{"first":10,"ids":["a","5"],"order":"PRICE","#,
            r#""filter":{"any":[{"name":"x","min":0}],"min":0,"order":"NAME"}}{id} any{"value":{"a":[1,null],"b":"E"}}"#
        )
    );
    assert!(
        at(r#"{"id": "5", "first": null}"#).contains("<`first` must not be null, and is what variable `$first` gives>")
    );
}

#[test]
fn variables_are_coerced_before_anything_runs() {
    let document = "mutation($id: ID = 7, $input: OrderInput!) { cancel(id: $id) order(input: $input) { id } }";
    let variables = |given: &str| String::from_utf8_lossy(prepare_with(document, given).variables.bytes()).into_owned();
    assert_eq!(
        variables(r#"{"input": {"items": {"id": 1}}, "unknown": 1}"#),
        r#"{"id":"7","input":{"items":[{"id":"1","qty":1}]}}"#
    );
    for (document, given, expected) in [
        (
            "query($s: String!) { products(filter: {name: $s}) { id } }",
            "{\"s\": null}",
            "1:7 Variable `$s` must not be null.",
        ),
        (
            "query($s: String!) { products(filter: {name: $s}) { id } }",
            "{}",
            "1:7 Variable `$s` is required and missing.",
        ),
        (
            "query($n: Int!) { products(first: $n) { id } }",
            "{\"n\": \"3\"}",
            "1:7 Variable `$n` must be Int, not text.",
        ),
        (
            "query($o: Order!) { products(order: $o) { id } }",
            "{\"o\": \"PRIZE\"}",
            "1:7 Variable `$o` must be a value of Order; did you mean `PRICE`?",
        ),
        (
            "mutation($i: OrderInput!) { order(input: $i) { id } }",
            "{\"i\": {\"items\": [{\"id\": 1}, {\"id\": 2, \"qty\": null}]}}",
            "1:10 Variable `$i.items[1].qty` must not be null.",
        ),
    ] {
        assert_eq!(refused(document, given), (Cause::GraphqlVariable, vec![expected.to_owned()]), "{document}");
    }
}

#[test]
fn a_cached_operation_decides_skip_and_include_by_the_variables_of_each_request() {
    let graph = open();
    let document = "query($s: Boolean!, $i: Boolean = true) { a: any @skip(if: $s) b: any @include(if: $i) }";
    let at = |variables: &str| plan(&graph.prepare(&post(document, variables)).expect("valid"), "Query");
    assert_eq!(at(r#"{"s": true}"#), "b:any");
    assert_eq!(at(r#"{"s": false}"#), "a:any b:any");
    assert_eq!(at(r#"{"s": false, "i": false}"#), "a:any");
    assert_eq!(at(r#"{"s": true, "i": true}"#), "b:any");
}

#[test]
fn the_same_document_is_planned_once() {
    let graph = open();
    let prepared = |document: &str| graph.prepare(&post(document, "{}")).expect("valid").operation;
    assert!(Arc::ptr_eq(&prepared("{ any }"), &prepared("{ any }")));
    assert!(!Arc::ptr_eq(&prepared("{ any }"), &prepared("{ any } ")));
}

#[test]
fn two_operations_of_one_document_are_called_in_turn() {
    let graph = open();
    let document = "query A { any } mutation B { cancel(id: 1) }";
    for _ in 0..3 {
        let first = graph.prepare(&named(document, "A")).expect("valid");
        assert_eq!((plan(&first, "Query"), first.operation.name.as_deref()), ("any".to_owned(), Some("A")));
        let second = graph.prepare(&named(document, "B")).expect("valid");
        assert_eq!(plan(&second, "Mutation"), "cancel{\"id\":\"1\"}");
    }
    let (cause, problems) = shown(&graph.prepare(&named(document, "C")).expect_err("unknown"));
    assert_eq!((cause, problems.len()), (Cause::GraphqlOperation, 1));
    assert_eq!(refused(document, "{}").0, Cause::GraphqlOperation);
    assert_eq!(refused("subscription { stock(sku: 1) }", "{}").0, Cause::GraphqlOperation);
}

#[test]
fn introspection_and_ordinary_fields_stand_in_one_answer() {
    let document = "query($d: Boolean!, $t: String!) {
        product(id: 1) { id }
        t: __type(name: $t) { kind name values: enumValues(includeDeprecated: $d) { name __typename } }
        ...Roots
        __type(name: \"Nobody\") { name }
    }
    fragment Roots on Query { __schema { queryType { name } mutationType { name } } }";
    let prepared = prepare_with(document, r#"{"d": true, "t": "Order"}"#);
    let sources: Vec<FieldSource> = prepared.operation.selection.fields.iter().map(|field| field.source).collect();
    let asked = FieldSource::Introspection;
    assert_eq!(sources, [FieldSource::Schema(0), asked, asked, asked]);
    let answers: Vec<(&str, &[u8])> = prepared.introspection.iter().map(|(key, json)| (&**key, &json[..])).collect();
    let values = br#"{"kind":"ENUM","name":"Order","values":[{"name":"PRICE","__typename":"__EnumValue"},{"name":"NAME","__typename":"__EnumValue"}]}"#;
    let roots = br#"{"queryType":{"name":"Query"},"mutationType":{"name":"Mutation"}}"#;
    assert_eq!(answers, [("t", &values[..]), ("__schema", &roots[..]), ("__type", &b"null"[..])]);
}

/// What GraphiQL and code generators ask.
const FULL_INTROSPECTION: &str = "query IntrospectionQuery { __schema {
  description queryType { name kind } mutationType { name kind } subscriptionType { name kind }
  types { ...FullType } directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } }
fragment FullType on __Type { kind name description specifiedByURL isOneOf
  fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
  inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
  ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

#[test]
fn the_full_introspection_of_tools_is_answered_within_the_default_limits() {
    let prepared = prepare(FULL_INTROSPECTION);
    let answer: serde_json::Value = serde_json::from_slice(&prepared.introspection[0].1).expect("JSON");
    let types = answer["types"].as_array().expect("a list");
    let find = |name: &str| types.iter().find(|found| found["name"] == name).expect("there").clone();
    let dog = find("Dog");
    assert_eq!(dog["interfaces"][0]["name"], "Animal");
    assert_eq!(dog["fields"][1]["type"]["name"], "Human", "a narrower type than the interface's");
    assert_eq!(dog["fields"][5]["args"][0]["defaultValue"], "3");
    assert_eq!(find("Animal")["possibleTypes"].as_array().map(Vec::len), Some(3));
    assert_eq!(find("Animal")["interfaces"], serde_json::json!([]));
    assert_eq!(find("Query")["fields"][1]["type"]["ofType"]["ofType"]["ofType"]["name"], "Product");
    assert_eq!(find("One")["isOneOf"], true);
    assert_eq!(find("Filter")["inputFields"][2]["defaultValue"], "0");
    assert_eq!(find("Product")["isOneOf"], serde_json::Value::Null);
    assert!(find("__Type")["fields"].is_array() && !types.iter().any(|found| found["name"] == "__Meta"));
    let directives = answer["directives"].as_array().expect("a list");
    assert_eq!(directives[0]["locations"], serde_json::json!(["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"]));
}

#[test]
fn introspection_cannot_multiply_the_schema_by_itself() {
    let bomb = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
    let (cause, problems) = refused(bomb, "{}");
    assert_eq!((cause, problems.len()), (Cause::GraphqlLimit, 1));
}

#[test]
fn introspection_can_be_switched_off_and_then_nothing_is_suggested() {
    let closed = graph(Settings { limits: Limits::default(), introspection: Introspection::Off });
    let refused = |document: &str, variables: &str| {
        shown(&closed.prepare(&post(document, variables)).expect_err(document)).1.remove(0)
    };
    assert_eq!(
        refused("{ __schema { types { name } } }", "{}"),
        "1:3 `__schema` is not answered: introspection is switched off."
    );
    assert_eq!(
        refused("{ ...F } fragment F on Query { t: __type(name: \"A\") { name } }", "{}"),
        "1:32 `__type` is not answered: introspection is switched off."
    );
    assert_eq!(refused("{ prodct(id: 1) { id } }", "{}"), "1:3 `Query` has no field `prodct`.");
    assert_eq!(refused("{ products(order: PRIZE) { id } }", "{}"), "1:19 `order` must be a value of Order.");
    assert_eq!(
        refused("query($o: Order) { products(order: $o) { id } }", "{\"o\": \"PRIZE\"}"),
        "1:7 Variable `$o` must be a value of Order."
    );
    assert!(closed.prepare(&post("{ __typename }", "{}")).is_ok());
}

#[test]
fn depth_is_counted_through_fragments() {
    let nested = |levels: usize| {
        format!("{{ product(id: 1) {} }}", "{ related ".repeat(levels) + "{ id }" + &"}".repeat(levels))
    };
    assert!(open().prepare(&post(&nested(13), "{}")).is_ok());
    let error = "1:160 The operation is more than 15 fields deep.";
    assert_eq!(refused(&nested(14), "{}"), (Cause::GraphqlLimit, vec![error.to_owned()]));
    let mut spread = "{ product(id: 1) { ...F0 } } ".to_owned();
    for at in 0..20 {
        spread += &format!("fragment F{at} on Product {{ related {{ ...F{} }} }} ", at + 1);
    }
    spread += "fragment F20 on Product { id }";
    assert_eq!(refused(&spread, "{}").0, Cause::GraphqlLimit);
}

#[test]
fn fragments_that_double_at_every_step_are_refused_quickly() {
    let chain = |step: &dyn Fn(usize) -> String, head: &str| {
        let steps: String = (0..60).map(|at| format!("fragment F{at} on Query {{ {} }} ", step(at + 1))).collect();
        format!("{head} {steps} fragment F60 on Query {{ any }}")
    };
    let bodies: [&dyn Fn(usize) -> String; 3] = [
        &|next| format!("...F{next} ...F{next}"),
        &|next| format!("...F{next} @include(if: $a) ...F{next} @include(if: $b)"),
        &|next| format!("... @skip(if: $v{next}) {{ ...F{next} }} ... @include(if: $v{next}) {{ ...F{next} }}"),
    ];
    let variables: String = (1..=60).map(|at| format!("$v{at}: Boolean! ")).collect();
    let heads = [
        "{ ...F0 }".to_owned(),
        "query($a: Boolean!, $b: Boolean!) { ...F0 }".to_owned(),
        format!("query({variables}) {{ ...F0 }}"),
    ];
    for (body, head) in bodies.iter().zip(heads) {
        let document = chain(body, &head);
        let limits = Limits { tokens: 5_000, ..Limits::default() };
        let start = Instant::now();
        let _ = graph(Settings { limits, introspection: Introspection::On }).prepare(&post(&document, "{}"));
        assert!(start.elapsed() < Duration::from_secs(5), "{head}");
    }
    let objects: String = (0..60)
        .map(|at| {
            format!("fragment F{at} on Product {{ a: related {{ ...F{} }} b: related {{ ...F{} }} }} ", at + 1, at + 1)
        })
        .collect();
    let document = format!("{{ product(id: 1) {{ ...F0 }} }} {objects} fragment F60 on Product {{ id }}");
    let limits = Limits { aliases: 1_000, tokens: 5_000, depth: 1_000, ..Limits::default() };
    let start = Instant::now();
    let error = graph(Settings { limits, introspection: Introspection::On })
        .prepare(&post(&document, "{}"))
        .expect_err("endless");
    assert_eq!(error.cause, Cause::GraphqlLimit);
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_long_chain_of_fragments_does_not_overflow_the_stack() {
    let limits = Limits { depth: 1_000, ..Limits::default() };
    let roomy = graph(Settings { limits, introspection: Introspection::On });
    let chain = |body: &dyn Fn(usize) -> String| {
        let fragments: String =
            (0..180).map(|at| format!("fragment F{at} on Product {{ {} }} ", body(at + 1))).collect();
        format!("{{ product(id: 1) {{ ...F0 }} }} {fragments} fragment F180 on Product {{ id }}")
    };
    assert!(roomy.prepare(&post(&chain(&|next| format!("...F{next}")), "{}")).is_ok());
    assert!(roomy.prepare(&post(&chain(&|next| format!("related {{ ...F{next} }}")), "{}")).is_ok());
    let inline = "{ ... ".repeat(60) + "{ any }" + &"}".repeat(60);
    assert!(roomy.prepare(&post(&inline, "{}")).is_ok());
    assert_eq!(refused(&("{ ... ".repeat(150) + "{ any }" + &"}".repeat(150)), "{}").0, Cause::GraphqlLimit);
}

#[test]
fn values_as_deep_as_the_guard_allows_do_not_overflow_the_stack() {
    let value = "[".repeat(197) + &"]".repeat(197);
    assert!(open().prepare(&post(&format!("{{ any(value: {value}) }}"), "{}")).is_ok());
    let value = "[".repeat(196) + "$v" + &"]".repeat(196);
    assert!(open().prepare(&post(&format!("query($v: Json) {{ any(value: {value}) }}"), "{}")).is_ok());
    let types = "[".repeat(190) + "Int" + &"]".repeat(190);
    let _ = open().prepare(&post(&format!("query($v: {types} = 1) {{ any(value: $v) }}"), "{}"));
}

fn document_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => prop::sample::select(vec![
            "{", "}", "(", ")", "[", "]", ":", "$", "!", "=", "@", "...", "|", "&", " ", "\n", ",", "#", "\"", "\"\"\"", "\\",
        ]),
        4 => prop::sample::select(vec![
            "query", "mutation", "fragment", "on", "product", "products", "pets", "name", "id", "any", "value", "first", "Query",
            "Product", "Pet", "Dog", "Animal", "owner", "__typename", "__schema", "F", "a", "v", "Int", "Foo", "true", "null", "skip",
            "include", "if", "Filter", "filter", "subscription", "stock",
        ]),
        1 => prop::sample::select(vec!["1", "-0", "1.5e3", "99999999999999999999", "1e999", "é", "\u{feff}", "\u{0}", "\"x\\u00e9\""]),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_of_a_request_make_the_front_panic(body in prop::collection::vec(any::<u8>(), 0..200), query in ".{0,80}") {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        let graph = open();
        for request in [
            GraphqlRequest::read(&Method::POST, None, &headers, &Bytes::from(body)),
            GraphqlRequest::read(&Method::GET, Some(&query), &headers, &Bytes::new()),
        ].into_iter().flatten() {
            let _ = graph.prepare(&request);
        }
    }

    #[test]
    fn no_document_makes_the_front_panic(document in document_like(), variables in ".{0,20}") {
        let graph = open();
        let body = format!("{{\"query\":{},\"variables\":{{\"v\":{}}}}}", serde_json::json!(document), serde_json::json!(variables));
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        let request = GraphqlRequest::read(&Method::POST, None, &headers, &Bytes::from(body)).expect("well-formed");
        let _ = graph.prepare(&request);
    }
}

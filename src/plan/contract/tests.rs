//! Documents as operations: found by path, read with their references, whatever they refer to.

use std::sync::Arc;

use http::Method;

use super::{Contents, Contract, Documents, Found, In, Lists, Piece, segments};
use crate::base::diagnostic::Place;
use crate::base::id::FileId;
use crate::expr::Type;
use crate::plan::{OfBackend, Promises};
use crate::spec::{Reading, read_texts};

/// What the contract of the store promises.
fn store() -> OfBackend {
    Arc::new(Promises::default()).of_backend("store")
}

const STORE: &str = r##"
openapi: 3.0.3
servers: [{ url: "https://{host}/v1", variables: { host: { default: example.com } } }]
paths:
  /products:
    get:
      parameters:
        - { name: ids, in: query, style: form, explode: false, schema: { type: array, items: { type: string } } }
        - { name: limit, in: query, required: true, schema: { type: integer } }
        - $ref: "#/components/parameters/Trace"
      responses:
        "200": { content: { application/json: { schema: { $ref: "#/components/schemas/Page" } } } }
        "2XX": { description: other }
        default: { content: { application/problem+json: { schema: { $ref: "#/components/schemas/Problem" } } } }
    post:
      requestBody: { required: true, content: { "application/json": { schema: { $ref: types.yaml#/New } } } }
      responses: { "201": { description: made } }
  /products/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
    get: { responses: { "200": { content: { application/json: { schema: { $ref: types.yaml#/Product } } } } } }
  /products/new:
    get: { responses: { "204": { description: nothing } } }
components:
  parameters: { Trace: { name: X-Trace, in: header, required: true, schema: { type: string } } }
  schemas:
    Page: { type: object, required: [items], properties: { items: { type: array, items: { $ref: types.yaml#/Product } } } }
    Problem: { type: object, properties: { title: { type: string } } }
"##;
const TYPES: &str = r##"
Product: { type: object, required: [id], properties: { id: { type: integer }, parent: { $ref: "#/Product" } } }
New: { type: object, properties: { name: { type: string } } }
"##;

fn reading(store: &str) -> Reading {
    read_texts(&[("schema/store.yaml", store), ("schema/types.yaml", TYPES)], &|_| Ok(None))
}

fn place() -> Place {
    Place { file: FileId(0), bytes: 0..0 }
}

fn target(path: &str) -> Vec<super::Segment> {
    segments([Piece::Text(path.to_owned())])
}

#[test]
fn operations_are_found_by_method_and_path() {
    let reading = reading(STORE);
    let documents = Documents::of(&reading);
    let contract = Contract::read(&documents, "schema/store.yaml", (&place(), "")).expect("it is read");
    let found = |method: Method, path: &str| match contract.find(&method, &target(path)) {
        Found::Operation(at, _) => contract.operation(&documents, at, "store").name.clone(),
        Found::OtherMethods(template, methods) => format!("{template} has {methods:?}"),
        Found::Nothing(nearest) => format!("{nearest:?}"),
    };
    assert_eq!(found(Method::GET, "/v1/products"), "GET /v1/products");
    assert_eq!(found(Method::GET, "/v1/products/7"), "GET /v1/products/{id}");
    assert_eq!(found(Method::GET, "/v1/products/new"), "GET /v1/products/new");
    assert_eq!(found(Method::HEAD, "/v1/products/7"), "GET /v1/products/{id}");
    assert_eq!(found(Method::PUT, "/v1/products"), "/v1/products has [GET, POST]");
    assert_eq!(found(Method::GET, "/v1/prodcts/7"), "Some(\"/v1/products/{id}\")");
    assert_eq!(found(Method::GET, "/products"), "Some(\"/v1/products\")");
}

#[test]
fn an_operation_says_what_it_takes_and_answers() {
    let reading = reading(STORE);
    let documents = Documents::of(&reading);
    let contract = Contract::read(&documents, "schema/store.yaml", (&place(), "")).expect("it is read");
    let operation = |method: Method, path: &str| {
        let at = match contract.find(&method, &target(path)) {
            Found::Operation(at, _) => Some(at),
            _ => None,
        };
        contract.operation(&documents, at.expect(path), "store")
    };
    let list = operation(Method::GET, "/v1/products");
    let parameters: Vec<_> =
        list.parameters.iter().map(|found| (found.name.as_str(), found.stands, found.required, found.lists)).collect();
    assert_eq!(
        parameters,
        [
            ("ids", In::Query, false, Lists::Comma),
            ("limit", In::Query, true, Lists::Repeat),
            ("x-trace", In::Header, true, Lists::Repeat)
        ]
    );
    assert_eq!(list.reply_type(Some(&[200]), &store()).to_string(), "store.Page");
    assert_eq!(list.reply_type(Some(&[404]), &store()).to_string(), "store.Problem");
    assert_eq!(list.reply_type(None, &store()).to_string(), "store.Page or null");
    assert_eq!(list.contents(204), Some(Contents::Nothing));
    let page = match list.reply_type(Some(&[200]), &store()) {
        Type::Object(page) => Some(page),
        _ => None,
    };
    let page = page.expect("it is an object");
    assert_eq!(page.member("items").map(|ty| ty.to_string()).as_deref(), Some("list(store.Product)"));
    let made = operation(Method::POST, "/v1/products");
    assert!(matches!(made.body, Some((Contents::Json(_), true))));
    assert_eq!(made.reply_type(None, &store()).to_string(), "null");
    assert_eq!(operation(Method::GET, "/v1/products/7").parameters[0].name, "id");
    assert!(documents.take_diagnostics().is_empty());
}

#[test]
fn broken_documents_are_told_where_they_break() {
    for (store, message) in [
        ("swagger: '2.0'\npaths: {}\n", "this is no OpenAPI document of version 3"),
        ("openapi: 3.1.0\n", "the document has no `paths`"),
        ("openapi: 3.1.0\npaths: []\n", "`paths` is a mapping from paths to their operations"),
        ("openapi: 3.1.0\npaths: { /a: { $ref: '#/nowhere' } }\n", "`#/nowhere` leads nowhere: there is no `nowhere`"),
        ("openapi: 3.1.0\npaths: { /a: { $ref: '#/paths/~1a' } }\n", "references lead in a circle"),
        ("openapi: 3.1.0\npaths: { /a: { $ref: 'https://x.test/a.yaml' } }\n", "leads out of the project"),
        (
            "openapi: 3.1.0\npaths: { /a: { $ref: 'other.yaml' } }\n",
            "there is no file `schema/other.yaml` in the project",
        ),
    ] {
        let reading = reading(store);
        let documents = Documents::of(&reading);
        let _ = Contract::read(&documents, "schema/store.yaml", (&place(), ""));
        let said: Vec<String> = documents.take_diagnostics().into_iter().map(|mistake| mistake.message).collect();
        assert!(said.len() == 1 && said[0].contains(message), "{store}: {said:?}");
    }
}

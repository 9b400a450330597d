//! GraphQL requests: a document and its variables, parsed, validated, planned.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::{HeaderMap, Method};
use selvedge::base::value::{Doc, Held, Kind};
use selvedge::front::graphql::Graph;
use selvedge::front::graphql::request::GraphqlRequest;
use selvedge::plan::Plan;
use selvedge::plan::operation::{Planned, Problem, RequestError};

use super::Target;
use super::gateway::plan;

/// See [`run`].
pub const TARGET: Target = Target {
    name: "graphql",
    promise: "a document is planned, or refused with places in it, and the same when it comes again",
    run,
    words: &[
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ":",
        "!",
        "$v",
        "@include(if: $v)",
        "@skip(if: true)",
        "... on Item",
        "...F",
        "fragment F on Item",
        "query Q",
        "mutation M",
        "subscription S",
        "($v: Int = 1)",
        "($i: New!)",
        "item(id: \"1\")",
        "items(first: 2)",
        "search",
        "node",
        "name",
        "seller",
        "id",
        "__typename",
        "__schema",
        "__type(name: \"Item\")",
        "add(new: $i)",
        "null",
        "true",
        "RED",
        "1.5",
        "-1",
        "99999999999",
        "\"a\"",
        "\"\"\"b\"\"\"",
        "\"\\u{1F600}\"",
        "#c\n",
        ",",
        "a: ",
        "\n===\n",
        "{\"v\": 1}",
        "{\"i\": {\"name\": \"a\"}}",
    ],
    pace: 8,
};

const SCHEMA: &str = r#"
interface Node { id: ID! }
enum Color { RED GREEN }
scalar Any
type Item implements Node { id: ID! name: String price(in: Color = RED, digits: Int = 2): Float seller: Seller tags: [String!]! more(like: [Filter!]): [Item] }
type Seller implements Node { id: ID! name: String! items(first: Int): [Item!] }
union Found = Item | Seller
input Filter { name: String color: Color = GREEN not: Filter any: [Filter] min: Int = 0 }
input New @oneOf { name: String item: Filter }
type Query { item(id: ID!): Item items(first: Int = 10, filter: Filter, ids: [[ID!]!]): [Item!]! search(text: String!): [Found] node(id: ID!): Node any(v: Any): Any }
type Mutation { add(new: New!): Item drop(ids: [ID!]!): Boolean }
"#;

const COMPOSITION: &str = r#"
backends: { a: { rest: http://127.0.0.1:1 } }
graph:
  Query.item: { steps: { i: { backend: a, get: "/items/${args.id}" } }, result: "${i}" }
  Query.items: { steps: { i: { backend: a, get: /items } }, result: "${i}" }
  Query.search: { steps: { i: { backend: a, get: /search } }, result: "${i}" }
  Query.node: { steps: { i: { backend: a, get: /nodes } }, result: "${i}" }
  Query.any: { result: "${args.v}" }
  Node.__typename: ${parent.type}
  Found.__typename: ${parent.type}
  Item.price: { result: "${parent.price}" }
  Item.more: { result: [] }
  Seller.items: { steps: { i: { backend: a, get: "/sellers/${parent.id}/items" } }, result: "${i}" }
  Mutation.add: { steps: { i: { backend: a, post: /items, body: { name: "${args.new.name}" } } }, result: "${i}" }
  Mutation.drop: { steps: { i: { backend: a, delete: /items } }, result: true }
"#;

static PLAN: LazyLock<Arc<Plan>> =
    LazyLock::new(|| plan(&[("compositions/main.yaml", COMPOSITION), ("schema/schema.graphql", SCHEMA)]));

/// What stands between a document, its variables and the name of its operation.
const MARK: &str = "\n===\n";

/// A document, perhaps with variables behind it, perhaps with an operation's name behind those.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut parts = text.split(MARK);
    let document = parts.next().unwrap_or_default();
    let variables = parts.next().map_or(Ok(Held::Null), variables);
    let Some(request) = variables.ok().map(|variables| GraphqlRequest {
        method: Method::POST,
        document: document.into(),
        operation_name: parts.next().map(Into::into),
        variables,
        extensions: Held::Null,
    }) else {
        // What is no object of variables is the whole body of a request, or its query.
        let _ = GraphqlRequest::read(&Method::POST, None, &headers(), &Bytes::copy_from_slice(input));
        let _ = GraphqlRequest::read(&Method::GET, Some(&text), &headers(), &Bytes::new());
        return;
    };
    let graph = graph();
    let first = outcome(&graph, &request);
    assert_eq!(first, outcome(&graph, &request), "it is kept as something else");
    assert_eq!(first, outcome(&self::graph(), &request), "it is read as something else");
    if let Err(problems) = first {
        problems.iter().for_each(|problem| is_inside(problem, document));
    }
}

fn headers() -> HeaderMap {
    [(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"))].into_iter().collect()
}

fn variables(text: &str) -> Result<Held, ()> {
    let doc = Arc::new(Doc::parse(text.to_owned().into()).map_err(drop)?);
    match doc.root().kind() {
        Kind::Object => Ok(Held::Doc(doc, 0)),
        _ => Err(()),
    }
}

fn graph() -> Graph<Planned> {
    let plan = PLAN.clone();
    let graph = plan.graph();
    let (schema, settings) = (graph.schema.clone(), graph.settings());
    Graph::new(schema, settings, move |operation| Planned::new(plan.graph(), &plan.fields, operation))
}

/// What is wrong, and the lines and columns where.
type Refusal = (String, Vec<(u32, u32)>);

/// What is wrong, or what it came to.
fn outcome(graph: &Graph<Planned>, request: &GraphqlRequest) -> Result<String, Vec<Refusal>> {
    let prepared = graph.prepare(request).map_err(|error| refusals(&error))?;
    let variables = String::from_utf8_lossy(prepared.variables.bytes()).into_owned();
    let names: Vec<_> = prepared.introspection.iter().map(|(name, json)| (name.clone(), json.len())).collect();
    Ok(format!("{:?} {variables} {names:?} {}", prepared.operation.operation.kind, prepared.operation.groups))
}

fn refusals(error: &RequestError) -> Vec<Refusal> {
    assert!(!error.problems.is_empty(), "refused for no reason");
    let places =
        |problem: &Problem| problem.locations.iter().map(|location| (location.line, location.column)).collect();
    error.problems.iter().map(|problem| (problem.message.clone(), places(problem))).collect()
}

/// Lines end as the parser sees it: with a line feed, a carriage return, or both.
fn is_inside((message, places): &Refusal, document: &str) {
    let lines = document.matches(['\n', '\r']).count() + 1;
    for (line, column) in places {
        let inside = *line >= 1 && *line as usize <= lines && *column >= 1 && *column as usize <= document.len() + 1;
        assert!(inside, "{line}:{column} of {lines} lines: {message}");
    }
}

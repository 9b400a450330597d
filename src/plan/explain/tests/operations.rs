//! Explanations of GraphQL operations.

use super::forms::mistakes_of;
use super::{printed, texted};
use crate::plan::Plan;
use crate::plan::analysis::tests::sample::plan_with;
use crate::plan::explain::{Form, document, print};

const SCHEMA: &str = "
type Query { products(first: Int! = 10): Page!, product(id: ID!): Product }
type Mutation { buy(id: ID!): Product, pay(id: ID!): Product }
type Page { items: [Product!]!, total: Int! }
type Product { id: ID!, name: String!, price: String!, seller: Seller, related(first: Int): [Product!]!, parts: [Product!]! }
type Seller { name: String! }
";

const GRAPH: &str = "
graph:
  Query.products: { steps: { page: { backend: a, get: /products, query: { limit: '${args.first}' } } } }
  Query.product: { steps: { p: { backend: a, get: '/products/${args.id}' } } }
  Product.price: ${string(parent.cents)}
  Product.seller:
    steps:
      s: { backend: b, get: /sellers, query: { ids: '${keys}' }, batch: { key: '${parent.seller}', from: '${reply}', by: '${item.id}', max: 4 } }
  Product.related: { parallel: 4, max: 20, steps: { r: { backend: a, get: '/products/${parent.id}/related' } } }
  Mutation.buy: { steps: { b: { backend: b, post: '/buy/${args.id}' } } }
  Mutation.pay: { steps: { p: { backend: b, post: '/pay/${args.id}' } } }
";

fn plan() -> Plan {
    plan_with(GRAPH, SCHEMA)
}

/// The text of a document, once all forms were found to be well formed.
fn explained(text: &str) -> String {
    let plan = plan();
    let explained = document(&plan, plan.graph(), (text, None)).map_err(|error| format!("{error:?}"));
    let explained = [explained.expect("the document is valid")];
    let chart = print(&explained, Form::Mermaid);
    assert_eq!(mistakes_of(&chart), [""; 0], "{chart}");
    let json: serde_json::Value = serde_json::from_str(&print(&explained, Form::Json)).expect("it is JSON");
    assert_eq!(json["explanations"][0]["kind"], "operation");
    let text = print(&explained, Form::Text);
    assert_eq!(text.lines().find(|line| line.chars().count() > 100), None, "{text}");
    text
}

fn says(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn calls_are_counted_by_the_sizes_of_lists() {
    let text = explained(
        "query Page { products(first: 10) { total items { name price seller { name } related { id seller { name } } } } }",
    );
    says(
        &text,
        &[
            "query Page\n  The whole answer is due within 10s.\n",
            "  products: Query.products, once\n    page  a  5s  GET /products?limit={args.first}\n",
            "  products.items.seller: Product.seller, after products, once for all of 10 objects\n",
            "  products.items.related: Product.related, after products, for each of 10 objects, 4 at a time\n",
            "  products.items.related.seller: Product.seller, after products.items.related, once for all of 1000",
            "  products                       total\n",
            "  products.items                 name, price (string(parent.cents))\n",
            "  a                  11 calls: 1 for products + 10 for products.items.related\n",
            "  b                  253 calls: 3 for products.items.seller + 250 for products.items.related.seller\n",
            "  together           264 calls\n",
            "  one after another  5 calls: products → products.items.related → products.items.related.seller\n",
            "products.items 10 (`first: 10`), products.items.related 100 (assumed)",
        ],
    );
}

#[test]
fn no_more_parents_are_served_than_the_field_allows() {
    let text = explained("{ products(first: 50) { items { related(first: 3) { id } } } }");
    says(
        &text,
        &[
            "for each of 20 objects\n    (for 50 objects it fails), 4 at a time\n",
            "a                  21 calls: 1 for products + 20 for products.items.related",
            "products.items 50 (`first: 50`), products.items.related 3 (`first: 3`)",
        ],
    );
}

#[test]
fn what_is_not_selected_is_not_called_and_members_are_free() {
    let text = explained("{ product(id: 1) { id name } }");
    says(&text, &["a  1 call: 1 for product\n", "  product  id, name\n"]);
    assert!(!text.contains("seller") && !text.contains("one after another"), "{text}");
}

#[test]
fn variables_and_conditions_are_said() {
    let text = explained(
        "query($first: Int! = 7, $deep: Boolean!) { products(first: $first) { items { seller @include(if: $deep) { name } } } }",
    );
    says(
        &text,
        &[
            "Variables\n  $first  Int!      7 if not given\n  $deep   Boolean!  required\n",
            "once for all of 7 objects, only if $deep",
            "products.items 7 (`first: 7`)",
        ],
    );
}

#[test]
fn fields_of_a_mutation_wait_for_each_other() {
    let text = explained("mutation { buy(id: 1) { seller { name } } pay(id: 1) { id } }");
    says(
        &text,
        &[
            "those of the root one after another",
            "  pay: Mutation.pay, after buy, once\n",
            "one after another  3 calls: buy → buy.seller → pay\n",
            "write",
        ],
    );
}

#[test]
fn a_document_that_asks_for_the_schema_calls_nobody() {
    let text = explained("{ __schema { types { name } } __typename }");
    says(&text, &["Nothing is called\n  the root  __schema (answered by the gateway itself)\n"]);
    assert!(!text.contains("worst case"), "{text}");
}

#[test]
fn a_wrong_document_is_refused_with_its_place() {
    let plan = plan();
    let refused = |text: &str, name: Option<&str>| {
        let error = document(&plan, plan.graph(), (text, name)).expect_err(text);
        error.problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join("; ")
    };
    assert!(refused("{ prodct(id: 1) { id } }", None).contains("prodct"));
    assert!(!refused("query A { product(id: 1) { id } } query B { product(id: 2) { id } }", None).is_empty());
    assert!(
        document(
            &plan,
            plan.graph(),
            ("query A { product(id: 1) { id } } query B { product(id: 2) { id } }", Some("B"))
        )
        .is_ok()
    );
}

#[test]
fn an_endpoint_may_be_a_query() {
    let endpoint = "endpoints:
  GET /e/{id}:
    summary: One product
    args: { id: ID! }
    query: 'query($id: ID!) { product(id: $id) { name seller { name } } }'
";
    let plan = plan_with(&format!("{GRAPH}{endpoint}"), SCHEMA);
    let (_, chart, json) = printed(&plan);
    assert_eq!(mistakes_of(&chart), [""; 0], "{chart}");
    assert_eq!((&json["kind"], &json["answer"]["status"]), (&"operation".into(), &"200".into()));
    assert_eq!(json["fields"][1]["path"], "product.seller");
    says(
        &texted(&plan),
        &[
            "GET /e/{id}\n  One product\n  Answers 200 within 10s.\n\nArguments\n  id  ID!  from the path\n",
            "  product: Query.product, once\n",
            "  product.seller: Product.seller, after product, once\n",
            "  product         name\n",
            "  one after another  2 calls: product → product.seller\n",
        ],
    );
}

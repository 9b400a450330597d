//! What `selvedge explain` prints for the demo store. `UPDATE=1` rewrites the files of `tests/explain/`.

use std::collections::HashMap;
use std::path::Path;

use libtest_mimic::{Failed, Trial};
use selvedge::plan::Plan;
use selvedge::plan::explain::{self, Explained, Form};
use selvedge::server::load;

use crate::claim::{claims, repository};

claims![nothing_is_wider_than_100_columns];

/// The files, and what each explains.
const SNAPSHOTS: &[(&str, &str)] = &[
    ("product-page", "GET /v1/products/{id}/page"),
    ("compare", "GET /v1/compare"),
    ("cart", "GET /v1/customers/{id}/cart"),
    ("checkout", "POST /v1/checkout"),
    ("assets", "GET /assets/{*rest}"),
    ("query-product-page", "Query.productPage"),
    ("product-seller", "Product.seller"),
    ("mutation-place-order", "Mutation.placeOrder"),
];

/// The files that explain a document, with its text.
const DOCUMENTS: &[(&str, &str)] = &[
    (
        "document-list",
        "query List($first: Int! = 20) { products(first: $first) { total items { name priceText image seller { name badge } \
         rating { average } stock { available } } } }",
    ),
    (
        "document-product",
        "query Product($id: ID!, $reviews: Boolean!) { product(id: $id) { name price(currency: USD) { text } \
         category { name parent { name } } related(first: 4) { name seller { name } } \
         reviews(first: 3) @include(if: $reviews) { total items { stars author { name } } } } }",
    ),
    (
        "document-order",
        "mutation Order($customer: ID!, $number: String!) { setCartLine(customer: $customer, sku: \"GAR-0893\", quantity: 2) \
         { pieces lines { quantity product { name } } } placeOrder(customer: $customer, card: { number: $number }) \
         { order { id total { text } customer { name } } message } }",
    ),
];

/// A trial for each file.
pub(crate) fn snapshots() -> Vec<Trial> {
    let snapshot = |(file, what): &(&'static str, &'static str)| {
        let (file, what) = (*file, *what);
        Trial::test(format!("explain::{file}"), move || is_as_filed(file, named(&store()?, what)?))
    };
    let documents = DOCUMENTS.iter().map(|(file, text)| {
        let (file, text) = (*file, *text);
        Trial::test(format!("explain::{file}"), move || {
            let plan = store()?;
            let explained = explain::document(&plan, plan.graph(), (text, None));
            is_as_filed(file, explained.map_err(|error| format!("{error:?}"))?)
        })
    });
    SNAPSHOTS.iter().map(snapshot).chain(documents).collect()
}

fn named(plan: &Plan, what: &str) -> Result<Explained, String> {
    let explained = all(plan).into_iter().find(|found| found.head().name == what);
    explained.ok_or_else(|| format!("the store has no {what}"))
}

fn is_as_filed(file: &str, explained: Explained) -> Result<(), Failed> {
    let text = explain::print(&[explained], Form::Text);
    let path = repository("tests/explain").join(format!("{file}.txt"));
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        std::fs::write(&path, &text).map_err(|error| error.to_string())?;
    }
    let filed = std::fs::read_to_string(&path).unwrap_or_default();
    if text != filed {
        return Err(different(&path, &filed, &text).into());
    }
    Ok(())
}

/// The first line that is not as filed.
fn different(path: &Path, filed: &str, text: &str) -> String {
    let lines = filed.lines().chain(std::iter::repeat("(no line)")).zip(text.lines().chain(["(no line)"]));
    let found = (1..).zip(lines).find(|(_, (filed, found))| filed != found);
    let (line, (filed, found)) = found.unwrap_or((0, ("", "")));
    format!("{}:{line}\nfiled: {filed}\nfound: {found}\nUPDATE=1 rewrites the file", path.display())
}

/// Every endpoint and every field, explained.
fn all(plan: &Plan) -> Vec<Explained> {
    let endpoints = plan.endpoints.iter().map(|endpoint| explain::endpoint(plan, endpoint));
    endpoints.chain(plan.fields.iter().map(|field| explain::field(plan, field))).collect()
}

fn store() -> Result<Plan, String> {
    let loaded = load(&repository("."), &HashMap::new());
    let said = loaded.render();
    loaded.plan.ok_or(said)
}

fn nothing_is_wider_than_100_columns() -> Result<(), String> {
    let plan = store()?;
    let texts: Vec<String> = all(&plan).into_iter().map(|found| explain::print(&[found], Form::Text)).collect();
    assert!(texts.len() > 40, "the store has {} endpoints and fields", texts.len());
    let wide = texts.iter().flat_map(|text| text.lines()).find(|line| line.chars().count() > 100);
    assert_eq!(wide, None);
    Ok(())
}

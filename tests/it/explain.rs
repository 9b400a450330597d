//! What `selvedge explain` prints for the demo store. `UPDATE=1` rewrites the files of `tests/explain/`.

use std::collections::HashMap;
use std::path::Path;

use libtest_mimic::{Failed, Trial};
use selvedge::plan::{Plan, explain_endpoint, explain_field};
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

/// A trial for each file.
pub(crate) fn snapshots() -> Vec<Trial> {
    let snapshot = |(file, what): &(&'static str, &'static str)| {
        let (file, what) = (*file, *what);
        Trial::test(format!("explain::{file}"), move || is_as_filed(file, what))
    };
    SNAPSHOTS.iter().map(snapshot).collect()
}

fn is_as_filed(file: &str, what: &str) -> Result<(), Failed> {
    let plan = store()?;
    let endpoint = plan.endpoints.iter().find(|endpoint| &*endpoint.name == what);
    let field = plan.fields.iter().find(|field| &*field.name == what);
    let text = endpoint
        .map(|endpoint| explain_endpoint(&plan, endpoint))
        .or_else(|| field.map(|field| explain_field(&plan, field)))
        .ok_or_else(|| format!("the store has no {what}"))?;
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

fn store() -> Result<Plan, String> {
    let loaded = load(&repository("."), &HashMap::new());
    let said = loaded.render();
    loaded.plan.ok_or(said)
}

fn nothing_is_wider_than_100_columns() -> Result<(), String> {
    let plan = store()?;
    let endpoints = plan.endpoints.iter().map(|endpoint| explain_endpoint(&plan, endpoint));
    let fields = plan.fields.iter().map(|field| explain_field(&plan, field));
    let texts: Vec<String> = endpoints.chain(fields).collect();
    assert!(texts.len() > 40, "the store has {} endpoints and fields", texts.len());
    let wide = texts.iter().flat_map(|text| text.lines()).find(|line| line.chars().count() > 100);
    assert_eq!(wide, None);
    Ok(())
}

//! The demo store keeps the contract that its catalog is held to.

use std::collections::HashSet;
use std::process::Command;

use http::Method;
use selvedge::base::diagnostic::Place;
use selvedge::base::id::FileId;
use selvedge::base::value::{Doc, Held};
use selvedge::demo::{self, Backend};
use selvedge::plan::contract::schema::validate;
use selvedge::plan::contract::{Contents, Contract, Documents, Found, Piece, segments};
use selvedge::spec::read_texts;

use crate::claim::{claims, run};

claims![the_catalog_answers_as_its_contract_says,];

const FILE: &str = "schema/catalog.openapi.yaml";

/// Requests of every operation, with those that are refused.
const TARGETS: [&str; 14] = [
    "/products?sort=cheapest&limit=3",
    "/products?limit=none",
    "/products/p1",
    "/products/p13",
    "/products/nope",
    "/products/p1/related?limit=2",
    "/sellers?ids=s1,s2",
    "/sellers/s1",
    "/sellers/nope",
    "/categories",
    "/categories/tea",
    "/prices?sku=GAR-0001&sku=nope&currency=USD",
    "/search?q=willow",
    "/search",
];

fn the_catalog_answers_as_its_contract_says() -> Result<(), String> {
    run(answers())
}

async fn answers() -> Result<(), String> {
    let reading = read_texts(demo::PROJECT, &|_| Ok(None));
    let documents = Documents::of(&reading);
    let place = Place { file: FileId(0), bytes: 0..0 };
    let contract = Contract::read(&documents, FILE, (&place, "")).ok_or("the contract is not read")?;
    let backends = demo::start(demo::Options { ports: [0; 4], ..demo::Options::default() }).await;
    let backends = backends.map_err(|error| error.to_string())?;
    let address = backends.address(Backend::Catalog);
    let mut asked = HashSet::new();
    for target in TARGETS {
        let (body, status) = get(&format!("http://{address}{target}"))?;
        let path = segments([Piece::Text(target.split('?').next().unwrap_or_default().to_owned())]);
        let Found::Operation(at, _) = contract.find(&Method::GET, &path) else {
            return Err(format!("the contract has no {target}"));
        };
        let operation = contract.operation(&documents, at, "catalog");
        let Some(Contents::Json(schema)) = operation.contents(status) else {
            return Err(format!("the contract does not say what {target} answers with {status}"));
        };
        let doc = Held::whole(Doc::parse(body.into()).map_err(|error| error.to_string())?);
        let violations = validate(&operation.schemas, schema, &doc.value());
        assert!(violations.is_empty(), "{target} ({status}): {violations:?}");
        asked.insert(operation.name.clone());
    }
    assert_eq!(asked.len(), contract.templates().len(), "{asked:?}");
    assert!(documents.take_diagnostics().is_empty());
    Ok(())
}

/// The body and the status of a request.
fn get(url: &str) -> Result<(Vec<u8>, u16), String> {
    let output = Command::new("curl").args(["-s", "-w", "%{stderr}%{http_code}", url]).output();
    let output = output.map_err(|error| error.to_string())?;
    let status = String::from_utf8_lossy(&output.stderr).trim().parse().map_err(|_| format!("no answer from {url}"))?;
    Ok((output.stdout, status))
}

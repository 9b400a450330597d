//! Failures in the graph, and documents that ask too much.

use std::time::Duration;

use serde_json::{Value, json};

use crate::case::{Bar, Case, row};
use crate::link::Way;
use crate::load::{Ask, Load};
use crate::scene::Scene;

pub(super) const ROWS: &[Case] = &[
    row!(42, "GraphQL: A is down", a_down),
    row!(43, "GraphQL: C is down", c_down),
    row!(44, "GraphQL: documents that ask too much", too_much),
];

/// The media type whose statuses say whether there is an answer.
const TYPED: &str = "application/graphql-response+json";

const ALL: &str = "{ a { value } b c { value } }";

async fn a_down(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.a.link.set(|line| line.way = Way::Refused);
    let load = Load { ask: Ask::graphql(ALL), rate: 50, clients: 8 };
    let answers = scene.load(&load, Duration::from_secs(2)).await;
    let bubbled = |answer: &crate::load::Answer| {
        let body: Value = serde_json::from_str(&answer.text()).unwrap_or_default();
        let errors = body["errors"].as_array().map_or(0, Vec::len);
        body.get("data") == Some(&Value::Null) && errors == 1 && body["errors"][0]["path"] == json!(["a"])
    };
    let typed = scene.ask(&Ask::graphql(ALL).with("accept", TYPED)).await;
    let unread = scene.ask(&Ask::graphql("{ nope }").with("accept", TYPED)).await;
    Ok(vec![
        answers.all("data is null, one error at [a]", bubbled),
        answers.all("200 as application/json", |answer| answer.status() == Some(200)),
        // Only an answer without `data` has a status of its own there (GraphQL over HTTP, section 6.4.2).
        Bar::equal("200 as application/graphql-response+json", typed.status().unwrap_or(0), 200),
        Bar::equal("  and 400 of what does not fit the schema", unread.status().unwrap_or(0), 400),
    ])
}

async fn c_down(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.c.link.set(|line| line.way = Way::Refused);
    let load = Load { ask: Ask::graphql(ALL), rate: 50, clients: 8 };
    let answers = scene.load(&load, Duration::from_secs(2)).await;
    let partial = |answer: &crate::load::Answer| {
        let text = answer.text();
        text.starts_with(r#"{"data":{"a":{"value":"a"},"b":7,"c":null},"errors":[{"#)
            && text.contains(r#""path":["c"]"#)
            && text.contains(r#""code":"connect_failed""#)
    };
    Ok(vec![answers.all("c is null, and why; the rest as ever", partial)])
}

/// What a document that is refused may take of a processor.
const PROCESSOR: Duration = Duration::from_millis(20);

async fn too_much(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let levels = format!("{{a{}{{value}}{}}}", "{a".repeat(10_000), "}".repeat(10_000));
    let aliases: Vec<String> = (0..50_000).map(|number| format!("x{number}: b")).collect();
    let long = format!("{{ b }} # {}", "x".repeat((1 << 20) - 64));
    // What a worker does for a document, others wait for, and longer where it shares its processor.
    scene.holds = PROCESSOR * 5;
    let calls = || scene.a.record.count() + scene.b.record.count() + scene.c.record.count();
    let from = calls();
    let mut bars = Vec::new();
    let documents =
        [("10,000 levels", levels), ("50,000 aliases", format!("{{ {} }}", aliases.join(" "))), ("1 MiB", long)];
    for (what, document) in documents {
        const TIMES: u32 = 10;
        let processor = || scene.gateway.held().unwrap_or_default().processor;
        let before = processor();
        let ask = Ask::graphql(&document).with("accept", TYPED);
        let mut refused = 0;
        for _ in 0..TIMES {
            refused += u32::from(matches!(scene.ask(&ask).await.status(), Some(400 | 413)));
        }
        bars.push(Bar::equal(what, refused, TIMES));
        // The clients of `/ctl` ask meanwhile, and a build without optimisation is many times slower.
        bars.push(Bar::within("  processor for each", (processor() - before) / TIMES, PROCESSOR));
    }
    bars.push(Bar::equal("calls of backends", calls() - from, 0));
    Ok(bars)
}

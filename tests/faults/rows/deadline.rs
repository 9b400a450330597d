//! How much time is left, from clients and for backends.

use std::time::Duration;

use crate::backend::rest::Reply;
use crate::case::{Bar, Case, row};
use crate::fixture::{Layer, TRY};
use crate::load::{Ask, Load};
use crate::scene::Scene;

pub(super) const ROWS: &[Case] = &[
    row!(29, "clients that give 1 ms", hurried, wants: &[Layer::Breaker]),
    row!(41, "the time that is left travels", travels),
];

/// The time that a client gives its request.
const FIELD: &str = "x-request-timeout-ms";

/// What is said of a gateway that does not look at [`FIELD`].
const UNHEEDED: &str = "`X-Request-Timeout-Ms: 1` changes nothing";

/// Whether a request ends when its client's time is over.
async fn heeds(scene: &Scene) -> bool {
    scene.a.play(|_| Reply::json(200, r#"{"value":"a"}"#).after(TRY / 2));
    let answer = scene.ask(&Ask::get("/agg").with(FIELD, "1")).await;
    answer.status() == Some(504)
}

async fn hurried(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    if !heeds(scene).await {
        return Ok(vec![Bar::not_yet(("504, and no breaker opens", "1,000 requests"), UNHEEDED)]);
    }
    let load = Load { ask: Ask::get("/agg").with(FIELD, "1"), rate: 400, clients: 8 };
    let answers = scene.load(&load, Duration::from_millis(2_500)).await;
    scene.a.heal();
    let after = scene.ask(&Ask::get("/agg")).await;
    Ok(vec![
        answers.all("504", |answer| answer.status() == Some(504)),
        Bar::equal("the next answer: the breaker is closed", after.status().unwrap_or(0), 200),
    ])
}

async fn travels(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let from = scene.b.record.count();
    scene.agg(Duration::from_secs(1)).await;
    let told = scene.b.record.since(from);
    let left = |call: &crate::backend::Call| {
        let field = call.headers.iter().find(|(name, _)| name == "grpc-timeout")?;
        milliseconds(&field.1)
    };
    let honest = told.iter().filter(|call| left(call).is_some_and(|left| left > 0 && left <= TRY.as_millis())).count();
    let mut bars = vec![Bar::equal("grpc-timeout of B: above 0, at most t", honest, told.len())];
    let bar = ("with 200 ms from the client", "at most 200 ms");
    if !heeds(scene).await {
        bars.push(Bar::not_yet(bar, UNHEEDED));
        return Ok(bars);
    }
    scene.a.heal();
    let from = scene.b.record.count();
    scene.ask(&Ask::get("/agg").with(FIELD, "200")).await;
    let left = scene.b.record.since(from).first().and_then(left);
    bars.push(Bar::holds(bar, format!("{left:?}"), left.is_some_and(|left| left > 0 && left <= 200)));
    Ok(bars)
}

/// A `grpc-timeout` in milliseconds.
fn milliseconds(field: &str) -> Option<u128> {
    let (digits, unit) = field.split_at_checked(field.len().checked_sub(1)?)?;
    let count: u128 = digits.parse().ok()?;
    let nanoseconds = match unit {
        "H" => 3_600_000_000_000,
        "M" => 60_000_000_000,
        "S" => 1_000_000_000,
        "m" => 1_000_000,
        "u" => 1_000,
        "n" => 1,
        _ => return None,
    };
    Some(count * nanoseconds / 1_000_000)
}

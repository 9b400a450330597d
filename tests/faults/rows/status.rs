//! Replies that say in a clean way that something is wrong, and late ones.

use std::time::Duration;

use crate::backend::rest::Reply;
use crate::case::{Bar, Case, row};
use crate::fixture::{ENDPOINT, Layer, OPEN, TRY};
use crate::load::{Ask, Load};
use crate::scene::Scene;

pub(super) const ROWS: &[Case] = &[
    row!(15, "A answers 500 always", always_500, wants: &[Layer::Retry, Layer::Breaker]),
    row!(16, "A answers 500 to one in ten", sometimes_500, needs: &[Layer::Retry], wants: &[Layer::Breaker]),
    row!(17, "A answers 404, 401 and 400", client_errors, wants: &[Layer::Retry, Layer::Breaker]),
    row!(18, "A answers 429 with Retry-After", rate_limited, needs: &[Layer::Retry]),
    row!(19, "A is slow and in time", slow, wants: &[Layer::Retry, Layer::Breaker]),
];

async fn always_500(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let fault = Duration::from_secs(4);
    scene.a.play(|_| Reply::json(500, r#"{"error":"broken"}"#));
    let from = scene.a.record.count();
    let answers = scene.agg(fault).await;
    let calls = scene.a.record.count() - from;
    let asked = answers.count() as u64;
    let opened = ("calls of A while open, of 4 s", "≤ 20 until open, then 2 an opening");
    let probes = (fault.as_secs() / OPEN.as_secs() + 1) * 2;
    Ok(vec![
        answers.all("502, or 503 while open", |answer| matches!(answer.status(), Some(502 | 503))),
        Bar::at_most("calls of A", calls, asked * 6 / 5 + 10 * fault.as_secs()),
        scene.with(Layer::Breaker, opened, || Bar::at_most(opened.0, calls, 20 + 32 + probes)),
    ])
}

async fn sometimes_500(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.a.play(|call| match call.number % 10 {
        0 => Reply::json(500, r#"{"error":"broken"}"#),
        _ => Reply::json(200, r#"{"value":"a"}"#),
    });
    let answers = scene.agg(Duration::from_secs(4)).await;
    let failed = answers.count() - answers.with_status(200);
    Ok(vec![
        Bar::at_most("failures in a thousand", failed * 1_000 / answers.count().max(1), 15),
        Bar::equal("answers of 503: the breaker stays closed", answers.with_status(503), 0),
    ])
}

async fn client_errors(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.a.play(|call| Reply::json([404, 401, 400][(call.number % 3) as usize], r#"{"error":"no"}"#));
    let from = scene.a.record.count();
    let load = Load { ask: Ask::get("/agg"), rate: 400, clients: 16 };
    let answers = scene.load(&load, Duration::from_secs(3)).await;
    let calls = scene.a.record.count() - from;
    Ok(vec![
        // The language maps no status by itself: what a composition does not say is 502.
        answers.all("502 backend_status", |answer| answer.code() == "backend_status"),
        Bar::equal("calls of A: none twice, none kept back", calls, answers.count() as u64),
    ])
}

async fn rate_limited(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.a.play(|_| Reply::of(429, "content-type: application/json\r\nretry-after: 2\r\n", b"{}"));
    let from = scene.a.record.count();
    let answers = scene.agg(Duration::from_millis(1_500)).await;
    let calls = scene.a.record.count() - from;
    Ok(vec![
        Bar::at_most("calls of A: none again within 2 s", calls, answers.count() as u64),
        answers.all("429, 502 or 503", |answer| matches!(answer.status(), Some(429 | 502 | 503))),
    ])
}

async fn slow(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    // On a busy machine what is left of t is not enough for a reply: half of it is.
    scene.a.link.set(|line| {
        line.delay = TRY / 2;
        line.jitter = TRY / 10;
        line.slice = Some(7);
    });
    let answers = scene.agg(Duration::from_secs(3)).await;
    Ok(vec![
        answers.all("200", |answer| answer.status() == Some(200)).timed(),
        Bar::within("answer p99", answers.p99(), ENDPOINT),
    ])
}

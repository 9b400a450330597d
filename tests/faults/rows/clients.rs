//! Clients that leave, and connections to backends that close between calls.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::backend::rest::Reply;
use crate::case::{Bar, Case, row};
use crate::fixture::{Layer, TRY, WHOLE};
use crate::gateway::until;
use crate::http1::Connection;
use crate::load::{Answers, Ask, Load, percentile};
use crate::scene::Scene;

pub(super) const ROWS: &[Case] = &[
    row!(28, "clients leave after 50 ms, A takes 200 ms", leave, wants: &[Layer::Breaker]),
    row!(30, "A closes connections that rest", closes_idle),
    row!(31, "A closes a used connection after reading a GET", closes_used, wants: &[Layer::Retry]),
    row!(32, "E closes a used connection after reading a POST", closes_used_write, wants: &[Layer::Retry]),
];

/// When they leave.
const STAY: Duration = Duration::from_millis(50);

async fn leave(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    const CLIENTS: u64 = 300;
    scene.a.play(|_| Reply::json(200, r#"{"value":"a"}"#).after(TRY * 2 / 3));
    let (from, log) = (scene.a.record.count(), scene.gateway.log.clone());
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let to = scene.gateway.clients;
        clients.spawn(async move {
            sleep(Duration::from_millis(10 * number)).await;
            let mut client = Connection::open(to).await?;
            client.send(&Ask::get("/agg").bytes()).await?;
            sleep(STAY).await;
            std::io::Result::Ok(())
        });
    }
    let asked = clients.join_all().await.iter().filter(|asked| asked.is_ok()).count() as u64;
    let record = scene.a.record.clone();
    until(Duration::from_secs(5), || log.left() >= asked && record.since(from).iter().all(|call| call.left.is_some()))
        .await;
    let calls = record.since(from);
    let took = |call: &crate::backend::Call| call.left.map_or(Duration::MAX, |left| left - call.at);
    let seen = percentile(calls.iter().map(took), 99).saturating_sub(STAY);
    // One that has gone before its head is read is no request.
    let left = scene.gateway.log.left();
    scene.tally.left("/agg", left);
    scene.a.heal();
    let after = scene.ask(&Ask::get("/agg")).await;
    Ok(vec![
        Bar::within("seen by A after they left, p99", seen, Duration::from_millis(100)),
        Bar::equal("499 in the access log", left, asked).timed(),
        Bar::equal("the next answer: the breaker is closed", after.status().unwrap_or(0), 200),
    ])
}

async fn closes_idle(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    const REST: Duration = Duration::from_millis(100);
    let ask = Ask::get("/agg");
    // What so many requests at once take of the workers, others wait for.
    scene.holds = scene.control.request * 20;
    scene.a.play(|_| Reply::json(200, r#"{"value":"a"}"#).resting(REST));
    let mut all = Vec::new();
    for cycle in 0..30 {
        // All at once, so that so many connections rest; from 80 ms to 119 ms.
        let answers = futures_util::future::join_all((0..20).map(|_| scene.ask(&ask))).await;
        all.extend(answers);
        sleep(Duration::from_millis(80 + cycle * 7 % 40)).await;
    }
    Ok(vec![Answers(all).all("whole answers, at 80 to 119 ms of rest", |answer| answer.text() == WHOLE)])
}

async fn closes_used(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.a.play(|call| match call.on_connection % 10 {
        9 => Reply::bytes(""),
        _ => Reply::json(200, r#"{"value":"a"}"#),
    });
    let from = scene.a.record.count();
    let answers = scene.agg(Duration::from_secs(3)).await;
    let calls = scene.a.record.count() - from;
    Ok(vec![
        answers.all("whole answers", |answer| answer.text() == WHOLE),
        Bar::holds(("calls of A", "some twice"), calls, calls > answers.count() as u64),
    ])
}

async fn closes_used_write(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.e.play(|call| match call.on_connection {
        0 => Reply::json(201, r#"{"done":true}"#),
        _ => Reply::bytes(""),
    });
    let from = scene.e.record.count();
    let load = Load { ask: Ask::post("/w", "{}".to_owned()), rate: 200, clients: 8 };
    let answers = scene.load(&load, Duration::from_secs(3)).await;
    let calls = scene.e.record.count() - from;
    Ok(vec![
        answers.all("201 or 200 or 502", |answer| matches!(answer.status(), Some(200 | 201 | 502))),
        Bar::equal("calls of E: each order once", calls, answers.count() as u64),
    ])
}

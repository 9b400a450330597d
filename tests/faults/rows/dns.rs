//! Name servers that fail, change their mind, or know nothing.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::backend::rest::{self, Reply};
use crate::case::{Bar, Case, row};
use crate::fixture::Layer;
use crate::gateway::until;
use crate::load::Ask;
use crate::name_server::Said;
use crate::scene::{Scene, Setting, says_where};

pub(super) const ROWS: &[Case] = &[
    row!(74, "DNS fails after it has worked", fails, needs: &[Layer::Names], setting: || by_name("a.internal")),
    row!(75, "DNS gives another address", moves, needs: &[Layer::Discover]),
    row!(76, "A's name does not resolve at start", comes_late, needs: &[Layer::Names], ends: true, setting: || by_name("late.internal")),
];

/// How long the kit's records hold.
const TTL: Duration = Duration::from_secs(1);

fn by_name(name: &str) -> Setting {
    Setting { instead_of_a: Some(format!("http://{name}:PORT")), ..Setting::default() }
}

async fn fails(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    // Each call takes a connection, and so asks where A is.
    let closing = "content-type: application/json\r\nconnection: close\r\n";
    scene.a.play(move |_| Reply::of(200, closing, br#"{"value":"a"}"#));
    scene.agg(TTL).await;
    let before = scene.gateway.held().unwrap_or_default().threads;
    let mut bars = Vec::new();
    for (what, said) in [
        ("200 while the name is gone", Said::NoSuchName),
        ("200 while the servers fail", Said::Failure),
        ("200 while they do not answer", Said::Silence),
    ] {
        scene.names.play(says_where("a.internal", [127, 0, 0, 1]));
        scene.agg(TTL * 2).await;
        scene.names.play(move |_, _| said.clone());
        let answers = scene.agg(TTL * 3).await;
        bars.push(answers.all(what, |answer| answer.status() == Some(200)));
    }
    let threads = scene.gateway.held().unwrap_or_default().threads;
    bars.push(Bar::at_most("threads", threads, before));
    scene.names.play(says_where("a.internal", [127, 0, 0, 1]));
    Ok(bars)
}

async fn moves(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let there = SocketAddr::new([127, 0, 0, 2].into(), scene.a.address().port());
    let second =
        rest::start_at(there, |_| Reply::json(200, r#"{"value":"a"}"#)).await.map_err(|error| error.to_string())?;
    scene.more_of_a.push(second);
    scene.agg(TTL).await;
    scene.names.play(says_where("a.internal", [127, 0, 0, 2]));
    let (changed, from) = (Instant::now(), scene.a.record.count());
    let answers = scene.agg(TTL * 4).await;
    let last =
        scene.a.record.since(from).last().map_or(Duration::ZERO, |call| call.at.saturating_duration_since(changed));
    let moved = scene.more_of_a.last().map_or(0, |second| second.record.count());
    let retired = until(Duration::from_secs(5), || scene.a.record.connections() == 0).await;
    Ok(vec![
        answers.all("200 all the while", |answer| answer.status() == Some(200)),
        Bar::within("the address before got its last call after", last, TTL + Duration::from_secs(5)),
        Bar::holds(("calls of the other", "≥ half of the requests"), moved, moved * 2 >= answers.count() as u64),
        Bar::holds(("connections to the address before", "0 within 5 s"), retired.is_some(), retired.is_some()),
    ])
}

async fn comes_late(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let watch = scene.watch();
    let answers = scene.agg(Duration::from_secs(2)).await;
    let failed = watch.end().await.failed;
    let ready = scene.gateway.ready().await.unwrap_or(0);
    let graph = scene.ask(&Ask::graphql("{ b }")).await;
    scene.names.play(says_where("late.internal", [127, 0, 0, 1]));
    let recovered = scene.heal().await;
    Ok(vec![
        Bar::equal("readiness", ready, 200),
        answers.all("502, or 504, of /agg", |answer| matches!(answer.status(), Some(502 | 504))),
        Bar::equal("failures of /ctl", failed, 0),
        Bar::equal("what does not need A", graph.text(), r#"{"data":{"b":7}}"#.to_owned()),
        Bar::within("whole once the name is there, after", recovered.unwrap_or(Duration::MAX), Duration::from_secs(2)),
    ])
}

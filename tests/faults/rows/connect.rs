//! Connections that cannot be had.

use std::time::Duration;

use crate::case::{Bar, Case, row};
use crate::fixture::{ENDPOINT, Layer, OPEN, TRY};
use crate::gateway::connections_to;
use crate::link::Way;
use crate::scene::{AGG, Scene};

pub(super) const ROWS: &[Case] = &[
    row!(1, "A refuses connections", a_refuses, wants: &[Layer::Breaker]),
    row!(2, "B refuses connections", b_refuses),
    row!(3, "A's connections are never answered", blackhole, wants: &[Layer::Retry, Layer::Breaker]),
];

const FAULT: Duration = Duration::from_secs(3);

async fn a_refuses(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.a.link.set(|line| line.way = Way::Refused);
    let answers = scene.agg(FAULT).await;
    let after_opening = answers.0.iter().skip(20 + AGG as usize / 10);
    let opened = ("open after 20 samples, or 5 in a row", "503 with Retry-After");
    let open = move || {
        let after: Vec<_> = after_opening.collect();
        let told =
            after.iter().filter(|answer| answer.status() == Some(503) && !answer.header("retry-after").is_empty());
        let (told, probes) = (told.count(), after.len());
        let most = FAULT.as_secs() / OPEN.as_secs() + 2;
        Bar::at_most(opened.0, (probes - told) as u64, most)
    };
    Ok(vec![
        answers.all("502, or 503 while open", |answer| matches!(answer.status(), Some(502 | 503))),
        Bar::within("answer p99", answers.p99(), Duration::from_millis(50)),
        scene.with(Layer::Breaker, opened, open),
    ])
}

async fn b_refuses(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.b.link.set(|line| line.way = Way::Refused);
    let answers = scene.agg(FAULT).await;
    let partial = |answer: &crate::load::Answer| {
        answer.text() == r#"{"a":"a","b":0,"c":"c"}"# && answer.header("selvedge-partial").starts_with("b;code=")
    };
    Ok(vec![
        answers.all("200 with B's default, and says so", partial),
        Bar::within("answer p99", answers.p99(), scene.control.agg + Duration::from_millis(50)),
    ])
}

async fn blackhole(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.a.link.set(|line| line.way = Way::Blackhole);
    let place = scene.a.address();
    let mut waiting = 0;
    let answers = {
        let load = scene.agg(FAULT);
        tokio::pin!(load);
        loop {
            tokio::select! {
                answers = &mut load => break answers,
                () = tokio::time::sleep(Duration::from_millis(50)) => waiting = waiting.max(connections_to(place).1),
            }
        }
    };
    let tries = if scene.has(Layer::Retry) { 2 } else { 1 };
    let bar = (TRY * tries + Duration::from_millis(25)).min(ENDPOINT) + Duration::from_millis(50);
    Ok(vec![
        answers.all("504, or 503 while open", |answer| matches!(answer.status(), Some(502..=504))),
        Bar::within("answer p99", answers.p99(), bar),
        Bar::at_most("connections that wait to be answered", waiting, 50),
    ])
}

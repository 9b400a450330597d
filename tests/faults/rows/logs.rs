//! Logs that nobody takes.

use std::time::Duration;

use crate::case::{Bar, Case, row, time};
use crate::fixture::{Layer, WHOLE};
use crate::gateway::{LogTo, Start, until};
use crate::scene::{Scene, Setting};

pub(super) const ROWS: &[Case] = &[
    row!(67, "the disk of the log is full", full, setting: || to(LogTo::FullDisk)),
    row!(68, "nobody reads the log", unread, setting: || to(LogTo::Nobody)),
    row!(69, "the collector of traces hangs", unseen, needs: &[Layer::Telemetry]),
];

fn to(log: LogTo) -> Setting {
    Setting { start: Start { log, ..Start::default() }, ..Setting::default() }
}

/// A disk that stays full: what was lost is told nowhere.
async fn full(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.tally.asks_beyond();
    unlogged(scene).await
}

async fn unread(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let mut bars = unlogged(scene).await?;
    let log = scene.gateway.log.clone();
    let asked = scene.tally.asked(|_| true);
    log.resume();
    let all = || log.access() + log.lost() >= asked;
    until(Duration::from_secs(2), all).await;
    bars.push(Bar::holds(
        ("lines that came once it was read", "all, or said to be lost"),
        log.access() + log.lost(),
        all(),
    ));
    Ok(bars)
}

async fn unlogged(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    // More lines than any pipe holds.
    let (answers, control) = scene.agg_of_both(Duration::from_secs(4)).await;
    let mut slow = Bar::within("answer p99", answers.p99(), control.p99() * 6 / 5 + Duration::from_millis(5));
    slow.bar = format!("{} (control {})", slow.bar, time(control.p99()));
    Ok(vec![answers.all("whole answers", |answer| answer.text() == WHOLE), slow])
}

async fn unseen(_: &mut Scene) -> Result<Vec<Bar>, String> {
    Ok(vec![Bar::not_yet(("everything", ""), "the kit has no collector")])
}

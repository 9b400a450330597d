//! A breaker that is half open.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::backend::rest::Reply;
use crate::case::{Bar, Case, row};
use crate::fixture::{Layer, OPEN, TRY};
use crate::http1::Connection;
use crate::load::Ask;
use crate::scene::Scene;

pub(super) const ROWS: &[Case] = &[
    row!(25, "the client of the probe leaves", abandoned, needs: &[Layer::Breaker]),
    row!(26, "the probe hangs", hanging, needs: &[Layer::Breaker]),
];

/// Lets the breaker of A open, and waits until it lets a probe through.
async fn half_open(scene: &Scene) -> Result<(), String> {
    scene.a.play(|_| Reply::json(500, "{}"));
    for _ in 0..40 {
        if scene.ask(&Ask::get("/agg")).await.status() == Some(503) {
            // Its time is varied by a fifth.
            sleep(OPEN * 5 / 4).await;
            scene.a.play(|_| Reply::never());
            return Ok(());
        }
    }
    Err("40 failures in a row open no breaker".to_owned())
}

async fn abandoned(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    half_open(scene).await?;
    let mut client = Connection::open(scene.gateway.clients).await.map_err(|error| error.to_string())?;
    client.send(&Ask::get("/agg").bytes()).await.map_err(|error| error.to_string())?;
    sleep(Duration::from_millis(50)).await;
    drop(client);
    scene.tally.left("/agg", 1);
    scene.a.heal();
    let since = Instant::now();
    while scene.ask(&Ask::get("/agg")).await.status() != Some(200) && since.elapsed() < Duration::from_secs(5) {
        sleep(Duration::from_millis(20)).await;
    }
    Ok(vec![Bar::within("the next probe after", since.elapsed(), TRY + Duration::from_secs(1))])
}

async fn hanging(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    half_open(scene).await?;
    let probe = scene.ask(&Ask::get("/agg")).await;
    let next = scene.ask(&Ask::get("/agg")).await;
    Ok(vec![
        Bar::equal("the probe", probe.status().unwrap_or(0), 504),
        Bar::within("  ends after", probe.took, TRY + Duration::from_secs(1)),
        Bar::equal("the next: open again", next.status().unwrap_or(0), 503),
        Bar::within("  ends after", next.took, Duration::from_millis(5)),
    ])
}

//! What the system gives a process, and no more.

use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::case::{Bar, Case, row};
use crate::fixture::WHOLE;
use crate::gateway::Start;
use crate::load::Ask;
use crate::scene::{Scene, Setting};

pub(super) const ROWS: &[Case] = &[row!(70, "256 descriptors and 240 idle clients", descriptors, setting: || Setting {
    start: Start { first: Some("ulimit -n 256"), ..Start::default() },
    ..Setting::default()
})];

async fn descriptors(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.tally.asks_beyond();
    // The clients of `/ctl` have their connections by then; what they are answered is G2.
    sleep(Duration::from_millis(300)).await;
    let mut idle = Vec::new();
    for _ in 0..240 {
        idle.push(TcpStream::connect(scene.gateway.clients).await.map_err(|error| error.to_string())?);
    }
    sleep(Duration::from_secs(2)).await;
    let held = scene.gateway.held().unwrap_or_default().descriptors;
    let meanwhile = scene.ask(&Ask::get("/ctl")).await;
    let since = Instant::now();
    drop(idle);
    let after = scene.ask(&Ask::get("/agg")).await;
    Ok(vec![
        Bar::at_most("descriptors", held, 256),
        // It waits in the kernel's queue until those who say nothing are closed.
        Bar::within("a new client meanwhile", meanwhile.took, Duration::from_secs(10)),
        Bar::equal("a new client after they left", after.text(), WHOLE.to_owned()),
        Bar::within("  answered after", since.elapsed(), Duration::from_secs(1)),
    ])
}

//! What the system gives a process, and no more.

use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::case::{Bar, Case, row};
use crate::fixture::WHOLE;
use crate::gateway::Start;
use crate::load::{Answer, Answers, Ask, End};
use crate::scene::{Scene, Setting};

pub(super) const ROWS: &[Case] =
    &[row!(70, "256 descriptors and 1,000 idle clients", descriptors, setting: || Setting {
        start: Start { first: Some("ulimit -n 256"), ..Start::default() },
        ..Setting::default()
    })];

async fn descriptors(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.tally.asks_beyond();
    // The clients of `/ctl` have their connections by then; what they are answered is G2.
    sleep(Duration::from_millis(300)).await;
    let mut idle = Vec::new();
    for _ in 0..1_000 {
        idle.push(TcpStream::connect(scene.gateway.clients).await.map_err(|error| error.to_string())?);
    }
    let mut meanwhile = Answers::default();
    let mut held = 0;
    for _ in 0..20 {
        held = held.max(scene.gateway.held().unwrap_or_default().descriptors);
        meanwhile.0.push(scene.ask(&Ask::get("/ctl")).await);
        sleep(Duration::from_millis(100)).await;
    }
    let since = Instant::now();
    drop(idle);
    let after = scene.ask(&Ask::get("/agg")).await;
    let told = meanwhile.with_status(503);
    Ok(vec![
        // A quarter of them is left, whatever the process has besides its clients.
        Bar::at_most("descriptors", held, 256 / 4 * 3),
        meanwhile.all("new clients refused or closed", is_refused),
        Bar::within("  p99", meanwhile.p99(), Duration::from_millis(50)),
        Bar::holds(("  of them told so", "> 0"), told, told > 0),
        Bar::equal("a new client after they left", after.text(), WHOLE.to_owned()),
        Bar::within("  answered after", since.elapsed(), Duration::from_secs(1)),
    ])
}

/// Whether a client was turned away: with a word, or none.
fn is_refused(answer: &Answer) -> bool {
    match &answer.end {
        End::Whole(_) => (answer.status(), answer.header("retry-after").as_str()) == (Some(503), "1"),
        End::Closed => true,
        End::Broken(_) | End::Late => false,
    }
}

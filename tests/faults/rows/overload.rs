//! More than the machine can do.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::backend::rest::Reply;
use crate::case::{Bar, Beside, Case, row};
use crate::fixture::Layer;
use crate::load::{self, Answer, Answers, Ask, Load};
use crate::scene::Scene;

pub(super) const ROWS: &[Case] = &[
    row!(72, "128 MiB of memory and large bodies", large_bodies,
        needs: &[Layer::Priority, Layer::Memory], beside: Beside::Nobody),
    row!(92, "three times what can be done, of mixed classes", crowd,
        needs: &[Layer::Priority, Layer::Crowd], beside: Beside::Nobody),
];

/// How long the backend holds the bodies that it is sent.
const HELD: Duration = Duration::from_secs(1);

async fn large_bodies(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.e.play(|_| Reply::json(201, r#"{"done":true}"#).after(HELD));
    // A body takes its time of a worker in a build that is not optimised; and memory that is free goes back to the system
    // as the allocator sees fit: no more of it than all bodies had, as they came and as they were sent on.
    (scene.holds, scene.keeps) = (Duration::from_millis(250), 40 << 10);
    // 48 MiB at a time, for which there is room for 8, and again as much on its way to the backend.
    let body = format!("\"{}\"", "x".repeat(2 << 20));
    let load = Load { ask: Ask::post("/big", body).with("connection", "close"), rate: 24, clients: 24 };
    let answers = scene.load(&load, Duration::from_secs(4)).await;
    let (done, refused) = (answers.with_status(200), answers.those(is_overloaded));
    let others = answers.count() - done - refused;
    let held = scene.gateway.held().ok_or("it ended")?;
    let room = load::ask(scene.gateway.operators, &Ask::get("/overload")).await.text();
    let room: serde_json::Value = serde_json::from_str(&room).map_err(|error| error.to_string())?;
    Ok(vec![
        Bar::at_most("most memory KiB", held.peak, 128 << 10),
        Bar::holds(("requests that were done", "> 0"), done, done > 0),
        Bar::holds(("refused", "> 0"), refused, refused > 0),
        Bar::equal("ended otherwise", others, 0),
        Bar::equal("room that bodies have after that", room["bodies"]["used"].to_string(), "0".to_owned()),
    ])
}

/// How long the backend takes for a request of any class: with 100 places that makes 125 a second.
const SLOW: Duration = Duration::from_millis(800);

async fn crowd(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.e.play(|_| Reply::json(200, r#"{"done":true}"#).after(SLOW));
    let of = |path: &str, rate: u32, clients: u32| Load { ask: Ask::get(path), rate, clients };
    // As much as can be done, less what is left for critical ones.
    let before = Duration::from_secs(2);
    let peak = scene.load(&of("/default", 100, 100), before).await.with_status(200) as f64 / before.as_secs_f64();
    let during = Duration::from_secs(4);
    let (critical, default, sheddable) = (of("/critical", 2, 4), of("/default", 125, 120), of("/sheddable", 250, 120));
    let (critical, default, sheddable) =
        tokio::join!(scene.load(&critical, during), scene.load(&default, during), scene.load(&sheddable, during));
    let since = Instant::now();
    while scene.ask(&Ask::get("/sheddable")).await.status() != Some(200) && since.elapsed() < Duration::from_secs(5) {
        sleep(Duration::from_millis(20)).await;
    }
    let recovered = since.elapsed().saturating_sub(SLOW);
    let done: usize = [&critical, &default, &sheddable].map(|answers| answers.with_status(200)).iter().sum();
    let good = done as f64 / during.as_secs_f64();
    let refused = |answers: &Answers| answers.those(is_overloaded) * 100 / answers.count().max(1);
    let (of_default, of_sheddable) = (refused(&default), refused(&sheddable));
    let refusals = Answers(default.0.into_iter().chain(sheddable.0).filter(is_overloaded).collect());
    Ok(vec![
        Bar::holds(("done in a second", &format!("≥ 90 % of {peak:.0}")), format!("{good:.0}"), good >= 0.9 * peak)
            .timed(),
        critical.all("critical requests", |answer| answer.status() == Some(200)),
        Bar::holds(
            ("refused of default", "less than of sheddable"),
            format!("{of_default} %"),
            of_default < of_sheddable,
        ),
        Bar::holds(("refused of sheddable", "≥ 50 %"), format!("{of_sheddable} %"), of_sheddable >= 50),
        Bar::within("time to a refusal p99", refusals.p99(), Duration::from_millis(20)),
        Bar::within("until sheddable ones are served", recovered, Duration::from_secs(2)),
    ])
}

/// Whether a request was refused, in the words for that.
fn is_overloaded(answer: &Answer) -> bool {
    (answer.status(), answer.header("retry-after").as_str(), answer.code().as_str()) == (Some(503), "1", "overloaded")
}

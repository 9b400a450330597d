//! Several addresses of A, not all of them well.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::backend::rest::Reply;
use crate::case::{Bar, Beside, Case, row, time};
use crate::fixture::{EJECTED, Layer};
use crate::load::{self, Ask};
use crate::scene::{AGG, Scene, Setting};

pub(super) const ROWS: &[Case] = &[
    row!(21, "one of three A answers 500", one_broken, needs: &[Layer::Eject], wants: &[Layer::Retry], setting: three),
    row!(22, "one of three A is 20 times slower", one_slow,
        needs: &[Layer::LeastLoaded], setting: three, beside: Beside::Nobody),
    row!(24, "all of three A answer 500", all_broken, needs: &[Layer::Eject], setting: three),
];

fn three() -> Setting {
    Setting { more_of_a: 2, ..Setting::default() }
}

/// How many failures in a row the fixture takes before it leaves an address out.
const FAILURES: u64 = 5;

async fn one_broken(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let broken = Instant::now();
    scene.a.play(|_| Reply::json(500, "{}"));
    let from = scene.a.record.count();
    scene.agg(EJECTED / 2).await;
    let until_out = scene.a.record.count() - from;
    let out = states(scene, "ejected").await?;
    let answers = scene.agg(3 * EJECTED).await;
    // It is asked once each time that it has been out: by whoever comes first after that.
    let tries: Vec<Instant> = scene.a.record.since(from + until_out).iter().map(|call| call.at).collect();
    let last = scene.a.record.since(from + until_out - 1).first().map_or(broken, |call| call.at);
    let rests = std::iter::once(&last).chain(&tries).zip(&tries).map(|(one, next)| *next - *one);
    let shortest = rests.min().unwrap_or_default();
    scene.a.heal();
    scene.agg(3 * EJECTED / 2).await;
    let well = scene.a.record.count();
    let whole = scene.agg(EJECTED).await;
    let share = (scene.a.record.count() - well) * 100 / whole.count() as u64;
    Ok(vec![
        Bar::at_most("calls of it until it is left out", until_out, FAILURES + 2),
        Bar::equal("addresses that are left out", out, 1),
        answers.all("200 once it is left out", |answer| answer.status() == Some(200)),
        Bar::holds(("calls of it, one at a time", "2 to 4"), tries.len(), (2..=4).contains(&tries.len())),
        Bar::holds(("  between two of them at least", &time(EJECTED)), time(shortest), shortest >= EJECTED * 19 / 20),
        Bar::holds(("its share once it is well, in 100", "≥ 25"), share, share >= 25),
    ])
}

async fn one_slow(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    for backend in &scene.more_of_a {
        backend.link.set(|line| line.delay = Duration::from_millis(3));
    }
    scene.a.link.set(|line| line.delay = Duration::from_millis(60));
    scene.agg(Duration::from_secs(1)).await;
    let counts = || std::iter::once(&scene.a).chain(&scene.more_of_a).map(|backend| backend.record.count());
    let before: Vec<u64> = counts().collect();
    let answers = scene.agg(Duration::from_secs(4)).await;
    let calls: Vec<u64> = counts().zip(before).map(|(now, before)| now - before).collect();
    let (slow, others) = (calls[0], &calls[1..]);
    let least = others.iter().min().copied().unwrap_or(0);
    Ok(vec![
        // Whoever waits for the machine looks slow too.
        Bar::at_most("calls of it, in a thousand", slow * 1_000 / calls.iter().sum::<u64>(), 100).timed(),
        Bar::holds(("calls of the others", "shared"), format!("{others:?}"), least * 8 > others.iter().sum()).timed(),
        Bar::within("answer p99", answers.p99(), scene.control.agg * 2),
    ])
}

async fn all_broken(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let all = || std::iter::once(&scene.a).chain(&scene.more_of_a);
    all().for_each(|backend| backend.play(|_| Reply::json(500, "{}")));
    let answers = scene.agg(2 * EJECTED).await;
    let out = states(scene, "ejected").await?;
    let before: Vec<u64> = all().map(|backend| backend.record.count()).collect();
    let during = EJECTED / 2;
    let more = scene.agg(during).await;
    let calls: Vec<u64> = all().zip(before).map(|(backend, before)| backend.record.count() - before).collect();
    // With two of three out there are too few: all of them are asked in turn, and none of them is asked for the others.
    let (least, turns) = (calls.iter().min().copied().unwrap_or(0), u64::from(AGG) * during.as_millis() as u64 / 3_000);
    all().for_each(|backend| backend.heal());
    let well = scene.agg(EJECTED / 4).await;
    scene.agg(EJECTED * 3 / 2).await;
    let available = states(scene, "available").await?;
    Ok(vec![
        answers.all("502", |answer| answer.status() == Some(502)),
        Bar::equal("addresses that are left out", out, 2),
        more.all("and still 502: never that there is none", |answer| answer.status() == Some(502)),
        Bar::holds(("calls of each of three", &format!("≥ {}", turns / 2)), format!("{calls:?}"), least >= turns / 2),
        well.all("200 as soon as they are well", |answer| answer.status() == Some(200)),
        Bar::equal("available a while after", available, 3),
    ])
}

/// How many addresses of A operators see in this state.
async fn states(scene: &Scene, state: &str) -> Result<usize, String> {
    let text = load::ask(scene.gateway.operators, &Ask::get("/instances")).await.text();
    let seen: Value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
    let of_a = seen.as_array().into_iter().flatten().filter(|address| address["backend"] == "a");
    Ok(of_a.filter(|address| address["state"] == state).count())
}

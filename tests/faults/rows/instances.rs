//! Several addresses of A, not all of them well.

use std::time::Duration;

use crate::backend::rest::Reply;
use crate::case::{Bar, Case, row};
use crate::fixture::Layer;
use crate::scene::{Scene, Setting};

pub(super) const ROWS: &[Case] = &[
    row!(21, "one of three A answers 500", one_broken, needs: &[Layer::Eject], wants: &[Layer::Retry], setting: three),
    row!(22, "one of three A is 20 times slower", one_slow, needs: &[Layer::LeastLoaded], setting: three),
    row!(24, "all of three A answer 500", all_broken, needs: &[Layer::Eject], setting: three),
];

fn three() -> Setting {
    Setting { more_of_a: 2, ..Setting::default() }
}

async fn one_broken(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.a.play(|_| Reply::json(500, "{}"));
    // Until five in a row have failed there.
    scene.agg(Duration::from_secs(1)).await;
    let from = scene.a.record.count();
    let answers = scene.agg(Duration::from_secs(3)).await;
    let calls = scene.a.record.count() - from;
    // It is left out for a second at a time, and asked once after each.
    let probes = 4;
    Ok(vec![
        answers.all("200 once it is left out", |answer| answer.status() == Some(200)),
        Bar::at_most("calls of it: a probe a second, 1 %", calls, probes + answers.count() as u64 / 100),
    ])
}

async fn one_slow(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    for backend in &scene.more_of_a {
        backend.link.set(|line| line.delay = Duration::from_millis(3));
    }
    scene.a.link.set(|line| line.delay = Duration::from_millis(60));
    scene.agg(Duration::from_secs(1)).await;
    let from = scene.a.record.count();
    let answers = scene.agg(Duration::from_secs(4)).await;
    let calls = scene.a.record.count() - from;
    Ok(vec![
        Bar::at_most("calls of it, in a thousand", calls * 1_000 / answers.count() as u64, 100),
        Bar::within("answer p99", answers.p99(), scene.control.agg * 2),
    ])
}

async fn all_broken(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let all = || std::iter::once(&scene.a).chain(&scene.more_of_a);
    all().for_each(|backend| backend.play(|_| Reply::json(500, "{}")));
    let answers = scene.agg(Duration::from_secs(2)).await;
    let before: Vec<u64> = all().map(|backend| backend.record.count()).collect();
    scene.agg(Duration::from_secs(1)).await;
    let asked = all().zip(before).filter(|(backend, before)| backend.record.count() > *before).count();
    Ok(vec![
        answers.all("502, or 503", |answer| matches!(answer.status(), Some(502 | 503))),
        Bar::holds(("addresses still asked", "≥ 2 of 3"), asked, asked >= 2),
    ])
}

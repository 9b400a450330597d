//! More calls at the same time than a backend may have.

use std::time::Duration;

use crate::backend::grpc::Reply;
use crate::case::{Bar, Case, row};
use crate::fixture::{Layer, WHOLE};
use crate::load::{Answers, Ask, Load};
use crate::scene::Scene;

pub(super) const ROWS: &[Case] = &[row!(46, "B has as many calls as it may", full, needs: &[Layer::Concurrency])];

/// How long each call of B takes.
const BUSY: Duration = Duration::from_millis(250);

/// How many calls B may have.
const LIMIT: usize = 50;

async fn full(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.b.play(|_| Reply::stock(7).after(BUSY));
    // The control does not bear this load, which is two and a half times that of the other rows.
    scene.holds = scene.control.request * 20;
    let from = scene.b.record.count();
    let load = Load { ask: Ask::get("/agg"), rate: 250, clients: 120 };
    let answers = scene.load(&load, Duration::from_secs(3)).await;
    let calls = scene.b.record.since(from);
    // All that came within the time that one takes were there together.
    let together =
        calls.iter().map(|first| calls.iter().filter(|call| call.at >= first.at && call.at < first.at + BUSY).count());
    let refused = Answers(answers.0.iter().filter(|answer| answer.text() != WHOLE).cloned().collect());
    Ok(vec![
        answers.all("200, whole or with B's default", |answer| answer.status() == Some(200)),
        Bar::holds(("of those without B", "some"), refused.count(), refused.count() > 0),
        Bar::within(
            "  answer p99: what A and C take, and",
            refused.p99(),
            scene.control.agg + Duration::from_millis(5),
        ),
        // A call that is late is given up, and another takes its place.
        Bar::at_most("calls of B at the same time", together.max().unwrap_or(0), LIMIT).timed(),
    ])
}

//! Late answers that are asked for a second time.

use std::time::Duration;

use crate::backend::rest::Reply;
use crate::case::{Bar, Case, row};
use crate::fixture::Layer;
use crate::load::{Ask, Load};
use crate::scene::Scene;

pub(super) const ROWS: &[Case] =
    &[row!(94, "one in fifty answers of A is 20 times later", late, needs: &[Layer::Hedge])];

/// How long a late answer takes.
const LATE: Duration = Duration::from_millis(200);

async fn late(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.a.play(|call| {
        let reply = Reply::json(200, r#"{"value":"a"}"#);
        reply.after(if call.number % 50 == 49 { LATE } else { LATE / 20 })
    });
    // Until it is known how late answers are.
    scene.agg(Duration::from_secs(1)).await;
    let from = scene.a.record.count();
    let answers = scene.agg(Duration::from_secs(4)).await;
    let calls = scene.a.record.count() - from;
    let orders = scene.e.record.count();
    let load = Load { ask: Ask::post("/w", "{}".to_owned()), rate: 50, clients: 4 };
    let written = scene.load(&load, Duration::from_secs(1)).await;
    Ok(vec![
        Bar::within("answer p99, half of what is late", answers.p99(), LATE / 2),
        Bar::at_most("calls of A", calls, answers.count() as u64 * 105 / 100 + 4),
        Bar::equal("calls of E: each order once", scene.e.record.count() - orders, written.count() as u64),
    ])
}

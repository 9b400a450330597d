//! Names that do not resolve.

use std::time::Duration;

use crate::case::{Bar, Case, row};
use crate::fixture::Layer;
use crate::load::Ask;
use crate::scene::{Scene, Setting};

pub(super) const ROWS: &[Case] = &[
    row!(74, "DNS fails after it has worked", unseen, needs: &[Layer::Discover]),
    row!(75, "DNS gives another address", unseen, needs: &[Layer::Discover]),
    row!(76, "A's name does not resolve at start", never_resolves, ends: true, setting: || Setting {
        instead_of_a: Some("http://a.invalid:80".to_owned()),
        ..Setting::default()
    }),
];

async fn unseen(_: &mut Scene) -> Result<Vec<Bar>, String> {
    Ok(vec![Bar::not_yet(("everything", ""), "the kit has no name server of its own")])
}

async fn never_resolves(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let watch = scene.watch();
    let answers = scene.agg(Duration::from_secs(2)).await;
    let failed = watch.end().await.failed;
    let ready = scene.gateway.ready().await.unwrap_or(0);
    let graph = scene.ask(&Ask::graphql("{ b }")).await;
    Ok(vec![
        Bar::equal("readiness", ready, 200),
        answers.all("502, or 504, of /agg", |answer| matches!(answer.status(), Some(502 | 504))),
        Bar::equal("failures of /ctl", failed, 0),
        Bar::equal("what does not need A", graph.text(), r#"{"data":{"b":7}}"#.to_owned()),
    ])
}

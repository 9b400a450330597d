//! Replies that are kept: one fetch for many, old ones in time of need, and nobody else's.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::sleep;

use crate::backend::Call;
use crate::backend::rest::Reply;
use crate::case::{Bar, Case, row};
use crate::fixture::{FRESH, Layer, TRY, WHOLE};
use crate::http1::Connection;
use crate::link::Way;
use crate::load::{Answers, Ask};
use crate::scene::Scene;

pub(super) const ROWS: &[Case] = &[
    row!(47, "300 clients miss the same reply at once", stampede, needs: &[Layer::Cache]),
    row!(48, "300 clients who wait for a reply leave", abandoned, needs: &[Layer::Cache]),
    row!(49, "C fails, and its reply is stale", stale_on_error, needs: &[Layer::Cache]),
    row!(50, "C's reply is stale", stale, needs: &[Layer::Cache]),
    row!(51, "C hangs while its reply is fetched anew", hangs, needs: &[Layer::Cache]),
    row!(53, "two callers, the same URL, replies of their own", private, needs: &[Layer::PrivateCache]),
    row!(54, "an answer that lacks something", partial, wants: &[Layer::Cache]),
];

const CLIENTS: u64 = 300;
/// What requests that come together take of a worker, in a build that is not optimised.
const TOGETHER: Duration = Duration::from_millis(100);

fn of(scene: &Scene, key: &str) -> usize {
    scene.c.record.since(0).iter().filter(|call| call.first_line.contains(key)).count()
}

async fn stampede(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.c.play(|_| Reply::json(200, r#"{"value":"c"}"#).after(TRY / 2));
    // So many requests at once take their time of a worker, whatever waits beside them.
    scene.holds = TOGETHER;
    let ask = Ask::get("/agg?key=stampede");
    let answers = Answers(join_all((0..CLIENTS).map(|_| scene.ask(&ask))).await);
    Ok(vec![
        answers.all("whole answers", |answer| answer.text() == WHOLE),
        Bar::equal("calls of C", of(scene, "stampede"), 1),
    ])
}

async fn abandoned(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.c.play(|_| Reply::json(200, r#"{"value":"c"}"#).after(TRY * 2 / 3));
    scene.holds = TOGETHER;
    let (ask, bytes) = (Ask::get("/own"), Ask::get("/own").bytes());
    let clients = (0..CLIENTS).map(|_| Connection::open(scene.gateway.clients));
    let mut clients: Vec<_> = join_all(clients).await.into_iter().flatten().collect();
    let sent = join_all(clients.iter_mut().map(|client| client.send(&bytes))).await;
    scene.tally.left("/own", sent.iter().filter(|sent| sent.is_ok()).count() as u64);
    // Long enough for all of them to be heard, so that they leave a fetch that they share.
    sleep(TRY / 3).await;
    drop(clients);
    let after = scene.ask(&ask).await;
    Ok(vec![
        Bar::equal("the next answer", after.text(), r#"{"c":"c"}"#.to_owned()),
        Bar::at_most("calls of C: that of them, and one after", of(scene, "/own"), 2),
    ])
}

async fn stale_on_error(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.ask(&Ask::get("/agg")).await;
    scene.c.play(|_| Reply::json(500, "{}"));
    let answers = scene.agg(Duration::from_secs(4)).await;
    Ok(vec![answers.all("whole, of an older C", |answer| answer.text() == WHOLE)])
}

async fn stale(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let during = Duration::from_secs(3);
    scene.c.play(|_| Reply::json(200, r#"{"value":"c"}"#).after(TRY / 2));
    scene.ask(&Ask::get("/agg")).await;
    let from = scene.c.record.count();
    let answers = scene.agg(during).await;
    let fetched = scene.c.record.count() - from;
    Ok(vec![
        answers.all("whole answers", |answer| answer.text() == WHOLE),
        Bar::within("answer p99", answers.p99(), scene.control.agg + Duration::from_millis(50)),
        // A reply that is asked for often is fetched a little before it is stale, the sooner the longer that takes.
        Bar::at_most(
            "calls of C: one each time",
            fetched,
            during.as_millis() as u64 / (FRESH.as_millis() as u64 / 2) + 1,
        ),
    ])
}

async fn hangs(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.ask(&Ask::get("/agg")).await;
    scene.c.play(|_| Reply::never());
    let from = scene.c.record.count();
    let answers = scene.agg(Duration::from_secs(3)).await;
    let calls = scene.c.record.since(from);
    let is_over = |first: &Call, call: &Call| call.at < first.at + TRY * 9 / 10;
    let together =
        calls.iter().map(|first| calls.iter().filter(|call| call.at >= first.at && is_over(first, call)).count());
    Ok(vec![
        answers.all("whole, of an older C", |answer| answer.text() == WHOLE),
        Bar::at_most("calls of C at the same time", together.max().unwrap_or(0), 1),
    ])
}

async fn private(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.c.play(|call| {
        let who = call.headers.iter().find(|(name, _)| name == "authorization").map_or("", |(_, value)| value);
        Reply::json(200, &format!("{{\"value\":\"{who}\"}}")).after(Duration::from_millis(5))
    });
    scene.holds = TOGETHER;
    let asked = (0..2_000).map(|number| ["ann", "bob"][number % 2]).map(|who| {
        let scene = &*scene;
        async move {
            let answer = scene.ask(&Ask::get("/own").with("authorization", who)).await;
            (who, answer)
        }
    });
    let mut leaks = 0;
    let asked: Vec<_> = asked.collect();
    let mut asked = asked.into_iter().peekable();
    while asked.peek().is_some() {
        let some: Vec<_> = asked.by_ref().take(100).collect();
        for (who, answer) in join_all(some).await {
            leaks += u32::from(answer.text() != format!("{{\"c\":\"{who}\"}}"));
        }
    }
    Ok(vec![Bar::equal("answers of another, or none, of 2,000", leaks, 0)])
}

async fn partial(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.b.link.set(|line| line.way = Way::Refused);
    let lacking = scene.ask(&Ask::get("/agg")).await;
    let from = scene.b.record.count();
    scene.b.heal();
    // The connection is had anew, which a backend that was just gone may take a moment for.
    sleep(Duration::from_millis(100)).await;
    let whole = scene.ask(&Ask::get("/agg")).await;
    Ok(vec![
        Bar::equal("Cache-Control of what lacks B", lacking.header("cache-control"), "no-store".to_owned()),
        Bar::equal("the next", whole.text(), WHOLE.to_owned()),
        Bar::equal("calls of B for it", scene.b.record.count() - from, 1),
    ])
}

//! What backends of gRPC do to streams, messages and statuses.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;

use crate::backend::grpc::{In, Reply, framed};
use crate::case::{Bar, Case, row};
use crate::fixture::{Layer, TRY, WHOLE};
use crate::load::{Answers, Ask, Load};
use crate::scene::Scene;

pub(super) const ROWS: &[Case] = &[
    row!(34, "B says goodbye after every 100 calls", goodbyes),
    row!(35, "B refuses every tenth stream", refuses, wants: &[Layer::Breaker]),
    row!(36, "B takes one call at a time", one_at_a_time),
    row!(37, "B answers with each status", statuses, wants: &[Layer::Breaker]),
    row!(39, "B's messages are broken", broken),
];

/// Loads `/agg` with so many requests in a second that 1,500 come together.
async fn many(scene: &Scene) -> Answers {
    scene.load(&Load { ask: Ask::get("/agg"), rate: 300, clients: 16 }, Duration::from_secs(5)).await
}

fn whole(answers: &Answers) -> Bar {
    answers.all("whole answers", |answer| answer.text() == WHOLE)
}

async fn goodbyes(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.manners.goodbye_after.store(100, Ordering::Relaxed);
    // The connections that are open now have made other promises.
    scene.b.link.cut();
    scene.ask(&Ask::get("/agg")).await;
    let answers = many(scene).await;
    scene.manners.goodbye_after.store(0, Ordering::Relaxed);
    Ok(vec![whole(&answers)])
}

async fn refuses(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.b.play(|call| if call.number % 10 == 0 { Reply::refused() } else { Reply::stock(7) });
    let from = scene.b.record.count();
    // With one client the call after a refused one is its second try, which is never refused too.
    let answers = scene.load(&Load { ask: Ask::get("/agg"), rate: 600, clients: 1 }, Duration::from_secs(4)).await;
    let again = scene.b.record.count() - from - answers.count() as u64;
    Ok(vec![whole(&answers), Bar::holds(("calls of B that were made again", "some"), again, again > 0)])
}

async fn one_at_a_time(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.manners.streams.store(1, Ordering::Relaxed);
    scene.b.link.cut();
    scene.b.play(|_| Reply::stock(7).after(Duration::from_millis(10)));
    let answers = scene.agg(Duration::from_secs(2)).await;
    scene.manners.streams.store(0, Ordering::Relaxed);
    let answered = answers.all("200", |answer| answer.status() == Some(200));
    Ok(vec![answered, Bar::within("answer p99", answers.p99(), TRY + Duration::from_millis(50))])
}

/// What a call of B alone fails with; nothing when it does not.
async fn failure(scene: &Scene) -> Option<String> {
    let answer = scene.ask(&Ask::graphql("{ b }")).await;
    let answer: Value = serde_json::from_str(&answer.text()).ok()?;
    answer["errors"][0]["extensions"]["code"].as_str().map(str::to_owned)
}

/// Statuses that open a breaker when they come in a row.
async fn that_open(scene: &Scene) -> Result<Vec<u8>, String> {
    let mut opened = Vec::new();
    for code in 1..=16 {
        scene.b.play(move |_| Reply::status(code, In::Trailers));
        for _ in 0..5 {
            failure(scene).await;
        }
        if failure(scene).await.as_deref() != Some("breaker_open") {
            continue;
        }
        opened.push(code);
        scene.b.heal();
        let since = Instant::now();
        while failure(scene).await.is_some() {
            if since.elapsed() > Duration::from_secs(5) {
                return Err(format!("the breaker stays open after {code}"));
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
    Ok(opened)
}

/// The causes that statuses of gRPC are told as, and how many of the 34 ways to say one are told so.
async fn statuses(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let mut equal = 0;
    let mut wrong = String::new();
    for code in 0..=16_u8 {
        for place in [In::Trailers, In::Head] {
            scene.b.play(move |_| Reply::status(code, place));
            let found = failure(scene).await.unwrap_or_default();
            let expected = match code {
                // A success without a message is no reply.
                0 => "bad_reply",
                4 => "timeout",
                8 => "backend_busy",
                _ => "backend_status",
            };
            match found == expected {
                true => equal += 1,
                false => wrong.push_str(&format!(" {code} {place:?} {found}")),
            }
            // No status is to open a breaker for the next.
            scene.b.heal();
            for _ in 0..2 {
                failure(scene).await;
            }
        }
    }
    let told = Bar::holds(("told by the table of causes", "34"), format!("{equal}{wrong}"), equal == 34);
    let bar = ("those that open the breaker, in a row", "[2, 4, 13, 14, 15]");
    if let Some(reason) = scene.run.lacks(Layer::Breaker) {
        return Ok(vec![told, Bar::not_yet(bar, reason)]);
    }
    let opened = that_open(scene).await?;
    Ok(vec![told, Bar::holds(bar, format!("{opened:?}"), opened == [2, 4, 13, 14, 15])])
}

async fn broken(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let before = scene.gateway.held().unwrap_or_default().memory;
    let long = [vec![0], (8_u32 << 20).to_be_bytes().to_vec(), vec![0; 1 << 10]].concat();
    let broken: [(&str, Vec<u8>); 5] = [
        ("a length beyond the cap", long),
        ("a length beyond the end", [vec![0, 0, 0, 0, 9], vec![8, 7]].concat()),
        ("packed without a coding", framed(1, &[8, 7])),
        ("no message of its type", framed(0, &[0xff; 12])),
        ("two messages", [framed(0, &[8, 7]), framed(0, &[8, 8])].concat()),
    ];
    let mut bars = Vec::new();
    for (what, bytes) in broken {
        scene.b.play(move |_| Reply::frames(bytes.clone()));
        let answer = scene.ask(&Ask::get("/agg")).await;
        bars.push(Bar::equal(what, answer.text(), r#"{"a":"a","b":0,"c":"c"}"#.to_owned()));
    }
    scene.b.play(|_| Reply::unfinished(7));
    let answers = scene.agg(Duration::from_secs(1)).await;
    bars.push(answers.all("no trailers: B's default", |answer| answer.text() == r#"{"a":"a","b":0,"c":"c"}"#));
    let rise = scene.gateway.held().unwrap_or_default().memory.saturating_sub(before);
    bars.push(Bar::at_most("rise of memory, KiB", rise, 8 << 10));
    Ok(bars)
}

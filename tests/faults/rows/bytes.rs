//! Replies that are broken, endless or not what they say.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::backend::rest::Reply;
use crate::case::{Bar, Beside, Case, row};
use crate::fixture::Layer;
use crate::gateway::until;
use crate::link::chance;
use crate::load::{Ask, Load};
use crate::scene::{Scene, Setting};

pub(super) const ROWS: &[Case] = &[
    row!(8, "A closes in the middle of a body", a_cuts, wants: &[Layer::Retry]),
    row!(10, "A answers with garbage", a_babbles),
    row!(11, "A's JSON is broken, in many ways", a_mutates),
    row!(12, "A's body has no end", a_floods, beside: Beside::Nobody),
    // A small cap, since a build without optimisation takes its time to unpack.
    row!(13, "A sends a bomb of gzip", a_bombs, beside: Beside::Nobody, setting: || Setting {
        of_a: ", max_reply: 64KiB".to_owned(),
        ..Setting::default()
    }),
];

const FAULT: Duration = Duration::from_secs(2);

/// KiB in a MiB.
const MIB: u64 = 1 << 10;

async fn a_cuts(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let cut = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"value\":\"a\"";
    scene.a.play(move |_| Reply::bytes(cut));
    let from = scene.a.record.count();
    let answers = scene.agg(FAULT).await;
    let calls = scene.a.record.count() - from;
    Ok(vec![
        answers.all("502", |answer| answer.status() == Some(502)),
        Bar::at_most("calls of A", calls, 2 * answers.count() as u64),
    ])
}

async fn a_babbles(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.a.play(|_| Reply::bytes("SSH-2.0-OpenSSH_9.6\r\nwhat do you want?\r\n\r\n"));
    let answers = scene.agg(FAULT).await;
    Ok(vec![
        answers.all("502 bad_reply", |answer| answer.status() == Some(502) && answer.code() == "bad_reply"),
        Bar::within("answer p99", answers.p99(), Duration::from_millis(50)),
    ])
}

/// How many broken bodies are tried.
const MUTANTS: u64 = 2_000;

async fn a_mutates(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.a.play(|_| Reply::json(200, &mutant()));
    let load = Load { ask: Ask::get("/agg"), rate: 1_000, clients: 8 };
    let mut broken = 0;
    let mut count = 0;
    while (count as u64) < MUTANTS {
        let answers = scene.load(&load, Duration::from_secs(1)).await;
        count += answers.count();
        broken += answers.those(|answer| !matches!(answer.status(), Some(200 | 502)));
    }
    scene.a.play(|_| Reply::of(200, "content-type: text/html\r\n", b"<p>{\"value\":\"a\"}</p>"));
    let html = scene.ask(&Ask::get("/agg")).await;
    scene.a.heal();
    scene.c.play(|_| Reply::json(200, "{\"value\":"));
    let optional = scene.ask(&Ask::get("/agg?key=broken")).await;
    Ok(vec![
        Bar::equal("other than 200 and 502, of 2,000", broken, 0),
        Bar::equal("text for JSON: 502", html.status().unwrap_or(0), 502),
        Bar::equal("broken and optional", optional.text(), r#"{"a":"a","b":7,"c":null}"#.to_owned()),
    ])
}

/// A body with some of its bytes changed, doubled or left out.
fn mutant() -> String {
    const STRANGE: &[u8] = b"{}[]\",:\\u0e9-+.\x00\x7f tfn";
    let mut bytes = br#"{"value":"a","list":[1,2.5e3,-0,{"x":null}],"text":"\u00e9\n"}"#.to_vec();
    for _ in 0..=(chance() * 3.0) as usize {
        let at = ((bytes.len() - 1) as f64 * chance()) as usize;
        let byte = STRANGE[((STRANGE.len() - 1) as f64 * chance()) as usize];
        match (chance() * 3.0) as u8 {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            _ => bytes.truncate(at.max(1)),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn a_floods(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1073741824\r\n\r\n\"";
    scene.a.play(move |_| Reply::endless(head, vec![b'x'; 64 << 10], Duration::ZERO));
    let before = scene.gateway.held().unwrap_or_default().memory;
    let load = Load { ask: Ask::get("/agg"), rate: 40, clients: 4 };
    let answers = scene.load(&load, FAULT).await;
    let rise = scene.gateway.held().unwrap_or_default().memory.saturating_sub(before);
    // Four requests at a time, each with a reply of 4 MiB at most.
    let record = scene.a.record.clone();
    let closed = until(Duration::from_secs(2), move || record.connections() == 0).await;
    Ok(vec![
        answers.all("502 reply_too_large, or 504", |answer| {
            answer.code() == "reply_too_large" || answer.status() == Some(504)
        }),
        Bar::at_most("rise of memory, KiB", rise, (4 * 4 + 20) * MIB),
        Bar::within(
            "connections closed after the last answer",
            closed.unwrap_or(Duration::MAX),
            Duration::from_millis(100),
        ),
    ])
}

async fn a_bombs(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&vec![b'0'; 1 << 20]).map_err(|error| error.to_string())?;
    // Parts of gzip behind one another are one text (RFC 1952, section 2.2): 256 MiB in 256 KiB.
    let bomb = packed.finish().map_err(|error| error.to_string())?.repeat(256);
    scene.a.play(move |_| Reply::of(200, "content-type: application/json\r\ncontent-encoding: gzip\r\n", &bomb));
    let before = scene.gateway.held().unwrap_or_default().memory;
    let answers = scene.load(&Load { ask: Ask::get("/agg"), rate: 2, clients: 1 }, FAULT).await;
    let rise = scene.gateway.held().unwrap_or_default().memory.saturating_sub(before);
    Ok(vec![
        answers.all("502 reply_too_large, or 504", |answer| {
            answer.code() == "reply_too_large" || answer.status() == Some(504)
        }),
        Bar::at_most("rise of memory, KiB", rise, 20 * MIB),
    ])
}

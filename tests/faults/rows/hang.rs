//! Backends that are there and do not answer, or not to the end.

use std::time::Duration;

use crate::backend::{grpc, rest};
use crate::case::{Bar, Case, row};
use crate::fixture::{Layer, TRY};
use crate::load::Answers;
use crate::scene::Scene;

pub(super) const ROWS: &[Case] = &[
    row!(4, "A takes connections and never answers", a_never_answers, wants: &[Layer::Retry, Layer::Breaker]),
    row!(5, "B takes calls and never answers", b_never_answers),
    row!(6, "C's body comes a byte a second", c_dribbles),
    row!(7, "A sends a head and then nothing", a_stalls),
];

const FAULT: Duration = Duration::from_millis(2_500);

/// What a bound may be exceeded by at the 99th percentile.
const SLACK: Duration = Duration::from_millis(50);

async fn a_never_answers(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.a.link.set(|line| line.frozen = true);
    let answers = scene.agg(FAULT).await;
    let tries = if scene.has(Layer::Retry) { 2 } else { 1 };
    let opened = ("503 once the breaker is open", "some, with Retry-After");
    let told = answers.those(|answer| answer.status() == Some(503) && !answer.header("retry-after").is_empty());
    let mut bars = gave_up(&answers, TRY * tries + Duration::from_millis(25 * (u64::from(tries) - 1)));
    bars.push(scene.with(Layer::Breaker, opened, || Bar::holds(opened, told, told > 0)));
    Ok(bars)
}

/// 504, or 503 while a breaker is open, in time.
fn gave_up(answers: &Answers, within: Duration) -> Vec<Bar> {
    vec![
        answers.all("504, or 503 while open", |answer| matches!(answer.status(), Some(504 | 503))),
        Bar::within("answer p99", answers.p99(), within + SLACK),
    ]
}

async fn b_never_answers(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.b.play(|_| grpc::Reply::never());
    let answers = scene.agg(FAULT).await;
    Ok(vec![
        answers.all("200 with B's default", |answer| answer.text() == r#"{"a":"a","b":0,"c":"c"}"#),
        Bar::within("answer p99", answers.p99(), TRY + SLACK),
    ])
}

async fn c_dribbles(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 13\r\n\r\n";
    scene.c.play(move |_| rest::Reply::endless(head, b"{".to_vec(), Duration::from_secs(1)));
    let answers = scene.agg(FAULT).await;
    Ok(vec![
        answers.all("200 without C", |answer| answer.text() == r#"{"a":"a","b":7,"c":null}"#),
        Bar::within("answer p99", answers.p99(), TRY + SLACK),
    ])
}

async fn a_stalls(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 13\r\n\r\n{\"value\"";
    scene.a.play(move |_| rest::Reply::stalling(head));
    let answers = scene.agg(FAULT).await;
    let cut = answers.with_status(200);
    let mut bars = gave_up(&answers, TRY);
    bars.push(Bar::equal("answers of 200", cut, 0));
    Ok(bars)
}

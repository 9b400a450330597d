//! REST backends: HTTP/1.1 as bytes, in whatever mood they are. What they answer says whom and when.

use std::io;
use std::time::Duration;

use fastrand::Rng;
use tokio::time::sleep;
use turmoil::net::TcpListener;

use crate::game::Mood;
use crate::http1::Connection;
use crate::judge::{Judge, now};

/// Serves as `host` until it is gone.
pub(crate) async fn serve(host: &'static str, seed: u64, judge: Judge) -> turmoil::Result {
    let listener = TcpListener::bind(("0.0.0.0", 80)).await?;
    let mut random = Rng::with_seed(seed);
    loop {
        let (stream, _) = listener.accept().await?;
        let (mut random, judge) = (random.fork(), judge.clone());
        tokio::spawn(async move {
            let mut connection = Connection::over(Box::new(stream));
            // A connection that ends in any way is its client's, or the game's, concern.
            while let Ok(true) = answer(&mut connection, (host, &mut random), &judge).await {}
        });
    }
}

/// Answers one call; says whether another may come.
async fn answer(connection: &mut Connection, (host, random): (&str, &mut Rng), judge: &Judge) -> io::Result<bool> {
    let Some(request) = connection.request().await? else { return Ok(false) };
    let mut line = request.first_line.split(' ');
    let (method, path) = (line.next().unwrap_or_default(), line.next().unwrap_or_default());
    judge.called(host, (method, path));
    let key = path.rsplit('/').next().unwrap_or_default();
    let right = reply(200, &format!("{{\"key\":\"{key}\",\"at\":{}}}", now().as_millis()));
    match judge.mood(host) {
        Mood::Moody if random.bool() => connection.send(&failure(random)).await?,
        Mood::Calm | Mood::Moody => connection.send(&right).await?,
        Mood::Broken => connection.send(&failure(random)).await?,
        Mood::Slow => {
            sleep(Duration::from_millis(random.u64(0..500))).await;
            connection.send(&right).await?;
        }
        Mood::Late => {
            sleep(crate::game::LATE).await;
            connection.send(&right).await?;
        }
        Mood::Mute => {
            connection.closed().await;
            return Ok(false);
        }
        Mood::Abrupt => {
            connection.send(&right[..random.usize(0..right.len())]).await?;
            return Ok(false);
        }
        Mood::Mad => connection.send(&mad(right, random)).await?,
    }
    Ok(true)
}

fn reply(status: u16, body: &str) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    (head + body).into_bytes()
}

fn failure(random: &mut Rng) -> Vec<u8> {
    reply(if random.bool() { 500 } else { 503 }, r#"{"key":"nobody's"}"#)
}

/// What must not be taken for an answer, or has behind it what must not be taken for the next one.
fn mad(right: Vec<u8>, random: &mut Rng) -> Vec<u8> {
    match random.u32(0..3) {
        0 => b"what?\r\n\r\n".to_vec(),
        1 => reply(200, r#"{"key":"#),
        _ => [right, reply(200, r#"{"key":"nobody's","at":0}"#)].concat(),
    }
}

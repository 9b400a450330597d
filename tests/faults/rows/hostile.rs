//! Clients that are slow, large, or mean.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout, timeout_at};

use crate::backend::rest::Reply;
use crate::case::{Bar, Case, row};
use crate::gateway::until;
use crate::http1::Connection;
use crate::load::{Ask, percentile};
use crate::scene::Scene;

pub(super) const ROWS: &[Case] = &[
    row!(83, "500 clients whose heads never end", slow_heads),
    row!(84, "a body that comes a byte a second", slow_body),
    row!(85, "readers that do not read", slow_readers),
    row!(86, "too large: head, target, body", too_large),
    row!(91, "requests that can be read in two ways", smuggled),
];

const KIB_OF_A_CONNECTION: u64 = 32;

async fn open(scene: &Scene) -> Result<Connection, String> {
    Connection::open(scene.gateway.clients).await.map_err(|error| error.to_string())
}

async fn slow_heads(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    const CLIENTS: u64 = 500;
    scene.tally.asks_beyond();
    let before = scene.gateway.held().unwrap_or_default().memory;
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let client = TcpStream::connect(scene.gateway.clients).await.map_err(|error| error.to_string())?;
        clients.spawn(drip(client));
    }
    sleep(Duration::from_secs(2)).await;
    let rise = scene.gateway.held().unwrap_or_default().memory.saturating_sub(before);
    let took = clients.join_all().await;
    let (first, last) = (took.iter().min().copied().unwrap_or_default(), percentile(took.into_iter(), 99));
    Ok(vec![
        Bar::at_most("memory of a connection, KiB", rise / CLIENTS, KIB_OF_A_CONNECTION),
        Bar::within("closed after", last, Duration::from_secs(11)),
        Bar::holds(("  the first", "≥ 9 s"), format!("{} s", first.as_secs()), first >= Duration::from_secs(9)),
    ])
}

/// Sends a head a byte a second, until the connection ends; how long that took.
async fn drip(mut client: TcpStream) -> Duration {
    let since = Instant::now();
    let mut answer = [0; 1 << 10];
    let mut piece: &[u8] = b"GET /agg HTTP/1.1\r\nhost: a\r\nx-slow: ";
    while since.elapsed() < Duration::from_secs(20) && client.write_all(piece).await.is_ok() {
        piece = b"x";
        let second = Instant::now() + Duration::from_secs(1);
        while let Ok(read) = timeout_at(second.into(), client.read(&mut answer)).await {
            if matches!(read, Ok(0) | Err(_)) {
                return since.elapsed();
            }
        }
    }
    since.elapsed()
}

async fn slow_body(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.tally.asks_beyond();
    let from = scene.d.record.count();
    let mut client = open(scene).await?;
    let head = "POST /body HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n";
    client.send(head.as_bytes()).await.map_err(|error| error.to_string())?;
    let since = Instant::now();
    let answer = loop {
        if let Ok(answer) = timeout(Duration::from_secs(1), client.response("POST")).await {
            break answer.map_err(|error| error.to_string())?;
        }
        let _ = client.send(b" ").await;
        if since.elapsed() > Duration::from_secs(30) {
            return Err("there is no answer within 30 s".to_owned());
        }
    };
    let bodies = scene.d.record.since(from).iter().filter(|call| call.first_line.starts_with("POST")).count();
    Ok(vec![
        Bar::within("refused after", since.elapsed(), Duration::from_secs(20)),
        Bar::equal("the status", answer.status(), 408),
        Bar::equal("calls of D before the body was there", bodies, 0),
    ])
}

async fn slow_readers(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    const CLIENTS: u64 = 50;
    scene.tally.asks_beyond();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 1073741824\r\n\r\n";
    scene.e.play(move |_| Reply::endless(head, vec![b'x'; 16 << 10], Duration::from_millis(5)));
    let held = || scene.gateway.held().unwrap_or_default();
    let before = held();
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let client = TcpSocket::new_v4().map_err(|error| error.to_string())?;
        // So that the kernel does not take for the reader what it does not read.
        client.set_recv_buffer_size(4 << 10).map_err(|error| error.to_string())?;
        let mut client = client.connect(scene.gateway.clients).await.map_err(|error| error.to_string())?;
        client.write_all(&Ask::get("/large").bytes()).await.map_err(|error| error.to_string())?;
        clients.push(client);
    }
    let since = Instant::now();
    let mut most = 0;
    let closed = until(Duration::from_secs(30), || {
        let now = held();
        most = most.max(now.memory);
        since.elapsed() > Duration::from_secs(1) && now.descriptors <= before.descriptors + 20
    });
    let ended =
        closed.await.map_or(Duration::MAX, |_| scene.e.record.last_sent().map_or(Duration::MAX, |last| last.elapsed()));
    drop(clients);
    Ok(vec![
        Bar::at_most("rise of memory, KiB", most.saturating_sub(before.memory), CLIENTS * 256),
        Bar::within("closed after the last byte went on", ended, Duration::from_secs(16)),
    ])
}

async fn too_large(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.tally.asks_beyond();
    let calls = |scene: &Scene| scene.a.record.count() + scene.e.record.count();
    let from = calls(scene);
    let long = "x".repeat(64 << 10);
    let requests = [
        ("a head of 64 KiB", 431, format!("GET /agg HTTP/1.1\r\nhost: a\r\nx-long: {long}\r\n\r\n")),
        ("a target of 64 KiB", 414, format!("GET /agg?{long} HTTP/1.1\r\nhost: a\r\n\r\n")),
        (
            "a body of 128 KiB, of 64 allowed",
            413,
            format!(
                "POST /body HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n\"{long}{long}\"",
                (128 << 10) + 2
            ),
        ),
    ];
    let mut bars = Vec::new();
    for (what, status, request) in requests {
        let mut client = open(scene).await?;
        // The answer may come, and the connection end, before all is sent.
        let _ = client.send(request.as_bytes()).await;
        let answer = timeout(Duration::from_secs(5), client.response("GET")).await;
        let answer = answer.map_err(|_| format!("{what}: no answer"))?.map_err(|error| format!("{what}: {error}"))?;
        bars.push(Bar::equal(what, answer.status(), status));
        let closed = timeout(Duration::from_secs(2), client.closed()).await.is_ok();
        bars.push(Bar::equal("  and closes", closed, true));
    }
    bars.push(Bar::equal("calls of backends", calls(scene) - from, 0));
    Ok(bars)
}

async fn smuggled(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.tally.asks_beyond();
    let calls = |scene: &Scene| {
        let posts = scene.d.record.since(0).iter().filter(|call| call.first_line.starts_with("POST")).count();
        scene.a.record.count() + posts as u64
    };
    let from = calls(scene);
    let requests = [
        (
            "length and chunks",
            "POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        ("two lengths", "POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{} "),
        (
            "a chunk size that is none",
            "POST /body HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
        ),
        (
            "a coding before chunked",
            "POST /body HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        ),
        ("a folded line", "GET /agg HTTP/1.1\r\nhost: a\r\nx-a: 1\r\n 2\r\n\r\n"),
        ("bare line feeds", "GET /agg HTTP/1.1\nhost: a\n\n"),
        ("a space before the colon", "GET /agg HTTP/1.1\r\nhost : a\r\n\r\n"),
        ("two hosts", "GET /agg HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n"),
    ];
    let mut bars = Vec::new();
    for (what, request) in requests {
        let mut client = open(scene).await?;
        client.send(request.as_bytes()).await.map_err(|error| error.to_string())?;
        let answer = timeout(Duration::from_secs(5), client.response("GET")).await;
        let answer = answer.map_err(|_| format!("{what}: no answer"))?.map_err(|error| format!("{what}: {error}"))?;
        bars.push(Bar::holds((what, "400, or 501"), answer.status(), [400, 501].contains(&answer.status())));
        let closed = timeout(Duration::from_secs(2), client.closed()).await.is_ok();
        bars.push(Bar::equal("  and closes", closed, true));
    }
    bars.push(Bar::equal("calls of backends", calls(scene) - from, 0));
    Ok(bars)
}

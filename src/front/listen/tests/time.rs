//! Clients that are slow.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper::client::conn::http2::handshake;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::Limits;
use super::{read_all, read_until, serve};

const SHORT: Duration = Duration::from_millis(150);

fn about(begun: Instant, expected: Duration) {
    let elapsed = begun.elapsed();
    assert!(elapsed >= expected && elapsed < expected + Duration::from_secs(2), "{elapsed:?}");
}

#[tokio::test]
async fn a_half_sent_head_is_408() {
    let server = serve(Limits { header_read: SHORT, ..Limits::default() }).await;
    for half in ["GET", "GET / HTTP/1.1\r\nHost: a\r\n"] {
        let begun = Instant::now();
        let answer = server.exchange(half).await;
        about(begun, SHORT);
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("request_timeout"), "{answer}");
    }
    let refused = server.counters.refused.lock().expect("not poisoned").clone();
    assert_eq!(refused, ["_OTHER  request_timeout", "GET / request_timeout"]);
}

#[tokio::test]
async fn a_head_that_drips_is_408_all_the_same() {
    let server = serve(Limits { header_read: SHORT, ..Limits::default() }).await;
    let mut client = server.connect().await;
    let (mut reading, mut writing) = client.split();
    let begun = Instant::now();
    let drip = async {
        for byte in "GET / HTTP/1.1\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".bytes() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if writing.write_all(&[byte]).await.is_err() {
                return;
            }
        }
    };
    let mut answer = String::new();
    tokio::select! {
        () = drip => unreachable!("the listener must not wait for the end"),
        read = reading.read_to_string(&mut answer) => { read.expect("in good order"); }
    }
    about(begun, SHORT);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed_quietly() {
    let server = serve(Limits { header_read: SHORT, ..Limits::default() }).await;
    let begun = Instant::now();
    assert_eq!(server.exchange("").await, "");
    about(begun, SHORT);
    assert_eq!(server.exchange("PRI * HTTP/2.0\r\n").await, "", "half a preface is no request");
}

#[tokio::test]
async fn an_idle_connection_is_closed_quietly_at_the_idle_time() {
    let limits = Limits { header_read: SHORT * 10, keep_alive_idle: SHORT * 2, ..Limits::default() };
    let server = serve(limits).await;
    let mut client = server.connect().await;
    for _ in 0..2 {
        tokio::time::sleep(SHORT).await;
        client.write_all(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("open");
        read_until(&mut client, "/x").await;
    }
    let begun = Instant::now();
    assert_eq!(read_all(&mut client).await, "");
    about(begun, SHORT * 2 - Duration::from_millis(20));
}

#[tokio::test]
async fn the_idle_time_does_not_run_while_a_handler_works() {
    let limits = Limits { header_read: SHORT, keep_alive_idle: SHORT, ..Limits::default() };
    let server = serve(limits).await;
    let mut client = server.connect().await;
    client.write_all(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\nGET /half HTTP/1.1\r\n").await.expect("open");
    tokio::time::sleep(SHORT * 3).await;
    server.counters.release.notify_one();
    read_until(&mut client, "held").await;
    client.write_all(b"Host: a\r\nConnection: close\r\n\r\n").await.expect("open");
    assert!(read_all(&mut client).await.ends_with("/half"));
}

#[tokio::test]
async fn an_idle_http2_connection_is_closed_but_a_busy_one_is_not() {
    let server = serve(Limits { keep_alive_idle: SHORT, ..Limits::default() }).await;
    let io = TokioIo::new(server.connect().await);
    let (mut sender, connection) = handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), io).await.expect("h2");
    let connection = tokio::spawn(connection);
    let request = Request::get(format!("http://{}/held", server.address)).body(Full::default());
    let asked = tokio::spawn(sender.send_request(request.expect("a request")));
    tokio::time::sleep(SHORT * 3).await;
    assert!(!sender.is_closed());
    server.counters.release.notify_one();
    let answer = asked.await.expect("without a panic").expect("an answer");
    assert_eq!(answer.status(), 200);
    drop(answer);
    let begun = Instant::now();
    let closed = tokio::time::timeout(super::PATIENCE, connection).await.expect("closed");
    closed.expect("without a panic").expect("in good order");
    about(begun, SHORT - Duration::from_millis(20));
}

#[tokio::test]
async fn a_body_that_stops_is_408() {
    let server = serve(Limits { body_idle: SHORT, ..Limits::default() }).await;
    let heads = ["Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n5\r\nabc"];
    for head in heads {
        let begun = Instant::now();
        let answer = server.exchange(format!("POST /echo HTTP/1.1\r\nHost: a\r\n{head}")).await;
        about(begun, SHORT);
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_dropped() {
    let server = serve(Limits { write_stall: SHORT, ..Limits::default() }).await;
    let mut client = server.connect().await;
    for _ in 0..4 {
        client.write_all(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("open");
    }
    tokio::time::sleep(SHORT * 6).await;
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(super::PATIENCE, client.read_to_end(&mut bytes)).await.expect("it was closed");
    assert!(bytes.len() < 16 << 20, "{} bytes came", bytes.len());
}

//! Connections to a scripted backend on a real socket: kept, closed, idle, abandoned, too many.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Request, uri};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::Client;
use crate::base::failure::{Cause, Failure};
use crate::plan::Address;
use crate::transport::RequestBody;

const FOREVER: Duration = Duration::from_secs(60);
const WHOLE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A backend on a real socket, which counts its connections and those still open.
struct Backend {
    address: Address,
    accepted: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
}

/// Each connection answers `replies` requests with `reply`, each after `pause`, and closes.
async fn backend(reply: &'static str, replies: usize, pause: Duration) -> Backend {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let authority = listener.local_addr().expect("it is bound").to_string().parse().expect("it is an authority");
    let (accepted, open) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (accepted.clone(), open.clone());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counts.0.fetch_add(1, Ordering::SeqCst);
            counts.1.fetch_add(1, Ordering::SeqCst);
            let open = counts.1.clone();
            tokio::spawn(async move {
                serve(&mut stream, reply, replies, pause).await;
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    Backend { address: Address { authority, prefix: "".into() }, accepted, open }
}

async fn serve(stream: &mut TcpStream, reply: &str, replies: usize, pause: Duration) {
    let mut head = [0; 1024];
    for _ in 0..replies {
        if !matches!(stream.read(&mut head).await, Ok(1..)) {
            return;
        }
        tokio::time::sleep(pause).await;
        if stream.write_all(reply.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn exchange(client: &Client) -> Result<String, Failure> {
    let target = uri::PathAndQuery::from_static("/");
    let reply = client.send(target, Request::new(RequestBody::Whole(None))).await?;
    let body = reply.into_body().collect().await.map_err(|error| Failure::new(Cause::BadReply, error.to_string()))?;
    Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn calls_one_after_another_share_a_connection() {
    let backend = backend(WHOLE, 100, Duration::ZERO).await;
    let client = Client::new(&backend.address);
    for _ in 0..10 {
        assert_eq!(exchange(&client).await.expect("it answers"), "ok");
    }
    assert_eq!(backend.accepted.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_chunked_reply_gives_its_connection_back_too() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    let backend = backend(chunked, 100, Duration::ZERO).await;
    let client = Client::new(&backend.address);
    for _ in 0..10 {
        assert_eq!(exchange(&client).await.expect("it answers"), "ok");
    }
    assert_eq!(backend.accepted.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_connection_that_the_backend_closed_costs_no_call() {
    let backend = backend(WHOLE, 1, Duration::ZERO).await;
    let client = Client::new(&backend.address);
    for round in 1..=20 {
        assert_eq!(exchange(&client).await.expect("it answers"), "ok");
        until(|| backend.open.load(Ordering::SeqCst) == 0).await;
        assert_eq!(backend.accepted.load(Ordering::SeqCst), round);
    }
}

#[tokio::test]
async fn a_body_that_is_not_read_takes_its_connection_with_it() {
    let long = "HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\nthe beginning";
    let backend = backend(long, 2, Duration::ZERO).await;
    let client = Client::new(&backend.address);
    let target = uri::PathAndQuery::from_static("/");
    let reply = client.send(target, Request::new(RequestBody::Whole(None))).await.expect("the head comes");
    drop(reply);
    until(|| backend.open.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn idle_connections_are_closed() {
    let backend = backend(WHOLE, 100, Duration::ZERO).await;
    let client = Client::with_limits(&backend.address, 8, Duration::from_millis(20));
    exchange(&client).await.expect("it answers");
    until(|| backend.open.load(Ordering::SeqCst) == 0).await;
    exchange(&client).await.expect("it answers on a new connection");
    assert_eq!(backend.accepted.load(Ordering::SeqCst), 2);
    until(|| backend.open.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn calls_beyond_the_limit_wait_for_a_connection() {
    let backend = backend(WHOLE, 100, Duration::from_millis(5)).await;
    let client = Client::with_limits(&backend.address, 2, FOREVER);
    let answers = futures_util::future::join_all((0..20).map(|_| exchange(&client))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(backend.accepted.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_call_given_up_leaves_its_place_to_the_next() {
    let backend = backend(WHOLE, 100, Duration::from_millis(50)).await;
    let client = Client::with_limits(&backend.address, 1, FOREVER);
    for _ in 0..3 {
        let given_up = tokio::time::timeout(Duration::from_millis(5), exchange(&client)).await;
        assert!(given_up.is_err());
    }
    assert_eq!(exchange(&client).await.expect("it answers"), "ok");
}

#[tokio::test]
async fn nobody_there_is_a_failed_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let authority = listener.local_addr().expect("it is bound").to_string().parse().expect("it is an authority");
    drop(listener);
    let failure = exchange(&Client::new(&Address { authority, prefix: "".into() })).await.expect_err("nobody answers");
    assert_eq!(failure.cause, Cause::ConnectFailed);
}

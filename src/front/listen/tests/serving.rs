//! Connections that behave.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::{BindError, Limits, Listener};
use super::{read_all, read_until, serve, soon};

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let server = serve(Limits::default()).await;
    let mut client = server.connect().await;
    for count in 0..50 {
        let request = format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\nnumber{}", count % 10);
        client.write_all(request.as_bytes()).await.expect("the connection is open");
        let head = read_until(&mut client, "\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let mut body = [0; 7];
        client.read_exact(&mut body).await.expect("the body");
        assert_eq!(body, *format!("number{}", count % 10).as_bytes());
    }
}

#[tokio::test]
async fn requests_with_bodies_that_were_sent_ahead_are_answered_in_order() {
    let server = serve(Limits::default()).await;
    let mut requests = String::new();
    for count in 0..40 {
        let body = count.to_string().repeat(count * 5 + 1);
        requests.push_str(&if count % 2 == 0 {
            format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        } else {
            let size = body.len();
            format!(
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{size:x}\r\n{body}\r\n0\r\n\r\n"
            )
        });
    }
    requests.push_str("GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    for piece in [1, 7, 1000, requests.len()] {
        let mut client = server.connect().await;
        let (mut reading, mut writing) = client.split();
        let write = async {
            for bytes in requests.as_bytes().chunks(piece) {
                writing.write_all(bytes).await.expect("the connection is open");
            }
        };
        let mut bytes = Vec::new();
        let (_, read) = tokio::join!(write, reading.read_to_end(&mut bytes));
        read.expect("in good order");
        let answers = String::from_utf8(bytes).expect("ASCII");
        assert_eq!(answers.matches("HTTP/1.1 200").count(), 41, "{piece}");
        let bodies: Vec<&str> = answers
            .split("HTTP/1.1 200")
            .skip(1)
            .filter_map(|answer| answer.split_once("\r\n\r\n").map(|(_, body)| body))
            .collect();
        for (count, body) in bodies[..40].iter().enumerate() {
            assert_eq!(*body, count.to_string().repeat(count * 5 + 1), "{piece}");
        }
        assert_eq!(bodies[40], "/last");
    }
}

#[tokio::test]
async fn large_bodies_go_both_ways() {
    let server = serve(Limits::default()).await;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let body = Bytes::from(vec![b'y'; 60 << 10]);
    let request = Request::post(format!("http://{}/echo", server.address)).body(Full::new(body.clone()));
    let answer = client.request(request.expect("a request")).await.expect("an answer");
    assert_eq!(answer.into_body().collect().await.expect("a body").to_bytes(), body);
    let large = Request::get(format!("http://{}/large", server.address)).body(Full::default());
    let answer = client.request(large.expect("a request")).await.expect("an answer");
    assert_eq!(answer.into_body().collect().await.expect("a body").to_bytes().len(), 4 << 20);
}

#[tokio::test]
async fn http2_with_prior_knowledge_shares_the_port() {
    let server = serve(Limits::default()).await;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let ask = |path: &str, body: &'static str| {
        let request = Request::post(format!("http://{}{path}", server.address)).body(Full::from(body));
        let answer = client.request(request.expect("a request"));
        async move {
            let answer = answer.await.expect("an answer");
            assert_eq!(answer.version(), http::Version::HTTP_2);
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await.expect("a body").to_bytes();
            (status, String::from_utf8_lossy(&body).into_owned())
        }
    };
    let answers = tokio::join!(ask("/echo", "one"), ask("/short", ""), ask("/echo", "three"));
    assert_eq!(answers, ((200, "one".into()), (200, "short".into()), (200, "three".into())));
    let (peer, again) = (ask("/peer", "").await.1, ask("/peer", "").await.1);
    assert_eq!(peer, again, "one connection carries both");
}

#[tokio::test]
async fn a_host_that_differs_from_the_authority_is_refused_over_http2() {
    let server = serve(Limits::default()).await;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let request = Request::get(format!("http://{}/", server.address)).header("host", "other").body(Full::default());
    let answer = client.request(request.expect("a request")).await.expect("an answer");
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn the_handler_knows_its_peer() {
    let server = serve(Limits::default()).await;
    let mut client = server.connect().await;
    let own = client.local_addr().expect("an address").to_string();
    client.write_all(b"GET /peer HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.expect("open");
    let answer = read_all(&mut client).await;
    assert!(answer.contains(&own), "{answer}");
}

#[tokio::test]
async fn a_client_that_expects_100_gets_it_when_the_body_is_wanted() {
    let server = serve(Limits::default()).await;
    let head = "HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n";
    let mut client = server.connect().await;
    client.write_all(format!("POST /echo {head}").as_bytes()).await.expect("open");
    assert_eq!(read_until(&mut client, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"ok").await.expect("open");
    assert!(read_all(&mut client).await.ends_with("ok"));
    let refused = server.exchange(format!("POST /refuse {head}")).await;
    assert!(refused.starts_with("HTTP/1.1 413"), "{refused}");
}

#[tokio::test]
async fn a_panic_in_a_handler_is_500() {
    let server = serve(Limits::default()).await;
    let answer = server.exchange("GET /panic HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    assert!(answer.contains("\"code\":\"internal\""), "{answer}");
}

#[tokio::test]
async fn the_last_request_of_a_connection_is_told_so() {
    let server = serve(Limits { requests_per_connection: 2, ..Limits::default() }).await;
    let request = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut client = server.connect().await;
    client.write_all(request.as_bytes()).await.expect("open");
    assert!(!read_until(&mut client, "/x").await.contains("connection: close"));
    client.write_all(request.as_bytes()).await.expect("open");
    assert!(read_all(&mut client).await.contains("connection: close"));
}

#[tokio::test]
async fn a_worn_out_http2_connection_is_replaced_without_a_loss() {
    let server = serve(Limits { requests_per_connection: 3, ..Limits::default() }).await;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let mut peers = std::collections::BTreeSet::new();
    for _ in 0..12 {
        let request = Request::get(format!("http://{}/peer", server.address)).body(Full::default());
        let answer = client.request(request.expect("a request")).await.expect("an answer");
        peers.insert(answer.into_body().collect().await.expect("a body").to_bytes());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(peers.len() >= 3, "{peers:?}");
}

#[tokio::test]
async fn connections_over_the_cap_hear_that_at_once_and_harm_nobody() {
    let server = serve(Limits { connections: 1, refusals: 1, ..Limits::default() }).await;
    let mut first = server.connect().await;
    first.write_all(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("open");
    soon(server.counters.reaches(&server.counters.begun, 1)).await;
    for _ in 0..3 {
        let answer = server.exchange("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde").await;
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("\"code\":\"overloaded\""), "{answer}");
        assert!(answer.contains("retry-after: 1\r\n") && answer.contains("connection: close\r\n"), "{answer}");
    }
    assert_eq!(server.counters.begun.load(Ordering::SeqCst), 1, "no handler saw any of them");
    assert_eq!(server.counters.refused.lock().expect("not poisoned")[0], "POST /x overloaded");
    server.counters.release.notify_one();
    assert!(read_until(&mut first, "held").await.starts_with("HTTP/1.1 200"));
    drop(first);
    let mut answer = String::new();
    while !answer.starts_with("HTTP/1.1 200") {
        answer = server.exchange("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    }
}

#[tokio::test]
async fn a_connection_over_the_cap_is_refused_over_http2_too() {
    let server = serve(Limits { connections: 1, ..Limits::default() }).await;
    let _first = server.connect().await;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    for _ in 0..2 {
        let request = Request::get(format!("http://{}/x", server.address)).body(Full::default());
        let answer = client.request(request.expect("a request")).await.expect("an answer");
        assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().ok()), (503, Some("1")));
    }
}

#[tokio::test]
async fn connections_that_say_nothing_are_closed_when_too_many_are_refused_already() {
    let server = serve(Limits { connections: 1, refusals: 2, ..Limits::default() }).await;
    let _first = server.connect().await;
    let (mut told, mut telling) = (server.connect().await, server.connect().await);
    let begun = tokio::time::Instant::now();
    // Nobody is left to tell it; what it sent may be lost with the connection.
    let mut closed = server.connect().await;
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(super::PATIENCE, closed.read_to_end(&mut bytes)).await.expect("it is closed");
    assert!(read.is_err() || bytes.is_empty(), "{bytes:?}");
    assert!(begun.elapsed() < Duration::from_millis(900), "it was kept: {:?}", begun.elapsed());
    // Those who were to be told and do not ask are kept for a second only.
    assert_eq!((read_all(&mut told).await.as_str(), read_all(&mut telling).await.as_str()), ("", ""));
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_taken_port_is_named_in_the_error() {
    let server = serve(Limits::default()).await;
    let error: BindError = Listener::bind(server.address, Limits::default()).await.expect_err("taken");
    let port = server.address.port();
    assert_eq!(
        error.to_string(),
        format!("cannot listen on 127.0.0.1:{port}: port {port} is taken by another process")
    );
}

/// Runs itself again in a process that may open few files, because the limit holds for a whole process.
#[test]
fn a_process_out_of_files_serves_on_when_some_are_free() {
    const INSIDE: &str = "LISTENER_TEST_INSIDE";
    if std::env::var_os(INSIDE).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        return runtime.block_on(run_out_of_files());
    }
    let own = std::env::current_exe().expect("a path");
    let name = "a_process_out_of_files_serves_on_when_some_are_free";
    let output = std::process::Command::new("sh")
        .args(["-c", "ulimit -n 40 && exec \"$0\" \"$1\" --nocapture", &own.to_string_lossy(), name])
        .env(INSIDE, "1")
        .output()
        .expect("a shell");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

async fn run_out_of_files() {
    let server = serve(Limits::default()).await;
    // The runtime has one thread, so the listener accepts none of these before every file is taken.
    let mut clients = Vec::new();
    while let Ok(client) = std::net::TcpStream::connect(server.address) {
        clients.push(client);
    }
    let metrics = tokio::runtime::Handle::current().metrics();
    let busy = metrics.worker_total_busy_duration(0);
    tokio::time::sleep(Duration::from_millis(400)).await;
    let busy = metrics.worker_total_busy_duration(0) - busy;
    assert!(busy < Duration::from_millis(100), "accepting was tried without a pause: {busy:?}");
    let mut last = clients.pop().expect("some connections were made");
    drop(clients);
    std::io::Write::write_all(&mut last, b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect("open");
    last.set_nonblocking(true).expect("a socket");
    let answer = read_all(&mut TcpStream::from_std(last).expect("a runtime")).await;
    assert!(answer.ends_with("/x"), "{answer}");
}

//! Shutting down under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::super::{DrainTimes, Drained, Limits};
use super::{PATIENCE, read_all, read_until, serve_until, soon};

fn times(delay: u64, timeout: u64) -> DrainTimes {
    DrainTimes { delay: Duration::from_millis(delay), timeout: Duration::from_millis(timeout) }
}

/// Asks on kept connections, opening a new one whenever the answer says close. Ends when the listener no
/// longer accepts. Returns the answers; an exchange that breaks off is a lost request.
async fn ask_until_refused(address: std::net::SocketAddr, closing: Arc<AtomicBool>) -> usize {
    let mut answers = 0;
    while let Ok(mut client) = TcpStream::connect(address).await {
        loop {
            let sent = client.write_all(b"GET /short HTTP/1.1\r\nHost: a\r\n\r\n").await;
            let mut bytes = Vec::new();
            let mut buffer = [0; 512];
            while sent.is_ok() && !bytes.ends_with(b"short") {
                match client.read(&mut buffer).await {
                    Ok(length) if length > 0 => bytes.extend_from_slice(&buffer[..length]),
                    _ => break,
                }
            }
            if bytes.is_empty() && closing.load(Ordering::SeqCst) {
                // The kernel completed this connection as the listener closed: it was never accepted.
                return answers;
            }
            assert!(bytes.ends_with(b"short"), "lost after {:?}", String::from_utf8_lossy(&bytes));
            answers += 1;
            if String::from_utf8_lossy(&bytes).contains("connection: close") {
                break;
            }
        }
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_under_load_loses_nothing() {
    for _ in 0..3 {
        let server = serve_until(Limits::default(), times(300, 10_000)).await;
        let closing = Arc::new(AtomicBool::new(false));
        let clients: Vec<_> =
            (0..20).map(|_| tokio::spawn(ask_until_refused(server.address, closing.clone()))).collect();
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(!server.drain.is_announced());
        server.drain.begin();
        assert!(server.drain.is_announced());
        tokio::time::sleep(Duration::from_millis(250)).await;
        closing.store(true, Ordering::SeqCst);
        let drained = timeout(PATIENCE, server.run).await.expect("it ends").expect("without a panic");
        assert_eq!(drained, Drained { aborted: 0 });
        let mut answers = 0;
        for client in clients {
            answers += timeout(PATIENCE, client).await.expect("it ends").expect("nothing was lost");
        }
        assert!(answers > 100, "{answers}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_under_load_loses_nothing_over_http2() {
    let server = serve_until(Limits::default(), times(50, 10_000)).await;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let (client, address) = (client.clone(), server.address);
            tokio::spawn(async move {
                let mut answers = 0;
                loop {
                    let request = Request::get(format!("http://{address}/short")).body(Full::default());
                    match client.request(request.expect("a request")).await {
                        Ok(answer) => {
                            let body = answer.into_body().collect().await.expect("the whole body");
                            assert_eq!(body.to_bytes(), "short");
                            answers += 1;
                        }
                        Err(error) if error.is_connect() => return answers,
                        Err(error) if was_not_processed(&error) => {}
                        Err(error) => unreachable!("lost: {error:?}"),
                    }
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.drain.begin();
    let drained = timeout(PATIENCE, server.run).await.expect("it ends").expect("without a panic");
    assert_eq!(drained, Drained { aborted: 0 });
    for task in tasks {
        let answers = timeout(PATIENCE, task).await.expect("it ends").expect("nothing was lost");
        assert!(answers > 0);
    }
}

/// Whether the request crossed a goodbye that says it was not processed: it is sent again (RFC 9113
/// section 6.8), which this client does not do of itself.
fn was_not_processed(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            return error.is_go_away() && error.is_remote() && error.reason() == Some(h2::Reason::NO_ERROR);
        }
        next = error.source();
    }
    false
}

#[tokio::test]
async fn between_announcement_and_closing_new_clients_are_served_and_told() {
    let server = serve_until(Limits::default(), times(400, 10_000)).await;
    let mut early = server.connect().await;
    early.write_all(b"GET /early HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("open");
    assert!(!read_until(&mut early, "/early").await.contains("connection: close"));
    server.drain.begin();
    early.write_all(b"GET /later HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("open");
    assert!(read_all(&mut early).await.contains("connection: close"));
    let answer = server.exchange("GET /new HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(answer.contains("connection: close") && answer.ends_with("/new"), "{answer}");
    let begun = Instant::now();
    timeout(PATIENCE, server.run).await.expect("it ends").expect("without a panic");
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn requests_sent_ahead_are_answered_before_the_connection_closes() {
    let server = serve_until(Limits::default(), times(0, 10_000)).await;
    let mut client = server.connect().await;
    let requests = "GET /short HTTP/1.1\r\nHost: a\r\n\r\n".repeat(3);
    client.write_all(requests.as_bytes()).await.expect("open");
    soon(server.counters.reaches(&server.counters.begun, 1)).await;
    server.drain.begin();
    let answers = read_all(&mut client).await;
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 3, "{answers}");
    assert_eq!(answers.matches("connection: close").count(), 1, "{answers}");
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_the_drain_up() {
    let server = serve_until(Limits::default(), times(0, 10_000)).await;
    let mut idle = server.connect().await;
    idle.write_all(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("open");
    read_until(&mut idle, "/x").await;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let request = Request::get(format!("http://{}/x", server.address)).body(Full::default());
    client.request(request.expect("a request")).await.expect("an answer").into_body().collect().await.expect("a body");
    let begun = Instant::now();
    server.drain.begin();
    let drained = timeout(PATIENCE, server.run).await.expect("it ends").expect("without a panic");
    assert_eq!(drained, Drained { aborted: 0 });
    assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
    assert_eq!(read_all(&mut idle).await, "");
}

#[tokio::test]
async fn a_connection_whose_request_is_under_way_is_served() {
    let server = serve_until(Limits::default(), times(0, 10_000)).await;
    let mut client = server.connect().await;
    client.write_all(b"GET /warm HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("open");
    read_until(&mut client, "/warm").await;
    let mut fresh = server.connect().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.write_all(b"GET /half HTTP/1.1\r\n").await.expect("open");
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.drain.begin();
    tokio::time::sleep(Duration::from_millis(200)).await;
    fresh.write_all(b"GET /fresh HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("open");
    client.write_all(b"Host: a\r\n\r\n").await.expect("open");
    assert!(read_all(&mut fresh).await.ends_with("/fresh"));
    assert!(read_all(&mut client).await.ends_with("/half"));
    assert_eq!(server.run.await.expect("without a panic"), Drained { aborted: 0 });
}

#[tokio::test]
async fn a_connection_in_the_queue_of_the_kernel_is_served() {
    let server = serve_until(Limits::default(), times(0, 10_000)).await;
    tokio::task::yield_now().await;
    server.drain.begin();
    // The runtime has one thread, so the listener cannot run before it is to close.
    let mut client = std::net::TcpStream::connect(server.address).expect("the kernel accepts");
    std::io::Write::write_all(&mut client, b"GET /queued HTTP/1.1\r\nHost: a\r\n\r\n").expect("open");
    std::thread::sleep(Duration::from_millis(10));
    client.set_nonblocking(true).expect("a socket");
    let mut client = TcpStream::from_std(client).expect("a runtime");
    assert!(read_all(&mut client).await.ends_with("/queued"));
    assert_eq!(server.run.await.expect("without a panic"), Drained { aborted: 0 });
}

#[tokio::test]
async fn what_outlasts_the_timeout_is_aborted() {
    let server = serve_until(Limits::default(), times(0, 200)).await;
    let mut client = server.connect().await;
    client.write_all(b"GET /never HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("open");
    soon(server.counters.reaches(&server.counters.begun, 1)).await;
    let begun = Instant::now();
    server.drain.begin();
    let drained = timeout(PATIENCE, server.run).await.expect("it ends").expect("without a panic");
    assert_eq!(drained, Drained { aborted: 1 });
    assert!(begun.elapsed() >= Duration::from_millis(200) && begun.elapsed() < Duration::from_secs(2));
    assert_eq!(server.counters.ended.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_second_signal_aborts_at_once() {
    let server = serve_until(Limits::default(), times(10_000, 10_000)).await;
    let obeyed = tokio::spawn(super::super::signals(server.drain.clone()).expect("signals"));
    let mut client = server.connect().await;
    client.write_all(b"GET /never HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("open");
    soon(server.counters.reaches(&server.counters.begun, 1)).await;
    let terminate = || {
        let own = std::process::id().to_string();
        let sent = std::process::Command::new("kill").args(["-TERM", &own]).status();
        assert!(sent.expect("kill runs").success());
    };
    terminate();
    soon(server.drain.announced()).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!server.run.is_finished(), "one signal does not abort");
    let begun = Instant::now();
    terminate();
    let drained = timeout(PATIENCE, server.run).await.expect("it ends").expect("without a panic");
    assert_eq!(drained, Drained { aborted: 1 });
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    soon(async { obeyed.await.expect("without a panic") }).await;
}

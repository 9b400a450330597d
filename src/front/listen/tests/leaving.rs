//! Clients that leave: their handlers must end within 100 ms.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::super::Limits;
use super::{Server, serve, soon};

const PROMPT: Duration = Duration::from_millis(100);

/// How long the handler of `request` outlives the connection that `leave` ends.
async fn outlives(server: &Server, request: &str, leave: impl FnOnce(TcpStream)) -> Duration {
    let counters = &server.counters;
    let count = counters.begun.load(std::sync::atomic::Ordering::SeqCst) + 1;
    let mut client = server.connect().await;
    client.write_all(request.as_bytes()).await.expect("open");
    soon(counters.reaches(&counters.begun, count)).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let begun = Instant::now();
    leave(client);
    soon(counters.reaches(&counters.ended, count)).await;
    begun.elapsed()
}

#[tokio::test]
async fn a_handler_ends_with_its_http1_client() {
    let server = serve(Limits::default()).await;
    let ahead = format!("GET /never HTTP/1.1\r\nHost: a\r\n\r\n{}", "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2000));
    let long = unread(30_000);
    let requests = [
        ("no body", "GET /never HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("requests sent ahead", &ahead),
        ("an unread body", "POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"),
        ("a long unread body", &long),
        ("a body that is being read", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"),
    ];
    for (name, request) in requests {
        let closed = outlives(&server, request, drop).await;
        assert!(closed < PROMPT, "{name}: {closed:?}");
        let reset = outlives(&server, request, reset).await;
        assert!(reset < PROMPT, "{name}, reset: {reset:?}");
    }
}

/// The end of stream lies behind bytes that the kernel cannot deliver to a full socket; only a reset overtakes
/// them.
#[tokio::test]
async fn a_handler_ends_when_a_client_resets_a_connection_that_is_full() {
    let server = serve(Limits::default()).await;
    let elapsed = outlives(&server, &unread(300_000), reset).await;
    assert!(elapsed < PROMPT, "{elapsed:?}");
}

/// A request with a body of which `length` bytes are sent and more are announced, for a handler that reads none.
fn unread(length: usize) -> String {
    format!("POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n{}", "x".repeat(length))
}

fn reset(client: TcpStream) {
    client.set_zero_linger().expect("a socket");
    drop(client);
}

#[tokio::test]
async fn a_handler_ends_with_its_http2_stream() {
    let server = serve(Limits::default()).await;
    let counters = &server.counters;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    for (count, path) in ["/never", "/unread"].into_iter().enumerate() {
        let request = Request::post(format!("http://{}{path}", server.address)).body(Full::from("abc"));
        let asked = tokio::spawn(client.request(request.expect("a request")));
        soon(counters.reaches(&counters.begun, count + 1)).await;
        let begun = Instant::now();
        asked.abort();
        soon(counters.reaches(&counters.ended, count + 1)).await;
        assert!(begun.elapsed() < PROMPT, "{path}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_handler_ends_with_its_http2_connection() {
    let server = serve(Limits::default()).await;
    let counters = &server.counters;
    // The client lives in a runtime of its own, so that all of it can vanish at once.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let uri = format!("http://{}/never", server.address);
    runtime.spawn(async move {
        let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
        client.request(Request::get(uri).body(Full::default()).expect("a request")).await
    });
    soon(counters.reaches(&counters.begun, 1)).await;
    let begun = Instant::now();
    runtime.shutdown_background();
    soon(counters.reaches(&counters.ended, 1)).await;
    assert!(begun.elapsed() < PROMPT, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_client_that_resets_everything_at_once_loses_its_connection() {
    let server = serve(Limits::default()).await;
    let io = hyper_util::rt::TokioIo::new(server.connect().await);
    let (sender, connection) = hyper::client::conn::http2::handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), io)
        .await
        .expect("a handshake");
    let connection = tokio::spawn(connection);
    let attack = async {
        for count in 1.. {
            let mut sender = sender.clone();
            let request = Request::get(format!("http://{}/never", server.address)).body(Full::default());
            if sender.ready().await.is_err() {
                return count;
            }
            let asked = tokio::spawn(sender.send_request(request.expect("a request")));
            tokio::select! {
                () = server.counters.reaches(&server.counters.begun, count) => {}
                () = tokio::time::sleep(Duration::from_secs(2)) => return count,
            }
            asked.abort();
        }
        0
    };
    let count = tokio::time::timeout(super::PATIENCE * 3, attack).await.expect("the connection ends");
    assert!((400..700).contains(&count), "it ended after {count} requests");
    let ended = tokio::time::timeout(super::PATIENCE, connection).await.expect("closed");
    drop(ended);
}

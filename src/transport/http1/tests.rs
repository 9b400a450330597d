//! Connections to a scripted backend on a real socket: kept, closed, idle, abandoned, too many.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, uri};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::Client;
use crate::base::failure::{Cause, Failure};
use crate::transport::RequestBody;
use crate::transport::connect::{Reach, reach};
use crate::transport::instance::Directed;

const FOREVER: Duration = Duration::from_secs(60);
const WHOLE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A backend on a real socket, which counts its connections and those still open.
struct Backend {
    reach: Reach,
    accepted: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
}

/// Each connection answers `replies` requests with `reply`, each after `pause`, and closes.
async fn backend(reply: &'static str, replies: usize, pause: Duration) -> Backend {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let authority: http::uri::Authority =
        listener.local_addr().expect("it is bound").to_string().parse().expect("it is an authority");
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
    Backend { reach: reach(authority), accepted, open }
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

fn to_root(request: Request<RequestBody>) -> Directed<'static> {
    let (head, body) = request.into_parts();
    let (target, timeout) = (uri::PathAndQuery::from_static("/"), Duration::from_secs(5));
    let is_repeatable = head.method.is_idempotent();
    let headers = Cow::Owned(head.headers);
    Directed { method: head.method, target, headers, usual: &[], body, timeout, is_repeatable }
}

async fn exchange(client: &Client) -> Result<String, Failure> {
    let reply = client.send(to_root(Request::new(RequestBody::Whole(None)))).await?;
    let body = reply.body.collect().await.map_err(|error| Failure::new(Cause::BadReply, error.to_string()))?;
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
    let client = Client::new(&backend.reach);
    for _ in 0..10 {
        assert_eq!(exchange(&client).await.expect("it answers"), "ok");
    }
    assert_eq!(backend.accepted.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_chunked_reply_gives_its_connection_back_too() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    let backend = backend(chunked, 100, Duration::ZERO).await;
    let client = Client::new(&backend.reach);
    for _ in 0..10 {
        assert_eq!(exchange(&client).await.expect("it answers"), "ok");
    }
    assert_eq!(backend.accepted.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_connection_that_the_backend_closed_costs_no_call() {
    let backend = backend(WHOLE, 1, Duration::ZERO).await;
    let client = Client::new(&backend.reach);
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
    let client = Client::new(&backend.reach);
    let reply = client.send(to_root(Request::new(RequestBody::Whole(None)))).await.expect("the head comes");
    drop(reply);
    until(|| backend.open.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn idle_connections_are_closed() {
    let backend = backend(WHOLE, 100, Duration::ZERO).await;
    let client = Client::with_limits(&backend.reach, 8, Duration::from_millis(20));
    exchange(&client).await.expect("it answers");
    until(|| backend.open.load(Ordering::SeqCst) == 0).await;
    exchange(&client).await.expect("it answers on a new connection");
    assert_eq!(backend.accepted.load(Ordering::SeqCst), 2);
    until(|| backend.open.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn calls_beyond_the_limit_wait_for_a_connection() {
    let backend = backend(WHOLE, 100, Duration::from_millis(5)).await;
    let client = Client::with_limits(&backend.reach, 2, FOREVER);
    let answers = futures_util::future::join_all((0..20).map(|_| exchange(&client))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(backend.accepted.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_call_given_up_leaves_its_place_to_the_next() {
    let backend = backend(WHOLE, 100, Duration::from_millis(50)).await;
    let client = Client::with_limits(&backend.reach, 1, FOREVER);
    for _ in 0..3 {
        let given_up = tokio::time::timeout(Duration::from_millis(5), exchange(&client)).await;
        assert!(given_up.is_err());
    }
    assert_eq!(exchange(&client).await.expect("it answers"), "ok");
}

/// A backend whose connections, counted from zero, are served by `serve`.
async fn served<F, R>(serve: F) -> (Client, Arc<AtomicUsize>)
where
    F: Fn(usize, TcpStream) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let authority: http::uri::Authority =
        listener.local_addr().expect("it is bound").to_string().parse().expect("it is an authority");
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = accepted.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(count.fetch_add(1, Ordering::SeqCst), stream));
        }
    });
    (Client::new(&reach(authority)), accepted)
}

/// Reads until `end` was read.
async fn read_until(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut read = Vec::new();
    while !read.ends_with(end) && matches!(stream.read_buf(&mut read).await, Ok(1..)) {}
    read
}

fn request(method: Method, pieces: Vec<&'static str>) -> Request<RequestBody> {
    let frames = pieces.into_iter().map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes()))));
    let body = StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync();
    let mut request = Request::new(RequestBody::Stream(body));
    *request.method_mut() = method;
    request
}

#[tokio::test]
async fn a_kept_connection_that_breaks_is_replaced_for_requests_that_may_be_repeated() {
    for (method, answered) in [(Method::GET, true), (Method::PUT, true), (Method::POST, false)] {
        let (client, accepted) = served(|number, mut stream| async move {
            for turn in 0.. {
                if read_until(&mut stream, b"\r\n\r\n").await.is_empty() || (number == 0 && turn == 1) {
                    return;
                }
                let _ = stream.write_all(WHOLE.as_bytes()).await;
            }
        })
        .await;
        exchange(&client).await.expect("it answers");
        let mut again = Request::new(RequestBody::Whole(None));
        *again.method_mut() = method.clone();
        let reply = client.send(to_root(again)).await;
        assert_eq!(reply.is_ok(), answered, "{method}");
        assert_eq!(accepted.load(Ordering::SeqCst), if answered { 2 } else { 1 }, "{method}");
    }
}

#[tokio::test]
async fn a_body_of_unknown_length_goes_in_chunks() {
    let (client, _) = served(|_, mut stream| async move {
        let read = read_until(&mut stream, b"0\r\n\r\n").await;
        let text = String::from_utf8_lossy(&read).into_owned();
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body).escape_default().to_string();
        let reply = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let _ = stream.write_all(reply.as_bytes()).await;
    })
    .await;
    let reply = client.send(to_root(request(Method::POST, vec!["hello", "", " world"]))).await.expect("it answers");
    let body = reply.body.collect().await.expect("it is whole").to_bytes();
    assert_eq!(body, r"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
}

#[tokio::test]
async fn an_answer_may_come_before_the_body_went_out() {
    const PIECE: &str = match std::str::from_utf8(&[b'x'; 60_000]) {
        Ok(piece) => piece,
        Err(_) => "",
    };
    let (client, _) = served(|_, mut stream| async move {
        let mut head = [0; 500];
        let _ = stream.read(&mut head).await;
        let refusal = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno";
        let _ = stream.write_all(refusal.as_bytes()).await;
        tokio::time::sleep(FOREVER).await;
    })
    .await;
    let reply = client.send(to_root(request(Method::POST, vec![PIECE; 200]))).await.expect("it answers");
    assert_eq!(reply.status, 413);
    assert_eq!(reply.body.collect().await.expect("it is whole").to_bytes(), "no");
}

#[tokio::test]
async fn a_reply_that_is_cut_short_is_an_error() {
    for reply in [
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
        "HTTP/1.1 200 OK\r\ncontent-le",
    ] {
        let backend = backend(reply, 1, Duration::ZERO).await;
        assert!(exchange(&Client::new(&backend.reach)).await.is_err(), "{reply}");
    }
    let endless = "HTTP/1.1 200 OK\r\n\r\nup to the end";
    let backend = backend(endless, 1, Duration::ZERO).await;
    assert_eq!(exchange(&Client::new(&backend.reach)).await.expect("it answers"), "up to the end");
}

#[tokio::test]
async fn nobody_there_is_a_failed_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let authority: http::uri::Authority =
        listener.local_addr().expect("it is bound").to_string().parse().expect("it is an authority");
    drop(listener);
    let failure = exchange(&Client::new(&reach(authority))).await.expect_err("nobody answers");
    assert_eq!(failure.cause, Cause::ConnectFailed);
}

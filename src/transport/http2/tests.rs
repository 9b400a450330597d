//! Calls to backends on real sockets that say goodbye, refuse, fill up, or fall silent.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use h2::{Reason, server};
use http::{Method, Request, Response, uri};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Broken, Client};
use crate::transport::RequestBody;
use crate::transport::connect::reach;

/// What a backend does with one call on a connection: the number of the connection and of the call, from 0.
type Act = fn(usize, usize) -> Answer;

#[derive(Clone, Copy)]
enum Answer {
    Ok,
    Reset(Reason),
    Hang,
    /// The head of a reply, and then a reset.
    Half(Reason),
}

struct Backend {
    client: Client,
    accepted: Arc<AtomicUsize>,
}

/// A client of a backend that takes `streams` calls at once on each connection.
async fn backend(streams: u32, act: Act) -> Backend {
    serve(move |stream, number| async move { converse(stream, number, (streams, act)).await }).await
}

async fn serve<F: Future<Output = ()> + Send + 'static>(
    converse: impl Fn(TcpStream, usize) -> F + Send + 'static,
) -> Backend {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let authority: http::uri::Authority =
        listener.local_addr().expect("it is bound").to_string().parse().expect("it is an authority");
    let accepted = Arc::new(AtomicUsize::new(0));
    let counted = accepted.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, counted.fetch_add(1, Ordering::SeqCst)));
        }
    });
    Backend { client: Client::new(&reach(authority)), accepted }
}

async fn converse(stream: TcpStream, number: usize, (streams, act): (u32, Act)) {
    let mut builder = server::Builder::new();
    let Ok(mut connection) = builder.max_concurrent_streams(streams).handshake::<_, Bytes>(stream).await else {
        return;
    };
    let mut calls = 0;
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        let answer = act(number, calls);
        calls += 1;
        tokio::spawn(async move {
            match answer {
                Answer::Ok => {
                    let mut body = respond.send_response(Response::new(()), false)?;
                    body.send_data(Bytes::from_static(b"ok"), true)
                }
                Answer::Reset(reason) => {
                    respond.send_reset(reason);
                    Ok(())
                }
                Answer::Hang => pending().await,
                Answer::Half(reason) => {
                    let mut body = respond.send_response(Response::new(()), false)?;
                    body.send_data(Bytes::from_static(b"o"), false)?;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    body.send_reset(reason);
                    Ok(())
                }
            }
        });
    }
}

async fn call(client: &Client) -> Result<String, Broken> {
    let mut request = Request::new(RequestBody::Whole(Some(Bytes::from_static(b"question"))));
    *request.method_mut() = Method::POST;
    let reply = client.send(uri::PathAndQuery::from_static("/"), request).await?;
    let body = reply.into_body().collect().await.map_err(|error| Broken::of(&error))?;
    Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
}

fn reason(answer: &Result<String, Broken>) -> Option<Reason> {
    match answer {
        Err(Broken::Reset(reason)) => Some(*reason),
        _ => None,
    }
}

#[tokio::test]
async fn calls_share_a_connection() {
    let backend = backend(100, |_, _| Answer::Ok).await;
    let answers = futures_util::future::join_all((0..50).map(|_| call(&backend.client))).await;
    assert!(answers.iter().all(|answer| answer.as_deref().is_ok_and(|body| body == "ok")), "{answers:?}");
    assert_eq!(backend.accepted.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_refused_call_is_sent_once_more_and_no_oftener() {
    let once = backend(100, |_, call| if call == 0 { Answer::Reset(Reason::REFUSED_STREAM) } else { Answer::Ok }).await;
    assert_eq!(call(&once.client).await.ok().as_deref(), Some("ok"));
    let always =
        backend(100, |_, call| if call < 2 { Answer::Reset(Reason::REFUSED_STREAM) } else { Answer::Ok }).await;
    assert_eq!(reason(&call(&always.client).await), Some(Reason::REFUSED_STREAM));
}

#[tokio::test]
async fn a_call_that_was_worked_on_is_not_sent_again() {
    for reason in [Reason::CANCEL, Reason::INTERNAL_ERROR, Reason::ENHANCE_YOUR_CALM, Reason::NO_ERROR] {
        let act: Act = match reason {
            Reason::CANCEL => |_, call| if call == 0 { Answer::Reset(Reason::CANCEL) } else { Answer::Ok },
            Reason::INTERNAL_ERROR => {
                |_, call| if call == 0 { Answer::Reset(Reason::INTERNAL_ERROR) } else { Answer::Ok }
            }
            Reason::NO_ERROR => |_, call| if call == 0 { Answer::Reset(Reason::NO_ERROR) } else { Answer::Ok },
            _ => |_, call| if call == 0 { Answer::Half(Reason::ENHANCE_YOUR_CALM) } else { Answer::Ok },
        };
        let backend = backend(100, act).await;
        assert_eq!(self::reason(&call(&backend.client).await), Some(reason));
    }
}

#[tokio::test]
async fn a_goodbye_that_leaves_a_call_out_costs_it_a_connection_and_no_more() {
    let backend = serve(|mut stream, number| async move {
        if number > 0 {
            return converse(stream, number, (100, |_, _| Answer::Ok)).await;
        }
        // SETTINGS, and after the first request: GOAWAY, nothing was worked on.
        let _ = stream.write_all(b"\0\0\0\x04\0\0\0\0\0").await;
        let mut read = Vec::new();
        while !read.ends_with(b"question") && stream.read_buf(&mut read).await.is_ok_and(|length| length > 0) {}
        let _ = stream.write_all(b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0").await;
        let _ = stream.read_buf(&mut read).await;
    })
    .await;
    assert_eq!(call(&backend.client).await.ok().as_deref(), Some("ok"));
    assert_eq!(backend.accepted.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_full_connection_gets_company_up_to_a_limit() {
    let backend = backend(2, |_, _| Answer::Hang).await;
    let calls = futures_util::future::join_all((0..50).map(|_| call(&backend.client)));
    assert!(tokio::time::timeout(Duration::from_millis(500), calls).await.is_err());
    assert_eq!(backend.accepted.load(Ordering::SeqCst), 10);
}

#[tokio::test]
async fn calls_beyond_the_limit_wait_for_a_place() {
    let backend = backend(1, |_, _| Answer::Ok).await;
    let answers = futures_util::future::join_all((0..500).map(|_| call(&backend.client))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert!(backend.accepted.load(Ordering::SeqCst) <= 10);
}

#[tokio::test]
async fn a_call_given_up_gives_its_place_back() {
    let backend =
        backend(1, |connection, call| if (connection, call) == (0, 0) { Answer::Hang } else { Answer::Ok }).await;
    for _ in 0..2 {
        // The first hangs; what comes after it must not.
        let _ = tokio::time::timeout(Duration::from_millis(50), call(&backend.client)).await;
    }
    assert_eq!(call(&backend.client).await.ok().as_deref(), Some("ok"));
    assert_eq!(backend.accepted.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_backend_that_fell_silent_loses_its_connection() {
    let backend = serve(|mut stream, number| async move {
        if number > 0 {
            return converse(stream, number, (100, |_, _| Answer::Ok)).await;
        }
        let _ = stream.write_all(b"\0\0\0\x04\0\0\0\0\0").await;
        pending().await
    })
    .await;
    assert!(tokio::time::timeout(Duration::from_millis(50), call(&backend.client)).await.is_err());
    // It is suspected now, and answers no PING; a call that waits on it is told.
    let told = tokio::time::timeout(Duration::from_secs(5), call(&backend.client)).await;
    assert!(matches!(told, Ok(Err(Broken::Failed(_)))), "{told:?}");
    assert_eq!(call(&backend.client).await.ok().as_deref(), Some("ok"));
}

#[tokio::test]
async fn idle_connections_say_goodbye() {
    let ended = Arc::new(AtomicUsize::new(0));
    let counted = ended.clone();
    let backend = serve(move |stream, number| {
        let ended = counted.clone();
        async move {
            converse(stream, number, (100, |_, _| Answer::Ok)).await;
            ended.fetch_add(1, Ordering::SeqCst);
        }
    })
    .await;
    assert!(call(&backend.client).await.is_ok());
    let gone = async {
        while ended.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(10), gone).await.is_ok());
}

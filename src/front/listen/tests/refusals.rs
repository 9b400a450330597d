//! What the listener does not take.

use tokio::io::AsyncWriteExt;

use super::super::Limits;
use super::{read_all, read_until, serve};

/// The status of an answer, and its problem document if it is one.
fn parse(answer: &str) -> (u16, serde_json::Value) {
    let status = answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    if status != 200 {
        assert!(head.contains("content-type: application/problem+json"), "{answer}");
        assert!(head.contains("connection: close"), "{answer}");
    }
    (status, serde_json::from_str(body).unwrap_or_default())
}

#[tokio::test]
async fn each_refusal_has_its_status_and_code_and_closes() {
    let server = serve(Limits::default()).await;
    let long_target = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(9 << 10));
    let long_header = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(33 << 10));
    let many_headers = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(100));
    let cases: [(&str, u16, &str); 15] = [
        ("GET / HTTP/1.1\r\n\r\n", 400, "bad_request"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "bad_request"),
        ("GET / HTTP/1.1\nHost: a\n\n", 400, "bad_request"),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "bad_request"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400, "bad_request"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400, "bad_request"),
        ("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_request"),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 400, "bad_request"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "bad_request"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "bad_request"),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400, "bad_request"),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "bad_request"),
        (&long_target, 414, "uri_too_long"),
        (&long_header, 431, "headers_too_large"),
        (&many_headers, 431, "headers_too_large"),
    ];
    for (request, status, code) in cases {
        let (got, problem) = parse(&server.exchange(request).await);
        assert_eq!(got, status, "{request:?}");
        assert_eq!(problem["code"], code, "{request:?}");
        assert_eq!(problem["status"], status, "{request:?}");
    }
    assert_eq!(server.counters.begun.load(std::sync::atomic::Ordering::SeqCst), 0, "no handler saw any of them");
}

#[tokio::test]
async fn a_request_behind_a_refused_one_is_not_seen() {
    let server = serve(Limits::default()).await;
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    let answer = server
        .exchange(format!(
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
        ))
        .await;
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    assert_eq!(parse(&answer).0, 400);
}

#[tokio::test]
async fn the_request_before_a_refused_one_is_answered_first() {
    let server = serve(Limits::default()).await;
    let answer =
        server.exchange("GET /short HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost : a\r\n\r\n").await;
    let (first, second) = answer.split_at(answer.rfind("HTTP/1.1").expect("two answers"));
    assert!(first.starts_with("HTTP/1.1 200") && first.ends_with("short"), "{answer}");
    assert_eq!(parse(second).0, 400);
}

#[tokio::test]
async fn a_broken_chunk_is_told_to_the_handler() {
    let server = serve(Limits::default()).await;
    for broken in ["3\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n", "x\r\n", "1;a\rb\r\nx\r\n0\r\n\r\n"] {
        let answer = server
            .exchange(format!("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{broken}"))
            .await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{broken:?}: {answer}");
    }
}

#[tokio::test]
async fn a_body_over_its_cap_is_413_and_the_client_can_read_it() {
    let server = serve(Limits::default()).await;
    let body = "x".repeat(300 << 10);
    let sized = format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let chunk = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let chunked = format!("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}");
    for request in [sized, chunked] {
        let answer = server.exchange(request).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }
}

#[tokio::test]
async fn a_refusal_arrives_although_the_client_keeps_sending() {
    let server = serve(Limits::default()).await;
    let mut client = server.connect().await;
    client.write_all(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n").await.expect("the listener reads");
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    for _ in 0..20 {
        client.write_all(&[b'x'; 8192]).await.expect("the listener still reads");
    }
    let answer = read_all(&mut client).await;
    assert_eq!(parse(&answer).0, 400);
}

#[tokio::test]
async fn noise_is_answered_at_once() {
    let server = serve(Limits::default()).await;
    let mut client = server.connect().await;
    client.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01").await.expect("the listener reads");
    let answer = read_until(&mut client, "}").await;
    assert_eq!(parse(&answer).0, 400);
}

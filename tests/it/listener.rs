//! The listener, byte by byte: what is no clear HTTP is refused, and what is clear is served, on one port.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Version};

use crate::behaviour::Stage;
use crate::claim::{claims, run};
use crate::document;
use crate::http1::{Connection, Message};

claims![
    a_connection_serves_request_after_request,
    http_2_is_served_on_the_same_port,
    ambiguous_requests_are_refused_and_the_connection_closed,
    a_body_that_hides_a_request_is_a_body,
    what_is_too_large_is_refused_by_name,
    an_answer_to_head_has_no_body,
    a_client_that_expects_100_gets_it,
    operators_can_ask_for_health_and_readiness,
    a_drain_lets_open_requests_finish,
];

const TEXT: &str = "# The listener

```yaml composition
backends: { a: { rest: http://a.test } }
endpoints:
  GET /fast: { result: \"${request.method}\" }
  GET /slow: { steps: { s: { backend: a, get: /s } }, result: \"${s}\" }
  POST /echo: { result: \"${request.body}\" }
```

```backend a
GET /s -> after 300ms 200 \"done\"
```
";

async fn set(name: &str) -> Result<Stage, String> {
    Stage::set(&document::read(TEXT)?, &format!("listener/{name}")).await
}

async fn open(stage: &Stage) -> Result<Connection, String> {
    Connection::open(stage.gateway.address()).await.map_err(|error| error.to_string())
}

async fn ask(connection: &mut Connection, bytes: &[u8]) -> Result<Message, String> {
    connection.send(bytes).await.map_err(|error| error.to_string())?;
    let answer = tokio::time::timeout(Duration::from_secs(5), connection.response("GET")).await;
    answer.map_err(|_| "no answer".to_owned())?.map_err(|error| error.to_string())
}

const FAST: &[u8] = b"GET /fast HTTP/1.1\r\nHost: a\r\n\r\n";

fn a_connection_serves_request_after_request() -> Result<(), String> {
    run(async {
        let stage = set("keep-alive").await?;
        let mut connection = open(&stage).await?;
        for _ in 0..3 {
            assert_eq!(ask(&mut connection, FAST).await?.text(), "\"GET\"");
        }
        let two = [FAST, FAST].concat();
        assert_eq!(ask(&mut connection, &two).await?.status(), 200);
        assert_eq!(ask(&mut connection, b"").await?.status(), 200);
        Ok(())
    })
}

fn http_2_is_served_on_the_same_port() -> Result<(), String> {
    run(async {
        let stage = set("h2").await?;
        let stream =
            tokio::net::TcpStream::connect(stage.gateway.address()).await.map_err(|error| error.to_string())?;
        let (sender, connection) = h2::client::handshake(stream).await.map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        let mut sender: h2::client::SendRequest<Bytes> = sender.ready().await.map_err(|error| error.to_string())?;
        let request =
            Request::get("http://a/fast").version(Version::HTTP_2).body(()).map_err(|error| error.to_string())?;
        let (answer, _) = sender.send_request(request, true).map_err(|error| error.to_string())?;
        let mut answer = answer.await.map_err(|error| error.to_string())?;
        assert_eq!(answer.status(), 200);
        let body = answer.body_mut().data().await.ok_or("no body")?.map_err(|error| error.to_string())?;
        assert_eq!(&body[..], b"\"GET\"");
        Ok(())
    })
}

/// Requests that two readers could read differently (RFC 9112, sections 2.2, 3.2, 5.2 and 6.1).
const AMBIGUOUS: &[(&str, &[u8])] = &[
    ("no host", b"GET /fast HTTP/1.1\r\n\r\n"),
    ("two hosts", b"GET /fast HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    ("two equal hosts", b"GET /fast HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    (
        "length and coding",
        b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
    ),
    (
        "two lengths",
        b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12",
    ),
    ("a signed length", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n1"),
    ("an unknown coding", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    ("a coding before chunked", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    ("identity", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nContent-Length: 1\r\n\r\n1"),
    ("chunked twice", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("chunked in HTTP/1.0", b"POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("a bare line feed", b"GET /fast HTTP/1.1\nHost: a\n\n"),
    ("a bare line feed after a header", b"GET /fast HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n"),
    ("a folded line", b"GET /fast HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n"),
    ("a blank before the colon", b"GET /fast HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n"),
    ("no header name", b"GET /fast HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"),
    ("a NUL in a value", b"GET /fast HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\n\r\n"),
    ("a host that is none", b"GET /fast HTTP/1.1\r\nHost: a/b@c\r\n\r\n"),
];

fn ambiguous_requests_are_refused_and_the_connection_closed() -> Result<(), String> {
    run(async {
        let stage = set("ambiguous").await?;
        let mut wrong = Vec::new();
        for (name, bytes) in AMBIGUOUS {
            let mut connection = open(&stage).await?;
            // What follows must never be taken for a request of its own.
            let sent = [bytes, FAST].concat();
            connection.send(&sent).await.map_err(|error| error.to_string())?;
            let rest = tokio::time::timeout(Duration::from_secs(3), connection.rest()).await;
            let Ok(rest) = rest else {
                wrong.push(format!("{name}: neither answered nor closed"));
                continue;
            };
            let rest = String::from_utf8_lossy(&rest).into_owned();
            // Closing without a word refuses as well.
            let names_itself = rest.contains("\r\nx-request-id: ") && rest.contains("\"request_id\":\"");
            let refused = (rest.starts_with("HTTP/1.1 400") && names_itself) || rest.is_empty();
            if !refused || rest.matches("HTTP/1.1 ").count() > 1 {
                wrong.push(format!("{name}: {rest}"));
            }
        }
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(wrong.join("\n")),
        }
    })
}

fn a_body_that_hides_a_request_is_a_body() -> Result<(), String> {
    run(async {
        let stage = set("hidden").await?;
        let mut connection = open(&stage).await?;
        let body = "\"GET /fast HTTP/1.1 Host: a\"";
        let head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
        let sent = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        assert_eq!(ask(&mut connection, sent.as_bytes()).await?.text(), body);
        let sent =
            format!("{head}Transfer-Encoding: chunked\r\n\r\n5;x=y\r\n[1,2,\r\n2\r\n3]\r\n0\r\nX-Trailer: a\r\n\r\n");
        assert_eq!(ask(&mut connection, sent.as_bytes()).await?.text(), "[1,2,3]");
        assert_eq!(ask(&mut connection, FAST).await?.text(), "\"GET\"");
        Ok(())
    })
}

fn what_is_too_large_is_refused_by_name() -> Result<(), String> {
    run(async {
        let stage = set("large").await?;
        let cases = [
            (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(60_000)), 414),
            (format!("GET /fast HTTP/1.1\r\nHost: a\r\nX-A: {}\r\n\r\n", "x".repeat(300_000)), 431),
            (format!("GET /fast HTTP/1.1\r\nHost: a\r\n{}\r\n", "x: y\r\n".repeat(5_000)), 431),
        ];
        for (sent, status) in cases {
            let answer = ask(&mut open(&stage).await?, sent.as_bytes()).await?;
            assert_eq!(answer.status(), status, "{}", answer.first_line);
        }
        assert_eq!(ask(&mut open(&stage).await?, FAST).await?.status(), 200);
        Ok(())
    })
}

fn an_answer_to_head_has_no_body() -> Result<(), String> {
    run(async {
        let stage = set("head").await?;
        let mut connection = open(&stage).await?;
        connection
            .send(b"HEAD /fast HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .await
            .map_err(|e| e.to_string())?;
        let all = String::from_utf8_lossy(&connection.rest().await).into_owned();
        assert!(all.starts_with("HTTP/1.1 200") && all.ends_with("\r\n\r\n"), "{all}");
        Ok(())
    })
}

fn a_client_that_expects_100_gets_it() -> Result<(), String> {
    run(async {
        let stage = set("continue").await?;
        let mut connection = open(&stage).await?;
        let head = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n";
        connection.send(head).await.map_err(|error| error.to_string())?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(ask(&mut connection, b"7").await?.text(), "7");
        Ok(())
    })
}

fn operators_can_ask_for_health_and_readiness() -> Result<(), String> {
    run(async {
        let stage = set("admin").await?;
        for path in ["/healthz", "/readyz"] {
            let sent = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
            let mut connection = Connection::open(stage.gateway.admin_address()).await.map_err(|e| e.to_string())?;
            assert_eq!(ask(&mut connection, sent.as_bytes()).await?.status(), 200, "{path}");
            // Clients do not reach what is for operators.
            assert_eq!(ask(&mut open(&stage).await?, sent.as_bytes()).await?.status(), 404, "{path}");
        }
        Ok(())
    })
}

fn a_drain_lets_open_requests_finish() -> Result<(), String> {
    run(async {
        let stage = set("drain").await?;
        let mut connection = open(&stage).await?;
        let address = stage.gateway.address();
        connection.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await.map_err(|error| error.to_string())?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let (answer, ()) = tokio::join!(ask(&mut connection, b""), stage.gateway.stop());
        let answer = answer?;
        assert_eq!((answer.status(), answer.text().as_str()), (200, "\"done\""));
        assert!(Connection::open(address).await.is_err(), "the listener is still open");
        Ok(())
    })
}

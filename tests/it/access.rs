//! The access log of the command: each request leaves one line, however it ends.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::claim::{claims, run};
use crate::serve::Serving;

claims![
    every_request_is_one_line_also_one_that_is_refused,
    requests_over_http_2_have_their_line_too,
    a_streamed_answer_is_logged_at_its_end,
    a_request_without_an_answer_is_logged_as_left,
];

/// What is sent on a connection of its own, and the line that it leaves: method, path, route, status and code.
type Case<'a> = (String, (&'a str, &'a str, Option<&'a str>, u16, Option<&'a str>));

const ENDPOINTS: &str = "  GET /one/{id}: { args: { id: Int! }, result: 1 }
  POST /small: { body: JSON, max_body: 10B, result: 1 }
";

fn every_request_is_one_line_also_one_that_is_refused() -> Result<(), String> {
    let ask = |line: &str| format!("{line} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    let small = |rest: &str| {
        format!("POST /small HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\n{rest}")
    };
    let chunked = |chunks: &str| small(&format!("transfer-encoding: chunked\r\n\r\n{chunks}"));
    let (long, fields) = ("x".repeat(9 << 10), "x".repeat(33 << 10));
    let cut = format!("/{}", &long[..1_019]);
    let one = Some("/one/{id}");
    let cases: &[Case<'_>] = &[
        (ask("GET /one/1?q=secret"), ("GET", "/one/1", one, 200, None)),
        (ask("HEAD /one/1"), ("HEAD", "/one/1", one, 200, None)),
        (ask("GET /one/x"), ("GET", "/one/x", one, 400, Some("invalid_argument"))),
        (ask("GET /none"), ("GET", "/none", None, 404, Some("not_found"))),
        (ask("PUT /one/1"), ("PUT", "/one/1", None, 405, Some("method_not_allowed"))),
        (ask("OPTIONS *"), ("OPTIONS", "*", None, 204, None)),
        (ask("GET /a/../b"), ("GET", "/a/../b", None, 400, Some("bad_request"))),
        (small("content-length: 11\r\n\r\n"), ("POST", "/small", Some("/small"), 413, Some("body_too_large"))),
        (chunked("b\r\n12345678901\r\n0\r\n\r\n"), ("POST", "/small", Some("/small"), 413, Some("body_too_large"))),
        (chunked("zz\r\n"), ("POST", "/small", Some("/small"), 400, Some("bad_request"))),
        (small("content-length: 1\r\n\r\n{"), ("POST", "/small", Some("/small"), 400, Some("invalid_body"))),
        (ask(&format!("GET /{long}")), ("GET", &cut, None, 414, Some("uri_too_long"))),
        (
            format!("GET /one/1?secret HTTP/1.0\r\nx-a: {fields}\r\n\r\n"),
            ("GET", "/one/1", None, 431, Some("headers_too_large")),
        ),
        ("GET /one/1 HTTP/1.1\r\n\r\n".to_owned(), ("GET", "/one/1", None, 400, Some("bad_request"))),
        ("GET /one/1 HTTP/1.1\nhost: a\n\n".to_owned(), ("GET", "/one/1", None, 400, Some("bad_request"))),
        ("CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n".to_owned(), ("CONNECT", "", None, 400, Some("bad_request"))),
        // The beginning of TLS.
        ("\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03".to_owned(), ("_OTHER", "", None, 400, Some("bad_request"))),
    ];
    let mut serving = Serving::start("access/each", ENDPOINTS)?;
    for (sent, (method, path, route, status, cause)) in cases {
        let answer = exchange(serving.clients, sent.as_bytes())?;
        let line = serving.access()?;
        let shown = &sent[..sent.len().min(80)];
        assert_eq!(line["http.request.method"], *method, "{shown}: {line}");
        assert_eq!(line["url.path"], *path, "{shown}: {line}");
        assert_eq!(line.get("http.route"), route.map(Value::from).as_ref(), "{shown}: {line}");
        assert_eq!(line["http.response.status_code"], *status, "{shown}: {line}");
        assert_eq!(line.get("error.type"), cause.map(Value::from).as_ref(), "{shown}: {line}");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{shown}: {answer}");
        let id = line["request_id"].as_str().ok_or("no id")?;
        assert!(answer.contains(&format!("x-request-id: {id}\r\n")), "{shown}: {answer}");
        assert!(!line.to_string().contains("secret"), "{line}");
        let (_, body) = answer.split_once("\r\n\r\n").ok_or("no head")?;
        assert_eq!(line["http.response.body.size"], body.len(), "{shown}: {line}");
    }
    assert_eq!(serving.rest_of_access()?, Vec::<Value>::new(), "one line each");
    Ok(())
}

fn requests_over_http_2_have_their_line_too() -> Result<(), String> {
    let mut serving = Serving::start("access/http-2", ENDPOINTS)?;
    let clients = serving.clients;
    run(async {
        let stream = tokio::net::TcpStream::connect(clients).await.map_err(|error| error.to_string())?;
        let (sender, connection) = h2::client::handshake(stream).await.map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        let mut sender: h2::client::SendRequest<bytes::Bytes> =
            sender.ready().await.map_err(|error| error.to_string())?;
        for (host, path) in [("a", "/one/1"), ("b", "/one/2"), ("a", "/none")] {
            let request = http::Request::get(format!("http://a{path}")).header("host", host).body(());
            let (answer, _) = sender
                .send_request(request.map_err(|error| error.to_string())?, true)
                .map_err(|error| error.to_string())?;
            answer.await.map_err(|error| error.to_string())?;
        }
        Ok::<_, String>(())
    })?;
    for (path, status) in [("/one/1", 200), ("/one/2", 400), ("/none", 404)] {
        let line = serving.access()?;
        let said = [&line["network.protocol.version"], &line["url.path"], &line["http.response.status_code"]];
        assert_eq!(said, [&json!("2"), &json!(path), &json!(status)], "{line}");
    }
    Ok(())
}

fn a_streamed_answer_is_logged_at_its_end() -> Result<(), String> {
    let backend = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let address = backend.local_addr().map_err(|error| error.to_string())?;
    let endpoints = format!("  GET /stream: {{ proxy: a }}\nbackends: {{ a: {{ rest: \"http://{address}\" }} }}\n");
    let mut serving = Serving::start("access/streams", &endpoints)?;
    let request = b"GET /stream HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    // How the backend goes on after the first half of its body, and what the log says then.
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n";
    let sized = "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf";
    for (begin, end, bytes, cause) in [
        (chunked, Some("4\r\nhalf\r\n0\r\n\r\n"), 8, None),
        (sized, Some("half"), 8, None),
        (chunked, None, 4, Some("bad_reply")),
        (sized, None, 4, Some("bad_reply")),
    ] {
        let mut client = TcpStream::connect(serving.clients).map_err(|error| error.to_string())?;
        client.write_all(request).map_err(|error| error.to_string())?;
        let mut behind = accepted(&backend, begin)?;
        until(&mut client, "half")?;
        std::thread::sleep(Duration::from_millis(60));
        if let Some(end) = end {
            behind.write_all(end.as_bytes()).map_err(|error| error.to_string())?;
        }
        behind.shutdown(Shutdown::Both).map_err(|error| error.to_string())?;
        let line = serving.access()?;
        assert_eq!(line["http.response.body.size"], bytes, "{line}");
        assert_eq!(line["http.response.status_code"], 200, "{line}");
        assert_eq!(line.get("error.type"), cause.map(Value::from).as_ref(), "{line}");
        assert!(line["http.server.request.duration"].as_f64().is_some_and(|seconds| seconds >= 0.06), "{line}");
    }
    // A client that leaves in the middle got a status.
    let mut client = TcpStream::connect(serving.clients).map_err(|error| error.to_string())?;
    client.write_all(request).map_err(|error| error.to_string())?;
    let _behind = accepted(&backend, sized)?;
    until(&mut client, "half")?;
    drop(client);
    let line = serving.access()?;
    let said = [&line["http.response.status_code"], &line["http.response.body.size"], &line["error.type"]];
    assert_eq!(said, [&json!(200), &json!(4), &json!("client_left")], "{line}");
    assert_eq!(serving.rest_of_access()?, Vec::<Value>::new(), "one line each");
    Ok(())
}

fn a_request_without_an_answer_is_logged_as_left() -> Result<(), String> {
    let backend = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let address = backend.local_addr().map_err(|error| error.to_string())?;
    let endpoints = format!(
        "  GET /slow: {{ steps: {{ p: {{ backend: a, get: /p }} }} }}\nbackends: {{ a: {{ rest: \"http://{address}\" }} }}\n"
    );
    let mut serving = Serving::start("access/left", &endpoints)?;
    let mut client = TcpStream::connect(serving.clients).map_err(|error| error.to_string())?;
    client.write_all(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").map_err(|error| error.to_string())?;
    let _behind = accepted(&backend, "")?;
    drop(client);
    let line = serving.access()?;
    let said = [&line["http.response.status_code"], &line["http.route"], &line["error.type"]];
    assert_eq!(said, [&json!(499), &json!("/slow"), &json!("client_left")], "{line}");
    Ok(())
}

/// Sends bytes on a connection of its own, and reads to the end of the answer and the connection.
fn exchange(address: SocketAddr, sent: &[u8]) -> Result<String, String> {
    let mut stream = TcpStream::connect(address).map_err(|error| error.to_string())?;
    stream.write_all(sent).map_err(|error| error.to_string())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(|error| error.to_string())?;
    Ok(answer)
}

/// The next connection to a backend, whose request was read and answered with `reply`.
fn accepted(backend: &TcpListener, reply: &str) -> Result<TcpStream, String> {
    let (mut stream, _) = backend.accept().map_err(|error| error.to_string())?;
    until(&mut stream, "\r\n\r\n")?;
    stream.write_all(reply.as_bytes()).map_err(|error| error.to_string())?;
    Ok(stream)
}

/// Reads until this has come.
fn until(stream: &mut TcpStream, end: &str) -> Result<(), String> {
    let (mut read, mut byte) = (Vec::new(), [0]);
    while !read.ends_with(end.as_bytes()) {
        stream.read_exact(&mut byte).map_err(|error| error.to_string())?;
        read.push(byte[0]);
    }
    Ok(())
}

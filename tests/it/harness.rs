//! The tools of the tests, tested: what a document says must be what is sent, played and compared.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use http::{HeaderMap, Request};

use crate::backend::Backends;
use crate::claim::{claims, files, run, until};
use crate::compare;
use crate::document::{self, Asker, Document, Kind, Tls, Way};
use crate::http1::Connection;
use crate::name_server::{Record, Said, Wanted};
use crate::project::Project;
use crate::script::{self, Act};
use crate::zone;

claims![
    the_documents_and_the_rejects_are_found,
    a_document_is_read_block_by_block,
    a_document_with_an_unknown_block_is_refused,
    a_request_says_how_it_comes,
    what_the_command_does_is_read,
    lines_fit_with_stars_for_anything,
    a_script_knows_every_way_to_answer,
    quoted_bytes_are_read_with_their_escapes,
    an_answer_that_differs_in_one_byte_is_refused,
    a_star_stands_for_one_json_string_and_no_more,
    calls_that_are_missing_or_too_many_are_found,
    a_rest_backend_answers_in_turn_and_keeps_a_record,
    a_rest_backend_can_close_cut_and_write_raw_bytes,
    a_rest_backend_sees_a_caller_leave,
    a_name_without_a_backend_is_a_port_that_refuses,
    a_grpc_backend_answers_with_messages_and_statuses,
    a_grpc_backend_can_leave_out_trailers_and_break_frames,
    a_grpc_backend_sees_a_cancelled_call,
    a_script_that_does_not_fit_its_proto_is_refused,
    names_are_answered_in_turn,
    a_line_about_names_that_says_nothing_is_refused,
];

const DOCUMENT: &str = r#"# A claim

Words.

```yaml composition
backends: { a: { rest: http://a.test } }
```

```backend a
GET /one -> 200 {"n":1}
  x-count: 1
  -> after 20ms 500 {"n":2}
GET /items/* -> 200 {"id":"{*}"}
GET /raw -> bytes "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n\xff!"
GET /cut -> 200 cut {"half
GET /close -> close
GET /hang -> hang
POST /write {"a":1} -> 201 {}
```

```request
GET /x?y=1
x-user: 7

body
```

```answer
200 json within 2s
content-type: application/json
no x-secret

{"n":1}
```

```calls in order
a GET /one
  x-user: 7
a POST /write {"a":1}
  cancelled
```

```graphql request
# variables: {"id": "7"}
query ($id: ID!) { product(id: $id) { name } }
```
"#;

const GRPC: &str = r#"# A claim

```proto shop.proto
syntax = "proto3";
package shop;
service Shop { rpc Get(Key) returns (Item); rpc Break(Key) returns (Item); rpc Hang(Key) returns (Item); }
message Key { int64 id = 1; }
message Item { int64 id = 1; string name = 2; }
```

```backend shop
rpc shop.Shop/Get {"id":"7"} -> {"id":"7","name":"Kettle"}
  x-initial: a
  trailer x-trailing: b
rpc shop.Shop/Get {"id":"8"} -> status NOT_FOUND "no such item"
rpc shop.Shop/Get {"id":"9"} -> trailers-only UNAVAILABLE "later"
rpc shop.Shop/Get {"id":"10"} -> no-trailers {"id":"10"}
rpc shop.Shop/Break -> bytes "\x00\x00\x00\x00\xff"
rpc shop.Shop/Hang -> hang
```
"#;

fn parsed(text: &str) -> Document {
    document::read(text).expect("the test's document is well formed")
}

fn the_documents_and_the_rejects_are_found() {
    assert!(files("tests/behaviour", "md").len() > 60);
    assert!(files("tests/rejects", "yaml").len() > 30);
}

fn a_document_is_read_block_by_block() {
    let document = parsed(DOCUMENT);
    assert_eq!(document.title, "A claim");
    assert_eq!(document.files.len(), 1);
    assert_eq!(document.backends[0].rules.len(), 7);
    let Kind::Request(request) = &document.events[0].kind else { unreachable!("the first event is the request") };
    assert_eq!((request.target.as_str(), request.body.as_slice()), ("/x?y=1", b"body".as_slice()));
    assert_eq!(request.headers, [("x-user".to_owned(), "7".to_owned())]);
    let Kind::Answer(answer) = &document.events[1].kind else { unreachable!("the second event is the answer") };
    assert!(answer.json && answer.within == Some(Duration::from_secs(2)));
    assert_eq!(answer.headers[1], ("x-secret".to_owned(), None));
    let Kind::Calls(calls) = &document.events[2].kind else { unreachable!("the third event is the calls") };
    assert!(calls.in_order && calls.calls[1].cancelled && calls.calls[0].headers.len() == 1);
    let Kind::Request(request) = &document.events[3].kind else { unreachable!("the last event is GraphQL") };
    assert!(String::from_utf8_lossy(&request.body).contains(r#""variables":{"id":"7"}"#));
}

fn a_document_with_an_unknown_block_is_refused() {
    let wrong = "# A claim\n\n```anwser\n200\n```\n";
    assert_eq!(document::read(wrong).err(), Some("line 3: unknown block `anwser`".to_owned()));
    assert!(document::read("no title").is_err());
}

fn a_request_says_how_it_comes() {
    let way = |block: &str| {
        let document = parsed(&format!("# A\n\n```{block}\n```\n"));
        let Kind::Request(request) = &document.events[0].kind else { unreachable!("the only event is a request") };
        (format!("{} {}", request.method, request.target), request.way, document.is_of_the_command())
    };
    let (target, plain, of_the_command) = way("request\nGET /a b");
    assert_eq!((&*target, plain, of_the_command), ("GET /a b", Way::default(), false));
    let (target, told, of_the_command) = way("operator request\nGET /a at 127.0.0.2 drains after 50ms");
    let expected = Way {
        from: Asker::Operator,
        at: Some([127, 0, 0, 2].into()),
        drains: Some(Duration::from_millis(50)),
        tls: None,
    };
    assert_eq!((&*target, told, of_the_command), ("GET /a", expected, true));
    assert_eq!(way("request over TLS 1.2\nGET /a").1.tls, Some(Tls::Old));
    assert_eq!(way("request over TLS 1.3\nGET /a").1.tls, Some(Tls::New));
    for wrong in ["request over TLS 1.1\nGET /a", "request\nGET /a at home", "request\nGET /a drains after a while"] {
        assert!(document::read(&format!("# A\n\n```{wrong}\n```\n")).is_err(), "{wrong}");
    }
}

fn what_the_command_does_is_read() {
    let document = parsed("# A\n\n```access log\nnone\n```\n\n```end\nafter 1s within 2s\n```\n");
    assert!(document.is_of_the_command());
    assert!(matches!(&document.events[0].kind, Kind::Log(lines) if lines.is_empty()));
    let times = (Duration::from_secs(1), Duration::from_secs(2));
    assert!(matches!(document.events[1].kind, Kind::End(after, within) if (after, within) == times));
    let document = parsed("# A\n\n```answer\nnone within 1s\n\nrefused\n```\n");
    assert!(matches!(&document.events[0].kind, Kind::Answer(answer) if answer.status.is_none()));
    for wrong in ["answer\nnone", "answer\nnothing", "end\nafter 1s", "end\n"] {
        assert!(document::read(&format!("# A\n\n```{wrong}\n```\n")).is_err(), "{wrong}");
    }
}

fn lines_fit_with_stars_for_anything() {
    let fits = |expected: &[&str], actual: &[&str]| {
        let owned = |lines: &[&str]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
        compare::lines(&owned(expected), &owned(actual)).is_ok()
    };
    assert!(fits(&[], &[]) && fits(&["a", "*"], &["a", ""]) && fits(&["*é: *b*b"], &["aé: é: bbab"]));
    assert!(!fits(&["*"], &[]) && !fits(&[], &["a"]) && !fits(&["a", "b"], &["b", "a"]));
    assert!(!fits(&["a*"], &["ba"]) && !fits(&["*a"], &["ab"]) && !fits(&["a*a"], &["a"]));
}

fn a_script_knows_every_way_to_answer() {
    let acts = [
        ("hang", Act::Hang),
        ("close", Act::Close),
        ("204", Act::Http { status: 204, body: String::new(), whole: true }),
        ("200 string of 2MiB", Act::Long { status: 200, size: 2 << 20 }),
        ("status NOT_FOUND \"x\"", Act::Status { code: 5, text: "x".into(), trailers_only: false }),
        ("trailers-only CANCELLED", Act::Status { code: 1, text: String::new(), trailers_only: true }),
    ];
    for (text, act) in acts {
        let script = script::read("a", &format!("GET / -> {text}")).expect("well formed");
        assert_eq!(script.rules[0].replies[0].act, act, "{text}");
    }
    for wrong in ["GET / -> maybe", "GET /", "  x: y", "GET / -> status GONE \"\"", "GET / -> after 5 200"] {
        assert!(script::read("a", wrong).is_err(), "{wrong}");
    }
}

fn quoted_bytes_are_read_with_their_escapes() {
    assert_eq!(script::read_bytes(r#""a\r\n\xff\\\"""#), Ok(b"a\r\n\xff\\\"".to_vec()));
    assert!(script::read_bytes("bare").is_err());
}

fn an_answer_that_differs_in_one_byte_is_refused() {
    let answered = |expected: &str, actual: &str| {
        let text = format!("# A\n\n```answer\n{expected}\n```\n");
        let document = parsed(&text);
        let Kind::Answer(answer) = &document.events[0].kind else { unreachable!("the document has one answer") };
        let (head, body) = actual.split_once("\n\n").unwrap_or((actual, ""));
        let message = crate::http1::Message {
            first_line: "HTTP/1.1 200 OK".into(),
            headers: vec![("x-a".into(), head.into())],
            body: body.into(),
        };
        compare::answer(answer, &message)
    };
    assert_eq!(answered("200\nx-a: 1\n\n{\"a\":1}", "1\n\n{\"a\":1}"), Ok(()));
    assert!(answered("200\nx-a: 1\n\n{\"a\":1}", "1\n\n{\"a\": 1}").is_err());
    assert!(answered("200\nx-a: 2\n\n{}", "1\n\n{}").is_err());
    assert!(answered("200\nno x-a", "1\n\n").is_err());
    assert!(answered("404\n\n{}", "1\n\n{}").is_err());
    assert!(answered("200", "1\n\n{}").is_err());
    assert_eq!(answered("200 json\n\n{\"a\": \"*\"}", "1\n\n{\"a\":\"b\"}"), Ok(()));
    assert!(answered("200 json\n\n{\"a\": 1}", "1\n\n{\"a\":1,\"b\":2}").is_err());
}

fn a_star_stands_for_one_json_string_and_no_more() {
    let document = parsed("# A\n\n```answer\n200\n\n{\"id\":\"*\",\"b\":1}\n```\n");
    let Kind::Answer(answer) = &document.events[0].kind else { unreachable!("the document has one answer") };
    let message = |body: &str| crate::http1::Message {
        first_line: "HTTP/1.1 200 OK".into(),
        headers: Vec::new(),
        body: body.into(),
    };
    assert_eq!(compare::answer(answer, &message(r#"{"id":"x\"y","b":1}"#)), Ok(()));
    assert!(compare::answer(answer, &message(r#"{"id":7,"b":1}"#)).is_err());
    assert!(compare::answer(answer, &message(r#"{"id":"x","b":2}"#)).is_err());
}

fn calls_that_are_missing_or_too_many_are_found() {
    let seen = |target: &str| crate::backend::Seen {
        backend: "a".into(),
        asked: script::read_asked(&format!("GET {target}")).expect("well formed"),
        headers: Vec::new(),
        scripted: true,
        cancelled: false,
    };
    let expected = |info: &str, text: &str| {
        let document = parsed(&format!("# A\n\n```{info}\n{text}\n```\n"));
        let Kind::Calls(calls) = document.events[0].kind.clone() else { unreachable!("the document has one block") };
        calls
    };
    let both = [seen("/1"), seen("/2")];
    assert_eq!(compare::calls(&expected("calls", "a GET /2\na GET /1"), &both), Ok(()));
    assert!(compare::calls(&expected("calls in order", "a GET /2\na GET /1"), &both).is_err());
    assert!(compare::calls(&expected("calls", "a GET /1"), &both).is_err());
    assert!(compare::calls(&expected("calls", "a GET /1\na GET /1\na GET /2"), &both).is_err());
    assert!(compare::calls(&expected("calls", "none"), &both).is_err());
    assert!(compare::calls(&expected("calls", "a GET /1\n  x-a: 1\na GET /2"), &both).is_err());
    assert!(compare::calls(&expected("calls", "a GET /1\n  cancelled\na GET /2"), &both).is_err());
}

/// Starts the backends of a document without a gateway.
async fn backends(document: &Document, name: &str) -> Backends {
    let project = Project::write(&format!("harness/{name}"), &document.files).expect("the folder can be written");
    let protos = project.protos().expect("the protos compile");
    Backends::start(&document.backends, &protos).await.expect("the scripts can be played")
}

async fn connect(backends: &Backends, name: &str) -> Connection {
    let address = backends.locate(&format!("http://{name}.test"))["http://".len()..].parse().expect("an address");
    Connection::open(address).await.expect("the backend listens")
}

async fn get(connection: &mut Connection, target: &str) -> std::io::Result<crate::http1::Message> {
    connection.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await?;
    connection.response("GET").await
}

fn a_rest_backend_answers_in_turn_and_keeps_a_record() -> Result<(), String> {
    run(async {
        let backends = backends(&parsed(DOCUMENT), "turns").await;
        let mut connection = connect(&backends, "a").await;
        let mut bodies = Vec::new();
        for target in ["/one", "/one", "/one", "/items/a%20b", "/missing"] {
            let answer = get(&mut connection, target).await.map_err(|error| error.to_string())?;
            bodies.push(format!("{} {}", answer.status(), answer.text()));
        }
        let expected =
            ["200 {\"n\":1}", "500 {\"n\":2}", "500 {\"n\":2}", "200 {\"id\":\"a%20b\"}", "404 not scripted"];
        assert_eq!(bodies, expected);
        let scripted: Vec<bool> = backends.record.all().iter().map(|seen| seen.scripted).collect();
        assert_eq!(scripted, [true, true, true, true, false]);
        Ok(())
    })
}

fn a_rest_backend_can_close_cut_and_write_raw_bytes() {
    run(async {
        let backends = backends(&parsed(DOCUMENT), "raw").await;
        let raw = get(&mut connect(&backends, "a").await, "/raw").await.expect("an answer");
        assert_eq!(raw.body, b"\xff!");
        assert!(get(&mut connect(&backends, "a").await, "/close").await.is_err());
        assert!(get(&mut connect(&backends, "a").await, "/cut").await.is_err());
    });
}

fn a_rest_backend_sees_a_caller_leave() {
    run(async {
        let backends = backends(&parsed(DOCUMENT), "leave").await;
        let mut connection = connect(&backends, "a").await;
        connection.send(b"GET /hang HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("sent");
        assert!(until(|| backends.record.all().len() == 1).await);
        assert!(!backends.record.all()[0].cancelled);
        drop(connection);
        assert!(until(|| backends.record.all()[0].cancelled).await);
    });
}

fn a_name_without_a_backend_is_a_port_that_refuses() {
    run(async {
        let backends = backends(&parsed(DOCUMENT), "refuse").await;
        assert_eq!(backends.locate("{ rest: http://gone.test/v1 }"), "{ rest: http://127.0.0.1:1/v1 }");
        assert_eq!(backends.locate("http://example.com"), "http://example.com");
    });
}

/// What came back from one unary call.
#[derive(Debug)]
struct Unary {
    headers: HeaderMap,
    data: Vec<u8>,
    trailers: Option<HeaderMap>,
}

async fn open(backends: &Backends) -> SendRequest<Bytes> {
    let address = backends.locate("http://shop.test")["http://".len()..].to_owned();
    let stream = tokio::net::TcpStream::connect(address).await.expect("the backend listens");
    let (sender, connection) = h2::client::handshake(stream).await.expect("HTTP/2 begins");
    tokio::spawn(connection);
    sender
}

fn request(rpc: &str) -> Request<()> {
    Request::post(format!("http://shop/shop.Shop/{rpc}")).body(()).expect("a well-formed request")
}

async fn call(sender: &SendRequest<Bytes>, rpc: &str, id: u8) -> Unary {
    let mut sender = sender.clone().ready().await.expect("a stream is free");
    let (response, mut body) = sender.send_request(request(rpc), false).expect("sent");
    body.send_data(Bytes::copy_from_slice(&[0, 0, 0, 0, 2, 8, id]), true).expect("sent");
    let (head, mut body) = response.await.expect("an answer").into_parts();
    let mut data = Vec::new();
    while let Some(piece) = body.data().await {
        data.extend_from_slice(&piece.expect("data"));
    }
    Unary { headers: head.headers, data, trailers: body.trailers().await.expect("an end") }
}

fn a_grpc_backend_answers_with_messages_and_statuses() {
    run(async {
        let backends = backends(&parsed(GRPC), "grpc").await;
        let sender = open(&backends).await;
        let found = call(&sender, "Get", 7).await;
        assert_eq!(found.data, b"\0\0\0\0\x0a\x08\x07\x12\x06Kettle");
        assert_eq!(found.headers["x-initial"], "a");
        let trailers = found.trailers.expect("trailers");
        assert_eq!(
            (&trailers["grpc-status"], &trailers["x-trailing"]),
            (&"0".parse().expect("text"), &"b".parse().expect("text"))
        );
        let missing = call(&sender, "Get", 8).await.trailers.expect("trailers");
        assert_eq!((&missing["grpc-status"] == "5", &missing["grpc-message"] == "no such item"), (true, true));
        let later = call(&sender, "Get", 9).await;
        assert!(later.trailers.is_none() && later.headers["grpc-status"] == "14");
        let asked: Vec<String> = backends.record.all().iter().map(compare::show).collect();
        assert_eq!(asked[0], "shop rpc shop.Shop/Get {\"id\":\"7\"}");
    });
}

fn a_grpc_backend_can_leave_out_trailers_and_break_frames() {
    run(async {
        let backends = backends(&parsed(GRPC), "grpc-broken").await;
        let sender = open(&backends).await;
        assert!(call(&sender, "Get", 10).await.trailers.is_none());
        assert_eq!(call(&sender, "Break", 1).await.data, b"\0\0\0\0\xff");
    });
}

fn a_grpc_backend_sees_a_cancelled_call() {
    run(async {
        let backends = backends(&parsed(GRPC), "grpc-cancel").await;
        let mut sender = open(&backends).await.ready().await.expect("a stream is free");
        let (response, mut body) = sender.send_request(request("Hang"), false).expect("sent");
        body.send_data(Bytes::from_static(b"\0\0\0\0\0"), true).expect("sent");
        assert!(until(|| backends.record.all().len() == 1).await);
        assert!(!backends.record.all()[0].cancelled);
        body.send_reset(h2::Reason::CANCEL);
        drop(response);
        assert!(until(|| backends.record.all()[0].cancelled).await);
    });
}

fn a_script_that_does_not_fit_its_proto_is_refused() {
    run(async {
        for wrong in ["{\"naem\":1}", "{\"id\":\"x\"}"] {
            let document = parsed(&GRPC.replace("{\"id\":\"7\",\"name\":\"Kettle\"}", wrong));
            let project = Project::write("harness/misfit", &document.files).expect("the folder can be written");
            let protos = project.protos().expect("the protos compile");
            assert!(Backends::start(&document.backends, &protos).await.is_err(), "{wrong}");
        }
    });
}

fn names_are_answered_in_turn() {
    let text = "a.test A -> 127.0.0.1 for 1s\n  -> no such name\n_x._tcp.a.test SRV -> 1 2 b.test:{one.port}\n";
    let mut play = zone::read(text).expect("it is well formed").play(HashMap::from([("one".to_owned(), 7)]));
    assert_eq!(play("a.test", Wanted::A), Said::Records(1, vec![Record::Address([127, 0, 0, 1].into())]));
    assert_eq!(play("a.test", Wanted::A), Said::NoSuchName);
    assert_eq!(play("a.test", Wanted::A), Said::NoSuchName);
    assert_eq!(play("a.test", Wanted::Aaaa), Said::Records(60, Vec::new()));
    assert_eq!(play("b.test", Wanted::A), Said::NoSuchName);
    let service = Record::Service(1, 2, 7, "b.test".to_owned());
    assert_eq!(play("_x._tcp.a.test", Wanted::Srv), Said::Records(60, vec![service]));
}

fn a_line_about_names_that_says_nothing_is_refused() {
    for text in [
        "a.test A 127.0.0.1",
        "a.test MX -> 127.0.0.1",
        "-> 127.0.0.1",
        "a.test A -> somewhere",
        "a.test A -> 127.0.0.1 for 1m",
    ] {
        assert!(zone::read(text).is_err(), "{text}");
    }
}

//! TLS on real sockets: clients of the gateway over HTTP/1.1 and HTTP/2, backends that agree on HTTP/2, and what the log
//! says of those that are not to be trusted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use rustls::HandshakeKind;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::behaviour::{Stage, send};
use crate::certificates::{self, connect};
use crate::claim::{claims, run};
use crate::document;
use crate::gateway::Running;
use crate::http1::Connection;
use crate::project::Project;
use crate::reload;
use crate::serve::Serving;

claims![
    clients_are_served_over_tls_in_both_versions,
    a_client_without_tls_gets_no_answer_and_harms_nobody,
    a_client_that_begins_tls_and_does_not_end_it_is_given_up,
    a_client_that_leaves_over_tls_cancels_its_calls,
    a_rest_backend_that_agrees_on_http_2_gets_its_calls_on_one_connection,
    a_backend_that_goes_back_to_http_1_is_asked_in_it,
    bodies_stream_through_to_a_backend_over_http_2,
    an_upload_goes_to_a_backend_over_http_2_as_it_comes,
    the_log_says_what_is_wrong_with_a_certificate,
    a_new_certificate_is_shown_from_the_next_reload_on,
    a_session_is_resumed_across_reloads_until_tls_itself_changes,
];

const DOCUMENT: &str = "# TLS to clients

```yaml composition
gateway: { tls: { certificate: /tls.test/server.pem, key: /tls.test/server.key, minimum: \"1.3\" } }
backends: { a: { rest: http://a.test } }
endpoints:
  GET /page: { steps: { r: { backend: a, get: /page } }, result: \"${r}\" }
  GET /hang: { steps: { r: { backend: a, get: /hang } }, result: \"${r}\" }
  POST /echo: { max_body: 4MiB, result: \"${request.body}\" }
```

```backend a
GET /page -> 200 {\"n\":1}
GET /hang -> hang
```
";

async fn set(name: &str) -> Result<Stage, String> {
    Stage::set(&document::read(DOCUMENT)?, &format!("secure/{name}")).await
}

fn clients_are_served_over_tls_in_both_versions() -> Result<(), String> {
    run(async {
        let stage = set("both").await?;
        let mut one =
            Connection::over(Box::new(connect(stage.gateway.address(), b"http/1.1", rustls::ALL_VERSIONS).await?));
        for _ in 0..2 {
            one.send(b"GET /page HTTP/1.1\r\nhost: a\r\n\r\n").await.map_err(|error| error.to_string())?;
            assert_eq!(one.response("GET").await.map_err(|error| error.to_string())?.text(), "{\"n\":1}");
        }
        let long = format!("\"{}\"", "x".repeat(3 << 20));
        let head = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length";
        one.send(format!("{head}: {}\r\n\r\n{long}", long.len()).as_bytes()).await.map_err(|e| e.to_string())?;
        assert_eq!(one.response("POST").await.map_err(|error| error.to_string())?.text(), long);
        let two = connect(stage.gateway.address(), b"h2", rustls::ALL_VERSIONS).await?;
        let (sender, connection) = h2::client::handshake(two).await.map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        let mut sender: h2::client::SendRequest<Bytes> = sender.ready().await.map_err(|error| error.to_string())?;
        let request = Request::get("https://a/page").body(()).map_err(|error| error.to_string())?;
        let (answer, _) = sender.send_request(request, true).map_err(|error| error.to_string())?;
        let mut answer = answer.await.map_err(|error| error.to_string())?;
        let body = answer.body_mut().data().await.ok_or("no body")?.map_err(|error| error.to_string())?;
        assert_eq!((answer.status().as_u16(), &body[..]), (200, b"{\"n\":1}".as_slice()));
        stage.gateway.stop().await;
        Ok(())
    })
}

fn a_client_without_tls_gets_no_answer_and_harms_nobody() -> Result<(), String> {
    run(async {
        let stage = set("without").await?;
        let mut plain = Connection::open(stage.gateway.address()).await.map_err(|error| error.to_string())?;
        plain.send(b"GET /page HTTP/1.1\r\nhost: a\r\n\r\n").await.map_err(|error| error.to_string())?;
        let rest = tokio::time::timeout(Duration::from_secs(3), plain.rest()).await;
        let rest = rest.map_err(|_| "it is neither answered nor closed")?;
        assert!(!rest.windows(4).any(|bytes| bytes == b"HTTP"), "{rest:?}");
        assert_eq!(stage.backends.record.all().len(), 0);
        connect(stage.gateway.address(), b"http/1.1", rustls::ALL_VERSIONS).await.map(drop)
    })
}

fn a_client_that_begins_tls_and_does_not_end_it_is_given_up() -> Result<(), String> {
    run(async {
        let stage = set("slow").await?;
        let mut slow = Connection::open(stage.gateway.address()).await.map_err(|error| error.to_string())?;
        // The head of a record that never comes.
        slow.send(&[22, 3, 1, 1, 0]).await.map_err(|error| error.to_string())?;
        let closed = tokio::time::timeout(Duration::from_secs(15), slow.closed()).await;
        closed.map_err(|_| "a handshake that does not end is waited for without end".to_owned())
    })
}

fn a_client_that_leaves_over_tls_cancels_its_calls() -> Result<(), String> {
    run(async {
        let stage = set("leaves").await?;
        let mut client =
            Connection::over(Box::new(connect(stage.gateway.address(), b"http/1.1", rustls::ALL_VERSIONS).await?));
        client.send(b"GET /hang HTTP/1.1\r\nhost: a\r\n\r\n").await.map_err(|error| error.to_string())?;
        assert!(crate::claim::until(|| stage.backends.record.all().len() == 1).await);
        drop(client);
        assert!(crate::claim::until(|| stage.backends.record.all()[0].cancelled).await);
        Ok(())
    })
}

/// A REST backend that speaks HTTP/2 over TLS as long as `agrees`, and counts its connections.
struct Modern {
    port: u16,
    connections: Arc<AtomicUsize>,
    /// How many connections get HTTP/2; the others HTTP/1.1.
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Modern {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Modern {
    /// The first `agreeing` connections get HTTP/2, each for one request if there are others after them.
    async fn start(agreeing: usize) -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = counted.fetch_add(1, Ordering::SeqCst);
                let is_last = agreeing < usize::MAX;
                tokio::spawn(async move {
                    match number < agreeing {
                        true => serve_http2(stream, is_last).await,
                        false => serve_http1(stream).await,
                    }
                });
            }
        });
        Ok(Self { port, connections, task })
    }

    async fn gateway(&self, name: &str) -> Result<Running, String> {
        let text = format!(
            "backends:\n  m: {{ rest: \"https://localhost:{}\", tls: {{ authorities: /tls.test/authority.pem }} }}\nendpoints:\n  \
             GET /page: {{ steps: {{ r: {{ backend: m, post: /page, read: true, body: {{ a: 1 }} }} }}, result: \"${{r}}\" }}\n  \
             ANY /pass/{{*rest}}: {{ max_body: 8MiB, proxy: {{ backend: m, path: \"/${{args.rest}}\" }} }}\n  \
             POST /up: {{ body: {{ type: Upload, max: 8MiB }}, steps: {{ r: {{ backend: m, post: /up, raw: \"${{args.body}}\" }} }}, result: \"${{r}}\" }}\n  \
             POST /form: {{ body: {{ type: Upload, max: 8MiB }}, steps: {{ r: {{ backend: m, post: /form, multipart: {{ a: b, f: \"${{args.body}}\" }} }} }}, result: \"${{r}}\" }}\n",
            self.port
        );
        let files = [("compositions/main.yaml".to_owned(), certificates::locate(&text))];
        Running::start(Project::write(&format!("secure/{name}"), &files)?.root()).await
    }
}

/// Answers each request with its version, method, path, host and body.
async fn serve_http2(stream: TcpStream, is_last: bool) {
    let acceptor = TlsAcceptor::from(certificates::server("server", &[b"h2", b"http/1.1"]));
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let answered = tokio::spawn(async move {
            let (head, mut body) = request.into_parts();
            let mut length = 0;
            while let Some(Ok(data)) = body.data().await {
                length += data.len();
                let _ = body.flow_control().release_capacity(data.len());
            }
            let text = format!("{{\"version\":2,\"path\":\"{}\",\"bytes\":{length}}}", head.uri.path());
            let mut answer = Response::new(());
            answer.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
            if let Ok(mut stream) = respond.send_response(answer, false) {
                let _ = stream.send_data(Bytes::from(text), true);
            }
        });
        if is_last {
            connection.graceful_shutdown();
        }
        drop(answered);
    }
}

async fn serve_http1(stream: TcpStream) {
    let acceptor = TlsAcceptor::from(certificates::server("server", &[b"http/1.1"]));
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let mut connection = Connection::over(Box::new(stream));
    while let Ok(Some(_)) = connection.request().await {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 13\r\n\r\n{\"version\":1}";
        if connection.send(answer).await.is_err() {
            return;
        }
    }
}

fn request(method: &str, target: &str, body: Vec<u8>) -> document::Request {
    document::Request {
        method: method.into(),
        target: target.into(),
        headers: Vec::new(),
        body,
        ..document::Request::default()
    }
}

async fn ask(gateway: &Running, request: document::Request) -> Result<String, String> {
    let answer = send(gateway, &request).await?.ok_or("the client does not leave")?;
    match answer.status() {
        200 => Ok(answer.text()),
        _ => Err(answer.text()),
    }
}

fn a_rest_backend_that_agrees_on_http_2_gets_its_calls_on_one_connection() -> Result<(), String> {
    run(async {
        let backend = Modern::start(usize::MAX).await?;
        let gateway = backend.gateway("http2").await?;
        let asked = (0..40).map(|_| ask(&gateway, request("GET", "/page", Vec::new())));
        for answer in futures_util::future::join_all(asked).await {
            assert_eq!(answer?, "{\"version\":2,\"path\":\"/page\",\"bytes\":7}");
        }
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let connections = backend.connections.load(Ordering::SeqCst);
        assert!(connections <= workers, "{connections} connections for {workers} workers");
        gateway.stop().await;
        Ok(())
    })
}

fn a_backend_that_goes_back_to_http_1_is_asked_in_it() -> Result<(), String> {
    run(async {
        let backend = Modern::start(1).await?;
        let gateway = backend.gateway("back").await?;
        assert!(ask(&gateway, request("GET", "/page", Vec::new())).await?.contains("\"version\":2"));
        let mut answers = Vec::new();
        for _ in 0..6 {
            answers.push(ask(&gateway, request("GET", "/page", Vec::new())).await);
        }
        // At most one call for each worker meets the change.
        let last = answers.last().ok_or("nothing was asked")?;
        assert_eq!(last.as_deref(), Ok("{\"version\":1}"), "{answers:?}");
        gateway.stop().await;
        Ok(())
    })
}

fn bodies_stream_through_to_a_backend_over_http_2() -> Result<(), String> {
    run(async {
        let backend = Modern::start(usize::MAX).await?;
        let gateway = backend.gateway("stream").await?;
        for size in [0, 1, 5 << 20] {
            let answer = ask(&gateway, request("POST", "/pass/up", vec![b'x'; size])).await?;
            assert_eq!(answer, format!("{{\"version\":2,\"path\":\"/up\",\"bytes\":{size}}}"));
        }
        let too_large = ask(&gateway, request("POST", "/pass/up", vec![b'x'; 9 << 20])).await;
        assert!(too_large.is_err_and(|answer| answer.contains("body_too_large")));
        gateway.stop().await;
        Ok(())
    })
}

fn an_upload_goes_to_a_backend_over_http_2_as_it_comes() -> Result<(), String> {
    run(async {
        let backend = Modern::start(usize::MAX).await?;
        let gateway = backend.gateway("upload").await?;
        for size in [0, 1, 5 << 20] {
            let answer = ask(&gateway, request("POST", "/up", vec![b'x'; size])).await?;
            assert_eq!(answer, format!("{{\"version\":2,\"path\":\"/up\",\"bytes\":{size}}}"));
        }
        let length = |answer: &str| -> Result<usize, String> {
            let answer: serde_json::Value = serde_json::from_str(answer).map_err(|error| error.to_string())?;
            answer["bytes"].as_u64().and_then(|bytes| usize::try_from(bytes).ok()).ok_or_else(|| answer.to_string())
        };
        let empty = length(&ask(&gateway, request("POST", "/form", Vec::new())).await?)?;
        let full = length(&ask(&gateway, request("POST", "/form", vec![b'x'; 5 << 20])).await?)?;
        assert_eq!(full - empty, 5 << 20);
        let too_large = ask(&gateway, request("POST", "/up", vec![b'x'; 9 << 20])).await;
        assert!(too_large.is_err_and(|answer| answer.contains("body_too_large")));
        // Whoever breaks off one upload harms no other.
        let mut client = Connection::open(gateway.address()).await.map_err(|error| error.to_string())?;
        client
            .send(b"POST /up HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n1234")
            .await
            .map_err(|e| e.to_string())?;
        drop(client);
        assert!(ask(&gateway, request("POST", "/up", vec![b'x'; 3])).await?.contains("\"bytes\":3"));
        gateway.stop().await;
        Ok(())
    })
}

fn the_log_says_what_is_wrong_with_a_certificate() -> Result<(), String> {
    let wrong = [
        ("expired", "the backend's certificate has expired"),
        ("stranger", "the backend's certificate comes from an authority that is not trusted"),
        ("misnamed", "not for `localhost`"),
        ("itself", "the backend's certificate is that of an authority"),
    ];
    for (name, said) in wrong {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
        listener.set_nonblocking(true).map_err(|error| error.to_string())?;
        runtime.spawn(async move {
            let Ok(listener) = TcpListener::from_std(listener) else { return };
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = TlsAcceptor::from(certificates::server(name, &[b"http/1.1"]));
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let _ = stream.read(&mut [0; 1]).await;
                }
            }
        });
        let endpoints = format!(
            "  GET /one: {{ steps: {{ r: {{ backend: b, get: / }} }}, result: \"${{r}}\" }}\nbackends:\n  \
             b: {{ rest: \"https://localhost:{port}\", tls: {{ authorities: /tls.test/authority.pem }} }}\n"
        );
        let mut serving = Serving::start(&format!("secure/{name}"), &certificates::locate(&endpoints))?;
        let answer = serving.ask("GET /one HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")?;
        assert!(answer.starts_with("HTTP/1.1 502") && !answer.contains("certificate"), "{answer}");
        let line = serving.line(|line| line["message"] == "a request failed")?;
        let log = line["log"].as_str().unwrap_or_default();
        assert!(log.contains(said) && log.contains("TLS"), "{log}");
    }
    Ok(())
}

fn a_new_certificate_is_shown_from_the_next_reload_on() -> Result<(), String> {
    run(async {
        let text = "gateway: { tls: { certificate: tls/own.pem, key: tls/own.key } }\nendpoints: { GET /one: { result: 1 } }\n";
        let project = Project::write("secure/renewed", &[("compositions/main.yaml".to_owned(), text.to_owned())])?;
        let folder = project.root().join("tls");
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let renew = |from: &str, ending: &str| {
            let copied =
                std::fs::copy(certificates::file(&format!("{from}.{ending}")), folder.join(format!("own.{ending}")));
            copied.map(drop).map_err(|error| error.to_string())
        };
        renew("server", "pem")?;
        renew("server", "key")?;
        let gateway = Running::start(project.root()).await?;
        let address = gateway.address();
        let reload = || reload::ask(gateway.admin_address(), "POST", "/reload");
        let mut open = Connection::over(Box::new(connect(address, b"http/1.1", rustls::ALL_VERSIONS).await?));
        // Half of what is new is no certificate: the whole one is shown until the other half is there.
        renew("misnamed", "pem")?;
        let (status, text) = reload().await?;
        assert!(status == 422 && text.contains("another key than that of the certificate"), "{status} {text}");
        connect(address, b"h2", rustls::ALL_VERSIONS).await?;
        renew("misnamed", "key")?;
        assert_eq!(reload().await?, (200, "taken up\nfiles changed: tls/own.key, tls/own.pem\n".to_owned()));
        let refused =
            connect(address, b"h2", rustls::ALL_VERSIONS).await.err().ok_or("the former certificate is shown")?;
        assert!(refused.contains("other.test"), "{refused}");
        // Connections that were there before stay.
        open.send(b"GET /one HTTP/1.1\r\nhost: a\r\n\r\n").await.map_err(|error| error.to_string())?;
        assert_eq!(open.response("GET").await.map_err(|error| error.to_string())?.text(), "1");
        gateway.stop().await;
        Ok(())
    })
}

fn a_session_is_resumed_across_reloads_until_tls_itself_changes() -> Result<(), String> {
    run(async {
        let text = |more: &str, result: u8| {
            let text = format!(
                "gateway: {{ tls: {{ certificate: /tls.test/server.pem, key: /tls.test/server.key{more} }} }}\n\
                 endpoints: {{ GET /one: {{ result: {result} }} }}\n"
            );
            certificates::locate(&text)
        };
        for versions in [&[&rustls::version::TLS12], &[&rustls::version::TLS13]] {
            let project = Project::write("secure/resumed", &[("compositions/main.yaml".to_owned(), text("", 1))])?;
            let gateway = Running::start(project.root()).await?;
            let client = certificates::client(b"http/1.1", versions);
            let asked = async |result: u8| {
                let stream = certificates::connect_again(&client, gateway.address()).await?;
                let kind = stream.get_ref().1.handshake_kind();
                let mut connection = Connection::over(Box::new(stream));
                connection.send(b"GET /one HTTP/1.1\r\nhost: a\r\n\r\n").await.map_err(|error| error.to_string())?;
                let answer = connection.response("GET").await.map_err(|error| error.to_string())?;
                assert_eq!(answer.text(), result.to_string());
                Ok::<_, String>(kind)
            };
            let change = async |text: String| {
                std::fs::write(project.root().join("compositions/main.yaml"), text)
                    .map_err(|error| error.to_string())?;
                let (status, said) = reload::ask(gateway.admin_address(), "POST", "/reload").await?;
                if status == 200 { Ok(()) } else { Err(said) }
            };
            assert_eq!(asked(1).await?, Some(HandshakeKind::Full));
            assert_eq!(asked(1).await?, Some(HandshakeKind::Resumed));
            change(text("", 2)).await?;
            assert_eq!(asked(2).await?, Some(HandshakeKind::Resumed), "{versions:?}");
            change(text(", minimum: \"1.2\"", 3)).await?;
            assert_eq!(asked(3).await?, Some(HandshakeKind::Resumed), "what is said by default may be written");
            if versions[0].version == rustls::ProtocolVersion::TLSv1_3 {
                change(text(", minimum: \"1.3\"", 4)).await?;
                assert_ne!(asked(4).await?, Some(HandshakeKind::Resumed), "other versions are other sessions");
            }
            gateway.stop().await;
        }
        Ok(())
    })
}

//! gRPC backends that say goodbye again and again, as servers with a longest life of connections do: no call is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response};
use tokio::net::{TcpListener, TcpStream};

use crate::claim::{claims, run};
use crate::gateway::Running;
use crate::http1::Connection;
use crate::project::Project;

claims![a_backend_that_says_goodbye_every_100_calls_loses_none_of_10_000];

/// Calls in all, and clients that make them at the same time.
const CALLS: usize = 10_000;
const CLIENTS: usize = 25;
/// Calls on one connection before its backend says goodbye.
const LIFE: usize = 100;

fn a_backend_that_says_goodbye_every_100_calls_loses_none_of_10_000() -> Result<(), String> {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let (connections, answered) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counted = (connections.clone(), answered.clone());
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.0.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, counted.1.clone()));
            }
        });
        let gateway = start(&address.to_string()).await?;
        let clients = (0..CLIENTS).map(|_| tokio::spawn(ask(gateway.address(), CALLS / CLIENTS)));
        for client in futures_util::future::join_all(clients).await {
            client.map_err(|error| error.to_string())??;
        }
        // A call that was answered was made once: it writes.
        assert_eq!(answered.load(Ordering::SeqCst), CALLS);
        assert!(connections.load(Ordering::SeqCst) >= CALLS / LIFE / 2, "nobody said goodbye");
        gateway.stop().await;
        server.abort();
        Ok(())
    })
}

async fn start(address: &str) -> Result<Running, String> {
    let proto =
        "syntax = \"proto3\";\npackage s;\nservice S { rpc Do(Key) returns (Key); }\nmessage Key { string id = 1; }\n";
    let text = format!(
        "backends: {{ s: {{ grpc: \"http://{address}\", proto: proto/s.proto }} }}\nendpoints:\n  \
         POST /do: {{ steps: {{ r: {{ backend: s, rpc: s.S/Do }} }}, result: \"${{r.id}}\" }}\n"
    );
    let files = [("compositions/main.yaml".to_owned(), text), ("proto/s.proto".to_owned(), proto.to_owned())];
    Running::start(Project::write("goodbye", &files)?.root()).await
}

/// Answers calls, and says goodbye after some, with others open.
async fn serve(stream: TcpStream, answered: Arc<AtomicUsize>) {
    let _ = stream.set_nodelay(true);
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    let mut taken = 0;
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        taken += 1;
        if taken == LIFE {
            connection.graceful_shutdown();
        }
        let answered = answered.clone();
        tokio::spawn(async move {
            tokio::task::yield_now().await;
            let mut head = Response::new(());
            head.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static("0"));
            let mut stream = respond.send_response(head, false)?;
            stream.send_data(Bytes::from_static(b"\0\0\0\0\x03\x0a\x01a"), false)?;
            answered.fetch_add(1, Ordering::SeqCst);
            stream.send_trailers(trailers)
        });
    }
}

async fn ask(address: std::net::SocketAddr, times: usize) -> Result<(), String> {
    let mut connection = Connection::open(address).await.map_err(|error| error.to_string())?;
    for _ in 0..times {
        connection.send(b"POST /do HTTP/1.1\r\nhost: a\r\n\r\n").await.map_err(|error| error.to_string())?;
        let answer = connection.response("POST").await.map_err(|error| error.to_string())?;
        if (answer.status(), answer.text().as_str()) != (200, "\"a\"") {
            return Err(format!("a call was lost: {} {}", answer.first_line, answer.text()));
        }
    }
    Ok(())
}

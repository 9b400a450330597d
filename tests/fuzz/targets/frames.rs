//! What a gRPC backend sends as DATA, and how it ends.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use h2::server::SendResponse;
use http::{HeaderName, HeaderValue, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::Target;
use super::gateway::{Gateway, plan};
use super::slices::slices;

/// See [`run`].
pub const TARGET: Target = Target {
    name: "frames",
    promise: "frames are messages or a failure, the same however they are cut, and none that were not sent",
    run,
    words: &[
        "\0\0\0\0\0",
        "\0\0\0\0\x02\x08\x01",
        "\x01\0\0\0\x02\x08\x01",
        "\x02",
        "\0\x7f\x7f\x7f\x7f",
        "\0\0\0\0\x05\x0a\x03abc",
        "\x08\x07",
        "\0\0\x01\0\0",
    ],
    pace: 2,
};

/// Bytes that a window of HTTP/2 takes at once.
const WINDOW: usize = 60_000;

/// The reply as it came to the step, or its failure. Both are answered with 200.
const COMPOSITION: &str = r#"
backends: { a: { grpc: "http://BACKEND", proto: proto/a.proto, reads: all, max_reply: 1MiB } }
endpoints:
  GET /one:
    timeout: 25s
    steps: { r: { backend: a, rpc: a.A/One, message: { n: 1 }, timeout: 20s, optional: true } }
    result: { error: "${steps.r.error}", body: "${r}" }
  GET /many:
    timeout: 25s
    steps: { r: { backend: a, rpc: a.A/Many, message: { n: 1 }, timeout: 20s, max: 20000, optional: true } }
    result: { error: "${steps.r.error}", body: "${r}" }
"#;

const PROTO: &str = r#"
syntax = "proto3";
package a;
service A { rpc One(M) returns (M); rpc Many(M) returns (stream M); }
message M { int64 n = 1; M m = 2; }
"#;

/// What the backend sends.
#[derive(Clone, Debug, Default)]
struct Script {
    encoding: Option<&'static str>,
    pieces: Vec<Bytes>,
    /// The status in the trailers; none without trailers.
    status: Option<&'static str>,
}

/// A backend, and a gateway that keeps its connection to it.
struct World {
    runtime: Runtime,
    script: Arc<Mutex<Script>>,
    gateway: Gateway,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new());
}

/// The first byte says how it is asked and what stands around the frames, as bits; the rest is DATA.
pub fn run(input: &[u8]) {
    let Some((flags, data)) = input.split_first() else { return };
    let data = &data[..data.len().min(WINDOW)];
    let script = |pieces: &[&[u8]]| Script {
        encoding: [None, Some("gzip"), Some("identity"), Some("br")][usize::from(flags & 3)],
        pieces: pieces.iter().map(|piece| Bytes::copy_from_slice(piece)).collect(),
        status: [Some("0"), Some("0"), Some("5"), None][usize::from(flags >> 2 & 3)],
    };
    let is_stream = flags & 0x10 != 0;
    let path = if is_stream { "/many" } else { "/one" };
    let (whole, cut) =
        WORLD.with_borrow(|world| (world.answer(script(&[data]), path), world.answer(script(&slices(data)), path)));
    assert_eq!(whole, cut, "it matters how the frames are cut");
    let answer: Value = serde_json::from_str(&whole).expect("an answer is JSON");
    assert_ne!(answer["error"]["code"], "timeout", "the reply never ends");
    if answer["error"].is_null() {
        let held = answer["body"].as_array().map_or(1, Vec::len);
        assert_eq!(held, messages(data), "{whole}");
    }
}

/// How many whole messages stand in frames, one behind the other.
fn messages(mut data: &[u8]) -> usize {
    let mut count = 0;
    while let [_, a, b, c, d, rest @ ..] = data {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let Some(behind) = rest.get(length..) else { break };
        (data, count) = (behind, count + 1);
    }
    count
}

impl World {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let backend = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port is free");
        let address = backend.local_addr().expect("it is bound").to_string();
        let composition = COMPOSITION.replace("BACKEND", &address);
        let plan = plan(&[("compositions/main.yaml", &composition), ("proto/a.proto", PROTO)]);
        let script = Arc::new(Mutex::new(Script::default()));
        runtime.spawn(serve(backend, script.clone()));
        let gateway = runtime.block_on(Gateway::new(plan));
        Self { runtime, script, gateway }
    }

    /// What the gateway makes of a reply.
    fn answer(&self, script: Script, path: &str) -> String {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = script;
        self.runtime.block_on(self.gateway.get(path))
    }
}

/// Answers every call by the script.
async fn serve(backend: TcpListener, script: Arc<Mutex<Script>>) {
    while let Ok((stream, _)) = backend.accept().await {
        let script = script.clone();
        tokio::spawn(async move {
            let Ok(mut connection) = h2::server::handshake(stream).await else { return };
            while let Some(Ok((_, respond))) = connection.accept().await {
                let script = script.lock().unwrap_or_else(PoisonError::into_inner).clone();
                // A call that was given up takes no answer.
                let _ = answer(script, respond);
            }
        });
    }
}

fn answer(script: Script, mut respond: SendResponse<Bytes>) -> Result<(), h2::Error> {
    let mut head = Response::new(());
    head.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    if let Some(encoding) = script.encoding {
        head.headers_mut().insert("grpc-encoding", HeaderValue::from_static(encoding));
    }
    let mut stream = respond.send_response(head, false)?;
    for piece in script.pieces {
        stream.send_data(piece, false)?;
    }
    let Some(status) = script.status else { return stream.send_data(Bytes::new(), true) };
    let trailers = [(HeaderName::from_static("grpc-status"), HeaderValue::from_static(status))];
    stream.send_trailers(trailers.into_iter().collect())
}

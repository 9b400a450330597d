//! What a REST backend sends, byte by byte.

use std::cell::RefCell;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use super::Target;
use super::gateway::{Gateway, plan};
use super::slices::slices;

/// See [`run`].
pub const TARGET: Target = Target {
    name: "replies",
    promise: "what a backend sends is a reply or a failure, and the same one however it is cut",
    run,
    words: &[
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 200\r\n",
        "HTTP/1.1 204 No Content\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 101 S\r\n",
        "\r\n",
        "\n",
        "\r",
        "\r\n\r\n",
        "content-length: 2\r\n",
        "Content-Length: +2\r\n",
        "transfer-encoding: chunked\r\n",
        "transfer-encoding: gzip, chunked\r\n",
        "connection: close\r\n",
        "content-encoding: gzip\r\n",
        "content-encoding: br\r\n",
        "content-type: application/json\r\n",
        "content-type: text/plain; charset=latin1\r\n",
        "0\r\n\r\n",
        "2\r\n{}\r\n",
        "5;a=b\r\n",
        "ffffffffffffffff\r\n",
        "{\"a\":1}",
        "x: y\r\n",
        " folded\r\n",
        ":",
        "\0",
        "\t",
        "\u{e9}",
        "retry-after: 3\r\n",
    ],
    pace: 5,
};

/// The reply as it came to the step, or its failure. Both are answered with 200.
const COMPOSITION: &str = r#"
backends: { a: { rest: "http://BACKEND", max_reply: 64KiB } }
endpoints:
  GET /reply:
    timeout: 25s
    steps: { r: { backend: a, get: /, timeout: 20s, optional: true } }
    result: { status: "${steps.r.status}", headers: "${steps.r.headers}", error: "${steps.r.error}", body: "${r}" }
"#;

/// Bytes of an answer that nothing makes longer: the largest body as text whose every byte is escaped, and its head.
const LONGEST: usize = 6 * (64 << 10) + (256 << 10);

/// The bytes are the reply to a GET, as a whole and in pieces. Then the backend closes.
pub fn run(input: &[u8]) {
    let (whole, cut) = WORLD.with_borrow(|world| {
        let answer = |pieces: &[&[u8]]| world.runtime.block_on(world.answer(pieces));
        (answer(&[input]), answer(&slices(input)))
    });
    assert_eq!(whole, cut, "it matters how the reply is cut");
    assert!(whole.len() <= LONGEST, "{} bytes", whole.len());
    let answer: Value = serde_json::from_str(&whole).expect("an answer is JSON");
    assert_ne!(answer["error"]["code"], "timeout", "the reply never ends");
    let status = answer["status"].as_u64().or(answer["error"]["status"].as_u64());
    assert!(status.is_none_or(|status| (200..1_000).contains(&status)), "{whole}");
}

/// A backend, and a gateway that asks it.
struct World {
    runtime: Runtime,
    backend: TcpListener,
    gateway: Gateway,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new());
}

impl World {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let backend = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port is free");
        let address = backend.local_addr().expect("it is bound").to_string();
        let plan = plan(&[("compositions/main.yaml", &COMPOSITION.replace("BACKEND", &address))]);
        let gateway = runtime.block_on(Gateway::new(plan));
        Self { runtime, backend, gateway }
    }

    /// What the gateway makes of a reply in these pieces.
    async fn answer(&self, pieces: &[&[u8]]) -> String {
        self.gateway.forget();
        let (answer, _open) = tokio::join!(self.gateway.get("/reply"), serve(&self.backend, pieces));
        answer
    }
}

/// Takes one request and answers with the pieces. What is given back is to be held until the reply was read: closed with
/// something unread it would be reset, and what was sent lost.
async fn serve(backend: &TcpListener, pieces: &[&[u8]]) -> TcpStream {
    let (mut stream, _) = backend.accept().await.expect("it is asked");
    stream.set_nodelay(true).expect("the socket is open");
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") && matches!(stream.read_buf(&mut request).await, Ok(1..)) {}
    for piece in pieces {
        if stream.write_all(piece).await.is_err() {
            break;
        }
        // Whoever reads gets a turn, so that pieces arrive as pieces.
        tokio::task::yield_now().await;
    }
    // This fails when nobody is there any more.
    let _ = stream.shutdown().await;
    stream
}

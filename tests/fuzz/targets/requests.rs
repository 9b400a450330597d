//! What a client sends, byte by byte, into the whole gateway.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use selvedge::base::room::Taken;
use selvedge::front::entrance::{Doors, Entrance, Way};
use selvedge::front::listen::{AnswerBody, Handler, Peer, Refused, RequestBody};
use selvedge::plan::ServerTls;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::Target;
use super::gateway::{PATIENCE, listen, plan};
use super::http1::{Message, answers, requests};
use super::slices::slices;

/// See [`run`].
pub const TARGET: Target = Target {
    name: "requests",
    promise: "what is handled are the requests that were sent, in order, and every answer is one of HTTP/1",
    run,
    words: &[
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\n",
        "Host: a\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: +5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding:\x0bchunked\r\n",
        "0\r\n\r\n",
        "5\r\nhello\r\n",
        "5;a=\"b\r\n",
        "00000000000000005\r\n",
        "ffffffffffffffff\r\n",
        "\r\n",
        "\n",
        "\r",
        "\r\n\r\n",
        " \r\n",
        "\t",
        " ",
        "\0",
        "HTTP/1.0",
        "HTTP/1.1",
        "HTTP/2.0",
        "Connection: close\r\n",
        "Connection: keep-alive\r\n",
        "Expect: 100-continue\r\n",
        "Upgrade: websocket\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "http://a/",
        "https://a:443/",
        "*",
        "OPTIONS",
        "CONNECT a:1",
        "HEAD",
        "//",
        "#",
        "%2e%2e",
        "\u{e9}",
        ": ",
        "/door/args/",
        "/door/body",
        "/door/form",
        "/graphql",
        "Content-Type: application/json\r\n",
        "multipart/form-data; boundary=b",
        "--b\r\n",
        "--b--\r\n",
        "accept-encoding: gzip\r\n",
        "trailer: x\r\n",
    ],
    pace: 5,
};

/// Where the gateway's own endpoints begin. Everything else is read and noted.
const DOOR: &str = "/door/";

const COMPOSITION: &str = r#"
backends: { a: { rest: http://127.0.0.1:1 } }
endpoints:
  GET /door/args/{id}:
    args: { id: ID!, n: { type: Int, in: query }, s: { type: "[String!]", in: query }, f: { type: Float, in: header, name: x-f }, c: { type: Boolean, in: cookie } }
    result: { id: "${args.id}", n: "${args.n}", s: "${args.s}", f: "${args.f}", c: "${args.c}", path: "${request.path}", query: "${request.query}", cookies: "${request.cookies}" }
  POST /door/body:
    body: New!
    result: ${args.body}
  ANY /door/files/{*rest}: { args: { rest: String! }, respond: { status: 201, headers: { x-rest: "${args.rest}" } }, result: "${args.rest}" }
  POST /door/form:
    args: { title: { type: String!, in: form }, tags: { type: "[Int!]", in: form, name: tag } }
    body: { type: Upload, part: file, max: 100B }
    steps: { sent: { backend: a, post: /sent, query: { title: "${args.title}", tags: "${args.tags}" }, raw: "${args.body}" } }
graph: { Query.a: "${args.n}" }
"#;

const SCHEMA: &str = "type Query { a(n: Int = 1): Int }\ninput New { name: String! tags: [Int!] = [1] more: New }\n";

/// The bytes are sent in pieces. What the gateway reads as requests is what a reading by the letter finds; it may refuse
/// more than that reading does, and never takes more.
pub fn run(input: &[u8]) {
    let (expected, whole) = requests(input);
    WORLD.with_borrow(|world| {
        let (seen, answered) = world.runtime.block_on(world.converse(input, whole));
        assert!(seen.len() <= expected.len(), "{:?} was never sent", &seen[expected.len()..]);
        for (seen, expected) in seen.iter().zip(&expected) {
            agree(seen, expected);
        }
        let taken = seen.iter().filter(|seen| seen.number < whole || seen.body.is_some()).count();
        assert!(taken <= whole, "{:?} was not sent to its end", seen.last());
        if !input.starts_with(b"PRI") {
            let methods: Vec<&str> = expected.iter().map(|request| request.first_line[0].as_str()).collect();
            judge((&seen, taken), &answers(&answered, &methods), methods.len());
        }
    });
}

fn agree(seen: &Seen, expected: &Message) {
    let [method, target, _] = &expected.first_line;
    assert_eq!(seen.method, *method);
    assert!(target.contains(&seen.path), "{} is not {target}", seen.path);
    let mut fields = expected.fields.clone();
    fields.sort();
    assert_eq!(seen.fields, fields);
    assert!(seen.body.as_ref().is_none_or(|body| *body == expected.body), "{seen:?} is not {expected:?}");
}

/// One answer to each request that was taken to its end, perhaps one to a request that was cut short, and perhaps one
/// that refuses what follows.
fn judge((seen, taken): (&[Seen], usize), (answers, rest): &(Vec<Message>, &[u8]), most: usize) {
    assert!(rest.is_empty(), "behind {answers:?} stands {:?}", String::from_utf8_lossy(rest));
    assert!(answers.len() >= taken && answers.len() <= most + 1, "{answers:?} to {seen:?}");
    for (answer, seen) in answers.iter().zip(seen).filter(|(_, seen)| seen.body.is_some()) {
        let number = seen.number.to_string();
        assert_eq!(answer.values("x-number").next(), Some(number.as_bytes()), "{answer:?} answers {seen:?}");
    }
    for refusal in answers.iter().skip(seen.len()) {
        assert!(refusal.first_line[1].starts_with(['4', '5']), "{refusal:?} answers nothing");
        let body = serde_json::from_slice::<serde_json::Value>(&refusal.body);
        assert!(refusal.body.is_empty() || body.is_ok(), "{refusal:?}");
    }
}

/// A request as the handler sees it.
#[derive(Debug)]
struct Seen {
    number: usize,
    method: String,
    /// Path and query.
    path: String,
    fields: Vec<(String, Vec<u8>)>,
    /// The body, unless an endpoint of the gateway read it.
    body: Option<Vec<u8>>,
}

/// Hands requests on to the gateway's endpoints, or reads and notes them.
#[derive(Clone)]
struct Noted {
    way: Way,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Noted {
    fn note(&self, head: &http::request::Parts, body: Option<Vec<u8>>) -> usize {
        let fields = head.headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
        let mut fields: Vec<_> = fields.collect();
        fields.sort();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let path = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        // A target that names a server and no path stands for `/`.
        let path = if path == "/" { String::new() } else { path };
        let number = seen.len();
        seen.push(Seen { number, method: head.method.to_string(), path, fields, body });
        number
    }
}

impl Handler for Noted {
    async fn handle(&self, request: Request<RequestBody>, peer: Peer) -> Response<AnswerBody> {
        if request.uri().path().starts_with(DOOR) || request.uri().path() == "/graphql" {
            let (head, body) = request.into_parts();
            self.note(&head, None);
            return self.way.handle(Request::from_parts(head, body), peer).await;
        }
        let (head, body) = request.into_parts();
        let coded = head.headers.contains_key("content-encoding");
        let body = match body.read(1 << 20, (&Arc::default(), &mut Taken::default())).await {
            Ok(body) => Some(body.to_vec()),
            Err(_) if coded => None,
            Err(error) => {
                let mut refused = Response::new(AnswerBody::empty());
                *refused.status_mut() = http::StatusCode::from_u16(error.cause().status()).expect("a status");
                return refused;
            }
        };
        let number = self.note(&head, body);
        let mut answer = Response::new(AnswerBody::from(Bytes::from(number.to_string())));
        answer.headers_mut().insert("x-number", HeaderValue::from(number));
        answer
    }

    fn tls(&self) -> Option<ServerTls> {
        None
    }

    fn refused(&self, refused: &Refused<'_>, peer: Peer) -> HeaderValue {
        self.way.refused(refused, peer)
    }
}

/// A gateway that listens.
struct World {
    runtime: Runtime,
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new());
}

impl World {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let seen = Arc::default();
        let plan = plan(&[("compositions/main.yaml", COMPOSITION), ("schema/schema.graphql", SCHEMA)]);
        let way = Arc::new(Entrance::new(Doors::new(&plan, 1))).way(0);
        let noted = Noted { way, seen: Arc::clone(&seen) };
        let address = runtime.block_on(listen(noted));
        Self { runtime, address, seen }
    }

    /// Sends the bytes, waits for so many answers or the end of the connection, and gives back what was seen on both
    /// sides.
    async fn converse(&self, input: &[u8], count: usize) -> (Vec<Seen>, Vec<u8>) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let client = TcpStream::connect(self.address).await.expect("the gateway listens");
        client.set_nodelay(true).expect("the socket is open");
        let (mut read, mut write) = client.into_split();
        let mut answered = Vec::new();
        let conversation = async {
            tokio::join!(send(&mut write, input), read_answers(&mut read, count, &mut answered));
            // Nothing more comes: whatever is waited for is given up.
            drop(write);
            let _ = read.read_to_end(&mut answered).await;
        };
        let ended = timeout(PATIENCE, conversation).await;
        assert!(ended.is_ok(), "waits for {count} answers behind {:?}", String::from_utf8_lossy(&answered));
        (std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner)), answered)
    }
}

/// Sends the bytes in pieces.
async fn send(write: &mut OwnedWriteHalf, input: &[u8]) {
    for piece in slices(input) {
        if write.write_all(piece).await.is_err() {
            return;
        }
        // Whoever reads gets a turn, so that pieces arrive as pieces.
        tokio::task::yield_now().await;
    }
}

/// Reads until so many answers have begun, or the end.
async fn read_answers(read: &mut OwnedReadHalf, count: usize, answered: &mut Vec<u8>) {
    let begun = |answered: &[u8]| {
        let heads = String::from_utf8_lossy(answered);
        heads.matches("HTTP/1.").count() - heads.matches("HTTP/1.1 100").count()
    };
    while begun(answered) < count && matches!(read.read_buf(answered).await, Ok(1..)) {}
}

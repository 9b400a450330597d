//! What `proxy` and uploads promise of streams, over HTTP/1.1 and HTTP/2: nobody's slowness is bought with the gateway's memory,
//! whoever leaves is missed at once, and what was cut is never taken for whole.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::SendRequest;
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::claim::{claims, run, until};
use crate::gateway::Running;
use crate::project::Project;

claims![
    a_slow_client_bounds_what_is_read_from_the_backend,
    a_slow_client_of_http_2_bounds_what_is_read_from_the_backend,
    a_proxied_call_is_under_way_until_its_body_ends,
    a_slow_backend_bounds_what_is_read_of_an_upload,
    a_slow_backend_bounds_what_is_read_of_an_upload_over_http_2,
    a_client_that_leaves_between_bytes_is_missed_within_100_ms,
    an_upload_that_breaks_off_never_looks_whole_to_the_backend,
    an_answer_that_the_backend_breaks_off_never_looks_whole,
];

/// What a backend offers and a client sends, where the other side takes little.
const OFFERED: u64 = 200 << 20;
/// What the gateway and the kernel's buffers on the way may hold of it: the sockets of the test have small buffers,
/// those of the gateway grow to some megabytes each.
const HELD: u64 = 12 << 20;
/// The buffers of the test's own sockets.
const SMALL: u32 = 64 << 10;
/// Where a body is passed on as it comes: by a proxy, by a write, and by a read.
const UPLOADS: [&str; 3] = ["/stream", "/upload", "/form"];
/// How long nothing more must move for a stream to stand still.
const STILL: Duration = Duration::from_millis(400);
/// How soon the one side must learn that the other has left.
const SOON: Duration = Duration::from_millis(100);

static CHUNK: [u8; 64 << 10] = [b'x'; 64 << 10];

fn a_slow_client_bounds_what_is_read_from_the_backend() -> Result<(), String> {
    run(async {
        let backend = Backend::start(Plays::Offer).await?;
        let gateway = before(&backend, "slow-client").await?;
        let mut client = connect(gateway.address()).await?;
        client.write_all(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n").await.map_err(words)?;
        let held = backend.comes_to_rest().await;
        assert!((1..HELD).contains(&held), "{held} bytes were taken for a client that reads none");
        let mut buffer = vec![0; 1 << 20];
        for _ in 0..32 {
            client.read_exact(&mut buffer).await.map_err(words)?;
        }
        assert!(backend.comes_to_rest().await > 32 << 20, "a client that reads gets more");
        backend.misses(|| drop(client)).await
    })
}

fn a_slow_client_of_http_2_bounds_what_is_read_from_the_backend() -> Result<(), String> {
    run(async {
        let backend = Backend::start(Plays::Offer).await?;
        let gateway = before(&backend, "slow-http-2").await?;
        let mut client = http2(gateway.address()).await?;
        let (answer, _) = client.send_request(get("/stream"), true).map_err(words)?;
        let mut body = answer.await.map_err(words)?.into_body();
        let held = backend.comes_to_rest().await;
        assert!((1..HELD).contains(&held), "{held} bytes were taken for a client that reads none");
        let mut read = 0;
        while read < 16 << 20 {
            let bytes = body.data().await.ok_or("the stream ended")?.map_err(words)?;
            read += bytes.len();
            body.flow_control().release_capacity(bytes.len()).map_err(words)?;
        }
        assert!(backend.comes_to_rest().await > 16 << 20, "a client that reads gets more");
        backend.misses(|| drop(body)).await
    })
}

fn a_proxied_call_is_under_way_until_its_body_ends() -> Result<(), String> {
    run(async {
        let backend = Backend::start(Plays::Offer).await?;
        let gateway = before(&backend, "proxied-concurrency").await?;
        let status = async || {
            let mut client = connect(gateway.address()).await?;
            client.write_all(b"GET /one HTTP/1.1\r\nhost: a\r\n\r\n").await.map_err(words)?;
            let mut status = [0; 12];
            client.read_exact(&mut status).await.map_err(words)?;
            Ok::<_, String>((String::from_utf8_lossy(&status[9..]).into_owned(), client))
        };
        let (first, client) = status().await?;
        let (second, _) = status().await?;
        assert_eq!((first.as_str(), second.as_str()), ("200", "503"));
        backend.misses(|| drop(client)).await
    })
}

fn a_slow_backend_bounds_what_is_read_of_an_upload() -> Result<(), String> {
    run(async {
        for path in UPLOADS {
            let backend = Backend::start(Plays::Ignore).await?;
            let gateway = before(&backend, "slow-backend").await?;
            let mut client = connect(gateway.address()).await?;
            let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {OFFERED}\r\n\r\n");
            client.write_all(head.as_bytes()).await.map_err(words)?;
            let mut sent = 0;
            while let Ok(written) = timeout(STILL, client.write(&CHUNK)).await {
                sent += written.map_err(words)? as u64;
                assert!(sent < HELD, "{sent} bytes were read for a backend that takes none");
            }
            assert!(sent > 0, "nothing was read");
        }
        Ok(())
    })
}

fn a_slow_backend_bounds_what_is_read_of_an_upload_over_http_2() -> Result<(), String> {
    run(async {
        let backend = Backend::start(Plays::Ignore).await?;
        let gateway = before(&backend, "slow-backend-http-2").await?;
        let mut client = http2(gateway.address()).await?;
        let (_answer, mut body) = client.send_request(post("/stream"), false).map_err(words)?;
        let mut sent = 0;
        loop {
            body.reserve_capacity(CHUNK.len());
            let Ok(capacity) = timeout(STILL, std::future::poll_fn(|context| body.poll_capacity(context))).await else {
                break;
            };
            let capacity = capacity.ok_or("the stream ended")?.map_err(words)?;
            body.send_data(Bytes::from_static(&CHUNK[..capacity]), false).map_err(words)?;
            sent += capacity as u64;
            assert!(sent < HELD, "{sent} bytes were read for a backend that takes none");
        }
        assert!(sent > 0, "nothing was read");
        Ok(())
    })
}

fn a_client_that_leaves_between_bytes_is_missed_within_100_ms() -> Result<(), String> {
    run(async {
        let begun = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbegun";
        let backend = Backend::start(Plays::Wait(begun)).await?;
        let gateway = before(&backend, "leaves").await?;
        let mut client = connect(gateway.address()).await?;
        client.write_all(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n").await.map_err(words)?;
        reads_until(&mut client, b"begun").await?;
        backend.misses(|| drop(client)).await?;

        let backend = Backend::start(Plays::Wait(begun)).await?;
        let gateway = before(&backend, "leaves-http-2").await?;
        let mut client = http2(gateway.address()).await?;
        let (answer, _) = client.send_request(get("/stream"), true).map_err(words)?;
        let mut body = answer.await.map_err(words)?.into_body();
        assert_eq!(body.data().await.ok_or("no body")?.map_err(words)?, "begun");
        backend.misses(|| drop(body)).await
    })
}

fn an_upload_that_breaks_off_never_looks_whole_to_the_backend() -> Result<(), String> {
    run(async {
        for path in UPLOADS {
            let backend = Backend::start(Plays::Wait("")).await?;
            let gateway = before(&backend, "upload").await?;
            let mut client = connect(gateway.address()).await?;
            let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n");
            client.write_all(head.as_bytes()).await.map_err(words)?;
            backend.has_read("part").await?;
            backend.misses(|| drop(client)).await?;
            assert!(!backend.read().ends_with("0\r\n\r\n"), "{}", backend.read());

            let backend = Backend::start(Plays::Wait("")).await?;
            let gateway = before(&backend, "upload-http-2").await?;
            let mut client = http2(gateway.address()).await?;
            let (_answer, mut body) = client.send_request(post(path), false).map_err(words)?;
            body.send_data(Bytes::from_static(b"part"), false).map_err(words)?;
            backend.has_read("part").await?;
            backend.misses(|| body.send_reset(h2::Reason::CANCEL)).await?;
            assert!(!backend.read().ends_with("0\r\n\r\n"), "{}", backend.read());
        }
        Ok(())
    })
}

fn an_answer_that_the_backend_breaks_off_never_looks_whole() -> Result<(), String> {
    let replies = [
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart",
    ];
    run(async {
        for reply in replies {
            let backend = Backend::start(Plays::Close(reply)).await?;
            let gateway = before(&backend, "dies").await?;
            let mut client = connect(gateway.address()).await?;
            client.write_all(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n").await.map_err(words)?;
            reads_until(&mut client, b"part").await?;
            backend.fate.leave.notify_one();
            let mut rest = String::new();
            let read = timeout(Duration::from_secs(5), client.read_to_string(&mut rest)).await;
            read.map_err(|_| "the connection stays open")?.map_err(words)?;
            assert!(matches!(&*rest, "" | "\r\n"), "{reply:?}: {rest:?}");

            let backend = Backend::start(Plays::Close(reply)).await?;
            let gateway = before(&backend, "dies-http-2").await?;
            let mut client = http2(gateway.address()).await?;
            let (answer, _) = client.send_request(get("/stream"), true).map_err(words)?;
            let mut body = answer.await.map_err(words)?.into_body();
            assert_eq!(body.data().await.ok_or("no body")?.map_err(words)?, "part");
            backend.fate.leave.notify_one();
            let end = timeout(Duration::from_secs(5), body.data()).await.map_err(|_| "the stream stays open")?;
            assert!(end.is_some_and(|end| end.is_err()), "{reply:?} looks whole");
        }
        Ok(())
    })
}

/// A gateway that passes everything to one backend, or uploads something there.
async fn before(backend: &Backend, name: &str) -> Result<Running, String> {
    let text = format!(
        "backends: {{ a: {{ rest: \"http://{0}\", timeout: 60s }}, one: {{ rest: \"http://{0}\", concurrency: 1 }} }}
endpoints:
  ANY /stream: {{ proxy: a }}
  ANY /one: {{ proxy: one }}
  POST /upload:
    timeout: 60s
    body: {{ type: Upload, max: 1GiB }}
    steps: {{ s: {{ backend: a, put: /upload, raw: \"${{args.body}}\" }} }}
  POST /form:
    timeout: 60s
    body: {{ type: Upload, max: 1GiB }}
    steps: {{ s: {{ backend: a, put: /upload, read: true, multipart: {{ file: \"${{args.body}}\" }} }} }}
",
        backend.address
    );
    let project = Project::write(&format!("passage/{name}"), &[("compositions/main.yaml".to_owned(), text)])?;
    Running::start(project.root()).await
}

/// What a backend does once it has read the head of its one request.
#[derive(Clone, Copy, Debug)]
enum Plays {
    /// Sends a long body as fast as it is taken.
    Offer,
    /// Reads no further and sends nothing.
    Ignore,
    /// Sends this and reads on until the other side is gone.
    Wait(&'static str),
    /// Sends this, and closes when it is told to.
    Close(&'static str),
}

/// A backend on small sockets, and what befell it.
struct Backend {
    address: SocketAddr,
    fate: Arc<Fate>,
    /// Ends it when dropped.
    _task: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Fate {
    /// Bytes of its body that were taken.
    taken: AtomicU64,
    /// What it read.
    read: Mutex<Vec<u8>>,
    /// When the other side was gone.
    ended: Mutex<Option<Instant>>,
    /// Tells it to close.
    leave: Notify,
}

impl Backend {
    async fn start(plays: Plays) -> Result<Self, String> {
        let socket = TcpSocket::new_v4().map_err(words)?;
        socket.set_recv_buffer_size(SMALL).and_then(|()| socket.set_send_buffer_size(SMALL)).map_err(words)?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).map_err(words)?;
        let listener = socket.listen(1).map_err(words)?;
        let address = listener.local_addr().map_err(words)?;
        let fate = Arc::new(Fate::default());
        let (shared, mut task) = (fate.clone(), JoinSet::new());
        task.spawn(async move {
            let Ok((stream, _)) = listener.accept().await else { return };
            // However it ends, it has ended.
            let _ = shared.befalls(stream, plays).await;
            *locked(&shared.ended) = Some(Instant::now());
        });
        Ok(Self { address, fate, _task: task })
    }

    /// The bytes that were taken of it once no more are.
    async fn comes_to_rest(&self) -> u64 {
        loop {
            let before = self.fate.taken.load(Ordering::SeqCst);
            sleep(STILL).await;
            if self.fate.taken.load(Ordering::SeqCst) == before {
                return before;
            }
        }
    }

    /// What it read, as text.
    fn read(&self) -> String {
        String::from_utf8_lossy(&locked(&self.fate.read)).into_owned()
    }

    async fn has_read(&self, text: &str) -> Result<(), String> {
        until(|| self.read().contains(text)).await.then_some(()).ok_or_else(|| format!("read: {}", self.read()))
    }

    /// It must learn in short time that the other side has left.
    async fn misses(&self, leave: impl FnOnce()) -> Result<(), String> {
        assert_eq!(*locked(&self.fate.ended), None, "it ended before");
        let left = Instant::now();
        leave();
        until(|| locked(&self.fate.ended).is_some()).await;
        let took = locked(&self.fate.ended).ok_or("it was never told")?.saturating_duration_since(left);
        (took < SOON).then_some(()).ok_or_else(|| format!("it was told after {took:?}"))
    }
}

impl Fate {
    async fn befalls(&self, mut stream: TcpStream, plays: Plays) -> std::io::Result<()> {
        self.reads_until(&mut stream, b"\r\n\r\n").await?;
        match plays {
            Plays::Ignore => std::future::pending().await,
            Plays::Close(reply) => {
                stream.write_all(reply.as_bytes()).await?;
                self.leave.notified().await;
                Ok(())
            }
            Plays::Wait(reply) => {
                stream.write_all(reply.as_bytes()).await?;
                self.reads_until(&mut stream, b"never").await
            }
            Plays::Offer => {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {OFFERED}\r\n\r\n");
                stream.write_all(head.as_bytes()).await?;
                loop {
                    let written = stream.write(&CHUNK).await?;
                    self.taken.fetch_add(written as u64, Ordering::SeqCst);
                }
            }
        }
    }

    /// Reads until this has come, or to the end.
    async fn reads_until(&self, stream: &mut TcpStream, end: &[u8]) -> std::io::Result<()> {
        let mut byte = [0];
        while !locked(&self.read).ends_with(end) && stream.read(&mut byte).await? > 0 {
            locked(&self.read).push(byte[0]);
        }
        Ok(())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn get(target: &str) -> Request<()> {
    Request::get(format!("http://a{target}")).body(()).expect("it is a request")
}

fn post(target: &str) -> Request<()> {
    Request::post(format!("http://a{target}")).body(()).expect("it is a request")
}

/// A client of HTTP/1.1 on a small socket.
async fn connect(gateway: SocketAddr) -> Result<TcpStream, String> {
    let socket = TcpSocket::new_v4().map_err(words)?;
    socket.set_recv_buffer_size(SMALL).and_then(|()| socket.set_send_buffer_size(SMALL)).map_err(words)?;
    socket.connect(gateway).await.map_err(words)
}

/// A client of HTTP/2 with the windows that the protocol begins with.
async fn http2(gateway: SocketAddr) -> Result<SendRequest<Bytes>, String> {
    let (sender, connection) = h2::client::handshake(connect(gateway).await?).await.map_err(words)?;
    tokio::spawn(connection);
    sender.ready().await.map_err(words)
}

/// Reads until this has come.
async fn reads_until(client: &mut TcpStream, end: &[u8]) -> Result<(), String> {
    let (mut read, mut byte) = (Vec::new(), [0]);
    while !read.ends_with(end) {
        client.read_exact(&mut byte).await.map_err(words)?;
        read.push(byte[0]);
    }
    Ok(())
}

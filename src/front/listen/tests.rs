//! The listener over real sockets, with clients that behave and clients that do not.

mod drain;
mod leaving;
mod refusals;
mod serving;
mod time;

use std::future::pending;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{AnswerBody, Drain, DrainTimes, Drained, Handler, Limits, Listener, Peer, Refused, RequestBody, Worker};
use crate::base::room::Taken;
use crate::plan::ServerTls;

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers by path; see [`Answers::route`].
#[derive(Clone, Default)]
struct Answers(Arc<Counters>);

#[derive(Default)]
struct Counters {
    /// Requests that a handler began to answer.
    begun: AtomicUsize,
    /// Handlers that ended, with an answer or without.
    ended: AtomicUsize,
    /// Told at each of both.
    changed: Notify,
    /// Lets `/held` answer.
    release: Notify,
    /// Refused requests: method, path and code.
    refused: Mutex<Vec<String>>,
}

impl Counters {
    /// Waits until `counter` has reached `count`.
    async fn reaches(&self, counter: &AtomicUsize, count: usize) {
        loop {
            let changed = self.changed.notified();
            if counter.load(Ordering::SeqCst) >= count {
                return;
            }
            changed.await;
        }
    }
}

/// Counts the end of a handler.
struct Watch(Arc<Counters>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }
}

impl Handler for Answers {
    async fn handle(&self, request: Request<RequestBody>, peer: Peer) -> Response<AnswerBody> {
        let counters = &self.0;
        let _watch = Watch(counters.clone());
        counters.begun.fetch_add(1, Ordering::SeqCst);
        counters.changed.notify_waiters();
        self.route(request, peer).await
    }

    fn tls(&self) -> Option<ServerTls> {
        None
    }

    fn refused(&self, refused: &Refused<'_>, _: Peer) -> HeaderValue {
        let (method, code) = (refused.method.unwrap_or_default(), refused.refusal.cause.code());
        self.0.refused.lock().expect("not poisoned").push(format!("{method} {} {code}", refused.path));
        HeaderValue::from_static("refused")
    }
}

impl Answers {
    async fn route(&self, request: Request<RequestBody>, peer: Peer) -> Response<AnswerBody> {
        match request.uri().path() {
            "/echo" => match request.into_body().read(64 << 10, (&Arc::default(), &mut Taken::default())).await {
                Ok(bytes) => Response::new(AnswerBody::from(bytes)),
                Err(error) => status(error.cause().status()),
            },
            "/peer" => text(format!("{} {}", peer.address, peer.connection)),
            "/unread" => {
                let _body = request.into_body();
                pending().await
            }
            "/never" => pending().await,
            "/held" => {
                self.0.release.notified().await;
                text("held")
            }
            "/short" => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                text("short")
            }
            "/large" => text("x".repeat(4 << 20)),
            "/refuse" => status(413),
            "/panic" => unreachable!("as asked"),
            path => text(path.to_owned()),
        }
    }
}

fn text(text: impl Into<Bytes>) -> Response<AnswerBody> {
    Response::new(AnswerBody::from(text.into()))
}

fn status(status: u16) -> Response<AnswerBody> {
    let mut response = text(format!("status {status}"));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response
}

/// A running listener.
struct Server {
    address: SocketAddr,
    counters: Arc<Counters>,
    drain: Drain,
    run: JoinHandle<Drained>,
}

async fn serve(limits: Limits) -> Server {
    serve_until(limits, DrainTimes { delay: Duration::ZERO, timeout: PATIENCE }).await
}

async fn serve_until(limits: Limits, times: DrainTimes) -> Server {
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = Listener::bind(loopback, limits).await.expect("a free port");
    let (address, answers, drain) = (listener.local_address(), Answers::default(), Drain::new(times));
    let counters = answers.0.clone();
    let run = tokio::spawn(listener.run(vec![Worker::new(Handle::current(), answers)], drain.clone()));
    Server { address, counters, drain, run }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("the listener accepts")
    }

    /// Everything that comes back for `request` until the listener closes.
    async fn exchange(&self, request: impl AsRef<[u8]>) -> String {
        let mut client = self.connect().await;
        client.write_all(request.as_ref()).await.expect("the listener reads");
        read_all(&mut client).await
    }
}

async fn read_all(client: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    timeout(PATIENCE, client.read_to_end(&mut bytes)).await.expect("the listener closes").expect("in good order");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads up to `end`, inclusive.
async fn read_until(client: &mut TcpStream, end: &str) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end.as_bytes()) {
        let byte = timeout(PATIENCE, client.read_u8()).await.expect("an answer in time");
        bytes.push(byte.unwrap_or_else(|_| unreachable!("closed after {:?}", String::from_utf8_lossy(&bytes))));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Waits for what must become true soon.
async fn soon(waited: impl Future<Output = ()>) {
    timeout(PATIENCE, waited).await.expect("it becomes true");
}

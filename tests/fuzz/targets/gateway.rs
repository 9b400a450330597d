//! A gateway that listens, for what can only be tried with all its parts together.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use selvedge::base::diagnostic::Diagnostic;
use selvedge::front::entrance::{Doors, Entrance};
use selvedge::front::listen::{Drain, DrainTimes, Handler, Limits, Listener, Worker};
use selvedge::plan::{Plan, build};
use selvedge::spec::{Asked, read_texts};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::http1::{Message, answers};

/// Longer than any try takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// The plan of a project that a target needs: paths and texts.
pub(super) fn plan(files: &[(&str, &str)]) -> Arc<Plan> {
    let look_up = |_: Asked<'_>| Ok(None);
    let reading = read_texts(files, &look_up);
    let built = build(&reading, (&look_up, &|_| Vec::new()));
    let wrong = |said: Vec<Diagnostic>| -> String {
        said.iter().map(|diagnostic| reading.sources.render(diagnostic)).collect()
    };
    Arc::new(built.map_err(wrong).expect("the target's project is right").0)
}

/// Begins to listen, in the present runtime; gives back the address.
pub(super) async fn listen(handler: impl Handler) -> SocketAddr {
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = Listener::bind(loopback, Limits::default()).await.expect("a port is free");
    let address = listener.local_address();
    let drain = Drain::new(DrainTimes { delay: Duration::ZERO, timeout: PATIENCE });
    tokio::spawn(listener.run(vec![Worker::new(Handle::current(), handler)], drain));
    address
}

/// A gateway that is asked, one request for each connection.
pub(super) struct Gateway {
    address: SocketAddr,
    entrance: Arc<Entrance>,
    plan: Arc<Plan>,
}

impl Gateway {
    /// Serves a plan in the present runtime.
    pub(super) async fn new(plan: Arc<Plan>) -> Self {
        let entrance = Arc::new(Entrance::new(Doors::new(&plan, 1)));
        let address = listen(entrance.way(0)).await;
        Self { address, entrance, plan }
    }

    /// Forgets all connections to backends.
    pub(super) fn forget(&self) {
        drop(self.entrance.replace(Doors::new(&self.plan, 1)));
    }

    /// The body of the answer to a GET, which says the same for the same.
    pub(super) async fn get(&self, path: &str) -> String {
        let mut client = TcpStream::connect(self.address).await.expect("the gateway listens");
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nX-Request-Id: 1\r\nConnection: close\r\n\r\n");
        client.write_all(request.as_bytes()).await.expect("the gateway reads");
        let mut answered = Vec::new();
        let read = timeout(PATIENCE, client.read_to_end(&mut answered)).await;
        read.expect("an answer in time").expect("an answer in good order");
        match answers(&answered, &["GET"]) {
            (answers, []) if answers.len() == 1 => body(&answers[0]),
            _ => unreachable!("one answer, not {:?}", String::from_utf8_lossy(&answered)),
        }
    }
}

fn body(answer: &Message) -> String {
    String::from_utf8(answer.body.clone()).expect("an answer is text")
}

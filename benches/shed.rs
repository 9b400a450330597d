//! What it costs to refuse a request because there are too many.
//!
//! A client and the listener share one thread, so that the time of an exchange is the processor's time of both: more than
//! the gateway needs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::Criterion;
use selvedge::front::entrance::{Doors, Entrance};
use selvedge::front::listen::{Drain, DrainTimes, Limits, Listener, Worker};
use selvedge::plan::build;
use selvedge::policy::overload::Class;
use selvedge::spec::{Asked, read_texts};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle};

const PROJECT: &str = "
gateway: { overload: { requests: 1 } }
endpoints: { GET /a: { result: 1 } }
";

const REQUEST: &[u8] = b"GET /a HTTP/1.1\r\nhost: a.test\r\naccept: application/json\r\n\r\n";

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("the machine gives a thread");
    let (mut client, _place) = runtime.block_on(async {
        let entrance = Arc::new(Entrance::new(doors()));
        let place = entrance.doors().overload().enter(Class::Critical).expect("there is one");
        (TcpStream::connect(serve(&entrance).await).await.expect("it listens"), place)
    });
    let mut criterion = Criterion::default().configure_from_args();
    criterion.bench_function("a request is shed", |bencher| {
        bencher.iter_custom(|count| {
            runtime.block_on(async {
                let since = Instant::now();
                for _ in 0..count {
                    exchange(&mut client).await;
                }
                since.elapsed()
            })
        });
    });
    criterion.final_summary();
}

fn doors() -> Doors {
    let look_up = |_: Asked<'_>| Ok(None);
    let reading = read_texts(&[("compositions/a.yaml", PROJECT)], &look_up);
    let built = build(&reading, (&look_up, &|_| Vec::new()));
    let (plan, _) = built.unwrap_or_else(|mistakes| unreachable!("{mistakes:?}"));
    Doors::new(&Arc::new(plan), 1)
}

/// Serves on this thread, as often as whoever asks waits.
async fn serve(entrance: &Arc<Entrance>) -> SocketAddr {
    let limits = Limits { requests_per_connection: u64::MAX, ..Limits::default() };
    let listener = Listener::bind(([127, 0, 0, 1], 0).into(), limits).await.expect("a free port");
    let address = listener.local_address();
    let drain = Drain::new(DrainTimes { delay: Duration::ZERO, timeout: Duration::ZERO });
    tokio::spawn(listener.run(vec![Worker::new(Handle::current(), entrance.way(0))], drain));
    address
}

async fn exchange(client: &mut TcpStream) {
    client.write_all(REQUEST).await.expect("the connection is kept");
    let mut answer = [0; 1024];
    let length = client.read(&mut answer).await.expect("the connection is kept");
    assert!(answer[..length].starts_with(b"HTTP/1.1 503 "), "{}", String::from_utf8_lossy(&answer[..length]));
    assert!(answer[..length].ends_with(b"}"), "the answer came in pieces");
}

//! Kept and shared replies under load, over real sockets: one call for a thousand, and nothing of one caller for another.
//!
//! `SHARING=100000` asks so many times as two users instead of the usual number.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use crate::claim::{claims, run, until};
use crate::gateway::Running;
use crate::http1::{Connection, Message};
use crate::project::Project;
use crate::reload::ask;

claims![
    a_thousand_misses_are_one_call,
    those_who_leave_change_nothing_for_the_others,
    nothing_of_one_user_reaches_another,
    a_reload_keeps_what_is_kept,
];

/// Requests of two users unless `SHARING` says otherwise.
const CASES: usize = 4_000;
/// Clients that ask at the same time.
const CLIENTS: usize = 16;

/// A REST backend. What it answers says who asked, as far as it was told, and which of its answers it is.
struct Backend {
    port: u16,
    calls: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How a backend behaves.
#[derive(Clone, Copy)]
enum Manner {
    /// It takes so long for every answer.
    Slow(Duration),
    /// It takes any time up to two milliseconds, and one answer in ten is a failure.
    Moody,
}

impl Backend {
    async fn start(manner: Manner) -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        let (calls, open) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counted = (calls.clone(), open.clone());
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let connection = Connection::over(Box::new(stream));
                let (calls, open) = counted.clone();
                connections.spawn(async move {
                    open.fetch_add(1, Ordering::SeqCst);
                    serve(connection, (manner, &calls)).await;
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Ok(Self { port, calls, open, task })
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

async fn serve(mut connection: Connection, (manner, calls): (Manner, &AtomicUsize)) {
    while let Ok(Some(request)) = connection.request().await {
        let number = calls.fetch_add(1, Ordering::SeqCst);
        let draw = scattered(number as u64);
        let (pause, status) = match manner {
            Manner::Slow(pause) => (pause, "200 OK"),
            Manner::Moody if draw.is_multiple_of(10) => (Duration::ZERO, "503 Service Unavailable"),
            Manner::Moody => (Duration::from_micros(draw % 2_000), "200 OK"),
        };
        let answer = async {
            tokio::time::sleep(pause).await;
            let user = request.header("authorization").unwrap_or_default();
            let target = request.first_line.split(' ').nth(1).unwrap_or_default();
            let body = format!(r#"{{"user":"{user}","target":"{target}","number":{number}}}"#);
            format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        let answer = answer.await;
        if connection.send(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// A number that says nothing of the one that it is made of.
fn scattered(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20
}

fn project(name: &str, text: String) -> Result<Project, String> {
    Project::write(&format!("sharing/{name}"), &[("compositions/main.yaml".to_owned(), text)])
}

fn a_thousand_misses_are_one_call() -> Result<(), String> {
    run(async {
        let backend = Backend::start(Manner::Slow(Duration::from_millis(400))).await?;
        let step = |name: &str| format!("{name}: {{ backend: a, get: /n, cache: 1m }}");
        let steps = ["a", "b", "c", "d", "e"].map(step).join(", ");
        let text = format!(
            "backends: {{ a: {{ rest: \"http://127.0.0.1:{}\" }} }}\nendpoints:\n  GET /n: {{ steps: {{ {steps} }}, \
             result: [\"${{a.number}}\", \"${{b.number}}\", \"${{c.number}}\", \"${{d.number}}\", \"${{e.number}}\"] }}\n",
            backend.port
        );
        let project = project("misses", text)?;
        let gateway = Running::start(project.root()).await?;
        let address = gateway.address();
        let mut clients = JoinSet::new();
        (0..200).for_each(|_| drop(clients.spawn(async move { ask(address, "GET", "/n").await })));
        while let Some(answer) = clients.join_next().await {
            let (status, body) = answer.map_err(|error| error.to_string())??;
            assert_eq!((status, body.as_str()), (200, "[0,0,0,0,0]"));
        }
        assert_eq!(backend.calls(), 1, "a thousand calls that are the same");
        gateway.stop().await;
        Ok(())
    })
}

fn those_who_leave_change_nothing_for_the_others() -> Result<(), String> {
    run(async {
        let backend = Backend::start(Manner::Slow(Duration::from_millis(300))).await?;
        let text = format!(
            "backends: {{ a: {{ rest: \"http://127.0.0.1:{}\", cache: 1m }} }}\nendpoints:\n  GET /n/{{id}}: {{ args: {{ id: ID! }}, \
             steps: {{ s: {{ backend: a, get: \"/n/${{args.id}}\" }} }}, result: \"${{s.number}}\" }}\n",
            backend.port
        );
        let project = project("leaving", text)?;
        let gateway = Running::start(project.root()).await?;
        let address = gateway.address();
        // The first leads; it and all but one leave.
        let leaving = asking(address, "/n/1", 1).await?;
        assert!(until(|| backend.calls() == 1).await, "the first is asked for");
        let others = asking(address, "/n/1", 200).await?;
        let stays = tokio::spawn(async move { ask(address, "GET", "/n/1").await });
        tokio::time::sleep(Duration::from_millis(60)).await;
        drop((leaving, others));
        let answer = stays.await.map_err(|error| error.to_string())??;
        assert_eq!((answer, backend.calls()), ((200, "0".to_owned()), 1));
        // All leave: the call is given up, and the next who asks makes another.
        let all = asking(address, "/n/2", 100).await?;
        assert!(until(|| backend.calls() == 2).await);
        let open = backend.open.load(Ordering::SeqCst);
        drop(all);
        assert!(until(|| backend.open.load(Ordering::SeqCst) < open).await, "nobody waits for it any more");
        assert_eq!(ask(address, "GET", "/n/2").await?, (200, "2".to_owned()));
        gateway.stop().await;
        Ok(())
    })
}

/// Connections that have asked and wait.
async fn asking(address: SocketAddr, target: &str, count: usize) -> Result<Vec<Connection>, String> {
    let mut connections = Vec::new();
    for _ in 0..count {
        let mut connection = Connection::open(address).await.map_err(|error| error.to_string())?;
        let head = format!("GET {target} HTTP/1.1\r\nhost: a\r\n\r\n");
        connection.send(head.as_bytes()).await.map_err(|error| error.to_string())?;
        connections.push(connection);
    }
    Ok(connections)
}

/// What users got, to be compared.
#[derive(Default)]
struct Seen {
    /// Who got each private answer.
    private: Mutex<HashMap<u64, &'static str>>,
    good: AtomicUsize,
}

fn nothing_of_one_user_reaches_another() -> Result<(), String> {
    let cases = std::env::var("SHARING").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    run(async {
        let backend = Backend::start(Manner::Moody).await?;
        let text = format!(
            r#"
backends: {{ a: {{ rest: "http://127.0.0.1:{}", cache: {{ ttl: 3ms, stale: 5ms, on_error: 20ms }} }} }}
endpoints:
  GET /me:
    steps: {{ me: {{ backend: a, get: /me, headers: {{ authorization: "${{request.headers.authorization}}" }} }} }}
    result: {{ user: "${{me.user}}" }}
  GET /private:
    steps:
      me: {{ backend: a, get: /me, headers: {{ authorization: "${{request.headers.authorization}}" }} }}
      one: {{ backend: a, get: "/shop/${{me.target.size()}}" }}
    result: {{ user: "${{me.user}}", private: "${{one.number}}" }}
  GET /told:
    steps:
      me: {{ backend: a, get: /me, headers: {{ authorization: "${{request.headers.authorization}}" }} }}
      one: {{ backend: a, get: /told, query: {{ of: "${{me.target}}" }}, cache: {{ ttl: 3ms, scope: "${{me.user}}" }} }}
    result: {{ user: "${{me.user}}", private: "${{one.number}}" }}
  GET /mine:
    steps: {{ one: {{ backend: a, get: /mine, cache: {{ ttl: 3ms, stale: 5ms, scope: caller }} }} }}
    result: {{ private: "${{one.number}}" }}
"#,
            backend.port
        );
        let project = project("users", text)?;
        let gateway = Running::start(project.root()).await?;
        let (address, seen, next) = (gateway.address(), Arc::<Seen>::default(), Arc::<AtomicU64>::default());
        let mut clients: JoinSet<Result<(), String>> = JoinSet::new();
        for _ in 0..CLIENTS {
            let (seen, next) = (seen.clone(), next.clone());
            clients.spawn(async move {
                loop {
                    let case = next.fetch_add(1, Ordering::SeqCst);
                    if case >= cases as u64 {
                        return Ok(());
                    }
                    one_case(address, case, &seen).await?;
                }
            });
        }
        while let Some(client) = clients.join_next().await {
            client.map_err(|error| error.to_string())??;
        }
        let good = seen.good.load(Ordering::SeqCst);
        assert!(good > cases / 4, "{good} of {cases} were answered");
        assert!(backend.calls() < cases, "{} calls for {cases} requests: nothing is shared", backend.calls());
        gateway.stop().await;
        Ok(())
    })
}

/// One user asks for one thing, and perhaps leaves before it is there.
async fn one_case(address: SocketAddr, case: u64, seen: &Seen) -> Result<(), String> {
    let draw = scattered(case);
    let user = if draw.is_multiple_of(2) { "ann" } else { "bob" };
    let target = ["/me", "/private", "/told", "/mine"][(draw / 2 % 4) as usize];
    let mut connection = Connection::open(address).await.map_err(|error| error.to_string())?;
    let head = format!("GET {target} HTTP/1.1\r\nhost: a\r\nauthorization: {user}\r\n\r\n");
    connection.send(head.as_bytes()).await.map_err(|error| error.to_string())?;
    let patience = Duration::from_micros(if draw.is_multiple_of(7) { draw % 1_500 } else { 5_000_000 });
    let Ok(answer) = tokio::time::timeout(patience, connection.response("GET")).await else { return Ok(()) };
    let answer: Message = answer.map_err(|error| error.to_string())?;
    if answer.status() != 200 {
        return Ok(());
    }
    seen.good.fetch_add(1, Ordering::SeqCst);
    let body: serde_json::Value = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
    if let Some(of) = body.get("user") {
        assert_eq!(of, user, "{target} says {body}");
    }
    if let Some(number) = body.get("private").and_then(serde_json::Value::as_u64) {
        let mut private = seen.private.lock().unwrap_or_else(PoisonError::into_inner);
        let of = *private.entry(number).or_insert(user);
        assert_eq!(of, user, "the answer {number} to {target} was for the other");
    }
    Ok(())
}

fn a_reload_keeps_what_is_kept() -> Result<(), String> {
    run(async {
        let backend = Backend::start(Manner::Slow(Duration::ZERO)).await?;
        let text = |fail: &str, ttl: &str| {
            format!(
                "backends: {{ a: {{ rest: \"http://127.0.0.1:{}\", cache: {ttl}, fail: {{ when: \"{fail}\" }} }} }}\nendpoints:\n  \
                 GET /n: {{ steps: {{ s: {{ backend: a, get: /n }} }}, result: \"${{s.number}}\" }}\n",
                backend.port
            )
        };
        let never = "${reply.number == -1}";
        let project = project("reload", text(never, "1m"))?;
        let gateway = Running::start(project.root()).await?;
        let (address, admin) = (gateway.address(), gateway.admin_address());
        let taken_up = async |text: String| {
            std::fs::write(project.root().join("compositions/main.yaml"), text).map_err(|error| error.to_string())?;
            ask(admin, "POST", "/reload").await?;
            ask(address, "GET", "/n").await
        };
        assert_eq!(ask(address, "GET", "/n").await?, (200, "0".to_owned()));
        assert_eq!(taken_up(format!("{}\n# the same\n", text(never, "1m"))).await?, (200, "0".to_owned()));
        // What judges replies, and for how long they are kept, is part of what they are.
        assert_eq!(taken_up(text("${reply.number == -2}", "1m")).await?, (200, "1".to_owned()));
        assert_eq!(taken_up(text("${reply.number == -2}", "2m")).await?, (200, "2".to_owned()));
        assert_eq!(taken_up(text(never, "1m")).await?, (200, "3".to_owned()));
        gateway.stop().await;
        Ok(())
    })
}

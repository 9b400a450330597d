//! A project that changes while it is served: what is right is taken up without the loss of a request, what is wrong
//! changes nothing and is said.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use crate::claim::{claims, run};
use crate::gateway::Running;
use crate::http1::Connection;
use crate::project::Project;
use crate::serve::Serving;

claims![
    no_request_is_lost_over_hundreds_of_reloads,
    a_request_ends_on_the_plan_that_it_began_with,
    a_broken_project_leaves_what_was_served_and_is_said,
    a_signal_takes_the_project_up,
    what_cannot_change_asks_for_a_restart,
    memory_stays_flat_over_a_thousand_reloads,
];

/// The load and the reloads of one claim last at most this long.
const LONGEST: Duration = Duration::from_secs(8);
/// Clients that ask without a pause.
const CLIENTS: usize = 6;
const COMPOSITIONS: &str = "compositions/main.yaml";

/// A REST backend that answers every request after a pause, and counts its connections.
struct Backend {
    port: u16,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Backend {
    async fn start(pause: Duration) -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        let task = tokio::spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let mut connection = Connection::over(Box::new(stream));
                open.spawn(async move {
                    while let Ok(Some(_)) = connection.request().await {
                        tokio::time::sleep(pause).await;
                        let answer =
                            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n{\"n\":1}";
                        if connection.send(answer).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Ok(Self { port, connections, task })
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// A project whose one endpoint says which version of it answered.
fn composition(port: u16, version: usize) -> String {
    format!(
        "backends: {{ a: {{ rest: \"http://127.0.0.1:{port}\" }} }}\nendpoints:\n  \
         GET /one: {{ steps: {{ r: {{ backend: a, get: / }} }}, result: {{ version: {version}, n: \"${{r.n}}\" }} }}\n"
    )
}

fn write(root: &Path, text: &str) -> Result<(), String> {
    std::fs::write(root.join(COMPOSITIONS), text).map_err(|error| error.to_string())
}

fn project(name: &str, text: String) -> Result<Project, String> {
    Project::write(&format!("reload/{name}"), &[(COMPOSITIONS.to_owned(), text)])
}

/// One exchange on a connection of its own: status and body.
///
/// # Errors
/// There is no answer.
pub(crate) async fn ask(address: std::net::SocketAddr, method: &str, target: &str) -> Result<(u16, String), String> {
    let mut connection = Connection::open(address).await.map_err(|error| error.to_string())?;
    exchange(&mut connection, method, (target, "")).await
}

async fn exchange(
    connection: &mut Connection,
    method: &str,
    (target, fields): (&str, &str),
) -> Result<(u16, String), String> {
    let head = format!("{method} {target} HTTP/1.1\r\nhost: a\r\n{fields}content-length: 0\r\n\r\n");
    connection.send(head.as_bytes()).await.map_err(|error| error.to_string())?;
    let answer = connection.response(method).await.map_err(|error| error.to_string())?;
    Ok((answer.status(), answer.text()))
}

/// Asks for a reload; the answer in JSON.
async fn reload(gateway: &Running) -> Result<(u16, Value), String> {
    let mut connection = Connection::open(gateway.admin_address()).await.map_err(|error| error.to_string())?;
    let (status, body) = exchange(&mut connection, "POST", ("/reload", "accept: application/json\r\n")).await?;
    Ok((status, serde_json::from_str(&body).map_err(|error| format!("{body}: {error}"))?))
}

fn no_request_is_lost_over_hundreds_of_reloads() -> Result<(), String> {
    run(async {
        let backend = Backend::start(Duration::from_millis(1)).await?;
        let project = project("load", composition(backend.port, 0))?;
        let gateway = Running::start(project.root()).await?;
        let (address, stop) = (gateway.address(), Arc::new(AtomicBool::new(false)));
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let stop = stop.clone();
            clients.spawn(async move {
                let mut connection = Connection::open(address).await.map_err(|error| error.to_string())?;
                let (mut answers, mut newest) = (0, 0);
                while !stop.load(Ordering::Relaxed) {
                    let (status, body) = exchange(&mut connection, "GET", ("/one", "")).await?;
                    let answer: Value = serde_json::from_str(&body).map_err(|error| format!("{body}: {error}"))?;
                    let version = answer["version"].as_u64().filter(|_| status == 200 && answer["n"] == 1);
                    let version = version.ok_or(format!("{status} {body}"))?;
                    if version < newest {
                        return Err(format!("version {version} answers after {newest}"));
                    }
                    (answers, newest) = (answers + 1, version);
                }
                Ok::<u64, String>(answers)
            });
        }
        let (since, mut reloads) = (Instant::now(), 0);
        while reloads < 400 && since.elapsed() < LONGEST {
            reloads += 1;
            write(project.root(), &composition(backend.port, reloads))?;
            let (status, said) = reload(&gateway).await?;
            assert_eq!((status, &said["backends"]["kept"][0]), (200, &Value::from("a")), "{said}");
            let (_, body) = ask(address, "GET", "/one").await?;
            assert!(body.contains(&format!("\"version\":{reloads},")), "{body} after reload {reloads}");
        }
        stop.store(true, Ordering::Relaxed);
        let mut answers = 0;
        while let Some(ended) = clients.join_next().await {
            answers += ended.map_err(|error| error.to_string())??;
        }
        assert!(reloads >= 50 && answers > reloads as u64, "{reloads} reloads under {answers} requests");
        let connections = backend.connections();
        assert!(connections <= 6 * CLIENTS, "{connections} connections over {reloads} reloads");
        gateway.stop().await;
        Ok(())
    })
}

fn a_request_ends_on_the_plan_that_it_began_with() -> Result<(), String> {
    run(async {
        let backend = Backend::start(Duration::from_millis(500)).await?;
        let project = project("under-way", composition(backend.port, 1))?;
        let gateway = Running::start(project.root()).await?;
        let address = gateway.address();
        let under_way = tokio::spawn(async move { ask(address, "GET", "/one").await });
        assert!(crate::claim::until(|| backend.connections() == 1).await);
        // The endpoint and its backend are gone.
        write(project.root(), "endpoints: { GET /two: { result: 2 } }\n")?;
        let (status, said) = reload(&gateway).await?;
        assert_eq!((status, &said["backends"]["ended"][0]), (200, &Value::from("a")), "{said}");
        assert_eq!(said["files"]["changed"][0], COMPOSITIONS);
        assert_eq!(ask(address, "GET", "/one").await?.0, 404);
        assert_eq!(ask(address, "GET", "/two").await?, (200, "2".to_owned()));
        let ended = under_way.await.map_err(|error| error.to_string())??;
        assert_eq!(ended, (200, "{\"version\":1,\"n\":1}".to_owned()));
        gateway.stop().await;
        Ok(())
    })
}

fn a_broken_project_leaves_what_was_served_and_is_said() -> Result<(), String> {
    run(async {
        let backend = Backend::start(Duration::ZERO).await?;
        let good = composition(backend.port, 1);
        let project = project("broken", good.clone())?;
        let gateway = Running::start(project.root()).await?;
        let proto = project.root().join("proto");
        std::fs::create_dir_all(&proto).map_err(|error| error.to_string())?;
        let broken = [
            (good.replace("version: 1", "version: ["), "yaml"),
            (good.replace("result:", "reslut:"), "unknown-key"),
            (good.replace("backend: a", "backend: b"), "unknown-name"),
            (good.replace("rest:", "proto: proto/none.proto, grpc:"), "protos"),
        ];
        for (count, (text, code)) in broken.iter().enumerate() {
            write(project.root(), text)?;
            let (status, said) = reload(&gateway).await?;
            assert_eq!((status, &said["ok"]), (422, &Value::from(false)), "{said}");
            let first = &said["diagnostics"][0];
            assert!(first["line"].as_u64() > Some(0) && first["file"] == COMPOSITIONS, "{code}: {said}");
            let (status, body) = ask(gateway.address(), "GET", "/one").await?;
            assert_eq!((status, body.as_str()), (200, "{\"version\":1,\"n\":1}"));
            let (_, state) = ask(gateway.admin_address(), "GET", "/reload").await?;
            let state: Value = serde_json::from_str(&state).map_err(|error| error.to_string())?;
            assert_eq!((&state["last_reload"], &state["failed"]), (&said, &Value::from(count + 1)));
            assert_eq!(ask(gateway.admin_address(), "GET", "/readyz").await?.0, 200);
        }
        let (status, text) = ask(gateway.admin_address(), "POST", "/reload").await?;
        assert!(status == 422 && text.contains(&format!("--> {COMPOSITIONS}:")), "{status} {text}");
        assert!(text.ends_with("what was served before still is\n"), "{text}");
        write(project.root(), &good)?;
        assert_eq!(ask(gateway.admin_address(), "POST", "/reload").await?, (200, "taken up; no file changed\n".into()));
        gateway.stop().await;
        Ok(())
    })
}

/// A project that answers with a number, and listens where it is told.
fn told(gateway: &str, number: usize) -> String {
    format!("gateway: {{ {gateway} }}\nendpoints: {{ GET /one: {{ result: {number} }} }}\n")
}

const GATEWAY: &str = "listen: 127.0.0.1:0, admin: { listen: 127.0.0.1:0 }, shutdown: { delay: 10ms, timeout: 50ms }";
const GET: &str = "GET /one HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
const POST: &str = "POST /reload HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

fn a_signal_takes_the_project_up() -> Result<(), String> {
    let project = project("signal", told(GATEWAY, 1))?;
    let mut serving = Serving::start_project(project.root(), &[])?;
    write(project.root(), &told(GATEWAY, 2))?;
    serving.signal("HUP")?;
    let said = serving.line(|line| line["message"] == "the project is taken up")?;
    assert_eq!(said["changed"], COMPOSITIONS);
    assert!(serving.ask(GET)?.ends_with("\r\n\r\n2"));
    write(project.root(), "endpoints: { GET /one: { reslut: 3 } }\n")?;
    serving.signal("HUP")?;
    let said = serving.line(|line| line["level"] == "ERROR")?;
    let diagnostics = said["diagnostics"].as_str().unwrap_or_default();
    assert!(diagnostics.contains("did you mean `result`?"), "{said}");
    assert!(serving.ask(GET)?.ends_with("\r\n\r\n2"));
    Ok(())
}

fn what_cannot_change_asks_for_a_restart() -> Result<(), String> {
    let project = project("fixed", told(GATEWAY, 1))?;
    let serving = Serving::start_project(project.root(), &[])?;
    let other = GATEWAY.replace("listen: 127.0.0.1:0,", "listen: 127.0.0.2:0, access_log: \"off\",");
    write(project.root(), &told(&other, 2))?;
    let answer = serving.ask_operators(POST)?;
    assert!(answer.starts_with("HTTP/1.1 422"), "{answer}");
    let said = "error[needs-restart]: `gateway.listen` cannot change while the gateway runs, which serves clients at";
    assert!(answer.contains(said) && answer.contains("`gateway.access_log` cannot change"), "{answer}");
    assert!(serving.ask(GET)?.ends_with("\r\n\r\n1"));
    Ok(())
}

/// Kilobytes of memory that a process holds.
fn resident(id: u32) -> Result<u64, String> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).map_err(|error| error.to_string())?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).ok_or(line.to_owned())
}

fn memory_stays_flat_over_a_thousand_reloads() -> Result<(), String> {
    let project = project("memory", told(GATEWAY, 0))?;
    let serving = Serving::start_project(project.root(), &["--log-levels", "off,selvedge::cli=info"])?;
    let mut after_some = 0;
    for number in 1..=1_000 {
        write(project.root(), &told(GATEWAY, number))?;
        let answer = serving.ask_operators(POST)?;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(serving.ask(GET)?.ends_with(&format!("\r\n\r\n{number}")));
        if number == 300 {
            after_some = resident(serving.id())?;
        }
    }
    let grown = resident(serving.id())?.saturating_sub(after_some);
    assert!(grown < 4 << 10, "{grown} KiB more after 700 further reloads than the {after_some} KiB before");
    Ok(())
}

//! `tests/behaviour/*.md`: each document is a claim, played against a real gateway and scripted backends.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use rustls::version::{TLS12, TLS13};

use crate::backend::{Backends, Seen};
use crate::certificates::connect;
use crate::claim::{files, run, stem};
use crate::coding;
use crate::compare;
use crate::document::{self, Answer, Asker, Calls, Document, Kind, Request, Tls};
use crate::gateway::Running;
use crate::http1::{Connection, Message};
use crate::name_server::NameServer;
use crate::project::Project;
use crate::store::server::Redis;
use crate::zone::Zone;

/// One trial a document.
pub(crate) fn trials() -> Vec<Trial> {
    let documents = files("tests/behaviour", "md").into_iter().filter(|path| stem(path) != "README");
    documents.map(|path| Trial::test(format!("behaviour::{}", stem(&path)), move || play(&path))).collect()
}

/// How long the record of calls may take to become what a document says.
const SETTLE: Duration = Duration::from_secs(1);

/// What stands in a composition for the address of the document's name server.
const NAMES: &str = "192.0.2.53";

/// How long nothing more may arrive after that.
const QUIET: Duration = Duration::from_millis(15);

/// How often a document is played whose answers come late.
const TRIES: usize = 4;

/// What stands in a document for a Redis of its own.
const STORE: &str = "redis://store.test";

/// What is said of an answer that comes late.
const LATE: &str = "must take at most";

fn play(path: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let document = document::read(&text)?;
    let name = format!("behaviour/{}", stem(path));
    let mut played = run(play_document(&document, &name));
    // A busy machine makes answers late now and then; a gateway that is late is late every time.
    for _ in 1..TRIES {
        if !played.as_ref().is_err_and(|why| why.contains(LATE)) {
            break;
        }
        played = run(play_document(&document, &name));
    }
    Ok(played.map_err(|why| format!("{}\n{why}", document.title))?)
}

/// Plays a document in the project folder `name`.
///
/// # Errors
/// The first thing that is not as the document says.
pub(crate) async fn play_document(document: &Document, name: &str) -> Result<(), String> {
    let stage = Stage::set(document, name).await?;
    let mut client = Client::new(&stage);
    for event in &document.events {
        let done = match &event.kind {
            Kind::Request(request) => client.request(request).await,
            Kind::Answer(answer) => client.answer(answer),
            Kind::Calls(calls) => client.calls(calls).await,
            Kind::Drift(expected) => drifts_as(&stage, expected).await,
            Kind::Log(expected) => logs(&stage, expected).await,
            Kind::End(after, within) => ends(&stage, (*after, *within)).await,
        };
        done.map_err(|why| format!("line {}: {why}", event.line))?;
    }
    let unscripted = stage.backends.record.all().into_iter().find(|seen| !seen.scripted);
    stage.gateway.stop().await;
    match unscripted {
        Some(seen) => Err(format!("a call that no script answers: {}", compare::show(&seen))),
        None => Ok(()),
    }
}

/// A gateway with its backends, ready to be asked.
pub(crate) struct Stage {
    /// The gateway.
    pub(crate) gateway: Running,
    /// The backends behind it.
    pub(crate) backends: Backends,
    /// The store that its project names.
    _store: Option<Redis>,
    _names: Option<NameServer>,
}

impl Stage {
    /// Starts the backends and the project of a document.
    ///
    /// # Errors
    /// A script that cannot be played, or the diagnostics of the project.
    pub(crate) async fn set(document: &Document, name: &str) -> Result<Self, String> {
        let protos = Project::write(name, &document.files)?.protos()?;
        let backends = Backends::start(&document.backends, &protos).await?;
        let names = match &document.names {
            Some(zone) => Some(start(zone.clone(), &backends).await.map_err(|error| error.to_string())?),
            None => None,
        };
        let server = names.as_ref().map_or_else(String::new, |names| names.address.to_string());
        let store = match document.files.iter().any(|(_, text)| text.contains(STORE)) {
            true => Some(Redis::start(&[]).await?),
            false => None,
        };
        let url = store.as_ref().map_or_else(|| STORE.to_owned(), Redis::url);
        let locate = |text: &str| backends.locate(text).replace(NAMES, &server).replace(STORE, &url);
        let located: Vec<(String, String)> =
            document.files.iter().map(|(path, text)| (path.clone(), locate(text))).collect();
        let project = Project::write(name, &located)?;
        let started = match document.is_of_the_command() {
            true => Running::command(project.root(), document.profile.as_deref()),
            false => Running::start_with(project.root(), document.profile.as_deref()).await,
        };
        let gateway = started.map_err(|why| format!("the project does not start\n{why}"))?;
        Ok(Self { gateway, backends, _store: store, _names: names })
    }
}

/// Starts the name server of a document.
async fn start(zone: Zone, backends: &Backends) -> std::io::Result<NameServer> {
    let ports = backends.addresses.iter().map(|(name, address)| (name.clone(), address.port())).collect();
    NameServer::start(zone.play(ports)).await
}

/// The client of a document: sends requests one by one and keeps what came back.
struct Client<'a> {
    stage: &'a Stage,
    /// The answer or why there is none, and how long that took.
    received: Option<(Result<Message, String>, Duration)>,
    /// How many calls of the record were compared before.
    compared: usize,
}

impl<'a> Client<'a> {
    fn new(stage: &'a Stage) -> Self {
        Self { stage, received: None, compared: 0 }
    }

    async fn request(&mut self, request: &Request) -> Result<(), String> {
        if self.received.is_some() {
            return Err("the answer before was not compared".into());
        }
        let sent = Instant::now();
        let received = send(&self.stage.gateway, request).await.transpose();
        let plain = |message| coding::plain(message).map_err(|error| error.to_string());
        self.received = received.map(|received| (received.and_then(plain), sent.elapsed()));
        Ok(())
    }

    fn answer(&mut self, expected: &Answer) -> Result<(), String> {
        let (received, took) = self.received.take().ok_or("there is no answer to compare")?;
        match received {
            Ok(message) => compare::answer(expected, &message)?,
            Err(why) if expected.status.is_none() && why.contains(&expected.body) => {}
            Err(why) => return Err(why),
        }
        match (expected.within, expected.after) {
            (Some(limit), _) if took > limit => Err(format!("took {took:?}, and {LATE} {limit:?}")),
            (_, Some(limit)) if took < limit => Err(format!("took {took:?}, and must take at least {limit:?}")),
            _ => Ok(()),
        }
    }

    async fn calls(&mut self, expected: &Calls) -> Result<(), String> {
        let since = Instant::now();
        while since.elapsed() < SETTLE && compare::calls(expected, &self.new_calls()).is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(QUIET).await;
        let new = self.new_calls();
        self.compared += new.len();
        compare::calls(expected, &new)
    }

    fn new_calls(&self) -> Vec<Seen> {
        self.stage.backends.record.all().split_off(self.compared)
    }
}

/// Compares what operators are told about promises with the lines of a document.
async fn drifts_as(stage: &Stage, expected: &[String]) -> Result<(), String> {
    let listed = drift(stage).await?;
    let found: Vec<String> = listed.as_array().into_iter().flatten().map(line_of_drift).collect();
    match found == expected {
        true => Ok(()),
        false => Err(format!("operators are told\n{}\ninstead of\n{}", found.join("\n"), expected.join("\n"))),
    }
}

/// One promise: the backends, the field, its type, and what was found how often instead.
fn line_of_drift(broken: &serde_json::Value) -> String {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let backends: Vec<String> = broken["backends"].as_array().into_iter().flatten().map(text).collect();
    let found = broken["found"].as_object().into_iter().flatten();
    let found: Vec<String> = found.map(|(found, count)| format!("{found} {count}")).collect();
    let (field, expected) = (text(&broken["field"]), text(&broken["expected"]));
    format!("{} | {field} | {expected} | {}", backends.join(", "), found.join(", "))
}

/// What the operators' address lists under `/drift`.
async fn drift(stage: &Stage) -> Result<serde_json::Value, String> {
    let mut connection = Connection::open(stage.gateway.admin_address()).await.map_err(|error| error.to_string())?;
    connection.send(b"GET /drift HTTP/1.1\r\nHost: a\r\n\r\n").await.map_err(|error| error.to_string())?;
    let answer = connection.response("GET").await.map_err(|error| error.to_string())?;
    serde_json::from_str(&answer.text()).map_err(|error| error.to_string())
}

/// Compares the access log with the lines of a document.
async fn logs(stage: &Stage, expected: &[String]) -> Result<(), String> {
    let (serving, since) = (stage.gateway.process()?, Instant::now());
    let mut written = serving.new_access();
    while since.elapsed() < SETTLE && compare::lines(expected, &written).is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
        written.extend(serving.new_access());
    }
    tokio::time::sleep(QUIET).await;
    written.extend(serving.new_access());
    compare::lines(expected, &written)
}

/// Waits for the end of the gateway, which must come in its time.
async fn ends(stage: &Stage, (after, within): (Duration, Duration)) -> Result<(), String> {
    match stage.gateway.process()?.end().await? {
        took if took < after => Err(format!("it ended after {took:?}, and must take at least {after:?}")),
        took if took > within => Err(format!("it ended after {took:?}, and {LATE} {within:?}")),
        _ => Ok(()),
    }
}

/// Sends a request on a connection of its own; `None` when the client leaves before the answer.
///
/// # Errors
/// A connection that fails.
pub(crate) async fn send(gateway: &Running, request: &Request) -> Result<Option<Message>, String> {
    let way = request.way;
    let listens = match way.from {
        Asker::Client => gateway.address(),
        Asker::Operator => gateway.admin_address(),
    };
    let address = SocketAddr::new(way.at.unwrap_or(listens.ip()), listens.port());
    let mut connection = match way.tls {
        None => Connection::open(address).await.map_err(|error| error.to_string())?,
        Some(Tls::Old) => Connection::over(Box::new(connect(address, b"http/1.1", &[&TLS12]).await?)),
        Some(Tls::New) => Connection::over(Box::new(connect(address, b"http/1.1", &[&TLS13]).await?)),
    };
    connection.send(&bytes(request)).await.map_err(|error| error.to_string())?;
    if let Some(after) = way.drains {
        tokio::time::sleep(after).await;
        gateway.process()?.tell_to_end()?;
    }
    if let Some(after) = request.leaves {
        tokio::time::sleep(after).await;
        return Ok(None);
    }
    let answer = tokio::time::timeout(Duration::from_secs(30), connection.response(&request.method)).await;
    let answer = answer.map_err(|_| "no answer within 30 seconds")?;
    answer.map(Some).map_err(|error| format!("no answer: {error}"))
}

fn bytes(request: &Request) -> Vec<u8> {
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    let given = |name: &str| request.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    if !given("host") {
        head.push_str("host: gateway.test\r\n");
    }
    if !request.body.is_empty() && !given("content-length") && !given("transfer-encoding") {
        head.push_str(&format!("content-length: {}\r\n", request.body.len()));
    }
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    [head.as_bytes(), &request.body].concat()
}

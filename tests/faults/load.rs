//! Clients: each keeps its connection and sends a request when the last one is answered and its turn has come.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use crate::case::Bar;
use crate::http1::{Connection, Message};

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    method: &'static str,
    target: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Ask {
    /// GET, without a body.
    pub(crate) fn get(target: &str) -> Self {
        Self { method: "GET", target: target.to_owned(), headers: Vec::new(), body: String::new() }
    }

    /// POST of JSON.
    pub(crate) fn post(target: &str, body: String) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { method: "POST", target: target.to_owned(), headers, body }
    }

    /// A GraphQL document.
    pub(crate) fn graphql(document: &str) -> Self {
        Self::post("/graphql", serde_json::json!({ "query": document }).to_string())
    }

    /// The same with a header field.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The path without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// As it goes on the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let Self { method, target, headers, body } = self;
        let mut head = format!("{method} {target} HTTP/1.1\r\nhost: faults.test\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        format!("{head}\r\n{body}").into_bytes()
    }
}

/// How one request ended.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// When it was sent.
    pub(crate) at: Instant,
    pub(crate) took: Duration,
    pub(crate) end: End,
}

#[derive(Clone, Debug)]
pub(crate) enum End {
    /// A response.
    Whole(Message),
    /// The connection could not be had, or ended before the first byte.
    Closed,
    /// The connection ended within a response, or what came is no response.
    Broken(String),
    /// Nothing within the time that a client waits.
    Late,
}

impl Answer {
    /// The status, if there is a response.
    pub(crate) fn status(&self) -> Option<u16> {
        self.message().map(Message::status)
    }

    /// The response, if there is one.
    pub(crate) fn message(&self) -> Option<&Message> {
        match &self.end {
            End::Whole(message) => Some(message),
            _ => None,
        }
    }

    /// The body of the response, or nothing.
    pub(crate) fn text(&self) -> String {
        self.message().map(Message::text).unwrap_or_default()
    }

    /// A field of the response, or nothing.
    pub(crate) fn header(&self, name: &str) -> String {
        self.message().and_then(|message| message.header(name)).unwrap_or_default()
    }

    /// Whether a backend was late for it, required or not.
    fn is_late(&self) -> bool {
        self.status() == Some(504) || self.header("selvedge-partial").contains("code=timeout")
    }

    /// The `code` of a problem document, or nothing.
    pub(crate) fn code(&self) -> String {
        let problem = serde_json::from_str::<Value>(&self.text()).unwrap_or_default();
        problem["code"].as_str().unwrap_or_default().to_owned()
    }

    /// What is wrong with it as a response, whatever it says (G4).
    pub(crate) fn malformed(&self) -> Option<String> {
        let message = match &self.end {
            End::Whole(message) => message,
            End::Closed => return None,
            End::Broken(why) => return Some(why.clone()),
            End::Late => return Some("no answer".to_owned()),
        };
        let text = message.text();
        let (status, kind) = (message.status(), message.header("content-type").unwrap_or_default());
        if !(200..600).contains(&status) {
            return Some(format!("the first line is {:?}", message.first_line));
        }
        if kind.contains("json") && serde_json::from_str::<Value>(&text).is_err() {
            return Some(format!("{status} with broken JSON of {} bytes", text.len()));
        }
        if status >= 400 && !kind.contains("json") {
            return Some(format!("{status} is {kind:?}"));
        }
        (status >= 400 && text.contains("127.0.0.1")).then(|| format!("{status} tells an address: {text}"))
    }
}

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Sends one request on a connection of its own.
pub(crate) async fn ask(to: SocketAddr, request: &Ask) -> Answer {
    let mut client = Client::of(to);
    client.ask(request).await
}

/// One client and its connection.
pub(crate) struct Client {
    to: SocketAddr,
    connection: Option<Connection>,
}

impl Client {
    /// One that has no connection yet.
    pub(crate) fn of(to: SocketAddr) -> Self {
        Self { to, connection: None }
    }

    /// Asks on the connection that it has, or on a new one.
    pub(crate) async fn ask(&mut self, request: &Ask) -> Answer {
        let at = Instant::now();
        let end = match timeout(PATIENCE, self.exchange(request)).await {
            Ok(Ok(message)) => End::Whole(message),
            Ok(Err(error)) if is_clean(&error) => End::Closed,
            Ok(Err(error)) => End::Broken(error.to_string()),
            Err(_) => End::Late,
        };
        if !matches!(end, End::Whole(_)) {
            self.connection = None;
        }
        Answer { at, took: at.elapsed(), end }
    }

    async fn exchange(&mut self, request: &Ask) -> io::Result<Message> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(self.to).await?,
        };
        connection.send(&request.bytes()).await?;
        let message = connection.response(request.method).await?;
        let closes = message.header("connection").is_some_and(|options| options.eq_ignore_ascii_case("close"));
        self.connection = (!closes).then_some(connection);
        Ok(message)
    }
}

/// Whether nothing of an answer had come.
fn is_clean(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset};
    [BrokenPipe, ConnectionRefused, ConnectionReset].contains(&error.kind())
        || error.to_string() == "closed without an answer"
}

/// Clients that ask the same thing for a while.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) ask: Ask,
    /// Requests in a second, all clients together.
    pub(crate) rate: u32,
    pub(crate) clients: u32,
}

impl Load {
    /// Asks until `until`; every answer, in the order of the requests. Who is asked may change meanwhile.
    pub(crate) async fn run(&self, to: &watch::Receiver<SocketAddr>, until: Instant) -> Answers {
        let period = Duration::from_secs(1) * self.clients / self.rate;
        let begin = Instant::now();
        let mut clients = JoinSet::new();
        for number in 0..self.clients {
            let Self { ask, rate, .. } = self.clone();
            let to = to.clone();
            clients.spawn(async move {
                let mut client = Client::of(*to.borrow());
                let mut answers = Vec::new();
                let mut turn = begin + Duration::from_secs(1) * number / rate;
                while turn < until {
                    sleep_until(turn.into()).await;
                    let now = *to.borrow();
                    if client.to != now {
                        client = Client::of(now);
                    }
                    answers.push(client.ask(&ask).await);
                    turn = (turn + period).max(Instant::now());
                }
                answers
            });
        }
        let mut all: Vec<Answer> = clients.join_all().await.into_iter().flatten().collect();
        all.sort_by_key(|answer| answer.at);
        Answers(all)
    }
}

/// Two clients that ask two gateways the same thing at the same moment.
pub(crate) struct Pair {
    ask: Ask,
    clients: (Client, Client),
    turn: Instant,
    pub(crate) here: Vec<Answer>,
    pub(crate) there: Vec<Answer>,
}

impl Pair {
    pub(crate) fn new(ask: Ask, (here, there): (SocketAddr, SocketAddr)) -> Self {
        let client = |to| Client { to, connection: None };
        let clients = (client(here), client(there));
        Self { ask, clients, turn: Instant::now(), here: Vec::new(), there: Vec::new() }
    }

    /// Asks both when it is time to.
    pub(crate) async fn ask(&mut self, period: Duration) {
        self.turn = (self.turn + period).max(Instant::now());
        sleep_until(self.turn.into()).await;
        let (here, there) = tokio::join!(self.clients.0.ask(&self.ask), self.clients.1.ask(&self.ask));
        self.here.push(here);
        self.there.push(there);
    }
}

/// What came of a load.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers(pub(crate) Vec<Answer>);

impl Answers {
    /// How many requests there were.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// How many of them are so.
    pub(crate) fn those(&self, are: impl Fn(&Answer) -> bool) -> usize {
        self.0.iter().filter(|answer| are(answer)).count()
    }

    /// How many have this status.
    pub(crate) fn with_status(&self, status: u16) -> usize {
        self.those(|answer| answer.status() == Some(status))
    }

    /// The time within which 99 of 100 were answered.
    pub(crate) fn p99(&self) -> Duration {
        percentile(self.0.iter().map(|answer| answer.took), 99)
    }

    /// All of them must be so.
    pub(crate) fn all(&self, what: &'static str, are: impl Fn(&Answer) -> bool) -> Bar {
        let those = self.those(&are);
        let late = self.those(|answer| !are(answer) && answer.is_late());
        let figure = match those == self.count() {
            true => those.to_string(),
            false => format!("{those} of {}", self.statuses()),
        };
        let bar = Bar::holds((what, &self.count().to_string()), figure, those == self.count() && those > 0);
        // On a machine that has no time other backends are late too.
        if those + late == self.count() { bar.timed() } else { bar }
    }

    /// Statuses and how often each came, as `200×97 502×3`; what is no response is counted as 0.
    fn statuses(&self) -> String {
        let mut counts = BTreeMap::<u16, usize>::new();
        for answer in &self.0 {
            *counts.entry(answer.status().unwrap_or(0)).or_default() += 1;
        }
        counts.iter().map(|(status, count)| format!("{status}×{count}")).collect::<Vec<_>>().join(" ")
    }
}

/// The duration that this many of a hundred do not exceed; zero of nothing.
pub(crate) fn percentile(durations: impl Iterator<Item = Duration>, of: usize) -> Duration {
    let mut sorted: Vec<Duration> = durations.collect();
    sorted.sort_unstable();
    // Below a hundred samples the last one is left out all the same: a single one is not a percentile.
    let last = sorted.len().saturating_sub(1);
    let at = (sorted.len() * of / 100).min(last.saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}

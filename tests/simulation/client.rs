//! Clients: each asks one thing after another, and says at once when an answer is not what it may be.

use std::time::Duration;

use fastrand::Rng;
use serde_json::Value;
use tokio::time::{sleep, timeout};
use turmoil::net::TcpStream;

use crate::game::{END, Game, LATE, Mood, QUIET};
use crate::http1::{Connection, Message};
use crate::judge::{Judge, TICK, now};
use crate::project::{ENDPOINT, OLDEST, ROOM};

/// A client and its connection.
pub(crate) struct Client {
    name: String,
    asked: u32,
    connection: Option<Connection>,
    random: Rng,
    /// How long an answer may take.
    patience: Duration,
    /// How long a message takes at most.
    latency: Duration,
    judge: Judge,
}

/// Texts that several clients ask C for.
const SHARED: [&str; 3] = ["s0", "s1", "s2"];

/// A request, and the key that nobody else asks with.
struct Ask {
    method: &'static str,
    target: String,
    key: String,
    shared: &'static str,
}

impl Client {
    pub(crate) fn new(name: String, seed: u64, (game, judge): (&Game, &Judge)) -> Self {
        // A request travels, is answered in its time, and the answer travels; hosts look at what came once in a tick.
        let patience = ENDPOINT + 2 * game.latency + 4 * TICK;
        let (random, judge) = (Rng::with_seed(seed), judge.clone());
        Self { name, asked: 0, connection: None, random, patience, latency: game.latency, judge }
    }

    /// Asks until the game is quiet.
    pub(crate) async fn run(mut self, pause: u64) {
        while now() < QUIET {
            sleep(Duration::from_millis(self.random.u64(0..=pause))).await;
            let ask = self.draw();
            if self.random.u32(0..12) == 0 {
                self.leave(&ask).await;
            } else {
                let answer = self.ask(&ask).await;
                self.judge(&ask, answer);
            }
        }
    }

    /// Asks when nothing is wrong any more, until an answer is whole; then for as much at once as there is room for.
    pub(crate) async fn finish(mut self) {
        sleep(QUIET.saturating_sub(now())).await;
        let mut whole = 0;
        while whole < SHARED.len() && now() < END {
            let shared = SHARED[whole];
            let ask = self.all(shared);
            let answer = self.ask(&ask).await.map(|(message, _)| json(&message)).unwrap_or_default();
            let is_whole = answer["a"] == ask.key && answer["b"] == ask.key && answer["c"] == shared;
            whole = if is_whole { whole + 1 } else { 0 };
            if !is_whole {
                self.judge.tell(&format!("not whole yet: {answer}"));
            }
        }
        if whole < SHARED.len() {
            return self.judge.wrong(&format!("{} is not whole when nothing is wrong any more", self.name));
        }
        self.judge.be("b", Mood::Late);
        let mut asking = tokio::task::JoinSet::new();
        for number in 0..ROOM {
            let mut other = self.fork(number);
            asking.spawn(async move {
                let ask = Ask { target: format!("/room/{}", other.key()), ..other.all(SHARED[0]) };
                let answer = other.ask(&ask).await;
                if answer.is_none_or(|(message, _)| message.status() != 200) {
                    other.judge.wrong(&format!("{}: there is no room where nothing is under way", other.name));
                }
            });
        }
        asking.join_all().await;
        self.judge.be("b", Mood::Calm);
        // What was made twice because it was late comes to its end.
        sleep(2 * LATE).await;
    }

    fn fork(&mut self, number: usize) -> Self {
        let (name, judge) = (format!("{}-{number}", self.name), self.judge.clone());
        let Self { patience, latency, .. } = *self;
        Self { name, asked: 0, connection: None, random: self.random.fork(), patience, latency, judge }
    }

    fn key(&self) -> String {
        format!("{}-{}", self.name, self.asked)
    }

    fn all(&mut self, shared: &'static str) -> Ask {
        self.asked += 1;
        let key = self.key();
        Ask { method: "GET", target: format!("/all/{key}?shared={shared}"), key, shared }
    }

    fn draw(&mut self) -> Ask {
        let shared = SHARED[self.random.usize(0..SHARED.len())];
        let all = self.all(shared);
        let key = &all.key;
        match self.random.u32(0..20) {
            0..=10 => all,
            11..=13 => Ask { target: format!("/room/{key}"), ..all },
            14..=16 => Ask { method: "POST", target: format!("/orders/{key}"), ..all },
            17..=18 => Ask { target: format!("/well/{key}"), ..all },
            _ => Ask { target: "/edition".to_owned(), ..all },
        }
    }

    /// Sends a request and is gone before it is answered, perhaps.
    async fn leave(&mut self, ask: &Ask) {
        let patience = Duration::from_millis(self.random.u64(0..300));
        let _ = timeout(patience, self.exchange(ask)).await;
        self.connection = None;
        self.judge.tell(&format!("{} left {} {}", self.name, ask.method, ask.target));
    }

    /// The answer and how long it took; `None`, and said, when there is none.
    async fn ask(&mut self, ask: &Ask) -> Option<(Message, Duration)> {
        let began = now();
        // A connection takes a message to come about.
        let answered = timeout(self.patience + self.latency + TICK, self.exchange(ask)).await;
        let took = now() - began;
        let what = format!("{} {} {}", self.name, ask.method, ask.target);
        match answered {
            Ok(Ok(message)) => {
                self.judge.tell(&format!("{what}: {} after {took:?}: {}", message.status(), message.text()));
                return Some((message, took));
            }
            Ok(Err(error)) => self.judge.wrong(&format!("{what}: no answer, but {error}")),
            Err(_) => self.judge.wrong(&format!("{what}: no answer within {took:?}")),
        }
        self.connection = None;
        None
    }

    async fn exchange(&mut self, Ask { method, target, key, .. }: &Ask) -> std::io::Result<Message> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::over(Box::new(TcpStream::connect(("gateway", 80)).await?)),
        };
        let body =
            if *method == "POST" { "content-type: application/json\r\ncontent-length: 2\r\n\r\n{}" } else { "\r\n" };
        let head = format!("{method} {target} HTTP/1.1\r\nhost: gateway\r\nx-request-id: {key}\r\n{body}");
        connection.send(head.as_bytes()).await?;
        let message = connection.response(method).await?;
        self.connection = Some(connection);
        Ok(message)
    }

    /// Says what an answer may not be.
    fn judge(&mut self, ask: &Ask, answer: Option<(Message, Duration)>) {
        let Some((message, took)) = answer else { return };
        let (status, body) = (message.status(), json(&message));
        let is_problem = matches!(status, 502..=504) && body["status"] == status && body["code"].is_string();
        let own = message.header("x-request-id").as_deref() == Some(&ask.key);
        let holds = match ask.target.split('/').nth(1).unwrap_or_default() {
            "well" => status == 200 && body["d"] == ask.key,
            "edition" => status == 200 && (body == 1 || body == 2),
            "orders" if status == 201 || status == 200 => body["c"] == ask.key && self.judge.orders(&ask.key) == 1,
            "room" if status == 200 => body["b"] == ask.key,
            "all?" | "all" if status == 200 => self.is_sound(&body, ask, took),
            _ => is_problem,
        };
        if !(own && holds) {
            let text = message.text();
            self.judge.wrong(&format!("{} {}: {status} {text}, for {:?}", self.name, ask.target, message.headers));
        }
    }

    /// Whether each part of an answer is the client's own, or stands for one that failed, and none is too old.
    fn is_sound(&self, body: &Value, ask: &Ask, took: Duration) -> bool {
        let made = body["at"].as_u64().map(Duration::from_millis);
        let oldest = OLDEST + took + 2 * self.latency + 4 * TICK;
        let is_young = made.is_none_or(|made| now().saturating_sub(made) <= oldest);
        let (b, c) = (&body["b"], &body["c"]);
        body["a"] == ask.key && (*b == ask.key || b == "none") && (c.is_null() || c == ask.shared) && is_young
    }
}

fn json(message: &Message) -> Value {
    serde_json::from_str(&message.text()).unwrap_or_default()
}

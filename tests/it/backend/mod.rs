//! Scripted backends on real sockets of 127.0.0.1, and the record of every call that reached them.

mod grpc;
mod rest;
mod secured;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use prost_reflect::DescriptorPool;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::certificates;
use crate::http1::joined;
use crate::script::{Act, Asked, Reply, Rule, Script};

/// One call as a backend saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// The backend's name.
    pub(crate) backend: String,
    /// The question, with the body or message as it came.
    pub(crate) asked: Asked,
    /// Header fields or metadata, as sent, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// Whether the script had a rule for it.
    pub(crate) scripted: bool,
    /// Whether the caller gave the call up before the backend had answered.
    pub(crate) cancelled: bool,
}

/// Every call of a test, in the order of arrival.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record(Arc<Mutex<Vec<Seen>>>);

impl Record {
    /// All calls up to now.
    pub(crate) fn all(&self) -> Vec<Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes an arrival; the number is for [`Self::cancelled`].
    fn arrived(&self, seen: Seen) -> usize {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(seen);
        all.len() - 1
    }

    /// Notes that the caller gave this call up.
    fn cancelled(&self, number: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[number].cancelled = true;
    }
}

/// Running backends; they end when this is dropped.
#[derive(Debug)]
pub(crate) struct Backends {
    /// Where each of them listens, by its name.
    pub(crate) addresses: Vec<(String, SocketAddr)>,
    /// What they saw.
    pub(crate) record: Record,
    _tasks: JoinSet<()>,
}

impl Backends {
    /// Starts one server for each script; `pool` holds the messages of all rpcs.
    ///
    /// # Errors
    /// A script that mixes REST and gRPC, or a port that cannot be had.
    pub(crate) async fn start(scripts: &[Script], pool: &DescriptorPool) -> Result<Self, String> {
        let mut backends = Self { addresses: Vec::new(), record: Record::default(), _tasks: JoinSet::new() };
        for script in scripts {
            let place = script.beside.as_ref().map_or(SocketAddr::from(([127, 0, 0, 1], 0)), |(other, address)| {
                SocketAddr::new(*address, backends.address(other).port())
            });
            let listener = TcpListener::bind(place).await.map_err(|error| error.to_string())?;
            let address = listener.local_addr().map_err(|error| error.to_string())?;
            backends.addresses.push((script.name.clone(), address));
            let player = Arc::new(Player::new(&backends.known(script), backends.record.clone()));
            let rpcs = script.rules.iter().filter(|rule| matches!(rule.asked, Asked::Rpc { .. })).count();
            match rpcs {
                0 => drop(backends._tasks.spawn(rest::serve(listener, player))),
                _ if rpcs == script.rules.len() => {
                    grpc::check(script, pool)?;
                    drop(backends._tasks.spawn(grpc::serve(listener, player, pool.clone())));
                }
                _ => return Err(format!("backend {} mixes REST and gRPC", script.name)),
            }
        }
        Ok(backends)
    }

    /// A script that knows the ports of the backends above it: `{port of NAME}` in what it replies.
    fn known(&self, script: &Script) -> Script {
        let mut script = script.clone();
        for reply in script.rules.iter_mut().flat_map(|rule| &mut rule.replies) {
            if let Act::Http { body, .. } = &mut reply.act {
                for (name, address) in &self.addresses {
                    *body = body.replace(&format!("{{port of {name}}}"), &address.port().to_string());
                }
            }
        }
        script
    }

    /// The text with each `http://NAME.test` replaced by the address of that backend, and `https://NAME.test` by one with
    /// the name of this machine, which certificates can have; a name without a script gets a port where nobody listens.
    /// `http://NAME.internal` gets the port of that backend, and is found by asking name servers.
    pub(crate) fn locate(&self, text: &str) -> String {
        let mut parts = text.split("://");
        let mut located = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let name_end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
            let named = part[name_end..]
                .strip_prefix(".test")
                .filter(|_| located.ends_with("http") || located.ends_with("https"));
            let address = || self.address(&part[..name_end]);
            match named {
                Some(rest) if located.ends_with("https") => {
                    located.push_str(&format!("://localhost:{}{rest}", address().port()));
                }
                Some(rest) => located.push_str(&format!("://{}{rest}", address())),
                None => located.push_str(&format!("://{part}")),
            }
        }
        let ports = self.addresses.iter().map(|(name, address)| (format!("://{name}.internal"), address.port()));
        let located = ports.fold(located, |text, (written, port)| text.replace(&written, &format!("{written}:{port}")));
        certificates::locate(&located)
    }

    fn address(&self, name: &str) -> SocketAddr {
        let known = self.addresses.iter().find(|(known, _)| known == name);
        // Port 1 (tcpmux) refuses on every machine that runs tests.
        known.map_or(SocketAddr::from(([127, 0, 0, 1], 1)), |(_, address)| *address)
    }
}

/// A script while it is played: each rule counts the calls it has answered.
#[derive(Debug)]
struct Player {
    name: String,
    rules: Vec<(Rule, AtomicUsize)>,
    record: Record,
}

impl Player {
    fn new(script: &Script, record: Record) -> Self {
        let rules = script.rules.iter().map(|rule| (rule.clone(), AtomicUsize::new(0))).collect();
        Self { name: script.name.clone(), rules, record }
    }

    /// Records the call and chooses its answer; `None` when the script has none.
    fn play(&self, asked: Asked, headers: Vec<(String, String)>) -> (usize, Option<Reply>) {
        let reply = self.rules.iter().find_map(|(rule, turns)| {
            let has = |(name, value): &(String, String)| joined(&headers, name).is_some_and(|sent| sent == *value);
            let captured = captured(&rule.asked, &asked).filter(|_| rule.with.iter().all(has))?;
            let turn = turns.fetch_add(1, Ordering::SeqCst).min(rule.replies.len() - 1);
            Some(filled(&rule.replies[turn], &captured))
        });
        let seen = Seen { backend: self.name.clone(), asked, headers, scripted: reply.is_some(), cancelled: false };
        (self.record.arrived(seen), reply)
    }
}

/// What the `*` of a rule stands for in this call; `None` when the rule is for other calls.
fn captured(rule: &Asked, asked: &Asked) -> Option<String> {
    match (rule, asked) {
        (Asked::Rest { method, target, body }, Asked::Rest { method: m, target: t, body: b }) => {
            let fits = method == m && (body.is_none() || body == b);
            fits.then(|| star(target, t)).flatten()
        }
        (Asked::Rpc { path, message }, Asked::Rpc { path: p, message: m }) => {
            (path == p && (message.is_none() || message == m)).then(String::new)
        }
        _ => None,
    }
}

fn star(pattern: &str, target: &str) -> Option<String> {
    let Some((before, after)) = pattern.split_once('*') else { return (pattern == target).then(String::new) };
    Some(target.strip_prefix(before)?.strip_suffix(after)?.to_owned())
}

fn filled(reply: &Reply, captured: &str) -> Reply {
    let mut reply = reply.clone();
    if let Act::Http { body, .. } = &mut reply.act {
        *body = body.replace("{*}", captured);
    }
    reply
}

/// A message as JSON with `null` for "could not be read".
fn or_null(message: Result<Value, String>) -> Value {
    message.unwrap_or(Value::Null)
}

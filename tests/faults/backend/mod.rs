//! Backends of the harness's own: servers that do what a function says, behind a link each, and remember who called.

pub(crate) mod grpc;
pub(crate) mod rest;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::link::Link;

/// One call as it came.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// How many had come before it.
    pub(crate) number: u64,
    /// How many had come before it on its connection.
    pub(crate) on_connection: u64,
    /// The request line of a REST call; the path of an rpc.
    pub(crate) first_line: String,
    /// Header fields or metadata, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) at: Instant,
    /// When the gateway was seen to have given it up.
    pub(crate) left: Option<Instant>,
}

/// The calls of one backend, and its open connections.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    calls: Vec<Call>,
    connections: usize,
    /// When a piece of an endless reply went out last.
    sent: Option<Instant>,
}

impl Record {
    /// How many calls have come.
    pub(crate) fn count(&self) -> u64 {
        self.with(|seen| seen.calls.len() as u64)
    }

    /// The calls after the first `from`.
    pub(crate) fn since(&self, from: u64) -> Vec<Call> {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        self.with(|seen| seen.calls.iter().skip(from).cloned().collect())
    }

    /// When a piece of an endless reply went out last.
    pub(crate) fn last_sent(&self) -> Option<Instant> {
        self.with(|seen| seen.sent)
    }

    /// Connections that are open now.
    pub(crate) fn connections(&self) -> usize {
        self.with(|seen| seen.connections)
    }

    fn with<T>(&self, what: impl FnOnce(&mut Seen) -> T) -> T {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn arrived(&self, on_connection: u64, (first_line, headers): (String, Vec<(String, String)>)) -> Call {
        self.with(|seen| {
            let number = seen.calls.len() as u64;
            let call = Call { number, on_connection, first_line, headers, at: Instant::now(), left: None };
            seen.calls.push(call.clone());
            call
        })
    }

    fn left(&self, number: u64) {
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        self.with(|seen| seen.calls.get_mut(at).map(|call| call.left = Some(Instant::now())));
    }

    fn opened(&self) -> Open {
        self.with(|seen| seen.connections += 1);
        Open(self.clone())
    }
}

/// A connection while it is open.
struct Open(Record);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.with(|seen| seen.connections -= 1);
    }
}

/// What a backend does with each call; may be changed at any time.
pub(crate) struct Script<R>(Arc<Mutex<Play<R>>>);

type Play<R> = Arc<dyn Fn(&Call) -> R + Send + Sync>;

impl<R> Clone for Script<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<R> Script<R> {
    fn of(play: impl Fn(&Call) -> R + Send + Sync + 'static) -> Self {
        Self(Arc::new(Mutex::new(Arc::new(play))))
    }

    fn set(&self, play: Play<R>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = play;
    }

    fn current(&self) -> Play<R> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn play(&self, call: &Call) -> R {
        self.current()(call)
    }
}

/// A backend whose replies are `R`, with the link that the gateway reaches it by.
pub(crate) struct Backend<R> {
    pub(crate) link: Link,
    pub(crate) record: Record,
    script: Script<R>,
    /// What it does when nothing is wrong with it.
    usual: Play<R>,
    _task: tokio::task::JoinSet<()>,
}

impl<R> Backend<R> {
    /// Where the gateway finds it.
    pub(crate) fn address(&self) -> SocketAddr {
        self.link.address
    }

    /// Does this with each call from now on.
    pub(crate) fn play(&self, play: impl Fn(&Call) -> R + Send + Sync + 'static) {
        self.script.set(Arc::new(play));
    }

    /// Does what it did in the beginning.
    pub(crate) fn heal(&self) {
        self.script.set(self.usual.clone());
        self.link.heal();
    }
}

/// How long a server looks whether its caller left before it takes it for patient.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

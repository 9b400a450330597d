//! What name servers said of hosts, kept for as long as they say, and served when they fail afterwards.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use tokio::time::{Instant, timeout_at};

use super::{Answer, Unanswered};

/// How long a lookup may take before what was said last is taken in its place.
const PATIENCE: Duration = Duration::from_millis(100);
/// Hosts that nobody asked for in so long are forgotten when a new one comes.
const FORGOTTEN: Duration = Duration::from_secs(60 * 60);

/// Asks name servers for the addresses of a host.
pub(super) type Ask = Box<dyn Fn(&str) -> BoxFuture<'static, Result<Answer<IpAddr>, Unanswered>> + Send + Sync>;

/// The addresses of a host, or why there are none, in words for operators.
pub(super) type Outcome = Result<Arc<[IpAddr]>, Arc<str>>;

/// The hosts that were asked for.
pub(super) struct Cache {
    ask: Ask,
    hosts: Arc<Mutex<Hosts>>,
}

type Hosts = HashMap<Box<str>, Host>;

/// What is known of a host.
struct Host {
    /// What was said last, and until when it holds.
    said: Option<(Arc<[IpAddr]>, Instant)>,
    /// Why nothing was said after that, and until when nobody asks again.
    failed: Option<(Arc<str>, Instant)>,
    /// The lookup that is under way.
    lookup: Option<Lookup>,
    asked_for: Instant,
}

/// A lookup, which everybody waits for who needs it. It goes on when all of them have left.
#[derive(Clone)]
struct Lookup {
    began: Instant,
    outcome: Shared<BoxFuture<'static, Outcome>>,
}

/// What is there for whoever needs a host.
enum Known {
    Now(Outcome),
    /// With what was said before.
    Soon(Lookup, Option<Arc<[IpAddr]>>),
}

impl Cache {
    pub(super) fn new(ask: Ask) -> Self {
        Self { ask, hosts: Arc::default() }
    }

    /// The addresses of a host.
    ///
    /// # Errors
    /// Nobody ever said them, and nobody says them now.
    pub(super) async fn addresses(&self, host: &str) -> Outcome {
        match self.known(host, Instant::now()) {
            Known::Now(outcome) => outcome,
            Known::Soon(lookup, None) => lookup.outcome.await,
            Known::Soon(lookup, Some(before)) => match timeout_at(lookup.began + PATIENCE, lookup.outcome).await {
                Ok(Ok(addresses)) => Ok(addresses),
                Ok(Err(_)) | Err(_) => Ok(before),
            },
        }
    }

    fn known(&self, name: &str, now: Instant) -> Known {
        let mut hosts = lock(&self.hosts);
        if !hosts.contains_key(name) {
            hosts.retain(|_, host| now.saturating_duration_since(host.asked_for) < FORGOTTEN);
        }
        let host = hosts.entry(name.into()).or_insert_with(|| Host::new(now));
        host.asked_for = now;
        if let Some(outcome) = host.now(now) {
            return Known::Now(outcome);
        }
        let before = host.said.as_ref().map(|(addresses, _)| addresses.clone());
        // One that is over and left nothing behind broke off.
        let under_way = host.lookup.take().filter(|lookup| lookup.outcome.peek().is_none());
        let lookup = host.lookup.insert(under_way.unwrap_or_else(|| self.look_up(name, now)));
        Known::Soon(lookup.clone(), before)
    }

    /// Begins a lookup.
    fn look_up(&self, name: &str, now: Instant) -> Lookup {
        let (asking, hosts, name) = ((self.ask)(name), self.hosts.clone(), Box::<str>::from(name));
        let task = tokio::spawn(async move {
            let answered = asking.await;
            let mut hosts = lock(&hosts);
            // One that was forgotten meanwhile is known again.
            let host = hosts.entry(name.clone()).or_insert_with(|| Host::new(now));
            if let (Err(Unanswered { why, .. }), None) = (&answered, &host.failed) {
                let (host, why) = (&*name, &**why);
                tracing::warn!(host, why, "name servers do not say where a host is; what they said last counts");
            }
            host.settle(answered, Instant::now())
        });
        let outcome =
            task.map(|ended| ended.unwrap_or_else(|error| Err(format!("a lookup broke off: {error}").into())));
        Lookup { began: now, outcome: outcome.boxed().shared() }
    }
}

impl Host {
    fn new(asked_for: Instant) -> Self {
        Self { said: None, failed: None, lookup: None, asked_for }
    }

    /// What there is without a lookup.
    fn now(&self, now: Instant) -> Option<Outcome> {
        let said = self.said.as_ref().map(|(addresses, _)| Ok(addresses.clone()));
        if self.said.as_ref().is_some_and(|(_, until)| now < *until) {
            return said;
        }
        let (why, _) = self.failed.as_ref().filter(|(_, until)| now < *until)?;
        Some(said.unwrap_or_else(|| Err(why.clone())))
    }

    /// Takes up what came of a lookup.
    fn settle(&mut self, answered: Result<Answer<IpAddr>, Unanswered>, now: Instant) -> Outcome {
        self.lookup = None;
        match answered {
            Ok(Answer { records, ttl }) => {
                let addresses: Arc<[IpAddr]> = records.into();
                self.said = Some((addresses.clone(), now + ttl));
                self.failed = None;
                Ok(addresses)
            }
            Err(Unanswered { why, pause }) => {
                self.failed = Some((why.clone(), now + pause));
                Err(why)
            }
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("hosts", &lock(&self.hosts).len()).finish_non_exhaustive()
    }
}

fn lock(hosts: &Mutex<Hosts>) -> MutexGuard<'_, Hosts> {
    hosts.lock().unwrap_or_else(PoisonError::into_inner)
}

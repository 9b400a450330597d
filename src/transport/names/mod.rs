//! Where hosts are: name servers are asked, and what they say is kept for as long as they say, a second at least and five
//! minutes at most.
//!
//! What was said last also serves when name servers fail afterwards, whatever they say then (RFC 8767): a host that was
//! there a minute ago rather is than is not. Nobody waits for that longer than for a healthy answer, no thread ever waits,
//! and one lookup is made for all who need the same host.

mod cache;
mod client;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;

use cache::Cache;
use client::Client;

/// How long an answer holds, whatever it says itself.
const HOLDS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5 * 60));
/// The same of the answer that there is nothing, and of none.
const FAILS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));

/// Finds out where hosts are; everything that connects shares one.
#[derive(Debug)]
pub struct Resolver {
    client: Arc<Client>,
    cache: Cache,
    /// Connections that were opened to names: they take turns among the addresses of a host.
    turn: AtomicUsize,
}

/// What name servers say.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<T> {
    /// At least one.
    pub records: Vec<T>,
    /// How long it holds.
    pub ttl: Duration,
}

/// A place where a service is, as a SRV record says it (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The name of its host.
    pub host: Box<str>,
    /// Its port.
    pub port: u16,
    /// Of two places the one with the smaller number is asked.
    pub priority: u16,
    /// Its share among those of the same priority.
    pub weight: u16,
}

/// Name servers say that there is nothing, or do not answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Unanswered {
    /// What they say, in words for operators.
    pub why: Arc<str>,
    /// How long they need not be asked again.
    pub pause: Duration,
}

impl Resolver {
    /// Asks these servers; without one, those that the machine asks.
    pub(super) fn new(servers: &[SocketAddr]) -> Self {
        let client = Arc::new(Client::new(servers));
        let asked = client.clone();
        let ask = move |host: &str| {
            let (client, host) = (asked.clone(), Box::<str>::from(host));
            async move { client.addresses(&host).await }.boxed()
        };
        Self { client, cache: Cache::new(Box::new(ask)), turn: AtomicUsize::new(0) }
    }

    /// Whether these are the servers that it asks.
    pub(super) fn asks(&self, servers: &[SocketAddr]) -> bool {
        self.client.servers() == servers
    }

    /// The addresses of a host as name servers say them now; what they said before does not count.
    pub(super) async fn addresses(&self, host: &str) -> Result<Answer<IpAddr>, Unanswered> {
        self.client.addresses(host).await
    }

    /// The places of a service as name servers say them now.
    pub(super) async fn services(&self, name: &str) -> Result<Answer<Service>, Unanswered> {
        self.client.services(name).await
    }

    /// Where to connect to, the first first: addresses of both families in turns (RFC 8305, section 4).
    ///
    /// # Errors
    /// The host has no address that is known.
    pub(super) async fn places(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        if is_this_machine(host) {
            let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
            return Ok(loopback.map(|address| SocketAddr::new(address, port)).to_vec());
        }
        let addresses = self.cache.addresses(host).await;
        let addresses = addresses.map_err(|why| io::Error::other(format!("`{host}` has no address: {why}")))?;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        Ok(in_turns(&addresses, turn).map(|address| SocketAddr::new(address, port)).collect())
    }
}

impl Unanswered {
    /// There are no name servers.
    pub(super) fn nobody() -> Self {
        Self { why: "there is no name server in this network".into(), pause: FAILS.1 }
    }
}

/// Names that are this machine, whatever name servers say of them (RFC 6761, section 6.3).
fn is_this_machine(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let last = host.rsplit('.').next().unwrap_or_default();
    last.eq_ignore_ascii_case("localhost")
}

/// The addresses of both families in turns, each family begun with another each time.
fn in_turns(addresses: &[IpAddr], turn: usize) -> impl Iterator<Item = IpAddr> {
    let (mut newer, mut older): (Vec<IpAddr>, Vec<IpAddr>) = addresses.iter().partition(|address| address.is_ipv6());
    for family in [&mut newer, &mut older].into_iter().filter(|family| !family.is_empty()) {
        let first = turn % family.len();
        family.rotate_left(first);
    }
    let longest = newer.len().max(older.len());
    (0..longest).flat_map(move |number| [newer.get(number).copied(), older.get(number).copied()]).flatten()
}

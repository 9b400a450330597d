//! Asks name servers: those that the project names, or those of `/etc/resolv.conf`; `/etc/hosts` stands before both.
//!
//! The library's own cache is not used, for it forgets what no longer holds.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use futures_util::future::{Either, select};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RData;
use hickory_resolver::system_conf::read_system_conf;

use super::{Answer, FAILS, HOLDS, Service, Unanswered};

/// How long name servers have for one answer, all of them together.
const TRY: Duration = Duration::from_secs(1);
/// How often they are asked when they do not answer.
const TRIES: u32 = 2;
/// How long addresses of one family wait for those of the other (RFC 8305, section 3, with more of it).
const OTHER_FAMILY: Duration = Duration::from_millis(250);
/// What says which name servers the machine asks, and what it knows without them.
const FILES: [&str; 2] = ["/etc/resolv.conf", "/etc/hosts"];

/// Asks name servers.
#[derive(Debug)]
pub(super) struct Client {
    /// Those that the project names.
    servers: Box<[SocketAddr]>,
    /// What asks, with the times of the files that it was made from.
    asking: Mutex<Option<(Times, TokioResolver)>>,
}

type Times = [Option<SystemTime>; 2];

impl Client {
    pub(super) fn new(servers: &[SocketAddr]) -> Self {
        Self { servers: servers.into(), asking: Mutex::default() }
    }

    /// Those that the project names.
    pub(super) fn servers(&self) -> &[SocketAddr] {
        &self.servers
    }

    /// The addresses of a host, of both families.
    pub(super) async fn addresses(&self, host: &str) -> Result<Answer<IpAddr>, Unanswered> {
        let resolver = self.resolver()?;
        let older = Box::pin(answer(resolver.ipv4_lookup(host), address));
        let newer = Box::pin(answer(resolver.ipv6_lookup(host), address));
        // Names that have addresses of one family are usual, and so are name servers that do not answer for the other.
        let (first, other) = match select(older, newer).await {
            Either::Left((first, other)) => (first, Either::Left(other)),
            Either::Right((first, other)) => (first, Either::Right(other)),
        };
        let Ok(mut both) = first else { return other.await };
        if let Ok(Ok(other)) = tokio::time::timeout(OTHER_FAMILY, other).await {
            both.records.extend(other.records);
            both.ttl = both.ttl.min(other.ttl);
        }
        Ok(both)
    }

    /// The places of a service.
    pub(super) async fn services(&self, name: &str) -> Result<Answer<Service>, Unanswered> {
        answer(self.resolver()?.srv_lookup(name), service).await
    }

    /// What asks, as the files of the machine are now.
    fn resolver(&self) -> Result<TokioResolver, Unanswered> {
        let times = FILES.map(|file| std::fs::metadata(file).and_then(|file| file.modified()).ok());
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, resolver) = match asking.take().filter(|(known, _)| *known == times) {
            Some(known) => asking.insert(known),
            None => asking.insert((times, self.configured().map_err(|error| unanswered(&error))?)),
        };
        resolver.clear_cache();
        Ok(resolver.clone())
    }

    fn configured(&self) -> Result<TokioResolver, NetError> {
        // Without the file there are no servers of the machine, and `/etc/hosts` may be enough.
        let nothing = || (ResolverConfig::from_name_servers(Vec::new()), ResolverOpts::default());
        let (system, options) = read_system_conf().unwrap_or_else(|_| nothing());
        let (domain, search, of_machine) = system.into_parts();
        let named: Vec<NameServerConfig> = self.servers.iter().map(name_server).collect();
        let servers = if named.is_empty() { of_machine } else { named };
        let config = ResolverConfig::from_parts(domain, search, servers);
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        *builder.options_mut() = options;
        let options = builder.options_mut();
        options.timeout = TRY;
        // Those after the first.
        options.attempts = TRIES as usize - 1;
        options.cache_size = 0;
        builder.build()
    }
}

/// A server, asked over UDP, and over TCP for what is too long for that.
fn name_server(address: &SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
    let connections = connections.map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.into())
}

/// Waits for a lookup and takes what is of the kind that was asked for; names of the machine's domain that are tried one
/// after another have as long as one alone.
async fn answer<T>(
    lookup: impl Future<Output = Result<Lookup, NetError>>,
    of_kind: impl Fn(&RData) -> Option<T>,
) -> Result<Answer<T>, Unanswered> {
    let lookup = tokio::time::timeout(TRY * TRIES, lookup).await.unwrap_or(Err(NetError::Timeout));
    let lookup = lookup.map_err(|error| unanswered(&error))?;
    let records: Vec<T> = lookup.answers().iter().filter_map(|record| of_kind(&record.data)).collect();
    if records.is_empty() {
        return Err(Unanswered { why: NOTHING.into(), pause: FAILS.0 });
    }
    let ttl = lookup.valid_until().saturating_duration_since(Instant::now());
    Ok(Answer { records, ttl: ttl.clamp(HOLDS.0, HOLDS.1) })
}

const NOTHING: &str = "name servers know the name, and nothing of the kind about it";

fn address(data: &RData) -> Option<IpAddr> {
    data.ip_addr()
}

fn service(data: &RData) -> Option<Service> {
    let RData::SRV(record) = data else { return None };
    let host = record.target.to_ascii();
    // A root in the place of the host says that there is no such service (RFC 2782).
    let host = host.trim_end_matches('.');
    let service = || Service { host: host.into(), port: record.port, priority: record.priority, weight: record.weight };
    (!host.is_empty()).then(service)
}

/// What a failure says to operators, and how long it holds.
fn unanswered(error: &NetError) -> Unanswered {
    let (why, ttl) = match error {
        NetError::Dns(DnsError::NoRecordsFound(nothing)) => {
            let ttl = nothing.negative_ttl.map(|seconds| Duration::from_secs(seconds.into()));
            let is_known = nothing.response_code == ResponseCode::NoError;
            (if is_known { NOTHING.into() } else { "name servers say that there is no such name".into() }, ttl)
        }
        NetError::Timeout => ("no name server answers in time".into(), None),
        NetError::NoConnections => {
            ("no name server can be asked; /etc/resolv.conf names those of the machine".into(), None)
        }
        other => (format!("name servers fail: {other}").into(), None),
    };
    Unanswered { why, pause: ttl.unwrap_or(FAILS.0).clamp(FAILS.0, FAILS.1) }
}

//! The listener and the defaults of requests.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::Planner;
use crate::base::diagnostic::Place;
use crate::base::id::FileId;
use crate::plan::{AccessLog, Address, Backend, BodyType, Endpoint, Fixed, Gateway, Store};
use crate::policy::overload::{self, Class};
use crate::spec::{self, Located, Priority, Scalar, Size};

/// The share of its memory from which on requests are refused, where nothing is written.
const SHORT_OF_MEMORY: f64 = 0.85;

const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
const ADMIN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9090);
/// The port of name servers.
const DNS: u16 = 53;
const DRAIN_DELAY: Duration = Duration::from_secs(5);
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes that kept replies may take.
const CACHE_SIZE: u64 = 64 << 20;

impl Planner<'_> {
    /// `gateway`, with defaults filled in; `None`, and a diagnostic, for an address that is none.
    pub(super) fn gateway(&self) -> Option<Gateway> {
        let written = &self.spec.gateway;
        let listen = written.listen.as_ref().map_or(Some(LISTEN), |text| self.socket(text, "gateway.listen"));
        let admin =
            written.admin.as_ref().map_or(Some(ADMIN), |admin| self.socket(&admin.listen, "gateway.admin.listen"));
        if let (Some(one), Some(other), Some(place)) =
            (listen, admin, written.listen.as_ref().or(written.admin.as_ref().map(|admin| &admin.listen)))
            && one == other
            && one.port() != 0
        {
            let message = format!("clients and operators cannot share the address {one}");
            self.report.error("bad-address", (&place.place, "gateway.listen"), message, "choose two ports".to_owned());
        }
        let tls = self.files().server_tls(written.tls.as_ref());
        let shutdown = written.shutdown.as_ref();
        let duration = |found: Option<&spec::Located<Duration>>, default| found.map_or(default, |found| found.value);
        Some(Gateway {
            listen: listen?,
            admin: admin?,
            access_log: match written.access_log.as_ref().map(|log| log.value) {
                Some(spec::AccessLog::Json) => AccessLog::Json,
                Some(spec::AccessLog::Off) => AccessLog::Off,
                Some(spec::AccessLog::Text) | None => AccessLog::Text,
            },
            drain_delay: duration(shutdown.and_then(|shutdown| shutdown.delay.as_ref()), DRAIN_DELAY),
            drain_timeout: duration(shutdown.and_then(|shutdown| shutdown.timeout.as_ref()), DRAIN_TIMEOUT),
            tls: tls.ok()?,
            name_servers: self.name_servers.clone(),
            cache_size: written.cache.as_ref().map_or(CACHE_SIZE, |cache| cache.size.value.0),
            store: match &written.store {
                Some(store) => Some(self.store(store)?),
                None => None,
            },
            overload: self.overload(),
        })
    }

    /// The name servers of `gateway.dns`, after a diagnostic for each that is none.
    pub(super) fn dns(&self) -> Box<[SocketAddr]> {
        let written = self.spec.gateway.dns.iter().flat_map(|dns| &dns.servers.0);
        let server = |(number, scalar): (usize, &Scalar)| {
            let path = format!("gateway.dns.servers[{number}]");
            let text = self.constant_text(scalar, &path)?;
            let alone = || text.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, DNS));
            let server = text.parse().ok().or_else(alone);
            if server.is_none() {
                // What a constant holds is not shown.
                let written = scalar.text().filter(|written| *written == text).unwrap_or("what this constant holds");
                let message = format!("`{written}` is no address of a name server");
                let help = "write an IP address, perhaps with a port, as in `10.0.0.2` or `127.0.0.1:5353`".to_owned();
                self.report.error("bad-address", (&scalar.place, &path), message, help);
            }
            server
        };
        written.enumerate().filter_map(server).collect()
    }

    fn overload(&self) -> overload::Settings {
        let written = self.spec.gateway.overload.as_ref();
        overload::Settings {
            requests: written.and_then(|written| Some(written.requests.as_ref()?.value.0 as usize)),
            memory: written.and_then(|written| written.memory.as_ref()).map_or(SHORT_OF_MEMORY, |share| share.value.0),
            memory_limit: written.and_then(|written| Some(written.memory_limit.as_ref()?.value.0)),
            bodies: written.and_then(|written| Some(written.bodies.as_ref()?.value.0)),
        }
    }

    /// The store that replicas share; `None`, and a diagnostic, where TLS to it cannot be had.
    fn store(&self, written: &Located<spec::Store>) -> Option<Store> {
        let spec::Store { is_secure, authority, user, password, database } = &written.value;
        let tls = match is_secure {
            true => Some(self.files().tls_of_the_system(authority.host(), (&written.place, "gateway.store"))?),
            false => None,
        };
        let (authority, location) = (authority.clone(), authority.clone());
        let address = Address { authority, location, prefix: "".into(), tls, weight: 1 };
        Some(Store { address, user: user.clone(), password: password.clone(), database: *database })
    }

    /// Refuses room for bodies that the largest which is taken would never find.
    pub(super) fn check_bodies(&self, endpoints: &[Endpoint], backends: &[Backend]) {
        let written = self.spec.gateway.overload.as_ref().and_then(|overload| overload.bodies.as_ref());
        let Some(Located { value: Size(room), place }) = written else { return };
        let is_held = |endpoint: &&Endpoint| !matches!(endpoint.body, None | Some(BodyType::Upload { .. }));
        let requests = endpoints.iter().filter(is_held).map(|endpoint| (endpoint.max_body, "max_body", &endpoint.name));
        let replies = backends.iter().map(|backend| (backend.max_reply, "max_reply", &backend.name));
        let largest = requests.chain(replies).max_by_key(|(bytes, ..)| *bytes);
        let Some((bytes, key, owner)) = largest.filter(|(bytes, ..)| bytes > room) else { return };
        let message = format!(
            "the largest body that is taken has {bytes} bytes, the `{key}` of `{owner}`: there is no room for it"
        );
        let help = "let many of them fit in, or take smaller ones".to_owned();
        self.report.error("empty-range", (place, "gateway.overload.bodies"), message, help);
    }

    /// The class of requests that are said to be so important.
    pub(super) fn class(&self, priority: Option<&Located<Priority>>) -> Class {
        match priority.or(self.spec.gateway.priority.as_ref()).map(|priority| priority.value) {
            Some(Priority::Critical) => Class::Critical,
            Some(Priority::Sheddable) => Class::Sheddable,
            Some(Priority::Default) | None => Class::Default,
        }
    }

    /// Refuses what cannot change while the gateway runs.
    pub(super) fn check_fixed(&self, gateway: Option<&Gateway>, fixed: &Fixed) {
        let Some(gateway) = gateway else { return };
        let written = &self.spec.gateway;
        let refuse = |place: Option<&Place>, path: &str, runs: String| {
            let nowhere = Place { file: FileId(0), bytes: 0..0 };
            let message = format!("`{path}` cannot change while the gateway runs, {runs}");
            let help = "restart it, or let this be as it was".to_owned();
            self.report.error("needs-restart", (place.unwrap_or(&nowhere), path), message, help);
        };
        if let Some(listen) = fixed.listen.filter(|listen| *listen != gateway.listen) {
            let place = written.listen.as_ref().map(|scalar| &scalar.place);
            refuse(place, "gateway.listen", format!("which serves clients at {listen}"));
        }
        if let Some(admin) = fixed.admin.filter(|admin| *admin != gateway.admin) {
            let place = written.admin.as_ref().map(|admin| &admin.listen.place);
            refuse(place, "gateway.admin.listen", format!("which serves operators at {admin}"));
        }
        if let Some(form) = fixed.access_log.filter(|form| *form != gateway.access_log) {
            let place = written.access_log.as_ref().map(|log| &log.place);
            refuse(place, "gateway.access_log", format!("whose log is {form}"));
        }
    }

    fn socket(&self, scalar: &Scalar, path: &str) -> Option<SocketAddr> {
        let text = self.constant_text(scalar, path)?;
        match text.parse() {
            Ok(address) => Some(address),
            Err(_) => {
                // What a constant holds is not shown.
                let written = scalar.text().filter(|written| *written == text).unwrap_or("what this constant holds");
                let message = format!("`{written}` is no address to listen on");
                let help = "write an IP address and a port, as in 127.0.0.1:8080".to_owned();
                self.report.error("bad-address", (&scalar.place, path), message, help);
                None
            }
        }
    }
}

//! Which of a backend's addresses gets a call, and where they are found.

use http::uri::PathAndQuery;

use crate::spec::keys::{Entries, FromNode, Keys as _, Reader, Shape, keys, words};
use crate::spec::yaml::{Kind, Node, Scalar};

use super::directory::refuse_relative;
use super::pairs::check_cookie_name;
use super::policy::{refuse_nothing, refuse_reversed};
use super::{Consul, FilePath, HostPort, Kubernetes, Located, Period, ServiceName, Share, Switch, Within};

keys! {
    /// One of several addresses. `http://a.internal:7001` is short for `{ url: http://a.internal:7001 }`.
    pub struct Server: "an address", as in "{ url: http://127.0.0.1:7001, weight: 3 }", or Server::of_url {
        /// Where it is: `http://…`, `https://…`, or text with `${env('NAME', 'default')}`.
        url: Scalar,
        /// How much of the calls it gets beside the others; 1 unless said.
        weight: Option<Located<Within<1, 65535>>>,
    }
}

keys! {
    /// Which of a backend's addresses gets a call.
    pub struct Balance: "a balance", as in "{ algorithm: least_loaded, eject: { consecutive: 5 } }" {
        /// How one is chosen; `least_loaded` unless said. `{ hash: "${…}" }`: calls that agree in a value go to the same
        /// one, for as long as it is there; where the value is null, as by `least_loaded`.
        algorithm: Option<Algorithm>,
        /// Clients stay at the address that they got first, by a cookie.
        sticky: Option<Switch<Sticky>>,
        /// Ask the addresses now and then whether they are well.
        health: Option<Switch<Health>>,
        /// Leave out for a while an address that fails.
        eject: Option<Switch<Eject>>,
        /// How long an address that joins or comes back takes until it has its whole share; at once unless said.
        slow_start: Option<Switch<Located<Period>>>,
    }
}

keys! {
    /// The cookie by which clients stay at one of a backend's addresses, for as long as it is there and well. Only endpoints
    /// can ask such a backend, and its replies are neither kept nor shared.
    pub struct Sticky: "a sticky cookie", as in "{ cookie: at, max_age: 12h }" {
        /// Its name.
        cookie: Located<String>,
        /// How long browsers keep it; until they close unless said.
        max_age: Option<Located<Period>>,
    }
    then Sticky::check
}

/// How one of several addresses is chosen.
#[derive(Clone, Debug)]
pub enum Algorithm {
    /// By a rule.
    Rule(Located<Rule>),
    /// By what a value of the request is.
    Hash(Hash),
}

keys! {
    /// Calls that agree in a value go to the same address.
    pub struct Hash: "a hash", as in "{ hash: \"${request.headers['x-customer']}\" }" {
        /// The value.
        hash: Scalar,
    }
}

words! {
    /// A rule by which one of several addresses is chosen.
    pub enum Rule {
        /// The better of two at random, by its latency and the calls under way.
        LeastLoaded = "least_loaded",
        /// The better of two at random, by the calls under way.
        LeastRequests = "least_requests",
        /// Each in turn.
        RoundRobin = "round_robin",
        /// Any.
        Random = "random",
    }
}

keys! {
    /// How addresses are asked whether they are well.
    pub struct Health: "a health check", as in "{ path: /healthz, every: 5s }" {
        /// REST: the path that is asked with GET, `/` unless said; a status of 200 to 299 is well.
        path: Option<Located<String>>,
        /// gRPC: the service that the standard health check (`grpc.health.v1.Health`) is asked for; empty for all.
        service: Option<Located<String>>,
        /// How often; `10s` unless said.
        every: Option<Located<Period>>,
        /// How long an answer may take; `1s` unless said.
        timeout: Option<Located<Period>>,
        /// How many answers in a row make an address well again; 2 unless said.
        healthy: Option<Located<u32>>,
        /// How many failures in a row make it unwell; 3 unless said.
        unhealthy: Option<Located<u32>>,
    }
    then Health::check
}

keys! {
    /// When an address is left out, and for how long.
    pub struct Eject: "an ejection", as in "{ consecutive: 5, base: 30s, max: 300s, share: 50% }" {
        /// How many failures in a row; 5 unless said.
        consecutive: Option<Located<u32>>,
        /// For how long the first time; `30s` unless said, and longer each time.
        base: Option<Located<Period>>,
        /// For how long at most; `300s` unless said.
        max: Option<Located<Period>>,
        /// Which share of the addresses may be left out at the same time; 50% unless said. Never the last one.
        share: Option<Located<Share>>,
    }
    then Eject::check
}

keys! {
    /// Where the addresses of a backend are found, under the scheme and the path that `rest` or `grpc` says: exactly one
    /// of `dns`, `srv`, `file`, `consul` and `kubernetes`.
    pub struct Discover: "a discovery", as in "{ file: /run/addresses/catalog }" {
        /// A host, each address of which (A, AAAA) is one of the backend, at this port, or at that of the address under
        /// `rest` or `grpc`: `catalog.internal:7001`.
        dns: Option<Located<HostPort>>,
        /// A service whose SRV records name hosts, ports and weights; of several priorities the lowest counts.
        srv: Option<Located<ServiceName>>,
        /// A file with one address in each line: `host:port`, and perhaps a weight; read again and again. The addresses
        /// under `rest` or `grpc` are there until it can be read. Its path begins with `/`.
        file: Option<Located<FilePath>>,
        /// A service that Consul knows: those of its instances that are well.
        consul: Option<Consul>,
        /// A service of Kubernetes: those of its endpoints that are ready.
        kubernetes: Option<Kubernetes>,
        /// How often it is looked at again: a file every `5s` unless said; names whenever what name servers say holds no
        /// longer, and so often at least. Who tells by himself what is new (`consul`, `kubernetes`) is asked again after so
        /// long without news; `60s` unless said.
        every: Option<Located<Period>>,
    }
    then Discover::check
}

impl Server {
    fn of_url(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let url = Scalar::read(node, reader)?;
        Some(Self { url, weight: None, place: node.place.clone() })
    }
}

impl Sticky {
    fn check(&self, _: &Entries<'_>, reader: &mut Reader<'_>) {
        check_cookie_name(&self.cookie, reader);
    }
}

impl FromNode for Algorithm {
    fn shape() -> Shape {
        Shape::OneOf(vec![<Located<Rule> as FromNode>::shape(), Shape::Object(&Hash::DOC)])
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.kind {
            Kind::Mapping(_) => Hash::read(node, reader).map(Self::Hash),
            _ => Located::read(node, reader).map(Self::Rule),
        }
    }
}

impl Health {
    fn check(&self, entries: &Entries<'_>, reader: &mut Reader<'_>) {
        entries.expect_one_at_most(&["path", "service"], reader);
        if let Some(path) = self.path.as_ref().filter(|path| !path.value.starts_with('/')) {
            let diagnostic = reader.error("malformed-path", &path.place, "a path begins with `/`");
            reader.report(diagnostic.help("write it as in `/healthz`"));
        } else if let Some(path) = self.path.as_ref().filter(|path| path.value.parse::<PathAndQuery>().is_err()) {
            let diagnostic = reader.error("malformed-path", &path.place, "this has characters that no path has");
            reader.report(diagnostic.help("write it as in `/healthz`, other characters with `%`"));
        }
    }
}

impl Eject {
    fn check(&self, _: &Entries<'_>, reader: &mut Reader<'_>) {
        refuse_reversed(("base", self.base.as_ref()), ("max", self.max.as_ref()), reader);
        refuse_nothing("share", self.share.as_ref(), reader);
    }
}

impl Discover {
    fn check(&self, entries: &Entries<'_>, reader: &mut Reader<'_>) {
        entries.expect_one(&["dns", "srv", "file", "consul", "kubernetes"], reader);
        if let Some(file) = &self.file {
            refuse_relative(file, "/run/addresses/catalog", reader);
        }
    }
}

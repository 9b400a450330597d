//! `gateway`: where the gateway listens, and what holds for every request and call.

use std::time::Duration;

use crate::spec::keys::{Entries, Reader, keys, words};
use crate::spec::yaml::Scalar;

use super::{
    Addresses, Balance, CallPolicies, Cors, Filled, Headers, Located, Network, Parameters, Priority, Rate, Requirement,
    ServerTls, Share, Size, Store, Switch, Within,
};

keys! {
    /// The gateway itself.
    pub struct Gateway: "the gateway", as in "{ listen: 127.0.0.1:8080 }" {
        /// The address for clients, `host:port`.
        listen: Option<Scalar>,
        /// The address for operators.
        admin: Option<Admin>,
        /// The GraphQL endpoint.
        graphql: Option<Graphql>,
        /// How long a request may take, where the endpoint does not say.
        timeout: Option<Located<Duration>>,
        /// The largest request body that is taken, where the endpoint does not say.
        max_body: Option<Located<Size>>,
        /// What holds for every call to every backend.
        calls: Option<Calls>,
        /// Who says where the hosts of backends are.
        dns: Option<Dns>,
        /// Where replies are kept.
        cache: Option<KeptReplies>,
        /// How the gateway stops.
        shutdown: Option<Shutdown>,
        /// One line per request on standard error.
        access_log: Option<Located<AccessLog>>,
        /// TLS to clients.
        tls: Option<ServerTls>,
        /// The networks of what stands before the gateway: only what comes from there may say who the client is
        /// (`Forwarded`, `X-Forwarded-For`).
        trusted_proxies: Vec<Located<Network>>,
        /// Which addresses may call at all.
        ip: Option<Addresses>,
        /// Who may call what says nothing of its own; any provider unless said.
        auth: Option<Switch<Requirement>>,
        /// How often callers may call, all endpoints and fields together.
        rate: Option<Switch<Filled<Vec<Rate>>>>,
        /// Where limits and kept replies are shared with other replicas, `redis://host:port`; in memory unless said.
        store: Option<Located<Store>>,
        /// Which pages of browsers may call what says nothing of its own.
        cors: Option<Switch<Cors>>,
        /// Which requests are refused first when there are too many, where nothing else is said.
        priority: Option<Located<Priority>>,
        /// When there are too many.
        overload: Option<Overload>,
    }
}

keys! {
    /// Health, metrics and plans, for operators.
    pub struct Admin: "the admin address", as in "{ listen: 127.0.0.1:9090 }" {
        /// The address, `host:port`.
        listen: Scalar,
    }
}

keys! {
    /// The GraphQL endpoint.
    pub struct Graphql: "the GraphQL endpoint", as in "{ path: /graphql }" {
        /// Its path; `/graphql` unless said.
        path: Option<Located<String>>,
        /// Whether browsers get a page to try queries in.
        playground: Option<Located<bool>>,
        /// Whether clients may ask for the schema.
        introspection: Option<Located<bool>>,
        /// What a document may cost.
        limits: Option<GraphqlLimits>,
    }
}

keys! {
    /// What a GraphQL document may cost.
    pub struct GraphqlLimits: "the limits of GraphQL documents", as in "{ depth: 15, aliases: 30, tokens: 2000 }" {
        /// How deeply fields may nest.
        depth: Option<Located<u32>>,
        /// How many aliases a document may hold.
        aliases: Option<Located<u32>>,
        /// How many tokens a document may have.
        tokens: Option<Located<u32>>,
        /// How many calls to backends a document may need in the worst case.
        cost: Option<Located<u32>>,
    }
}

keys! {
    /// Who says where the hosts of backends are.
    pub struct Dns: "the name servers", as in "{ servers: [10.0.0.2, \"127.0.0.1:5353\"] }" {
        /// The name servers that are asked, each an address, perhaps with a port; those of the machine
        /// (`/etc/resolv.conf`) unless said.
        servers: Filled<Vec<Scalar>>,
    }
}

keys! {
    /// What holds for every call to every backend, unless nearer said otherwise.
    pub struct Calls: "what holds for every call", as in "{ timeout: 2s }" {
        /// Header fields of every REST call.
        headers: Option<Headers>,
        /// Metadata of every gRPC call.
        metadata: Option<Headers>,
        /// Parameters in the query of every REST call.
        query: Option<Parameters>,
        /// How long one call may take; `none`: as long as the request.
        timeout: Option<Switch<Located<Duration>>>,
        /// What happens around a call.
        policies: CallPolicies = ..,
        /// Which of a backend's addresses gets a call.
        balance: Option<Switch<Balance>>,
    }
}

keys! {
    /// Where replies are kept that some call keeps: in memory, all together.
    pub struct KeptReplies: "the room for kept replies", as in "{ size: 64MiB }" {
        /// How many bytes they may take; what was not asked for the longest goes first. `64MiB` unless said.
        size: Located<Size>,
    }
}

keys! {
    /// When there is too much to do.
    pub struct Overload: "the overload", as in "{ requests: 4000, memory: 85% }" {
        /// How many requests may be under way; 2,000 for each core unless said.
        requests: Option<Located<Within<1, 10_000_000>>>,
        /// The share of its memory from which on the gateway refuses requests; `85%` unless said.
        memory: Option<Located<Share>>,
        /// The memory that it may have; what its control group may have unless said.
        memory_limit: Option<Located<Size>>,
        /// How many bytes the bodies of requests and replies may have together while they are held; a quarter of its memory
        /// unless said.
        bodies: Option<Located<Size>>,
    }
    then Overload::check
}

keys! {
    /// How the gateway stops.
    pub struct Shutdown: "the shutdown", as in "{ delay: 5s, timeout: 30s }" {
        /// How long it goes on accepting after it said that it stops.
        delay: Option<Located<Duration>>,
        /// How long running requests may take to end.
        timeout: Option<Located<Duration>>,
    }
}

words! {
    /// How the access log is written.
    pub enum AccessLog {
        /// One JSON object per line.
        Json = "json",
        /// One line for people.
        Text = "text",
        /// None.
        Off = "off",
    }
}

impl Overload {
    fn check(&self, _: &Entries<'_>, reader: &mut Reader<'_>) {
        if let Some(share) = self.memory.as_ref().filter(|share| share.value.0 == 0.0) {
            let diagnostic = reader.error("empty-range", &share.place, "`memory` needs a share above 0%");
            reader.report(diagnostic.help("write one, such as `85%`"));
        }
    }
}

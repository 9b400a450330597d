//! The project that every row serves, written in layers: what needs no policy, and each policy beside it.
//!
//! `/agg` is A (required, REST), B (gRPC, with a default) and C (REST, optional); `/ctl` is D, which nothing ever happens
//! to; the graph has the parts of `/agg`; `POST /w` is a write of E.

use std::fmt::Write as _;
use std::net::SocketAddr;

/// How long `/agg`, `/ctl` and `/w` may take: T of the matrix.
pub(crate) const ENDPOINT: std::time::Duration = std::time::Duration::from_millis(1_000);

/// How long one try may take: t of the matrix.
pub(crate) const TRY: std::time::Duration = std::time::Duration::from_millis(300);

/// How long a breaker is open.
pub(crate) const OPEN: std::time::Duration = std::time::Duration::from_secs(1);

/// How long an address is left out that fails.
pub(crate) const EJECTED: std::time::Duration = std::time::Duration::from_secs(1);

/// How long a kept reply is fresh.
pub(crate) const FRESH: std::time::Duration = std::time::Duration::from_millis(500);

/// What `/agg` answers when nothing is wrong, byte for byte.
pub(crate) const WHOLE: &str = r#"{"a":"a","b":7,"c":"c"}"#;

/// Something that the language has for the fixture and that a gateway may still refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Layer {
    /// A is tried a second time, each try within t.
    Retry,
    /// A and B are not asked any more when they fail.
    Breaker,
    /// At most 50 calls at the same time to B.
    Concurrency,
    /// Replies of C are kept.
    Cache,
    /// Replies of C are kept for the caller who asked.
    PrivateCache,
    /// An address of A that fails is left out; they are asked in turn, for one that is chosen by its latency is asked no
    /// more after its first failure.
    Eject,
    /// Addresses of A are chosen by their latency.
    LeastLoaded,
    /// A late read of A is made a second time.
    Hedge,
    /// The kit's name server says where backends are.
    Names,
    /// It also says which addresses A has.
    Discover,
    /// Who asks is told by tokens.
    Tokens,
    /// Requests are counted in Redis.
    SharedLimits,
    /// Some endpoints matter more than others.
    Priority,
    /// Few requests may be under way.
    Crowd,
    /// There is little memory.
    Memory,
    /// Traces are told to a collector.
    Telemetry,
}

impl Layer {
    pub(crate) const ALL: [Self; 16] = [
        Self::Retry,
        Self::Breaker,
        Self::Concurrency,
        Self::Cache,
        Self::PrivateCache,
        Self::Eject,
        Self::LeastLoaded,
        Self::Hedge,
        Self::Names,
        Self::Discover,
        Self::Tokens,
        Self::SharedLimits,
        Self::Priority,
        Self::Crowd,
        Self::Memory,
        Self::Telemetry,
    ];

    /// What it writes: a section of the fixture and the members that it adds there.
    fn written(self) -> &'static [(Section, &'static str)] {
        const BREAKER: &str = "breaker: { failures: 50%, of: 20, within: 10s, consecutive: 5, open: 1s, max_open: 1s }";
        match self {
            Self::Retry => &[(
                Section::A,
                "retry: { attempts: 2, timeout: 300ms, on: [connect, reset, timeout, unavailable, server_error, \
                 rate_limited], backoff: 25ms }",
            )],
            Self::Breaker => &[(Section::A, BREAKER), (Section::B, BREAKER)],
            Self::Concurrency => &[(Section::B, "concurrency: 50")],
            Self::Cache => &[(Section::C, "cache: { ttl: 500ms, stale: 1s, on_error: 60s }")],
            Self::PrivateCache => &[(
                Section::C,
                "cache: { ttl: 500ms, scope: caller }, headers: { authorization: \"${request.headers.authorization}\" }",
            )],
            Self::Eject => &[(
                Section::A,
                "balance: { algorithm: round_robin, eject: { consecutive: 5, base: 1s, max: 1s, share: 100% } }",
            )],
            Self::LeastLoaded => &[(Section::A, "balance: { algorithm: least_loaded }")],
            Self::Hedge => &[(Section::A, "hedge: { after: p95, budget: 5% }")],
            Self::Names => &[NAMES],
            Self::Discover => &[NAMES, (Section::A, "discover: { dns: a.internal }")],
            Self::Tokens => &[(
                Section::File,
                "auth: { users: { jwt: { issuer: \"https://users.test/\", audience: faults, algorithms: [RS256] } } }",
            )],
            Self::SharedLimits => &[(Section::Gateway, "store: redis://127.0.0.1:1, rate: 100000/s")],
            Self::Priority => &[
                (Section::Agg, "priority: sheddable"),
                (Section::Control, "priority: critical"),
                (Section::Endpoints, CLASSES),
            ],
            Self::Crowd => &[(Section::Gateway, "overload: { requests: 100 }")],
            Self::Memory => {
                &[(Section::Gateway, "overload: { memory_limit: 128MiB, bodies: 8MiB }"), (Section::Endpoints, BIG)]
            }
            Self::Telemetry => &[(Section::Gateway, "telemetry: { otlp: \"http://127.0.0.1:1\" }")],
        }
    }
}

/// Asks the kit's name server, at the address that stands for `NAME-SERVER`.
const NAMES: (Section, &str) = (Section::Gateway, "dns: { servers: [\"NAME-SERVER\"] }");

/// A place of the fixture where a layer adds members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    File,
    Gateway,
    A,
    B,
    C,
    Control,
    Agg,
    Endpoints,
}

/// Where the backends of the fixture are.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// Addresses of A, each with its scheme.
    pub(crate) a: Vec<String>,
    pub(crate) b: SocketAddr,
    pub(crate) c: SocketAddr,
    pub(crate) d: SocketAddr,
    pub(crate) e: SocketAddr,
    /// The kit's name server.
    pub(crate) names: SocketAddr,
    /// Members that A has besides, each with a comma before it.
    pub(crate) of_a: String,
}

impl Places {
    /// Places where nobody listens, for a project that is only checked.
    pub(crate) fn nowhere() -> Self {
        let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
        let a = vec![format!("http://{nobody}")];
        Self { a, b: nobody, c: nobody, d: nobody, e: nobody, names: nobody, of_a: String::new() }
    }
}

/// The files of the project with these layers.
pub(crate) fn files(places: &Places, layers: &[Layer]) -> Vec<(String, String)> {
    vec![
        ("compositions/main.yaml".to_owned(), composition(places, layers)),
        ("schema/faults.graphql".to_owned(), SCHEMA.to_owned()),
        ("proto/stock.proto".to_owned(), PROTO.to_owned()),
    ]
}

fn composition(places: &Places, layers: &[Layer]) -> String {
    let added = |section: Section| {
        let written = layers.iter().flat_map(|layer| layer.written()).filter(|(place, _)| *place == section);
        written.fold(String::new(), |mut text, (_, members)| {
            let _ = write!(text, ", {members}");
            text
        })
    };
    // With retries a call may take as long as its request; each try has the time that a call has without them.
    let call = if layers.contains(&Layer::Retry) { "1s" } else { "300ms" };
    let Places { a, b, c, d, e, names, of_a } = places;
    let control = added(Section::Control);
    format!(
        "{file}
gateway: {{ access_log: json, shutdown: {{ delay: 300ms, timeout: 2s }}{gateway} }}
backends:
  a: {{ rest: [\"{a}\"], timeout: {call}{of_a}{layers_of_a} }}
  b: {{ grpc: \"http://{b}\", proto: proto/stock.proto, reads: all, timeout: 300ms{layers_of_b} }}
  c: {{ rest: \"http://{c}\", timeout: 300ms{layers_of_c} }}
  d: {{ rest: \"http://{d}\", timeout: 300ms }}
  e: {{ rest: \"http://{e}\", timeout: 300ms }}
{endpoints}{agg}{more}",
        a = a.join("\", \""),
        file = added(Section::File).replacen(", ", "", 1),
        gateway = added(Section::Gateway).replace("NAME-SERVER", &names.to_string()),
        layers_of_a = added(Section::A),
        layers_of_b = added(Section::B),
        layers_of_c = added(Section::C),
        endpoints = ENDPOINTS.replacen("/ctl: { timeout: 1s", &format!("/ctl: {{ timeout: 1s{control}"), 1),
        agg = added(Section::Agg).replacen(", ", "    ", 1),
        more = added(Section::Endpoints).replace(", \n", "\n"),
    )
}

/// What is asked; the members of `/agg` stand last, for a layer to add to them.
const ENDPOINTS: &str = r#"graph:
  Query.a: { steps: { a: { backend: a, get: /a } }, result: "${a}" }
  Query.b: { steps: { b: { backend: b, rpc: faults.Stocks/Get, message: { id: "7" } } }, result: "${b.available}" }
  Query.c: { steps: { c: { backend: c, get: /c/x } }, result: "${c}" }
endpoints:
  GET /ctl: { timeout: 1s, steps: { d: { backend: d, get: /d } }, result: { d: "${d.value}" } }
  GET /own: { timeout: 1s, steps: { c: { backend: c, get: /own } }, result: { c: "${c.value}" } }
  POST /w:
    timeout: 1s
    steps: { e: { backend: e, post: /w, body: { order: 1 } } }
    result: { done: "${e.done}" }
  POST /body: { timeout: 10s, max_body: 64KiB, steps: { d: { backend: d, post: /d, body: "${request.body}" } }, result: "${d}" }
  GET /large: { timeout: 60s, proxy: e }
  GET /agg:
    args: { key: { type: String!, in: query, default: x } }
    returns: Whole!
    timeout: 1s
    steps:
      a: { backend: a, get: /a }
      b: { backend: b, rpc: faults.Stocks/Get, message: { id: "7" }, default: { available: 0 } }
      c: { backend: c, get: "/c/${args.key}", optional: true }
    result: { a: "${a.value}", b: "${b.available}", c: "${c.value}" }
"#;

/// An endpoint for each class of requests: 100 of them at a time are 125 a second.
const CLASSES: &str = r#"
  GET /critical: { priority: critical, timeout: 4s, steps: { e: { backend: e, get: /slow, timeout: 3s } }, result: { e: "${e.done}" } }
  GET /default: { timeout: 4s, steps: { e: { backend: e, get: /slow, timeout: 3s } }, result: { e: "${e.done}" } }
  GET /sheddable: { priority: sheddable, timeout: 4s, steps: { e: { backend: e, get: /slow, timeout: 3s } }, result: { e: "${e.done}" } }"#;

/// An endpoint that takes large bodies.
const BIG: &str = r#"
  POST /big:
    timeout: 5s
    max_body: 8MiB
    steps: { e: { backend: e, post: /big, timeout: 4s, body: "${request.body}" } }
    result: { done: "${e.done}" }"#;

const SCHEMA: &str = "type Query { a: Part! b: Int c: Part }
type Part { value: String! }
type Whole { a: String! b: Int! c: String }
";

const PROTO: &str = "syntax = \"proto3\";
package faults;
service Stocks { rpc Get(Key) returns (Stock); }
message Key { string id = 1; }
message Stock { int32 available = 1; }
";

//! The project that is served: every policy around calls to REST and gRPC, in two editions that differ in what a reload
//! may change.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use selvedge::plan::Plan;
use selvedge::server::load_texts;

/// How long a request may take.
pub(crate) const ENDPOINT: Duration = Duration::from_millis(600);

/// How often a read of A or B is asked for at most.
pub(crate) const ATTEMPTS: u32 = 2;

/// Calls of B that may be under way.
pub(crate) const ROOM: usize = 3;

/// How long a breaker is open at most, with what its time varies by.
pub(crate) const MAX_OPEN: Duration = Duration::from_millis(600 * 12 / 10);

/// How old a reply of C may be that is served: its time, which varies by a tenth, and how much longer it stands for failures.
pub(crate) const OLDEST: Duration = Duration::from_millis(110 + 1_000);

/// The two editions.
pub(crate) fn editions() -> &'static [Arc<Plan>; 2] {
    static EDITIONS: OnceLock<[Arc<Plan>; 2]> = OnceLock::new();
    EDITIONS.get_or_init(|| [1, 2].map(|edition| Arc::new(load(edition))))
}

fn load(edition: u32) -> Plan {
    let composition = COMPOSITION.replace("EDITION", &edition.to_string());
    let files = [("compositions/main.yaml", composition.as_str()), ("proto/b.proto", PROTO)];
    let loaded = load_texts(&files, &HashMap::new());
    let said = loaded.render();
    loaded.plan.expect(&said)
}

const COMPOSITION: &str = r#"
gateway: { access_log: "off" }
backends:
  a:
    rest: ["http://a1:80", "http://a2:80"]
    timeout: 400ms
    retry: { attempts: 2, timeout: 150ms, on: [connect, reset, timeout, unavailable, server_error], backoff: 10ms }
    balance: { algorithm: round_robin, eject: { consecutive: 3, base: 200ms, max: 400ms } }
  b:
    grpc: "http://b:80"
    proto: proto/b.proto
    reads: all
    timeout: 300ms
    hedge: 100ms
    concurrency: { limit: 3, wait: 50ms }
    breaker: { failures: 50%, of: 10, within: 2s, consecutive: 3, open: 300ms, max_open: 600ms }
  c:
    rest: "http://c:80"
    timeout: 200ms
    breaker: { failures: 50%, of: 10, within: 2s, consecutive: 5, open: 300ms, max_open: 600ms }
    cache: { ttl: 100ms, stale: 300ms, on_error: 1s }
  d: { rest: "http://d:80", timeout: 200ms }
endpoints:
  GET /edition: { result: EDITION }
  GET /all/{key}:
    args: { key: ID!, shared: { type: String!, in: query } }
    timeout: 600ms
    steps:
      a: { backend: a, get: "/a/${args.key}" }
      b: { backend: b, rpc: b.B/Echo, message: { key: "${args.key}" }, default: { key: none } }
      c: { backend: c, get: "/c/${args.shared}", optional: true }
    result: { a: "${a.key}", b: "${b.key}", c: "${c.key}", at: "${c.at}" }
  GET /room/{key}:
    args: { key: ID! }
    timeout: 600ms
    steps: { b: { backend: b, rpc: b.B/Echo, message: { key: "${args.key}" } } }
    result: { b: "${b.key}" }
  POST /orders/{key}:
    args: { key: ID! }
    timeout: 600ms
    steps: { c: { backend: c, post: "/orders/${args.key}", body: { key: "${args.key}" } } }
    result: { c: "${c.key}" }
  GET /well/{key}:
    args: { key: ID! }
    timeout: 600ms
    steps: { d: { backend: d, get: "/d/${args.key}" } }
    result: { d: "${d.key}" }
"#;

const PROTO: &str = r#"syntax = "proto3";
package b;
service B { rpc Echo(Key) returns (Key); }
message Key { string key = 1; }
"#;

//! Promises of the product that a document cannot put to the test: many repeats, many clients, tight times, memory.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::backend::Seen;
use crate::behaviour::{Stage, send};
use crate::claim::{claims, run, until};
use crate::document::{self, Request};
use crate::http1::Message;

claims![
    a_merge_is_the_same_byte_for_byte_in_any_order_of_arrival,
    a_hanging_backend_costs_its_endpoint_the_deadline_and_others_nothing,
    a_reply_of_one_gibibyte_is_refused_in_flat_memory,
    a_client_that_leaves_is_seen_by_the_backends_within_100_ms,
    nobody_sees_what_a_batch_fetched_for_another,
    a_query_of_ten_thousand_levels_is_refused,
    a_query_of_a_thousand_aliases_is_refused,
    json_of_a_hundred_thousand_levels_kills_nobody,
];

async fn set(name: &str, text: &str) -> Result<Stage, String> {
    let document = document::read(&format!("# {name}\n\n{text}"))?;
    Stage::set(&document, &format!("promise/{name}")).await
}

async fn ask(stage: &Stage, request: &Request) -> Result<Message, String> {
    send(&stage.gateway, request).await?.ok_or_else(|| "the client does not leave".into())
}

fn get(target: &str) -> Request {
    Request { method: "GET".into(), target: target.into(), headers: Vec::new(), body: Vec::new(), ..Request::default() }
}

fn graphql(query: &str) -> Request {
    let body = serde_json::json!({ "query": query }).to_string().into_bytes();
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Request { method: "POST".into(), target: "/graphql".into(), headers, body, ..Request::default() }
}

fn a_merge_is_the_same_byte_for_byte_in_any_order_of_arrival() -> Result<(), String> {
    const REPEATS: usize = 300;
    // A linear congruential generator (Knuth's MMIX constants): the same delays in every run.
    let mut state = 1_u64;
    let mut delay = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 61
    };
    let mut script = String::new();
    for name in ["a", "b", "c", "d", "e"] {
        let reply = format!("{{\"{name}\":1,\"same\":{{\"{name}\":[1.0]}},\"who\":\"{name}\"}}");
        let _ = writeln!(script, "GET /{name} -> after {}ms 200 {reply}", delay());
        for _ in 1..REPEATS {
            let _ = writeln!(script, "  -> after {}ms 200 {reply}", delay());
        }
    }
    let text = format!(
        "```yaml composition
backends: {{ x: {{ rest: http://x.test }} }}
endpoints:
  GET /page:
    steps:
      a: {{ backend: x, get: /a }}
      b: {{ backend: x, get: /b }}
      c: {{ backend: x, get: /c }}
      d: {{ backend: x, get: /d }}
      e: {{ backend: x, get: /e }}
    result: {{ e: \"${{e}}\", all: [\"${{a}}\", \"${{b.same}}\", \"${{c.who}} ${{d.who}}\"], a: \"${{a.who}}\" }}
```

```backend x
{script}```
"
    );
    let expected = r#"{"e":{"e":1,"same":{"e":[1.0]},"who":"e"},"all":[{"a":1,"same":{"a":[1.0]},"who":"a"},{"b":[1.0]},"c d"],"a":"a"}"#;
    run(async {
        let stage = set("merge", &text).await?;
        for repeat in 0..REPEATS {
            let answer = ask(&stage, &get("/page")).await?;
            assert_eq!(answer.text(), expected, "repeat {repeat}");
        }
        Ok(())
    })
}

const HANGING: &str = "```yaml composition
backends: { slow: { rest: http://slow.test }, fast: { rest: http://fast.test } }
endpoints:
  GET /slow: { timeout: 300ms, steps: { s: { backend: slow, get: /s } }, result: \"${s}\" }
  GET /both: { timeout: 5s, steps: { s: { backend: slow, get: /s }, f: { backend: fast, get: /f } }, result: [\"${s}\", \"${f}\"] }
  GET /fast: { timeout: 5s, steps: { f: { backend: fast, get: /f } }, result: \"${f}\" }
```

```backend slow
GET /s -> hang
```

```backend fast
GET /f -> 200 1
```
";

fn a_hanging_backend_costs_its_endpoint_the_deadline_and_others_nothing() -> Result<(), String> {
    run(async {
        let stage = set("hang", HANGING).await?;
        let asked = |target: &'static str| {
            let stage = &stage;
            async move {
                let since = Instant::now();
                ask(stage, &get(target)).await.map(|answer| (answer.status(), since.elapsed()))
            }
        };
        // The least of several: what else the machine does is no fault of the gateway's.
        let fast_alone = least(&collect(20, || asked("/fast"), 200).await?);
        let (slow, fast) = tokio::join!(futures(16, || asked("/slow"), 504), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            collect(20, || asked("/fast"), 200).await
        },);
        let (slow, fast) = (least(&slow?), least(&fast?));
        assert!(slow >= Duration::from_millis(299) && slow < Duration::from_millis(320), "the slow one took {slow:?}");
        assert!(fast < fast_alone + Duration::from_millis(10), "alone {fast_alone:?}, beside the slow one {fast:?}");
        Ok(())
    })
}

/// Makes `count` requests one after another; each must have this status.
async fn collect<F>(count: usize, ask: impl Fn() -> F, status: u16) -> Result<Vec<Duration>, String>
where
    F: Future<Output = Result<(u16, Duration), String>>,
{
    let mut times = Vec::new();
    for _ in 0..count {
        let (found, time) = ask().await?;
        assert_eq!(found, status);
        times.push(time);
    }
    Ok(times)
}

/// Makes `count` requests at the same time; each must have this status.
async fn futures<F>(count: usize, ask: impl Fn() -> F, status: u16) -> Result<Vec<Duration>, String>
where
    F: Future<Output = Result<(u16, Duration), String>>,
{
    let mut times = Vec::new();
    for answer in futures_util::future::join_all((0..count).map(|_| ask())).await {
        let (found, time) = answer?;
        assert_eq!(found, status);
        times.push(time);
    }
    Ok(times)
}

fn least(times: &[Duration]) -> Duration {
    times.iter().min().copied().unwrap_or_default()
}

fn a_reply_of_one_gibibyte_is_refused_in_flat_memory() -> Result<(), String> {
    const TEXT: &str = "```proto big.proto
syntax = \"proto3\";
package big;
service Big { rpc Get(Key) returns (Key); }
message Key { string id = 1; }
```

```yaml composition
backends: { a: { rest: http://a.test }, g: { grpc: http://g.test, proto: proto/big.proto } }
endpoints:
  GET /rest: { timeout: 20s, steps: { s: { backend: a, get: /s } }, result: \"${s}\" }
  GET /grpc: { timeout: 20s, steps: { s: { backend: g, rpc: big.Big/Get } }, result: \"${s}\" }
  GET /proxy: { proxy: { backend: a, path: /s } }
```

```backend a
GET /s -> 200 string of 1024MiB
```

```backend g
rpc big.Big/Get -> 200 string of 1024MiB
```
";
    run(async {
        let stage = set("gibibyte", TEXT).await?;
        let before = resident()?;
        for target in ["/rest", "/grpc"] {
            let answer = ask(&stage, &get(target)).await?;
            assert_eq!(answer.status(), 502, "{target}");
            assert!(answer.text().contains("reply_too_large"), "{target}: {}", answer.text());
        }
        let grown = resident()?.saturating_sub(before);
        // Other trials run beside this one; the reply held once would still be four times this.
        assert!(grown < 256 << 20, "memory grew by {} MiB", grown >> 20);
        Ok(())
    })
}

/// Bytes of memory that this process has had at most.
fn resident() -> Result<u64, String> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().map_err(|_| format!("no number: {line}"))?;
    Ok(kibibytes << 10)
}

fn a_client_that_leaves_is_seen_by_the_backends_within_100_ms() -> Result<(), String> {
    const TEXT: &str = "```proto slow.proto
syntax = \"proto3\";
package slow;
service Slow { rpc Get(Key) returns (Key); }
message Key { string id = 1; }
```

```yaml composition
backends: { a: { rest: http://a.test }, g: { grpc: http://g.test, proto: proto/slow.proto } }
endpoints:
  GET /page: { timeout: 20s, steps: { r: { backend: a, get: /r }, g: { backend: g, rpc: slow.Slow/Get } }, result: [\"${r}\", \"${g}\"] }
```

```backend a
GET /r -> hang
```

```backend g
rpc slow.Slow/Get -> hang
```
";
    run(async {
        let stage = set("leave", TEXT).await?;
        let leaving = Request { leaves: Some(Duration::from_millis(100)), ..get("/page") };
        send(&stage.gateway, &leaving).await?;
        let left = Instant::now();
        let all_cancelled = |seen: &[Seen]| seen.len() == 2 && seen.iter().all(|seen| seen.cancelled);
        assert!(until(|| all_cancelled(&stage.backends.record.all())).await, "{:?}", stage.backends.record.all());
        assert!(left.elapsed() < Duration::from_millis(100), "{:?}", left.elapsed());
        Ok(())
    })
}

fn nobody_sees_what_a_batch_fetched_for_another() -> Result<(), String> {
    const TEXT: &str = "```graphql schema
type Query { products: [Product!]! }
type Product { sku: ID!, price: Price }
type Price { text: String }
```

```yaml composition
backends: { a: { rest: http://a.test } }
graph:
  Query.products: { steps: { p: { backend: a, get: /products } }, result: \"${p}\" }
  Product.price:
    steps:
      p: { backend: a, get: /prices, query: { sku: \"${keys}\" }, headers: { authorization: \"${request.headers.authorization}\" }, batch: { key: \"${parent.sku}\", from: \"${reply}\", by: \"${item.sku}\" } }
    result: ${p}
```

```backend a
GET /products -> 200 [{\"sku\":\"1\"},{\"sku\":\"2\"}]
GET /prices?sku=1&sku=2 -> after 5ms 200 [{\"sku\":\"1\",\"text\":\"ann\"},{\"sku\":\"2\",\"text\":\"ann\"}]
  with authorization: Bearer ann
GET /prices?sku=1&sku=2 -> after 2ms 200 [{\"sku\":\"1\",\"text\":\"bob\"},{\"sku\":\"2\",\"text\":\"bob\"}]
  with authorization: Bearer bob
GET /prices?sku=1&sku=2 -> 200 [{\"sku\":\"1\",\"text\":\"cid\"},{\"sku\":\"2\",\"text\":\"cid\"}]
  with authorization: Bearer cid
```
";
    run(async {
        let stage = set("batch-of-others", TEXT).await?;
        let asked = (0..90).map(|number| ["ann", "bob", "cid"][number % 3]).map(|user| {
            let stage = &stage;
            async move {
                let mut request = graphql("{ products { price { text } } }");
                request.headers.push(("authorization".into(), format!("Bearer {user}")));
                let answer = ask(stage, &request).await?;
                let product = format!("{{\"price\":{{\"text\":\"{user}\"}}}}");
                assert_eq!(answer.text(), format!("{{\"data\":{{\"products\":[{product},{product}]}}}}"));
                Ok::<_, String>(())
            }
        });
        futures_util::future::try_join_all(asked).await.map(drop)
    })
}

const PEOPLE: &str = "```graphql schema
type Query { me: User }
type User { name: String, friend: User }
```

```yaml composition
backends: { a: { rest: http://a.test } }
graph:
  Query.me: { steps: { m: { backend: a, get: /me } }, result: \"${m}\" }
endpoints:
  POST /echo: { result: \"${request.body}\", max_body: 1MB }
  GET /deep: { steps: { d: { backend: a, get: /deep } }, result: { d: \"${d.a.a}\" } }
```

```backend a
GET /me -> 200 {\"name\":\"Ann\"}
GET /deep -> 200 DEEP
```
";

/// The query must be refused for asking too much, and the next one answered.
async fn refused(stage: &Stage, query: &str) -> Result<(), String> {
    let answer = ask(stage, &graphql(query)).await?;
    assert!(answer.text().contains("\"code\":\"graphql_limit_exceeded\""), "{}", answer.text());
    assert_eq!(ask(stage, &graphql("{ me { name } }")).await?.text(), "{\"data\":{\"me\":{\"name\":\"Ann\"}}}");
    assert_eq!(stage.backends.record.all().len(), 1);
    Ok(())
}

fn a_query_of_ten_thousand_levels_is_refused() -> Result<(), String> {
    let query = format!("{{me{}{{name}}{}}}", "{friend".repeat(10_000), "}".repeat(10_000));
    run(async { refused(&set("levels", PEOPLE).await?, &query).await })
}

fn a_query_of_a_thousand_aliases_is_refused() -> Result<(), String> {
    let aliases: Vec<String> = (0..1_000).map(|number| format!("a{number}: me {{ name }}")).collect();
    run(async { refused(&set("aliases", PEOPLE).await?, &format!("{{ {} }}", aliases.join(" "))).await })
}

fn json_of_a_hundred_thousand_levels_kills_nobody() -> Result<(), String> {
    let deep = "{\"a\":".repeat(100_000) + "1" + &"}".repeat(100_000);
    run(async {
        let stage = set("json", &PEOPLE.replace("DEEP", &deep)).await?;
        let reply = ask(&stage, &get("/deep")).await?;
        assert_eq!(reply.status(), 502, "{}", reply.text());
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let posted = Request { method: "POST".into(), headers, body: deep.into_bytes(), ..get("/echo") };
        assert_eq!(ask(&stage, &posted).await?.status(), 400);
        assert_eq!(ask(&stage, &graphql("{ me { name } }")).await?.status(), 200);
        Ok(())
    })
}

//! A store that replicas share, a real Redis: what one gateway fetched another serves, what one throws away is gone for
//! all, a request is answered once whichever it comes to, and a store that goes away takes nothing along.

pub(crate) mod server;

use std::net::SocketAddr;
use std::time::Duration;

use prost_reflect::DescriptorPool;
use serde_json::Value;

use crate::backend::Backends;
use crate::claim::{claims, run};
use crate::gateway::Running;
use crate::http1::{Connection, Message};
use crate::project::Project;
use crate::script;
use server::Redis;

claims![
    what_one_replica_fetched_another_serves,
    rows_of_batches_are_shared_one_by_one,
    what_is_kept_for_one_caller_is_kept_for_no_other,
    nothing_of_a_request_stands_in_the_store_in_clear,
    a_write_throws_away_what_all_replicas_share,
    operators_throw_away_what_all_replicas_share,
    a_request_that_is_sent_again_to_another_replica_gets_the_first_answer,
    a_request_under_way_at_another_replica_is_refused,
    a_store_that_goes_away_takes_nothing_along,
    what_was_thrown_away_while_the_store_was_away_is_gone_when_it_is_back,
    who_the_gateway_is_to_the_store_is_nowhere_shown,
    a_reload_keeps_the_connection_or_makes_another,
];

/// The endpoints of every replica.
const COMPOSITION: &str = r#"
backends:
  a: { rest: http://a.test }
  b: { rest: http://b.test }
endpoints:
  GET /n: { steps: { n: { backend: a, get: /n, cache: { ttl: 1h, tags: [n] } } }, result: "${n.n}" }
  GET /gone: { steps: { n: { backend: a, get: /gone, cache: { ttl: 1h, negative: 1h }, optional: true } }, result: "${steps.n.status}" }
  GET /old: { steps: { n: { backend: a, get: /old, cache: { ttl: 50ms, on_error: 1h } } }, result: "${n.n}" }
  GET /me:
    steps: { n: { backend: a, get: /me, headers: { authorization: "${request.headers.authorization}" }, cache: 1h } }
    result: "${n.n}"
  GET /rows:
    steps:
      rows:
        for_each: { id: "${default(request.query.ids, '').split(',')}" }
        backend: b
        get: /rows
        query: { id: { value: "${keys}", style: comma } }
        cache: { ttl: 1h, negative: 1h, tags: [rows] }
        batch: { key: "${id}", from: "${reply.rows}", by: "${item.id}" }
    result: { $each: { r: "${rows}" }, $as: "${r.v}" }
  POST /n: { steps: { n: { backend: a, post: /n, invalidates: [n] } }, result: "${n.ok}" }
  POST /orders:
    idempotency: {}
    steps: { made: { backend: a, post: /orders, body: "${request.body}" } }
    result: { id: "${made.id}" }
    respond: { status: 201, headers: { location: "/orders/${made.id}" } }
  POST /refused:
    idempotency: {}
    steps: { made: { backend: a, post: /refused, fail: { when: "${meta.status == 402}", status: 402, code: no_credit, blame: client } } }
    result: { id: "${made.id}" }
"#;

const A: &str = r#"
GET /n -> 200 {"n":1}
  -> 200 {"n":2}
  -> 200 {"n":3}
GET /gone -> 404
GET /old -> 200 {"n":1}
  -> 500
GET /me -> 200 {"n":1}
  -> 200 {"n":2}
  -> 200 {"n":3}
POST /n -> 200 {"ok":true}
POST /orders "slow" -> after 400ms 200 {"id":"o9"}
POST /orders -> 200 {"id":"o1"}
  -> 200 {"id":"o2"}
POST /refused -> 402 {"id":"r1"}
"#;

const B: &str = r#"
GET /rows?id=1,2 -> 200 {"rows":[{"id":"1","v":10}]}
GET /rows?id=3 -> 200 {"rows":[{"id":"3","v":30}]}
GET /rows?id=1 -> 200 {"rows":[{"id":"1","v":11}]}
"#;

/// A store, the backends, and the replicas before them.
struct Stage {
    redis: Redis,
    backends: Backends,
    name: &'static str,
    replicas: Vec<Running>,
}

impl Stage {
    async fn set(name: &'static str, replicas: usize) -> Result<Self, String> {
        let redis = Redis::start(&[]).await?;
        let scripts = [script::read("a", A.trim())?, script::read("b", B.trim())?];
        let backends = Backends::start(&scripts, &DescriptorPool::new()).await?;
        let mut stage = Self { redis, backends, name, replicas: Vec::new() };
        for _ in 0..replicas {
            stage.join(&format!("store: \"{}\"", stage.redis.url())).await?;
        }
        Ok(stage)
    }

    /// Starts a further replica, and waits until it is connected.
    async fn join(&mut self, gateway: &str) -> Result<(), String> {
        let text = format!("gateway: {{ {gateway} }}{}", self.backends.locate(COMPOSITION));
        let name = format!("store/{}-{}", self.name, self.replicas.len());
        let files = [("compositions/main.yaml".to_owned(), text), ("password".to_owned(), server::PASSWORD.to_owned())];
        let project = Project::write(&name, &files)?;
        self.replicas.push(Running::start(project.root()).await?);
        self.connected(self.replicas.len() - 1, true).await
    }

    async fn connected(&self, replica: usize, wanted: bool) -> Result<(), String> {
        for _ in 0..500 {
            if self.seen(replica).await?["connected"] == wanted {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(format!("replica {replica} is not as connected as {wanted}: {}", self.seen(replica).await?))
    }

    /// What operators read of the store.
    async fn seen(&self, replica: usize) -> Result<Value, String> {
        let answer = send(self.replicas[replica].admin_address(), "GET /cache", ("", "")).await?;
        let seen: Value = serde_json::from_str(&answer.text()).map_err(|error| error.to_string())?;
        Ok(seen["store"].clone())
    }

    async fn get(&self, replica: usize, target: &str) -> Result<String, String> {
        self.get_as(replica, target, "").await
    }

    async fn get_as(&self, replica: usize, target: &str, fields: &str) -> Result<String, String> {
        Ok(send(self.replicas[replica].address(), &format!("GET {target}"), (fields, "")).await?.text())
    }

    async fn post(&self, replica: usize, target: &str, (key, body): (&str, &str)) -> Result<Message, String> {
        let fields = format!("idempotency-key: {key}\r\ncontent-type: application/json\r\n");
        send(self.replicas[replica].address(), &format!("POST {target}"), (&fields, body)).await
    }

    /// What backends were asked, as many calls as are expected.
    fn calls(&self) -> usize {
        self.backends.record.all().len()
    }

    /// Waits until so many replies stand in the store.
    async fn stored(&self, count: usize) -> Result<(), String> {
        for _ in 0..300 {
            if self.redis.names("selvedge:1:reply:*").await?.len() == count {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(format!("not {count} replies stand in the store: {:?}", self.redis.names("*").await?))
    }

    async fn end(self) -> Result<(), String> {
        for replica in self.replicas {
            replica.stop().await;
        }
        Ok(())
    }
}

async fn send(address: SocketAddr, asked: &str, (fields, body): (&str, &str)) -> Result<Message, String> {
    let mut connection = Connection::open(address).await.map_err(|error| error.to_string())?;
    let head = format!("{asked} HTTP/1.1\r\nhost: a\r\n{fields}content-length: {}\r\n\r\n{body}", body.len());
    connection.send(head.as_bytes()).await.map_err(|error| error.to_string())?;
    let method = asked.split(' ').next().unwrap_or_default();
    connection.response(method).await.map_err(|error| error.to_string())
}

fn what_one_replica_fetched_another_serves() -> Result<(), String> {
    run(async {
        let mut stage = Stage::set("shared", 2).await?;
        assert_eq!(stage.get(0, "/n").await?, "1");
        assert_eq!(stage.get(0, "/gone").await?, "404");
        assert_eq!(stage.get(0, "/old").await?, "1");
        stage.stored(3).await?;
        assert_eq!((stage.get(1, "/n").await?, stage.get(1, "/gone").await?), ("1".to_owned(), "404".to_owned()));
        assert_eq!(stage.calls(), 3, "nobody asks again for what another fetched");
        let seen = stage.seen(1).await?;
        assert_eq!((&seen["hits"], &seen["errors"], &seen["breaker"]), (&2.into(), &0.into(), &"closed".into()));
        // What is stale for one is for all, and serves all when the backend fails.
        tokio::time::sleep(Duration::from_millis(80)).await;
        assert_eq!(stage.get(1, "/old").await?, "1");
        assert_eq!(stage.calls(), 4, "it was asked for");
        // Who comes later has it at once.
        stage.join(&format!("store: \"{}\"", stage.redis.url())).await?;
        assert_eq!(stage.get(2, "/n").await?, "1");
        assert_eq!(stage.calls(), 4);
        stage.end().await
    })
}

fn rows_of_batches_are_shared_one_by_one() -> Result<(), String> {
    run(async {
        let stage = Stage::set("rows", 2).await?;
        assert_eq!(stage.get(0, "/rows?ids=1,2").await?, "[10,null]");
        stage.stored(2).await?;
        // The second replica has 1 and that there is no 2, and asks for 3 alone.
        assert_eq!(stage.get(1, "/rows?ids=2,3,1").await?, "[null,30,10]");
        stage.stored(3).await?;
        assert_eq!(stage.get(0, "/rows?ids=3").await?, "[30]");
        assert_eq!(stage.calls(), 2);
        stage.end().await
    })
}

fn what_is_kept_for_one_caller_is_kept_for_no_other() -> Result<(), String> {
    run(async {
        let stage = Stage::set("callers", 2).await?;
        let (ann, bob) = ("authorization: Bearer ann\r\n", "authorization: Bearer bob\r\n");
        assert_eq!(stage.get_as(0, "/me", ann).await?, "1");
        stage.stored(1).await?;
        assert_eq!(stage.get_as(1, "/me", bob).await?, "2");
        assert_eq!(stage.get_as(1, "/me", ann).await?, "1");
        stage.stored(2).await?;
        assert_eq!(stage.get_as(0, "/me", bob).await?, "2");
        stage.end().await
    })
}

fn nothing_of_a_request_stands_in_the_store_in_clear() -> Result<(), String> {
    run(async {
        let stage = Stage::set("clear", 1).await?;
        stage.get_as(0, "/me", "authorization: Bearer verysecret\r\n").await?;
        stage.post(0, "/orders", ("client-key", r#"{"card":"4111"}"#)).await?;
        stage.stored(1).await?;
        let held = stage.redis.everything().await?;
        assert!(held.len() >= 4, "a reply, its labels, an answer: {}", held.len());
        for part in ["verysecret", "Bearer", "client-key", "4111", "authorization", "POST", "/me"] {
            let shown = held.iter().find(|bytes| bytes.windows(part.len()).any(|some| some == part.as_bytes()));
            assert!(shown.is_none(), "{part}");
        }
        stage.end().await
    })
}

fn a_write_throws_away_what_all_replicas_share() -> Result<(), String> {
    run(async {
        let mut stage = Stage::set("writes", 2).await?;
        assert_eq!((stage.get(0, "/n").await?, stage.get(0, "/old").await?), ("1".to_owned(), "1".to_owned()));
        stage.stored(2).await?;
        assert_eq!(stage.get(1, "/n").await?, "1");
        let written = stage.post(1, "/n", ("k", "")).await?;
        assert_eq!(written.text(), "true");
        // Whoever wrote reads what is there now, in this replica as in one that begins.
        assert_eq!(stage.get(1, "/n").await?, "2");
        stage.join(&format!("store: \"{}\"", stage.redis.url())).await?;
        assert_eq!(stage.get(2, "/n").await?, "2");
        // The memory of another replica is its own until it has to look.
        assert_eq!(stage.get(0, "/n").await?, "1");
        stage.end().await
    })
}

fn operators_throw_away_what_all_replicas_share() -> Result<(), String> {
    run(async {
        let mut stage = Stage::set("operators", 1).await?;
        for (purge, number) in [("tag=n", "2"), ("backend=a", "3")] {
            stage.get(0, "/n").await?;
            stage.stored(1).await?;
            let operators = stage.replicas[0].admin_address();
            let purged = send(operators, &format!("POST /cache/purge?{purge}"), ("", "")).await?;
            assert_eq!((purged.status(), purged.text().as_str()), (200, "done\n"));
            stage.join(&format!("store: \"{}\"", stage.redis.url())).await?;
            let newest = stage.replicas.len() - 1;
            assert_eq!(stage.get(newest, "/n").await?, number, "{purge}");
        }
        stage.end().await
    })
}

fn a_request_that_is_sent_again_to_another_replica_gets_the_first_answer() -> Result<(), String> {
    run(async {
        let stage = Stage::set("again", 2).await?;
        let body = r#"{"sku":"a"}"#;
        let first = stage.post(0, "/orders", ("k-1", body)).await?;
        assert_eq!((first.status(), first.text().as_str()), (201, r#"{"id":"o1"}"#));
        let again = stage.post(1, "/orders", ("k-1", body)).await?;
        assert_eq!((again.status(), again.text().as_str()), (201, r#"{"id":"o1"}"#));
        assert_eq!(again.header("idempotent-replayed").as_deref(), Some("true"));
        assert_eq!(again.header("location").as_deref(), Some("/orders/o1"));
        let other = stage.post(1, "/orders", ("k-1", r#"{"sku":"b"}"#)).await?;
        assert_eq!(other.status(), 422);
        let another = stage.post(1, "/orders", ("k-2", body)).await?;
        assert_eq!(another.text(), r#"{"id":"o2"}"#);
        for replica in [0, 1] {
            let refused = stage.post(replica, "/refused", ("k-3", "")).await?;
            let problem: Value = serde_json::from_str(&refused.text()).map_err(|error| error.to_string())?;
            assert_eq!((refused.status(), &problem["code"]), (402, &"no_credit".into()));
        }
        assert_eq!(stage.calls(), 3);
        stage.end().await
    })
}

fn a_request_under_way_at_another_replica_is_refused() -> Result<(), String> {
    run(async {
        let stage = Stage::set("under-way", 2).await?;
        let (first, second) = tokio::join!(stage.post(0, "/orders", ("k", "\"slow\"")), async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            stage.post(1, "/orders", ("k", "\"slow\"")).await
        });
        assert_eq!(first?.text(), r#"{"id":"o9"}"#);
        let second = second?;
        assert_eq!((second.status(), second.header("retry-after").as_deref()), (409, Some("1")));
        assert_eq!(stage.post(1, "/orders", ("k", "\"slow\"")).await?.text(), r#"{"id":"o9"}"#);
        assert_eq!(stage.calls(), 1);
        stage.end().await
    })
}

fn a_store_that_goes_away_takes_nothing_along() -> Result<(), String> {
    run(async {
        let mut stage = Stage::set("away", 2).await?;
        stage.get(0, "/n").await?;
        stage.stored(1).await?;
        stage.redis.stop().await;
        stage.connected(0, false).await?;
        stage.connected(1, false).await?;
        assert_eq!(stage.get(0, "/n").await?, "1", "memory has it");
        assert_eq!(stage.get(1, "/n").await?, "2", "the backend is asked");
        assert_eq!(stage.post(0, "/orders", ("k", "{}")).await?.text(), r#"{"id":"o1"}"#);
        let again = stage.post(0, "/orders", ("k", "{}")).await?;
        assert_eq!(again.header("idempotent-replayed").as_deref(), Some("true"), "memory decides");
        stage.redis.start_again().await?;
        stage.connected(0, true).await?;
        stage.connected(1, true).await?;
        assert_eq!(stage.get(0, "/old").await?, "1");
        stage.stored(1).await?;
        assert_eq!(stage.seen(0).await?["breaker"], "closed");
        stage.end().await
    })
}

fn what_was_thrown_away_while_the_store_was_away_is_gone_when_it_is_back() -> Result<(), String> {
    run(async {
        let stage = Stage::set("purges", 2).await?;
        stage.get(0, "/n").await?;
        stage.stored(1).await?;
        // It hangs, and keeps what it has.
        stage.redis.pause(true)?;
        stage.connected(1, false).await?;
        assert_eq!(stage.post(1, "/n", ("k", "")).await?.text(), "true");
        assert_eq!(stage.seen(1).await?["purges_waiting"], 1);
        let told = send(stage.replicas[1].admin_address(), "POST /cache/purge?tag=other", ("", "")).await?;
        assert_eq!(told.status(), 202, "{}", told.text());
        stage.redis.pause(false)?;
        stage.connected(1, true).await?;
        assert_eq!(stage.seen(1).await?["purges_waiting"], 0);
        assert_eq!(stage.get(1, "/n").await?, "2");
        stage.end().await
    })
}

fn who_the_gateway_is_to_the_store_is_nowhere_shown() -> Result<(), String> {
    run(async {
        let mut stage = Stage::set("known", 0).await?;
        stage.redis = Redis::start(&["--requirepass", server::PASSWORD]).await?;
        let address = stage.redis.address();
        stage.join(&format!("store: \"redis://:${{file('password')}}@{address}/2\"")).await?;
        stage.get(0, "/n").await?;
        for _ in 0..100 {
            if !stage.redis.names_of(2, "selvedge:1:reply:*").await?.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(stage.redis.names_of(2, "selvedge:1:reply:*").await?.len(), 1);
        let seen = stage.seen(0).await?;
        assert_eq!(seen["at"], format!("redis://{address}/2"));
        stage.end().await
    })
}

fn a_reload_keeps_the_connection_or_makes_another() -> Result<(), String> {
    run(async {
        let stage = Stage::set("reload", 1).await?;
        let other = Redis::start(&[]).await?;
        stage.get(0, "/n").await?;
        stage.stored(1).await?;
        let reload = |gateway: String| {
            let text = format!("gateway: {{ {gateway} }}{}", stage.backends.locate(COMPOSITION));
            Project::write("store/reload-0", &[("compositions/main.yaml".to_owned(), text)]).map(drop)
        };
        let operators = stage.replicas[0].admin_address();
        reload(format!("store: \"{}\", cache: {{ size: 2MiB }}", stage.redis.url()))?;
        assert_eq!(send(operators, "POST /reload", ("", "")).await?.status(), 200);
        // Memory is another now; the store and what was asked of it are what they were.
        assert_eq!(stage.get(0, "/n").await?, "1");
        assert_eq!(stage.seen(0).await?["hits"], 1);
        reload(format!("store: \"{}\", cache: {{ size: 3MiB }}", other.url()))?;
        assert_eq!(send(operators, "POST /reload", ("", "")).await?.status(), 200);
        stage.connected(0, true).await?;
        assert_eq!(stage.get(0, "/n").await?, "2");
        reload("cache: { size: 4MiB }".to_owned())?;
        assert_eq!(send(operators, "POST /reload", ("", "")).await?.status(), 200);
        assert_eq!((stage.get(0, "/n").await?.as_str(), stage.seen(0).await?), ("3", Value::Null));
        stage.end().await
    })
}

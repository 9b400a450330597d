//! What is kept and what is served, in virtual time.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::{Instant, advance, sleep};

use super::cache::{Cache, Outcome};
use super::{Answer, Resolver, Unanswered, in_turns};

/// Name servers that answer what a test says, so long after they were asked.
#[derive(Clone)]
struct Servers {
    says: Arc<Mutex<Result<&'static str, &'static str>>>,
    takes: Arc<Mutex<Duration>>,
    asked: Arc<AtomicUsize>,
}

const TTL: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_secs(5);

impl Servers {
    fn new() -> (Self, Cache) {
        let servers = Self { says: Arc::new(Mutex::new(Ok("10.0.0.1"))), takes: Arc::default(), asked: Arc::default() };
        let asked = servers.clone();
        let ask = move |_: &str| {
            let servers = asked.clone();
            servers.asked.fetch_add(1, Ordering::SeqCst);
            async move {
                let takes = *servers.takes.lock().expect("no test panics with it");
                sleep(takes).await;
                let says = *servers.says.lock().expect("no test panics with it");
                let answer = |address: &str| Answer { records: vec![address.parse().expect("it is one")], ttl: TTL };
                says.map(answer).map_err(|why| Unanswered { why: why.into(), pause: PAUSE })
            }
            .boxed()
        };
        (servers, Cache::new(Box::new(ask)))
    }

    fn say(&self, says: Result<&'static str, &'static str>) {
        *self.says.lock().expect("no test panics with it") = says;
    }

    fn take(&self, takes: Duration) {
        *self.takes.lock().expect("no test panics with it") = takes;
    }

    fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::SeqCst)
    }
}

fn shown(outcome: &Outcome) -> String {
    match outcome {
        Ok(addresses) => addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(" "),
        Err(why) => format!("none: {why}"),
    }
}

async fn found(cache: &Cache) -> String {
    shown(&cache.addresses("a.internal").await)
}

#[tokio::test(start_paused = true)]
async fn what_was_said_holds_as_long_as_it_says() {
    let (servers, cache) = Servers::new();
    assert_eq!(found(&cache).await, "10.0.0.1");
    servers.say(Ok("10.0.0.2"));
    advance(TTL - Duration::from_millis(1)).await;
    assert_eq!((found(&cache).await.as_str(), servers.asked()), ("10.0.0.1", 1));
    advance(Duration::from_millis(1)).await;
    assert_eq!((found(&cache).await.as_str(), servers.asked()), ("10.0.0.2", 1));
}

#[tokio::test(start_paused = true)]
async fn what_was_said_last_serves_when_servers_fail() {
    let (servers, cache) = Servers::new();
    found(&cache).await;
    servers.say(Err("no such name"));
    advance(TTL * 100).await;
    for _ in 0..3 {
        assert_eq!(found(&cache).await, "10.0.0.1");
    }
    assert_eq!(servers.asked(), 2, "they are asked again before their pause is over");
    advance(PAUSE).await;
    servers.say(Ok("10.0.0.2"));
    assert_eq!(found(&cache).await, "10.0.0.2");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_long_for_servers_that_hang() {
    let (servers, cache) = Servers::new();
    found(&cache).await;
    servers.take(Duration::from_secs(2));
    servers.say(Ok("10.0.0.2"));
    advance(TTL).await;
    let began = Instant::now();
    assert_eq!(found(&cache).await, "10.0.0.1");
    assert_eq!(began.elapsed(), Duration::from_millis(100));
    // The lookup goes on, and whoever comes later waits no more for it.
    assert_eq!((found(&cache).await.as_str(), began.elapsed()), ("10.0.0.1", Duration::from_millis(100)));
    sleep(Duration::from_secs(2)).await;
    assert_eq!((found(&cache).await.as_str(), servers.asked()), ("10.0.0.2", 2));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_was_never_found_is_looked_for_again_after_a_pause() {
    let (servers, cache) = Servers::new();
    servers.say(Err("no such name"));
    assert_eq!(found(&cache).await, "none: no such name");
    servers.say(Ok("10.0.0.1"));
    advance(PAUSE - Duration::from_millis(1)).await;
    assert_eq!((found(&cache).await.as_str(), servers.asked()), ("none: no such name", 1));
    advance(Duration::from_millis(1)).await;
    assert_eq!(found(&cache).await, "10.0.0.1");
}

#[tokio::test(start_paused = true)]
async fn all_who_need_a_host_wait_for_one_lookup() {
    let (servers, cache) = Servers::new();
    servers.take(Duration::from_secs(1));
    let began = Instant::now();
    let left = tokio::time::timeout(Duration::from_millis(10), cache.addresses("a.internal")).await;
    assert!(left.is_err(), "there is no answer so soon");
    let outcomes = futures_util::future::join_all((0..10).map(|_| cache.addresses("a.internal"))).await;
    assert!(outcomes.iter().all(|outcome| shown(outcome) == "10.0.0.1"));
    assert_eq!((servers.asked(), began.elapsed()), (1, Duration::from_secs(1)));
    cache.addresses("b.internal").await.expect("it is another host");
    assert_eq!(servers.asked(), 1);
}

#[tokio::test]
async fn addresses_and_this_machine_need_no_server() {
    let resolver = Resolver::new(&[SocketAddr::from(([127, 0, 0, 1], 1))]);
    for (host, expected) in [
        ("10.0.0.1", "[10.0.0.1:80]"),
        ("::1", "[[::1]:80]"),
        ("localhost", "[127.0.0.1:80, [::1]:80]"),
        ("a.LocalHost.", "[127.0.0.1:80, [::1]:80]"),
    ] {
        assert_eq!(format!("{:?}", resolver.places(host, 80).await.expect("it has an address")), expected);
    }
}

#[test]
fn families_take_turns_and_so_do_the_addresses_of_each() {
    let addresses = ["10.0.0.1", "::1", "10.0.0.2", "10.0.0.3"].map(|text| text.parse().expect("it is an address"));
    let turn = |turn| in_turns(&addresses, turn).map(|address| address.to_string()).collect::<Vec<_>>().join(" ");
    assert_eq!(turn(0), "::1 10.0.0.1 10.0.0.2 10.0.0.3");
    assert_eq!(turn(1), "::1 10.0.0.2 10.0.0.3 10.0.0.1");
    assert_eq!(turn(5), "::1 10.0.0.3 10.0.0.1 10.0.0.2");
}

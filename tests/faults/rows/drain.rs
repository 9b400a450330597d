//! The end of a process, asked for or not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::sleep;

use crate::backend::rest::Reply;
use crate::balancer::Balancer;
use crate::case::{Bar, Case, row};
use crate::gateway::{Process, Start};
use crate::http1::Connection;
use crate::load::{Answer, Answers, Ask, End, Load};
use crate::scene::Scene;

pub(super) const ROWS: &[Case] = &[
    row!(78, "SIGTERM under load", in_order, ends: true),
    row!(79, "SIGTERM with a hung backend and a slow client", hung, ends: true),
    row!(81, "SIGKILL of one of two", killed, ends: true),
    row!(82, "two replicas replaced in turn, 5 times", upgrades, ends: true),
];

/// How long a drain of the fixture may take: what it announces, and what it waits for.
const DRAIN: Duration = Duration::from_millis(300 + 2_000);

/// How long after the signal a balancer sends no new requests; the fixture announces its end for longer.
const REMOVED: Duration = Duration::from_millis(200);

/// Clients that keep their connections, and some that take a new one for each request.
fn loads() -> [Load; 2] {
    let kept = Load { ask: Ask::get("/agg"), rate: 100, clients: 16 };
    [Load { ask: Ask::get("/agg").with("connection", "close"), rate: 50, clients: 8 }, kept]
}

async fn run(to: &watch::Receiver<std::net::SocketAddr>, until: Instant) -> Answers {
    let [one, other] = loads();
    let (one, other) = tokio::join!(one.run(to, until), other.run(to, until));
    Answers([one.0, other.0].concat())
}

fn is_lost(answer: &Answer) -> bool {
    !matches!(answer.end, End::Whole(_)) || answer.status() != Some(200)
}

async fn in_order(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let told = Instant::now() + Duration::from_millis(1_500);
    let (_target, here) = watch::channel(scene.gateway.clients);
    let ready = async {
        sleep(told - Instant::now()).await;
        scene.gateway.signal("TERM").await;
        let since = Instant::now();
        while scene.gateway.ready().await == Some(200) && since.elapsed() < DRAIN {
            sleep(Duration::from_millis(2)).await;
        }
        since.elapsed()
    };
    let (answers, unready) = tokio::join!(run(&here, told + REMOVED), ready);
    let status = scene.gateway.ended(DRAIN * 2).await;
    Ok(vec![
        answers.all("200", |answer| !is_lost(answer)),
        Bar::within("readiness says no after", unready, Duration::from_millis(50)),
        Bar::equal("exit", status.and_then(|status| status.code()).unwrap_or(-1), 0),
        Bar::within("ended after", told.elapsed(), DRAIN),
    ])
}

async fn hung(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    scene.e.play(|_| Reply::never());
    let mut slow = Connection::open(scene.gateway.clients).await.map_err(|error| error.to_string())?;
    let begun = b"POST /body HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    slow.send(begun).await.map_err(|error| error.to_string())?;
    let mut waiting = Connection::open(scene.gateway.clients).await.map_err(|error| error.to_string())?;
    waiting.send(&Ask::get("/large").bytes()).await.map_err(|error| error.to_string())?;
    sleep(Duration::from_millis(100)).await;
    let since = Instant::now();
    scene.gateway.signal("TERM").await;
    let status = scene.gateway.ended(DRAIN * 3).await;
    Ok(vec![
        Bar::within("ended after", since.elapsed(), DRAIN + Duration::from_secs(2)),
        Bar::equal("exit", status.and_then(|status| status.code()).unwrap_or(-1), 0),
    ])
}

async fn killed(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let root = scene.project.root();
    let other = Process::start(&scene.run.binary, root, &Start::default()).await?;
    let end = Instant::now() + Duration::from_secs(2);
    let (_one, one) = watch::channel(scene.gateway.clients);
    let (_two, two) = watch::channel(other.clients);
    let kill = async {
        sleep(Duration::from_secs(1)).await;
        scene.gateway.signal("KILL").await;
        Instant::now()
    };
    let (of_one, of_other, when) = tokio::join!(run(&one, end), run(&two, end), kill);
    let in_flight = of_one.those(|answer| is_lost(answer) && answer.at < when);
    let clients = loads().iter().map(|load| load.clients as usize).sum();
    let since = Instant::now();
    let again = Process::start(&scene.run.binary, root, &Start::default()).await?;
    let (took, ready) = (since.elapsed(), again.ready().await.unwrap_or(0));
    Ok(vec![
        Bar::at_most("lost, of those in flight", in_flight, clients),
        of_other.all("200 of the other", |answer| !is_lost(answer)),
        Bar::equal("readiness of a new one", ready, 200),
        Bar::within("  after", took, Duration::from_secs(2)),
    ])
}

/// How often both replicas are replaced.
const ROUNDS: usize = 5;

async fn upgrades(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let wanted = scene.run.length.of(1_000, 10_000);
    let (root, binary) = (scene.project.root().to_owned(), scene.run.binary.clone());
    let newer = async || Process::start(&binary, &root, &Start::default()).await;
    let (balancer, mut other) = (Balancer::new(), newer().await?);
    balancer.add(&scene.gateway);
    balancer.add(&other);
    let (mut codes, mut served_by_two, going) = (Vec::new(), balancer.has_ready(2).await, Arc::new(()));
    let asked_while = Arc::downgrade(&going);
    let steps = async {
        for step in 1..=ROUNDS {
            for replica in [&mut scene.gateway, &mut other] {
                replica.signal("TERM").await;
                codes.push(replica.ended(DRAIN * 2).await.and_then(|status| status.code()).unwrap_or(-1));
                balancer.remove(replica);
                *replica = newer().await?;
                balancer.add(replica);
                served_by_two &= balancer.has_ready(2).await;
            }
            while balancer.answered() * ROUNDS < wanted * step {
                sleep(Duration::from_millis(20)).await;
            }
        }
        drop(going);
        Result::<(), String>::Ok(())
    };
    let [one, kept] = loads();
    let (one, kept) = (balancer.run(one, asked_while.clone()), balancer.run(kept, asked_while));
    let (one, kept, stepped) = tokio::join!(one, kept, steps);
    stepped?;
    let answers = Answers([one.0, kept.0].concat());
    Ok(vec![
        answers.all("200", |answer| !is_lost(answer)),
        Bar::holds(("requests", &format!("≥ {wanted}")), answers.count(), answers.count() >= wanted),
        Bar::equal("processes that ended with 0", codes.iter().filter(|code| **code == 0).count(), 2 * ROUNDS),
        Bar::holds(("both are ready after each step", "yes"), if served_by_two { "yes" } else { "no" }, served_by_two),
    ])
}

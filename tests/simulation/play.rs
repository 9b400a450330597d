//! Plays a game: the hosts, what happens to them, and the end.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use selvedge::call::Clients;
use selvedge::front::entrance::{Doors, Entrance};
use selvedge::front::listen::{self, Drain, DrainTimes, Limits, Peer};
use selvedge::transport::Network;
use tokio::task::JoinSet;
use turmoil::net::TcpListener;
use turmoil::{Builder, Sim};

use crate::client::Client;
use crate::game::{Event, Game, Mood};
use crate::judge::{Judge, TICK};
use crate::network::Simulated;
use crate::project::editions;
use crate::{backend, grpc};

/// By when every game is over.
const LONGEST: Duration = Duration::from_secs(8);

/// Plays a game to its end; what was seen in it.
///
/// # Errors
/// What did not hold.
pub(crate) fn play(game: &Game) -> Result<Vec<String>, String> {
    // What the gateway leaves to chance is drawn on this thread.
    fastrand::seed(game.seed);
    let judge = Judge::default();
    let mut sim = set(game, &judge);
    let (mut events, mut lost) = (game.events.iter().peekable(), BTreeSet::new());
    while !judge.is_over() {
        while let Some((at, event)) = events.next_if(|(at, _)| *at <= sim.elapsed()) {
            judge.tell_at(*at, &format!("{event:?}"));
            happen(&mut sim, (*event, game.latency), (&mut lost, &judge));
        }
        sim.step().map_err(|error| format!("a host broke off: {error}"))?;
        if sim.elapsed() > LONGEST {
            return Err("it does not end".to_owned());
        }
    }
    judge.verdict()
}

fn set(game: &Game, judge: &Judge) -> Sim<'static> {
    let mut sim = Builder::new()
        .tick_duration(TICK)
        .simulation_duration(2 * LONGEST)
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(game.latency)
        .tcp_capacity(1 << 12)
        .rng_seed(game.seed)
        .build();
    for (number, host) in ["a1", "a2", "c", "d"].into_iter().enumerate() {
        let (seed, judge) = (game.seed ^ (number as u64) << 32, judge.clone());
        sim.host(host, move || backend::serve(host, seed, judge.clone()));
    }
    let (seed, of_b) = (game.seed ^ 9 << 32, judge.clone());
    sim.host("b", move || grpc::serve("b", seed, of_b.clone()));
    let of_gateway = judge.clone();
    sim.host("gateway", move || gateway(of_gateway.clone()));
    let (game, judge) = (game.clone(), judge.clone());
    sim.client("clients", async move {
        let client = |name: String, seed: u64| Client::new(name, game.seed ^ seed << 40, (&game, &judge));
        let mut asking: JoinSet<()> = (1..=game.clients).map(|n| client(format!("k{n}"), n.into()).run(60)).collect();
        asking.spawn(client("end".to_owned(), 77).finish());
        asking.join_all().await;
        judge.quiet();
        Ok(())
    });
    sim
}

/// The gateway as the command starts it, but for its sockets.
async fn gateway(judge: Judge) -> turmoil::Result {
    let [one, other] = editions();
    let clients = Clients { workers: 1, network: Network::Other(Arc::new(Simulated)) };
    let entrance = Arc::new(Entrance::new(Doors::within(one, clients)));
    tokio::spawn(judge.watch(entrance.clone(), other.clone()));
    let (limits, drain) = (Arc::new(Limits::default()), Drain::new(DrainTimes::default()));
    let listener = TcpListener::bind(("0.0.0.0", 80)).await?;
    for connection in 1.. {
        let (stream, address) = listener.accept().await?;
        let who = (entrance.way(0), Peer { address, connection });
        tokio::spawn(listen::serve(Box::new(stream), who, (limits.clone(), drain.clone())));
    }
    Ok(())
}

/// Lets something happen. `lost` are the hosts whose connections have lost something: what is simulated sends nothing
/// again, as TCP would, so that they end with what was wrong.
fn happen(sim: &mut Sim<'_>, (event, latency): (Event, Duration), (lost, judge): (&mut BTreeSet<&str>, &Judge)) {
    match event {
        Event::Cut(host) => sim.partition("gateway", host),
        Event::Held(host) => sim.hold("gateway", host),
        Event::Lossy(host) => sim.set_link_fail_rate("gateway", host, 0.1),
        Event::Far(host, time) => sim.set_link_latency("gateway", host, time),
        Event::Gone(host) => sim.crash(host),
        Event::Mood(host, mood) => judge.be(host, mood),
        Event::Reload => judge.reload(),
        Event::Well(host) => {
            judge.be(host, Mood::Calm);
            sim.release("gateway", host);
            sim.repair("gateway", host);
            sim.set_link_fail_rate("gateway", host, 0.0);
            sim.set_link_latency("gateway", host, latency / 2);
            if lost.remove(host) {
                sim.bounce(host);
            }
        }
    }
    if let Event::Cut(host) | Event::Lossy(host) | Event::Gone(host) = event {
        lost.insert(host);
    }
}

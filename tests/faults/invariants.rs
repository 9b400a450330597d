//! What must hold in every row, whatever the fault: G1 to G7 of the matrix.

use std::time::Duration;

use crate::case::{Bar, time};
use crate::fixture::{Layer, OPEN};
use crate::scene::{Scene, Watched};

/// Descriptors, and connections to backends, that may be more than before, where 5 % are less.
const SPARE: usize = 3;

/// Memory that may be more than before, in KiB, where 10 % are less: what an allocator keeps for itself.
const SPARE_MEMORY: u64 = 16 << 10;

/// Judges a row that was played: `since` is how long it took, `recovered` how long until `/agg` was whole again.
pub(crate) async fn judge(
    scene: &Scene,
    watched: Watched,
    (since, recovered): (Duration, Option<Duration>),
) -> Vec<Bar> {
    let mut bars = vec![alive(scene)];
    bars.extend(beside(scene, watched));
    bars.extend(held(scene).await);
    let malformed = scene.tally.malformed();
    bars.push(Bar::holds(
        ("G4 answers", "well formed"),
        malformed.as_deref().unwrap_or("0 malformed"),
        malformed.is_none(),
    ));
    let open = if scene.has(Layer::Breaker) { OPEN } else { Duration::ZERO };
    bars.push(Bar::within("G5 recovery", recovered.unwrap_or(Duration::MAX), open + Duration::from_secs(1)));
    bars.extend(logged(scene).await);
    bars.extend(attempts(scene, since));
    bars
}

fn alive(scene: &Scene) -> Bar {
    let strange = scene.gateway.log.strange();
    let lives = scene.gateway.held().is_some();
    let figure = strange.clone().unwrap_or_else(|| if lives { "alive" } else { "ended" }.to_owned());
    Bar::holds(("G1 process", "alive, no panic"), figure, lives && strange.is_none())
}

fn beside(scene: &Scene, watched: Watched) -> [Bar; 2] {
    let control = watched.control.max(scene.control.ctl);
    let mut late = Bar::within("G2 /ctl p99", watched.here, control * 3 / 2 + Duration::from_millis(5) + scene.holds);
    late.bar = format!("{} (control {})", late.bar, time(control));
    let mut failed = Bar::at_most("G2 /ctl failures", watched.failed, watched.failed_there);
    failed.bar = format!("≤ {} (control)", watched.failed_there);
    // On a machine that has no time D is late too.
    if watched.failed == watched.late {
        failed = failed.timed();
    }
    [failed, late]
}

async fn held(scene: &Scene) -> Vec<Bar> {
    let before = scene.control.held;
    let descriptors = before.descriptors + (before.descriptors / 20).max(SPARE);
    let connections = scene.control.connections + (scene.control.connections / 20).max(SPARE);
    let threads = before.threads + before.threads / 20;
    let memory = before.memory + (before.memory / 10).max(SPARE_MEMORY).max(scene.keeps);
    let settled = |held: crate::gateway::Held, open: usize| {
        held.descriptors <= descriptors && open <= connections && held.threads <= threads && held.memory <= memory
    };
    scene.settled(settled).await;
    let (after, open) = (scene.gateway.held().unwrap_or_default(), scene.connections());
    vec![
        Bar::at_most("G3 descriptors", after.descriptors, descriptors),
        Bar::at_most("G3 connections to backends", open, connections),
        Bar::at_most("G3 threads", after.threads, threads),
        Bar::at_most("G3 memory KiB", after.memory, memory),
    ]
}

/// One line of the access log for each request.
async fn logged(scene: &Scene) -> Option<Bar> {
    if !scene.tally.is_whole() {
        return None;
    }
    let asked = scene.tally.asked(|_| true);
    crate::gateway::until(Duration::from_secs(1), || scene.gateway.log.access() >= asked).await;
    Some(Bar::equal("G6 lines of the access log", scene.gateway.log.access(), asked))
}

/// How far a budget of retries looks back: a fault that is shorter may spend what that time would have had.
const LOOKS_BACK: Duration = Duration::from_secs(10);

/// Calls of each backend, against the requests that need it.
fn attempts(scene: &Scene, since: Duration) -> Vec<Bar> {
    let spare = 10 * (since + LOOKS_BACK).as_secs();
    let agg = scene.tally.asked(|path| ["/agg", "/graphql"].contains(&path));
    let bar = |what, calls: u64, asked: u64| Bar::at_most(what, calls, asked * 6 / 5 + spare);
    let of_a = scene.more_of_a.iter().map(|one| one.record.count()).sum::<u64>() + scene.a.record.count();
    let mut bars = vec![bar("G7 calls of A", of_a, agg), bar("G7 calls of B", scene.b.record.count(), agg)];
    let of_c = agg + scene.tally.asked(|path| path == "/own");
    bars.push(bar("G7 calls of C", scene.c.record.count(), of_c));
    bars
}

//! Flights over virtual time, and over threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;

use super::{Flights, Forsaken, Seat};

type Of = Arc<Flights<&'static str, usize>>;

/// Boards, and flies if nobody does yet. A flight brings how many there were.
fn ask(flights: &Of, made: &Arc<AtomicUsize>, (takes, forsaken): (Duration, Forsaken)) -> Seat<usize> {
    let (pilot, seat) = flights.board(&"key");
    if let Some(pilot) = pilot {
        let made = made.clone();
        let fetch = async move {
            tokio::time::sleep(takes).await;
            made.fetch_add(1, Ordering::SeqCst) + 1
        };
        tokio::spawn(pilot.fly(fetch, forsaken));
    }
    seat
}

const LONG: Duration = Duration::from_secs(10);

#[tokio::test(start_paused = true)]
async fn a_thousand_that_ask_at_once_are_one() {
    let (flights, made) = (Of::default(), Arc::default());
    let seats: Vec<_> = (0..1000).map(|_| ask(&flights, &made, (LONG, Forsaken::Ends))).collect();
    for seat in seats {
        assert_eq!(seat.wait().await, Some(1));
    }
    assert_eq!((flights.joined(), flights.under_way()), (999, 0));
    assert_eq!(ask(&flights, &made, (LONG, Forsaken::Ends)).wait().await, Some(2), "what has landed is no more");
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_changes_nothing_for_the_others() {
    let (flights, made) = (Of::default(), Arc::default());
    let mut seats: Vec<_> = (0..300).map(|_| ask(&flights, &made, (LONG, Forsaken::Ends))).collect();
    let last = seats.pop();
    // The first, who leads, is among them.
    drop(seats);
    tokio::time::sleep(LONG / 2).await;
    assert_eq!(last.map(Seat::wait).expect("there was one").await, Some(1));
}

#[tokio::test(start_paused = true)]
async fn when_the_last_leaves_the_flight_is_given_up() {
    let (flights, made) = (Of::default(), Arc::<AtomicUsize>::default());
    drop(ask(&flights, &made, (LONG, Forsaken::Ends)));
    tokio::time::sleep(LONG * 2).await;
    assert_eq!((made.load(Ordering::SeqCst), flights.under_way()), (0, 0));
    drop(ask(&flights, &made, (LONG, Forsaken::Lasts)));
    tokio::time::sleep(LONG * 2).await;
    assert_eq!((made.load(Ordering::SeqCst), flights.under_way()), (1, 0), "unless it lasts");
}

#[tokio::test(start_paused = true)]
async fn who_comes_after_the_last_has_left_is_served() {
    let (flights, made) = (Of::default(), Arc::default());
    for _ in 0..100 {
        drop(ask(&flights, &made, (LONG, Forsaken::Ends)));
        let seat = ask(&flights, &made, (LONG, Forsaken::Ends));
        assert!(seat.wait().await.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_flight_that_breaks_off_wakes_who_waits() {
    let flights = Of::default();
    let (pilot, first) = flights.board(&"key");
    let (_, second) = flights.board(&"key");
    let pilot = pilot.expect("the first leads");
    let broken = tokio::spawn(pilot.fly(
        async {
            tokio::time::sleep(LONG).await;
            std::panic::resume_unwind(Box::new("broken"))
        },
        Forsaken::Ends,
    ));
    assert_eq!((first.wait().await, second.wait().await), (None, None));
    assert!(broken.await.is_err());
    assert_eq!(ask(&flights, &Arc::default(), (LONG, Forsaken::Ends)).wait().await, Some(1));
}

#[test]
fn a_flight_serves_other_threads_than_its_own() {
    let (flights, made) = (Of::default(), Arc::<AtomicUsize>::default());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (flights, made) = (flights.clone(), made.clone());
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it starts");
                runtime.block_on(async {
                    for _ in 0..200 {
                        let brief = Duration::from_micros(50);
                        // The runtime of whoever leads may end before the flight does: then it is asked again.
                        while ask(&flights, &made, (brief, Forsaken::Ends)).wait().await.is_none() {}
                    }
                });
            })
        })
        .collect();
    assert!(threads.into_iter().all(|thread| thread.join().is_ok()));
    assert!(made.load(Ordering::SeqCst) as u64 + flights.joined() >= 800);
    assert_eq!(flights.under_way(), 0);
}

/// What happens to the flights of one key.
#[derive(Clone, Copy, Debug)]
enum Step {
    Ask(Forsaken),
    /// One of those who wait leaves.
    Leave(usize),
    /// So many seconds pass: never as many as a flight takes, or its end and a look at it would be at the same moment.
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let forsaken = prop_oneof![Just(Forsaken::Ends), Just(Forsaken::Lasts)];
    prop_oneof![
        4 => forsaken.prop_map(Step::Ask),
        3 => (0_usize..8).prop_map(Step::Leave),
        3 => (1_u64..=3).prop_map(|times| Step::Pass(3 * times)),
    ]
}

/// The flight that is under way: which it is, and when it lands.
struct UnderWay {
    number: usize,
    lands: u64,
    forsaken: Forsaken,
}

/// Takes the steps, beside what they should come to.
async fn take(steps: &[Step]) {
    let (flights, made) = (Of::default(), Arc::<AtomicUsize>::default());
    let (mut seats, mut now) = (Vec::<(Seat<usize>, usize)>::new(), 0);
    // What each flight brings, when it lands.
    let (mut brought, mut under_way) = (Vec::<Option<usize>>::new(), None::<UnderWay>);
    for step in steps.iter().chain(&[Step::Pass(12)]) {
        match *step {
            Step::Ask(forsaken) => {
                let seat = ask(&flights, &made, (LONG, forsaken));
                let flight = under_way.get_or_insert_with(|| {
                    brought.push(None);
                    UnderWay { number: brought.len() - 1, lands: now + LONG.as_secs(), forsaken }
                });
                seats.push((seat, flight.number));
            }
            Step::Leave(which) if !seats.is_empty() => drop(seats.swap_remove(which % seats.len())),
            Step::Leave(_) => {}
            Step::Pass(seconds) => {
                under_way = under_way.filter(|flight| {
                    flight.forsaken == Forsaken::Lasts || seats.iter().any(|(_, boarded)| *boarded == flight.number)
                });
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                now += seconds;
                if let Some(landed) = under_way.take_if(|flight| flight.lands < now) {
                    brought[landed.number] = Some(brought.iter().flatten().count() + 1);
                }
                assert_eq!(flights.under_way(), usize::from(under_way.is_some()));
                assert_eq!(made.load(Ordering::SeqCst), brought.iter().flatten().count());
            }
        }
    }
    for (seat, flight) in seats {
        assert_eq!(seat.wait().await, brought[flight]);
    }
}

proptest! {
    #[test]
    fn whoever_stays_gets_what_the_flight_brings_that_it_boarded(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("it starts").block_on(take(&steps));
    }
}

//! Room that is taken and given back, under a limit that stays and under one that changes.

use futures_util::FutureExt as _;
use proptest::prelude::*;

use super::*;
use crate::base::attempt::{Health, Load};

fn bulkhead(limit: u32, wait: Duration) -> Bulkhead {
    Bulkhead::new(Settings { limit: Limit::Fixed(limit), wait })
}

fn adaptive(min: u32, max: u32) -> Bulkhead {
    Bulkhead::new(Settings { limit: Limit::Adaptive(Bounds { min, max }), wait: Duration::ZERO })
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(1)
}

fn sample(load: Load, took: Duration) -> Sample {
    Sample { health: Health::Neutral, load, took, pause: None }
}

#[tokio::test(start_paused = true)]
async fn beyond_the_limit_calls_fail_at_once() {
    let bulkhead = bulkhead(2, Duration::ZERO);
    let first = bulkhead.enter(soon()).await;
    let _second = bulkhead.enter(soon()).await;
    let began = Instant::now();
    assert!(bulkhead.enter(soon()).await.is_err());
    assert_eq!((began.elapsed(), bulkhead.seen()), (Duration::ZERO, Seen { limit: 2, under_way: 2, refused: 1 }));
    drop(first);
    assert!(bulkhead.enter(soon()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_as_long_as_it_may() {
    let bulkhead = bulkhead(1, Duration::from_millis(20));
    let first = bulkhead.enter(soon()).await;
    let began = Instant::now();
    assert!(bulkhead.enter(soon()).await.is_err());
    assert_eq!(began.elapsed(), Duration::from_millis(20));
    let hurried = Instant::now() + Duration::from_millis(5);
    assert!(bulkhead.enter(hurried).await.is_err());
    assert_eq!(began.elapsed(), Duration::from_millis(25));
    let freed = async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        drop(first);
    };
    let (second, ()) = tokio::join!(bulkhead.enter(soon()), freed);
    assert!(second.is_ok());
    assert_eq!(began.elapsed(), Duration::from_millis(35));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_grows_lets_in_whoever_waits() {
    let bounds = Bounds { min: 1, max: 2 };
    let bulkhead = Bulkhead::new(Settings { limit: Limit::Adaptive(bounds), wait: Duration::from_secs(1) });
    let first = bulkhead.enter(soon()).await.expect("there is room");
    let grows = async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        first.note(sample(Load::Bearable, Duration::from_millis(10)), Instant::now());
    };
    let (second, ()) = tokio::join!(bulkhead.enter(soon()), grows);
    assert!(second.is_ok());
    assert_eq!(bulkhead.seen(), Seen { limit: 2, under_way: 2, refused: 0 });
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_falls_is_reached_as_calls_end() {
    let bulkhead = adaptive(2, 10);
    let mut permits = vec![bulkhead.enter(soon()).await.expect("there is room")];
    while bulkhead.seen().limit < 10 {
        permits.push(bulkhead.enter(soon()).await.expect("there is room"));
        permits[0].note(sample(Load::Bearable, Duration::ZERO), Instant::now());
    }
    while let Ok(permit) = bulkhead.enter(soon()).await {
        permits.push(permit);
    }
    permits[0].note(sample(Load::TooMuch, Duration::ZERO), Instant::now());
    assert_eq!((bulkhead.seen().limit, bulkhead.seen().under_way), (9, 10));
    permits.pop();
    assert!(bulkhead.enter(soon()).await.is_err(), "nine are under way");
    permits.pop();
    assert!(bulkhead.enter(soon()).await.is_ok());
}

/// What happens to a bulkhead.
#[derive(Clone, Copy, Debug)]
enum Step {
    Enter,
    Drop(usize),
    Note(usize, Load),
    Pass(u64),
}

/// The rules as plainly as they can be said.
struct Model {
    bounds: Bounds,
    limit: u32,
    under_way: Vec<u64>,
    replies: u32,
    fell: Option<u64>,
}

impl Model {
    fn note(&mut self, (began, now): (u64, u64), load: Load) {
        if load == Load::Bearable && self.under_way.len() as u32 * 2 >= self.limit {
            self.replies += 1;
            let enough = if self.fell.is_some() { self.limit } else { 1 };
            if self.replies >= enough {
                self.replies = 0;
                self.limit = (self.limit + 1).min(self.bounds.max);
            }
        }
        let is_late = self.fell.is_some_and(|fell| began < fell || now < fell + 1_000);
        if load == Load::TooMuch && !is_late {
            (self.replies, self.fell) = (0, Some(now));
            self.limit = ((f64::from(self.limit) * 0.9 + 1e-9).floor() as u32).max(self.bounds.min);
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let load = prop_oneof![6 => Just(Load::Bearable), 2 => Just(Load::TooMuch), 1 => Just(Load::Unsaid)];
    let step = prop_oneof![
        5 => Just(Step::Enter),
        2 => any::<usize>().prop_map(Step::Drop),
        6 => (any::<usize>(), load).prop_map(|(at, load)| Step::Note(at, load)),
        1 => (0..1_500_u64).prop_map(Step::Pass),
    ];
    proptest::collection::vec(step, 0..400)
}

proptest! {
    #[test]
    fn it_does_what_the_rules_say(steps in steps(), min in 1..6_u32, more in 0..30_u32) {
        let bounds = Bounds { min, max: min + more };
        let bulkhead = adaptive(bounds.min, bounds.max);
        let mut model = Model { bounds, limit: min, under_way: Vec::new(), replies: 0, fell: None };
        let (start, mut now, mut permits) = (Instant::now(), 0, Vec::new());
        for step in steps {
            match step {
                Step::Enter => {
                    let entered = bulkhead.enter(start).now_or_never().expect("nobody waits").ok();
                    prop_assert_eq!(entered.is_some(), (model.under_way.len() as u32) < model.limit);
                    model.under_way.extend(entered.is_some().then_some(now));
                    permits.extend(entered);
                }
                Step::Pass(millis) => now += millis,
                Step::Drop(_) | Step::Note(..) if permits.is_empty() => {}
                Step::Drop(at) => {
                    let at = at % permits.len();
                    drop(permits.swap_remove(at));
                    model.under_way.swap_remove(at);
                }
                Step::Note(at, load) => {
                    let at = at % permits.len();
                    let began = model.under_way[at];
                    let took = Duration::from_millis(now - began);
                    permits[at].note(sample(load, took), start + Duration::from_millis(now));
                    model.note((began, now), load);
                }
            }
            let (seen, under_way) = (bulkhead.seen(), model.under_way.len() as u32);
            prop_assert_eq!((seen.limit, seen.under_way), (model.limit, under_way));
            prop_assert!((bounds.min..=bounds.max).contains(&seen.limit));
        }
    }
}

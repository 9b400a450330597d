//! The breaker against its rules, and against a naive model.

use std::cell::Cell;

use proptest::prelude::*;

use super::*;
use crate::base::attempt::Load;

fn settings() -> Settings {
    Settings {
        failures: 0.5,
        of: 20,
        within: Duration::from_secs(10),
        consecutive: 5,
        slow: None,
        open: Duration::from_secs(5),
        max_open: Duration::from_secs(60),
        probes: 1,
        patience: Duration::from_secs(2),
    }
}

fn sample(health: Health) -> Sample {
    Sample { health, load: Load::Unsaid, took: Duration::from_millis(5), pause: None }
}

/// A breaker with a clock beside it.
struct Scene {
    breaker: Breaker,
    now: Cell<Instant>,
}

impl Scene {
    fn new(settings: Settings) -> Self {
        Self { breaker: Breaker::new(settings), now: Cell::new(Instant::now()) }
    }

    fn now(&self) -> Instant {
        self.now.get()
    }

    fn pass(&self, seconds: f64) {
        self.now.set(self.now.get() + Duration::from_secs_f64(seconds));
    }

    /// Makes calls that end in `health`; says how many were let through.
    fn calls(&self, count: usize, health: Health) -> usize {
        let call = |_: &usize| match self.breaker.admit(self.now()) {
            Ok(permit) => {
                permit.settle(sample(health), self.now(), 0.5);
                true
            }
            Err(_) => false,
        };
        (0..count).filter(call).count()
    }

    fn state(&self) -> State {
        self.breaker.seen().state
    }
}

#[test]
fn five_failures_in_a_row_open_it() {
    let scene = Scene::new(settings());
    assert_eq!(scene.calls(4, Health::Hard), 4);
    assert_eq!(scene.calls(1, Health::Success), 1);
    assert_eq!(scene.calls(20, Health::Hard), 5);
    scene.pass(1.5);
    assert_eq!(scene.breaker.admit(scene.now()).err(), Some(Refusal { retry_after: Duration::from_millis(3500) }));
}

#[test]
fn half_of_twenty_opens_it_and_soft_failures_count_there_only() {
    let scene = Scene::new(Settings { consecutive: 5, ..settings() });
    scene.calls(10, Health::Success);
    assert_eq!(scene.calls(30, Health::Soft), 10);
    assert!(matches!(scene.state(), State::Open(_)));
}

#[test]
fn calls_are_forgotten_when_their_time_is_over() {
    let scene = Scene::new(Settings { consecutive: 100, ..settings() });
    scene.calls(19, Health::Hard);
    scene.pass(10.0);
    assert_eq!(scene.calls(19, Health::Hard), 19);
    assert_eq!(scene.state(), State::Closed);
}

#[test]
fn one_try_at_a_time_and_two_successes_close_it() {
    let scene = Scene::new(settings());
    scene.calls(5, Health::Hard);
    scene.pass(5.1);
    let first = scene.breaker.admit(scene.now());
    assert!(first.is_ok() && scene.breaker.admit(scene.now()).is_err());
    if let Ok(first) = first {
        first.settle(sample(Health::Success), scene.now(), 0.5);
    }
    assert_eq!(scene.state(), State::HalfOpen);
    assert_eq!(scene.calls(1, Health::Success), 1);
    assert_eq!(scene.state(), State::Closed);
}

#[test]
fn a_try_that_fails_opens_it_for_twice_as_long_up_to_the_end() {
    let scene = Scene::new(settings());
    scene.calls(5, Health::Hard);
    let mut lasted = Vec::new();
    for _ in 0..6 {
        let State::Open(until) = scene.state() else { break };
        lasted.push((until - scene.now()).as_secs());
        scene.now.set(until);
        assert_eq!(scene.calls(1, Health::Hard), 1);
    }
    assert_eq!(lasted, [5, 10, 20, 40, 60, 60]);
}

#[test]
fn a_try_whose_client_leaves_makes_room_for_the_next() {
    let scene = Scene::new(settings());
    scene.calls(5, Health::Hard);
    scene.pass(5.1);
    drop(scene.breaker.admit(scene.now()));
    if let Ok(permit) = scene.breaker.admit(scene.now()) {
        permit.settle(sample(Health::Neutral), scene.now(), 0.5);
    }
    assert_eq!(scene.calls(2, Health::Success), 2);
    assert_eq!(scene.state(), State::Closed);
}

#[test]
fn a_try_that_hangs_is_not_waited_for() {
    let scene = Scene::new(settings());
    scene.calls(5, Health::Hard);
    scene.pass(5.1);
    let hanging = scene.breaker.admit(scene.now());
    assert!(hanging.is_ok());
    scene.pass(1.9);
    assert!(scene.breaker.admit(scene.now()).is_err());
    scene.pass(0.1);
    let next = scene.breaker.admit(scene.now());
    assert!(next.is_ok());
    // The one that hung says something at last, and nobody listens.
    if let Ok(hanging) = hanging {
        hanging.settle(sample(Health::Hard), scene.now(), 0.5);
    }
    assert_eq!(scene.state(), State::HalfOpen);
}

#[test]
fn stragglers_of_an_earlier_time_do_not_count() {
    let scene = Scene::new(settings());
    let stragglers: Vec<_> = (0..10).filter_map(|_| scene.breaker.admit(scene.now()).ok()).collect();
    scene.calls(5, Health::Hard);
    scene.pass(5.1);
    for straggler in stragglers {
        straggler.settle(sample(Health::Success), scene.now(), 0.5);
    }
    assert!(matches!(scene.state(), State::Open(_)));
}

#[test]
fn slow_calls_open_it_where_that_is_asked_for() {
    let slow = Slow { over: Duration::from_millis(100), share: 0.8 };
    let scene = Scene::new(Settings { slow: Some(slow), ..settings() });
    let took = Duration::from_millis(150);
    for _ in 0..20 {
        if let Ok(permit) = scene.breaker.admit(scene.now()) {
            permit.settle(Sample { health: Health::Success, load: Load::Unsaid, took, pause: None }, scene.now(), 0.5);
        }
    }
    assert!(matches!(scene.state(), State::Open(_)));
}

#[test]
fn a_backend_that_asks_for_longer_gets_it_up_to_the_end() {
    let scene = Scene::new(Settings { consecutive: 1, ..settings() });
    if let Ok(permit) = scene.breaker.admit(scene.now()) {
        let pause = Some(Duration::from_secs(3_600));
        permit.settle(Sample { pause, ..sample(Health::Hard) }, scene.now(), 0.5);
    }
    assert_eq!(scene.state(), State::Open(scene.now() + Duration::from_secs(60)));
}

#[test]
fn quiet_times_make_it_forget_how_often_it_opened() {
    let scene = Scene::new(settings());
    for _ in 0..3 {
        scene.calls(5, Health::Hard);
        scene.pass(61.0);
        scene.calls(2, Health::Success);
    }
    assert_eq!(scene.state(), State::Closed);
    scene.pass(100.0);
    scene.calls(5, Health::Hard);
    assert_eq!(scene.state(), State::Open(scene.now() + Duration::from_secs(5)));
}

#[test]
fn operators_decide_over_the_counts() {
    let scene = Scene::new(settings());
    scene.breaker.force(Some(Forced::Open));
    assert_eq!(scene.calls(3, Health::Success), 0);
    scene.breaker.force(Some(Forced::Closed));
    assert_eq!(scene.calls(30, Health::Hard), 30);
    scene.breaker.force(None);
    assert_eq!(scene.calls(30, Health::Hard), 5);
}

/// What may happen to a breaker.
#[derive(Clone, Copy, Debug)]
enum Act {
    Begin,
    End(usize, Health),
    Drop(usize),
    Pass(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let health = prop_oneof![Just(Health::Success), Just(Health::Hard), Just(Health::Soft), Just(Health::Neutral)];
    prop_oneof![
        4 => Just(Act::Begin),
        4 => (0_usize..8, health).prop_map(|(which, health)| Act::End(which, health)),
        1 => (0_usize..8).prop_map(Act::Drop),
        2 => (1_u64..4_000).prop_map(Act::Pass),
    ]
}

/// The same rules without windows in pieces and without counters: everything is kept and counted again.
#[derive(Default)]
struct Model {
    generation: u64,
    /// When each counted call of this generation ended, and whether it failed.
    calls: Vec<(u64, bool)>,
    consecutive: u32,
    open_until: Option<u64>,
    /// Tries under way, successes, and until when they may be silent.
    half_open: Option<(usize, u32, u64)>,
    trips: u32,
    closed_at: Option<u64>,
}

impl Model {
    fn admit(&mut self, now: u64) -> Option<(u64, bool)> {
        if let Some(until) = self.open_until {
            if now < until {
                return None;
            }
            self.open_until = None;
            self.generation += 1;
            self.half_open = Some((0, 0, now + 2_000));
        }
        if let Some((trying, _, deadline)) = &mut self.half_open {
            if *trying >= 1 {
                if now < *deadline {
                    return None;
                }
                self.generation += 1;
                self.half_open = Some((1, 0, now + 2_000));
                return Some((self.generation, true));
            }
            *trying += 1;
            return Some((self.generation, true));
        }
        Some((self.generation, false))
    }

    fn end(&mut self, (generation, is_try): (u64, bool), health: Health, now: u64) {
        if generation != self.generation {
            return;
        }
        if let Some((trying, successes, _)) = &mut self.half_open {
            if is_try {
                *trying -= 1;
            }
            match health {
                Health::Neutral => {}
                Health::Success => {
                    *successes += 1;
                    if *successes == 2 {
                        self.half_open = None;
                        self.generation += 1;
                        self.calls.clear();
                        self.consecutive = 0;
                        self.closed_at = Some(now);
                    }
                }
                Health::Hard | Health::Soft => self.trip(now),
            }
            return;
        }
        if self.open_until.is_some() || health == Health::Neutral {
            return;
        }
        self.calls.push((now, health != Health::Success));
        match health {
            Health::Hard => self.consecutive += 1,
            Health::Success => self.consecutive = 0,
            _ => {}
        }
        let failed = self.calls.iter().filter(|(_, failed)| *failed).count();
        if self.consecutive >= 5 || (self.calls.len() >= 20 && failed * 2 >= self.calls.len()) {
            self.trip(now);
        }
    }

    fn trip(&mut self, now: u64) {
        if let Some(closed_at) = self.closed_at.take() {
            self.trips = self.trips.saturating_sub(u32::try_from((now - closed_at) / 600_000).unwrap_or(u32::MAX));
        }
        self.open_until = Some(now + (5_000_u64 << self.trips).min(60_000));
        self.trips += 1;
        self.generation += 1;
        self.half_open = None;
        self.calls.clear();
        self.consecutive = 0;
    }
}

proptest! {
    /// With a window that nothing leaves, the model needs none.
    #[test]
    fn it_lets_through_what_the_model_lets_through(acts in proptest::collection::vec(act(), 1..300)) {
        let start = Instant::now();
        let breaker = Breaker::new(Settings { within: Duration::from_secs(600), ..settings() });
        let (mut model, mut passed) = (Model::default(), 0_u64);
        let mut under_way: Vec<(Permit<'_>, (u64, bool))> = Vec::new();
        for act in acts {
            let now = start + Duration::from_millis(passed);
            match act {
                Act::Pass(millis) => passed += millis,
                Act::Begin => {
                    let (permit, expected) = (breaker.admit(now), model.admit(passed));
                    prop_assert_eq!(permit.is_ok(), expected.is_some());
                    under_way.extend(permit.ok().zip(expected));
                }
                Act::End(which, health) if which < under_way.len() => {
                    let (permit, expected) = under_way.remove(which);
                    permit.settle(sample(health), now, 0.5);
                    model.end(expected, health, passed);
                }
                Act::Drop(which) if which < under_way.len() => {
                    let (permit, expected) = under_way.remove(which);
                    drop(permit);
                    model.end(expected, Health::Neutral, passed);
                }
                Act::End(..) | Act::Drop(_) => {}
            }
        }
    }

    #[test]
    fn a_window_in_pieces_counts_a_tenth_too_much_at_most(gaps in proptest::collection::vec(0_u64..900, 1..200)) {
        let start = Instant::now();
        let within = Duration::from_secs(10);
        let (mut window, mut ended, mut now) = (Window::default(), Vec::new(), 0);
        for gap in gaps {
            now += gap;
            window.count(Counts { total: 1, failed: 1, slow: 0 }, start + Duration::from_millis(now), within);
            ended.push(now);
            let since = |age: u64| ended.iter().filter(|at| now - **at < age).count() as u32;
            prop_assert!(window.sum.total <= since(10_000) && window.sum.total >= since(9_000), "{}", window.sum.total);
        }
    }
}

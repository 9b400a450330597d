//! How slow an address is: a moving average of its times that rises at once and falls slowly.
//!
//! Source: the "peak EWMA" of Finagle's balancer. An average that only followed would go on choosing an address for a
//! while after it became slow. What fails at once must not look fast, so a failure counts as slower than what was known.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// After this time an average counts for about a third of what it was.
const DECAY: Duration = Duration::from_secs(10);
/// What is believed of an address that was not asked yet.
const START: Duration = Duration::from_millis(30);
/// Times below this are the same: differences would be noise.
const FLOOR: Duration = Duration::from_millis(1);
/// How many times slower than what is known a failure counts.
const PENALTY: f32 = 4.0;
/// The most that a failure counts beyond its own time.
const MAX_PENALTY: Duration = Duration::from_secs(10);

/// How slow one address is, shared by everything that asks it.
#[derive(Debug)]
pub struct Latency {
    began: Instant,
    /// The average in seconds, an `f32`, and when it was counted: milliseconds since it began.
    state: AtomicU64,
}

impl Latency {
    /// Nothing known yet.
    pub fn new(now: Instant) -> Self {
        Self { began: now, state: AtomicU64::new(pack(START.as_secs_f32(), 0)) }
    }

    /// How long a call probably takes. It falls while nobody asks, so that an address that was slow is tried again.
    pub fn estimate(&self, now: Instant) -> Duration {
        let (average, at) = unpack(self.state.load(Ordering::Relaxed));
        Duration::from_secs_f32(average * faded(self.millis(now), at)).max(FLOOR)
    }

    /// Counts a call that succeeded.
    pub fn count(&self, took: Duration, now: Instant) {
        self.update(now, |_| took.as_secs_f32());
    }

    /// Counts a call that failed.
    pub fn count_failure(&self, took: Duration, now: Instant) {
        let penalty = |average: f32| (average.max(START.as_secs_f32()) * PENALTY).min(MAX_PENALTY.as_secs_f32());
        self.update(now, |average| penalty(average).max(took.as_secs_f32()));
    }

    /// Counts a call that was given up: it would have taken longer than this.
    pub fn count_at_least(&self, took: Duration, now: Instant) {
        self.update(now, |average| took.as_secs_f32().max(average));
    }

    fn update(&self, now: Instant, sample: impl Fn(f32) -> f32) {
        let now = self.millis(now);
        let next = |state| {
            let (average, at) = unpack(state);
            let weight = faded(now, at);
            let sample = sample(average * weight);
            // A peak counts at once, all else by the time that has gone.
            let next = if sample > average * weight { sample } else { average * weight + sample * (1.0 - weight) };
            Some(pack(next, now))
        };
        // The closure always gives a value, so this cannot fail.
        let _ = self.state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    }

    /// Wraps after 49 days; only differences count.
    fn millis(&self, now: Instant) -> u32 {
        now.saturating_duration_since(self.began).as_millis() as u32
    }
}

/// The share of an average that still counts.
fn faded(now: u32, at: u32) -> f32 {
    // Another worker's clock reading may be the later one.
    let elapsed = i64::from(now.wrapping_sub(at).cast_signed()).max(0);
    (-(elapsed as f32) / DECAY.as_millis() as f32).exp()
}

fn pack(average: f32, at: u32) -> u64 {
    u64::from(average.to_bits()) << 32 | u64::from(at)
}

fn unpack(state: u64) -> (f32, u32) {
    (f32::from_bits((state >> 32) as u32), state as u32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_peak_counts_at_once_and_fades() {
        let now = Instant::now();
        let latency = Latency::new(now);
        assert!(latency.estimate(now).abs_diff(START) < FLOOR);
        latency.count(millis(400), now);
        assert!(latency.estimate(now).abs_diff(millis(400)) < millis(1));
        let later = now + DECAY;
        assert!(latency.estimate(later).abs_diff(millis(147)) < millis(1), "{:?}", latency.estimate(later));
        assert_eq!(latency.estimate(now + 20 * DECAY), FLOOR);
    }

    #[test]
    fn a_fast_failure_is_slow_and_more_of_them_are_slower() {
        let now = Instant::now();
        let latency = Latency::new(now);
        let mut before = latency.estimate(now);
        for _ in 0..3 {
            latency.count_failure(millis(1), now);
            assert!(latency.estimate(now) > before);
            before = latency.estimate(now);
        }
        (0..20).for_each(|_| latency.count_failure(millis(1), now));
        assert_eq!(latency.estimate(now), MAX_PENALTY);
    }

    #[test]
    fn what_was_given_up_early_says_nothing() {
        let now = Instant::now();
        let latency = Latency::new(now);
        latency.count_at_least(millis(2), now);
        assert!(latency.estimate(now).abs_diff(START) < FLOOR);
        latency.count_at_least(millis(90), now);
        assert!(latency.estimate(now).abs_diff(millis(90)) < millis(1));
    }

    proptest! {
        #[test]
        fn it_goes_as_the_formula_says(steps in proptest::collection::vec((1_u64..5_000, 1_u64..3_000), 1..60)) {
            let began = Instant::now();
            let latency = Latency::new(began);
            let (mut average, mut elapsed) = (0.030_f64, 0_u64);
            for (gap, took) in steps {
                elapsed += gap;
                let weight = (-(gap as f64) / 10_000.0).exp();
                let took_seconds = took as f64 / 1_000.0;
                average *= weight;
                average = if took_seconds > average { took_seconds } else { average + took_seconds * (1.0 - weight) };
                let now = began + millis(elapsed);
                latency.count(millis(took), now);
                let expected = average.max(0.001);
                prop_assert!((latency.estimate(now).as_secs_f64() - expected).abs() < expected * 0.01);
            }
        }
    }
}

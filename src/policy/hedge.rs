//! Hedging: when the answer to a read is late enough for a second call.
//!
//! The delay is a time, or how long most answers of the last half minute took. Times are counted in steps of a quarter
//! of their size, without a lock.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// No second call sooner than this.
const LEAST: Duration = Duration::from_millis(1);
/// Answers that must have been counted before a percentile says anything.
const ENOUGH: u32 = 20;
/// For how long an answer counts, at least; at most twice as long.
const MEMORY: Duration = Duration::from_secs(15);
/// Steps for each doubling.
const STEPS: u32 = 4;
/// From one microsecond to more than an hour.
const BUCKETS: usize = 32 * STEPS as usize;

/// When an answer is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settings {
    /// After this time.
    After(Duration),
    /// Later than this many of a hundred answers were.
    Percentile(u8),
}

/// How long the answers of one backend took.
#[derive(Debug)]
pub struct Times {
    began: Instant,
    /// Which of the two halves is being filled: the number of the memory that it belongs to.
    turn: AtomicU64,
    halves: [Half; 2],
}

#[derive(Debug)]
struct Half {
    total: AtomicU32,
    buckets: [AtomicU32; BUCKETS],
}

impl Times {
    /// Nothing counted yet.
    pub fn new(now: Instant) -> Self {
        Self { began: now, turn: AtomicU64::new(0), halves: [Half::new(), Half::new()] }
    }

    /// Counts an answer.
    pub fn count(&self, took: Duration, now: Instant) {
        let half = &self.halves[self.turn(now) as usize % 2];
        half.buckets[bucket(took)].fetch_add(1, Ordering::Relaxed);
        half.total.fetch_add(1, Ordering::Relaxed);
    }

    /// When an answer is late by these settings; `None` while too few were counted.
    pub fn late(&self, settings: Settings, now: Instant) -> Option<Duration> {
        match settings {
            Settings::After(after) => Some(after),
            Settings::Percentile(percent) => self.percentile(percent, now).map(|late| late.max(LEAST)),
        }
    }

    fn percentile(&self, percent: u8, now: Instant) -> Option<Duration> {
        self.turn(now);
        let total: u32 = self.halves.iter().map(|half| half.total.load(Ordering::Relaxed)).sum();
        if total < ENOUGH {
            return None;
        }
        let wanted = u64::from(total) * u64::from(percent);
        let mut counted = 0;
        let reached = |index: &usize| {
            let here = self.halves.iter().map(|half| half.buckets[*index].load(Ordering::Relaxed));
            counted += u64::from(here.sum::<u32>()) * 100;
            counted >= wanted
        };
        (0..BUCKETS).find(reached).map(upper_end)
    }

    /// Which half is being filled now; empties it when its turn begins.
    fn turn(&self, now: Instant) -> u64 {
        let turn = (now.saturating_duration_since(self.began).as_millis() / MEMORY.as_millis()) as u64;
        let before = self.turn.fetch_max(turn, Ordering::Relaxed);
        if before < turn {
            self.halves[turn as usize % 2].clear();
            if before + 1 < turn {
                self.halves[(turn as usize + 1) % 2].clear();
            }
        }
        turn.max(before)
    }
}

impl Half {
    fn new() -> Self {
        Self { total: AtomicU32::new(0), buckets: [const { AtomicU32::new(0) }; BUCKETS] }
    }

    fn clear(&self) {
        self.total.store(0, Ordering::Relaxed);
        self.buckets.iter().for_each(|bucket| bucket.store(0, Ordering::Relaxed));
    }
}

/// The bucket of a time: its highest bit, and the two bits behind that.
fn bucket(took: Duration) -> usize {
    let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX).max(STEPS);
    let doublings = micros.ilog2();
    let step = (micros >> (doublings - 2)) & (STEPS - 1);
    (doublings * STEPS + step) as usize
}

/// The longest time of a bucket.
fn upper_end(bucket: usize) -> Duration {
    let (doublings, step) = (bucket as u32 / STEPS, bucket as u32 % STEPS);
    let quarter = 1_u64 << doublings.saturating_sub(2);
    Duration::from_micros((1 << doublings) + quarter * u64::from(step + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_percentile_is_at_most_a_quarter_above_the_true_one(
            mut micros in proptest::collection::vec(10_u64..10_000_000, 20..400),
            percent in 10_u8..=99,
        ) {
            let now = Instant::now();
            let times = Times::new(now);
            for micros in &micros {
                times.count(Duration::from_micros(*micros), now);
            }
            micros.sort_unstable();
            let rank = (micros.len() * usize::from(percent)).div_ceil(100).max(1) - 1;
            let exact = micros[rank] as f64;
            let found = times.percentile(percent, now).map_or(0.0, |late| late.as_secs_f64() * 1e6);
            prop_assert!(found >= exact && found <= exact * 1.25 + 2.0, "{found} for {exact}");
        }
    }

    #[test]
    fn answers_are_forgotten() {
        let now = Instant::now();
        let times = Times::new(now);
        let late = |after: u64| times.late(Settings::Percentile(95), now + Duration::from_secs(after));
        (0..100).for_each(|_| times.count(Duration::from_millis(8), now));
        assert!(late(0).is_some() && late(20).is_some());
        assert_eq!(late(31), None);
    }

    #[test]
    fn too_few_answers_say_nothing_and_a_time_says_itself() {
        let now = Instant::now();
        let times = Times::new(now);
        times.count(Duration::from_millis(8), now);
        assert_eq!(times.late(Settings::Percentile(95), now), None);
        let fixed = Duration::from_millis(50);
        assert_eq!(times.late(Settings::After(fixed), now), Some(fixed));
    }
}

//! The retry budget: how many calls beyond the first ones a backend may get, so that retries and hedges cannot make a
//! bad day worse.
//!
//! Two limbs, and both must have room: a share of the calls of the last ten seconds, and a share of the calls under way.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Calls per second that may always be made again, however few calls there are.
const FLOOR: f64 = 10.0;
/// For how long a call counts.
const MEMORY: Duration = Duration::from_secs(10);
/// Further calls under way that are always allowed.
const FLOOR_UNDER_WAY: u32 = 3;

/// How much a backend may get.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Which share of its calls may be further ones, from 0 to 1.
    pub share: f64,
}

/// The budget of one backend, shared by retries and hedges of everything that asks it.
#[derive(Debug)]
pub struct Budget {
    settings: Settings,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// What may be spent, at `at`: goes up with calls, down with time and with further calls.
    tokens: f64,
    at: Instant,
    under_way: u32,
    further: u32,
    exhausted: u64,
}

/// A first call under way.
#[derive(Debug)]
#[must_use]
pub struct Call<'b>(&'b Budget);

/// A further call under way.
#[derive(Debug)]
#[must_use]
pub struct Further<'b>(&'b Budget);

impl Budget {
    /// A budget as it is before the first call.
    pub fn new(settings: Settings, now: Instant) -> Self {
        let inner = Inner { tokens: 0.0, at: now, under_way: 0, further: 0, exhausted: 0 };
        Self { settings, inner: Mutex::new(inner) }
    }

    /// Counts a call that is made for the first time.
    pub fn call(&self, now: Instant) -> Call<'_> {
        let mut inner = self.inner();
        inner.age(now);
        inner.tokens += self.settings.share;
        inner.under_way += 1;
        Call(self)
    }

    /// Spends for a further call; `None` when there is nothing left to spend.
    pub fn further(&self, now: Instant) -> Option<Further<'_>> {
        let mut inner = self.inner();
        inner.age(now);
        let room = (f64::from(inner.under_way) * self.settings.share).max(f64::from(FLOOR_UNDER_WAY));
        let floor = FLOOR * MEMORY.as_secs_f64();
        if f64::from(inner.further) >= room || inner.tokens + floor < 1.0 {
            inner.exhausted += 1;
            return None;
        }
        inner.tokens -= 1.0;
        inner.further += 1;
        Some(Further(self))
    }

    /// How often there was nothing left.
    pub fn exhausted(&self) -> u64 {
        self.inner().exhausted
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// What was earned, and what was spent, is forgotten with time.
    fn age(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens *= (-passed / MEMORY.as_secs_f64()).exp();
        self.at = now;
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.inner().under_way -= 1;
    }
}

impl Drop for Further<'_> {
    fn drop(&mut self) {
        self.0.inner().further -= 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn budget(now: Instant) -> Budget {
        Budget::new(Settings { share: 0.2 }, now)
    }

    #[test]
    fn without_calls_the_floor_may_be_spent() {
        let now = Instant::now();
        let budget = budget(now);
        let spent = (0..1_000).filter(|_| budget.further(now).is_some()).count();
        assert_eq!(spent, 100);
        assert_eq!(budget.exhausted(), 900);
    }

    #[test]
    fn further_calls_under_way_are_a_share_of_all() {
        let now = Instant::now();
        let budget = budget(now);
        let _calls: Vec<Call<'_>> = (0..100).map(|_| budget.call(now)).collect();
        let further: Vec<_> = (0..100).map_while(|_| budget.further(now)).collect();
        assert_eq!(further.len(), 20);
        drop(further);
        assert!(budget.further(now).is_some());
    }

    proptest! {
        #[test]
        fn a_minute_of_failures_gets_a_fifth_more_and_the_floor(rate in 1_u64..2_000) {
            let start = Instant::now();
            let budget = budget(start);
            let mut spent = 0;
            let calls = rate * 60;
            for call in 0..calls {
                let now = start + Duration::from_secs(60).mul_f64(call as f64 / calls as f64);
                let _call = budget.call(now);
                spent += u64::from(budget.further(now).is_some());
            }
            // The floor is one of the memory at the start and one for what is forgotten of it.
            prop_assert!(spent as f64 <= calls as f64 * 0.2 + 10.0 * 70.0 + 1.0, "{spent} of {calls}");
        }
    }
}

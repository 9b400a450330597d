//! Ejection: leaves an address out for a while that fails again and again, and lets one call try it after that.
//!
//! Each address has a state of its own; how many may be out at the same time is for whoever knows all of them to say.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::base::attempt::Health;

/// How long the one call that tries an address may go without a verdict before another may try.
const PATIENCE: Duration = Duration::from_secs(30);

/// When an address is left out, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// How many failures in a row are enough.
    pub consecutive: u32,
    /// For how long the first time.
    pub base: Duration,
    /// For how long at most.
    pub max: Duration,
    /// Which share of the addresses may be out, from 0 to 1.
    pub share: f64,
}

impl Settings {
    /// How many of so many addresses may be out at the same time: their share, one at least, and never all of them.
    pub fn limit(&self, addresses: usize) -> usize {
        ((addresses as f64 * self.share) as usize).max(1).min(addresses.saturating_sub(1))
    }
}

/// Whether one address is left out.
#[derive(Debug)]
pub struct Ejection {
    settings: Settings,
    is_out: AtomicBool,
    /// Failures in a row.
    failures: AtomicU32,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    phase: Phase,
    /// How often it was left out lately; the time grows with each.
    times: u32,
    /// When it came back last.
    back_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    In,
    Out { until: Instant },
    Trying { until: Instant },
}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is left out from now on, or for longer.
    Out,
    /// It is back.
    Back,
    /// Another call may try it.
    Free,
}

impl Ejection {
    /// An address that nothing is known against.
    pub fn new(settings: Settings) -> Self {
        let inner = Inner { phase: Phase::In, times: 0, back_at: None };
        Self { settings, is_out: AtomicBool::new(false), failures: AtomicU32::new(0), inner: Mutex::new(inner) }
    }

    /// Whether it is left out.
    pub fn is_out(&self) -> bool {
        self.is_out.load(Ordering::Relaxed)
    }

    /// When a call may try it, if it is left out.
    pub fn until(&self) -> Option<Instant> {
        match self.inner().phase {
            Phase::In => None,
            Phase::Out { until } | Phase::Trying { until } => Some(until),
        }
    }

    /// Takes the right to try an address whose time is over.
    pub fn try_again(&self, now: Instant) -> bool {
        let mut inner = self.inner();
        match inner.phase {
            Phase::Out { until } | Phase::Trying { until } if until <= now => {
                inner.phase = Phase::Trying { until: now + PATIENCE };
                true
            }
            _ => false,
        }
    }

    /// Counts a call. `may` says whether another address may be left out, where it comes to that.
    pub fn count(&self, health: Health, now: Instant, may: impl FnOnce() -> bool) -> Option<Change> {
        match health {
            Health::Neutral | Health::Soft => return None,
            Health::Success => {
                // Written only where it says something else, so that workers do not share a line for nothing.
                if self.failures.load(Ordering::Relaxed) != 0 {
                    self.failures.store(0, Ordering::Relaxed);
                }
                return None;
            }
            Health::Hard => {}
        }
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if failures < self.settings.consecutive || self.is_out() || !may() {
            return None;
        }
        let mut inner = self.inner();
        if !matches!(inner.phase, Phase::In) {
            return None;
        }
        self.leave_out(&mut inner, now);
        Some(Change::Out)
    }

    /// Says how the call went that tries the address.
    pub fn settle_try(&self, health: Health, now: Instant) -> Option<Change> {
        let mut inner = self.inner();
        if !matches!(inner.phase, Phase::Trying { .. }) {
            return None;
        }
        match health {
            Health::Success => {
                inner.phase = Phase::In;
                inner.back_at = Some(now);
                self.failures.store(0, Ordering::Relaxed);
                self.is_out.store(false, Ordering::Relaxed);
                Some(Change::Back)
            }
            Health::Hard | Health::Soft => {
                self.leave_out(&mut inner, now);
                Some(Change::Out)
            }
            Health::Neutral => {
                inner.phase = Phase::Out { until: now };
                Some(Change::Free)
            }
        }
    }

    /// Once more the first time for each time lately; each such time without a failure takes one off.
    fn leave_out(&self, inner: &mut Inner, now: Instant) {
        if let Some(back_at) = inner.back_at.take() {
            let quiet = now.saturating_duration_since(back_at).as_nanos() / self.settings.base.as_nanos().max(1);
            inner.times = inner.times.saturating_sub(u32::try_from(quiet).unwrap_or(u32::MAX));
        }
        inner.times = inner.times.saturating_add(1);
        let time = self.settings.base.saturating_mul(inner.times).min(self.settings.max);
        inner.phase = Phase::Out { until: now + time };
        self.is_out.store(true, Ordering::Relaxed);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SETTINGS: Settings =
        Settings { consecutive: 3, base: Duration::from_secs(30), max: Duration::from_secs(70), share: 0.5 };

    fn failed(ejection: &Ejection, times: u32, now: Instant) -> Option<Change> {
        (0..times).map(|_| ejection.count(Health::Hard, now, || true)).last().flatten()
    }

    #[test]
    fn failures_in_a_row_leave_it_out_and_others_do_not() {
        let (ejection, now) = (Ejection::new(SETTINGS), Instant::now());
        assert_eq!(failed(&ejection, 2, now), None);
        ejection.count(Health::Success, now, || true);
        assert_eq!(failed(&ejection, 2, now), None);
        ejection.count(Health::Neutral, now, || true);
        ejection.count(Health::Soft, now, || true);
        assert!(!ejection.is_out());
        assert_eq!(failed(&ejection, 1, now), Some(Change::Out));
        assert_eq!((ejection.is_out(), ejection.until()), (true, Some(now + SETTINGS.base)));
    }

    #[test]
    fn it_stays_where_no_other_may_be_out() {
        let (ejection, now) = (Ejection::new(SETTINGS), Instant::now());
        for _ in 0..10 {
            assert_eq!(ejection.count(Health::Hard, now, || false), None);
        }
        assert!(!ejection.is_out());
    }

    #[test]
    fn one_call_tries_it_when_the_time_is_over() {
        let (ejection, now) = (Ejection::new(SETTINGS), Instant::now());
        failed(&ejection, 3, now);
        assert!(!ejection.try_again(now + Duration::from_secs(29)));
        let then = now + SETTINGS.base;
        assert!(ejection.try_again(then));
        assert!(!ejection.try_again(then), "a second call tried it");
        assert!(ejection.is_out());
        assert_eq!(ejection.settle_try(Health::Success, then), Some(Change::Back));
        assert!(!ejection.is_out());
    }

    #[test]
    fn a_try_that_fails_leaves_it_out_for_longer_up_to_the_most() {
        let (ejection, mut now) = (Ejection::new(SETTINGS), Instant::now());
        failed(&ejection, 3, now);
        for seconds in [60, 70, 70] {
            now = ejection.until().expect("it is out");
            assert!(ejection.try_again(now));
            assert_eq!(ejection.settle_try(Health::Hard, now), Some(Change::Out));
            assert_eq!(ejection.until(), Some(now + Duration::from_secs(seconds)));
        }
    }

    #[test]
    fn a_try_that_says_nothing_or_gets_lost_makes_room_for_another() {
        let (ejection, now) = (Ejection::new(SETTINGS), Instant::now());
        failed(&ejection, 3, now);
        let then = now + SETTINGS.base;
        assert!(ejection.try_again(then));
        assert_eq!(ejection.settle_try(Health::Neutral, then), Some(Change::Free));
        assert!(ejection.try_again(then));
        assert!(!ejection.try_again(then + PATIENCE / 2));
        assert!(ejection.try_again(then + PATIENCE));
    }

    #[test]
    fn a_quiet_time_is_forgiven() {
        let (ejection, now) = (Ejection::new(SETTINGS), Instant::now());
        failed(&ejection, 3, now);
        let then = now + SETTINGS.base;
        assert!(ejection.try_again(then));
        ejection.settle_try(Health::Success, then);
        let later = then + 2 * SETTINGS.base;
        failed(&ejection, 3, later);
        assert_eq!(ejection.until(), Some(later + SETTINGS.base));
    }

    #[test]
    fn a_straggler_says_nothing_of_an_address_that_is_out() {
        let (ejection, now) = (Ejection::new(SETTINGS), Instant::now());
        failed(&ejection, 3, now);
        ejection.count(Health::Success, now, || true);
        assert!(ejection.is_out());
        assert_eq!(failed(&ejection, 9, now), None);
        assert_eq!(ejection.until(), Some(now + SETTINGS.base));
    }

    proptest! {
        #[test]
        fn the_last_one_is_never_left_out(addresses in 0_usize..1_000, share in 0.01_f64..=1.0) {
            let limit = Settings { share, ..SETTINGS }.limit(addresses);
            prop_assert!(limit < addresses.max(1));
            prop_assert!(limit == addresses.saturating_sub(1).min(1) || limit as f64 <= share * addresses as f64);
        }
    }
}

//! The circuit breaker: stops asking a backend that fails, and tries it again after a while.
//!
//! Closed, it counts. After too many failures it opens: nothing is asked, and after a time that grows and varies a few
//! calls try the backend again (half open). Each state has a generation, and what began in an earlier one does not
//! count: a straggler of the time before can neither close nor open anything.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::base::attempt::{Health, Sample};

/// Into how many pieces the time is cut of which calls are counted.
const PIECES: u32 = 10;
/// How many tries must succeed before the breaker closes.
const SUCCESSES: u32 = 2;
/// By which share the time of an open breaker varies in both directions.
const JITTER: f64 = 0.2;

/// When a breaker opens, and for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The share of failures that is too much, from 0 to 1.
    pub failures: f64,
    /// How many calls there must be before a share counts.
    pub of: u32,
    /// Of which time calls are counted.
    pub within: Duration,
    /// How many failures in a row are too many.
    pub consecutive: u32,
    /// A share of slow calls that is too much.
    pub slow: Option<Slow>,
    /// How long it is open the first time.
    pub open: Duration,
    /// How long at most.
    pub max_open: Duration,
    /// How many calls may try at the same time.
    pub probes: u32,
    /// How long a try may go without a verdict before others may try.
    pub patience: Duration,
}

/// Which calls are slow, and how many of them are too many.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slow {
    /// A call that takes longer is slow.
    pub over: Duration,
    /// The share of slow calls that is too much, from 0 to 1.
    pub share: f64,
}

/// A breaker of one backend, shared by everything that asks it.
#[derive(Debug)]
pub struct Breaker {
    settings: Settings,
    inner: Mutex<Inner>,
}

/// What operators may decide instead of the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forced {
    /// Nothing is asked.
    Open,
    /// Everything is asked.
    Closed,
}

/// In which state a breaker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It asks and counts.
    Closed,
    /// It does not ask before then.
    Open(Instant),
    /// A few calls try.
    HalfOpen,
}

/// A breaker as operators see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// In which state it is.
    pub state: State,
    /// What operators decided.
    pub forced: Option<Forced>,
    /// How many calls it turned away.
    pub refused: u64,
    /// How often it opened.
    pub opened: u64,
}

#[derive(Debug)]
struct Inner {
    phase: Phase,
    /// Goes up with every change of phase.
    generation: u64,
    /// How often it opened lately; the time doubles with each.
    trips: u32,
    /// When it closed last.
    closed_at: Option<Instant>,
    forced: Option<Forced>,
    refused: u64,
    opened: u64,
}

#[derive(Debug)]
enum Phase {
    Closed { window: Window, consecutive: u32 },
    Open { until: Instant },
    HalfOpen { trying: u32, successes: u32, deadline: Instant },
}

/// Calls of the last while, in pieces.
#[derive(Debug, Default)]
struct Window {
    pieces: VecDeque<(Instant, Counts)>,
    sum: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    total: u32,
    failed: u32,
    slow: u32,
}

/// A call that may be made. Dropped without a verdict, it counts nowhere and makes room for another try.
#[derive(Debug)]
#[must_use]
pub struct Permit<'b> {
    breaker: &'b Breaker,
    generation: u64,
    is_try: bool,
}

/// A call that must not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// After which time another may be.
    pub retry_after: Duration,
}

impl Breaker {
    /// A breaker that is closed.
    pub fn new(settings: Settings) -> Self {
        let inner = Inner {
            phase: Phase::closed(),
            generation: 0,
            trips: 0,
            closed_at: None,
            forced: None,
            refused: 0,
            opened: 0,
        };
        Self { settings, inner: Mutex::new(inner) }
    }

    /// Asks whether a call may be made at `now`.
    ///
    /// # Errors
    /// It must not: the backend is left alone.
    pub fn admit(&self, now: Instant) -> Result<Permit<'_>, Refusal> {
        let mut inner = self.inner();
        if let Some(forced) = inner.forced {
            return match forced {
                Forced::Closed => Ok(Permit { breaker: self, generation: u64::MAX, is_try: false }),
                Forced::Open => Err(inner.refuse(self.settings.open)),
            };
        }
        if let Phase::Open { until } = inner.phase {
            if now < until {
                return Err(inner.refuse(until - now));
            }
            inner.become_half_open(now, &self.settings);
        }
        let generation = inner.generation;
        let is_try = match &mut inner.phase {
            Phase::HalfOpen { trying, deadline, .. } => {
                if *trying >= self.settings.probes {
                    if now < *deadline {
                        let wait = *deadline - now;
                        return Err(inner.refuse(wait));
                    }
                    // Whoever tries has said nothing for too long: another may.
                    inner.become_half_open(now, &self.settings);
                    return Ok(self.first_try(inner));
                }
                *trying += 1;
                true
            }
            _ => false,
        };
        Ok(Permit { breaker: self, generation, is_try })
    }

    fn first_try(&self, mut inner: MutexGuard<'_, Inner>) -> Permit<'_> {
        if let Phase::HalfOpen { trying, .. } = &mut inner.phase {
            *trying = 1;
        }
        Permit { breaker: self, generation: inner.generation, is_try: true }
    }

    /// Lets operators decide; `None` gives the decision back.
    pub fn force(&self, forced: Option<Forced>) {
        let mut inner = self.inner();
        inner.forced = forced;
        inner.generation += 1;
        inner.phase = Phase::closed();
    }

    /// How it stands.
    pub fn seen(&self) -> Seen {
        let inner = self.inner();
        let state = match inner.phase {
            Phase::Closed { .. } => State::Closed,
            Phase::Open { until } => State::Open(until),
            Phase::HalfOpen { .. } => State::HalfOpen,
        };
        Seen { state, forced: inner.forced, refused: inner.refused, opened: inner.opened }
    }

    /// What it goes by.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// Says how the call went. `jitter`, from 0 to 1, varies how long a breaker that opens now stays open.
    pub fn settle(mut self, sample: Sample, now: Instant, jitter: f64) {
        if sample.health == Health::Neutral {
            return;
        }
        // What it says stands; from here on there is no room to make.
        self.is_try = false;
        let settings = &self.breaker.settings;
        let mut inner = self.breaker.inner();
        if inner.generation != self.generation {
            return;
        }
        let is_failure = sample.health != Health::Success;
        let trips = match &mut inner.phase {
            Phase::Open { .. } => false,
            Phase::Closed { window, consecutive } => {
                *consecutive = match sample.health {
                    Health::Hard => *consecutive + 1,
                    Health::Success => 0,
                    Health::Soft | Health::Neutral => *consecutive,
                };
                let is_slow = settings.slow.is_some_and(|slow| sample.took > slow.over);
                let counted = Counts { total: 1, failed: is_failure.into(), slow: is_slow.into() };
                window.count(counted, now, settings.within);
                *consecutive >= settings.consecutive || window.sum.is_too_much(settings)
            }
            Phase::HalfOpen { trying, successes, .. } if !is_failure => {
                *trying = trying.saturating_sub(1);
                *successes += 1;
                if *successes >= SUCCESSES {
                    inner.generation += 1;
                    inner.phase = Phase::closed();
                    inner.closed_at = Some(now);
                }
                false
            }
            Phase::HalfOpen { .. } => true,
        };
        if trips {
            inner.trip(settings, (now, sample.pause), jitter);
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.is_try {
            return;
        }
        let mut inner = self.breaker.inner();
        if inner.generation == self.generation
            && let Phase::HalfOpen { trying, .. } = &mut inner.phase
        {
            *trying = trying.saturating_sub(1);
        }
    }
}

impl Inner {
    fn refuse(&mut self, retry_after: Duration) -> Refusal {
        self.refused += 1;
        Refusal { retry_after }
    }

    fn become_half_open(&mut self, now: Instant, settings: &Settings) {
        self.generation += 1;
        self.phase = Phase::HalfOpen { trying: 0, successes: 0, deadline: now + settings.patience };
    }

    /// Opens: twice as long as the time before, less by one doubling for each quiet while since.
    fn trip(&mut self, settings: &Settings, (now, pause): (Instant, Option<Duration>), jitter: f64) {
        if let Some(closed_at) = self.closed_at.take() {
            let quiet = (now - closed_at).as_nanos() / settings.within.as_nanos().max(1);
            self.trips = self.trips.saturating_sub(u32::try_from(quiet).unwrap_or(u32::MAX));
        }
        let doubled = settings.open.saturating_mul(1_u32.checked_shl(self.trips.min(20)).unwrap_or(u32::MAX));
        let varied = doubled.min(settings.max_open).mul_f64(1.0 - JITTER + 2.0 * JITTER * jitter);
        let open = varied.max(pause.unwrap_or_default().min(settings.max_open));
        self.trips += 1;
        self.opened += 1;
        self.generation += 1;
        self.phase = Phase::Open { until: now + open };
    }
}

impl Phase {
    fn closed() -> Self {
        Self::Closed { window: Window::default(), consecutive: 0 }
    }
}

impl Window {
    fn count(&mut self, counted: Counts, now: Instant, within: Duration) {
        while let Some((began, counts)) = self.pieces.front()
            && now.saturating_duration_since(*began) >= within
        {
            self.sum.remove(*counts);
            self.pieces.pop_front();
        }
        match self.pieces.back_mut() {
            Some((began, counts)) if now.saturating_duration_since(*began) < within / PIECES => counts.add(counted),
            _ => self.pieces.push_back((now, counted)),
        }
        self.sum.add(counted);
    }
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.total += other.total;
        self.failed += other.failed;
        self.slow += other.slow;
    }

    fn remove(&mut self, other: Self) {
        self.total -= other.total;
        self.failed -= other.failed;
        self.slow -= other.slow;
    }

    fn is_too_much(self, settings: &Settings) -> bool {
        let share = |part: u32| f64::from(part) / f64::from(self.total);
        self.total >= settings.of.max(1)
            && (share(self.failed) >= settings.failures
                || settings.slow.is_some_and(|slow| share(self.slow) >= slow.share))
    }
}

#[cfg(test)]
mod tests;

//! The bulkhead: how many calls to a backend may be under way, so that a slow one takes no more than its share.
//!
//! How many is written, or found out from how calls end (`adaptive`). A limit that falls below what is under way ends no
//! call: the next that end leave no room behind.

mod adaptive;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::base::attempt::Sample;
use adaptive::{Adaptive, Over};

pub use adaptive::Bounds;

/// How many calls may be under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Calls at the same time.
    pub limit: Limit,
    /// How long a call may wait for another to end.
    pub wait: Duration,
}

/// Calls at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// So many.
    Fixed(u32),
    /// As many as the backend is found to bear.
    Adaptive(Bounds),
}

/// The bulkhead of one backend, shared by everything that asks it.
#[derive(Debug)]
pub struct Bulkhead {
    wait: Duration,
    room: Arc<Room>,
    refused: AtomicU64,
}

/// A call under way; until its reply was read or dropped.
#[derive(Debug)]
#[must_use]
pub struct Permit(Arc<Room>);

/// There is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// A bulkhead as operators see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// How many calls may be under way.
    pub limit: u32,
    /// How many are.
    pub under_way: u32,
    /// How many found no room.
    pub refused: u64,
}

/// The room for calls. What is free, and what is under way beyond [`Room::excess`], make the limit.
#[derive(Debug)]
struct Room {
    free: Semaphore,
    /// How many calls that end leave no room behind, because the limit fell while they were under way.
    excess: AtomicUsize,
    limit: Kept,
}

/// The limit that is kept.
#[derive(Debug)]
enum Kept {
    Fixed(u32),
    Adaptive(Mutex<Adaptive>),
}

impl Bulkhead {
    /// A bulkhead with nothing under way.
    pub fn new(Settings { limit, wait }: Settings) -> Self {
        let limit = match limit {
            Limit::Fixed(limit) => Kept::Fixed(limit),
            Limit::Adaptive(bounds) => Kept::Adaptive(Mutex::new(Adaptive::new(bounds))),
        };
        let free = Semaphore::new(limit.now() as usize);
        Self { wait, room: Arc::new(Room { free, excess: AtomicUsize::new(0), limit }), refused: AtomicU64::new(0) }
    }

    /// Takes room for a call, waiting for it no longer than the settings and `deadline` allow.
    ///
    /// # Errors
    /// There is none.
    pub async fn enter(&self, deadline: Instant) -> Result<Permit, Full> {
        let free = &self.room.free;
        if let Ok(taken) = free.try_acquire() {
            taken.forget();
            return Ok(Permit(self.room.clone()));
        }
        if !self.wait.is_zero() {
            let until = deadline.min(Instant::now() + self.wait);
            if let Ok(Ok(taken)) = tokio::time::timeout_at(until, free.acquire()).await {
                taken.forget();
                return Ok(Permit(self.room.clone()));
            }
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        Err(Full)
    }

    /// How it stands.
    pub fn seen(&self) -> Seen {
        let limit = self.room.limit.now();
        Seen { limit, under_way: self.room.under_way(limit), refused: self.refused.load(Ordering::Relaxed) }
    }
}

impl Permit {
    /// Takes note of how the call went, which is still under way: its reply may not have been read to the end.
    pub fn note(&self, sample: Sample, now: Instant) {
        self.0.note(sample, now);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Room {
    fn under_way(&self, limit: u32) -> u32 {
        let all = limit as usize + self.excess.load(Ordering::Relaxed);
        u32::try_from(all.saturating_sub(self.free.available_permits())).unwrap_or(u32::MAX)
    }

    fn note(&self, sample: Sample, now: Instant) {
        let Kept::Adaptive(adaptive) = &self.limit else { return };
        let mut adaptive = adaptive.lock().unwrap_or_else(PoisonError::into_inner);
        let before = adaptive.limit();
        let began = now.checked_sub(sample.took).unwrap_or(now);
        adaptive.note(Over { load: sample.load, under_way: self.under_way(before), began }, now);
        // Within the lock, so that two changes cannot come in the wrong order.
        match (before as usize, adaptive.limit() as usize) {
            (before, after) if after > before => (before..after).for_each(|_| self.leave()),
            (before, after) => self.shrink(before - after),
        }
    }

    /// One place more: to be taken, unless there are too many calls under way.
    fn leave(&self) {
        let fewer = |excess: usize| excess.checked_sub(1);
        if self.excess.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer).is_err() {
            self.free.add_permits(1);
        }
    }

    /// So many places less: of those that are free, and then of those that will be.
    fn shrink(&self, places: usize) {
        let gone = self.free.forget_permits(places);
        self.excess.fetch_add(places - gone, Ordering::Relaxed);
    }
}

impl Kept {
    fn now(&self) -> u32 {
        match self {
            Self::Fixed(limit) => *limit,
            Self::Adaptive(adaptive) => adaptive.lock().unwrap_or_else(PoisonError::into_inner).limit(),
        }
    }
}

//! The bulkhead: how many calls to a backend may be under way, so that a slow one takes no more than its share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// How many calls may be under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Calls at the same time.
    pub limit: u32,
    /// How long a call may wait for another to end.
    pub wait: Duration,
}

/// The bulkhead of one backend, shared by everything that asks it.
#[derive(Debug)]
pub struct Bulkhead {
    settings: Settings,
    room: Arc<Semaphore>,
    refused: AtomicU64,
}

/// A call under way; until its reply was read or dropped.
#[derive(Debug)]
#[must_use]
pub struct Permit(#[expect(dead_code, reason = "it is held, and given back when it is dropped")] OwnedSemaphorePermit);

/// There is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Bulkhead {
    /// A bulkhead with nothing under way.
    pub fn new(settings: Settings) -> Self {
        let room = Arc::new(Semaphore::new(settings.limit as usize));
        Self { settings, room, refused: AtomicU64::new(0) }
    }

    /// Takes room for a call, waiting for it no longer than the settings and `deadline` allow.
    ///
    /// # Errors
    /// There is none.
    pub async fn enter(&self, deadline: Instant) -> Result<Permit, Full> {
        if let Ok(permit) = self.room.clone().try_acquire_owned() {
            return Ok(Permit(permit));
        }
        if !self.settings.wait.is_zero() {
            let until = deadline.min(Instant::now() + self.settings.wait);
            if let Ok(Ok(permit)) = tokio::time::timeout_at(until, self.room.clone().acquire_owned()).await {
                return Ok(Permit(permit));
            }
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        Err(Full)
    }

    /// How many calls are under way.
    pub fn under_way(&self) -> usize {
        (self.settings.limit as usize).saturating_sub(self.room.available_permits())
    }

    /// How many calls found no room.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// What it goes by.
    pub fn settings(&self) -> Settings {
        self.settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulkhead(limit: u32, wait: Duration) -> Bulkhead {
        Bulkhead::new(Settings { limit, wait })
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(1)
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_the_limit_calls_fail_at_once() {
        let bulkhead = bulkhead(2, Duration::ZERO);
        let first = bulkhead.enter(soon()).await;
        let _second = bulkhead.enter(soon()).await;
        let began = Instant::now();
        assert!(bulkhead.enter(soon()).await.is_err());
        assert_eq!((began.elapsed(), bulkhead.under_way(), bulkhead.refused()), (Duration::ZERO, 2, 1));
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
}

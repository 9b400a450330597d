//! Coalescing: equal calls that are under way at the same time are one.
//!
//! A flight belongs to nobody who waits for it. Whoever asks first gets a [`Pilot`], to be flown in a task of its own;
//! everybody, the first included, gets a [`Seat`]. A seat may be left at any time; when all are, the flight is given up,
//! unless it lasts. A flight that breaks off leaves its seats empty-handed, and who sits there asks again.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::Future;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Locks that the flights are spread over, so that workers seldom meet.
const SHARDS: usize = 16;

/// The flights under way, by what they fetch.
#[derive(Debug)]
pub struct Flights<K, T> {
    shards: [Mutex<HashMap<K, Flight<T>>>; SHARDS],
    hasher: RandomState,
    joined: AtomicU64,
}

/// What a flight will bring, once it is there.
type Flight<T> = Arc<watch::Sender<Option<T>>>;

/// What becomes of a flight that everybody has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forsaken {
    /// It is given up.
    Ends,
    /// It goes on: what it brings is kept.
    Lasts,
}

/// The right, and the duty, to fetch.
#[derive(Debug)]
#[must_use]
pub struct Pilot<K: Eq + Hash, T> {
    flights: Arc<Flights<K, T>>,
    key: K,
    flight: Flight<T>,
}

/// A place of one who waits.
#[derive(Debug)]
#[must_use]
pub struct Seat<T>(watch::Receiver<Option<T>>);

impl<K: Clone + Eq + Hash, T: Clone> Flights<K, T> {
    /// No flight yet.
    pub fn new() -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        Self { shards, hasher: RandomState::new(), joined: AtomicU64::new(0) }
    }

    /// A seat in the flight for `key`; and, for the first who asks, what flies it.
    pub fn board(self: &Arc<Self>, key: &K) -> (Option<Pilot<K, T>>, Seat<T>) {
        match self.shard(key).entry(key.clone()) {
            Entry::Occupied(known) => {
                self.joined.fetch_add(1, Ordering::Relaxed);
                (None, Seat(known.get().subscribe()))
            }
            Entry::Vacant(free) => {
                let (sender, receiver) = watch::channel(None);
                let flight = Arc::new(sender);
                free.insert(flight.clone());
                (Some(Pilot { flights: self.clone(), key: key.clone(), flight }), Seat(receiver))
            }
        }
    }

    /// How many joined a flight that was under way.
    pub fn joined(&self) -> u64 {
        self.joined.load(Ordering::Relaxed)
    }
}

impl<K: Eq + Hash, T> Flights<K, T> {
    fn shard(&self, key: &K) -> MutexGuard<'_, HashMap<K, Flight<T>>> {
        let shard = self.hasher.hash_one(key) as usize % SHARDS;
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are under way.
    pub fn under_way(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }
}

impl<K: Clone + Eq + Hash, T: Clone> Default for Flights<K, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Eq + Hash, T> Pilot<K, T> {
    /// Fetches, and hands what comes of it to everybody who waits.
    pub async fn fly(self, fetch: impl Future<Output = T>, forsaken: Forsaken) {
        let mut fetch = pin!(fetch);
        loop {
            tokio::select! {
                biased;
                outcome = &mut fetch => {
                    self.flight.send_replace(Some(outcome));
                    return;
                }
                () = self.flight.closed(), if forsaken == Forsaken::Ends => {
                    if self.is_empty() {
                        return;
                    }
                }
            }
        }
    }

    /// Whether nobody waits, and nobody can come any more: the flight is taken off under the lock that seats are given under.
    fn is_empty(&self) -> bool {
        let mut shard = self.flights.shard(&self.key);
        let empty = self.flight.receiver_count() == 0;
        if empty {
            shard.remove(&self.key);
        }
        empty
    }
}

/// Over, whether it landed or broke off: the next who asks begins another.
impl<K: Eq + Hash, T> Drop for Pilot<K, T> {
    fn drop(&mut self) {
        let mut shard = self.flights.shard(&self.key);
        if shard.get(&self.key).is_some_and(|known| Arc::ptr_eq(known, &self.flight)) {
            shard.remove(&self.key);
        }
    }
}

impl<T: Clone> Seat<T> {
    /// Waits for what the flight brings; `None` when it broke off.
    pub async fn wait(mut self) -> Option<T> {
        let found = self.0.wait_for(Option::is_some).await.ok()?;
        found.clone()
    }
}

#[cfg(test)]
mod tests;

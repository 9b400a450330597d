//! Room for bodies: how many bytes of requests and replies the process holds at once, all together.
//!
//! Every body that is read whole has some for nothing. What it has beyond that is taken as it comes and given back when
//! nothing of it is held any more. Where no room is left a body waits a little, and is refused then.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::failure::{Cause, Failure};

/// Bytes of each body that are not counted: most bodies have no more, and how many there are is bounded elsewhere.
const FREE: u64 = 16 << 10;

/// How long one body waits for room, all its waits together.
const PATIENCE: Duration = Duration::from_millis(100);

/// The room that all bodies of a process share.
#[derive(Debug)]
pub struct Room {
    limit: AtomicU64,
    taken: AtomicU64,
    /// Bodies that found none.
    refused: AtomicU64,
    /// Told whenever some is given back.
    freed: Notify,
}

/// What one body has taken of the room. Dropped, it gives that back.
#[derive(Debug)]
#[must_use]
pub struct Taken {
    /// Where from, once anything is taken.
    room: Option<Arc<Room>>,
    bytes: u64,
    /// How long it may still wait.
    patience: Duration,
}

/// There is no room for a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Room without a limit, until there is one.
impl Default for Room {
    fn default() -> Self {
        let (taken, refused, freed) = Default::default();
        Self { limit: AtomicU64::new(u64::MAX), taken, refused, freed }
    }
}

impl Room {
    /// Lets bodies take so many bytes from now on. What they have, they keep.
    pub fn limit_to(&self, bytes: u64) {
        self.limit.store(bytes, Ordering::Relaxed);
    }

    /// How many bytes bodies may take; the largest number where there is no limit.
    pub fn limit(&self) -> u64 {
        self.limit.load(Ordering::Relaxed)
    }

    /// How many they have.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// How many bodies found none since the process began.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn try_take(&self, bytes: u64) -> bool {
        let limit = self.limit();
        let more = |taken: u64| taken.checked_add(bytes).filter(|taken| *taken <= limit);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Takes room as soon as there is some.
    async fn take(&self, bytes: u64) {
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            // What is given back from here on is heard of.
            freed.as_mut().enable();
            if self.try_take(bytes) {
                return;
            }
            freed.await;
        }
    }

    fn give_back(&self, bytes: u64) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
        self.freed.notify_waiters();
    }
}

/// Nothing yet.
impl Default for Taken {
    fn default() -> Self {
        Self { room: None, bytes: 0, patience: PATIENCE }
    }
}

impl Taken {
    /// Takes what is missing for a body that has grown to `size` bytes.
    ///
    /// # Errors
    /// There is no room, and has been none for as long as a body waits.
    pub async fn reach(&mut self, room: &Arc<Room>, size: usize) -> Result<(), Full> {
        let missing = (size as u64).saturating_sub(FREE).saturating_sub(self.bytes);
        if missing == 0 {
            return Ok(());
        }
        if !room.try_take(missing) {
            // Boxed, or every body would have room for waiting.
            Box::pin(self.wait(room, missing)).await?;
        }
        self.room.get_or_insert_with(|| room.clone());
        self.bytes += missing;
        Ok(())
    }

    async fn wait(&mut self, room: &Room, bytes: u64) -> Result<(), Full> {
        let since = Instant::now();
        let waited = timeout(self.patience, room.take(bytes)).await;
        self.patience = self.patience.saturating_sub(since.elapsed());
        waited.map_err(|_| {
            room.refused.fetch_add(1, Ordering::Relaxed);
            Full
        })
    }

    /// Bytes that keep what was taken for them for as long as any of them is held.
    pub fn around(self, bytes: Bytes) -> Bytes {
        if self.bytes == 0 { bytes } else { Bytes::from_owner(Counted { bytes, _taken: self }) }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some(room) = &self.room {
            room.give_back(self.bytes);
        }
    }
}

/// Bytes with the room that they take.
struct Counted {
    bytes: Bytes,
    _taken: Taken,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// What a client hears whose request needs more room than there is.
impl From<Full> for Failure {
    fn from(Full: Full) -> Self {
        let failure = Self::new(Cause::Overloaded, "bodies have all the room that they may take");
        Self { retry_after: Some(Duration::from_secs(1)), ..failure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: usize = super::FREE as usize;

    fn of_limit(limit: u64) -> Arc<Room> {
        let room = Arc::<Room>::default();
        room.limit_to(limit);
        room
    }

    #[tokio::test(start_paused = true)]
    async fn small_bodies_take_nothing_and_large_ones_what_they_have_beyond() {
        let room = of_limit(100);
        let (mut small, mut large) = (Taken::default(), Taken::default());
        assert_eq!(small.reach(&room, FREE).await, Ok(()));
        for (size, taken) in [(FREE + 10, 10), (FREE + 5, 10), (FREE + 70, 70), (FREE + 100, 100)] {
            assert_eq!((large.reach(&room, size).await, room.taken()), (Ok(()), taken));
        }
        drop(large);
        assert_eq!((room.taken(), room.refused()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_waits_a_tenth_of_a_second_in_all() {
        let room = of_limit(100);
        let mut first = Taken::default();
        assert_eq!(first.reach(&room, FREE + 60).await, Ok(()));
        let (mut second, begun) = (Taken::default(), Instant::now());
        let gives_back = async {
            tokio::time::sleep(Duration::from_millis(70)).await;
            drop(first);
        };
        let (waited, ()) = tokio::join!(second.reach(&room, FREE + 50), gives_back);
        assert_eq!((waited, begun.elapsed()), (Ok(()), Duration::from_millis(70)));
        // What is left of its patience is not a tenth of a second any more.
        assert_eq!(second.reach(&room, FREE + 101).await, Err(Full));
        assert_eq!((begun.elapsed(), room.taken(), room.refused()), (Duration::from_millis(100), 50, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_hold_their_room_as_long_as_a_part_of_them_is_held() {
        let room = of_limit(u64::MAX);
        let mut taken = Taken::default();
        assert_eq!(taken.reach(&room, FREE + 3).await, Ok(()));
        let part = taken.around(Bytes::from(vec![7; FREE + 3])).slice(1..3);
        assert_eq!((&part[..], room.taken()), (&[7, 7][..], 3));
        drop(part);
        assert_eq!(room.taken(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_given_up_while_it_waits_takes_nothing() {
        let room = of_limit(10);
        let mut taken = Taken::default();
        assert!(timeout(Duration::from_millis(20), taken.reach(&room, FREE + 11)).await.is_err());
        drop(taken);
        assert_eq!((room.taken(), room.refused()), (0, 0));
    }

    proptest::proptest! {
        #[test]
        fn what_is_taken_is_given_back(sizes in proptest::collection::vec(0..100_000_usize, 0..50), limit in 0..200_000_u64) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
            runtime.expect("a runtime").block_on(async {
                let room = of_limit(limit);
                let mut held = Vec::new();
                for size in sizes {
                    let mut taken = Taken::default();
                    if taken.reach(&room, size).await.is_ok() {
                        held.push(taken);
                    }
                    proptest::prop_assert!(room.taken() <= limit);
                }
                drop(held);
                proptest::prop_assert_eq!(room.taken(), 0);
                Ok(())
            })?;
        }
    }
}

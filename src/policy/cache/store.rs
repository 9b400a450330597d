//! Where kept replies are: one store for the gateway, bounded in bytes.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant as StdInstant};

use bytes::Bytes;
use moka::Expiry;
use moka::sync::Cache;
use tokio::time::Instant;

use super::purge::Purges;
use super::{Purge, State, Times, Turn};
use crate::base::call::Reply;

/// Bytes that an entry takes beside its reply, its key and its tags.
const OVERHEAD: usize = 256;

/// Everything that a call depends on, compared in full. It may hold credentials, and is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Bytes);

/// A reply as it is kept, whoever keeps it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The reply.
    pub reply: Reply,
    /// When it is good for what.
    pub times: Times,
    /// The name of the backend that said it.
    pub backend: Box<str>,
    /// Names by which it can be thrown away.
    pub tags: Box<[Box<str>]>,
    /// Where its fetch began among the purges.
    pub turn: Turn,
}

/// A kept reply, with what became of it since.
#[derive(Debug)]
pub struct Entry {
    kept: Kept,
    /// Until when nothing is asked again, in milliseconds since the reply came; the last answer failed.
    paused: AtomicU64,
    size: u32,
}

/// The kept replies.
#[derive(Debug)]
pub struct Store {
    entries: Cache<Key, Arc<Entry>>,
    capacity: u64,
    purges: Arc<Purges>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// What operators see of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Kept replies.
    pub entries: u64,
    /// Bytes that they take.
    pub bytes: u64,
    /// Bytes that they may take.
    pub capacity: u64,
    /// Calls that were answered from it.
    pub hits: u64,
    /// Calls that were not.
    pub misses: u64,
}

/// Entries leave when they are good for nothing.
#[derive(Debug)]
struct Lifetime;

impl Store {
    /// An empty store for so many bytes.
    pub fn new(capacity: u64) -> Self {
        Self::with(capacity, Arc::default())
    }

    /// An empty store of another size, which knows what was thrown away before.
    #[must_use]
    pub fn resized(&self, capacity: u64) -> Self {
        Self::with(capacity, self.purges.clone())
    }

    fn with(capacity: u64, purges: Arc<Purges>) -> Self {
        let weigh =
            |key: &Key, entry: &Arc<Entry>| entry.size.saturating_add(u32::try_from(key.0.len()).unwrap_or(u32::MAX));
        let entries = Cache::builder().max_capacity(capacity).weigher(weigh).expire_after(Lifetime).build();
        Self { entries, capacity, purges, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// The reply under a key, and what it is good for at a time; `chance` as for [`Times::state`].
    pub fn find(&self, key: &[u8], now: Instant, chance: f64) -> Option<(Arc<Entry>, State)> {
        let entry = self.entries.get(key)?;
        if self.took(&entry.kept) {
            self.entries.remove(key);
            return None;
        }
        let times = &entry.kept.times;
        match times.state(now, chance) {
            State::Gone => None,
            State::Renewed if entry.is_paused(now) && now < times.fresh => Some((entry, State::Fresh)),
            state => Some((entry, state)),
        }
    }

    /// Keeps a reply in place of the one before.
    pub fn keep(&self, key: Key, kept: Kept) -> Arc<Entry> {
        self.purges.note(kept.times.left(kept.times.created));
        let size = kept.size();
        let entry = Arc::new(Entry { kept, paused: AtomicU64::new(0), size });
        self.entries.insert(key, entry.clone());
        entry
    }

    /// Whether a reply was thrown away.
    pub fn took(&self, kept: &Kept) -> bool {
        self.purges.took(kept.turn, (&kept.backend, &kept.tags))
    }

    /// Forgets what was kept under a key: its backend says something else now, which is not kept.
    pub fn forget(&self, key: &Key) {
        self.entries.remove(key.as_ref());
    }

    /// Where a fetch that begins now stands among the purges.
    pub fn turn(&self) -> Turn {
        self.purges.turn()
    }

    /// Throws kept replies away, and those that are under way now; gives the point behind that.
    pub fn purge(&self, purge: Purge<'_>, now: Instant) -> Turn {
        let turn = self.purges.purge(purge, now);
        if purge == Purge::All {
            self.entries.invalidate_all();
        }
        turn
    }

    /// Frees the room of what was thrown away; says how many entries that were. It looks at every entry.
    pub fn sweep(&self) -> usize {
        let gone: Vec<_> =
            self.entries.iter().filter(|(_, entry)| self.took(&entry.kept)).map(|(key, _)| key).collect();
        gone.iter().for_each(|key| self.entries.invalidate(key.as_ref().as_ref()));
        gone.len()
    }

    /// Counts a call that was answered from it.
    pub fn count_hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a call that was not.
    pub fn count_miss(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }

    /// How many bytes it may take.
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// What it holds. It looks through everything that came and left since it last did.
    pub fn seen(&self) -> Seen {
        self.entries.run_pending_tasks();
        Seen {
            entries: self.entries.entry_count(),
            bytes: self.entries.weighted_size(),
            capacity: self.capacity,
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
        }
    }
}

/// A store that keeps nothing.
impl Default for Store {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Entry {
    /// The reply.
    pub fn reply(&self) -> &Reply {
        &self.kept.reply
    }

    /// The bytes that it takes, about.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// The reply with its times and tags.
    pub fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Nothing is asked again for a while: the last answer failed.
    pub fn pause(&self, now: Instant) {
        let until = now.saturating_duration_since(self.kept.times.created) + super::PAUSE;
        self.paused.store(u64::try_from(until.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether nothing is asked again yet.
    pub fn is_paused(&self, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.kept.times.created).as_millis();
        since < u128::from(self.paused.load(Ordering::Relaxed))
    }
}

impl Kept {
    fn size(&self) -> u32 {
        let tags: usize = self.tags.iter().map(|tag| tag.len() + size_of::<Box<str>>()).sum();
        u32::try_from(OVERHEAD + tags + self.reply.size()).unwrap_or(u32::MAX)
    }
}

impl Expiry<Key, Arc<Entry>> for Lifetime {
    fn expire_after_create(&self, _: &Key, entry: &Arc<Entry>, _: StdInstant) -> Option<Duration> {
        Some(entry.kept.times.left(entry.kept.times.created))
    }

    fn expire_after_update(
        &self,
        key: &Key,
        entry: &Arc<Entry>,
        now: StdInstant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(key, entry, now)
    }
}

impl Key {
    /// A key of these bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

/// As its bytes, by which it is found.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0[..].hash(state);
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key of {} bytes", self.0.len())
    }
}

//! Where replies are kept: in memory, bounded in bytes; what was not asked for the longest goes first.

use std::sync::Arc;
use std::time::{Duration, Instant as StdInstant};

use http::{HeaderMap, HeaderName};
use moka::Expiry;
use moka::ops::compute::Op;
use moka::sync::Cache;
use tokio::time::Instant;

use super::stored::Stored;

/// Replies to different requests for one target that are kept at most.
const MOST_VARIANTS: usize = 16;
/// For how long it is remembered that a target changed, so that what was asked for before is not kept: longer than any
/// request takes.
const REMEMBERED: Duration = Duration::from_secs(600);

/// What a reply is kept under: all that tells targets apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The number of the backend.
    pub backend: u64,
    /// Path and query.
    pub target: Box<str>,
}

/// What is kept for one target.
#[derive(Clone, Debug, Default)]
struct Entry {
    variants: Vec<Arc<Stored>>,
    /// When a write last changed it: what was asked for before is not kept.
    changed: Option<Instant>,
}

/// What is kept for a request.
#[derive(Clone, Debug)]
pub enum Found {
    /// Nothing for its target.
    Nothing,
    /// Only what serves other requests for its target.
    Others,
    /// This.
    Stored(Arc<Stored>),
}

/// The kept replies.
#[derive(Debug)]
pub struct Store {
    entries: Cache<Key, Entry>,
    capacity: u64,
}

/// Entries leave when they are good for nothing.
#[derive(Debug)]
struct Lifetime;

impl Store {
    /// An empty store for so many bytes.
    pub fn new(capacity: u64) -> Self {
        let weigh = |key: &Key, entry: &Entry| {
            let bytes = entry.variants.iter().map(|stored| stored.size()).sum::<usize>();
            u32::try_from(bytes + key.target.len() + size_of::<Entry>()).unwrap_or(u32::MAX)
        };
        let entries = Cache::builder().max_capacity(capacity).weigher(weigh).expire_after(Lifetime).build();
        Self { entries, capacity }
    }

    /// How many bytes it may take.
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// What is kept under a key for a request with these fields, of which a composition writes the `declared`.
    pub fn find(&self, key: &Key, (asked, declared): (&HeaderMap, &[HeaderName])) -> Found {
        let Some(entry) = self.entries.get(key) else { return Found::Nothing };
        // The newest stands last.
        let mut variants = entry.variants.iter().rev();
        match variants.find(|variant| variant.selects(asked, declared)) {
            Some(stored) => Found::Stored(stored.clone()),
            None if entry.variants.is_empty() => Found::Nothing,
            None => Found::Others,
        }
    }

    /// Keeps a reply to a request that began at `asked`, in place of that which was selected by the same, unless the
    /// target was changed since.
    pub fn keep(&self, key: Key, stored: Stored, asked: Instant) {
        self.entries.entry(key).and_compute_with(|known| {
            let mut entry = known.map(moka::Entry::into_value).unwrap_or_default();
            if entry.changed.is_some_and(|changed| changed >= asked) {
                return Op::Nop;
            }
            entry.variants.retain(|variant| !variant.is_replaced_by(&stored));
            if entry.variants.len() >= MOST_VARIANTS {
                entry.variants.remove(0);
            }
            entry.variants.push(Arc::new(stored));
            Op::Put(entry)
        });
    }

    /// Forgets one reply: its backend says something else now, which is not kept.
    pub fn forget(&self, key: &Key, stored: &Arc<Stored>) {
        self.entries.entry_by_ref(key).and_compute_with(|known| {
            let Some(mut entry) = known.map(moka::Entry::into_value) else { return Op::Nop };
            entry.variants.retain(|variant| !Arc::ptr_eq(variant, stored));
            Op::Put(entry)
        });
    }

    /// Forgets everything under a key, and what is under way to it now.
    pub fn invalidate(&self, key: Key, now: Instant) {
        self.entries.insert(key, Entry { variants: Vec::new(), changed: Some(now) });
    }
}

/// A store that keeps nothing.
impl Default for Store {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Expiry<Key, Entry> for Lifetime {
    fn expire_after_create(&self, _: &Key, entry: &Entry, _: StdInstant) -> Option<Duration> {
        let longest = entry.variants.iter().map(|stored| stored.kept_for()).max();
        longest.into_iter().chain(entry.changed.map(|_| REMEMBERED)).max()
    }

    fn expire_after_update(&self, key: &Key, entry: &Entry, now: StdInstant, _: Option<Duration>) -> Option<Duration> {
        // An empty one that nobody changed is of no use.
        Some(self.expire_after_create(key, entry, now).unwrap_or_default())
    }
}

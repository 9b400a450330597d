//! What was thrown away: a kept reply is gone once one of its tags was purged after its fetch began.
//!
//! Nothing is searched for. A purge takes a turn of its own, and a reply knows the turn at which its fetch began: so one
//! that was under way during the purge is gone as well, although it is stored only later.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;

/// Purges that are remembered. Beyond them everything is thrown away.
const MOST: usize = 100_000;

/// What is thrown away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purge<'p> {
    /// Everything.
    All,
    /// What has this tag.
    Tag(&'p str),
    /// What this backend said, all its variants together.
    Backend(&'p str),
}

/// A point between two purges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn(u64);

impl Turn {
    /// The point before the purge that ended here.
    #[must_use]
    pub fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

/// The purges that some reply may still be older than.
#[derive(Debug, Default)]
pub(super) struct Purges {
    turn: AtomicU64,
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// What began before is gone.
    floor: Turn,
    tags: HashMap<Box<str>, (Turn, Instant)>,
    backends: HashMap<Box<str>, (Turn, Instant)>,
    /// The longest that any reply is kept.
    longest: Duration,
}

impl Purges {
    /// The turn at which a fetch begins now.
    pub(super) fn turn(&self) -> Turn {
        Turn(self.turn.load(Ordering::SeqCst))
    }

    /// Throws away what was fetched before; gives the point behind it.
    pub(super) fn purge(&self, purge: Purge<'_>, now: Instant) -> Turn {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let turn = Turn(self.turn.fetch_add(1, Ordering::SeqCst) + 1);
        match purge {
            Purge::All => known.raise(turn),
            Purge::Tag(tag) => {
                known.tags.insert(tag.into(), (turn, now));
            }
            Purge::Backend(backend) => {
                known.backends.insert(backend.into(), (turn, now));
            }
        }
        known.forget(turn, now);
        turn
    }

    /// Notes for how long a reply is kept.
    pub(super) fn note(&self, lifetime: Duration) {
        if self.known.read().unwrap_or_else(PoisonError::into_inner).longest < lifetime {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            known.longest = known.longest.max(lifetime);
        }
    }

    /// Whether a reply of a backend is gone whose fetch began at `turn`.
    pub(super) fn took(&self, turn: Turn, (backend, tags): (&str, &[Box<str>])) -> bool {
        if turn == self.turn() {
            return false;
        }
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let later = |found: Option<&(Turn, Instant)>| found.is_some_and(|(purged, _)| *purged > turn);
        known.floor > turn || later(known.backends.get(backend)) || tags.iter().any(|tag| later(known.tags.get(&**tag)))
    }
}

impl Known {
    fn raise(&mut self, turn: Turn) {
        self.floor = turn;
        self.tags.clear();
        self.backends.clear();
    }

    /// Forgets purges that no kept reply can be older than.
    fn forget(&mut self, turn: Turn, now: Instant) {
        if self.tags.len() <= MOST {
            return;
        }
        let longest = self.longest;
        self.tags.retain(|_, (_, at)| now.saturating_duration_since(*at) < longest);
        if self.tags.len() > MOST / 2 {
            self.raise(turn);
        }
    }
}

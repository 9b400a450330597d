//! What follows from the states of a backend's addresses together, for calls to read without a lock: whether too few are
//! available, and when one that is left out may be tried.
//!
//! The states change at any time and on any worker. Whoever changed one looks at all of them again, and all who do so do it
//! one after another: whoever looks last has seen every change.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// No time.
const NEVER: u64 = u64::MAX;

/// The outlook of one backend.
#[derive(Debug)]
pub struct Outlook {
    /// When a call may try an address that is left out, in milliseconds.
    next_try: AtomicU64,
    is_panicking: AtomicBool,
    /// Held by whoever looks, and by whoever leaves an address out, so that not too many are.
    looking: Mutex<()>,
}

/// What was seen of all addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Addresses.
    pub all: usize,
    /// Those that are available.
    pub open: usize,
    /// When a call may try one that is left out, in milliseconds; `None` where none is.
    pub next_try: Option<u64>,
}

impl Outlook {
    /// All addresses are available.
    pub fn new() -> Self {
        Self { next_try: AtomicU64::new(NEVER), is_panicking: AtomicBool::new(false), looking: Mutex::new(()) }
    }

    /// Whether so few addresses are available that all of them are asked: what is left would break down under the calls of
    /// the others.
    pub fn is_panicking(&self) -> bool {
        self.is_panicking.load(Ordering::Relaxed)
    }

    /// Whether a call at `now`, in milliseconds, may try an address.
    pub fn is_due(&self, now: u64) -> bool {
        self.next_try.load(Ordering::Relaxed) <= now
    }

    /// Looks at all addresses anew, after a change.
    pub fn renew(&self, look: impl FnOnce() -> Look) {
        let _alone = self.alone();
        let Look { all, open, next_try } = look();
        self.is_panicking.store(open * 2 < all, Ordering::Relaxed);
        self.next_try.store(next_try.unwrap_or(NEVER), Ordering::Relaxed);
    }

    /// Held while an address is left out for what all of them are.
    pub fn alone(&self) -> MutexGuard<'_, ()> {
        self.looking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Outlook {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{Look, Outlook};

    #[test]
    fn with_less_than_half_of_them_all_are_asked() {
        let outlook = Outlook::new();
        let panics = |all, open| {
            outlook.renew(|| Look { all, open, next_try: None });
            outlook.is_panicking()
        };
        assert_eq!(
            [(3, 3), (3, 2), (3, 1), (2, 1), (1, 0), (0, 0)].map(|(all, open)| panics(all, open)),
            [false, false, true, false, true, false]
        );
    }

    #[test]
    fn what_is_left_out_is_due_from_its_time_on() {
        let outlook = Outlook::new();
        assert!(!outlook.is_due(u64::MAX - 1));
        outlook.renew(|| Look { all: 2, open: 1, next_try: Some(30) });
        assert!(!outlook.is_due(29) && outlook.is_due(30));
        outlook.renew(|| Look { all: 2, open: 2, next_try: None });
        assert!(!outlook.is_due(30));
    }
}

//! At which address of a backend the calls of one client stay.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

/// The address of a backend that one request goes to: all of its calls, and if its client knows one from before, that.
/// Addresses are known by ids, which say nothing else.
#[derive(Debug)]
pub struct Anchor {
    /// What the client knows.
    known: Option<NonZeroU64>,
    /// What it has become; 0 for nothing.
    at: AtomicU64,
}

impl Anchor {
    /// Where the client says that it was.
    pub fn new(known: Option<NonZeroU64>) -> Self {
        Self { known, at: AtomicU64::new(known.map_or(0, NonZeroU64::get)) }
    }

    /// The address, if there is one yet.
    pub fn at(&self) -> Option<NonZeroU64> {
        NonZeroU64::new(self.at.load(Ordering::Relaxed))
    }

    /// Goes on at another address than `before`, unless another call of the request was quicker.
    pub fn moor(&self, before: Option<NonZeroU64>, at: NonZeroU64) {
        let before = before.map_or(0, NonZeroU64::get);
        // Who was quicker counts: further calls follow that.
        let _ = self.at.compare_exchange(before, at.get(), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The address that the client is to be told, because it knows none or another.
    pub fn moved(&self) -> Option<NonZeroU64> {
        self.at().filter(|at| self.known != Some(*at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_told_what_it_does_not_know() {
        let [one, two] = [1, 2].map(|id| NonZeroU64::new(id).expect("it is not 0"));
        let anchor = Anchor::new(None);
        assert_eq!((anchor.at(), anchor.moved()), (None, None));
        anchor.moor(None, one);
        anchor.moor(None, two);
        assert_eq!((anchor.at(), anchor.moved()), (Some(one), Some(one)));
        let anchor = Anchor::new(Some(one));
        assert_eq!((anchor.at(), anchor.moved()), (Some(one), None));
        anchor.moor(Some(one), two);
        assert_eq!(anchor.moved(), Some(two));
    }
}

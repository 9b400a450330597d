//! What is compiled when it is first asked for, and remembered: names are mentioned often, and what stands
//! behind them mentions names in turn.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;

/// Values by key, each made once.
#[derive(Debug)]
pub(super) struct Once<K, V>(RefCell<HashMap<K, Option<V>>>);

impl<K: Copy + Eq + Hash, V: Clone> Once<K, V> {
    /// The value of a key; `None` while it is being made, for then it needs itself.
    pub(super) fn of(&self, key: K, make: impl FnOnce() -> V) -> Option<V> {
        if let Some(known) = self.0.borrow().get(&key) {
            return known.clone();
        }
        self.0.borrow_mut().insert(key, None);
        let made = make();
        self.0.borrow_mut().insert(key, Some(made.clone()));
        Some(made)
    }
}

impl<K, V> Default for Once<K, V> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

#[cfg(test)]
mod tests {
    use super::Once;

    #[test]
    fn a_value_is_made_once_and_never_of_itself() {
        let once: Once<u8, u8> = Once::default();
        assert_eq!(once.of(1, || once.of(1, || 5).unwrap_or(7)), Some(7));
        assert_eq!(once.of(1, || 9), Some(7));
    }
}

//! Names found by their bytes, through a table made once.

/// What each name stands for. Looking one up costs a hash and, as a rule, one comparison.
#[derive(Debug)]
pub(super) struct Names<T> {
    entries: Box<[(Box<str>, T)]>,
    /// Positions in `entries`, open addressing; a power of two, at most half full.
    slots: Box<[u32]>,
}

const EMPTY: u32 = u32::MAX;

impl<T: Copy> Names<T> {
    /// Of equal names the first counts.
    pub(super) fn new(names: impl IntoIterator<Item = (Box<str>, T)>) -> Self {
        let mut distinct = std::collections::HashSet::new();
        let entries: Box<[_]> = names.into_iter().filter(|(name, _)| distinct.insert(name.clone())).collect();
        let mut slots = vec![EMPTY; (entries.len() * 2).next_power_of_two().max(2)];
        for (entry, (name, _)) in entries.iter().enumerate() {
            let mut slot = hash(name.as_bytes()) as usize & (slots.len() - 1);
            while slots[slot] != EMPTY {
                slot = (slot + 1) & (slots.len() - 1);
            }
            slots[slot] = entry as u32;
        }
        Self { entries, slots: slots.into() }
    }

    /// What `name` stands for.
    pub(super) fn find(&self, name: &[u8]) -> Option<T> {
        let mut slot = hash(name) as usize & (self.slots.len() - 1);
        loop {
            let (candidate, value) = self.entries.get(self.slots[slot] as usize)?;
            if candidate.as_bytes() == name {
                return Some(*value);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }

    /// All names, to suggest one from.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| &**name)
    }
}

/// A quick hash, good enough to tell names apart; never the only word on equality.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    /// An odd number with its bits well mixed: the fraction of the golden ratio.
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = bytes.len() as u64;
    let mut mix = |word: u64| {
        let product = (state ^ word).wrapping_mul(MIX);
        state = product ^ (product >> 32);
    };
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        mix(u64::from_le_bytes(*word));
    }
    mix(rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    state
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn every_name_is_found_and_no_other() {
        let name = |n: usize| format!("field_{n}").into_boxed_str();
        let names = Names::new((0..1_000).map(|n| (name(n), n)));
        assert!((0..1_000).all(|n| names.find(name(n).as_bytes()) == Some(n)));
        assert!((1_000..2_000).all(|n| names.find(name(n).as_bytes()).is_none()));
        assert_eq!(Names::<u32>::new([]).find(b""), None);
    }

    #[test]
    fn of_equal_names_the_first_counts() {
        let names = Names::new([("a".into(), 1), ("a".into(), 2)]);
        assert_eq!(names.find(b"a"), Some(1));
    }
}

//! Whether any two keys of a map may be equal, told without keeping the keys.

use super::names::hash;

/// Keys of most maps fit here and need no allocation.
const FEW: usize = 16;

/// Hashes of the keys of one map.
#[derive(Debug, Default)]
pub(super) struct KeyHashes {
    few: [u64; FEW],
    count: usize,
    many: Vec<u64>,
    repeated: bool,
}

impl KeyHashes {
    /// Takes note of a key.
    pub(super) fn add(&mut self, key: &[u8]) {
        let hash = hash(key);
        if self.count < FEW {
            self.repeated |= self.few[..self.count].contains(&hash);
            self.few[self.count] = hash;
            self.count += 1;
        } else {
            self.many.push(hash);
        }
    }

    /// `false` when all keys are different; `true` asks for a closer look.
    pub(super) fn may_repeat(mut self) -> bool {
        if !self.many.is_empty() {
            self.many.extend_from_slice(&self.few);
            self.many.sort_unstable();
            self.repeated |= self.many.windows(2).any(|pair| pair[0] == pair[1]);
        }
        self.repeated
    }
}

#[cfg(test)]
mod tests {
    use super::{FEW, KeyHashes};

    fn may_repeat(keys: impl IntoIterator<Item = usize>) -> bool {
        let mut hashes = KeyHashes::default();
        keys.into_iter().for_each(|key| hashes.add(&key.to_le_bytes()));
        hashes.may_repeat()
    }

    #[test]
    fn a_repeated_key_is_noticed_wherever_it_stands() {
        for count in [2, FEW, FEW + 1, FEW * 4] {
            assert!(!may_repeat(0..count));
            assert!(may_repeat((0..count).chain([0])));
            assert!(may_repeat((0..count).chain([count - 1])));
        }
    }
}

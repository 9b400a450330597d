//! Calls that agree in a value go to the same address, for as long as it is there.
//!
//! Rendezvous hashing: every address has a score for a key, and the highest counts. When an address leaves, only its own
//! keys move, each to the address that comes next; when one joins, it takes its share and nothing else moves. Shares
//! follow weights exactly, and no table has to be made anew. Source: Thaler and Ravishankar, "A Name-Based Mapping Scheme
//! for Rendezvous" (1996); weights as in Schindelhauer and Schomaker, "Weighted Distributed Hash Tables" (2005).

use std::num::NonZeroU64;

/// The position with the highest score for a key, of `(position, hash of its name, weight)`.
pub fn nearest(key: u64, members: impl Iterator<Item = (usize, u64, f64)>) -> Option<usize> {
    let scored = members.map(|(position, name, weight)| (score(key, name, weight), position));
    scored.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, position)| position)
}

/// Higher is nearer.
fn score(key: u64, name: u64, weight: f64) -> f64 {
    // Above 0 and below 1, so that the logarithm is a number below 0.
    let point = ((mixed(key ^ mixed(name)) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    weight / -point.ln()
}

/// What an address of the backend `of` is called before those who are to know nothing of it: the first bytes of a SHA-256.
/// It is the same in every process.
pub fn opaque_id(of: &str, address: &str) -> NonZeroU64 {
    let digest = ring::digest::digest(&ring::digest::SHA256, format!("{of}\n{address}").as_bytes());
    let id = digest.as_ref().iter().take(8).fold(0, |id, byte| id << 8 | u64::from(*byte));
    NonZeroU64::new(id).unwrap_or(NonZeroU64::MIN)
}

/// A hash of text that is the same in every process and version: FNV-1a, and a final mix that spreads it over all bits.
pub fn stable_hash(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    mixed(bytes.iter().fold(0xcbf2_9ce4_8422_2325, step))
}

/// The final mix of SplitMix64.
fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{nearest, opaque_id, stable_hash};

    fn name(position: usize) -> u64 {
        stable_hash(format!("10.0.0.{position}:8080").as_bytes())
    }

    fn of(key: u64, weights: &[f64], present: impl Fn(usize) -> bool) -> Option<usize> {
        let members = weights.iter().enumerate().filter(|(position, _)| present(*position));
        nearest(key, members.map(|(position, weight)| (position, name(position), *weight)))
    }

    #[test]
    fn a_hash_stays_what_it_was() {
        assert_eq!(stable_hash(b""), 0xf52a_15e9_a9b5_e89b);
        assert_eq!(
            of(stable_hash(b"customer-1"), &[1.0; 5], |_| true),
            of(stable_hash(b"customer-1"), &[1.0; 5], |_| true)
        );
        assert_eq!(of(1, &[], |_| true), None);
    }

    #[test]
    fn an_id_stays_what_it_was_and_tells_addresses_apart() {
        assert_eq!(opaque_id("catalog", "http://10.0.0.1:80"), opaque_id("catalog", "http://10.0.0.1:80"));
        assert_ne!(opaque_id("catalog", "http://10.0.0.1:80"), opaque_id("catalog", "http://10.0.0.2:80"));
        assert_ne!(opaque_id("catalog", "http://10.0.0.1:80"), opaque_id("reviews", "http://10.0.0.1:80"));
    }

    #[test]
    fn keys_fill_shares_by_weight() {
        let weights = [1.0, 2.0, 5.0];
        let mut counts = [0_u32; 3];
        for key in 0..16_000 {
            let key = stable_hash(format!("customer-{key}").as_bytes());
            counts[of(key, &weights, |_| true).expect("there are members")] += 1;
        }
        for (count, weight) in counts.iter().zip(weights) {
            assert!((f64::from(*count) / (2_000.0 * weight) - 1.0).abs() < 0.1, "{counts:?}");
        }
    }

    proptest! {
        #[test]
        fn only_the_keys_of_what_leaves_move(size in 2_usize..12, gone in 0_usize..12, first in 0_u64..1_000) {
            let (weights, gone) = (vec![1.0; size], gone % size);
            let mut moved = 0;
            for key in first..first + 400 {
                let key = stable_hash(&key.to_le_bytes());
                let before = of(key, &weights, |_| true);
                let after = of(key, &weights, |position| position != gone);
                if before == Some(gone) {
                    moved += 1;
                    prop_assert_ne!(after, Some(gone));
                } else {
                    prop_assert_eq!(after, before);
                }
            }
            let share = 400.0 / size as f64;
            prop_assert!((f64::from(moved) - share).abs() < 6.0 * share.sqrt(), "{} of {}", moved, share);
        }
    }
}

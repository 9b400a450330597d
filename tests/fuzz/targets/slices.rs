//! Bytes in pieces: how they came must make no difference.

/// Longest piece of bytes that are cut small.
const LONGEST: usize = 9;
/// More bytes than this are cut into longer pieces, so that a try stays short.
const MANY: usize = 400;

/// The bytes in pieces whose lengths depend on nothing but the bytes.
pub(super) fn slices(bytes: &[u8]) -> Vec<&[u8]> {
    let mut state = bytes.iter().fold(0x9e37_79b9_u32, |state, byte| next(state ^ u32::from(*byte)));
    let longest = if bytes.len() > MANY { bytes.len() / 20 } else { LONGEST };
    let (mut pieces, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        state = next(state);
        let length = 1 + state as usize % longest.min(rest.len());
        let (piece, behind) = rest.split_at(length);
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

/// Source: Marsaglia, "Xorshift RNGs".
fn next(mut state: u32) -> u32 {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    state
}

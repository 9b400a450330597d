//! Inputs made of others: bytes turned, parts cut out, doubled, put in from elsewhere, words and numbers exchanged.

use fastrand::Rng;

/// Makes inputs.
pub(super) struct Mutator<'a> {
    /// What they are made of.
    pub(super) inputs: &'a [&'a [u8]],
    /// Text that means something to what reads them.
    pub(super) words: &'a [&'a str],
}

/// Longest input that is made.
const LONGEST: usize = 16 << 10;
/// Most changes to one input.
const CHANGES: usize = 5;
/// Longest part that is cut out or doubled.
const PART: usize = 64;
/// Numbers at which something may turn over.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "7",
    "8",
    "9",
    "15",
    "16",
    "127",
    "128",
    "255",
    "256",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "0.1",
    "1e308",
    "1e-400",
    "00",
    "ffffffff",
    "ffffffffffffffff",
];

impl Mutator<'_> {
    /// The input of a number: the same one every time.
    pub(super) fn input(&self, number: u64) -> Vec<u8> {
        let mut random = Rng::with_seed(number);
        let mut input = self.other(&mut random).to_vec();
        for _ in 0..random.usize(1..=CHANGES) {
            self.change(&mut input, &mut random);
        }
        input.truncate(LONGEST);
        input
    }

    fn other(&self, random: &mut Rng) -> &[u8] {
        random.choice(self.inputs).copied().unwrap_or_default()
    }

    fn change(&self, input: &mut Vec<u8>, random: &mut Rng) {
        let part = part(input, random);
        let word = random.choice(self.words).copied().unwrap_or_default();
        match random.u8(0..14) {
            0 if !part.is_empty() => input[part.start] ^= 1 << random.u8(0..8),
            1 if !part.is_empty() => input[part.start] = random.u8(..),
            2 => input.insert(part.start, random.u8(..)),
            3 => drop(input.drain(part)),
            4 => {
                let doubled = input[part.clone()].to_vec();
                put(input, part.end..part.end, &doubled);
            }
            5 => {
                let doubled = input[part.clone()].repeat(random.usize(2..40));
                put(input, part, &doubled);
            }
            6 => input.truncate(part.end),
            7 => {
                let other = self.other(random);
                put(input, part.start..input.len(), &other[random.usize(..=other.len())..]);
            }
            8 => {
                let other = self.other(random);
                let taken = self::part(other, random);
                put(input, part, &other[taken]);
            }
            9 => self.line(input, random),
            10 => number(input, random),
            11 => put(input, part, word.as_bytes()),
            _ => put(input, part.start..part.start, word.as_bytes()),
        }
    }

    /// Puts a line of another input before one of this.
    fn line(&self, input: &mut Vec<u8>, random: &mut Rng) {
        let lines: Vec<&[u8]> = self.other(random).split_inclusive(|byte| *byte == b'\n').collect();
        let starts: Vec<usize> =
            (0..input.len()).filter(|at| *at == 0 || input[at - 1] == b'\n').chain([input.len()]).collect();
        if let (Some(line), Some(start)) = (random.choice(lines), random.choice(starts)) {
            put(input, start..start, line);
        }
    }
}

/// A short part that begins anywhere.
fn part(input: &[u8], random: &mut Rng) -> std::ops::Range<usize> {
    let start = random.usize(..=input.len());
    let longest = PART.min(input.len() - start);
    start..start + random.usize(..=longest).min(random.usize(..=longest))
}

fn put(input: &mut Vec<u8>, part: std::ops::Range<usize>, bytes: &[u8]) {
    input.splice(part, bytes.iter().copied());
}

/// Exchanges a number for another.
fn number(input: &mut Vec<u8>, random: &mut Rng) {
    let is_digit = |at: usize| input.get(at).is_some_and(u8::is_ascii_digit);
    let starts = (0..input.len()).filter(|at| is_digit(*at) && (*at == 0 || !is_digit(at - 1)));
    let Some(start) = random.choice(starts.collect::<Vec<_>>()) else { return };
    let end = (start..).find(|at| !is_digit(*at)).unwrap_or(start);
    let other = random.choice(NUMBERS).copied().unwrap_or_default();
    put(input, start..end, other.as_bytes());
}

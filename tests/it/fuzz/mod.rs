//! The targets of the fuzzer on stable Rust: the kept corpus, and a fixed number of inputs that are made of it.
//!
//! `CASES=100000` makes so many of the slowest target's and more of the others'; `SEED=7` makes others. An input that
//! breaks a promise is written below `target/fuzz/`; once it is mended, it belongs in the corpus. `tests/fuzz/README.md`
//! has the rest.

mod mutate;
mod watch;

#[path = "../../fuzz/targets/lib.rs"]
#[allow(unreachable_pub, reason = "the crate of the fuzzer takes them from there")]
mod targets;

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use libtest_mimic::Trial;

use crate::claim::{Outcome as _, claims, repository};
use mutate::Mutator;
use targets::Target;
use watch::Watch;

/// Inputs of the slowest target that are made unless `CASES` says otherwise.
const CASES: u32 = 60;
/// Makes the same inputs every time unless `SEED` says otherwise.
const SEED: u64 = 20_261_120;

claims![a_broken_promise_is_found_and_its_input_is_kept];

/// A trial for each target.
pub(crate) fn played() -> Vec<Trial> {
    let trial = |target: &'static Target| Trial::test(format!("fuzz::{}", target.name), || play(target).outcome());
    targets::ALL.iter().map(trial).collect()
}

/// Plays the corpus, then what is made of it.
#[expect(clippy::print_stdout, reason = "whoever reads the tests' output can play the same again")]
fn play(target: &Target) -> Result<(), String> {
    let corpus = corpus(target.name)?;
    let watch = Watch::begin(target.name);
    for (path, input) in &corpus {
        attempt(target, input, &watch).map_err(|()| format!("{} breaks it: {}", path.display(), target.promise))?;
    }
    let (seed, cases) = (asked("SEED", SEED), asked("CASES", CASES).saturating_mul(target.pace));
    println!("fuzz::{}: {} files, then {cases} inputs of SEED={seed}", target.name, corpus.len());
    let inputs: Vec<&[u8]> = corpus.iter().map(|(_, input)| input.as_slice()).collect();
    let mutator = Mutator { inputs: &inputs, words: target.words };
    for number in 0..u64::from(cases) {
        let input = mutator.input(seed.wrapping_add(number));
        attempt(target, &input, &watch).map_err(|()| {
            let kept = watch.keep(&input);
            format!("input {number} of SEED={seed}, {}, breaks it: {}", kept.display(), target.promise)
        })?;
    }
    Ok(())
}

/// Whether the target keeps its promise; what it said otherwise was printed.
fn attempt(target: &Target, input: &[u8], watch: &Watch) -> Result<(), ()> {
    watch.is_at(input);
    catch_unwind(|| (target.run)(input)).map_err(drop)
}

/// The files of a target's corpus, by name.
fn corpus(name: &str) -> Result<Vec<(PathBuf, Vec<u8>)>, String> {
    let folder = repository("tests/fuzz/corpus").join(name);
    let named = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let entries = fs::read_dir(&folder).map_err(|error| named(&folder, error))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    let read = |path: PathBuf| fs::read(&path).map_err(|error| named(&path, error)).map(|input| (path, input));
    paths.into_iter().map(read).collect()
}

fn asked<T: std::str::FromStr>(name: &str, usual: T) -> T {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(usual)
}

/// The driver, driven: of ten thousand inputs one must have a `!` before a `?`.
fn a_broken_promise_is_found_and_its_input_is_kept() {
    let picky = |input: &[u8]| {
        let at = |wanted: u8| input.iter().position(|byte| *byte == wanted);
        if at(b'!').is_some_and(|first| at(b'?').is_some_and(|last| first < last)) {
            // As a panic is, but without its words.
            std::panic::resume_unwind(Box::new(()));
        }
    };
    let target = Target { name: "picky", promise: "no ! stands before a ?", run: picky, words: &["!", "?"], pace: 1 };
    let watch = Watch::begin(target.name);
    let mutator = Mutator { inputs: &[b"abc"], words: target.words };
    let inputs = (0..10_000).map(|number| mutator.input(number));
    let broken = inputs.filter(|input| attempt(&target, input, &watch).is_err()).min_by_key(Vec::len);
    let broken = broken.expect("one of them breaks the promise");
    assert_eq!(fs::read(watch.keep(&broken)).expect("it was kept"), broken);
}

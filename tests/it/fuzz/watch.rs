//! What ends a target that does not end, or that takes all memory, and keeps the input that made it so.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::claim::repository;

/// Longer than any input may take, also on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);
/// Memory that the whole test may have, in KiB.
const MEMORY: u64 = 3 << 20;

/// Looks at what a target does, from a thread of its own.
pub(super) struct Watch {
    seen: Arc<Seen>,
}

struct Seen {
    target: &'static str,
    is_over: AtomicBool,
    /// The present input, and since when.
    input: Mutex<(Vec<u8>, Instant)>,
}

impl Watch {
    /// Begins to look.
    pub(super) fn begin(target: &'static str) -> Self {
        let input = Mutex::new((Vec::new(), Instant::now()));
        let seen = Arc::new(Seen { target, is_over: AtomicBool::new(false), input });
        let looked_at = seen.clone();
        std::thread::spawn(move || looked_at.look());
        Self { seen }
    }

    /// Takes note of the next input.
    pub(super) fn is_at(&self, input: &[u8]) {
        *self.seen.input.lock().unwrap_or_else(PoisonError::into_inner) = (input.to_vec(), Instant::now());
    }

    /// Writes an input where it can be looked at.
    pub(super) fn keep(&self, input: &[u8]) -> PathBuf {
        self.seen.keep(input)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.seen.is_over.store(true, Ordering::Relaxed);
    }
}

impl Seen {
    #[expect(clippy::print_stderr, reason = "the tests end here, and say why")]
    fn look(&self) {
        while !self.is_over.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(100));
            let (input, since) = self.input.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let memory = memory();
            if since.elapsed() > PATIENCE || memory > MEMORY {
                let kept = self.keep(&input);
                let (target, kept) = (self.target, kept.display());
                eprintln!("fuzz::{target}: {kept} takes {:?} and {memory} KiB", since.elapsed());
                std::process::exit(101);
            }
        }
    }

    fn keep(&self, input: &[u8]) -> PathBuf {
        let folder = repository("target/fuzz").join(self.target);
        let name = input
            .iter()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        let path = folder.join(format!("{name:016x}"));
        let written = fs::create_dir_all(&folder).and_then(|()| fs::write(&path, input));
        written.map_or_else(|error| PathBuf::from(error.to_string()), |()| path)
    }
}

/// The memory of this process in KiB; 0 where the system does not tell.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

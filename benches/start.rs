//! How long a large project takes to be checked and to be started: a thousand endpoints and five
//! hundred graph fields over three thousand messages.
//!
//! `cargo bench --bench start` runs the released binary on the generated project, several times in
//! turn, and prints medians. Both times are those of whole processes, as a person waits for them.

mod large;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use large::Size;

const LARGE: Size = Size { domains: 30, resources: 10 };
const ROUNDS: usize = 9;

#[expect(clippy::print_stdout, reason = "figures are what it is for")]
fn main() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("large");
    let files = large::project(LARGE);
    write(&root, &files);
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    println!("{} files, {} KB, in {}", files.len(), bytes / 1000, root.display());
    println!("check  {:>5} ms", median(|| check(&root)).as_millis());
    println!("start  {:>5} ms", median(|| start(&root)).as_millis());
}

fn write(root: &Path, files: &[(String, String)]) {
    for (path, text) in files {
        let path: PathBuf = root.join(path);
        std::fs::create_dir_all(path.parent().expect("it is below the root")).expect("target can be written");
        std::fs::write(path, text).expect("target can be written");
    }
}

fn median(mut run: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| run()).collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}

/// From the start of `selvedge check` to its end.
fn check(root: &Path) -> Duration {
    let since = Instant::now();
    let output = selvedge("check", root).output().expect("the binary runs");
    let took = since.elapsed();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    took
}

/// From the start of `selvedge serve` until it says that it listens.
fn start(root: &Path) -> Duration {
    let since = Instant::now();
    let child = selvedge("serve", root).stderr(Stdio::piped()).stdout(Stdio::null()).spawn();
    let mut serving = Ended(child.expect("the binary runs"));
    let said = BufReader::new(serving.0.stderr.take().expect("it is piped"));
    let ready = said.lines().map_while(Result::ok).any(|line| line.contains("serving"));
    let took = since.elapsed();
    assert!(ready, "it ended before it served");
    took
}

fn selvedge(command: &str, root: &Path) -> Command {
    let mut selvedge = Command::new(env!("CARGO_BIN_EXE_selvedge"));
    selvedge.arg(command).arg(root);
    selvedge
}

/// A process that ends with its guard.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

//! Claims written in Rust, as trials of the one test binary.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use libtest_mimic::Failed;

/// Gives a module the function `trials()`, which names its claims.
macro_rules! claims {
    ($($name:ident),+ $(,)?) => {
        /// The claims of this module.
        pub(crate) fn trials() -> Vec<libtest_mimic::Trial> {
            let module = module_path!().trim_start_matches("it::");
            vec![$(libtest_mimic::Trial::test(format!("{module}::{}", stringify!($name)), || {
                crate::claim::Outcome::outcome($name())
            })),+]
        }
    };
}
pub(crate) use claims;

/// What a claim's function gives back.
pub(crate) trait Outcome {
    /// As the test binary wants it.
    fn outcome(self) -> Result<(), Failed>;
}

impl Outcome for () {
    fn outcome(self) -> Result<(), Failed> {
        Ok(())
    }
}

impl Outcome for Result<(), String> {
    fn outcome(self) -> Result<(), Failed> {
        self.map_err(Failed::from)
    }
}

/// Runs a claim about something that waits, on threads of its own.
pub(crate) fn run<F: Future>(claim: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("the machine gives a test two threads")
        .block_on(claim)
}

/// Waits until something holds; false when it does not within two seconds.
pub(crate) async fn until(holds: impl Fn() -> bool) -> bool {
    let since = Instant::now();
    while !holds() && since.elapsed() < Duration::from_secs(2) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    holds()
}

/// A path in the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The files of a folder of the repository with this extension, by name.
pub(crate) fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repository(folder)).into_iter().flatten().filter_map(Result::ok);
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == extension)).collect();
    files.sort();
    files
}

/// A file's name without its extension.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

//! Watching the files of a project: says when some of them may have changed, and came to rest.
//!
//! Folders are watched, not files: an editor puts a new file in the place of the old one, a folder goes and comes back,
//! and a mounted configuration (a ConfigMap of Kubernetes) changes through one link, `..data`, that leads to another
//! version of everything. What is noticed is no more than a reason to look; whether anything differs is for whoever reads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use notify::{ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::inputs::Inputs;
use crate::spec;

/// Changes have come to rest when none follows for so long.
const QUIET: Duration = Duration::from_millis(200);
/// Changes that do not come to rest are looked at all the same after so long.
const RESTLESS: Duration = Duration::from_secs(2);

/// The watch over one project.
pub(super) struct Watch {
    root: PathBuf,
    watcher: RecommendedWatcher,
    /// The folders that are watched, and whether with all that are in them.
    watched: BTreeMap<PathBuf, RecursiveMode>,
    concern: Arc<Mutex<Concern>>,
    changed: Arc<Notify>,
}

/// Which paths matter.
#[derive(Debug, Default)]
struct Concern {
    /// The project's folder and those in it that are read.
    folders: Vec<PathBuf>,
    /// Files that were read, as they are named and as where links lead.
    files: Vec<PathBuf>,
}

impl Watch {
    /// Begins to watch the project in `root`, of which `inputs` were read. What changed since then counts as a change.
    ///
    /// # Errors
    /// The system does not let the process watch files.
    pub(super) fn start(root: &Path, inputs: &Inputs) -> notify::Result<Self> {
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        let (concern, changed) = (Arc::<Mutex<Concern>>::default(), Arc::new(Notify::new()));
        let (judged, told) = (concern.clone(), changed.clone());
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // After an error something may have been missed.
            if event.is_err() || event.is_ok_and(|event| lock(&judged).is_touched_by(&event)) {
                told.notify_one();
            }
        })?;
        let mut watch = Self { root, watcher, watched: BTreeMap::new(), concern, changed };
        watch.follow(inputs);
        if inputs.are_older_than_their_files(&watch.root) {
            watch.changed.notify_one();
        }
        Ok(watch)
    }

    /// Ready when something may have changed and has come to rest.
    pub(super) fn changed(&self) -> impl Future<Output = ()> + Send + use<> {
        let changed = self.changed.clone();
        async move {
            changed.notified().await;
            let first = Instant::now();
            while first.elapsed() < RESTLESS && timeout(QUIET, changed.notified()).await.is_ok() {}
        }
    }

    /// Watches the folders that are there now: those that were watched may have been put away for others of the same
    /// names. What changes from here on is noticed.
    pub(super) fn renew(&mut self) {
        for (folder, mode) in &self.watched {
            // It may be gone, and its watch with it.
            let _ = self.watcher.unwatch(folder);
            begin(&mut self.watcher, folder, *mode);
        }
    }

    /// Watches what a load has read, and nothing else.
    pub(super) fn follow(&mut self, inputs: &Inputs) {
        let folders: Vec<PathBuf> = spec::FOLDERS.iter().map(|folder| self.root.join(folder)).collect();
        let mut files: Vec<PathBuf> = inputs.paths().map(|path| self.root.join(path)).collect();
        let led_to: Vec<PathBuf> = files.iter().filter_map(|file| file.canonicalize().ok()).collect();
        files.extend(led_to);
        let mut watched: BTreeMap<PathBuf, RecursiveMode> =
            folders.iter().map(|folder| (folder.clone(), RecursiveMode::Recursive)).collect();
        let deep: Vec<PathBuf> =
            folders.iter().cloned().chain(folders.iter().filter_map(|f| f.canonicalize().ok())).collect();
        let parents =
            [Some(self.root.as_path()), self.root.parent()].into_iter().chain(files.iter().map(|file| file.parent()));
        for parent in parents.flatten().filter(|parent| !deep.iter().any(|folder| parent.starts_with(folder))) {
            watched.entry(parent.to_owned()).or_insert(RecursiveMode::NonRecursive);
        }
        *lock(&self.concern) = Concern { folders: folders.into_iter().chain([self.root.clone()]).collect(), files };
        for folder in self.watched.keys().filter(|folder| !watched.contains_key(*folder)) {
            let _ = self.watcher.unwatch(folder);
        }
        for (folder, mode) in watched.iter().filter(|(folder, _)| !self.watched.contains_key(*folder)) {
            begin(&mut self.watcher, folder, *mode);
        }
        self.watched = watched;
    }
}

/// Begins to watch a folder. One that is not there is noticed in its parent when it comes.
fn begin(watcher: &mut RecommendedWatcher, folder: &Path, mode: RecursiveMode) {
    if let Err(error) = watcher.watch(folder, mode)
        && folder.exists()
        && !matches!(error.kind, ErrorKind::PathNotFound)
    {
        tracing::warn!(folder = %folder.display(), %error, "a folder of the project cannot be watched");
    }
}

fn lock(concern: &Mutex<Concern>) -> MutexGuard<'_, Concern> {
    concern.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Concern {
    fn is_touched_by(&self, event: &Event) -> bool {
        // That a file was read is no change; a gateway would notice itself.
        let is_change = !matches!(event.kind, EventKind::Access(_));
        event.need_rescan() || is_change && event.paths.iter().any(|path| self.has(path))
    }

    /// Whether what is at a path has a part in the project, or leads to something that has.
    fn has(&self, path: &Path) -> bool {
        let is_version = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".."));
        let leads_there = |other: &PathBuf| other.starts_with(path);
        is_version || self.folders.iter().chain(&self.files).any(leads_there) || self.may_be_read(path)
    }

    /// Whether a path in one of the folders may be that of a file that is read, or of a folder. What editors put beside
    /// the files that they write is not.
    fn may_be_read(&self, path: &Path) -> bool {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let is_in = spec::FOLDERS.iter().zip(&self.folders).any(|(_, folder)| path.starts_with(folder));
        is_in && (spec::ENDINGS.contains(&ending) || !path.is_file())
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::Concern;

    #[test]
    fn what_has_no_part_in_a_project_is_not_noticed() {
        let folders = ["/p/compositions", "/p/schema", "/p/proto", "/p"].map(PathBuf::from).to_vec();
        let concern = Concern { folders, files: vec!["/run/secrets/key".into()] };
        for path in [
            "/p",
            "/p/compositions",
            "/p/compositions/new.yaml",
            "/p/proto/a/b.proto",
            "/p/..data",
            "/run/secrets/key",
            "/run",
        ] {
            assert!(concern.has(Path::new(path)), "{path}");
        }
        for path in ["/p/target", "/p/README.md", "/run/secrets/other", "/other"] {
            assert!(!concern.has(Path::new(path)), "{path}");
        }
    }
}

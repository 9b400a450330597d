//! What a project was loaded from, so that it can be told whether anything of it changed, and what.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::reflections::Reflections;
use crate::observe::reload::FileChanges;
use crate::spec::{FOLDERS, Reading};

/// How much older the time of a file may be than that at which it was written.
const GRAIN: Duration = Duration::from_millis(20);

/// Every file that had a part in a project, by its path from the project's folder, with a hash of what it held; and
/// what backends said of themselves.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// When reading began.
    since: SystemTime,
    /// Files in the folders of the project.
    read: BTreeMap<String, u64>,
    /// Files that compositions name, wherever they are: certificates, secrets, descriptors.
    named: BTreeMap<String, u64>,
    /// What backends said of themselves.
    pub(super) reflections: Reflections,
}

impl Inputs {
    /// Nothing yet, at the beginning of a load.
    pub(super) fn begin() -> Self {
        let (read, named, reflections) = Default::default();
        Self { since: SystemTime::now(), read, named, reflections }
    }

    /// Adds a file that a composition names: what it holds, that it is not there, or why it cannot be read.
    pub(super) fn add_named(&mut self, path: &str, found: &impl Hash) {
        self.named.insert(path.to_owned(), hash(found));
    }

    /// Adds the files that were read.
    pub(super) fn add_reading(&mut self, reading: &Reading) {
        self.read = reading.sources.iter().map(|(name, text)| (name.to_owned(), hash(&text))).collect();
        for file in &reading.descriptors {
            self.add_named(&file.path, &file.bytes);
        }
    }

    /// The paths of the files, as they are named.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.read.keys().chain(self.named.keys()).map(String::as_str)
    }

    /// Whether a file, or a folder of the project, was written since reading began.
    pub(super) fn are_older_than_their_files(&self, root: &Path) -> bool {
        let now = SystemTime::now();
        self.paths().chain(FOLDERS).any(|path| {
            let written = std::fs::metadata(root.join(path)).and_then(|metadata| metadata.modified());
            // A time that is still to come says nothing.
            written.is_ok_and(|written| written + GRAIN >= self.since && written <= now)
        })
    }

    /// What changed since `previous`; what a backend says of itself stands for a file of its name.
    pub(super) fn changes_since(&self, previous: &Self) -> FileChanges {
        let mut changes = FileChanges::default();
        let (said, said_before) = (self.reflected(), previous.reflected());
        for (now, before) in [(&self.read, &previous.read), (&self.named, &previous.named), (&said, &said_before)] {
            for (path, hash) in now {
                match before.get(path) {
                    None => changes.added.push(path.clone()),
                    Some(known) if known != hash => changes.changed.push(path.clone()),
                    Some(_) => {}
                }
            }
            changes.removed.extend(before.keys().filter(|path| !now.contains_key(*path)).cloned());
        }
        changes
    }

    fn reflected(&self) -> BTreeMap<String, u64> {
        self.reflections.iter().map(|(name, files)| (format!("reflection of {name}"), hash(&files))).collect()
    }
}

fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::Inputs;

    fn inputs(files: &[(&str, &str)]) -> Inputs {
        let mut inputs = Inputs::begin();
        files.iter().for_each(|(path, text)| inputs.add_named(path, text));
        inputs
    }

    #[test]
    fn files_are_compared_by_what_they_hold() {
        let before = inputs(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let after = inputs(&[("a", "1"), ("b", "2"), ("d", "1")]);
        let changes = after.changes_since(&before);
        assert_eq!((changes.added, changes.changed), (vec!["d".to_owned()], vec!["b".to_owned()]));
        assert_eq!(changes.removed, ["c"]);
        assert!(before.changes_since(&before).is_empty());
    }

    #[test]
    fn a_file_that_cannot_be_read_any_more_has_changed() {
        let (mut before, mut after) = (inputs(&[]), inputs(&[]));
        before.add_named("key", &Ok::<_, String>(Some("secret".to_owned())));
        after.add_named("key", &Ok::<Option<String>, String>(None));
        assert_eq!(after.changes_since(&before).changed, ["key"]);
    }
}

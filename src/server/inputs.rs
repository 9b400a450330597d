//! What a project was loaded from, so that it can be told whether anything of it changed, and what.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::observe::reload::FileChanges;
use crate::spec::Reading;

/// Every file that had a part in a project, by its path from the project's folder, with a hash of what it held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Files in the folders of the project.
    read: BTreeMap<String, u64>,
    /// Files that compositions name, wherever they are: certificates, secrets, descriptors.
    named: BTreeMap<String, u64>,
}

impl Inputs {
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

    /// What changed since `previous`.
    pub(super) fn changes_since(&self, previous: &Self) -> FileChanges {
        let mut changes = FileChanges::default();
        for (now, before) in [(&self.read, &previous.read), (&self.named, &previous.named)] {
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
        let mut inputs = Inputs::default();
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
        let (mut before, mut after) = (Inputs::default(), Inputs::default());
        before.add_named("key", &Ok::<_, String>(Some("secret".to_owned())));
        after.add_named("key", &Ok::<Option<String>, String>(None));
        assert_eq!(after.changes_since(&before).changed, ["key"]);
    }
}

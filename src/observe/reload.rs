//! What became of attempts to take up a changed project: the last of them, and how many there were.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::value::Timestamp;

/// An attempt to take up a changed project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reload {
    /// When it ended.
    pub at: Timestamp,
    /// What changed; `None` when the project is wrong, and what was served before still is.
    pub changes: Option<Changes>,
    /// Everything that is wrong with it, or worth a warning.
    pub diagnostics: Rendered,
}

/// What a reload changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Which files.
    pub files: FileChanges,
    /// Which backends.
    pub backends: BackendChanges,
}

/// Paths of files from the project's folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileChanges {
    /// That are new.
    pub added: Vec<String>,
    /// That hold something else.
    pub changed: Vec<String>,
    /// That are gone, or have no part in the project any more.
    pub removed: Vec<String>,
}

/// Names of backends; those of variants as `backend.variant`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackendChanges {
    /// That go on as they are, with their connections and their state.
    pub kept: Vec<String>,
    /// That are new, or reached otherwise than before: they begin without connections and state.
    pub begun: Vec<String>,
    /// That are gone, or reached otherwise than before: their connections end with the calls on them.
    pub ended: Vec<String>,
}

/// Diagnostics, rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// As people read them; empty when there are none.
    pub text: String,
    /// The same as a JSON list.
    pub json: Vec<u8>,
}

/// The attempts of a gateway.
#[derive(Debug, Default)]
pub struct Reloads {
    taken_up: AtomicU64,
    failed: AtomicU64,
    last: Mutex<Option<Arc<Reload>>>,
}

impl FileChanges {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

impl Reloads {
    /// Counts an attempt and keeps it as the last.
    pub fn note(&self, reload: Arc<Reload>) {
        let counter = if reload.changes.is_some() { &self.taken_up } else { &self.failed };
        counter.fetch_add(1, Ordering::Relaxed);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(reload);
    }

    /// How many attempts led to a new plan.
    pub fn taken_up(&self) -> u64 {
        self.taken_up.load(Ordering::Relaxed)
    }

    /// How many attempts left the plan as it was, because the project was wrong.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// The last attempt.
    pub fn last(&self) -> Option<Arc<Reload>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

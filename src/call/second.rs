//! The second level of kept replies: what any replica fetched, in the store that they share.
//!
//! It is asked where memory has nothing, before the backend is, and told of what the backend said; nobody waits for the
//! latter. What was fetched while the store did not answer is not written there: nobody knows what was thrown away meanwhile.

use std::sync::Arc;
use std::time::Duration;

use super::Calls;
use crate::base::id::{BackendId, KeepingId};
use crate::policy::cache::{Entry, Key};
use crate::store::{Name, Question, Seals, Store};

/// By how much a reply must be newer than another to be another: clocks of the wall are read in milliseconds.
const NEWER: Duration = Duration::from_millis(5);

/// A reply that memory does not have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Missed<'m> {
    /// Its key in memory.
    pub(super) key: &'m Key,
    /// Who says it, and by which rule it is kept.
    pub(super) of: (BackendId, KeepingId),
    /// Names by which it can be thrown away.
    pub(super) tags: &'m [Box<str>],
    /// What memory has of it, which is no longer good enough.
    pub(super) seen: Option<&'m Entry>,
}

/// Where a reply stands in the store, to be written there.
#[derive(Debug)]
pub(super) struct Place {
    store: Arc<Store>,
    name: Name,
    seals: Seals,
}

impl Calls {
    /// Looks for replies in the store, all together, and takes into memory what is newer than what that has: for each its
    /// place, and what was found. `None` where there is no store, or no answer in time.
    pub(super) async fn look(&self, missed: &[Missed<'_>]) -> Option<Vec<(Place, Option<Arc<Entry>>)>> {
        let (store, memory) = (self.shared.store()?, self.shared.replies());
        let questions: Vec<_> = missed.iter().map(|missed| self.question(missed)).collect();
        let known = store.look(&questions, memory).await?;
        let told = missed.iter().zip(&questions).zip(known).map(|((missed, question), known)| {
            let newer =
                known.found.filter(|(_, came)| missed.seen.is_none_or(|seen| Store::came(seen.kept()) + NEWER < *came));
            let entry = newer.map(|(kept, _)| memory.keep(missed.key.clone(), kept));
            (Place { store: store.clone(), name: question.name, seals: known.seals }, entry)
        });
        Some(told.collect())
    }

    fn question<'q>(&'q self, missed: &Missed<'q>) -> Question<'q> {
        let (backend, _) = missed.of;
        let name = self.shared.meanings().name(missed.of, missed.key);
        Question { name, backend: &self.plan.backends[backend.index()].name, tags: missed.tags }
    }
}

impl Place {
    /// Writes a reply there, behind.
    pub(super) fn keep(self, entry: Arc<Entry>) {
        self.store.keep(self.name, entry, self.seals);
    }

    /// Forgets what is there: its backend says something else now, which is not kept.
    pub(super) fn forget(self) {
        self.store.forget(self.name);
    }
}

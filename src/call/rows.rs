//! Rows of batched replies, kept one by one: each by the key of the call that would ask for it alone.
//!
//! A batched call asks only for rows of which nothing is kept, in memory or in the store that replicas share. It is not
//! kept itself.

use std::collections::HashMap;
use std::sync::Arc;

use http::HeaderMap;
use tokio::time::Instant;

use super::second::{Missed, Place};
use super::{Calls, kept, key};
use crate::base::call::{Call, Reply, Share};
use crate::base::failure::Failure;
use crate::base::id::{BackendId, KeepingId, PoliciesId};
use crate::base::value::Held;
use crate::policy::cache::{Entry, Kept, Key, Rule, Settings, Sort, State, Turn};

/// A row that is to be asked for.
#[derive(Debug)]
pub struct Row {
    key: Key,
    rule: KeepingId,
    tags: Box<[Box<str>]>,
    backend: BackendId,
    policies: PoliciesId,
    began: Instant,
    turn: Turn,
    /// What is kept of it, and served if the backend fails.
    spare: Option<Arc<Entry>>,
    /// Where it stands in the store that replicas share.
    place: Option<Place>,
}

/// What is known of a row.
#[derive(Debug)]
pub enum Known {
    /// It is kept: the list of what the reply says of its key.
    Kept(Held),
    /// It has to be asked for.
    Unknown(Row),
}

impl Calls {
    /// What is known of the row that `call` asks for alone; `None` where rows are not kept.
    pub fn row(&self, mut call: Call) -> Option<Known> {
        let mut keeping = call.keeping.take()?;
        self.settings(keeping.rule)?;
        keeping.share = Share::Rows;
        let key = key::of(&call, &mut keeping, &self.shared)?;
        let (store, now) = (self.shared.replies(), Instant::now());
        let spare = match store.find(key.as_ref(), now, 1.0) {
            Some((entry, State::Fresh)) => {
                store.count_hit();
                return Some(Known::Kept(entry.reply().body.clone()));
            }
            found => found.map(|(entry, _)| entry),
        };
        store.count_miss();
        let turn = store.turn();
        let (rule, tags) = (keeping.rule, keeping.tags);
        let (backend, policies) = (call.backend, call.policies);
        Some(Known::Unknown(Row { key, rule, tags, backend, policies, began: now, turn, spare, place: None }))
    }

    /// Looks for rows, by whatever they are told apart by, in the store that replicas share.
    ///
    /// # Errors
    /// There is none, or nothing to look for: the rows as they are.
    pub fn look_for(
        self: &Arc<Self>,
        rows: HashMap<String, Row>,
    ) -> Result<impl Future<Output = HashMap<String, Known>> + Send + use<>, HashMap<String, Row>> {
        if rows.is_empty() || self.shared.store().is_none() {
            return Err(rows);
        }
        let calls = self.clone();
        Ok(async move { calls.found(rows).await })
    }

    async fn found(&self, rows: HashMap<String, Row>) -> HashMap<String, Known> {
        let (names, mut rows): (Vec<String>, Vec<Row>) = rows.into_iter().unzip();
        let missed: Vec<_> = rows.iter().map(Row::missed).collect();
        let told = self.look(&missed).await.unwrap_or_default();
        let now = Instant::now();
        let mut served = Vec::with_capacity(rows.len());
        for (row, (place, entry)) in rows.iter_mut().zip(told) {
            row.place = Some(place);
            let is_fresh = |entry: &&Arc<Entry>| entry.kept().times.state(now, 1.0) == State::Fresh;
            served.push(entry.as_ref().filter(is_fresh).map(|entry| entry.reply().body.clone()));
            row.spare = entry.or(row.spare.take());
        }
        let served = served.into_iter().chain(std::iter::repeat(None));
        let known = rows.into_iter().zip(served).map(|(row, served)| match served {
            Some(body) => Known::Kept(body),
            None => Known::Unknown(Row { began: now, ..row }),
        });
        names.into_iter().zip(known).collect()
    }

    /// How rows are kept. What a batched reply says of itself says nothing of one of them.
    fn settings(&self, rule: KeepingId) -> Option<Settings> {
        match self.keeping(rule).cache {
            Some(Rule::Written(settings)) => Some(settings),
            Some(Rule::Said) | None => None,
        }
    }

    /// Keeps what a batched reply that is a success says of a row, which may be that there is nothing.
    pub fn keep_row(&self, row: Row, (rows, reply): (&[Held], &Reply)) {
        let is_whole = !reply.is_cut && !kept::sets_cookies(reply);
        let Some(settings) = self.settings(row.rule).filter(|_| is_whole) else { return };
        let (sort, now) = (if rows.is_empty() { Sort::Nothing } else { Sort::Success }, Instant::now());
        let store = self.shared.replies();
        let Some(times) = settings.times(sort, (now, now - row.began), fastrand::f64()) else {
            row.place.into_iter().for_each(Place::forget);
            return store.forget(&row.key);
        };
        let body = Held::List(rows.iter().map(Held::detached).collect());
        let reply = Reply { headers: Arc::new(HeaderMap::new().into()), body, ..reply.clone() };
        let backend = self.plan.backends[row.backend.index()].name.clone();
        let entry = store.keep(row.key, Kept { reply, times, backend, tags: row.tags, turn: row.turn });
        row.place.into_iter().for_each(|place| place.keep(entry.clone()));
    }

    /// What is served of a row although asking for it failed, if its backend fails.
    pub fn spare<'r>(&self, row: &'r Row, failure: &Failure) -> Option<&'r Held> {
        let entry = row.spare.as_ref().filter(|entry| entry.kept().times.serves_on_error(Instant::now()))?;
        self.is_failing(row.policies, failure).then(|| &entry.reply().body)
    }
}

impl Row {
    fn missed(&self) -> Missed<'_> {
        Missed { key: &self.key, of: (self.backend, self.rule), tags: &self.tags, seen: self.spare.as_deref() }
    }

    /// Whether a call to this backend, or variant of one, brings it.
    pub fn is_of(&self, backend: BackendId) -> bool {
        self.backend == backend
    }
}

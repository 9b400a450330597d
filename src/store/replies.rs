//! The second level of kept replies: found by name, held to what was thrown away since, written behind.
//!
//! Nothing is searched for when something is thrown away. Everything that replies are thrown away by (a tag, their backend,
//! everything) has a *label*, which holds a token; throwing away puts another token in its place. A reply is *sealed* with
//! the tokens as they were when its fetch began, and good for as long as all of them stand. So one that was fetched
//! meanwhile is gone as well, whichever replica fetched it, and a label that the store has lost takes its replies along.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use redis::Pipeline;
use redis::aio::MultiplexedConnection;
use tokio::time::Instant;

use super::link::sent;
use super::names::{Label, Name};
use super::reply::{self, Moment, Sealed, Stored, Token};
use super::{PATIENCE, Store};
use crate::policy::cache::{self, Entry, Kept};

/// The longest that a reply stands in the store.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long a label stands that no reply was sealed with: longer than any reply.
const LABELS: Duration = Duration::from_secs(8 * 24 * 3600);
/// Names that are asked for together.
const TOGETHER: usize = 1_000;

/// The first byte of a token that a first reply put there, and of one that came with a purge.
const BEGUN: u8 = 0;
const THROWN: u8 = 1;

/// A reply that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// Its name.
    pub name: Name,
    /// The backend that says it.
    pub backend: &'q str,
    /// Names by which it can be thrown away.
    pub tags: &'q [Box<str>],
}

/// What is known of a reply.
#[derive(Debug)]
pub struct Known {
    /// The reply, if there is one, and when it came.
    pub found: Option<(Kept, SystemTime)>,
    /// What the reply that is fetched now is sealed with.
    pub seals: Seals,
}

/// What replies may be thrown away by as it stands before a fetch; without a token where there is none yet.
#[derive(Clone, Debug)]
pub struct Seals(Box<[(Label, Option<Token>)]>);

/// Something to be written.
#[derive(Debug)]
pub(super) enum Write {
    /// A reply.
    Keep(Name, Arc<Entry>, Seals),
    /// That there is none any more.
    Forget(Name),
}

impl Store {
    /// Looks for replies, all together; `None` where the store is not asked, or does not answer in time. `memory` says what
    /// was thrown away that the store has not heard of.
    pub async fn look(&self, questions: &[Question<'_>], memory: &cache::Store) -> Option<Vec<Known>> {
        let until = Instant::now() + PATIENCE;
        // Before anything is asked: what is thrown away from here on is noticed.
        let turn = self.link.standing(|| memory.turn());
        let mut tokens = Tokens::default();
        let mut opened = Vec::with_capacity(questions.len());
        for some in questions.chunks(TOGETHER) {
            opened.extend(self.opened(some, (&mut tokens, until)).await?);
        }
        let unknown: HashSet<Label> = opened.iter().flatten().flat_map(Stored::labels).collect();
        let unknown: Vec<Label> = unknown.into_iter().filter(|label| !tokens.contains_key(label)).collect();
        if !unknown.is_empty() {
            // Whoever wrote them had other tags.
            let (found,): (Vec<Option<Token>>,) = self.link.ask(&wanted(&[], &unknown), until).await?;
            tokens.extend(unknown.into_iter().zip(found));
        }
        let stands = |(label, token): &(Label, Token)| tokens.get(label).copied().flatten() == Some(*token);
        let mut known = Vec::with_capacity(questions.len());
        for (question, stored) in questions.iter().zip(opened) {
            let seals = Label::all(question.backend, question.tags).map(|label| (label, tokens.get(&label).copied()));
            let seals = Seals(seals.map(|(label, token)| (label, token.flatten())).collect());
            let stored = stored.filter(|stored| stored.sealed.iter().all(stands));
            let found = stored.and_then(|stored| Some((stored.came, stored.kept(turn)?)));
            let found = found.filter(|(_, kept)| !memory.took(kept)).map(|(came, kept)| (kept, came));
            let count = if found.is_some() { &self.link.counts.hits } else { &self.link.counts.misses };
            count.fetch_add(1, Ordering::Relaxed);
            known.push(Known { found, seals });
        }
        Some(known)
    }

    /// What stands under names, as far as it is theirs, and the tokens of their labels.
    async fn opened(
        &self,
        questions: &[Question<'_>],
        (tokens, until): (&mut Tokens, Instant),
    ) -> Option<Vec<Option<Stored>>> {
        let labels: HashSet<Label> = questions.iter().flat_map(|one| Label::all(one.backend, one.tags)).collect();
        let labels: Vec<Label> = labels.into_iter().collect();
        let names: Vec<Name> = questions.iter().map(|question| question.name).collect();
        let (mut found,): (Vec<Option<Vec<u8>>>,) = self.link.ask(&wanted(&names, &labels), until).await?;
        let of_labels = found.split_off(names.len().min(found.len()));
        let token = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| Token::try_from(bytes).ok());
        tokens.extend(labels.into_iter().zip(of_labels.into_iter().map(token)));
        let now = Moment::now();
        let open = |(bytes, name): (Option<Vec<u8>>, &Name)| reply::open(bytes?.into(), name, now);
        Some(found.into_iter().zip(&names).map(open).collect())
    }

    /// Writes a reply behind, sealed as things stood before it was fetched.
    pub fn keep(&self, name: Name, entry: Arc<Entry>, seals: Seals) {
        self.link.write(Write::Keep(name, entry, seals));
    }

    /// Forgets a reply: its backend says something else now, which is not kept.
    pub fn forget(&self, name: Name) {
        self.link.write(Write::Forget(name));
    }

    /// When a reply of this process came, by the clock of the wall.
    pub fn came(kept: &Kept) -> SystemTime {
        Moment::now().wall(kept.times.created)
    }
}

/// What labels hold, as far as they were asked for.
type Tokens = HashMap<Label, Option<Token>>;

/// Asks for what stands under names, and for the tokens of labels.
fn wanted(names: &[Name], labels: &[Label]) -> Pipeline {
    let mut asked = Pipeline::new();
    asked.cmd("MGET");
    asked.arg(names.iter().map(Name::text).chain(labels.iter().map(|label| label.text())).collect::<Vec<_>>());
    asked
}

/// Throws away what is sealed with these labels.
pub(super) fn throw(labels: impl Iterator<Item = Label>) -> Pipeline {
    let mut told = Pipeline::new();
    for label in labels {
        told.cmd("SET").arg(label.text()).arg(&token(THROWN)[..]).arg("PX").arg(millis(LABELS)).ignore();
    }
    told
}

/// A token that no other is like.
fn token(sort: u8) -> Token {
    let mut token = fastrand::u64(..).to_le_bytes();
    token[0] = sort;
    token
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Write {
    /// The bytes that it holds while it waits, about.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Keep(_, entry, _) => entry.size() as usize,
            Self::Forget(_) => size_of::<Self>(),
        }
    }
}

/// Writes what nobody waits for.
#[derive(Debug, Default)]
pub(super) struct Writer {
    told: Pipeline,
}

impl Writer {
    /// Writes some replies, all together.
    ///
    /// # Errors
    /// Why the store did not take them.
    pub(super) async fn write(
        &mut self,
        some: Vec<Write>,
        connection: &mut MultiplexedConnection,
    ) -> Result<(), String> {
        let begun = begin(&some, connection).await?;
        self.told.clear();
        let (now, mut sealed_with) = (Moment::now(), HashSet::new());
        for write in some {
            match write {
                Write::Forget(name) => {
                    self.told.cmd("DEL").arg(name.text()).ignore();
                }
                Write::Keep(name, entry, seals) => {
                    let Some(sealed) = seals.closed(&begun) else { continue };
                    let kept = entry.kept();
                    let left = kept.times.left(Instant::now()).min(LONGEST);
                    let bytes = reply::pack(kept, (&name, &sealed), now).filter(|_| !left.is_zero());
                    let Some(bytes) = bytes else { continue };
                    self.told.cmd("SET").arg(name.text()).arg(bytes).arg("PX").arg(millis(left).max(1)).ignore();
                    sealed_with.extend(sealed.into_iter().map(|(label, _)| label));
                }
            }
        }
        for label in sealed_with {
            self.told.cmd("PEXPIRE").arg(label.text()).arg(millis(LABELS)).ignore();
        }
        match self.told.is_empty() {
            true => Ok(()),
            false => sent(self.told.exec_async(connection)).await,
        }
    }
}

/// Puts a token where a label has none yet; gives what those labels hold now.
async fn begin(some: &[Write], connection: &mut MultiplexedConnection) -> Result<Tokens, String> {
    let seals = some.iter().filter_map(|write| match write {
        Write::Keep(_, _, seals) => Some(seals),
        Write::Forget(_) => None,
    });
    let open: HashSet<Label> = seals.flat_map(Seals::open).collect();
    if open.is_empty() {
        return Ok(Tokens::default());
    }
    let open: Vec<Label> = open.into_iter().collect();
    let mut told = Pipeline::new();
    for label in &open {
        let set = told.cmd("SET").arg(label.text()).arg(&token(BEGUN)[..]);
        set.arg("NX").arg("PX").arg(millis(LABELS)).ignore();
    }
    told.cmd("MGET").arg(open.iter().map(|label| label.text()).collect::<Vec<_>>());
    let (held,): (Vec<Option<Vec<u8>>>,) = sent(told.query_async(connection)).await?;
    let token = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| Token::try_from(bytes).ok());
    Ok(open.into_iter().zip(held.into_iter().map(token)).collect())
}

impl Seals {
    /// The labels that had no token.
    fn open(&self) -> impl Iterator<Item = Label> {
        self.0.iter().filter(|(_, token)| token.is_none()).map(|(label, _)| *label)
    }

    /// A token for each label, where those that had none have got one since. `None` if one of them came with a purge: it may
    /// have come after the fetch began.
    fn closed(&self, begun: &Tokens) -> Option<Sealed> {
        let token = |(label, token): &(Label, Option<Token>)| {
            let since = || begun.get(label).copied().flatten().filter(|token| token[0] == BEGUN);
            Some((*label, token.or_else(since)?))
        };
        self.0.iter().map(token).collect()
    }
}

//! Calls whose reply is kept or shared: what is kept serves, what is under way is waited for, what is neither is fetched,
//! from the store that replicas share if that has it.
//!
//! A fetch belongs to no request. It has a task of its own on the worker of whoever asked first, and the call's own time,
//! not what that request had left.

use std::sync::Arc;
use std::time::Duration;

use http::header::SET_COOKIE;
use tokio::time::Instant;

use super::attempt::Ended;
use super::said::{self, Doubted};
use super::second::{Missed, Place};
use super::{Calls, key, made};
use crate::base::call::{Call, Expect, Keeping, Reply, Share};
use crate::base::failure::{Cause, Failure};
use crate::base::id::KeepingId;
use crate::policy::cache::{Entry, Kept, Key, Rule, Sort, State, Times};
use crate::policy::flight::{Forsaken, Pilot};

/// How often a call joins a fetch, when each breaks off.
const TRIES: usize = 3;

/// What a fetch brought.
#[derive(Clone, Debug)]
pub(super) struct Landed {
    outcome: Result<Reply, Failure>,
    /// Whether the backend failed, so that a reply from before is better than this.
    is_failure: bool,
    /// Whether it is one from before, and a newer one is to be fetched.
    is_stale: bool,
}

/// A call to be fetched.
#[derive(Debug)]
struct Asked {
    call: Call,
    key: Key,
    keeping: KeepingId,
    /// How the reply is kept, if it is.
    rule: Option<Rule>,
    tags: Box<[Box<str>]>,
    time: Duration,
    /// The reply that is to be replaced.
    seen: Option<Arc<Entry>>,
}

/// Gets the reply to a call: cache, then coalescing.
///
/// # Errors
/// As [`super::run`], and no reply before the call's deadline.
pub(super) async fn run(calls: &Arc<Calls>, call: Call, mut keeping: Box<Keeping>) -> Result<Reply, Failure> {
    let Some(key) = key::of(&call, &mut keeping, &calls.shared) else {
        return made(calls, &call).await.outcome;
    };
    let Keeping { rule: keeping, share, tags, time, .. } = *keeping;
    let (store, now) = (calls.shared.replies(), Instant::now());
    let rule = calls.keeping(keeping).cache.filter(|_| share == Share::Whole);
    let says = rule.filter(|rule| *rule == Rule::Said).map(|_| said::asked(&call));
    if says.as_ref().is_some_and(|says| !says.is_answerable()) {
        return made(calls, &call).await.outcome;
    }
    let is_kept = rule.is_some();
    let found = if is_kept { store.find(key.as_ref(), now, fastrand::f64()) } else { None };
    let seen = found.as_ref().map(|(entry, _)| entry.clone());
    let found = found.filter(|_| says.is_none_or(|says| says.takes_kept()));
    let asked = |seen| {
        let tags = if rule == Some(Rule::Said) { said::tags(calls, &call, &tags) } else { tags.clone() };
        Arc::new(Asked { call: call.clone(), key: key.clone(), keeping, rule, tags, time, seen })
    };
    let spare = match found {
        Some((entry, State::Renewed)) => {
            if !entry.is_paused(now) {
                renew(calls, asked(Some(entry.clone())));
            }
            return Ok(hit(calls, &entry));
        }
        Some((entry, State::OnError)) if !entry.is_paused(now) => Some(entry),
        Some((entry, State::Fresh | State::OnError)) => return Ok(hit(calls, &entry)),
        Some((_, State::Askable | State::Gone)) | None => None,
    };
    if is_kept {
        store.count_miss();
    }
    let landed = joined(calls, &call, || asked(seen.clone())).await;
    if landed.is_stale
        && let Some((entry, State::Renewed)) = store.find(key.as_ref(), Instant::now(), 1.0)
    {
        renew(calls, asked(Some(entry)));
    }
    match spare {
        Some(entry) if landed.is_failure && entry.kept().times.serves_on_error(Instant::now()) => {
            Ok(hit(calls, &entry))
        }
        _ => landed.outcome,
    }
}

fn hit(calls: &Calls, entry: &Entry) -> Reply {
    calls.shared.replies().count_hit();
    entry.reply().clone()
}

/// Begins to fetch a newer reply, which nobody waits for, unless that is under way.
fn renew(calls: &Arc<Calls>, asked: Arc<Asked>) {
    if let (Some(pilot), _) = calls.shared.flights().board(&asked.key) {
        launch(calls, asked, (pilot, Forsaken::Lasts));
    }
}

/// Waits for the reply to a call that is under way, or puts it under way.
async fn joined(calls: &Arc<Calls>, call: &Call, asked: impl Fn() -> Arc<Asked>) -> Landed {
    let mut asked_once = None;
    for _ in 0..TRIES {
        let asked = asked_once.get_or_insert_with(&asked);
        let (pilot, seat) = calls.shared.flights().board(&asked.key);
        let leads = pilot.is_some();
        if let Some(pilot) = pilot {
            launch(calls, asked.clone(), (pilot, Forsaken::Ends));
        }
        match tokio::time::timeout_at(call.deadline, seat.wait()).await {
            // A cookie that is set for one is not for another.
            Ok(Some(landed)) if !leads && landed.outcome.as_ref().is_ok_and(sets_cookies) => {
                return Landed { outcome: made(calls, call).await.outcome, is_failure: false, is_stale: false };
            }
            Ok(Some(landed)) => return landed,
            Ok(None) => {}
            Err(_) => return failed(Cause::Timeout, "no reply within the deadline"),
        }
    }
    failed(Cause::Internal, "fetching the reply broke off again and again")
}

fn failed(cause: Cause, log: &'static str) -> Landed {
    Landed { outcome: Err(Failure::new(cause, log)), is_failure: true, is_stale: false }
}

fn launch(calls: &Arc<Calls>, asked: Arc<Asked>, (pilot, forsaken): (Pilot<Key, Landed>, Forsaken)) {
    let calls = calls.clone();
    tokio::spawn(async move { pilot.fly(fetched(&calls, &asked), forsaken).await });
}

/// Fetches a reply, and keeps it if it may be kept.
async fn fetched(calls: &Calls, asked: &Asked) -> Landed {
    let Some(rule) = asked.rule else {
        let ended = fetch(calls, (asked, None)).await;
        let is_failure = ended.is_failure();
        return Landed { outcome: ended.outcome, is_failure, is_stale: false };
    };
    let store = calls.shared.replies();
    // Between the look at the store and the seat in this flight another may have landed.
    if let Some((entry, State::Fresh)) = store.find(asked.key.as_ref(), Instant::now(), 1.0)
        && asked.seen.as_ref().is_none_or(|seen| !Arc::ptr_eq(seen, &entry))
    {
        return Landed::of(&entry, State::Fresh);
    }
    let (place, known) = elsewhere(calls, asked).await.unzip();
    let spare = match known.flatten().map(|entry| (entry.kept().times.state(Instant::now(), 1.0), entry)) {
        Some((State::Fresh, entry)) => return Landed::of(&entry, State::Fresh),
        Some((State::Renewed, entry)) if asked.seen.is_none() => return Landed::of(&entry, State::Renewed),
        known => known.map(|(_, entry)| entry),
    };
    let (turn, began) = (store.turn(), Instant::now());
    let doubted = spare.as_ref().or(asked.seen.as_ref()).filter(|_| rule == Rule::Said);
    let ended = fetch(calls, (asked, doubted)).await;
    let (now, is_failure) = (Instant::now(), ended.is_failure());
    let times = times(rule, (asked, &ended, &calls.keeping(asked.keeping).expect), (now, now - began));
    match (&ended.outcome, times) {
        (Ok(reply), Some(times)) => {
            let backend = calls.plan.backends[asked.call.backend.index()].name.clone();
            let kept = Kept { reply: reply.detached(), times, backend, tags: asked.tags.clone(), turn };
            let entry = store.keep(asked.key.clone(), kept);
            place.into_iter().for_each(|place| place.keep(entry.clone()));
        }
        _ if is_failure => {
            if let Some((entry, _)) = store.find(asked.key.as_ref(), now, 1.0) {
                entry.pause(now);
            }
            if let Some(entry) = spare.filter(|entry| entry.kept().times.serves_on_error(now)) {
                return Landed::of(&entry, State::OnError);
            }
        }
        _ => {
            store.forget(&asked.key);
            place.into_iter().for_each(Place::forget);
        }
    }
    Landed { outcome: ended.outcome, is_failure, is_stale: false }
}

/// Asks the backend, about what is doubted if there is something.
async fn fetch(calls: &Calls, (asked, doubted): (&Asked, Option<&Arc<Entry>>)) -> Ended {
    let deadline = Instant::now() + asked.time;
    // Who asked first need not be the only one who waits.
    let mut call = Call { deadline, given: asked.time, is_attempted_once: false, ..asked.call.clone() };
    let doubted = doubted.and_then(|entry| Doubted::ask(entry, &mut call));
    let mut ended = made(calls, &call).await;
    if let Some(doubted) = doubted {
        doubted.settle(&call, &mut ended);
    }
    ended
}

/// Where the reply stands in the store that replicas share, and what is there.
async fn elsewhere(calls: &Calls, asked: &Asked) -> Option<(Place, Option<Arc<Entry>>)> {
    let of = (asked.call.backend, asked.keeping);
    calls.look(&[Missed { key: &asked.key, of, tags: &asked.tags, seen: asked.seen.as_deref() }]).await?.pop()
}

impl Landed {
    /// A reply that was kept, and what it is good for.
    fn of(entry: &Entry, state: State) -> Self {
        Self { outcome: Ok(entry.reply().clone()), is_failure: false, is_stale: state == State::Renewed }
    }
}

/// The times of a reply that came at a time after another; `None` for one that is not kept.
fn times(
    rule: Rule,
    (asked, ended, expect): (&Asked, &Ended, &Expect),
    (now, took): (Instant, Duration),
) -> Option<Times> {
    let sort = sort(ended, expect)?;
    match rule {
        Rule::Written(settings) => settings.times(sort, (now, took), fastrand::f64()),
        Rule::Said => said::times(&asked.call, ended.outcome.as_ref().ok()?, (now, took)),
    }
}

/// What a reply says, if it may be kept: a success by status and rules, or that there is nothing.
fn sort(ended: &Ended, expect: &Expect) -> Option<Sort> {
    let reply = ended.outcome.as_ref().ok()?;
    match () {
        () if sets_cookies(reply) => None,
        () if expect.accepts(reply.status) && !ended.is_refused() => Some(Sort::Success),
        // 5 is NOT_FOUND.
        () if matches!(reply.code, Some(5)) || reply.code.is_none() && matches!(reply.status, 404 | 410) => {
            Some(Sort::Nothing)
        }
        () => None,
    }
}

pub(super) fn sets_cookies(reply: &Reply) -> bool {
    reply.headers.map().contains_key(SET_COOKIE)
}

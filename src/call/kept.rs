//! Calls whose reply is kept or shared: what is kept serves, what is under way is waited for, what is neither is fetched.
//!
//! A fetch belongs to no request. It has a task of its own on the worker of whoever asked first, and the call's own time,
//! not what that request had left.

use std::sync::Arc;
use std::time::Duration;

use http::header::SET_COOKIE;
use tokio::time::Instant;

use super::attempt::Ended;
use super::{Calls, key, made};
use crate::base::call::{Call, Expect, Keeping, Reply, Share};
use crate::base::failure::{Cause, Failure};
use crate::base::id::KeepingId;
use crate::policy::cache::{Entry, Kept, Key, Settings, Sort, State};
use crate::policy::flight::{Forsaken, Pilot};

/// How often a call joins a fetch, when each breaks off.
const TRIES: usize = 3;

/// What a fetch brought.
#[derive(Clone, Debug)]
pub(super) struct Landed {
    outcome: Result<Reply, Failure>,
    /// Whether the backend failed, so that a reply from before is better than this.
    is_failure: bool,
}

/// A call to be fetched.
#[derive(Debug)]
struct Asked {
    call: Call,
    key: Key,
    rule: KeepingId,
    /// How the reply is kept, if it is.
    settings: Option<Settings>,
    tags: Box<[Box<str>]>,
    time: Duration,
    /// When the reply came that is to be replaced.
    seen: Option<Instant>,
}

/// Gets the reply to a call: cache, then coalescing.
///
/// # Errors
/// As [`super::run`], and no reply before the call's deadline.
pub(super) async fn run(calls: &Arc<Calls>, call: Call, mut keeping: Box<Keeping>) -> Result<Reply, Failure> {
    let Some(key) = key::of(&call, &mut keeping, &calls.shared) else {
        return made(calls, &call).await.outcome;
    };
    let Keeping { rule, share, tags, time, .. } = *keeping;
    let (store, now) = (calls.shared.replies(), Instant::now());
    let settings = calls.keeping(rule).cache.filter(|_| share == Share::Whole);
    let is_kept = settings.is_some();
    let found = if is_kept { store.find(key.as_ref(), now, fastrand::f64()) } else { None };
    let seen = found.as_ref().map(|(entry, _)| entry.kept().times.created);
    let asked =
        || Arc::new(Asked { call: call.clone(), key: key.clone(), rule, settings, tags: tags.clone(), time, seen });
    let spare = match found {
        Some((entry, State::Renewed)) => {
            if !entry.is_paused(now) {
                renew(calls, asked);
            }
            return Ok(hit(calls, &entry));
        }
        Some((entry, State::OnError)) if !entry.is_paused(now) => Some(entry),
        Some((entry, State::Fresh | State::OnError)) => return Ok(hit(calls, &entry)),
        Some((_, State::Gone)) | None => None,
    };
    if is_kept {
        store.count_miss();
    }
    let landed = joined(calls, &call, &asked).await;
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
fn renew(calls: &Arc<Calls>, asked: impl Fn() -> Arc<Asked>) {
    let asked = asked();
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
                return Landed { outcome: made(calls, call).await.outcome, is_failure: false };
            }
            Ok(Some(landed)) => return landed,
            Ok(None) => {}
            Err(_) => return failed(Cause::Timeout, "no reply within the deadline"),
        }
    }
    failed(Cause::Internal, "fetching the reply broke off again and again")
}

fn failed(cause: Cause, log: &'static str) -> Landed {
    Landed { outcome: Err(Failure::new(cause, log)), is_failure: true }
}

fn launch(calls: &Arc<Calls>, asked: Arc<Asked>, (pilot, forsaken): (Pilot<Key, Landed>, Forsaken)) {
    let calls = calls.clone();
    tokio::spawn(async move { pilot.fly(fetched(&calls, &asked), forsaken).await });
}

/// Fetches a reply, and keeps it if it may be kept.
async fn fetched(calls: &Calls, asked: &Asked) -> Landed {
    let (store, began) = (calls.shared.replies(), Instant::now());
    let settings = asked.settings;
    // Between the look at the store and the seat in this flight another may have landed.
    if settings.is_some()
        && let Some((entry, State::Fresh)) = store.find(asked.key.as_ref(), began, 1.0)
        && Some(entry.kept().times.created) != asked.seen
    {
        return Landed { outcome: Ok(entry.reply().clone()), is_failure: false };
    }
    let turn = store.turn();
    let deadline = Instant::now() + asked.time;
    let call = Call { deadline, given: asked.time, ..asked.call.clone() };
    let ended = made(calls, &call).await;
    let now = Instant::now();
    let is_failure = ended.is_failure();
    let Some(settings) = settings else { return Landed { outcome: ended.outcome, is_failure } };
    let sort = sort(&ended, &calls.keeping(asked.rule).expect);
    let times = sort.and_then(|sort| settings.times(sort, (now, now - began), fastrand::f64()));
    match (&ended.outcome, times) {
        (Ok(reply), Some(times)) => {
            let backend = calls.plan.backends[call.backend.index()].name.clone();
            let kept = Kept { reply: reply.detached(), times, backend, tags: asked.tags.clone(), turn };
            store.keep(asked.key.clone(), kept);
        }
        _ if is_failure => {
            if let Some((entry, _)) = store.find(asked.key.as_ref(), now, 1.0) {
                entry.pause(now);
            }
        }
        _ => store.forget(&asked.key),
    }
    Landed { outcome: ended.outcome, is_failure }
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

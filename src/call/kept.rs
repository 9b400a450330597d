//! Calls whose reply is kept or shared: what is kept serves, what is under way is waited for, what is neither is fetched.
//!
//! A fetch belongs to no request. It has a task of its own on the worker of whoever asked first, and the call's own time,
//! not what that request had left.

use std::sync::Arc;
use std::time::Duration;

use http::header::SET_COOKIE;
use tokio::time::Instant;

use super::attempt::Ended;
use super::said::{self, Doubted};
use super::{Calls, key, made};
use crate::base::call::{Call, Expect, Keeping, Reply, Request, Share};
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
    let takes_kept = is_kept && says.is_none_or(|says| says.takes_kept());
    let found = if takes_kept { store.find(key.as_ref(), now, fastrand::f64()) } else { None };
    let seen = found.as_ref().map(|(entry, _)| entry.clone());
    let asked = || {
        let (call, key, tags, seen) = (call.clone(), key.clone(), tags.clone(), seen.clone());
        Arc::new(Asked { call, key, keeping, rule, tags, time, seen })
    };
    let spare = match found {
        Some((entry, State::Renewed)) => {
            if !entry.is_paused(now) {
                renew(calls, asked);
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
    // Between the look at the store and the seat in this flight another may have landed.
    if asked.rule.is_some()
        && let Some((entry, State::Fresh)) = store.find(asked.key.as_ref(), began, 1.0)
        && asked.seen.as_ref().is_none_or(|seen| !Arc::ptr_eq(seen, &entry))
    {
        return Landed { outcome: Ok(entry.reply().clone()), is_failure: false };
    }
    let turn = store.turn();
    let deadline = Instant::now() + asked.time;
    let mut call = Call { deadline, given: asked.time, ..asked.call.clone() };
    let doubted = asked.seen.as_deref().filter(|_| asked.rule == Some(Rule::Said));
    let doubted = doubted.and_then(|entry| Doubted::ask(entry, &mut call));
    let mut ended = made(calls, &call).await;
    if let Some(doubted) = doubted {
        doubted.settle(&call, &mut ended);
    }
    let (now, is_failure) = (Instant::now(), ended.is_failure());
    let Some(rule) = asked.rule else { return Landed { outcome: ended.outcome, is_failure } };
    let times = times(rule, (asked, &ended, &calls.keeping(asked.keeping).expect), (now, now - began));
    match (&ended.outcome, times) {
        (Ok(reply), Some(times)) => {
            let backend = calls.plan.backends[call.backend.index()].name.clone();
            let kept = Kept { reply: reply.detached(), times, backend, tags: asked.all_tags(calls), turn };
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

impl Asked {
    /// The tags that its rule writes, and the name of its target where a write to that makes the reply wrong.
    fn all_tags(&self, calls: &Calls) -> Box<[Box<str>]> {
        match &self.call.request {
            Request::Rest(rest) if self.rule == Some(Rule::Said) => {
                let own = said::tag(calls.shared.stamp(self.call.backend), rest.target.as_str());
                self.tags.iter().cloned().chain([own]).collect()
            }
            _ => self.tags.clone(),
        }
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

//! The connection to the store: one for the process, kept by one task, which also writes what nobody waits for.
//!
//! One connection keeps the order: whoever asks after something was thrown away is answered after that. A store that went
//! away hears of what was thrown away meanwhile before anybody asks it again.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, FromRedisValue, Pipeline, RedisConnectionInfo};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use super::Seen;
use super::names::Label;
use super::replies::{Write, Writer, throw};
use crate::base::attempt::{Health, Load, Sample};
use crate::plan;
use crate::policy::breaker::Breaker;
use crate::policy::cache::{Purge, Turn};
use crate::transport::{Network, Reach, connect};

/// How long the task waits for the store, which nobody waits for.
const SLOW: Duration = Duration::from_secs(1);
/// How often it is asked whether it is there.
const BEAT: Duration = Duration::from_secs(1);
/// The pause before the first attempt to connect again; each is twice as long as the one before.
const SHORTEST: Duration = Duration::from_millis(50);
/// The longest.
const LONGEST: Duration = Duration::from_secs(1);
/// What may wait to be written.
const WAITING: usize = 1_024;
/// Bytes that this may hold.
const HELD: usize = 32 << 20;
/// What is written in one go at most.
const TOGETHER: usize = 64;
/// Purges that may wait; beyond them everything is thrown away.
const PURGES: usize = 10_000;

/// What those who ask and the task that keeps the connection share.
#[derive(Debug)]
pub(super) struct Link {
    plan: plan::Store,
    network: Network,
    breaker: Breaker,
    connection: ArcSwapOption<MultiplexedConnection>,
    /// What was thrown away and the store has not heard of, the oldest first.
    purges: Mutex<VecDeque<Thrown>>,
    /// That there are purges.
    purged: Notify,
    /// That there are none any more.
    settled: Notify,
    work: mpsc::Sender<Write>,
    held: AtomicUsize,
    pub(super) counts: Counts,
}

/// Something that was thrown away.
#[derive(Clone, Copy, Debug)]
struct Thrown {
    label: Label,
    /// The point before the oldest purge that this stands for.
    since: Turn,
    /// The point behind the newest.
    turn: Turn,
}

/// How often what became of questions.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) hits: AtomicU64,
    pub(super) misses: AtomicU64,
    errors: AtomicU64,
    skipped: AtomicU64,
    dropped: AtomicU64,
}

impl Link {
    /// No connection yet, and what is to be written once there is one.
    pub(super) fn new((plan, network): (plan::Store, Network), breaker: Breaker) -> (Self, mpsc::Receiver<Write>) {
        let (work, waiting) = mpsc::channel(WAITING);
        let link = Self {
            plan,
            network,
            breaker,
            connection: ArcSwapOption::empty(),
            purges: Mutex::default(),
            purged: Notify::new(),
            settled: Notify::new(),
            work,
            held: AtomicUsize::new(0),
            counts: Counts::default(),
        };
        (link, waiting)
    }

    pub(super) fn plan(&self) -> &plan::Store {
        &self.plan
    }

    /// Asks, if the breaker lets it; `None` where there is no answer until then.
    pub(super) async fn ask<T: FromRedisValue>(&self, asked: &Pipeline, until: Instant) -> Option<T> {
        let began = Instant::now();
        let Ok(permit) = self.breaker.admit(began) else {
            self.counts.skipped.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let answer = match self.connection.load_full() {
            None => None,
            Some(connection) => {
                let mut connection = (*connection).clone();
                timeout_at(until, asked.query_async(&mut connection)).await.ok().and_then(Result::ok)
            }
        };
        let now = Instant::now();
        let health = if answer.is_some() { Health::Success } else { Health::Hard };
        let sample = Sample { health, load: Load::Unsaid, took: now - began, pause: None };
        permit.settle(sample, now, fastrand::f64());
        if answer.is_none() {
            self.counts.errors.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }

    /// Tells it something, whatever the breaker says; `None` where it is away or does not answer in a second.
    pub(super) async fn tell<T: FromRedisValue>(&self, told: &Pipeline) -> Option<T> {
        let mut connection = (*self.connection.load_full()?).clone();
        timeout(SLOW, told.query_async(&mut connection)).await.ok()?.ok()
    }

    /// Has something written when there is time; not at all when too much is to be.
    pub(super) fn write(&self, write: Write) {
        let size = write.size();
        let is_too_much = self.held.fetch_add(size, Ordering::Relaxed) + size > HELD;
        if is_too_much || self.work.try_send(write).is_err() {
            self.held.fetch_sub(size, Ordering::Relaxed);
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Has something thrown away, here with `memory`, and in the store as soon as it can be told.
    pub(super) fn purge(&self, purge: Purge<'_>, memory: impl FnOnce() -> Turn) -> Turn {
        let label = Label::of(purge);
        let mut purges = self.purges();
        // Under the lock, so that purges wait in the order of their turns.
        let turn = memory();
        let thrown = Thrown { label, since: turn.before(), turn };
        match purges.front().filter(|_| purges.len() >= PURGES).copied() {
            None => purges.push_back(thrown),
            Some(oldest) => {
                purges.clear();
                purges.push_back(Thrown { label: Label::of(Purge::All), since: oldest.since, turn });
            }
        }
        drop(purges);
        self.purged.notify_one();
        turn
    }

    /// The point up to which the store has heard of purges, which is `now` where it has heard of all.
    pub(super) fn standing(&self, now: impl FnOnce() -> Turn) -> Turn {
        self.purges().front().map_or_else(now, |oldest| oldest.since)
    }

    pub(super) async fn settled(&self) {
        loop {
            let told = self.settled.notified();
            if self.purges().is_empty() {
                return;
            }
            told.await;
        }
    }

    pub(super) fn seen(&self) -> Seen {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Seen {
            place: self.plan.to_string(),
            is_there: self.connection.load().is_some(),
            breaker: self.breaker.seen(),
            hits: count(&self.counts.hits),
            misses: count(&self.counts.misses),
            errors: count(&self.counts.errors),
            skipped: count(&self.counts.skipped),
            dropped: count(&self.counts.dropped),
            purges: self.purges().len() as u64,
        }
    }

    fn purges(&self) -> MutexGuard<'_, VecDeque<Thrown>> {
        self.purges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the connection, and writes, for as long as it is polled.
pub(super) async fn drive(link: Arc<Link>, mut work: mpsc::Receiver<Write>) {
    let (mut away, mut pause) = (None, SHORTEST);
    loop {
        let why = match timeout(SLOW, open(&link)).await {
            Err(_) => "it does not answer".to_owned(),
            Ok(Err(why)) => why,
            Ok(Ok(connection)) => {
                pause = SHORTEST;
                let why = attend((&link, &mut work), connection, &mut away).await;
                link.connection.store(None);
                why
            }
        };
        if away.is_none() {
            away = Some(Instant::now());
            tracing::warn!(store = %link.plan, why, "the store is away: each replica goes by what it has itself");
        }
        sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
        pause = (pause * 2).min(LONGEST);
    }
}

/// A connection, and the task that reads and writes on it.
type Open = (MultiplexedConnection, AbortOnDropHandle<()>);

/// Connects; why not, if that cannot be.
async fn open(Link { plan, network, .. }: &Link) -> Result<Open, String> {
    let reach = Reach { address: plan.address.clone(), network: network.clone() };
    let stream = connect(&reach, &[]).await.map_err(|failure| failure.log.to_string())?;
    let mut known = RedisConnectionInfo::default().set_db(plan.database.into()).set_skip_set_lib_name();
    if let Some(user) = &plan.user {
        known = known.set_username(user);
    }
    if let Some(password) = &plan.password {
        known = known.set_password(password);
    }
    // Whoever asks knows how long.
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let opened = MultiplexedConnection::new_with_config(&known, stream, config).await;
    let (mut connection, driver) = opened.map_err(|error| error.to_string())?;
    let driver = AbortOnDropHandle::new(tokio::spawn(driver));
    redis::cmd("PING").exec_async(&mut connection).await.map_err(|error| error.to_string())?;
    Ok((connection, driver))
}

/// Tells the store what it missed, lets everybody ask, and writes; gives why that has come to an end.
async fn attend(
    (link, work): (&Link, &mut mpsc::Receiver<Write>),
    (mut connection, mut driver): Open,
    away: &mut Option<Instant>,
) -> String {
    if let Err(why) = throw_away(link, &mut connection).await {
        return why;
    }
    // What it did before it went away says nothing of it now.
    link.breaker.force(None);
    link.connection.store(Some(Arc::new(connection.clone())));
    if let Some(since) = away.take() {
        tracing::info!(store = %link.plan, away_ms = since.elapsed().as_millis() as u64, "the store is back");
    }
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut writer = Writer::default();
    loop {
        let mut some = Vec::new();
        let done = tokio::select! {
            biased;
            _ = &mut driver => return "the connection has ended".to_owned(),
            () = link.purged.notified() => throw_away(link, &mut connection).await,
            _ = beat.tick() => sent(redis::cmd("PING").exec_async(&mut connection)).await,
            _ = work.recv_many(&mut some, TOGETHER) => {
                link.held.fetch_sub(some.iter().map(Write::size).sum(), Ordering::Relaxed);
                writer.write(some, &mut connection).await
            }
        };
        if let Err(why) = done {
            return why;
        }
    }
}

/// Tells the store what was thrown away.
async fn throw_away(link: &Link, connection: &mut MultiplexedConnection) -> Result<(), String> {
    loop {
        let thrown: Vec<Thrown> = link.purges().iter().copied().collect();
        let Some(newest) = thrown.last() else {
            link.settled.notify_waiters();
            return Ok(());
        };
        sent(throw(thrown.iter().map(|thrown| thrown.label)).exec_async(connection)).await?;
        link.purges().retain(|waiting| waiting.turn > newest.turn);
    }
}

/// Waits for what nobody else waits for.
pub(super) async fn sent<T>(sending: impl Future<Output = redis::RedisResult<T>>) -> Result<T, String> {
    match timeout(SLOW, sending).await {
        Err(_) => Err("it does not answer".to_owned()),
        Ok(sent) => sent.map_err(|error| error.to_string()),
    }
}

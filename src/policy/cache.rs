//! Cache: for how long a kept reply is fresh, for how long it serves beyond that, and when it is fetched anew.
//!
//! What is kept is the reply as it was read, so that a hit is neither a copy nor a parse. Time and chance are handed in.

mod purge;
mod store;

use std::time::Duration;

use tokio::time::Instant;

pub use purge::{Purge, Turn};
pub use store::{Entry, Kept, Key, Seen, Store};

/// By how much the time of a kept reply is varied, up and down, so that what was fetched together does not end together.
const JITTER: f64 = 0.1;
/// For how long nothing is asked again after an answer that failed, while there is something to serve.
pub const PAUSE: Duration = Duration::from_secs(1);

/// By what replies are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// By what the composition says.
    Written(Settings),
    /// By what each reply says of itself.
    Said,
}

/// How replies are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a reply is fresh.
    pub ttl: Duration,
    /// How much longer it is served while a newer one is fetched.
    pub stale: Duration,
    /// How much longer it is served when the backend fails.
    pub on_error: Duration,
    /// How long it is kept that there is nothing.
    pub negative: Option<Duration>,
}

/// What a reply says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// It is a success.
    Success,
    /// There is nothing.
    Nothing,
}

/// The times of a kept reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// When it came.
    pub created: Instant,
    /// Until when it is fresh.
    pub fresh: Instant,
    /// Until when it is served while a newer one is fetched; not before `fresh`.
    pub stale: Instant,
    /// Until when it is served when the backend fails; not before `fresh`.
    pub on_error: Instant,
    /// Until when its backend can be asked whether it is still right, which is less than asking for all of it.
    pub askable: Instant,
    /// How long fetching it took.
    pub took: Duration,
}

/// What a kept reply is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is served.
    Fresh,
    /// It is served, and a newer one fetched behind it.
    Renewed,
    /// It is served if the backend fails.
    OnError,
    /// It is served if the backend says that it is still right.
    Askable,
    /// Nothing.
    Gone,
}

impl Settings {
    /// The times of a reply that came at `created` after `took`; `None` for one that is not kept. `chance` is from 0 to 1.
    pub fn times(&self, sort: Sort, (created, took): (Instant, Duration), chance: f64) -> Option<Times> {
        let (ttl, stale, on_error) = match sort {
            Sort::Success => (self.ttl, self.stale, self.on_error),
            Sort::Nothing => (self.negative?, Duration::ZERO, Duration::ZERO),
        };
        let fresh = created + ttl.mul_f64(1.0 - JITTER + 2.0 * JITTER * chance);
        Some(Times { created, fresh, stale: fresh + stale, on_error: fresh + on_error, askable: created, took })
    }
}

impl Times {
    /// What the reply is good for at a time. `chance` is above 0, and 1 at most.
    ///
    /// The nearer the end and the longer it takes to fetch, the sooner one of many requests fetches it anew, so that
    /// few find it gone. Source: Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention",
    /// VLDB 2015, with β = 1.
    pub fn state(&self, now: Instant, chance: f64) -> State {
        if now < self.fresh {
            let early = self.took.mul_f64(-chance.clamp(f64::MIN_POSITIVE, 1.0).ln());
            return if early >= self.fresh - now { State::Renewed } else { State::Fresh };
        }
        match now {
            now if now < self.stale => State::Renewed,
            now if now < self.on_error => State::OnError,
            now if now < self.askable => State::Askable,
            _ => State::Gone,
        }
    }

    /// Whether the reply is served when the backend fails.
    pub fn serves_on_error(&self, now: Instant) -> bool {
        now < self.stale.max(self.on_error)
    }

    /// How much longer it is good for anything.
    pub fn left(&self, now: Instant) -> Duration {
        self.stale.max(self.on_error).max(self.askable).saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests;

//! The store that replicas share, a Redis: the second level of kept replies, and the answers of requests that are sent again.
//!
//! **Invariant:** nothing depends on it. It is asked within [`PATIENCE`], its breaker stops asking one that fails, and
//! where it has no answer things are as they are without it. What is written is written behind, by one task that also
//! keeps the connection (`link`). No part of a request stands in it in clear: names are digests.

mod claims;
mod link;
mod names;
mod replies;
mod reply;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::AbortOnDropHandle;

use crate::plan;
use crate::policy::breaker::{self, Breaker};
use crate::policy::cache::{self, Turn};
use crate::transport::Network;
use link::Link;

pub use claims::{Claim, Claimed};
pub use names::{Digest, Name, digest};
pub use replies::{Known, Question, Seals};

/// How long anybody waits for it.
pub const PATIENCE: Duration = Duration::from_millis(20);

/// The store as the gateway knows it; the task that keeps the connection ends with it.
#[derive(Debug)]
pub struct Store {
    link: Arc<Link>,
    _driver: AbortOnDropHandle<()>,
}

/// What operators see of a store.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Where it is.
    pub place: String,
    /// Whether there is a connection to it.
    pub is_there: bool,
    /// How its breaker stands.
    pub breaker: breaker::Seen,
    /// Replies that were asked for and found.
    pub hits: u64,
    /// Replies that were asked for and not found.
    pub misses: u64,
    /// Questions that it did not answer, or not in time.
    pub errors: u64,
    /// Questions that it was not asked, because it failed before.
    pub skipped: u64,
    /// Replies that were not written to it, because too many were to be written.
    pub dropped: u64,
    /// Purges that it has not heard of yet.
    pub purges: u64,
}

impl Store {
    /// Begins to connect, on the runtime of whoever calls.
    pub fn open(plan: &plan::Store, network: &Network) -> Self {
        let (link, work) = Link::new((plan.clone(), network.clone()), Breaker::new(settings()));
        let link = Arc::new(link);
        let driver = AbortOnDropHandle::new(tokio::spawn(link::drive(link.clone(), work)));
        Self { link, _driver: driver }
    }

    /// Where it is, and as whom the gateway asks.
    pub fn plan(&self) -> &plan::Store {
        self.link.plan()
    }

    /// Throws kept replies away in memory, and for all replicas; gives the point behind that.
    pub fn purge(&self, memory: &cache::Store, purge: cache::Purge<'_>, now: tokio::time::Instant) -> Turn {
        self.link.purge(purge, || memory.purge(purge, now))
    }

    /// Waits until it has heard of everything that was thrown away up to now.
    pub async fn settled(&self) {
        self.link.settled().await;
    }

    /// How it stands.
    pub fn seen(&self) -> Seen {
        self.link.seen()
    }
}

/// When it is not asked any more: whoever waits loses what it was to save.
fn settings() -> breaker::Settings {
    breaker::Settings {
        failures: 0.5,
        of: 20,
        within: Duration::from_secs(10),
        consecutive: 5,
        slow: None,
        open: Duration::from_secs(1),
        max_open: Duration::from_secs(10),
        probes: 1,
        patience: Duration::from_secs(1),
    }
}

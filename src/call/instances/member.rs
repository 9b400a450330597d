//! One of several addresses: what is known of it, and what an attempt holds of it while it is under way.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Clients, Group};
use crate::base::attempt::{Health, Sample};
use crate::plan::{Address, Balance};
use crate::policy::affinity::{opaque_id, stable_hash};
use crate::policy::eject::Ejection;
use crate::policy::health::Wellness;
use crate::policy::latency::Latency;
use crate::transport::Instance;

/// The share that an address gets which has just joined or come back.
const COLD: f64 = 0.1;

/// One of several addresses, as all workers share it.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) address: Address,
    /// The hash of where it is: what affinity goes by.
    name: u64,
    /// What it is called in the cookies of clients that are to stay at it; `None` where none are.
    pub(super) id: Option<NonZeroU64>,
    /// Its bit among those that a call has tried. Beyond 64 addresses some share one, and may be passed over for it.
    pub(super) mark: u64,
    latency: Latency,
    /// Attempts that are under way.
    under_way: AtomicU32,
    /// Whether it is left out; `None` where nothing ever is.
    pub(super) ejection: Option<Ejection>,
    /// What asks it whether it is well, and what it says; `None` where nobody asks.
    pub(super) checked: Option<(Instance, Wellness)>,
    /// Since when it warms up; `None` once it is warm.
    joined: Mutex<Option<Instant>>,
    /// Its connections, by worker.
    clients: Box<[Instance]>,
}

/// An address as operators see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Where it is.
    pub address: String,
    /// What is known of it, if it is one of several.
    pub known: Option<Known>,
}

/// What is known of one of several addresses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// Attempts that are under way.
    pub under_way: u32,
    /// How long a call probably takes.
    pub latency: Duration,
    /// Whether it says that it is not well.
    pub is_unwell: bool,
    /// How long it is still left out; zero where a call may try it.
    pub out_for: Option<Duration>,
}

impl Member {
    pub(super) fn new(address: &Address, (number, balance): (u64, &Balance), clients: &Clients, now: Instant) -> Self {
        Self {
            address: address.clone(),
            name: stable_hash(address.location.as_str().as_bytes()),
            id: balance.sticky.as_ref().map(|sticky| opaque_id(&sticky.of, &address.to_string())),
            mark: 1 << (number % 64),
            latency: Latency::new(now),
            under_way: AtomicU32::new(0),
            ejection: balance.eject.map(Ejection::new),
            checked: balance.health.as_ref().map(|check| (clients.one_at(address), Wellness::new(check.settings))),
            joined: Mutex::new(None),
            clients: clients.at(address),
        }
    }

    /// Whether it gets calls.
    pub(super) fn is_open(&self) -> bool {
        !self.is_out() && !self.is_unwell()
    }

    /// Whether it says that it is not well.
    fn is_unwell(&self) -> bool {
        self.checked.as_ref().is_some_and(|(_, wellness)| wellness.is_unwell())
    }

    /// Whether it is left out because it failed.
    pub(super) fn is_out(&self) -> bool {
        self.ejection.as_ref().is_some_and(Ejection::is_out)
    }

    /// When a call may try it, if it is left out and not unwell besides.
    pub(super) fn until(&self) -> Option<Instant> {
        self.ejection.as_ref().filter(|ejection| ejection.is_out() && !self.is_unwell())?.until()
    }

    /// Takes the right to try it, if its time is over.
    pub(super) fn try_again(&self, now: Instant) -> bool {
        self.ejection.as_ref().is_some_and(|ejection| ejection.is_out() && !self.is_unwell() && ejection.try_again(now))
    }

    /// How many calls it has, with one more, for its weight.
    pub(super) fn requests(&self) -> f64 {
        f64::from(self.under_way.load(Ordering::Relaxed).saturating_add(1)) / f64::from(self.address.weight)
    }

    /// How long it takes for those calls.
    pub(super) fn load(&self, now: Instant) -> f64 {
        self.requests() * self.latency.estimate(now).as_secs_f64()
    }

    /// What affinity goes by.
    pub(super) fn scored(&self, position: usize) -> (usize, u64, f64) {
        (position, self.name, f64::from(self.address.weight))
    }

    /// It begins to take its share anew.
    pub(super) fn warms_up(&self, now: Instant) {
        *self.joined.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// Which part of its share it takes, from 0 to 1.
    pub(super) fn warmth(&self, now: Instant, slow_start: Duration) -> f64 {
        let mut joined = self.joined.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(since) = *joined else { return 1.0 };
        let warmth = now.saturating_duration_since(since).as_secs_f64() / slow_start.as_secs_f64();
        if warmth >= 1.0 {
            *joined = None;
        }
        warmth.clamp(COLD, 1.0)
    }

    /// How operators see it.
    pub(super) fn seen(&self, now: Instant) -> Seen {
        let known = Known {
            under_way: self.under_way.load(Ordering::Relaxed),
            latency: self.latency.estimate(now),
            is_unwell: self.is_unwell(),
            out_for: self.until().map(|until| until.saturating_duration_since(now)),
        };
        Seen { known: Some(known), ..Seen::only(&self.address) }
    }
}

impl Seen {
    /// The only address of a backend.
    pub(super) fn only(address: &Address) -> Self {
        Self { address: address.to_string(), known: None }
    }

    /// In one word: it gets calls, says that it is not well, or is left out because it failed.
    pub fn state(&self) -> &'static str {
        match self.known {
            Some(Known { is_unwell: true, .. }) => "unhealthy",
            Some(Known { out_for: Some(_), .. }) => "ejected",
            _ => "available",
        }
    }
}

/// An attempt at one of several addresses.
#[derive(Debug)]
pub(in crate::call) struct UnderWay<'g> {
    group: &'g Group,
    member: Arc<Member>,
    worker: usize,
    /// Whether it tries an address that was left out.
    is_try: bool,
    began: Instant,
    is_settled: bool,
}

impl<'g> UnderWay<'g> {
    pub(super) fn begin(group: &'g Group, (member, is_try): (Arc<Member>, bool), worker: usize, now: Instant) -> Self {
        member.under_way.fetch_add(1, Ordering::Relaxed);
        Self { group, member, worker, is_try, began: now, is_settled: false }
    }

    pub(super) fn instance(&self) -> &Instance {
        &self.member.clients[self.worker]
    }

    /// The number of its address.
    #[cfg(test)]
    pub(super) fn number(&self) -> usize {
        self.member.mark.trailing_zeros() as usize
    }

    pub(super) fn settle(mut self, Sample { health, took, .. }: Sample, now: Instant) {
        self.is_settled = true;
        match health {
            Health::Success => self.member.latency.count(took, now),
            Health::Hard | Health::Soft => self.member.latency.count_failure(took, now),
            Health::Neutral => self.member.latency.count_at_least(took, now),
        }
        self.group.count(&self.member, (health, now), self.is_try);
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.member.under_way.fetch_sub(1, Ordering::Relaxed);
        if !self.is_settled {
            let now = Instant::now();
            self.member.latency.count_at_least(now.saturating_duration_since(self.began), now);
            self.group.count(&self.member, (Health::Neutral, now), self.is_try);
        }
    }
}

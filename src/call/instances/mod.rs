//! The addresses of a backend: how each of them does, as all workers share it, and which of them gets an attempt.
//!
//! What is known of an address belongs to all workers; the connections to it are one worker's each. A backend with one
//! address has none of this on its way: there is nothing to choose, and leaving out the only one would help nobody.

mod discover;
mod member;
mod tend;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::time::Instant;

use crate::base::anchor::Anchor;
use crate::base::attempt::{Health, Sample};
use crate::base::failure::{Cause, Failure};
use crate::plan::{Address, Backend, Balance};
use crate::policy::affinity;
use crate::policy::balance::{Algorithm, Wheel};
use crate::policy::eject::Change;
use crate::policy::outlook::{Look, Outlook};
use crate::transport::{Instance, Network};
pub use member::{Known, Seen};
use member::{Member, UnderWay};
use tend::Tending;

/// What makes connections to addresses.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    /// How many workers there are, each with connections of its own.
    pub workers: usize,
    /// Where addresses are.
    pub network: Network,
}

/// The addresses of one backend.
#[derive(Debug)]
pub(super) enum Instances {
    /// One, which gets every call.
    Only {
        /// Where it is.
        address: Address,
        /// Its connections, by worker.
        clients: Box<[Instance]>,
    },
    /// Several, or as many as are found.
    Several {
        /// What is known of them.
        group: Arc<Group>,
        /// What is done for them beside calls.
        tending: Tending,
    },
}

/// Several addresses, of which one is chosen for each attempt.
#[derive(Debug)]
pub(super) struct Group {
    balance: Balance,
    clients: Clients,
    began: Instant,
    /// How many members there have been.
    joined: AtomicU64,
    set: ArcSwap<Set>,
    /// Calls that took turns so far.
    turn: AtomicU64,
    /// Of its members together, in milliseconds since it began.
    outlook: Outlook,
}

/// The addresses that there are.
#[derive(Debug)]
struct Set {
    members: Box<[Arc<Member>]>,
    wheel: Wheel,
}

/// The attempts of one call so far.
#[derive(Debug, Default)]
pub(super) struct Tried {
    /// The addresses that they went to: another attempt rather goes elsewhere.
    marks: AtomicU64,
    /// How many they are.
    count: AtomicU32,
}

impl Tried {
    /// Takes note of another attempt; how many there were before it.
    pub(super) fn begin(&self) -> u32 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }
}

/// What decides where an attempt goes.
#[derive(Clone, Copy)]
pub(super) struct Asking<'t> {
    /// Who asks.
    pub(super) worker: usize,
    /// Calls that agree in this go to the same address.
    pub(super) affinity: Option<u64>,
    /// Where those of one client stay.
    pub(super) anchor: Option<&'t Anchor>,
    /// Where the call's attempts went so far.
    pub(super) tried: &'t Tried,
}

/// The address that an attempt goes to. Dropped without a verdict, it says that the attempt took so long at least.
#[derive(Debug)]
#[must_use]
pub(super) enum Chosen<'i> {
    /// The only one.
    Only(&'i Instance),
    /// One of several.
    Of(UnderWay<'i>),
}

impl Instances {
    /// The addresses of a backend, of which nothing is known yet.
    pub(super) fn new(backend: &Backend, clients: &Clients) -> Self {
        if let ([address], None) = (&*backend.addresses, &backend.discover) {
            return Self::Only { address: address.clone(), clients: clients.at(address) };
        }
        let group = Arc::new(Group::new(&backend.balance, &backend.addresses, clients));
        let tending = Tending::of(&group, backend.discover.as_ref());
        Self::Several { group, tending }
    }

    /// The address for an attempt.
    ///
    /// # Errors
    /// None is known.
    pub(super) fn choose(&self, asking: Asking<'_>, now: Instant) -> Result<Chosen<'_>, Failure> {
        match self {
            Self::Only { clients, .. } => Ok(Chosen::Only(&clients[asking.worker])),
            Self::Several { group, .. } => {
                let (member, is_try) = group
                    .choose(asking, now)
                    .ok_or_else(|| Failure::new(Cause::ConnectFailed, "no address of the backend is known"))?;
                asking.tried.marks.fetch_or(member.mark, Ordering::Relaxed);
                Ok(Chosen::Of(UnderWay::begin(group, (member, is_try), asking.worker, now)))
            }
        }
    }

    /// Waits until those that are found while the gateway runs were looked for once.
    pub(super) async fn looked(&self) {
        if let Self::Several { tending, .. } = self {
            tending.looked().await;
        }
    }

    /// Each of them, as operators see it.
    pub(super) fn seen(&self) -> Vec<Seen> {
        match self {
            Self::Only { address, .. } => vec![Seen::only(address)],
            Self::Several { group, .. } => {
                let (now, set) = (Instant::now(), group.set.load());
                set.members.iter().map(|member| member.seen(now)).collect()
            }
        }
    }
}

impl Chosen<'_> {
    /// Its connections.
    pub(super) fn instance(&self) -> &Instance {
        match self {
            Self::Only(instance) => instance,
            Self::Of(under_way) => under_way.instance(),
        }
    }

    /// Says how the attempt went.
    pub(super) fn settle(self, sample: Sample, now: Instant) {
        if let Self::Of(under_way) = self {
            under_way.settle(sample, now);
        }
    }
}

impl Group {
    fn new(balance: &Balance, addresses: &[Address], clients: &Clients) -> Self {
        let began = Instant::now();
        let member = |(number, address): (usize, &Address)| {
            Arc::new(Member::new(address, (number as u64, balance), clients, began))
        };
        let set = Set::of(addresses.iter().enumerate().map(member).collect());
        Self {
            balance: balance.clone(),
            clients: clients.clone(),
            began,
            joined: AtomicU64::new(addresses.len() as u64),
            set: ArcSwap::from_pointee(set),
            turn: AtomicU64::new(0),
            outlook: Outlook::new(),
        }
    }

    /// Goes on with these addresses. Those that stay keep what is known of them and their connections; calls that are under
    /// way at one that leaves come to their end.
    fn replace(&self, addresses: &[Address]) {
        let (before, now) = (self.set.load(), Instant::now());
        if before.members.iter().map(|member| &member.address).eq(addresses) {
            return;
        }
        let member = |address: &Address| {
            let known = before.members.iter().find(|member| member.address == *address);
            known.cloned().unwrap_or_else(|| {
                let number = self.joined.fetch_add(1, Ordering::Relaxed);
                let member = Member::new(address, (number, &self.balance), &self.clients, now);
                member.warms_up(now);
                Arc::new(member)
            })
        };
        self.set.store(Arc::new(Set::of(addresses.iter().map(member).collect())));
        self.look();
    }

    /// An address, and whether the call tries whether it is well again.
    ///
    /// That where the client is to stay comes first, while it is available. Else the client is to stay at the one that is
    /// chosen; but not for a further attempt of the call, which goes elsewhere only to get an answer.
    fn choose(&self, asking: Asking<'_>, now: Instant) -> Option<(Arc<Member>, bool)> {
        let set = self.set.load();
        let Some(anchor) = asking.anchor else { return self.choose_any(&set, asking, now) };
        let at = anchor.at();
        let home = set.members.iter().find(|member| member.id.is_some() && member.id == at && self.is_open(member));
        if let Some(home) = home {
            let is_tried = home.mark & asking.tried.marks.load(Ordering::Relaxed) != 0;
            return if is_tried { self.choose_any(&set, asking, now) } else { Some((home.clone(), false)) };
        }
        let (chosen, is_try) = self.choose_any(&set, asking, now)?;
        if let Some(id) = chosen.id {
            anchor.moor(at, id);
        }
        Some((chosen, is_try))
    }

    /// One that is available and was not tried by this call comes first, then one that is available, then any.
    fn choose_any(&self, set: &Set, asking: Asking<'_>, now: Instant) -> Option<(Arc<Member>, bool)> {
        let members = &set.members;
        let tried = asking.tried.marks.load(Ordering::Relaxed);
        let is_new = |position: usize| members[position].mark & tried == 0;
        if self.outlook.is_due(self.millis(now))
            && let Some(member) = self.due(set, now)
        {
            return Some((member, true));
        }
        let is_open = |position: usize| self.is_open(&members[position]);
        let pick = |is_free: &dyn Fn(usize) -> bool| self.pick(set, asking.affinity, now, is_free);
        let position = pick(&|position| is_open(position) && is_new(position))
            .or_else(|| pick(&is_open))
            .or_else(|| pick(&|_| true))?;
        Some((members[position].clone(), false))
    }

    /// Whether an address gets calls.
    fn is_open(&self, member: &Member) -> bool {
        member.is_open() || self.outlook.is_panicking()
    }

    fn pick(&self, set: &Set, affinity: Option<u64>, now: Instant, is_free: &dyn Fn(usize) -> bool) -> Option<usize> {
        let members = &set.members;
        if let Some(key) = affinity {
            let free = (0..members.len()).filter(|position| is_free(*position));
            return affinity::nearest(key, free.map(|position| members[position].scored(position)));
        }
        // One that warms up is passed over as often as its share lacks.
        let is_warm = |position: usize| {
            is_free(position) && fastrand::f64() < members[position].warmth(now, self.balance.slow_start)
        };
        let slowly = if self.balance.slow_start.is_zero() { None } else { self.draw(set, now, &is_warm) };
        slowly.or_else(|| self.draw(set, now, is_free))
    }

    fn draw(&self, set: &Set, now: Instant, is_free: &dyn Fn(usize) -> bool) -> Option<usize> {
        let Set { members, wheel } = set;
        let any = || fastrand::u64(..);
        match self.balance.algorithm {
            Algorithm::RoundRobin => wheel.draw(|| self.turn.fetch_add(1, Ordering::Relaxed), is_free),
            Algorithm::Random => wheel.draw(any, is_free),
            Algorithm::LeastRequests => wheel.better_of_two(any, is_free, |position| members[position].requests()),
            Algorithm::LeastLoaded => wheel.better_of_two(any, is_free, |position| members[position].load(now)),
        }
    }

    /// An address that is left out and that a call may try now.
    fn due(&self, set: &Set, now: Instant) -> Option<Arc<Member>> {
        let found = set.members.iter().find(|member| member.try_again(now)).cloned();
        self.look();
        found
    }

    /// Whether another address may be left out.
    fn may_leave_out(&self) -> bool {
        let set = self.set.load();
        let out = set.members.iter().filter(|member| member.is_out()).count();
        self.balance.eject.is_some_and(|settings| out < settings.limit(set.members.len()))
    }

    /// Counts an attempt that is over.
    fn count(&self, member: &Member, (health, now): (Health, Instant), is_try: bool) {
        let Some(ejection) = &member.ejection else { return };
        let change = match (is_try, health) {
            (true, _) => ejection.settle_try(health, now),
            (false, Health::Hard) => {
                let _alone = self.outlook.alone();
                ejection.count(health, now, || self.may_leave_out())
            }
            (false, _) => ejection.count(health, now, || false),
        };
        if change == Some(Change::Back) {
            member.warms_up(now);
        }
        if change.is_some() {
            self.look();
        }
    }

    /// Finds out anew what follows from the states of all addresses.
    fn look(&self) {
        self.outlook.renew(|| {
            let set = self.set.load();
            let open = set.members.iter().filter(|member| member.is_open()).count();
            let next_try = set.members.iter().filter_map(|member| member.until()).min();
            Look { all: set.members.len(), open, next_try: next_try.map(|next| self.millis(next)) }
        });
    }

    /// Rounded up, so that what is due by this is due.
    fn millis(&self, instant: Instant) -> u64 {
        let since = instant.saturating_duration_since(self.began) + Duration::from_nanos(999_999);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

impl Set {
    fn of(members: Box<[Arc<Member>]>) -> Self {
        let weights: Vec<u32> = members.iter().map(|member| member.address.weight).collect();
        Self { members, wheel: Wheel::new(&weights) }
    }
}

/// A tenth more or less, so that many gateways do not ask at the same time.
fn varied(time: Duration) -> Duration {
    time.mul_f64(0.9 + 0.2 * fastrand::f64())
}

impl Clients {
    /// Of so many workers, in the network of this machine.
    pub fn of(workers: usize) -> Self {
        Self { workers, network: Network::default() }
    }

    /// For the same workers, in the network of this machine with these name servers.
    pub(super) fn asking(&self, servers: &[SocketAddr]) -> Self {
        Self { workers: self.workers, network: Network::asking(servers) }
    }

    /// Those of an address, by worker.
    fn at(&self, address: &Address) -> Box<[Instance]> {
        (0..self.workers).map(|_| self.one_at(address)).collect()
    }

    /// One of an address that is nobody's.
    fn one_at(&self, address: &Address) -> Instance {
        Instance::new(address, &self.network)
    }
}

//! The states of policies: they belong to backends, and every worker, endpoint and field that uses a backend shares them.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::instances::{Clients, Instances, Seen};
use super::kept::Landed;
use super::meaning::Meanings;
use crate::base::id::{BackendId, BreakerId, BudgetId, BulkheadId, KeepingId};
use crate::base::room::Room;
use crate::plan::{Owned, Plan, Succession};
use crate::policy::breaker::{self, Breaker, Forced};
use crate::policy::budget::{self, Budget};
use crate::policy::bulkhead::{self, Bulkhead};
use crate::policy::cache::{Key, Purge, Store};
use crate::policy::flight::Flights;
use crate::policy::hedge::Times;
use crate::policy::http_cache;
use crate::store;

/// The running policies of a plan.
#[derive(Debug, Default)]
pub struct Shared {
    breakers: States<breaker::Settings, Breaker>,
    bulkheads: States<bulkhead::Settings, Bulkhead>,
    budgets: States<budget::Settings, Budget>,
    times: Vec<Arc<Times>>,
    /// Each with the name of its backend.
    instances: Vec<(Box<str>, Arc<Instances>)>,
    http_replies: Arc<http_cache::Store>,
    replies: Arc<Store>,
    flights: Arc<Flights<Key, Landed>>,
    names: Names,
    clients: Clients,
    /// Where replies and answers are shared with other replicas, and how they are named there.
    store: Option<Arc<store::Store>>,
    meanings: Meanings,
    room: Arc<Room>,
}

/// Numbers in keys of replies. None ever stands for two things, whatever plans come and go.
#[derive(Debug, Default)]
struct Names {
    /// The next that is free.
    next: u64,
    /// Of backends, by `BackendId`.
    backends: Vec<u64>,
    /// Of the rules by which replies are kept, by their portraits. What contracts promise is part of a rule.
    portraits: HashMap<Box<str>, u64>,
    /// The same by `KeepingId`.
    rules: Vec<u64>,
}

/// The states of one kind of policy, each with what it is made from.
type States<S, T> = Vec<(Owned<S>, Arc<T>)>;

/// A bulkhead as operators see it.
#[derive(Clone, Debug)]
pub struct BulkheadSeen<'s> {
    /// Where it is written.
    pub owner: &'s str,
    /// How it stands.
    pub seen: bulkhead::Seen,
}

/// A breaker as operators see it.
#[derive(Clone, Debug)]
pub struct BreakerSeen<'s> {
    /// Where it is written.
    pub owner: &'s str,
    /// How it stands.
    pub seen: breaker::Seen,
}

impl Shared {
    /// The states as they are before the first call, with what makes connections from now on.
    pub fn new(plan: &Plan, clients: Clients) -> Self {
        Self::succeeding(plan, (&Succession::first(plan), &Self { clients, ..Self::default() }))
    }

    /// The states of a plan that follows on another: those of backends that stay the same, with settings that stay the
    /// same, go on.
    pub fn succeeding(plan: &Plan, (succession, previous): (&Succession, &Self)) -> Self {
        let (around, now) = (&plan.around, Instant::now());
        let breaker = |settings: &breaker::Settings| Breaker::new(settings.clone());
        // Where other name servers are asked, backends may be elsewhere.
        let (clients, reached) = match previous.clients.network.asks(&plan.gateway.name_servers) {
            true => (previous.clients.clone(), succession.clone()),
            false => (previous.clients.asking(&plan.gateway.name_servers), Succession::first(plan)),
        };
        let instances = |id: BackendId| {
            let backend = &plan.backends[id.index()];
            (backend.to_string().into(), Arc::new(Instances::new(backend, &clients)))
        };
        Self {
            breakers: carried(&around.breakers, (succession, &previous.breakers), breaker),
            bulkheads: carried(&around.bulkheads, (succession, &previous.bulkheads), |it| Bulkhead::new(*it)),
            budgets: carried(&around.budgets, (succession, &previous.budgets), |it| Budget::new(*it, now)),
            times: succession.carry(&previous.times, |_| Arc::new(Times::new(now))),
            instances: reached.carry(&previous.instances, instances),
            http_replies: match previous.http_replies.capacity() == plan.gateway.cache_size {
                true => previous.http_replies.clone(),
                false => Arc::new(http_cache::Store::new(plan.gateway.cache_size)),
            },
            replies: match previous.replies.capacity() == plan.gateway.cache_size {
                true => previous.replies.clone(),
                false => Arc::new(previous.replies.resized(plan.gateway.cache_size)),
            },
            flights: previous.flights.clone(),
            names: previous.names.followed_by(plan, succession),
            store: plan.gateway.store.as_ref().map(|wanted| match &previous.store {
                Some(store) if store.plan() == wanted => store.clone(),
                _ => Arc::new(store::Store::open(wanted, &clients.network)),
            }),
            clients,
            meanings: Meanings::of(plan),
            room: previous.room.clone(),
        }
    }

    /// The breakers, in the order of the plan.
    pub fn breakers(&self) -> impl Iterator<Item = BreakerSeen<'_>> {
        self.breakers.iter().map(|(owned, breaker)| BreakerSeen { owner: &owned.owner, seen: breaker.seen() })
    }

    /// The bulkheads, in the order of the plan.
    pub fn bulkheads(&self) -> impl Iterator<Item = BulkheadSeen<'_>> {
        self.bulkheads.iter().map(|(owned, bulkhead)| BulkheadSeen { owner: &owned.owner, seen: bulkhead.seen() })
    }

    /// Lets operators decide over the breakers that are written at `owner`; says whether there are any.
    pub fn force(&self, owner: &str, forced: Option<Forced>) -> bool {
        let mut found = false;
        for (_, breaker) in self.breakers.iter().filter(|(owned, _)| *owned.owner == *owner) {
            breaker.force(forced);
            found = true;
        }
        found
    }

    /// The addresses of every backend, in the order of the plan.
    pub fn addresses(&self) -> impl Iterator<Item = (&str, Vec<Seen>)> {
        self.instances.iter().map(|(backend, instances)| (&**backend, instances.seen()))
    }

    /// Waits until addresses that are found while the gateway runs were looked for once, everywhere.
    pub async fn looked(&self) {
        join_all(self.instances.iter().map(|(_, instances)| instances.looked())).await;
    }

    pub(super) fn instances(&self, backend: BackendId) -> &Instances {
        &self.instances[backend.index()].1
    }

    /// The room that the bodies of all requests and replies share.
    pub fn room(&self) -> &Arc<Room> {
        &self.room
    }

    /// The replies that the HTTP cache keeps.
    pub(super) fn http_replies(&self) -> &Arc<http_cache::Store> {
        &self.http_replies
    }

    /// The replies that are kept.
    pub fn replies(&self) -> &Store {
        &self.replies
    }

    /// Throws kept replies away, and those that are under way now, here and for all replicas that share a store.
    pub fn purge(&self, purge: Purge<'_>) {
        let now = Instant::now();
        match &self.store {
            Some(store) => store.purge(&self.replies, purge, now),
            None => self.replies.purge(purge, now),
        };
    }

    /// Where replies and answers are shared with other replicas.
    pub fn store(&self) -> Option<&Arc<store::Store>> {
        self.store.as_ref()
    }

    /// How replies are named there.
    pub(super) fn meanings(&self) -> &Meanings {
        &self.meanings
    }

    /// How many calls shared one that was under way.
    pub fn coalesced(&self) -> u64 {
        self.flights.joined()
    }

    pub(super) fn flights(&self) -> &Arc<Flights<Key, Landed>> {
        &self.flights
    }

    /// What stands in keys for a backend.
    pub(super) fn stamp(&self, backend: BackendId) -> u64 {
        self.names.backends[backend.index()]
    }

    /// What stands in keys for a rule by which replies are kept.
    pub(super) fn portrait(&self, rule: KeepingId) -> u64 {
        self.names.rules[rule.index()]
    }

    pub(super) fn breaker(&self, id: BreakerId) -> &Breaker {
        &self.breakers[id.index()].1
    }

    pub(super) fn bulkhead(&self, id: BulkheadId) -> &Bulkhead {
        &self.bulkheads[id.index()].1
    }

    pub(super) fn budget(&self, id: BudgetId) -> &Budget {
        &self.budgets[id.index()].1
    }

    pub(super) fn times(&self, backend: BackendId) -> &Times {
        &self.times[backend.index()]
    }
}

impl Names {
    /// Those of a plan that follows on another: what stays the same keeps its number.
    fn followed_by(&self, plan: &Plan, succession: &Succession) -> Self {
        let mut next = self.next;
        let mut new = || {
            next += 1;
            next
        };
        let backends = succession.carry(&self.backends, |_| new());
        let mut portraits: HashMap<Box<str>, u64> = HashMap::new();
        let mut rule = |portrait: &str| {
            let before = || self.portraits.get(portrait).filter(|_| succession.is_promised_alike());
            let known = portraits.get(portrait).or_else(before).copied();
            let number = known.unwrap_or_else(&mut new);
            portraits.insert(portrait.into(), number);
            number
        };
        let rules = plan.around.keeping.iter().map(|keeping| rule(&keeping.portrait)).collect();
        Self { next, backends, portraits, rules }
    }
}

/// A state for each of a table: the one before where it belongs to the same backend, stands at the same place and goes
/// by the same settings; else a new one.
fn carried<S: Clone + PartialEq, T>(
    table: &[Owned<S>],
    (succession, previous): (&Succession, &States<S, T>),
    new: impl Fn(&S) -> T,
) -> States<S, T> {
    let state = |owned: &Owned<S>| {
        let before = succession.predecessor(owned.backend).and_then(|backend| {
            let same = Owned { backend, ..owned.clone() };
            previous.iter().find(|(known, _)| *known == same)
        });
        let state = before.map_or_else(|| Arc::new(new(&owned.settings)), |(_, state)| state.clone());
        (owned.clone(), state)
    };
    table.iter().map(state).collect()
}

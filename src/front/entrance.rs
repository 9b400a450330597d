//! The way in: which doors requests go through now.
//!
//! A reload puts the doors to a new plan in the place of all others at once. A request that is under way holds the door
//! that it came through, and ends on the plan that it began with; the last of them frees what was replaced.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use http::{HeaderValue, Request, Response};

use super::door::Door;
use super::listen::{AnswerBody, Handler, Peer, Refused, RequestBody};
use crate::call::{Clients, Shared};
use crate::observe::drift::Drift;
use crate::plan::{Plan, ServerTls};
use crate::policy::overload::Overload;

/// How long doors stay closed for addresses that are not found.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// The doors to one plan.
#[derive(Debug)]
pub struct Doors {
    /// One for each worker.
    each: Box<[Arc<Door>]>,
    /// TLS that connections which come now are served with.
    tls: Option<ServerTls>,
}

/// The doors that requests go through now.
#[derive(Debug)]
pub struct Entrance {
    doors: ArcSwap<Doors>,
    /// Plans that were replaced, and may be there still.
    replaced: Mutex<Vec<Weak<Plan>>>,
}

/// The entrance as one worker's listener hands requests to it.
#[derive(Clone, Debug)]
pub struct Way {
    entrance: Arc<Entrance>,
    worker: usize,
}

impl Doors {
    /// Doors to a plan for so many workers, of which there is at least one.
    pub fn new(plan: &Arc<Plan>, workers: usize) -> Self {
        Self::within(plan, Clients::of(workers))
    }

    /// The same with what makes connections to backends.
    pub fn within(plan: &Arc<Plan>, clients: Clients) -> Self {
        let clients = Clients { workers: clients.workers.max(1), ..clients };
        let each = Door::for_workers(plan, clients).into_iter().map(Arc::new).collect();
        Self { each, tls: plan.gateway.tls.clone() }
    }

    /// Doors to the next plan. What does not change goes on as it is: connections to backends, counts, ids, and the TLS
    /// sessions that clients may resume.
    pub fn followed_by(&self, plan: &Arc<Plan>) -> Self {
        let each = Door::succeeding(plan, &self.each).into_iter().map(Arc::new).collect();
        let same = self.tls.as_ref().filter(|tls| plan.gateway.tls.as_ref() == Some(tls));
        Self { each, tls: same.or(plan.gateway.tls.as_ref()).cloned() }
    }

    /// The plan that they lead to.
    pub fn plan(&self) -> &Arc<Plan> {
        self.first().plan()
    }

    /// What replies do not keep, as all doors of the plan count it.
    pub fn drift(&self) -> &Arc<Drift> {
        self.first().drift()
    }

    /// The states of policies, as all doors of the plan share them.
    pub fn shared(&self) -> &Arc<Shared> {
        self.first().shared()
    }

    /// The requests under way, through all doors together.
    pub fn overload(&self) -> &Arc<Overload> {
        self.first().overload()
    }

    /// Waits, for a second at most, until the addresses of backends were looked for where they are found while the gateway
    /// runs: the first requests then go where those after them go.
    pub async fn looked(&self) {
        // Whoever is not found by then is found later, and what is written counts until then.
        let _ = tokio::time::timeout(FIRST_LOOK, self.shared().looked()).await;
    }

    /// Waits until everything that runs on without its client has come to its end, also behind the doors before.
    pub async fn detached(&self) {
        for door in &self.each {
            door.detached().await;
        }
    }

    fn first(&self) -> &Arc<Door> {
        self.each.first().expect("doors are made for at least one worker")
    }
}

impl Entrance {
    /// An entrance through these doors.
    pub fn new(doors: Doors) -> Self {
        Self { doors: ArcSwap::from_pointee(doors), replaced: Mutex::default() }
    }

    /// The doors that requests go through now.
    pub fn doors(&self) -> Arc<Doors> {
        self.doors.load_full()
    }

    /// Lets every request from now on go through other doors, made for as many workers; gives back those before.
    pub fn replace(&self, doors: Doors) -> Arc<Doors> {
        let before = self.doors.swap(Arc::new(doors));
        let mut replaced = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        replaced.retain(|plan| plan.strong_count() > 0);
        replaced.push(Arc::downgrade(before.plan()));
        before
    }

    /// How many plans there are: the one that requests begin on, and those before it that some have not ended on.
    pub fn plans(&self) -> usize {
        let replaced = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        1 + replaced.iter().filter(|plan| plan.strong_count() > 0).count()
    }

    /// The way of one worker, by its number.
    pub fn way(self: &Arc<Self>, worker: usize) -> Way {
        Way { entrance: self.clone(), worker }
    }
}

impl Way {
    /// The worker's own door, so that no two workers count references to one.
    fn door(&self) -> Arc<Door> {
        let doors = self.entrance.doors.load();
        doors.each.get(self.worker).unwrap_or(doors.first()).clone()
    }
}

impl Handler for Way {
    async fn handle(&self, request: Request<RequestBody>, peer: Peer) -> Response<AnswerBody> {
        let door = self.door();
        door.handle(request, peer).await
    }

    fn tls(&self) -> Option<ServerTls> {
        self.entrance.doors.load().tls.clone()
    }

    fn refused(&self, refused: &Refused<'_>, peer: Peer) -> HeaderValue {
        self.door().refused(refused, peer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Doors, Entrance};
    use crate::plan::{Plan, build};
    use crate::spec::{Asked, read_texts};

    fn plan(endpoint: &str) -> Arc<Plan> {
        let text = format!(
            "backends: {{ a: {{ rest: http://a.test }} }}\nendpoints:\n  \
             GET {endpoint}: {{ steps: {{ r: {{ backend: a, get: / }} }}, result: \"${{r}}\" }}\n"
        );
        let look_up = |_: Asked<'_>| Ok(None);
        let reading = read_texts(&[("compositions/a.yaml", &text)], &look_up);
        build(&reading, (&look_up, &|_| Vec::new())).map(|(plan, _)| Arc::new(plan)).expect("the project is right")
    }

    #[test]
    fn the_last_request_of_a_plan_frees_it() {
        let entrance = Arc::new(Entrance::new(Doors::new(&plan("/one"), 2)));
        let first = Arc::downgrade(entrance.doors().plan());
        let under_way = entrance.way(1).door();
        drop(entrance.replace(entrance.doors().followed_by(&plan("/two"))));
        assert_eq!(&*entrance.way(1).door().plan().endpoints[0].path, "/two");
        assert!(first.upgrade().is_some(), "a request is still under way on it");
        assert_eq!(entrance.plans(), 2);
        drop(under_way);
        assert_eq!(entrance.plans(), 1);
        assert!(first.upgrade().is_none(), "the plan is kept although nobody needs it");
    }

    #[test]
    fn plans_that_follow_on_each_other_are_freed_one_by_one() {
        let entrance = Arc::new(Entrance::new(Doors::new(&plan("/0"), 1)));
        for number in 1..50 {
            let before = Arc::downgrade(entrance.doors().plan());
            drop(entrance.replace(entrance.doors().followed_by(&plan(&format!("/{number}")))));
            assert!(before.upgrade().is_none(), "plan {number} keeps the one before it");
        }
    }
}

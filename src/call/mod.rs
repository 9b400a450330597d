//! One backend call with everything around it, in its fixed order: one function, one screen.

mod attempt;
mod instances;
mod kept;
mod key;
mod meaning;
mod passed;
mod passing;
mod rows;
mod said;
mod second;
mod shared;
mod streamed;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::base::call::{Call, Content, Reply, Request};
use crate::base::failure::Failure;
use crate::base::id::{KeepingId, PoliciesId};
use crate::observe::drift::Doubt;
use crate::plan::{Keeping, Plan, Policies};
use crate::transport::Transport;
use attempt::Ended;
use instances::Tried;
pub use instances::{Clients, Known, Seen};
pub use passed::PassedBody;
pub use passing::{Passed, Passing, Refresh};
pub use rows::{Known as KnownRow, Row};
pub use shared::{BreakerSeen, BulkheadSeen, Shared};

/// With less time than this an attempt that is in a hurry is not begun: its reply would come too late.
const LEAST: Duration = Duration::from_millis(10);
/// The largest body that is kept to be sent again.
const REPLAYED: usize = 64 << 10;

/// What calls are made with: what one worker has of its own, and the states that all workers share.
#[derive(Debug)]
pub struct Calls {
    plan: Arc<Plan>,
    shared: Arc<Shared>,
    transport: Transport,
    /// Which of the workers makes them.
    worker: usize,
}

impl Calls {
    /// The calls of one worker, by its number; `doubt` is told of replies that contradict what their backend says of itself.
    pub fn new(plan: Arc<Plan>, shared: Arc<Shared>, worker: usize, doubt: Doubt) -> Self {
        let transport = Transport::new(&plan, shared.room(), doubt);
        Self { plan, shared, transport, worker }
    }

    /// What they are made by.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The states that all workers share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn policies(&self, id: PoliciesId) -> &Policies {
        &self.plan.around.calls[id.index()]
    }

    fn keeping(&self, id: KeepingId) -> &Keeping {
        &self.plan.around.keeping[id.index()]
    }
}

/// Makes a call.
///
/// The order of what stands around it, from the outside in, and why: **cache** and **coalescing** first, for what they
/// have nobody need ask; the **deadline** then, for nothing that is sent may outlive it; **retry** around **hedge**, for
/// a second call of one attempt is no further attempt; then the **address** is chosen, and **breaker** and **bulkhead** are
/// asked inside all of these, for each thing that is sent counts on its own and asks on its own whether it may;
/// **transport** last.
///
/// # Errors
/// Whatever kept the reply from coming. A reply that says failure is judged by the step that asked.
pub async fn run(calls: &Arc<Calls>, mut call: Call) -> Result<Reply, Failure> {
    match call.keeping.take() {
        // Boxed, or every call would have room for it.
        Some(keeping) => Box::pin(kept::run(calls, call, keeping)).await,
        None => {
            let ended = made(calls, &call).await;
            calls.changed(&call, &ended);
            ended.outcome
        }
    }
}

/// Makes a call of its own.
async fn made(calls: &Calls, call: &Call) -> Ended {
    let policies = calls.policies(call.policies);
    let tried = Tried::default();
    let Some((retry, budget)) = policies.retry.as_ref().filter(|_| can_be_retried(call)) else {
        return calls.hedged((call, &tried), policies, call.deadline).await;
    };
    let budget = calls.shared.budget(*budget);
    let _call = budget.call(Instant::now());
    let (mut number, mut further) = (0, None);
    loop {
        number += 1;
        let until = retry.timeout.map_or(call.deadline, |timeout| call.deadline.min(Instant::now() + timeout));
        let ended = calls.hedged((call, &tried), policies, until).await;
        drop(further.take());
        let wait = retry.wait(number, ended.pause, fastrand::f64());
        let then = wait.checked_add(LEAST).and_then(|wait| Instant::now().checked_add(wait));
        let has_time = then.is_some_and(|then| then < call.deadline);
        if number >= retry.attempts || !ended.is_worth(|event| retry.on.hold(event)) || !has_time {
            return ended;
        }
        further = budget.further(Instant::now());
        if further.is_none() {
            return ended;
        }
        tokio::time::sleep(wait).await;
    }
}

impl Calls {
    /// One attempt, and a second one beside it when its answer is late.
    async fn hedged(&self, (call, tried): (&Call, &Tried), policies: &Policies, until: Instant) -> Ended {
        let late = policies.hedge.as_ref().and_then(|(settings, budget)| {
            let late = self.shared.times(call.backend).late(*settings, Instant::now())?;
            Some((late, self.shared.budget(*budget)))
        });
        let mut first = pin!(self.attempt((call, tried), policies, until));
        let Some((late, budget)) = late.filter(|_| can_be_replayed(call)) else { return first.await };
        let _call = budget.call(Instant::now());
        if let Ok(ended) = tokio::time::timeout(late, &mut first).await {
            return ended;
        }
        let Some(_further) = budget.further(Instant::now()) else { return first.await };
        // Boxed, or every call would have room for two.
        let second = Box::pin(self.attempt((call, tried), policies, until));
        let (ended, other) = futures_util::future::select(first, second).await.factor_first();
        if ended.is_good() { ended } else { other.await }
    }
}

/// Whether a call may be made again after it failed.
fn can_be_retried(call: &Call) -> bool {
    !call.is_attempted_once && can_be_replayed(call)
}

/// Whether a call can go out a second time: nothing of it is gone with the first, and it is small enough to be kept.
fn can_be_replayed(call: &Call) -> bool {
    match &call.request {
        Request::Rest(rest) => match &rest.body {
            None => true,
            Some(Content::Whole(bytes)) => bytes.len() <= REPLAYED,
            Some(Content::Upload { .. }) => false,
        },
        Request::Grpc { message, .. } => message.len() <= REPLAYED,
    }
}

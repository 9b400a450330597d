//! What stands around calls, resolved: the nearest that is written, with every default filled in.

use crate::base::id::{BackendId, BreakerId, BudgetId, BulkheadId};
use crate::policy::{breaker, budget, bulkhead, hedge, retry, verdict};

/// The policies of every call of a plan, and what their states are made from.
#[derive(Debug, Default)]
pub struct Around {
    /// What stands around calls, by `PoliciesId`; many calls share one.
    pub calls: Vec<Policies>,
    /// The breakers, by `BreakerId`.
    pub breakers: Vec<Owned<breaker::Settings>>,
    /// The bulkheads, by `BulkheadId`.
    pub bulkheads: Vec<Owned<bulkhead::Settings>>,
    /// The budgets, by `BudgetId`.
    pub budgets: Vec<Owned<budget::Settings>>,
}

/// What stands around a call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policies {
    /// Whether it may be made twice: it reads, or says `idempotent: true`.
    pub repeatable: bool,
    /// How it is made again, and what that may spend.
    pub retry: Option<(retry::Settings, BudgetId)>,
    /// When it is made a second time, and what that may spend.
    pub hedge: Option<(hedge::Settings, BudgetId)>,
    /// What stops asking its backend.
    pub breaker: Option<BreakerId>,
    /// How many calls may be under way.
    pub bulkhead: Option<BulkheadId>,
    /// Which ends of an attempt mean something else than the table says.
    pub verdicts: verdict::Exceptions,
}

/// The settings of a policy that has a state, and whose state it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Owned<S> {
    /// The backend whose calls share the state.
    pub backend: BackendId,
    /// Where it is written: the key path of the backend, or of the one call that has its own.
    pub owner: Box<str>,
    /// What it goes by.
    pub settings: S,
}

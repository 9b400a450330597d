//! What stands around calls, resolved: the nearest that is written, with every default filled in.

use std::collections::BTreeSet;

use http::HeaderName;

use crate::base::call::Expect;
use crate::base::id::{BackendId, BreakerId, BudgetId, BulkheadId, KeepingId};
use crate::expr::{Node, Var};
use crate::policy::{breaker, budget, bulkhead, cache, hedge, retry, verdict};

/// The policies of every call of a plan, and what their states are made from.
#[derive(Debug, Default)]
pub struct Around {
    /// What stands around calls, by `PoliciesId`; many calls share one.
    pub calls: Vec<Policies>,
    /// How replies are kept and shared, by `KeepingId`; one for each call, and each place that it may go to.
    pub keeping: Vec<Keeping>,
    /// The backends of which something is kept by what it says of itself: a write to one makes it wrong.
    pub self_telling: BTreeSet<BackendId>,
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

/// How the replies to a call are kept and shared.
#[derive(Debug)]
pub struct Keeping {
    /// How long they are kept; `None`: calls that are equal share one while it is under way, and nothing is kept.
    pub cache: Option<cache::Rule>,
    /// Which statuses are success.
    pub expect: Expect,
    /// Whom a reply may serve.
    pub whom: Whom,
    /// Everything about the call that decides what its reply is worth: calls share replies only if this is equal.
    pub portrait: Box<str>,
}

/// Whom a reply may serve, among those whose call is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Everybody.
    Everyone,
    /// The caller for whom it was fetched.
    Caller,
    /// Those for whom the expression in [`Kept::scope`] gives the same.
    Alike,
    /// Nobody else: no two calls are the same, or nothing says that they may share.
    Nobody,
}

/// What a call says of how its reply is kept, to be rendered with it.
#[derive(Debug)]
pub struct Kept {
    /// By which rule.
    pub rule: KeepingId,
    /// Whom its reply may serve, where an expression says so.
    pub scope: Option<Node>,
    /// Header fields of the client that tell replies apart.
    pub vary: Box<[HeaderName]>,
    /// Names by which it can be thrown away.
    pub tags: Box<[Node]>,
    /// What its rules read beside the reply.
    pub reads: Box<[Var]>,
}

impl Kept {
    /// Its programs.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.scope.iter().chain(&self.tags)
    }
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

//! One client request: run steps concurrently, fan out, batch, merge, degrade.
//!
//! A [`Run`] holds everything that one request needs while it lives: frames (one per composition or
//! `for_each` item), the slots of their steps, and the calls under way. It is driven inside the
//! request's own future: no task per call, and dropping it drops every call.
//!
//! Values are documents that replies were parsed into; the answer is written from them in one pass.

mod arrive;
mod batch;
mod choose;
mod client;
mod crowd;
mod endpoint;
mod env;
pub mod form;
mod frame;
pub mod graph;
pub mod idempotency;
mod judge;
mod keeping;
mod multipart;
mod pairs;
mod partial;
mod proxy;
mod render;
mod repeat;
mod rules;
mod run;
mod sticky;
mod undo;

pub use client::ClientRequest;
pub use endpoint::{Answered, answer};
pub use partial::{Note, Partial};
pub use proxy::{computed, forward};
pub use run::Run;

use std::sync::Arc;

use tokio_util::task::TaskTracker;

use crate::call::Calls;
use crate::observe::drift::Drift;
use crate::plan::{BodyType, Plan, Succession};
use crate::transport::grpc::ProtoJson;
use idempotency::Kept;

/// What every request runs on: the checked plan and the clients to its backends.
#[derive(Debug)]
pub struct Live {
    /// What will run.
    pub plan: Arc<Plan>,
    /// How it calls its backends.
    pub calls: Arc<Calls>,
    /// How bodies are read that are proto messages, by `EndpointId`.
    pub messages: Vec<Option<ProtoJson>>,
    /// What replies do not keep, counted by all workers together.
    pub drift: Arc<Drift>,
    /// Compositions that come to their end although their client may have left.
    pub detached: TaskTracker,
    /// Answers that are given again to requests that are sent again.
    pub kept: Arc<Kept>,
    /// Calls to variants that go round.
    turns: choose::Turns,
}

impl Live {
    /// Brings a plan to life with the calls of one worker. Nothing is connected yet.
    pub fn new(calls: Calls, drift: Arc<Drift>, kept: Arc<Kept>) -> Self {
        let turns = choose::Turns::succeeding(&Succession::first(calls.plan()), None);
        Self::with(calls, (drift, kept), (turns, TaskTracker::new()))
    }

    /// Brings a plan to life that follows on another: turns go on as they are, and what runs without its client is waited
    /// for as before.
    pub fn succeeding(calls: Calls, drift: Arc<Drift>, (succession, previous): (&Succession, &Self)) -> Self {
        let turns = choose::Turns::succeeding(succession, Some(&previous.turns));
        Self::with(calls, (drift, previous.kept.clone()), (turns, previous.detached.clone()))
    }

    fn with(
        calls: Calls,
        (drift, kept): (Arc<Drift>, Arc<Kept>),
        (turns, detached): (choose::Turns, TaskTracker),
    ) -> Self {
        let plan = calls.plan().clone();
        let messages = plan.endpoints.iter().map(|endpoint| match &endpoint.body {
            Some(BodyType::Message(message)) => ProtoJson::of(message),
            _ => None,
        });
        let messages = messages.collect();
        Self { plan, calls: Arc::new(calls), messages, drift, detached, kept, turns }
    }
}

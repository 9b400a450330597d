//! Frames and slots: the state of one composition or `for_each` item while it runs.

use std::sync::Arc;

use tokio::time::Instant;

use super::crowd::CrowdId;
use super::repeat::Repeated;
use crate::base::failure::Failure;
use crate::base::fields::Fields;
use crate::base::id::StepId;
use crate::base::value::Held;
use crate::plan::{Need, Scope, Step};

/// A running scope.
#[derive(Debug)]
pub(super) struct Frame<'p> {
    /// What runs.
    pub(super) scope: &'p Scope,
    /// The frame around it.
    pub(super) parent: Option<FrameId>,
    /// The number of its first slot.
    pub(super) first_slot: usize,
    /// The crowd that it belongs to, and its place there.
    pub(super) crowd: CrowdId,
    pub(super) place: usize,
    /// The item of a `for_each`, or the parent object of a graph field.
    pub(super) item: Held,
    /// Steps that it still waits for.
    pub(super) missing: usize,
    /// Whether it has given its value or failed.
    pub(super) done: bool,
    /// The turn of the driver in which one of its steps failed it, and which.
    pub(super) failed: Option<(u64, StepId)>,
}

/// A frame of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameId(pub(super) u32);

/// A step of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) frame: FrameId,
    pub(super) step: StepId,
}

/// The state of one step.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) stage: Stage,
    /// Steps that its stage still waits for.
    pub(super) missing: usize,
    /// Counts its stages: what an earlier stage waited for no longer counts.
    pub(super) round: u32,
    /// Who waits for it.
    pub(super) waiters: Vec<Waiter>,
    /// What it holds once it is done.
    pub(super) held: Held,
    /// How it ended.
    pub(super) end: End,
    /// Status and header fields of its reply; status 0 before there is one.
    pub(super) status: u16,
    pub(super) headers: Option<Arc<Fields>>,
    /// Why it failed.
    pub(super) failure: Option<Box<Failure>>,
    /// When a step with inner steps, or with repeated calls, and a `timeout` must be done.
    pub(super) deadline: Option<Instant>,
    /// Whether its list, or the calls that it repeats, were cut.
    pub(super) cut: bool,
    /// What a call that is repeated has got so far.
    pub(super) repeated: Option<Box<Repeated>>,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nobody has asked for it.
    #[default]
    Idle,
    /// Somebody has.
    Asked,
    /// Waiting for what `when` mentions.
    When,
    /// Waiting for what the action mentions.
    Ready,
    /// Under way.
    Running,
    /// Waiting for what `else` mentions.
    Otherwise,
    /// Waiting for what `default` mentions.
    Default,
    /// Over.
    Done,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum End {
    /// It has not, or it did as it should.
    #[default]
    Regular,
    /// Its `when` was false.
    Skipped,
    /// It failed; it holds null or its default.
    Failed,
}

/// Who waits for a step.
#[derive(Clone, Copy, Debug)]
pub(super) enum Waiter {
    /// A step, in this round of its own.
    Step(At, u32),
    /// A frame, for its value.
    Frame(FrameId),
}

/// The frames and slots of a run.
#[derive(Debug, Default)]
pub(super) struct Frames<'p> {
    frames: Vec<Frame<'p>>,
    slots: Vec<Slot>,
}

impl<'p> Frames<'p> {
    /// Opens a frame with idle slots.
    pub(super) fn open(&mut self, mut frame: Frame<'p>) -> FrameId {
        let id = FrameId(self.frames.len() as u32);
        frame.first_slot = self.slots.len();
        self.slots.resize_with(self.slots.len() + frame.scope.steps.len(), Slot::default);
        self.frames.push(frame);
        id
    }

    pub(super) fn frame(&self, id: FrameId) -> &Frame<'p> {
        &self.frames[id.0 as usize]
    }

    pub(super) fn frame_mut(&mut self, id: FrameId) -> &mut Frame<'p> {
        &mut self.frames[id.0 as usize]
    }

    pub(super) fn slot(&self, at: At) -> &Slot {
        &self.slots[self.frame(at.frame).first_slot + at.step.index()]
    }

    pub(super) fn slot_mut(&mut self, at: At) -> &mut Slot {
        let index = self.frame(at.frame).first_slot + at.step.index();
        &mut self.slots[index]
    }

    /// The plan of a step.
    pub(super) fn step(&self, at: At) -> &'p Step {
        &self.frame(at.frame).scope.steps[at.step.index()]
    }

    /// The frame at a depth, seen from a frame at that depth or deeper.
    pub(super) fn around(&self, mut id: FrameId, depth: u16) -> FrameId {
        while self.frame(id).scope.depth > depth {
            let Some(parent) = self.frame(id).parent else { break };
            id = parent;
        }
        id
    }

    /// The step that a need means, seen from a frame.
    pub(super) fn locate(&self, from: FrameId, need: Need) -> At {
        At { frame: self.around(from, need.depth), step: need.step }
    }

    /// The least deadline that the steps around a step set.
    pub(super) fn deadline(&self, at: At, crowd_owner: impl Fn(CrowdId) -> Option<At>) -> Option<Instant> {
        let mut least = None;
        let mut next = Some(at);
        while let Some(at) = next {
            let mut step = Some(at.step);
            while let Some(id) = step {
                let here = At { frame: at.frame, step: id };
                least = [least, self.slot(here).deadline].into_iter().flatten().min();
                step = self.step(here).group;
            }
            next = crowd_owner(self.frame(at.frame).crowd);
        }
        least
    }
}

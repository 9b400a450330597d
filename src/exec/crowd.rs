//! Crowds: frames of one scope that run side by side, one per item of a list or per parent object.
//!
//! A request's own composition is a crowd of one, so that everything has one shape.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::time::Instant;

use super::batch::Gathering;
use super::frame::{At, End, Frame, FrameId, Waiter};
use super::run::Run;
use crate::base::failure::{Cause, Failure};
use crate::base::id::StepId;
use crate::base::value::{Held, HeldMap, Value, ValueKind, key_text};
use crate::plan::{Composition, Each, Expr, Need, Over, Scope, Source};

/// A crowd of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CrowdId(u32);

impl CrowdId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Frames of one scope, and what they gave so far.
#[derive(Debug)]
pub(super) struct Crowd<'p> {
    pub(super) scope: &'p Scope,
    value: Wanted<'p>,
    pub(super) sources: &'p [Source],
    pub(super) args: Held,
    /// The frame around the members.
    parent: Option<FrameId>,
    /// The `for_each` step that waits for the crowd; `None` for a crowd of the caller's.
    pub(super) owner: Option<At>,
    /// One per member.
    items: Items,
    /// The members that have started, in order.
    pub(super) members: Vec<FrameId>,
    /// Members that may run at the same time.
    parallel: usize,
    /// When all members must be over, if that is said for them alone.
    pub(super) deadline: Option<Instant>,
    /// Members that are over.
    pub(super) over: usize,
    /// What the members gave.
    pub(super) results: Vec<Result<Held, Failure>>,
    /// Calls for many members, being put together.
    pub(super) gatherings: Vec<Gathering>,
}

/// What a member is to give.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted<'p> {
    /// The value of an expression, kept.
    Value(&'p Expr),
    /// Nothing: the caller reads the frame once these steps are done.
    Steps(&'p [Need]),
}

/// Bounds of a crowd that the caller starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Members that may run at the same time.
    pub(super) parallel: usize,
    /// When all must be over, if earlier than the whole answer.
    pub(super) deadline: Option<Instant>,
}

/// What a crowd runs over.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub(super) values: Vec<Held>,
    /// The distinct keys of the items, when the step has `key`.
    keys: Vec<Box<str>>,
}

impl<'p> Run<'p> {
    /// Starts a composition once per item, within bounds.
    /// [`Run::next_finished`] tells when all are over.
    pub(super) fn start_crowd(
        &mut self,
        composition: &'p Composition,
        value: Wanted<'p>,
        (args, values): (Held, Vec<Held>),
        bounds: Bounds,
    ) -> CrowdId {
        self.open_crowd(Crowd {
            scope: &composition.scope,
            value,
            sources: &composition.sources,
            args,
            parent: None,
            owner: None,
            members: Vec::with_capacity(values.len()),
            results: vec![Ok(Held::Null); values.len()],
            items: Items { values, keys: Vec::new() },
            parallel: bounds.parallel,
            deadline: bounds.deadline,
            over: 0,
            gatherings: Vec::new(),
        })
    }

    /// Runs a `for_each` step's scope for each item of its list.
    pub(super) fn start_each(&mut self, at: At, each: &'p Each) {
        let items = match self.items(at, each) {
            Ok(items) => items,
            Err(failure) => return self.fail(at, failure),
        };
        let around = &self.crowds[self.frames.frame(at.frame).crowd.index()];
        let crowd = Crowd {
            scope: &each.scope,
            value: Wanted::Value(&each.value),
            sources: around.sources,
            args: around.args.clone(),
            parent: Some(at.frame),
            owner: Some(at),
            members: Vec::with_capacity(items.values.len()),
            results: vec![Ok(Held::Null); items.values.len()],
            items,
            parallel: each.parallel,
            deadline: around.deadline,
            over: 0,
            gatherings: Vec::new(),
        };
        self.open_crowd(crowd);
    }

    /// The items of a `for_each` step: at most `max`, and with `key` one per distinct key.
    fn items(&mut self, at: At, each: &Each) -> Result<Items, Failure> {
        let env = self.env(at.frame);
        let list = env.eval(&each.list)?;
        let elements = match list.elements() {
            Some(elements) => elements,
            None if list.is_null() => return Ok(Items::default()),
            None => return Err(Failure::new(Cause::ExpressionFailed, "`for_each` needs a list")),
        };
        let mut items = Items::default();
        let mut seen = HashSet::new();
        let mut cut = false;
        for element in elements {
            let item =
                Held::keep(&element).map_err(|_| Failure::new(Cause::ExpressionFailed, "not a number of JSON"))?;
            let key = match &each.key {
                None => None,
                Some(key) => match single_key(&env.with_item(each.scope.depth, &item).eval(key)?)? {
                    Some(key) if seen.insert(key.clone()) => Some(key),
                    _ => continue,
                },
            };
            if items.values.len() == each.max {
                if each.over == Over::Fail {
                    return Err(Failure::new(Cause::TooManyItems, format!("more than {} items", each.max)));
                }
                cut = true;
                break;
            }
            items.keys.extend(key.map(Into::into));
            items.values.push(item);
        }
        self.frames.slot_mut(at).cut = cut;
        Ok(items)
    }

    /// What the members of a crowd that is over gave.
    pub(super) fn take_results(&mut self, id: CrowdId) -> Vec<Result<Held, Failure>> {
        std::mem::take(&mut self.crowds[id.index()].results)
    }

    fn open_crowd(&mut self, crowd: Crowd<'p>) -> CrowdId {
        let id = CrowdId(self.crowds.len() as u32);
        let start = crowd.parallel.max(1).min(crowd.items.values.len());
        self.crowds.push(crowd);
        if start == 0 {
            self.crowd_over(id);
        }
        self.hungry.extend(std::iter::repeat_n(id, start));
        id
    }

    /// Opens the frame of the next item and asks for what its value needs.
    pub(super) fn start_member(&mut self, id: CrowdId) {
        let crowd = &mut self.crowds[id.index()];
        let place = crowd.members.len();
        if place == crowd.items.values.len() || crowd.parent.is_some_and(|parent| self.frames.frame(parent).done) {
            return;
        }
        let (scope, value) = (crowd.scope, crowd.value);
        let frame = Frame {
            scope,
            parent: crowd.parent,
            first_slot: 0,
            crowd: id,
            place,
            item: crowd.items.values[place].clone(),
            missing: 0,
            done: false,
            failed: None,
        };
        let frame = self.frames.open(frame);
        self.crowds[id.index()].members.push(frame);
        let always = scope.always.iter().map(|step| Need { depth: scope.depth, step: *step });
        // One is held back until everything was asked for: a step that is done at once must not
        // make the frame ready twice.
        self.frames.frame_mut(frame).missing = 1;
        let needs = match value {
            Wanted::Value(value) => &value.needs,
            Wanted::Steps(needs) => needs,
        };
        for need in needs.iter().copied().chain(always) {
            let missing = self.demand(frame, &[need], Waiter::Frame(frame));
            self.frames.frame_mut(frame).missing += missing;
        }
        let waiting = self.frames.frame_mut(frame);
        waiting.missing -= 1;
        if waiting.missing == 0 {
            self.frame_ready(frame);
        }
    }

    /// Everything that a frame waits for is there: its value is formed.
    pub(super) fn frame_ready(&mut self, frame: FrameId) {
        if self.frames.frame(frame).done {
            return;
        }
        let result = match self.crowds[self.frames.frame(frame).crowd.index()].value {
            Wanted::Value(value) => self.env(frame).keep(&value.node),
            Wanted::Steps(_) => Ok(Held::Null),
        };
        self.member_over(frame, result);
    }

    /// A required step of a frame failed: so does the frame. Of several that fail in one turn the most
    /// telling is kept, and among equals the one that is written first.
    pub(super) fn frame_failed(&mut self, At { frame: id, step }: At, failure: Failure) {
        let turn = self.turn;
        let frame = self.frames.frame_mut(id);
        if !frame.done {
            frame.failed = Some((turn, step));
            return self.member_over(id, Err(failure));
        }
        let (crowd, place) = (frame.crowd, frame.place);
        let Some((_, known_step)) = frame.failed.filter(|(when, _)| *when == turn) else { return };
        if let Some(owner) = self.crowds[crowd.index()].owner {
            return self.fail(owner, failure);
        }
        if let Some(Err(known)) = self.crowds[crowd.index()].results.get_mut(place)
            && (failure.reticence(), step) < (known.reticence(), known_step)
        {
            *known = failure;
            self.frames.frame_mut(id).failed = Some((turn, step));
        }
    }

    /// Notes what a member gave and starts the next.
    fn member_over(&mut self, frame: FrameId, result: Result<Held, Failure>) {
        let (id, place) = {
            let frame = self.frames.frame_mut(frame);
            frame.done = true;
            (frame.crowd, frame.place)
        };
        let crowd = &mut self.crowds[id.index()];
        crowd.over += 1;
        let failed = result.is_err();
        crowd.results[place] = result;
        let all_over = crowd.over == crowd.items.values.len();
        let more = crowd.members.len() < crowd.items.values.len();
        if let (Some(owner), true) = (crowd.owner, failed) {
            // A required item failed: so does the step, and what still runs is of no use.
            return self.fail_each(id, owner, place);
        }
        if more {
            self.hungry.push_back(id);
        } else if all_over {
            self.crowd_over(id);
        } else {
            self.dispatch_ready_batches(id);
        }
    }

    fn fail_each(&mut self, id: CrowdId, owner: At, place: usize) {
        let members = self.crowds[id.index()].members.clone();
        let turn = self.turn;
        for member in members {
            let frame = self.frames.frame_mut(member);
            if !frame.done {
                (frame.done, frame.failed) = (true, Some((turn, StepId(0))));
            }
        }
        let failure = std::mem::replace(&mut self.crowds[id.index()].results[place], Ok(Held::Null));
        if let Err(failure) = failure {
            self.fail(owner, failure);
        }
    }

    /// All members are over: the step that waits gets their values, or the caller is told.
    fn crowd_over(&mut self, id: CrowdId) {
        let crowd = &mut self.crowds[id.index()];
        let Some(owner) = crowd.owner else {
            return self.announce(id);
        };
        let results = std::mem::take(&mut crowd.results);
        let keys = std::mem::take(&mut crowd.items.keys);
        let values = results.into_iter().map(Result::unwrap_or_default);
        let Some(each) = each_of(self, owner) else { return };
        let held = match each.key {
            None => Held::List(values.collect()),
            Some(_) => Held::Map(Arc::new(HeldMap::new(keys.into_iter().zip(values).collect()))),
        };
        self.settle(owner, End::Regular, held);
    }
}

/// The text of an item's key; `None` for null.
fn single_key(key: &Value<'_>) -> Result<Option<String>, Failure> {
    match key.kind() {
        ValueKind::List | ValueKind::Map => Err(Failure::new(
            Cause::ExpressionFailed,
            "the `key` of a list holds one value, and this is a list or an object",
        )),
        _ => Ok(key_text(key)),
    }
}

fn each_of<'p>(run: &Run<'p>, at: At) -> Option<&'p Each> {
    match &run.frames.step(at).action {
        crate::plan::Action::Each(each) => Some(each),
        _ => None,
    }
}

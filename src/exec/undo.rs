//! `undo`: takes back what a composition wrote that failed.

use std::sync::Arc;

use tokio::time::Instant;

use super::arrive::expect;
use super::choose::choose;
use super::env::Env;
use super::frame::At;
use super::render::Time;
use super::run::Run;
use super::{judge, render};
use crate::base::attempt::Event;
use crate::base::call::{Call, Reply};
use crate::base::failure::{Cause, Failure};
use crate::base::value::Held;
use crate::call;
use crate::expr::Budget;
use crate::plan::Undo;

/// A write that may have changed something, and what takes it back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written<'p> {
    at: At,
    undo: &'p Undo,
}

impl<'p> Run<'p> {
    /// Notes how a write ended that can be taken back. `replied` is how its reply counts, if one came.
    pub(super) fn note_write(
        &mut self,
        (at, undo): (At, &'p Undo),
        replied: Option<Event>,
        outcome: Result<&Held, &Failure>,
    ) {
        match outcome {
            // What it replied is there for its undo, also when nothing else needs it any more.
            Ok(held) => self.frames.slot_mut(at).held = held.clone(),
            Err(failure) if is_certainly_undone(replied, failure) => return,
            Err(_) => {}
        }
        self.written.push(Written { at, undo });
    }

    /// Takes back, newest first, what was written by compositions that failed: by all, or only by those inside one that
    /// did not. Gives the steps whose writes stand although they should not; `None` if there are none.
    pub(super) async fn take_back(&mut self, has_failed: bool) -> Option<Arc<[Box<str>]>> {
        let mut written = std::mem::take(&mut self.written);
        written.retain(|written| has_failed || self.is_part_of_a_failure(written.at));
        if written.is_empty() {
            return None;
        }
        // Nothing reads any more what is still under way, and all writes have come to their end.
        self.give_up_calls();
        let mut standing: Vec<Box<str>> = Vec::new();
        for Written { at, undo } in written.into_iter().rev() {
            let live = self.live;
            let outcome = match self.undoing(at, undo) {
                Ok(call) => call::run(&live.calls, call).await,
                Err(failure) => Err(failure),
            };
            let step = &self.frames.step(at).name;
            let request_id = self.request.id_text();
            match outcome.and_then(|reply| self.judge_undo((at, undo), &reply)) {
                Ok(()) => tracing::info!(request_id, step = &**step, "a write was taken back"),
                Err(failure) => {
                    let (code, why) = (Cause::UndoFailed.code(), failure.code());
                    let log = &*failure.log;
                    tracing::error!(request_id, step = &**step, code, why, log, "a write could not be taken back");
                    self.partial.add(step, code);
                    if !standing.contains(step) {
                        standing.push(step.clone());
                    }
                }
            }
        }
        // What was kept between a write and its undo is no longer true.
        self.invalidated.take().iter().for_each(|tag| self.purge(tag));
        (!standing.is_empty()).then(|| standing.into())
    }

    /// Whether a composition around a step failed, although what is around that may have gone on without it.
    fn is_part_of_a_failure(&self, at: At) -> bool {
        let around = |at: At| {
            let group = self.frames.step(at).group.map(|group| At { frame: at.frame, step: group });
            group.or(self.crowds[self.frames.frame(at.frame).crowd.index()].owner)
        };
        std::iter::successors(around(at), |at| around(*at)).any(|at| self.frames.slot(at).failure.is_some())
    }

    /// The call that takes a write back. What it computes is not charged to a request that may have nothing left.
    fn undoing(&self, at: At, undo: &Undo) -> Result<Call, Failure> {
        let budget = Budget::default();
        let env = Env { budget: &budget, ..self.env(at.frame) };
        let target = &undo.call.targets.list[choose(&undo.call.targets, &env, &self.live.turns)?];
        let time = Time { deadline: Instant::now() + undo.timeout, given: undo.timeout };
        render::call((&undo.call, target), &env, time)
    }

    fn judge_undo(&self, (at, undo): (At, &Undo), reply: &Reply) -> Result<(), Failure> {
        let budget = Budget::default();
        let env = Env { reply: Some(reply), reply_body: &reply.body, budget: &budget, ..self.env(at.frame) };
        judge::reply(undo.call.guards(), expect(&undo.call), &env, reply)
    }
}

/// Whether a write that failed certainly changed nothing: it was not sent, or its backend said clearly that it refuses.
fn is_certainly_undone(replied: Option<Event>, failure: &Failure) -> bool {
    let ended = match failure.cause {
        Cause::Refused | Cause::ReplyFailed => Event::Refused,
        _ => replied.unwrap_or_else(|| failure.event()),
    };
    match ended {
        Event::Connect | Event::Unsent | Event::Local | Event::Refused | Event::Failed => true,
        Event::Reset | Event::Timeout | Event::Hurried | Event::BadReply | Event::TooLarge | Event::Left => false,
        Event::Status(status) => matches!(status, 400..=499 | 501 | 503),
        // OK, CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE, DATA_LOSS.
        Event::Grpc(code) => !matches!(code, 0 | 1 | 2 | 4 | 13 | 14 | 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_sent_or_was_refused_is_not_taken_back() {
        let certain = |replied, cause| is_certainly_undone(replied, &Failure::new(cause, ""));
        for cause in [Cause::ConnectFailed, Cause::BreakerOpen, Cause::TooManyCalls, Cause::MissingValue] {
            assert!(certain(None, cause), "{cause:?}");
        }
        for status in [400, 404, 409, 429, 501, 503] {
            assert!(certain(Some(Event::Status(status)), Cause::BackendStatus), "{status}");
        }
        for code in [3, 5, 6, 7, 8, 9, 10, 11, 12, 16] {
            assert!(certain(Some(Event::Grpc(code)), Cause::BackendStatus), "{code}");
        }
        assert!(certain(Some(Event::Status(200)), Cause::ReplyFailed), "a `fail` rule");
        assert!(certain(Some(Event::Status(200)), Cause::Refused), "a `fail` rule that blames the client");
    }

    #[test]
    fn what_may_have_been_made_is_taken_back() {
        let certain = |replied, cause| is_certainly_undone(replied, &Failure::new(cause, ""));
        for cause in [Cause::Timeout, Cause::BadReply, Cause::ReplyTooLarge] {
            assert!(!certain(None, cause), "{cause:?}");
        }
        let reset = Failure::new(Cause::ConnectFailed, "").with_event(Event::Reset);
        assert!(!is_certainly_undone(None, &reset));
        for status in [200, 303, 500, 502, 504] {
            assert!(!certain(Some(Event::Status(status)), Cause::BackendStatus), "{status}");
        }
        for code in [1, 2, 4, 13, 14, 15] {
            assert!(!certain(Some(Event::Grpc(code)), Cause::BackendStatus), "{code}");
        }
        assert!(!certain(Some(Event::Status(200)), Cause::ExpressionFailed), "a `result` that could not be computed");
    }
}

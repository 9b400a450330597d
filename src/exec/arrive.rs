//! A reply came, or did not: what the step that asked for it holds.

use super::env::Env;
use super::frame::{At, End};
use super::judge::{self, with_reply};
use super::render::scalar_text;
use super::repeat::Next;
use super::run::Run;
use crate::base::call::{Expect, Reply};
use crate::base::failure::Failure;
use crate::base::value::Held;
use crate::plan::{Action, Call, Request};
use crate::policy::cache::Purge;

/// What gRPC replies are judged by: a status other than OK maps outside the success range.
static SUCCESS: Expect = Expect::Success;

impl<'p> Run<'p> {
    /// Gives a step its reply.
    pub(super) fn arrive(&mut self, at: At, outcome: Result<Reply, Failure>) {
        let Action::Call(call) = &self.frames.step(at).action else { return };
        let is_late = self.is_settled(at.frame);
        if is_late && call.undo.is_none() && call.invalidates.is_empty() {
            return;
        }
        let replied = outcome.as_ref().ok().map(Reply::event);
        let is_cut = outcome.as_ref().is_ok_and(|reply| reply.is_cut);
        let held = outcome.and_then(|reply| {
            let slot = self.frames.slot_mut(at);
            slot.status = reply.status;
            slot.headers = Some(reply.headers.clone());
            if let (Some(repeated), Some(repeat)) = (&mut slot.repeated, &call.repeat) {
                repeated.count(&reply.body, repeat);
            }
            self.judged(at, call, &reply)
        });
        if let Some(undo) = &call.undo {
            self.note_write((at, undo), replied, held.as_ref().map(|(_, held)| held));
        }
        match held {
            _ if is_late => {}
            // What failed in this turn can only fail for a better reason.
            Ok(_) if self.frames.frame(at.frame).done => {}
            Ok((Next::Again, reply)) => self.repeat(at, call, reply),
            Ok((next, held)) => {
                self.frames.slot_mut(at).cut = is_cut || next == Next::Cut;
                self.settle(at, End::Regular, held);
            }
            Err(failure) => {
                self.frames.slot_mut(at).status = failure.backend_status.unwrap_or(0);
                self.fail(at, failure);
            }
        }
    }

    /// Judges a reply and forms what the step holds; where a further call follows, gives the reply.
    fn judged(&self, at: At, call: &Call, reply: &Reply) -> Result<(Next, Held), Failure> {
        let repeated = self.frames.slot(at).repeated.as_deref();
        let env = Env { reply: Some(reply), reply_body: &reply.body, repeated, ..self.env(at.frame) };
        judge::reply(call.guards(), expect(call), &env, reply)?;
        let next = match (repeated, &call.repeat) {
            (Some(repeated), Some(repeat)) => {
                repeated.next(repeat, &env).map_err(|failure| with_reply(failure, reply))?
            }
            _ => Next::Done,
        };
        if next != Next::Again {
            self.invalidate(call, &env);
        }
        match &call.result {
            Some(result) if next != Next::Again => Ok((next, env.keep(result)?)),
            _ => Ok((next, reply.body.clone())),
        }
    }
}

impl Run<'_> {
    /// Throws away what is kept under the tags that a call which has succeeded says are no longer true.
    fn invalidate(&self, call: &Call, env: &Env<'_>) {
        for tag in &call.invalidates {
            match env.eval(tag).and_then(|tag| Ok(scalar_text(&tag)?.into_owned())) {
                Ok(tag) => {
                    self.purge(&tag);
                    self.invalidated.borrow_mut().push(tag.into());
                }
                Err(failure) => tracing::warn!(
                    request_id = self.request.id_text(),
                    log = &*failure.log,
                    "what is kept was not thrown away: a tag could not be computed"
                ),
            }
        }
    }

    /// Throws away what is kept under a tag.
    pub(super) fn purge(&self, tag: &str) {
        self.live.calls.shared().purge(Purge::Tag(tag));
    }
}

/// Which statuses a call takes as success.
pub(super) fn expect(call: &Call) -> &Expect {
    match &call.request {
        Request::Rest { expect, .. } => expect,
        Request::Grpc { .. } => &SUCCESS,
    }
}

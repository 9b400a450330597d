//! A reply came, or did not: what the step that asked for it holds.

use super::frame::{At, End};
use super::judge;
use super::run::Run;
use crate::base::call::{Expect, Reply};
use crate::base::failure::Failure;
use crate::base::value::Held;
use crate::plan::{Action, Call, Request};

/// What gRPC replies are judged by: a status other than OK maps outside the success range.
static SUCCESS: Expect = Expect::Success;

impl Run<'_> {
    /// Gives a step its reply.
    pub(super) fn arrive(&mut self, at: At, outcome: Result<Reply, Failure>) {
        let Action::Call(call) = &self.frames.step(at).action else { return };
        if self.frames.frame(at.frame).done {
            return;
        }
        let held = outcome.and_then(|reply| {
            let slot = self.frames.slot_mut(at);
            slot.status = reply.status;
            slot.headers = Some(reply.headers.clone());
            self.judged(at, call, &reply)
        });
        match held {
            Ok(held) => self.settle(at, End::Regular, held),
            Err(failure) => {
                self.frames.slot_mut(at).status = failure.backend_status.unwrap_or(0);
                self.fail(at, failure);
            }
        }
    }

    /// Judges a reply and forms what the step holds.
    fn judged(&self, at: At, call: &Call, reply: &Reply) -> Result<Held, Failure> {
        let body = reply.held();
        let env = super::env::Env { reply: Some(reply), reply_body: &body, ..self.env(at.frame) };
        judge::reply(&call.guards, expect(call), &env, reply)?;
        match &call.result {
            Some(result) => env.keep(result),
            None => Ok(body),
        }
    }
}

/// Which statuses a call takes as success.
pub(super) fn expect(call: &Call) -> &Expect {
    match &call.request {
        Request::Rest { expect, .. } => expect,
        Request::Grpc { .. } => &SUCCESS,
    }
}

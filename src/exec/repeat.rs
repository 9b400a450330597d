//! `repeat`: a read again until it holds, within the time of its step.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::choose::choose;
use super::env::Env;
use super::frame::At;
use super::render;
use super::run::{Run, Ticket};
use crate::base::failure::{Cause, Failure};
use crate::base::value::Held;
use crate::plan::{self, Call, Over, Repeat};

/// What a repeated call has got so far.
#[derive(Debug)]
pub(super) struct Repeated {
    /// Replies that came.
    calls: usize,
    /// The position of the variant that all calls go to: what one says of the next page another may not know.
    target: usize,
    /// The reply before the one that is awaited or judged.
    pub(super) last: Held,
    /// All of them as a list; empty if no program mentions them.
    pub(super) replies: Held,
}

/// What follows on a reply that is no failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It is the last.
    Done,
    /// It is the last although `until` does not hold.
    Cut,
    /// A further call.
    Again,
}

impl Repeated {
    /// Counts a reply, and keeps it if `replies` is mentioned.
    pub(super) fn count(&mut self, reply: &Held, repeat: &Repeat) {
        self.calls += 1;
        if let (true, Held::List(known)) = (repeat.keeps_replies, &self.replies) {
            self.replies = Held::List(known.iter().chain([reply]).cloned().collect());
        }
    }

    /// Whether the call is made again.
    ///
    /// # Errors
    /// `until` fails, or does not hold after the last call that is allowed.
    pub(super) fn next(&self, repeat: &Repeat, env: &Env<'_>) -> Result<Next, Failure> {
        if env.holds(&repeat.until)? {
            return Ok(Next::Done);
        }
        match repeat.over {
            _ if self.calls < repeat.max => Ok(Next::Again),
            Over::Cut => Ok(Next::Cut),
            Over::Fail => {
                Err(Failure::new(Cause::RepeatLimit, format!("`until` does not hold after {} calls", self.calls)))
            }
        }
    }
}

impl<'p> Run<'p> {
    /// Makes the first call of a step that repeats it. Its `timeout` is for all calls together.
    pub(super) fn start_repeated(&mut self, at: At, step: &'p plan::Step, call: &'p Call) {
        let target = match choose(&call.targets, &self.env(at.frame), &self.live.turns) {
            Ok(target) => target,
            Err(failure) => return self.fail(at, failure),
        };
        let slot = self.frames.slot_mut(at);
        slot.deadline = step.timeout.map(|timeout| Instant::now() + timeout);
        let replies = Held::List(Arc::new([]));
        slot.repeated = Some(Box::new(Repeated { calls: 0, target, last: Held::Null, replies }));
        self.call_after((at, step), call, Duration::ZERO);
    }

    /// Makes the call again; `last` is its reply.
    pub(super) fn repeat(&mut self, at: At, call: &'p Call, last: Held) {
        let Some(repeat) = &call.repeat else { return };
        if let Some(repeated) = &mut self.frames.slot_mut(at).repeated {
            repeated.last = last;
        }
        self.call_after((at, self.frames.step(at)), call, repeat.every);
    }

    fn call_after(&mut self, (at, step): (At, &'p plan::Step), call: &'p Call, pause: Duration) {
        let start = Instant::now() + pause;
        let end = self.deadline_around(at);
        if start >= end {
            return self.fail(at, Failure::new(Cause::Timeout, "there is no time left for the next of its calls"));
        }
        let repeated = self.frames.slot(at).repeated.as_deref();
        let target = &call.targets.list[repeated.map_or(0, |repeated| repeated.target)];
        let own = if step.timeout.is_none() { target.timeout } else { None };
        let time = self.time(own.map(|own| own + pause), end);
        let env = Env { repeated, ..self.env(at.frame) };
        match render::call((call, target), &env, time) {
            Ok(rendered) => self.send(Ticket::Step(at), rendered, pause),
            Err(failure) => self.fail(at, failure),
        }
    }
}

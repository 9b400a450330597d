//! `repeat`: a read again until it holds.

use std::time::Duration;

use super::calls;
use super::names::Names;
use super::steps::over;
use super::unit::Unit;
use crate::plan::{Call, Repeat, Source};
use crate::spec::{self, Step, Switch};

/// Calls at most, where nothing is written.
const MAX_CALLS: usize = 10;

impl Unit<'_, '_> {
    /// Compiles the `repeat` of a call, if it has one.
    pub(super) fn repeat(&self, step: &Step, judging: &Names<'_, '_>, path: &str) -> Option<Repeat> {
        let repeat = step.repeat.as_ref()?;
        let path = format!("{path}.repeat");
        self.check_repeat((step, repeat), &path);
        Some(Repeat {
            until: self.planner.condition(&repeat.until, judging, &format!("{path}.until")),
            max: repeat.max.as_ref().map_or(MAX_CALLS, |max| max.value as usize),
            every: repeat.every.as_ref().map_or(Duration::ZERO, |every| every.value),
            over: over(repeat.over.as_ref()),
            keeps_replies: false,
        })
    }

    fn check_repeat(&self, (step, repeat): (&Step, &spec::Repeat), path: &str) {
        let error = |code, place, message: &str, help: &str| {
            self.planner.report.error(code, (place, path), message.to_owned(), help.to_owned());
        };
        if !calls::is_read(self, step) {
            let message = "a write cannot be repeated: each call would change something again";
            error("write-repeated", &repeat.place, message, "write `read: true` on the call if it changes nothing");
        }
        if let (Some(every), Some(Switch::On(timeout))) = (&repeat.every, &step.timeout)
            && every.value >= timeout.value
        {
            let message = "the wait before the second call is longer than the `timeout` of all of them";
            error("bad-timeout", &every.place, message, "write a shorter one, or a longer `timeout`");
        }
    }

    /// Notes whether the programs of a repeated call mention all its replies.
    pub(super) fn note_replies(&self, call: &mut Call) {
        let sources = self.sources();
        let mut mentioned = false;
        for node in call.nodes() {
            node.vars(&mut |var| mentioned |= sources[var.0 as usize] == Source::Replies);
        }
        if let Some(repeat) = &mut call.repeat {
            repeat.keeps_replies = mentioned;
        }
    }
}

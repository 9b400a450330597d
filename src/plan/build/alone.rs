//! Calls that stand alone: one that takes a write back, and one whose reply is a stream.

use super::names::{Extra, Names, Seen};
use super::tree::Declared;
use super::unit::Unit;
use super::{Planner, calls, types};
use crate::expr::Type;
use crate::plan::Protocol;
use crate::spec::{self, OneCall, Stream};

impl<'s> Planner<'s> {
    /// What one event of a stream is. A rpc that answers once is no stream.
    pub(super) fn event_type(&self, stream: Option<&Stream>) -> Option<Type> {
        match &stream?.call {
            OneCall::Rest(_) => Some(Type::Dyn),
            OneCall::Grpc(call) => Some(self.find_rpc(call).map_or(Type::Dyn, |rpc| types::of_message(rpc.output()))),
        }
    }
}

impl Unit<'_, '_> {
    /// Checks the call that takes back a step's write: it may mention its own step and everything before it.
    pub(super) fn check_undo(&self, (level, step): (usize, &Declared<'_>), spec: &spec::Step, write: bool) {
        let Some(undo) = &spec.undo else { return };
        let path = format!("{}.undo", step.path);
        if !write {
            let message = "there is nothing to take back: this call only reads".to_owned();
            self.planner.report.error("misplaced", (&undo.place, &path), message, "leave it out".to_owned());
        }
        // The step of an item has no name of its own: that stands one level above it.
        let at = if step.name.is_empty() { self.tree.levels[level].outer.unwrap_or(level) } else { level };
        let is_same = |known: &Declared<'_>| known.spec.is_some_and(|known| std::ptr::eq(known, spec));
        let steps = &self.tree.levels[at].steps;
        let own = steps.iter().position(is_same).unwrap_or(steps.len());
        let ty = self.call_type(level, spec);
        let held = steps.get(own).map(|declared| (declared.name, &ty));
        let extra = Extra { steps: Seen::Until(at, own), own: held, ..Extra::default() };
        self.check_alone(&undo.call, &Names { extra, ..self.names_of(level) }, &path);
    }

    /// Checks the call of a stream, which begins before there is an event.
    pub(super) fn check_stream(&self, stream: Option<&Stream>, path: &str) {
        let Some(stream) = stream else { return };
        let path = format!("{path}.stream");
        let extra = Extra { before_events: true, ..Extra::default() };
        let names = Names { extra, ..self.names_of(0) };
        self.check_alone(&stream.call, &names, &path);
        if let OneCall::Grpc(call) = &stream.call
            && let Some(rpc) = self.planner.find_rpc(call)
            && (rpc.is_client_streaming() || !rpc.is_server_streaming())
        {
            let answers = if rpc.is_client_streaming() { "takes a stream" } else { "answers once" };
            let message = format!("`{}` is no stream of replies: it {answers}", call.rpc.value);
            let help = "call it in a step, or name a rpc that `returns (stream …)`".to_owned();
            self.planner.report.error("no-stream", (&call.rpc.place, &path), message, help);
        }
    }

    fn check_alone(&self, call: &OneCall, names: &Names<'_, '_>, path: &str) {
        match call {
            OneCall::Rest(call) => {
                let Some(facts) = self.planner.backend(&call.backend, Protocol::Rest, path) else { return };
                self.rest(call, names, path);
                let (asking, carried) = calls::asked_by_rest(call, path);
                self.targets(facts, asking, carried, names);
            }
            OneCall::Grpc(call) => {
                let Some(facts) = self.planner.backend(&call.backend, Protocol::Grpc, path) else { return };
                let (asking, carried) = calls::asked_by_grpc(call, path);
                self.targets(facts, asking, carried, names);
                let Some(rpc) = self.planner.named_rpc(call, facts, path) else { return };
                self.grpc(call, rpc, names, path);
            }
        }
    }
}

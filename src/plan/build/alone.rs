//! Calls that stand alone: one that takes a write back, and one whose reply is a stream.

use std::sync::Arc;
use std::time::Duration;

use super::names::{Extra, Names, Own, Seen, Wide};
use super::tree::{Body, Declared};
use super::unit::Unit;
use super::{Planner, calls, types};
use crate::base::call::Take;
use crate::expr::Type;
use crate::plan::{Because, Call, Need, Protocol, Request, Rules, Undo};
use crate::spec::{self, OneCall, Stream};

/// The time to take a write back, where nothing is written.
const UNDO_TIMEOUT: Duration = Duration::from_secs(5);

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
    /// Compiles the call that takes back a step's write, and says which steps must be there before the write is made:
    /// it may mention its own step and everything before it.
    pub(super) fn undo(
        &self,
        (level, step): (usize, &Declared<'_>),
        spec: &spec::Step,
        write: bool,
    ) -> Option<(Undo, Vec<Need>)> {
        let undo = spec.undo.as_ref()?;
        let path = format!("{}.undo", step.path);
        if !write {
            let message = "there is nothing to take back: this call only reads".to_owned();
            self.planner.report.error("misplaced", (&undo.place, &path), message, "leave it out".to_owned());
        }
        let Body::Call(slot) = step.body else { return None };
        let itself = (self.tree.frames[self.tree.levels[level].frame].depth, slot);
        // The step of an item has no name of its own: that stands one level above it.
        let at = if step.name.is_empty() { self.tree.levels[level].outer.unwrap_or(level) } else { level };
        let is_same = |known: &Declared<'_>| known.spec.is_some_and(|known| std::ptr::eq(known, spec));
        let steps = &self.tree.levels[at].steps;
        let own = steps.iter().position(is_same).unwrap_or(steps.len());
        // Whether the write was made may not be known: then its step holds null.
        let ty = self.call_type(level, spec).nullable();
        let named = steps.get(own).map(|declared| Own { name: declared.name, ty: &ty, at: itself });
        let extra = Extra { steps: Seen::Until(at, own), own: named, ..Extra::default() };
        let call = self.alone(&undo.call, &Names { extra, ..self.names_of(level) }, &path)?;
        self.check_undo(&undo.call, &path);
        let mut needs = self.needs(&call.nodes());
        needs.retain(|need| (need.depth, need.step) != itself);
        let timeout = undo.timeout.as_ref().map_or(UNDO_TIMEOUT, |timeout| timeout.value.0);
        Some((Undo { call, timeout }, needs))
    }

    fn check_undo(&self, written: &OneCall, path: &str) {
        let (result, streams) = match written {
            OneCall::Rest(call) => (call.result.as_ref(), None),
            OneCall::Grpc(call) => {
                let streams = self.planner.find_rpc(call).is_some_and(|rpc| rpc.is_server_streaming());
                (call.result.as_ref(), streams.then_some(&call.rpc.place))
            }
        };
        if let Some(result) = result {
            let message = "`result` has no meaning here: nothing reads what is replied to an undo".to_owned();
            self.planner.report.error("misplaced", (result.place(), path), message, "leave it out".to_owned());
        }
        if let Some(place) = streams {
            let message = "an undo is one call with one reply, and this rpc replies with a stream".to_owned();
            self.planner.report.error("misplaced", (place, path), message, "name a rpc that answers once".to_owned());
        }
    }

    /// Checks the call of a stream, which begins before there is an event.
    pub(super) fn check_stream(&self, stream: Option<&Stream>, path: &str) {
        let Some(stream) = stream else { return };
        let path = format!("{path}.stream");
        let extra = Extra { before_events: true, ..Extra::default() };
        let names = Names { extra, ..self.names_of(0) };
        self.alone(&stream.call, &names, &path);
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

    fn alone(&self, call: &OneCall, names: &Names<'_, '_>, path: &str) -> Option<Call> {
        let (facts, targets, request) = match call {
            OneCall::Rest(call) => {
                let facts = self.planner.backend(&call.backend, Protocol::Rest, path)?;
                let request = self.rest(call, names, path);
                let (asking, carried) = calls::asked_by_rest(call, path);
                let targets = self.targets(facts, asking, carried, names);
                targets.list.iter().for_each(|target| self.check_required(call, (&request, target), path));
                (facts, targets, request)
            }
            OneCall::Grpc(call) => {
                let facts = self.planner.backend(&call.backend, Protocol::Grpc, path)?;
                let (asking, carried) = calls::asked_by_grpc(call, path);
                let targets = self.targets(facts, asking, carried, names);
                let rpc = self.planner.named_rpc(call, facts, path)?;
                let (method, message) = self.grpc(call, rpc, names, path);
                (facts, targets, Request::Grpc { method, message, take: Take::Message })
            }
        };
        let wide = Wide { unit: self, reply: Some(&Type::Dyn), user: path };
        let guards = self.guards(&facts.spec.fail, &wide, &facts.path);
        Some(Call {
            backend: facts.first,
            targets,
            request,
            because: Because::Said,
            rules: (!guards.is_empty()).then(|| Arc::new(Rules::new(guards, &self.sources()))),
            result: None,
            batch: None,
            repeat: None,
            invalidates: Box::default(),
            undo: None,
        })
    }
}

//! The rpcs of calls, found by name, and which of them only read.

use super::{BackendFacts, Planner, steps};
use crate::base::diagnostic::did_you_mean;
use crate::descriptor::MethodDescriptor;
use crate::plan::{Because, Collect};
use crate::spec::{GrpcCall, Reads, Step};

/// Messages that a step takes of a stream, where nothing is written.
const MAX_MESSAGES: usize = 100;

impl Planner<'_> {
    /// The rpc of a call with one message, or a diagnostic that says what is wrong with it.
    pub(super) fn rpc(&self, call: &GrpcCall, facts: &BackendFacts<'_>, path: &str) -> Option<MethodDescriptor> {
        let rpc = self.named_rpc(call, facts, path)?;
        if rpc.is_client_streaming() {
            let message =
                format!("`{}` takes a stream of messages, and a call of this version sends one", call.rpc.value);
            let help = "name a rpc that takes one message; what it `returns` may be a stream".to_owned();
            let at = (&call.rpc.place, &*format!("{path}.rpc"));
            self.report.error(crate::spec::NOT_SUPPORTED_YET, at, message, help);
            return None;
        }
        Some(rpc)
    }

    /// How many messages of a stream a step takes; `None` for a rpc that answers once.
    pub(super) fn collect(
        &self,
        step: &Step,
        (call, rpc): (&GrpcCall, &MethodDescriptor),
        path: &str,
    ) -> Option<Collect> {
        // Beside `for_each` they bound its items.
        let (max, over) = match step.for_each {
            None => (step.max.as_ref(), step.over.as_ref()),
            Some(_) => (None, None),
        };
        if rpc.is_server_streaming() {
            return Some(Collect { max: max.map_or(MAX_MESSAGES, |max| max.value as usize), over: steps::over(over) });
        }
        for (key, place) in [("max", max.map(|max| &max.place)), ("over", over.map(|over| &over.place))] {
            let Some(place) = place else { continue };
            let message = format!("`{key}` bounds a list, and `{}` answers with one message", call.rpc.value);
            let help = "leave it out: it belongs beside `for_each`, or to a rpc that `returns (stream …)`".to_owned();
            self.report.error("misplaced", (place, &format!("{path}.{key}")), message, help);
        }
        None
    }

    /// The rpc of a call, or a diagnostic that says what is wrong with its name.
    pub(super) fn named_rpc(&self, call: &GrpcCall, facts: &BackendFacts<'_>, path: &str) -> Option<MethodDescriptor> {
        let pool = facts.pool.as_ref()?;
        let path = format!("{path}.rpc");
        let name = &call.rpc;
        let complain = |message: String, help: String| {
            self.report.error("unknown-rpc", (&name.place, &path), message, help);
            None
        };
        let services: Vec<String> = pool.services().map(|service| service.full_name().to_owned()).collect();
        let all = || {
            pool.services().flat_map(|service| {
                let service_name = service.full_name().to_owned();
                service.methods().map(move |method| format!("{service_name}/{}", method.name())).collect::<Vec<_>>()
            })
        };
        let Some((service, method)) = name.value.split_once('/') else {
            let known: Vec<String> = all().collect();
            let help = format!(
                "write package.Service/Method; {}",
                did_you_mean(&name.value, known.iter().map(String::as_str))
            );
            return complain(format!("`{}` is no rpc", name.value), help);
        };
        let Some(found) = pool.service(service) else {
            let help = did_you_mean(service, services.iter().map(String::as_str));
            return complain(format!("no service is called `{service}` in the backend's proto"), help);
        };
        let Some(rpc) = found.method(method) else {
            let known: Vec<String> = found.methods().map(|method| method.name().to_owned()).collect();
            let help = did_you_mean(method, known.iter().map(String::as_str));
            return complain(format!("the service `{service}` has no rpc `{method}`"), help);
        };
        Some(rpc)
    }

    /// Every name in a backend's `reads` must be that of some rpc: a misspelt one would make a read a write.
    pub(super) fn check_reads(&self) {
        for facts in &self.backends {
            let (Some(pool), Some(Reads::Only(patterns, _))) = (&facts.pool, &facts.spec.reads) else { continue };
            let rpcs: Vec<MethodDescriptor> =
                pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
            for pattern in patterns.iter().filter(|pattern| !rpcs.iter().any(|rpc| names(&pattern.value, rpc.name()))) {
                let message = format!("no rpc of the backend is called `{}`", pattern.value);
                let help = did_you_mean(&pattern.value, rpcs.iter().map(MethodDescriptor::name).chain(["all"]));
                self.report.error("unknown-rpc", (&pattern.place, &format!("{}.reads", facts.path)), message, help);
            }
        }
    }

    /// The rpc of a call, if there is one; says nothing.
    pub(super) fn find_rpc(&self, call: &GrpcCall) -> Option<MethodDescriptor> {
        let facts = self.backends.iter().find(|facts| facts.name == call.backend.value)?;
        let (service, method) = call.rpc.value.split_once('/')?;
        facts.pool.as_ref()?.service(service)?.method(method)
    }

    /// What says that a rpc only reads: its proto, or the backend's `reads`; `None` when nothing does.
    pub(super) fn rpc_reads(&self, call: &GrpcCall) -> Option<Because> {
        let says_so = self.find_rpc(call).is_some_and(|rpc| rpc.only_reads());
        let facts = self.backends.iter().find(|facts| facts.name == call.backend.value);
        if says_so {
            return Some(Because::Proto);
        }
        let reads = facts.and_then(|facts| facts.spec.reads.as_ref());
        reads.is_some_and(|reads| matches(reads, &call.rpc.value)).then_some(Because::Backend)
    }
}

/// Whether `reads` names a rpc: by its method's name, or by the beginning before a `*`.
fn matches(reads: &Reads, rpc: &str) -> bool {
    let method = rpc.rsplit('/').next().unwrap_or(rpc);
    match reads {
        Reads::All(_) => true,
        Reads::Only(patterns, _) => patterns.iter().any(|pattern| names(&pattern.value, method)),
    }
}

/// Whether a pattern of `reads` names a method.
fn names(pattern: &str, method: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => method.starts_with(beginning),
        None => method == pattern,
    }
}

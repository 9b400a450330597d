//! Which rpcs only read, as far as their proto or their name says so.

use prost_reflect::{MethodDescriptor, Value};
use prost_types::method_options::IdempotencyLevel;

use super::Planner;
use crate::base::diagnostic::Diagnostic;
use crate::spec::GrpcCall;

/// Words that names of rpcs begin with which usually only read.
const READING: [&str; 3] = ["Get", "List", "Search"];

impl Planner<'_> {
    /// Suggests to say that a rpc reads which counts as a write, where its name says that it does.
    pub(super) fn suggest_reads(&self, call: &GrpcCall, path: &str) {
        let method = call.rpc.value.rsplit('/').next().unwrap_or_default();
        if !READING.iter().any(|word| method.starts_with(word)) {
            return;
        }
        let message = format!("`{method}` counts as a write: nothing says that it only reads");
        let help = format!("if it does, write `reads: [{method}]` at the backend `{}`", call.backend.value);
        let place = call.rpc.place.clone();
        self.report.add(Diagnostic::error("unsaid-read", place, format!("{path}.rpc"), message).help(help).warning());
    }
}

/// Whether the proto says that a rpc changes nothing.
pub(super) fn only_reads(rpc: &MethodDescriptor) -> bool {
    has_no_side_effects(rpc) || is_http_get(rpc)
}

fn has_no_side_effects(rpc: &MethodDescriptor) -> bool {
    let options = rpc.method_descriptor_proto().options.as_ref();
    let level = options.and_then(|options| options.idempotency_level);
    level == Some(IdempotencyLevel::NoSideEffects as i32)
}

/// Whether an annotation of a rpc maps it to HTTP's GET. Source: google/api/http.proto, `HttpRule.get`.
fn is_http_get(rpc: &MethodDescriptor) -> bool {
    let Some(annotation) = rpc.parent_pool().get_extension_by_name("google.api.http") else { return false };
    match &*rpc.options().get_extension(&annotation) {
        Value::Message(rule) => rule.has_field_by_name("get"),
        _ => false,
    }
}

//! Rpcs that probably only read, as far as their names say so.

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

//! The composition file that is written.

use std::fmt::Write as _;

use super::endpoint::Endpoint;
use super::fields::{Said, Written};

/// What a rpc cannot be, and why.
#[derive(Debug)]
pub(super) struct LeftOut {
    pub(super) what: String,
    pub(super) why: String,
}

/// A backend with the endpoints of its rpcs.
#[derive(Debug)]
pub(super) struct File {
    /// The command that wrote it.
    pub(super) made_by: String,
    pub(super) backend: String,
    pub(super) address: String,
    /// `proto` or `descriptors`, and the file.
    pub(super) contract: (&'static str, String),
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) left_out: Vec<LeftOut>,
}

impl File {
    /// The file as YAML.
    pub(super) fn text(&self) -> String {
        let mut out = format!("# Written by `{}`.\n", self.made_by);
        for left_out in &self.left_out {
            let _ = writeln!(out, "# Left out: {}: {}", left_out.what, left_out.why);
        }
        let (key, file) = &self.contract;
        let _ = writeln!(out, "backends:\n  {}: {{ grpc: \"{}\", {key}: \"{file}\" }}", self.backend, self.address);
        if !self.endpoints.is_empty() {
            out.push_str("endpoints:\n");
        }
        for endpoint in &self.endpoints {
            self.endpoint(endpoint, &mut out);
        }
        out
    }

    fn endpoint(&self, endpoint: &Endpoint, out: &mut String) {
        for remark in &endpoint.remarks {
            let _ = writeln!(out, "  # {remark}");
        }
        let _ = writeln!(out, "  \"{} {}\":", endpoint.methods, endpoint.path);
        if !endpoint.args.is_empty() {
            out.push_str("    args:\n");
        }
        for arg in &endpoint.args {
            let _ = writeln!(out, "      {}: {}", arg.name, arg.written);
        }
        if let Some(body) = &endpoint.body {
            let _ = writeln!(out, "    body: {body}");
        }
        let _ = writeln!(
            out,
            "    steps:\n      answered:\n        backend: {}\n        rpc: {}",
            self.backend, endpoint.rpc
        );
        if endpoint.message.whole.is_some() || !endpoint.message.members.is_empty() {
            let _ = writeln!(out, "        message: {}", value(&endpoint.message));
        }
        let member = endpoint.answer.as_ref().map(|name| format!(".{name}")).unwrap_or_default();
        let _ = writeln!(out, "    result: \"${{answered{member}}}\"");
    }
}

/// A value in one line. What the path says of a message counts before what the body says.
fn value(written: &Written) -> String {
    let members: Vec<String> =
        written.members.iter().map(|(name, member)| format!("{name}: {}", inner(member))).collect();
    let members = members.join(", ");
    match &written.whole {
        Some(whole) if written.members.is_empty() => said(whole),
        Some(whole) => format!("{{ $merge: [{}, {{ {members} }}], $prefer: last }}", said(whole)),
        None => format!("{{ {members} }}"),
    }
}

fn said(said: &Said) -> String {
    match said {
        Said::Always(text) => format!("\"{text}\""),
        Said::Perhaps(name) => format!("\"${{args.{name}}}\""),
    }
}

/// A value inside a message. A message of which a request may say nothing is then left out.
fn inner(written: &Written) -> String {
    match perhaps(written) {
        Some(args) if written.whole.is_none() => {
            let conditions: Vec<String> = args.iter().map(|name| format!("args.{name} != null")).collect();
            let members = value(written);
            format!("{{ $when: \"${{{}}}\", {}", conditions.join(" || "), members.trim_start_matches("{ "))
        }
        _ => value(written),
    }
}

/// The arguments that say something of a value; `None` if something is always said.
fn perhaps(written: &Written) -> Option<Vec<&str>> {
    let own = match &written.whole {
        Some(Said::Always(_)) => return None,
        Some(Said::Perhaps(name)) => vec![name.as_str()],
        None => Vec::new(),
    };
    let inner: Option<Vec<Vec<&str>>> = written.members.iter().map(|(_, member)| perhaps(member)).collect();
    Some(own.into_iter().chain(inner?.into_iter().flatten()).collect())
}

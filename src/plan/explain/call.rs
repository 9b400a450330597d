//! What a step does, said in lines: what is asked, of how many items, under which conditions.

use std::time::Duration;

use http::HeaderName;

use super::expression::{expression, placeholder};
use super::naming::Naming;
use super::print::{Drawing, count};
use crate::base::call::Expect;
use crate::expr::Node;
use crate::plan::{
    Batch, Call, Each, Guard, ListStyle, OnFailure, Over, PathPart, Protocol, Query, QueryEntry, Repeat, Request, Step,
};

impl Drawing<'_, '_> {
    /// What a call asks for: the verb with path and query, or the rpc with its message.
    pub(super) fn request(&self, call: &Call, naming: &Naming<'_, '_>) -> Vec<String> {
        let mut lines = Vec::new();
        match &call.request {
            Request::Rest { method, path, query, body, .. } => {
                let path = self.path(path, naming);
                lines.push(format!("{method} {path}{}", query_text(query, naming, mark_of(&path))));
                lines.extend(body.as_ref().map(|body| format!("with body {}", expression(body, naming))));
            }
            Request::Grpc { method, message } => {
                let rpc = &self.plan.methods[method.index()].descriptor;
                let name = format!("{}/{}", rpc.parent_service().name(), rpc.name());
                lines.push(format!("{name} {}", expression(message, naming)));
            }
        }
        let noun = match self.plan.backends[call.backend.index()].protocol {
            Protocol::Rest => "header",
            Protocol::Grpc => "metadata",
        };
        lines.extend(call.headers.iter().map(|header| format!("with {noun} {}", header_text(header, naming))));
        lines.extend(call.batch.iter().map(|batch| batch_text(batch, naming)));
        lines.extend(call.repeat.iter().map(|repeat| repeat_text(repeat, naming)));
        lines
    }

    /// What decides whether its reply is good, and what becomes of it.
    pub(super) fn reply(&self, call: &Call, naming: &Naming<'_, '_>) -> Vec<String> {
        let mut lines = Vec::new();
        if let Request::Rest { expect: Expect::Only(statuses), .. } = &call.request {
            let statuses: Vec<String> = statuses.iter().map(ToString::to_string).collect();
            lines.push(format!("expects {}", statuses.join(" or ")));
        }
        let everywhere = self.failures.get(&call.backend);
        let own = call.guards.iter().map(|guard| refusal(guard, naming));
        let own = own.filter(|text| !everywhere.is_some_and(|known| known.contains(text)));
        lines.extend(own.map(|text| format!("fails with {text}")));
        lines.extend(call.result.as_ref().map(|result| format!("holds {}", expression(result, naming))));
        lines
    }

    /// A path with its values in braces.
    pub(super) fn path(&self, path: &[PathPart], naming: &Naming<'_, '_>) -> String {
        let part = |part: &PathPart| match part {
            PathPart::Text(text) => text.to_string(),
            PathPart::Value(node) => placeholder(node, naming),
            PathPart::Tail => format!("{{{}}}", self.tail()),
        };
        path.iter().map(part).collect()
    }
}

/// When a step is done, and what it holds otherwise.
pub(super) fn decision(step: &Step, naming: &Naming<'_, '_>) -> Option<String> {
    let when = step.when.as_ref()?;
    let otherwise = step.otherwise.as_ref().map_or("null".to_owned(), |other| expression(&other.node, naming));
    Some(format!("when {}, else {otherwise}", expression(&when.node, naming)))
}

/// What a step holds when it fails.
pub(super) fn replacement(step: &Step, naming: &Naming<'_, '_>) -> Option<String> {
    match &step.on_failure {
        OnFailure::Fail => None,
        OnFailure::Null => Some("if it fails: null".to_owned()),
        OnFailure::Default(default) => Some(format!("if it fails: {}", expression(&default.node, naming))),
    }
}

/// Over what a step runs, and how many at a time.
pub(super) fn items(each: &Each, outside: &Naming<'_, '_>, inside: &Naming<'_, '_>) -> String {
    let list = expression(&each.list, outside);
    let over = match each.over {
        Over::Fail => "more fail",
        Over::Cut => "the rest is left out",
    };
    let pace = match each.parallel {
        1 => "one at a time".to_owned(),
        parallel if parallel >= each.max => "all at once".to_owned(),
        parallel => format!("{parallel} at a time"),
    };
    let key = each.key.as_ref().map(|key| format!(", found by {}", expression(key, inside))).unwrap_or_default();
    format!("for each {} of {list}{key}: at most {} ({over}), {pace}", each.name, each.max)
}

/// With what a guard refuses, and when.
pub(super) fn refusal(guard: &Guard, naming: &Naming<'_, '_>) -> String {
    let status = guard.status.map(|status| status.to_string());
    let with: Vec<&str> = status.as_deref().into_iter().chain(guard.code.as_deref()).collect();
    let with = if with.is_empty() { "an error".to_owned() } else { with.join(" ") };
    format!("{with} if {}", expression(&guard.when, naming))
}

/// A header field and its value.
pub(super) fn header_text((name, value): &(HeaderName, Node), naming: &Naming<'_, '_>) -> String {
    format!("{name}: {}", placeholder(value, naming))
}

/// A span of time as compositions write it.
pub(super) fn duration_text(duration: Duration) -> String {
    match duration.subsec_millis() {
        0 => format!("{}s", duration.as_secs()),
        _ if duration.as_secs() == 0 => format!("{}ms", duration.as_millis()),
        _ => format!("{}s", duration.as_secs_f64()),
    }
}

fn query_text(query: &Query, naming: &Naming<'_, '_>, mut mark: char) -> String {
    let entry = |entry: &QueryEntry| {
        let more = if entry.style == ListStyle::Comma { ",…" } else { "" };
        let text = format!("{mark}{}={}{more}", entry.name, placeholder(&entry.value, naming));
        mark = '&';
        text
    };
    match query {
        Query::Entries(entries) => entries.iter().map(entry).collect(),
        Query::Map(node) => format!("{mark}{{{}}}", expression(node, naming)),
    }
}

/// What the query begins with after a path that may hold one already.
fn mark_of(path: &str) -> char {
    if path.contains('?') { '&' } else { '?' }
}

fn batch_text(batch: &Batch, naming: &Naming<'_, '_>) -> String {
    let [key, from, by] = [&batch.key, &batch.from, &batch.by].map(|node| expression(node, naming));
    let rows = if batch.many { "all rows" } else { "the row" };
    let missing = if batch.missing_fails { "; a key without a row fails" } else { "" };
    format!("one call for up to {} keys {key}; each gets {rows} of {from} where {by} is its key{missing}", batch.max)
}

fn repeat_text(repeat: &Repeat, naming: &Naming<'_, '_>) -> String {
    let until = expression(&repeat.until, naming);
    let pause = if repeat.every.is_zero() { String::new() } else { format!(", {} apart", duration_text(repeat.every)) };
    let over = match repeat.over {
        Over::Fail => "then it fails",
        Over::Cut => "then it is cut",
    };
    format!("again until {until}: at most {}{pause} ({over})", count(repeat.max as u64, "call"))
}

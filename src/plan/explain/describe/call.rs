//! Calls in words: what is asked, what becomes of the reply, who may share it.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::model::{self, Effect};
use super::Describer;
use super::expression::{expression, placeholder};
use super::naming::Naming;
use super::pairs::{pairs, parameters};
use super::target::Targeted;
use crate::base::call::{Expect, Take};
use crate::plan::analysis::{At, Calls, Input, Reader};
use crate::plan::{Arg, ArgSource, Batch, Body, Call, FormPart, Guard, Keeping, Kept, Over, PathPart, Request, Whom};
use crate::policy::cache::{Rule, Settings};

impl Describer<'_, '_> {
    /// One call.
    pub(super) fn call(&self, (at, call): (At, &Call), naming: &Naming<'_, '_>) -> model::Call {
        let Targeted { query, headers, choice } = self.targeted((at, call), naming);
        let asked = self.asked(call, &query, naming);
        let inputs = Reader::new(self.flow, self.whole.args).of_call(at, call);
        let everywhere = self.refusals.get(&call.backend);
        let refusals = call.guards().iter().map(|guard| refusal(guard, naming));
        let expects = match &call.request {
            Request::Rest { expect: Expect::Only(statuses), .. } => {
                statuses.iter().map(|status| u64::from(*status)).collect()
            }
            Request::Rest { .. } | Request::Grpc { .. } => Vec::new(),
        };
        let collect = match &call.request {
            Request::Grpc { take: Take::List(collect), .. } => Some(collect),
            Request::Grpc { .. } | Request::Rest { .. } => None,
        };
        let write = self.writes.iter().position(|write| *write == at).map(|position| position + 1);
        model::Call {
            backend: self.backend(call.backend),
            protocol: self.whole.plan.backends[call.backend.index()].protocol,
            asked,
            headers,
            choice,
            expects,
            refusals: refusals.filter(|text| !everywhere.is_some_and(|known| known.contains(text))).collect(),
            holds: call.result.as_ref().map(|result| expression(result, naming)),
            repeat: call.repeat.as_ref().map(|repeat| model::Repeat {
                until: expression(&repeat.until, naming),
                max: repeat.max as u64,
                every: repeat.every,
                cut: repeat.over == Over::Cut,
            }),
            messages: collect
                .map(|collect| model::Messages { max: collect.max as u64, cut: collect.over == Over::Cut }),
            undo: call.undo.as_ref().map(|undo| {
                let query = self.targeted((at, &undo.call), naming).query;
                model::Undo {
                    backend: self.backend(undo.call.backend),
                    asked: self.asked(&undo.call, &query, naming),
                    timeout: undo.timeout,
                }
            }),
            batch: call.batch.as_ref().map(|batch| batch_text(batch, naming)),
            effect: Effect { write, because: call.because },
            calls: Calls::of(self.flow, at, self.whole.runs),
            sharing: inputs.sharing(),
            kept: call.targets.list.iter().find_map(|target| self.kept(target.kept.as_deref()?, naming)),
            through: self.through(&inputs.own, &inputs.through),
            inputs: inputs.own.iter().map(ToString::to_string).collect(),
        }
    }

    /// How the reply to a call is kept, and for whom.
    fn kept(&self, kept: &Kept, naming: &Naming<'_, '_>) -> Option<String> {
        let Keeping { cache, whom, .. } = &self.whole.plan.around.keeping[kept.rule.index()];
        let whom = match whom {
            Whom::Nobody => return cache.map(|_| "not kept".to_owned()),
            Whom::Everyone => "everybody".to_owned(),
            Whom::Caller => "the caller".to_owned(),
            Whom::Alike => {
                let scope = kept.scope.as_ref().map(|scope| expression(scope, naming));
                format!("callers with the same {}", scope.unwrap_or_default())
            }
        };
        let Settings { ttl, stale, on_error, negative } = match cache {
            None => return Some("made once for all who ask at the same time".to_owned()),
            Some(Rule::Said) => return Some(format!("kept for {whom}, for as long as the reply says")),
            Some(Rule::Written(settings)) => settings,
        };
        let mut text = format!("kept {} for {whom}", duration_text(*ttl));
        let more = [("while a newer one is fetched", *stale), ("while its backend fails", *on_error)];
        for (when, time) in more.into_iter().filter(|(_, time)| !time.is_zero()) {
            text.push_str(&format!(", {} more {when}", duration_text(time)));
        }
        negative.iter().for_each(|time| text.push_str(&format!(", {} that there is nothing", duration_text(*time))));
        Some(text)
    }

    /// What a call depends on through each step that it mentions, nothing twice.
    fn through<'a>(
        &self,
        own: &BTreeSet<Input>,
        through: impl IntoIterator<Item = (&'a At, &'a BTreeSet<Input>)>,
    ) -> Vec<(usize, Vec<String>)> {
        let mut said = own.clone();
        let mut found: Vec<(usize, Vec<String>)> = Vec::new();
        for (step, inputs) in through {
            let more: Vec<&Input> = inputs.difference(&said).collect();
            let Some(position) = self.blocks.position(*step).filter(|_| !more.is_empty()) else { continue };
            found.push((position, more.into_iter().map(ToString::to_string).collect()));
            said.extend(inputs.iter().cloned());
        }
        found
    }

    /// The operation, and what is sent wherever it goes.
    fn asked(&self, call: &Call, query: &[String], naming: &Naming<'_, '_>) -> model::Asked {
        match &call.request {
            Request::Rest { method, path, cookies, body, .. } => {
                let path = path_text(path, self.whole.args.args, naming);
                model::Asked {
                    operation: format!("{method} {path}{}", query_text(query, mark_of(&path))),
                    cookies: pairs(cookies, naming),
                    body: body.as_ref().map(|body| match body {
                        Body::Json(body) => model::Body::Json(expression(body, naming)),
                        Body::Form(form) => model::Body::Form(parameters(form, naming)),
                        Body::Multipart(parts) => {
                            let part =
                                |part: &FormPart| format!("{}={}", part.name, expression(part.content.node(), naming));
                            model::Body::Multipart(parts.iter().map(part).collect())
                        }
                        Body::Raw(content) => model::Body::Raw(expression(content.node(), naming)),
                    }),
                }
            }
            Request::Grpc { method, message, .. } => {
                let rpc = &self.whole.plan.methods[method.index()].descriptor;
                model::Asked {
                    operation: format!("{}/{}", rpc.parent_service().name(), rpc.name()),
                    cookies: Vec::new(),
                    body: Some(model::Body::Message(expression(message, naming))),
                }
            }
        }
    }
}

/// With what a guard refuses, and when.
pub(super) fn refusal(guard: &Guard, naming: &Naming<'_, '_>) -> String {
    let status = guard.status.map(|status| status.to_string());
    let with: Vec<&str> = status.as_deref().into_iter().chain(guard.code.as_deref()).collect();
    let with = if with.is_empty() { "an error".to_owned() } else { with.join(" ") };
    format!("{with} if {}", expression(&guard.when, naming))
}

/// A path with its values in braces.
pub(super) fn path_text(path: &[PathPart], args: &[Arg], naming: &Naming<'_, '_>) -> String {
    let tail = args.iter().find(|arg| matches!(arg.source, ArgSource::Tail(_)));
    let part = |part: &PathPart| match part {
        PathPart::Text(text) => text.to_string(),
        PathPart::Value(node) => placeholder(node, naming),
        PathPart::Tail => tail.map_or_else(String::new, |arg| format!("{{args.{}}}", arg.name)),
    };
    path.iter().map(part).collect()
}

/// A span of time as compositions write it.
pub(in crate::plan::explain) fn duration_text(duration: Duration) -> String {
    match duration.subsec_millis() {
        0 => format!("{}s", duration.as_secs()),
        _ if duration.as_secs() == 0 => format!("{}ms", duration.as_millis()),
        _ => format!("{}s", duration.as_secs_f64()),
    }
}

fn query_text(query: &[String], mark: char) -> String {
    if query.is_empty() { String::new() } else { format!("{mark}{}", query.join("&")) }
}

/// What the query begins with after a path that may hold one already.
fn mark_of(path: &str) -> char {
    if path.contains('?') { '&' } else { '?' }
}

fn batch_text(batch: &Batch, naming: &Naming<'_, '_>) -> model::Batch {
    let [key, from, by] = [&batch.key, &batch.from, &batch.by].map(|node| expression(node, naming));
    model::Batch { key, from, by, many: batch.many, max: batch.max as u64, missing_fails: batch.missing_fails }
}

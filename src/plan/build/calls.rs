//! Calls: whom they ask, what they ask, whether they only read.

use std::sync::Arc;

use http::Method;

use super::around::Made;
use super::keeping;
use super::names::{Extra, Names, Wide};
use super::types;
use super::unit::{Root, Unit, Value};
use super::variants::Asking;
use super::{BackendFacts, Planner};
use crate::base::call::{Expect, Take};
use crate::base::diagnostic::did_you_mean;
use crate::base::failure::Fault;
use crate::base::id::MethodId;
use crate::expr::{Node, Piece, Scope, Step as PathStep, Type, split};
use crate::plan::fit;
use crate::plan::{Batch, Because, Body, Call, Guard, PathPart, Protocol, Request, Rpc, Rules, Source};
use crate::spec::{
    self, Action, Blame, GrpcCall, Headers, Literal, Located, Missing, Parameters, RestCall, Scalar, Step, Switch,
    Template,
};

/// Keys in one batched call, where nothing is written.
const BATCH_MAX: usize = 100;

/// What a call says itself that may also be said farther away.
#[derive(Clone, Copy)]
pub(super) struct Carried<'c> {
    pub(super) headers: Option<&'c Headers>,
    pub(super) query: Option<&'c Parameters>,
}

/// Whether a step's call only reads.
pub(super) fn is_read(unit: &Unit<'_, '_>, step: &Step) -> bool {
    effect(unit, step).0
}

/// Whether a step's call only reads, and why it counts so.
fn effect(unit: &Unit<'_, '_>, step: &Step) -> (bool, Because) {
    let (said, unsaid) = match &step.action {
        Action::Rest(call) => {
            let reads = matches!(call.verb.method.value, Method::GET | Method::HEAD);
            (call.read.as_ref(), (reads, Because::Method))
        }
        Action::Grpc(call) => {
            let because = unit.planner.rpc_reads(call);
            let in_place = unit.read_only().then_some(Because::Place);
            let reads = because.or(in_place);
            (call.read.as_ref(), (reads.is_some(), reads.unwrap_or(Because::Unsaid)))
        }
        _ => (None, (true, Because::Method)),
    };
    said.map_or(unsaid, |read| (read.value, Because::Said))
}

/// The type of the reply to a step's call.
pub(super) fn reply_type(planner: &Planner<'_>, step: &Step) -> Type {
    match &step.action {
        Action::Grpc(call) => match planner.find_rpc(call) {
            Some(rpc) => {
                let message = types::of_reply(rpc.output(), &planner.promises.of_backend(&call.backend.value));
                if rpc.is_server_streaming() { Type::list(message) } else { message }
            }
            None => Type::Dyn,
        },
        Action::Rest(call) => {
            let expected: Option<Vec<u16>> =
                call.expect.as_ref().map(|statuses| statuses.iter().map(|status| status.value).collect());
            match planner.operation(call) {
                Some(_) if call.verb.method.value == Method::HEAD => Type::Null,
                Some(operation) => {
                    let promises = planner.promises.of_backend(&call.backend.value);
                    operation.reply_type(expected.as_deref(), &promises)
                }
                None => Type::Dyn,
            }
        }
        _ => Type::Dyn,
    }
}

/// The type of what a batched step holds for one parent or item.
pub(super) fn batched_type(unit: &Unit<'_, '_>, (level, batch): (usize, &spec::Batch), reply: &Type) -> Type {
    let row = row_type(unit, (level, batch), reply);
    let missing_fails = batch.missing.as_ref().is_some_and(|missing| missing.value == Missing::Error);
    // A null key has no row either.
    let has_key = || !unit.planner.template(&batch.key, &unit.names_of(level), "").ty.may_be_null();
    match &batch.many {
        Some(many) if many.value => Type::list(row),
        _ if missing_fails && has_key() => row,
        _ => row.nullable(),
    }
}

fn row_type(unit: &Unit<'_, '_>, (level, batch): (usize, &spec::Batch), reply: &Type) -> Type {
    let extra = Extra { reply: Some(reply), keys: true, ..Extra::default() };
    let names = Names { extra, ..unit.names_of(level) };
    match unit.planner.scalar(&batch.from, &names, "").ty.present() {
        Type::List(row) | Type::Map(row) => row.found(),
        _ => Type::Dyn,
    }
}

fn is_idempotent(said: Option<&Located<bool>>) -> bool {
    said.is_some_and(|said| said.value)
}

/// Whom a call asks, and what it says itself that may also be said farther away.
fn asked<'c>(action: &'c Action, path: &'c str) -> Option<(Asking<'c>, Carried<'c>)> {
    match action {
        Action::Rest(call) => Some(asked_by_rest(call, path)),
        Action::Grpc(call) => Some(asked_by_grpc(call, path)),
        _ => None,
    }
}

/// The same of a REST call.
pub(super) fn asked_by_rest<'c>(call: &'c RestCall, path: &'c str) -> (Asking<'c>, Carried<'c>) {
    let made = Made { repeatable: is_idempotent(call.idempotent.as_ref()), ..Made::default() };
    let asking = Asking { backend: &call.backend, variant: call.variant.as_ref(), path, made };
    (asking, Carried { headers: call.headers.as_ref(), query: call.query.as_ref() })
}

/// The same of a gRPC call.
pub(super) fn asked_by_grpc<'c>(call: &'c GrpcCall, path: &'c str) -> (Asking<'c>, Carried<'c>) {
    let made = Made { repeatable: is_idempotent(call.idempotent.as_ref()), ..Made::default() };
    let asking = Asking { backend: &call.backend, variant: call.variant.as_ref(), path, made };
    (asking, Carried { headers: call.metadata.as_ref(), query: None })
}

impl Unit<'_, '_> {
    /// Whom a step's call asks, and what is said of what stands around it.
    fn asked<'c>(&self, step: &'c Step, path: &'c str) -> Option<(Asking<'c>, Carried<'c>)> {
        let (asking, carried) = asked(&step.action, path)?;
        let reads = is_read(self, step);
        let made = Made { policies: Some(&step.policies), repeatable: reads || asking.made.repeatable, reads };
        Some((Asking { made, ..asking }, carried))
    }

    /// Compiles a step's call.
    pub(super) fn call(&self, level: usize, step: &Step, path: &str) -> Option<Call> {
        let reply = reply_type(self.planner, step);
        let repeated = step.repeat.as_ref().map(|_| &reply);
        let extra = Extra { keys: step.batch.is_some(), repeated, ..Extra::default() };
        let names = Names { extra, ..self.names_of(level) };
        let forming = Names { extra: Extra { reply: Some(&reply), ..extra }, ..names };
        // Rules judge replies of every status, and only those that are success have the promised type.
        let judged = if matches!(step.action, Action::Rest(_)) { Type::Dyn } else { types::of_judged(&reply) };
        let judging = Names { extra: Extra { reply: Some(&judged), ..extra }, ..names };
        let (facts, request, result) = match &step.action {
            Action::Rest(call) => {
                let facts = self.planner.backend(&call.backend, Protocol::Rest, path)?;
                self.check_read_only(call, path);
                (facts, self.rest(call, &names, path), call.result.as_ref())
            }
            Action::Grpc(call) => {
                let facts = self.planner.backend(&call.backend, Protocol::Grpc, path)?;
                let rpc = self.planner.rpc(call, facts, path)?;
                if effect(self, step) == (false, Because::Unsaid) {
                    self.planner.suggest_reads(call, path);
                }
                let take = self.planner.collect(step, (call, &rpc), path).map_or(Take::Message, Take::List);
                let (method, message) = self.grpc(call, rpc, &names, path);
                (facts, Request::Grpc { method, message, take }, call.result.as_ref())
            }
            _ => return None,
        };
        let (asking, carried) = self.asked(step, path)?;
        let mut guards = self.guards(&step.fail, &judging, path);
        let wide = Wide { unit: self, reply: Some(&judged), user: path };
        guards.extend(self.guards(&facts.spec.fail, &wide, &facts.path));
        self.check_batch((level, step), result, path);
        let batch = step.batch.as_ref().map(|batch| Box::new(self.batch((level, batch), &names, &reply, path)));
        let mut targets = self.targets(facts, asking, carried, &names);
        if let Some(Switch::Off(_)) = step.timeout {
            targets.list.iter_mut().for_each(|target| target.timeout = None);
        }
        self.check_repeated_upload((level, step), &request, path);
        if let Action::Rest(call) = &step.action {
            targets.list.iter().for_each(|target| self.check_required(call, (&request, target), path));
        }
        let mut call = Call {
            backend: facts.first,
            targets,
            request,
            because: effect(self, step).1,
            rules: (!guards.is_empty()).then(|| Arc::new(Rules::new(guards, &self.sources()))),
            result: result.map(|result| self.held_of(result, &forming, path)),
            batch,
            repeat: self.repeat(step, &forming, path).map(Box::new),
            undo: None,
            invalidates: keeping::invalidated(self.planner, step, (&forming, path)),
        };
        self.keep(&mut call, (facts, asking), &names);
        self.note_replies(&mut call);
        Some(call)
    }

    /// What a step holds, made of the reply to its call.
    fn held_of(&self, result: &Template, names: &Names<'_, '_>, path: &str) -> Node {
        let value = self.planner.template(result, names, &format!("{path}.result"));
        fit::held(value.node, &value.ty)
    }

    fn check_batch(&self, (level, step): (usize, &Step), result: Option<&Template>, path: &str) {
        let Some(batch) = &step.batch else { return };
        if !self.has_many(level) {
            let message = "`batch` puts many parents or items into one call, and here is one".to_owned();
            let help = "write it beside `for_each`, or in a field of the graph".to_owned();
            self.planner.report.error("misplaced", (&batch.place, path), message, help);
        }
        if let Some(result) = result {
            let message = "`result` beside `batch` has no meaning: each key gets its row".to_owned();
            let help = "write it in `from`".to_owned();
            self.planner.report.error("misplaced", (result.place(), path), message, help);
        }
    }

    /// A write stands in a GET endpoint only if `read: false` says that it is meant: browsers and
    /// caches ask again as they please. In fields that read it never stands (GraphQL section 6.2.2).
    fn check_read_only(&self, call: &RestCall, path: &str) {
        let safe = matches!(call.verb.method.value, Method::GET | Method::HEAD);
        let read = call.read.as_ref().map(|read| read.value);
        let endpoint = matches!(self.root, Root::Endpoint { .. });
        if !self.read_only() || read.unwrap_or(safe) || (endpoint && read == Some(false)) {
            return;
        }
        let message = format!("{} is a write, and only reads may stand here", call.verb.method.value);
        let help = match endpoint {
            true => {
                "write `read: true` if it changes nothing, `read: false` if asking for the page shall make it happen, or use a POST endpoint"
            }
            false => "write `read: true` if it changes nothing, or use a mutation",
        };
        self.planner.report.error("write-in-read", (&call.verb.method.place, path), message, help.to_owned());
    }

    pub(super) fn rest(&self, call: &RestCall, names: &Names<'_, '_>, path: &str) -> Request {
        let method = call.verb.method.value.clone();
        if let (Some(body), &(Method::GET | Method::HEAD)) = (call.body.as_ref().map(Template::place), &method) {
            let message = format!("{method} has no body");
            let help = "write it in `query`, or use another method with `read: true`".to_owned();
            self.planner.report.error("misplaced", (body, path), message, help);
        }
        let verb_path = format!("{path}.{}", method.as_str().to_lowercase());
        let expect = match &call.expect {
            Some(statuses) => Expect::Only(statuses.iter().map(|status| status.value).collect::<Arc<[u16]>>()),
            None => Expect::Success,
        };
        let target = self.path(&call.verb.target, names, &verb_path);
        let body = call.body.as_ref().map(|body| self.planner.template(body, names, &format!("{path}.body")));
        let operation = self.checked_operation(call, &target, (names, path));
        if let Some(operation) = &operation {
            self.check_body(operation, (call, body.as_ref()), path);
        }
        Request::Rest {
            method,
            path: target.into(),
            cookies: self.planner.pairs(call.cookies.as_ref(), names, &format!("{path}.cookies")),
            body: self.body((call, body), names, path),
            expect,
            operation: operation.and_then(|operation| self.planner.operation_id(&operation)),
        }
    }

    fn body(&self, (call, json): (&RestCall, Option<Value>), names: &Names<'_, '_>, path: &str) -> Option<Body> {
        if let Some(form) = &call.form {
            return Some(Body::Form(self.planner.pairs(Some(form), names, &format!("{path}.form"))));
        }
        self.sent_as_it_is(call, names, path)
            .or_else(|| json.map(|json| Body::Json(fit::passed_on(json.node, &json.ty))))
    }

    /// Compiles a path: text as written, values each within their segment.
    pub(super) fn path(&self, target: &Scalar, names: &dyn Scope, path: &str) -> Vec<PathPart> {
        let Literal::Text(text) = &target.value else { return Vec::new() };
        let pieces = match split(text) {
            Ok(pieces) => pieces,
            Err(mistake) => {
                self.planner.report.mistakes("expression", (target, 0), path, vec![mistake]);
                return Vec::new();
            }
        };
        if !text.starts_with('/') {
            let message = "a path begins with `/`; scheme, host and port belong to the backend".to_owned();
            self.planner.report.error("bad-path", (&target.place, path), message, format!("write `/{text}`"));
        }
        pieces.iter().map(|piece| self.path_part(target, piece, names, path)).collect()
    }

    fn path_part(&self, target: &Scalar, piece: &Piece, names: &dyn Scope, path: &str) -> PathPart {
        let bytes = match piece {
            Piece::Text(text) => {
                if let Some(bad) = text.chars().find(|c| c.is_whitespace() || c.is_control() || *c == '#') {
                    let message = format!("{bad:?} cannot stand in a path");
                    let help = "write it percent-encoded, or as a value of `query`".to_owned();
                    self.planner.report.error("bad-path", (&target.place, path), message, help);
                }
                return PathPart::Text(text.as_str().into());
            }
            Piece::Expression(bytes) => bytes.clone(),
        };
        let Literal::Text(text) = &target.value else { return PathPart::Text("".into()) };
        let value = self.planner.expression(target, (text, bytes.clone()), names, path);
        if matches!(value.ty.present(), Type::List(_) | Type::Map(_) | Type::Object(_) | Type::Null) {
            let place = target.place_of(bytes);
            let message = format!("{} cannot stand in a path", value.ty);
            self.planner.report.error("wrong-type", (&place, path), message, "choose a member of it".to_owned());
        }
        if self.is_tail(&value.node) { PathPart::Tail } else { PathPart::Value(value.node) }
    }

    /// Whether a program is just the tail argument of the endpoint's path.
    fn is_tail(&self, node: &Node) -> bool {
        let Node::Path { var, steps } = node else { return false };
        let super::unit::Root::Endpoint { args, .. } = self.root else { return false };
        let sources = self.sources();
        match (&sources[var.0 as usize], &steps[..]) {
            (Source::Args, [PathStep::Member(name, _)]) => {
                args.iter().any(|arg| arg.name == *name && matches!(arg.source, crate::plan::ArgSource::Tail(_)))
            }
            _ => false,
        }
    }

    pub(super) fn grpc(
        &self,
        call: &GrpcCall,
        rpc: crate::descriptor::MethodDescriptor,
        names: &Names<'_, '_>,
        path: &str,
    ) -> (MethodId, Node) {
        let message = match &call.message {
            Some(message) => self.message(message, &rpc.input(), names, &format!("{path}.message")),
            None => Node::Object(Box::default()),
        };
        (self.planner.method(rpc), message)
    }

    /// Compiles what is added to a problem document: members, so an object.
    fn members(&self, written: &Template, names: &dyn Scope, path: &str) -> Node {
        let value = self.planner.template(written, names, path);
        if !matches!(value.ty.present(), Type::Dyn | Type::Map(_) | Type::Object(_) | Type::Null) {
            let message = format!("`with` adds members, and this is {}", value.ty);
            let help = "write names with values, as in `with: { code: \"${reply.code}\" }`".to_owned();
            self.planner.report.error("wrong-type", (written.place(), path), message, help);
        }
        value.node
    }

    /// Compiles `fail` rules.
    pub(super) fn guards(&self, rules: &[spec::Fail], names: &dyn Scope, path: &str) -> Vec<Guard> {
        let guard = |rule: &spec::Fail| Guard {
            when: self.planner.condition(&rule.when, names, &format!("{path}.fail.when")),
            code: rule.code.as_ref().map(|code| code.value.as_str().into()),
            status: rule.status.as_ref().map(|status| status.value),
            detail: rule
                .detail
                .as_ref()
                .map(|detail| self.planner.scalar(detail, names, &format!("{path}.fail.detail")).node),
            with: rule.with.as_ref().map(|with| self.members(with, names, &format!("{path}.fail.with"))),
            blame: rule.blame.as_ref().map(|blame| match blame.value {
                Blame::Client => Fault::Client,
                Blame::Backend => Fault::Backend,
            }),
        };
        rules.iter().map(guard).collect()
    }

    fn batch(&self, (level, batch): (usize, &spec::Batch), names: &Names<'_, '_>, reply: &Type, path: &str) -> Batch {
        let row = row_type(self, (level, batch), reply);
        let key_names = self.names_of(level);
        let extra = Extra { reply: Some(reply), keys: true, ..Extra::default() };
        let from_names = Names { extra, ..*names };
        let by_names = Names { extra: Extra { row: Some(&row), ..extra }, ..*names };
        let path = format!("{path}.batch");
        let from = self.planner.scalar(&batch.from, &from_names, &format!("{path}.from"));
        Batch {
            key: self.planner.template(&batch.key, &key_names, &format!("{path}.key")).node,
            from: from.node.walked(&from.ty),
            by: self.planner.scalar(&batch.by, &by_names, &format!("{path}.by")).node,
            many: batch.many.as_ref().is_some_and(|many| many.value),
            max: batch.max.as_ref().map_or(BATCH_MAX, |max| max.value as usize),
            max_unwritten: batch.max.is_none(),
            max_url: batch.max_url.as_ref().map(|size| usize::try_from(size.value.0).unwrap_or(usize::MAX)),
            missing_fails: batch.missing.as_ref().is_some_and(|missing| missing.value == Missing::Error),
        }
    }
}

impl<'s> Planner<'s> {
    /// The backend of a call.
    pub(super) fn backend(&self, name: &Located<String>, wanted: Protocol, path: &str) -> Option<&BackendFacts<'s>> {
        let found = self.backends.iter().find(|facts| facts.name == name.value);
        let path = format!("{path}.backend");
        let Some(facts) = found else {
            if self.unread.contains(&format!("backends.{}", name.value)) {
                return None;
            }
            let known = self.backends.iter().map(|facts| facts.name);
            let message = format!("no backend is called `{}`", name.value);
            self.report.error("unknown-name", (&name.place, &path), message, did_you_mean(&name.value, known));
            return None;
        };
        if facts.protocol != wanted {
            let (speaks, write) = match facts.protocol {
                Protocol::Rest => ("REST", "write a verb such as `get: /path` instead of `rpc`"),
                Protocol::Grpc => ("gRPC", "write `rpc: package.Service/Method` instead of a verb"),
            };
            let message = format!("the backend `{}` speaks {speaks}", name.value);
            self.report.error("wrong-protocol", (&name.place, &path), message, write.to_owned());
            return None;
        }
        Some(facts)
    }

    /// The position of a rpc in the plan's table of methods.
    fn method(&self, rpc: crate::descriptor::MethodDescriptor) -> MethodId {
        let mut methods = self.methods.borrow_mut();
        if let Some(index) = methods.iter().position(|known| known.descriptor == rpc) {
            return MethodId::from(index);
        }
        let path = format!("/{}/{}", rpc.parent_service().full_name(), rpc.name());
        let path = path.parse().unwrap_or_else(|_| http::uri::PathAndQuery::from_static("/"));
        methods.push(Rpc { path, descriptor: rpc });
        MethodId::from(methods.len() - 1)
    }
}

//! An explanation as JSON. Its members are documented in `docs/EXPLAIN.md` and keep their meaning;
//! new ones may be added.

use std::time::Duration;

use super::Explained;
use super::model::{
    Action, Argument, Asked, Body, Call, Choice, Condition, Cost, DeadlineBy, Explanation, Field, FieldRuns, Given,
    Head, Items, Operation, Outcome, Pair, Step, Subject, Undo,
};
use crate::base::value::{JsonWriter, Kind, Sink as _, member_key};
use crate::plan::analysis::{Calls, Sharing};
use crate::plan::operation::OperationKind;
use crate::plan::{Because, Protocol, TimeoutBy};

/// The whole object, without a line end.
pub(super) fn json(explained: &Explained) -> String {
    object(|object| match explained {
        Explained::Composition(explanation) => whole(explanation, object),
        Explained::Operation(operation) => self::operation(operation, object),
    })
}

fn operation(operation: &Operation, object: &mut Object) {
    let writes = operation.kind == OperationKind::Mutation;
    object.text("kind", "operation").text("name", &operation.head.name);
    object
        .maybe("summary", operation.head.summary.as_deref())
        .text("operation", if writes { "mutation" } else { "query" });
    rest_of_head(&operation.head, object);
    let path = |field: usize| &*operation.fields[field].path;
    object.list("fields", &operation.fields, |field, object| {
        object.text("path", &field.path).maybe("after", field.after.or(field.before).map(path));
        object.texts("only_if", &field.only_if).number("objects", field.objects);
        object.list("calls", &field.calls, |(backend, calls), object| {
            object.text("backend", backend).number("at_most", *calls);
        });
        object.object("explanation", |object| whole(&field.explanation, object));
    });
    object.list("taken", &operation.taken, |taken, object| {
        object.text("path", &taken.path).list("fields", &taken.fields, |(name, how), object| {
            object.text("name", name).maybe("computed", how.as_deref());
        });
    });
    object.list("lists", &operation.lists, |list, object| {
        object.text("path", &list.path).number("size", list.size).text("because", &list.because);
    });
    object.number("depth", operation.depth).texts("chain", operation.chain.iter().map(|field| path(*field)));
}

fn whole(explanation: &Explanation, object: &mut Object) {
    let head = &explanation.head;
    let kind = match &head.subject {
        Subject::Endpoint(_) => "endpoint",
        Subject::Proxy(_) => "proxy",
        Subject::Field(_) => "field",
        Subject::Document(_) => "operation",
    };
    object.text("kind", kind).text("name", &head.name).maybe("summary", head.summary.as_deref());
    rest_of_head(head, object);
    let way = |step: &usize| explanation.steps[*step].way.clone();
    object.list("steps", &explanation.steps, |found, object| step(found, &way, object));
    object.texts("never", &explanation.never);
    object.list("result", &explanation.result, |members, object| {
        let names = match &members.given {
            Given::Named(names) => names.as_slice(),
            Given::Whole | Given::Merged => &[],
        };
        object.texts("members", names).flag("merged", members.given == Given::Merged);
        object.texts("steps", members.steps.iter().map(way));
    });
    object.texts("answer_waits_for", explanation.answer_waits.iter().map(way));
    object.object("cost", |object| cost(&explanation.cost, &way, object));
    object.list("refusals", &explanation.refusals, |(backend, refusal), object| {
        object.text("backend", backend).text("refusal", refusal);
    });
}

/// The text of an object.
pub(super) fn object(write: impl FnOnce(&mut Object)) -> String {
    let mut object = Object { out: JsonWriter::default() };
    object.inner(write);
    String::from_utf8_lossy(&object.out.bytes).into_owned()
}

/// Writes one object, member by member.
pub(super) struct Object {
    out: JsonWriter,
}

impl Object {
    fn key(&mut self, name: &str) -> &mut JsonWriter {
        self.out.key(&member_key(name));
        &mut self.out
    }

    /// A member that is text.
    pub(super) fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.key(name).text(Kind::String, value);
        self
    }

    /// A member that is text, or left out.
    pub(super) fn maybe(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        value.into_iter().for_each(|value| {
            self.text(name, value);
        });
        self
    }

    /// A member that is a number.
    pub(super) fn number(&mut self, name: &str, value: u64) -> &mut Self {
        self.key(name).uint(value);
        self
    }

    /// A member that is true, or left out.
    pub(super) fn flag(&mut self, name: &str, value: bool) -> &mut Self {
        if value {
            self.key(name).bool(true);
        }
        self
    }

    /// A member that is a time in milliseconds.
    pub(super) fn time(&mut self, name: &str, time: Duration) -> &mut Self {
        self.number(name, u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    /// A member that is a list of texts.
    pub(super) fn texts<T: AsRef<str>>(&mut self, name: &str, values: impl IntoIterator<Item = T>) -> &mut Self {
        let out = self.key(name);
        out.begin_array();
        values.into_iter().for_each(|value| out.text(Kind::String, value.as_ref()));
        out.end_array();
        self
    }

    /// A member that is a list of numbers.
    pub(super) fn numbers(&mut self, name: &str, values: &[u64]) -> &mut Self {
        let out = self.key(name);
        out.begin_array();
        values.iter().for_each(|value| out.uint(*value));
        out.end_array();
        self
    }

    /// A member that is a list of objects.
    pub(super) fn list<'a, T: 'a>(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = &'a T>,
        write: impl Fn(&'a T, &mut Self),
    ) -> &mut Self {
        self.key(name).begin_array();
        for value in values {
            self.inner(|object| write(value, object));
        }
        self.out.end_array();
        self
    }

    /// A member that is an object.
    pub(super) fn object(&mut self, name: &str, write: impl FnOnce(&mut Self)) -> &mut Self {
        self.key(name);
        self.inner(write);
        self
    }

    fn inner(&mut self, write: impl FnOnce(&mut Self)) {
        self.out.begin_object();
        write(self);
        self.out.end_object();
    }
}

fn rest_of_head(head: &Head, object: &mut Object) {
    object.texts("about", &head.about);
    subject(&head.subject, object);
    object.list("failures", &head.failures, |(of, status), object| {
        object.text("of", of).number("status", u64::from(*status));
    });
    object.list("arguments", &head.arguments, argument);
}

fn subject(subject: &Subject, object: &mut Object) {
    match subject {
        Subject::Endpoint(answer) => {
            object.object("answer", |object| {
                object.text("status", &answer.status).maybe("media_type", answer.media_type.as_deref());
                object.time("within_ms", answer.within);
                object.list("headers", &answer.headers, pair).list("cookies", &answer.cookies, named);
            });
        }
        Subject::Proxy(proxy) => {
            object.object("request", |object| {
                object.text("backend", &proxy.backend).maybe("path", proxy.path.as_deref());
                object.time("within_ms", proxy.within);
                object.maybe("cache", proxy.is_cached.then_some("http"));
                object.list("headers", &proxy.headers, pair);
                choice(proxy.choice.as_ref(), object);
            });
        }
        Subject::Document(within) => {
            object.time("within_ms", *within);
        }
        Subject::Field(field) => {
            object.object("field", |object| self::field(field, object));
        }
    }
}

fn field(field: &Field, object: &mut Object) {
    object.maybe("type", field.ty.as_deref());
    let runs = match field.runs {
        FieldRuns::InQuery => "in_query",
        FieldRuns::InMutation => "in_mutation",
        FieldRuns::Computed => "computed",
        FieldRuns::ForAllParents => "for_all_parents",
        FieldRuns::ForEachParent { .. } => "for_each_parent",
    };
    object.text("runs", runs);
    if let FieldRuns::ForEachParent { parallel, max } = field.runs {
        object.number("parallel", parallel).number("max", max);
    }
    field.within.into_iter().for_each(|within| {
        object.time("within_ms", within);
    });
}

fn named((name, value): &(String, String), object: &mut Object) {
    object.text("name", name).text("value", value);
}

fn pair(pair: &Pair, object: &mut Object) {
    match pair {
        Pair::Set(name, value) => object.text("name", name).text("value", value),
        Pair::Removed(name) => object.text("name", name).flag("removed", true),
        Pair::Map(map) => object.text("map", map),
    };
}

/// Where it goes, and what differs there.
fn choice(choice: Option<&Choice>, object: &mut Object) {
    object.maybe("choose", choice.and_then(|choice| choice.by.as_deref()));
    object.list("variants", choice.iter().flat_map(|choice| &choice.variants), |variant, object| {
        object.text("name", &variant.name);
        variant.share.into_iter().for_each(|share| {
            object.number("share", share);
        });
        object.texts("query", &variant.query).list("headers", &variant.headers, pair);
        variant.within.into_iter().for_each(|within| {
            object.time("within_ms", within);
        });
    });
}

fn argument(argument: &Argument, object: &mut Object) {
    object.text("name", &argument.name).text("type", &argument.ty);
    object.maybe("from", Some(&*argument.from).filter(|from| !from.is_empty()));
    object.texts("rules", &argument.rules).maybe("default", argument.default.as_deref());
    object.flag("required", argument.required);
}

fn step(step: &Step, way: &dyn Fn(&usize) -> String, object: &mut Object) {
    let kind = match &step.action {
        Action::Call(_) => "call",
        Action::Guard(_) => "guard",
        Action::Composition { .. } => "composition",
    };
    object.text("id", &step.way).text("name", step.own_name()).text("kind", kind);
    object.maybe("inside", step.inside.as_ref().map(way).as_deref());
    object.texts("waits_for", step.waits.iter().map(way)).number("turn", step.turn);
    object.list("only_if", &step.only_if, |condition: &Condition, object| {
        let outcome = match condition.outcome {
            Outcome::Called => "called",
            Outcome::Skipped => "skipped",
            Outcome::Failed => "failed",
        };
        object.text("step", &way(&condition.step)).text("outcome", outcome);
    });
    object.maybe("when", step.when.as_deref()).maybe("else", step.otherwise.as_deref());
    object.maybe("on_failure", step.on_failure.as_deref());
    if let Some(deadline) = step.deadline {
        object.time("deadline_ms", deadline.time).text("deadline_by", deadline_by(deadline.by));
    }
    if let Some(Items { name, list, key, max, cut, parallel }) = &step.items {
        object.object("items", |object| {
            object.text("name", name).text("list", list).maybe("key", key.as_deref());
            object.number("max", *max).text("over", if *cut { "cut" } else { "fail" }).number("parallel", *parallel);
        });
    }
    match &step.action {
        Action::Call(call) => {
            object.object("call", |object| self::call(call, way, object));
        }
        Action::Guard(refusals) => {
            object.texts("refusals", refusals);
        }
        Action::Composition { part, refusals } => {
            object.maybe("part", part.as_deref()).texts("refusals", refusals);
        }
    }
}

fn call(call: &Call, way: &dyn Fn(&usize) -> String, object: &mut Object) {
    let protocol = if call.protocol == Protocol::Grpc { "grpc" } else { "rest" };
    object.text("backend", &call.backend).text("protocol", protocol);
    asked(&call.asked, object);
    object.list("headers", &call.headers, pair).list("cookies", &call.asked.cookies, pair);
    choice(call.choice.as_ref(), object);
    object.numbers("expects", &call.expects).texts("refusals", &call.refusals);
    object.maybe("holds", call.holds.as_deref());
    if let Some(batch) = &call.batch {
        object.object("batch", |object| {
            object.text("key", &batch.key).text("from", &batch.from).text("by", &batch.by);
            object.flag("many", batch.many).number("max", batch.max).flag("missing_fails", batch.missing_fails);
        });
    }
    if let Some(repeat) = &call.repeat {
        object.object("repeat", |object| {
            object.text("until", &repeat.until).number("max", repeat.max).time("every_ms", repeat.every);
            object.text("over", if repeat.cut { "cut" } else { "fail" });
        });
    }
    if let Some(messages) = &call.messages {
        object.object("messages", |object| {
            object.number("max", messages.max).text("over", if messages.cut { "cut" } else { "fail" });
        });
    }
    if let Some(Undo { backend, asked, timeout }) = &call.undo {
        object.object("undo", |object| {
            self::asked(asked, object.text("backend", backend));
            object.time("timeout_ms", *timeout);
        });
    }
    object.text("effect", if call.effect.write.is_some() { "write" } else { "read" });
    object.text("because", because(call.effect.because));
    call.effect.write.into_iter().for_each(|position| {
        object.number("write", position as u64);
    });
    object.object("calls", |object| calls(&call.calls, object));
    object.texts("inputs", &call.inputs);
    object.list("inputs_through", &call.through, |(step, inputs), object| {
        object.text("step", &way(step)).texts("inputs", inputs);
    });
    let sharing = match call.sharing {
        _ if call.effect.write.is_some() => "nobody",
        Sharing::Everyone => "everyone",
        Sharing::Alike => "alike",
        Sharing::Private => "private",
        Sharing::Nobody => "nobody",
    };
    object.text("sharing", sharing);
    object.maybe("kept", call.kept.as_deref());
}

/// What is asked: the operation and a body.
fn asked(asked: &Asked, object: &mut Object) {
    object.text("operation", &asked.operation);
    match &asked.body {
        Some(Body::Json(body) | Body::Message(body) | Body::Raw(body)) => object.text("body", body),
        Some(Body::Form(form)) => object.texts("form", form),
        Some(Body::Multipart(parts)) => object.texts("multipart", parts),
        None => object,
    };
}

fn cost(cost: &Cost, way: &dyn Fn(&usize) -> String, object: &mut Object) {
    object.list("backends", &cost.backends, |cost, object| {
        object.text("backend", &cost.backend);
        calls(&cost.calls, object);
        object.maybe("sum", cost.sum.as_deref());
    });
    object.object("together", |object| calls(&cost.together, object));
    object.number("depth", cost.depth).list("chain", &cost.chain, |(step, times), object| {
        object.text("step", &way(step)).number("times", *times);
    });
    object.list("defaults", &cost.defaults, |bound, object| {
        object.text("of", &bound.of).text("key", bound.key).text("value", &bound.text);
    });
}

fn calls(calls: &Calls, object: &mut Object) {
    object.number("at_most", calls.fixed);
    if calls.per_parent > 0 {
        object.number("per_parent", calls.per_parent);
    }
    if !calls.per_keys.is_empty() {
        object.numbers("one_per_keys", &calls.per_keys);
    }
}

fn because(because: Because) -> &'static str {
    match because {
        Because::Method => "method",
        Because::Said => "said",
        Because::Proto => "proto",
        Because::Backend => "backend",
        Because::Place => "place",
        Because::Unsaid => "unsaid",
    }
}

fn deadline_by(by: DeadlineBy) -> &'static str {
    match by {
        DeadlineBy::Step => "step",
        DeadlineBy::Call(TimeoutBy::Backend) => "backend",
        DeadlineBy::Call(TimeoutBy::Gateway) => "gateway",
        DeadlineBy::Call(TimeoutBy::Default) => "default",
        DeadlineBy::Around => "around",
        DeadlineBy::Answer => "answer",
    }
}

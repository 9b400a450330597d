//! Writes the answer of an operation in one pass, nulls bubbling as the specification says.
//! Source: GraphQL specification (September 2025), section 6.4.

use bytes::Bytes;

use super::{Execution, GraphAnswer, complete, leaf};
use crate::base::failure::{Cause, Failure};
use crate::base::value::{Held, JsonWriter, Kind, Sink as _, Value, member_key};
use crate::plan::operation::{Answers, Planned, PlannedField, PlannedSelection};
use crate::plan::schema::TypeId;

/// A null that its place does not allow: the value around it becomes null.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bubble;

/// What is being written, and what went wrong so far.
pub(super) struct Writer<'p, 'x> {
    pub(super) execution: &'x mut Execution<'p>,
    pub(super) out: JsonWriter,
    pub(super) path: Vec<Segment<'p>>,
    errors: Vec<FieldError<'p>>,
}

/// What was written for an operation, and what failed on the way.
pub(super) struct Written<'p> {
    pub(super) out: JsonWriter,
    /// Whether the data as a whole is null.
    pub(super) no_data: bool,
    /// In the order in which they arose: when there is no data, the last one is why.
    pub(super) errors: Vec<FieldError<'p>>,
}

/// A step of an error's path.
#[derive(Clone, Copy, Debug)]
pub(super) enum Segment<'p> {
    Key(&'p str),
    Index(usize),
}

/// One entry of `errors`.
pub(super) struct FieldError<'p> {
    path: Box<[Segment<'p>]>,
    line: u32,
    column: u32,
    pub(super) failure: Failure,
}

impl FieldError<'_> {
    /// The path without the positions in lists: `products.seller`.
    pub(super) fn field(&self) -> String {
        let keys = self.path.iter().filter_map(|segment| match segment {
            Segment::Key(key) => Some(*key),
            Segment::Index(_) => None,
        });
        keys.collect::<Vec<_>>().join(".")
    }
}

/// The whole answer.
pub(super) fn answer<'p>(mut execution: Execution<'p>, planned: &'p Planned) -> GraphAnswer {
    let mut out = JsonWriter { bytes: Vec::with_capacity(4096) };
    out.begin_object();
    out.key(b"\"data\":");
    let Written { mut out, no_data, errors } = data(&mut execution, planned, out);
    write_errors(&mut out, &errors);
    out.end_object();
    let codes = errors.iter().map(|error| error.failure.code().to_owned()).collect();
    GraphAnswer { body: Bytes::from(out.bytes), no_data, codes, partial: execution.run.into_partial() }
}

/// Writes the data behind what was written before it.
pub(super) fn data<'p>(execution: &mut Execution<'p>, planned: &'p Planned, out: JsonWriter) -> Written<'p> {
    let mut writer = Writer { execution, out, path: Vec::new(), errors: Vec::new() };
    let mark = writer.out.mark();
    let no_data = writer.object(&Value::Null, &planned.selection, planned.operation.root).is_err();
    if no_data {
        writer.out.rewind(mark);
        writer.out.null();
    }
    Written { out: writer.out, no_data, errors: writer.errors }
}

impl<'p> Writer<'p, '_> {
    /// Writes the fields of one object of a known type.
    pub(super) fn object(
        &mut self,
        value: &Value<'_>,
        selection: &'p PlannedSelection,
        of: TypeId,
    ) -> Result<(), Bubble> {
        self.out.begin_object();
        for field in &selection.fields {
            if !field.field.applies_to(of) || !field.is_included(self.execution.inputs.variables) {
                continue;
            }
            self.out.key(&field.field.key);
            self.path.push(Segment::Key(&field.field.response_name));
            let written = self.field(value, field, of);
            self.path.pop();
            written?;
        }
        self.out.end_object();
        Ok(())
    }

    fn field(&mut self, parent: &Value<'_>, field: &'p PlannedField, of: TypeId) -> Result<(), Bubble> {
        match &field.answers {
            Answers::Member(name) => self.member(parent, name, field),
            Answers::Bound { group, .. } => match self.result(*group, parent) {
                Ok(held) => self.complete(&held.value(), &field.field.ty, field),
                Err(failure) => self.failed(field, failure),
            },
            Answers::Expression(id) => match complete::expression(self.execution, *id, parent, Some(field)) {
                Ok(held) => self.complete(&held.value(), &field.field.ty, field),
                Err(failure) => self.failed(field, failure),
            },
            Answers::Typename => {
                let name = &self.execution.graph().schema[of].name;
                self.out.text(Kind::String, name);
                Ok(())
            }
            Answers::Introspection => {
                let known =
                    self.execution.inputs.introspection.iter().find(|(key, _)| *key == field.field.response_name);
                match known {
                    Some((_, json)) => self.out.bytes.extend_from_slice(json),
                    None => self.out.null(),
                }
                Ok(())
            }
        }
    }

    /// Writes a member of the parent object. A scalar that is in a reply as it must be in the answer is copied as it is.
    fn member(&mut self, parent: &Value<'_>, name: &str, field: &'p PlannedField) -> Result<(), Bubble> {
        let Value::View(parent) = parent else {
            return self.complete(&parent.member(name).unwrap_or(Value::Null), &field.field.ty, field);
        };
        match parent.member(name) {
            Some(member) if leaf::splice(&field.field.ty, member, &mut self.out) => Ok(()),
            Some(member) => self.complete(&member.value(), &field.field.ty, field),
            None => self.complete(&Value::Null, &field.field.ty, field),
        }
    }

    /// What a bound field gave for a parent. Parents are visited in the order in which they were
    /// collected; those under a null that bubbled are passed over.
    fn result(&mut self, group: usize, parent: &Value<'_>) -> Result<Held, Failure> {
        let group = &mut self.execution.groups[group];
        while let Some(known) = group.parents.get(group.cursor) {
            let at = group.cursor;
            group.cursor += 1;
            if is_same(known, parent) {
                return group.results.get(at).cloned().unwrap_or(Ok(Held::Null));
            }
        }
        Err(Failure::new(Cause::Internal, "a field has no result"))
    }

    /// Notes a field's failure; the field is null then.
    fn failed(&mut self, field: &'p PlannedField, failure: Failure) -> Result<(), Bubble> {
        self.error(field, failure);
        if field.field.ty.is_non_null() {
            return Err(Bubble);
        }
        self.out.null();
        Ok(())
    }

    /// Adds an entry to `errors`.
    pub(super) fn error(&mut self, field: &PlannedField, failure: Failure) {
        let id = self.execution.run.request.id_text();
        tracing::info!(
            request_id = id,
            field = &*field.field.name,
            code = failure.code(),
            log = &*failure.log,
            "a field failed"
        );
        let (line, column) = (field.field.line, field.field.column);
        self.errors.push(FieldError { path: self.path.as_slice().into(), line, column, failure });
    }
}

/// Writes `errors`, if there are any.
fn write_errors(out: &mut JsonWriter, errors: &[FieldError<'_>]) {
    if errors.is_empty() {
        return;
    }
    out.key(b"\"errors\":");
    out.begin_array();
    for error in errors {
        out.begin_object();
        out.key(b"\"message\":");
        out.text(Kind::String, error.failure.client_text());
        out.key(b"\"locations\":");
        out.begin_array();
        out.begin_object();
        out.key(b"\"line\":");
        out.uint(error.line.into());
        out.key(b"\"column\":");
        out.uint(error.column.into());
        out.end_object();
        out.end_array();
        out.key(b"\"path\":");
        path(out, &error.path);
        out.key(b"\"extensions\":");
        extensions(out, &error.failure);
        out.end_object();
    }
    out.end_array();
}

fn path(out: &mut JsonWriter, path: &[Segment<'_>]) {
    out.begin_array();
    for segment in path {
        match segment {
            Segment::Key(key) => out.text(Kind::String, key),
            Segment::Index(index) => out.uint(*index as u64),
        }
    }
    out.end_array();
}

/// `{"code": …}` and the members that the composition declares for the failure.
fn extensions(out: &mut JsonWriter, failure: &Failure) {
    out.begin_object();
    out.key(b"\"code\":");
    out.text(Kind::String, failure.code());
    if let Some(steps) = &failure.undo_failed {
        out.key(b"\"undo_failed\":");
        out.begin_array();
        steps.iter().for_each(|step| out.text(Kind::String, step));
        out.end_array();
    }
    if let Some(with) = &failure.with {
        for (name, view) in with.root().members() {
            if !matches!(&*name, "code" | "undo_failed") {
                out.key(&member_key(&name));
                out.view(view);
            }
        }
    }
    out.end_object();
}

/// Whether a kept parent is the object that the writer stands at.
fn is_same(known: &Held, parent: &Value<'_>) -> bool {
    match (known, parent) {
        (Held::Null, Value::Null) => true,
        (Held::Doc(doc, node), Value::View(view)) => {
            let (at, number) = view.parts();
            std::sync::Arc::ptr_eq(doc, at) && *node == number
        }
        (Held::Map(known), Value::Held(Held::Map(at))) => std::sync::Arc::ptr_eq(known, at),
        _ => false,
    }
}

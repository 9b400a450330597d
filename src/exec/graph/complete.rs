//! From a value to what its type of the schema says: lists, objects, nulls.

use super::write::{Bubble, Segment, Writer};
use super::{Execution, arguments, leaf};
use crate::base::failure::{Cause, Failure};
use crate::base::id::FieldId;
use crate::base::value::{Held, Sink as _, Value};
use crate::exec::env::Env;
use crate::observe::drift::Found;
use crate::plan::Graph;
use crate::plan::operation::PlannedField;
use crate::plan::operation::selection::FieldSource;
use crate::plan::schema::{TypeId, TypeKind, TypeRef};

impl<'p> Writer<'p, '_> {
    /// Writes a value as its type says. Where that allows null, what cannot be written is null.
    pub(super) fn complete(
        &mut self,
        value: &Value<'_>,
        ty: &'p TypeRef,
        field: &'p PlannedField,
    ) -> Result<(), Bubble> {
        if let TypeRef::NonNull(inner) = ty {
            if value.is_null() {
                let log = format!("{} is null although its type is {ty}", field.field.name);
                self.drift(field, Found::Null);
                self.error(field, Failure::new(Cause::NullInNonNull, log));
                return Err(Bubble);
            }
            return self.present(value, inner, field);
        }
        if value.is_null() {
            self.out.null();
            return Ok(());
        }
        let mark = self.out.mark();
        let depth = self.path.len();
        if self.present(value, ty, field).is_err() {
            self.out.rewind(mark);
            self.path.truncate(depth);
            self.out.null();
        }
        Ok(())
    }

    /// Writes a value that is not null.
    fn present(&mut self, value: &Value<'_>, ty: &'p TypeRef, field: &'p PlannedField) -> Result<(), Bubble> {
        if let TypeRef::List(item) = ty {
            return self.list(value, item, field);
        }
        let schema = &self.execution.graph().schema;
        let id = ty.named();
        if !schema[id].kind.is_composite() {
            return match leaf::write(schema, id, value, &mut self.out) {
                Ok(()) => Ok(()),
                Err(found) => self.mismatch(field, ty, found),
            };
        }
        match concrete_type(self.execution, value, id) {
            Some(object) if value.entries().is_some() => self.object(value, &field.selection, object),
            _ if value.entries().is_some() => self.mismatch(field, ty, Found::Nameless),
            _ => self.mismatch(field, ty, leaf::found(value)),
        }
    }

    fn list(&mut self, value: &Value<'_>, item: &'p TypeRef, field: &'p PlannedField) -> Result<(), Bubble> {
        let Some(elements) = value.elements() else {
            return self.mismatch(field, &field.field.ty, leaf::found(value));
        };
        self.out.begin_array();
        for (index, element) in elements.enumerate() {
            self.path.push(Segment::Index(index));
            self.complete(&element, item, field)?;
            self.path.pop();
        }
        self.out.end_array();
        Ok(())
    }

    fn mismatch(&mut self, field: &'p PlannedField, ty: &TypeRef, found: Found) -> Result<(), Bubble> {
        let log = format!("{} should hold {ty} and holds {}", field.field.name, found.noun());
        self.drift(field, found);
        self.error(field, Failure::new(Cause::TypeMismatch, log));
        Err(Bubble)
    }
}

impl Writer<'_, '_> {
    /// Counts that a reply does not hold what the schema promises.
    fn drift(&self, field: &PlannedField, found: Found) {
        if let FieldSource::Schema(index) = field.field.source {
            let promise = self.execution.graph().promise(field.field.parent, index);
            self.execution.live.drift.note(promise, found);
        }
    }
}

impl<'p> Execution<'p> {
    /// The graph of the plan. Operations exist only where there is one.
    pub(super) fn graph(&self) -> &'p Graph {
        self.live.plan.graph()
    }
}

/// The object type of a value: the type itself, or for an abstract one what its `__typename` rule
/// says, else the member `__typename` of the value.
pub(super) fn concrete_type(execution: &Execution<'_>, value: &Value<'_>, id: TypeId) -> Option<TypeId> {
    let graph = execution.graph();
    if graph.schema[id].kind == TypeKind::Object {
        return Some(id);
    }
    let told = match graph.type_names[id.index()] {
        Some(rule) => expression(execution, rule, value, None).ok()?,
        None => Held::keep(&value.member("__typename")?).ok()?,
    };
    let found = graph.schema.type_named(told.value().as_text()?)?;
    graph.schema.is_possible(id, found).then_some(found)
}

/// Computes a field that is a plain expression over its parent and its arguments.
pub(super) fn expression(
    execution: &Execution<'_>,
    id: FieldId,
    parent: &Value<'_>,
    field: Option<&PlannedField>,
) -> Result<Held, Failure> {
    let bound = &execution.live.plan.fields[id.index()];
    let args = match field {
        Some(field) if !field.field.arguments.is_empty() => arguments(field, (bound, execution.inputs.variables))?,
        _ => Held::Null,
    };
    let parent = Held::keep(parent).map_err(|_| Failure::new(Cause::ExpressionFailed, "not a number of JSON"))?;
    let run = &execution.run;
    let env = Env {
        args: &args,
        item: Some((0, &parent)),
        drift: Some(&execution.live.drift),
        ..Env::bare(run.request, &bound.composition.sources, (&run.budget, &run.leaves))
    };
    let held = env.keep(&bound.composition.result.node)?;
    Ok(held)
}

//! What answers a field gives what the schema promises, as far as load time can tell.
//!
//! The comparison is that of [`crate::plan::fit`]. An object of the graph differs from one of an
//! endpoint's answer: of what it holds only the members count that fields read, and fields with an
//! entry of their own read none.

use std::sync::Arc;

use super::Planner;
use super::fields::{Bound, Entry};
use super::misfits::Written;
use super::unit::Unit;
use super::wiring::Wiring;
use crate::base::diagnostic::did_you_mean;
use crate::base::id::FieldId;
use crate::base::value::Value;
use crate::expr::Type;
use crate::plan::fit::{self, Declared, DeclaredMember, DeclaredObject, DeclaredScalar, Misfit, Rule};
use crate::plan::schema::{Schema, TypeId, TypeKind, TypeRef};

/// Which members the fields of each type read.
pub(super) struct Reads {
    schema: Arc<Schema>,
    /// By type: member and position of each field without an entry.
    members: Vec<Vec<(Box<str>, usize)>>,
    /// By type: whether an entry names the concrete type.
    named: Vec<bool>,
}

impl Reads {
    /// What is left to read by what the entries do not answer.
    pub(super) fn new(schema: &Arc<Schema>, wiring: &Wiring) -> Self {
        let unbound = |(bound, members): (&Vec<Option<FieldId>>, &Vec<Box<str>>)| {
            let read = members.iter().cloned().zip(0..).zip(bound);
            read.filter(|(_, bound)| bound.is_none()).map(|(read, _)| read).collect()
        };
        Self {
            schema: schema.clone(),
            members: wiring.bound.iter().zip(&wiring.members).map(unbound).collect(),
            named: wiring.type_names.iter().map(Option::is_some).collect(),
        }
    }
}

impl<'s> Planner<'s> {
    /// Checks what an entry gives against the type of its field.
    pub(super) fn check_output(&self, entry: &Entry<'s>, unit: &Unit<'_, 's>, reads: &Arc<Reads>) {
        // A level that needs itself was reported as a cycle.
        let Ok(result) = unit.result(0) else { return };
        let declared = match entry.at {
            Bound::Field(ty, index) => declared(reads, &self.schema[ty].fields[index].ty),
            Bound::TypeName(ty) => Declared::Scalar(Arc::new(TypeName { schema: self.schema.clone(), of: ty })),
        };
        let mut misfits = fit::misfits(&result.node, &result.ty, &declared);
        for misfit in &mut misfits {
            explain(misfit);
        }
        match entry.result() {
            Some(template) => {
                self.report_misfits(Written::Template(template), &format!("{}.result", entry.path), &misfits);
            }
            None => self.report_misfits(Written::Elsewhere(&entry.name.place), entry.path, &misfits),
        }
    }
}

/// The graph has a second way out of null: a type that allows it.
fn explain(misfit: &mut Misfit) {
    if matches!(misfit.rule, Rule::Null | Rule::Unset) {
        misfit.help.push_str(", or take the `!` off the type in the schema");
    }
}

/// What a place of the graph declares of the values that it reads.
fn declared(reads: &Arc<Reads>, ty: &TypeRef) -> Declared {
    match ty {
        TypeRef::NonNull(inner) => match declared(reads, inner) {
            Declared::Nullable(inner) => Declared::clone(&inner),
            other => other,
        },
        TypeRef::List(item) => Declared::Nullable(Arc::new(Declared::List(Arc::new(declared(reads, item))))),
        TypeRef::Named { id, .. } if reads.schema[*id].kind.is_composite() => {
            Declared::Nullable(Arc::new(Declared::Object(Arc::new(Output { reads: reads.clone(), id: *id }))))
        }
        scalar => fit::of_output(&reads.schema, scalar),
    }
}

/// An object of the graph as its fields read it.
struct Output {
    reads: Arc<Reads>,
    id: TypeId,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Output").field(&self.reads.schema[self.id].name).finish()
    }
}

impl Output {
    /// Whether values of the type say themselves which concrete type they are of.
    fn tells_its_type(&self) -> bool {
        self.reads.schema[self.id].kind != TypeKind::Object && !self.reads.named[self.id.index()]
    }

    fn read(&self, name: &str) -> Option<usize> {
        let is_object = self.reads.schema[self.id].kind == TypeKind::Object;
        let members = &self.reads.members[self.id.index()];
        members.iter().find(|(member, _)| is_object && **member == *name).map(|(_, at)| *at)
    }
}

impl DeclaredObject for Output {
    fn name(&self) -> String {
        self.reads.schema[self.id].name.to_string()
    }

    fn member(&self, name: &str) -> Option<DeclaredMember> {
        if name == "__typename" && self.tells_its_type() {
            let of = self.id;
            let declared = Declared::Scalar(Arc::new(TypeName { schema: self.reads.schema.clone(), of }));
            return Some(DeclaredMember { declared, required: true });
        }
        let field = &self.reads.schema[self.id].fields[self.read(name)?];
        // A field that may be null is wrong all the same when its member is not there at all.
        Some(DeclaredMember { declared: declared(&self.reads, &field.ty), required: true })
    }

    fn members(&self) -> Vec<String> {
        match self.reads.schema[self.id].kind {
            TypeKind::Object => {
                self.reads.members[self.id.index()].iter().map(|(member, _)| member.to_string()).collect()
            }
            _ if self.tells_its_type() => vec!["__typename".to_owned()],
            _ => Vec::new(),
        }
    }

    fn others(&self) -> Option<Declared> {
        Some(Declared::Anything)
    }

    fn missing(&self, name: &str) -> String {
        let ty = &self.reads.schema[self.id];
        let field = self.read(name).map_or("__typename", |at| ty.fields[at].name.as_str());
        format!("write `graph: {{ {}.{field}: … }}`", ty.name)
    }
}

/// The name of a type that values of an abstract type can be of.
struct TypeName {
    schema: Arc<Schema>,
    of: TypeId,
}

impl std::fmt::Debug for TypeName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TypeName").field(&self.schema[self.of].name).finish()
    }
}

impl DeclaredScalar for TypeName {
    fn name(&self) -> String {
        format!("the name of a type of {}", self.schema[self.of].name)
    }

    fn takes(&self, found: &Type) -> bool {
        matches!(found, Type::Text)
    }

    fn refuses(&self, written: &Value<'_>) -> Option<(String, String)> {
        let text = written.as_text()?;
        let possible = || self.schema[self.of].possible.iter().map(|object| &*self.schema[*object].name);
        let message = || format!("no {} is a `{text}`", self.schema[self.of].name);
        (!possible().any(|name| name == text)).then(|| (message(), did_you_mean(text, possible())))
    }
}

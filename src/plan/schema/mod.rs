//! The types that clients see: the GraphQL schema of a project, read once and checked.
//!
//! [`Schema::read`] merges all files of `schema/*.graphql`. Endpoints without a graph use it too:
//! their arguments and bodies are of these types, and [`coerce`] is the one place where a value
//! from a client becomes a value of a type.

mod check;
pub mod coerce;
mod members;
mod read;
mod type_ref;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ops::Index;
use std::sync::Arc;

use crate::base::diagnostic::{Diagnostic, Place};
use crate::base::id::FileId;
use crate::base::value::Doc;

pub use read::expectation;
pub use type_ref::TypeRef;

/// The file of everything that the GraphQL specification itself defines. No such file exists.
pub const BUILT_IN: FileId = FileId(u32::MAX);

/// A type of the schema: a position in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub u32);

impl TypeId {
    /// `Int`: a whole number of 32 bits with a sign.
    pub const INT: Self = Self(0);
    /// `Float`: a double.
    pub const FLOAT: Self = Self(1);
    /// `String`: text.
    pub const STRING: Self = Self(2);
    /// `Boolean`.
    pub const BOOLEAN: Self = Self(3);
    /// `ID`: text that is compared and never shown.
    pub const ID: Self = Self(4);

    /// The position as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// Whether this is one of the five scalars that every schema has.
    pub fn is_built_in_scalar(self) -> bool {
        self <= Self::ID
    }
}

/// All types of a project, with the scalars and introspection types that every schema has.
#[derive(Debug, Default)]
pub struct Schema {
    types: Vec<Type>,
    names: HashMap<Arc<str>, TypeId>,
    directives: Vec<DirectiveDef>,
    roots: Roots,
}

/// Where operations begin.
#[derive(Clone, Copy, Debug, Default)]
struct Roots {
    query: Option<TypeId>,
    mutation: Option<TypeId>,
    subscription: Option<TypeId>,
    /// The hidden type that declares `__typename`, `__schema` and `__type`.
    meta: Option<TypeId>,
}

impl Schema {
    /// Reads and checks all files as one schema. No file at all gives a schema of scalars.
    ///
    /// The schema is whole even when there are errors, so that the rest of a project can be checked
    /// against it: a name that no type has stands for a scalar that takes anything.
    pub fn read(files: &[(FileId, Arc<str>)]) -> (Self, Vec<Diagnostic>) {
        read::read(files)
    }

    /// The type called `name`.
    pub fn type_named(&self, name: &str) -> Option<TypeId> {
        self.names.get(name).copied()
    }

    /// Every type with its id, the built-in ones first, then in the order in which they are written.
    pub fn types(&self) -> impl Iterator<Item = (TypeId, &Type)> {
        let visible = |(id, _): &(TypeId, &Type)| Some(*id) != self.roots.meta;
        self.types.iter().enumerate().map(|(at, found)| (TypeId(at as u32), found)).filter(visible)
    }

    /// The type of query operations; `None` in a project without a graph.
    pub fn query(&self) -> Option<TypeId> {
        self.roots.query
    }

    /// The type of mutations, if there are any.
    pub fn mutation(&self) -> Option<TypeId> {
        self.roots.mutation
    }

    /// The type of subscriptions, if there are any.
    pub fn subscription(&self) -> Option<TypeId> {
        self.roots.subscription
    }

    /// The types that operations begin at, of which there is one object and no parent.
    pub fn roots(&self) -> Vec<TypeId> {
        let roots = &self.roots;
        [roots.query, roots.mutation, roots.subscription].into_iter().flatten().collect()
    }

    /// The directives that documents may use, `@skip` and `@include` among them.
    pub fn directives(&self) -> &[DirectiveDef] {
        &self.directives
    }

    /// The field `name` of a type as operations may select it: also `__typename` on every object,
    /// interface and union, and `__schema` and `__type` on the query type.
    pub fn field(&self, parent: TypeId, name: &str) -> Option<&FieldDef> {
        if !name.starts_with("__") {
            return self[parent].field(name);
        }
        let allowed = match name {
            "__typename" => self[parent].kind.is_composite() && self.roots.subscription != Some(parent),
            _ => self.roots.query == Some(parent),
        };
        self.roots.meta.filter(|_| allowed).and_then(|meta| self[meta].field(name))
    }

    /// Whether an object of type `object` is also of type `wanted`.
    pub fn is_possible(&self, wanted: TypeId, object: TypeId) -> bool {
        self[wanted].possible.binary_search(&object).is_ok()
    }

    /// Whether every value of type `sub` is one of type `wanted` (GraphQL, "IsSubType").
    pub fn is_subtype(&self, sub: &TypeRef, wanted: &TypeRef) -> bool {
        match (sub, wanted) {
            (TypeRef::NonNull(sub), TypeRef::NonNull(wanted)) => self.is_subtype(sub, wanted),
            (TypeRef::NonNull(sub), _) => self.is_subtype(sub, wanted),
            (TypeRef::List(sub), TypeRef::List(wanted)) => self.is_subtype(sub, wanted),
            (TypeRef::Named { id: sub, .. }, TypeRef::Named { id: wanted, .. }) => {
                sub == wanted || self.is_possible(*wanted, *sub) || self[*sub].interfaces.contains(wanted)
            }
            _ => false,
        }
    }

    /// The type that text such as `[ID!]!` means.
    ///
    /// # Errors
    /// What is wrong, one sentence without a full stop.
    pub fn type_ref(&self, text: &str) -> Result<TypeRef, String> {
        type_ref::parse(self, text)
    }
}

impl Index<TypeId> for Schema {
    type Output = Type;

    fn index(&self, id: TypeId) -> &Type {
        &self.types[id.index()]
    }
}

/// One type with its extensions merged in. Members that its kind does not have are empty.
#[derive(Clone, Debug)]
pub struct Type {
    /// Its name.
    pub name: Arc<str>,
    /// What it is.
    pub kind: TypeKind,
    /// What clients read about it.
    pub description: Option<String>,
    /// Fields of an object or interface, in written order.
    pub fields: Vec<FieldDef>,
    /// Interfaces that an object or interface implements.
    pub interfaces: Vec<TypeId>,
    /// The object types that a value can be of, sorted: itself for an object, the members of a
    /// union, the implementations of an interface.
    pub possible: Vec<TypeId>,
    /// Values of an enum.
    pub values: Vec<EnumValueDef>,
    /// Fields of an input.
    pub inputs: Vec<InputDef>,
    /// Whether exactly one field of an input must be given (`@oneOf`).
    pub one_of: bool,
    /// Where a scalar is specified (`@specifiedBy`).
    pub specified_by: Option<String>,
    /// Where its name is first written.
    pub place: Place,
}

impl Type {
    /// The field called `name`.
    pub fn field(&self, name: &str) -> Option<&FieldDef> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The input field called `name`.
    pub fn input(&self, name: &str) -> Option<&InputDef> {
        self.inputs.iter().find(|input| input.name == name)
    }
}

/// The kinds of type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TypeKind {
    Scalar,
    Object,
    Interface,
    Union,
    Enum,
    Input,
}

impl TypeKind {
    /// Whether values of it can be given by clients.
    pub fn is_input(self) -> bool {
        matches!(self, Self::Scalar | Self::Enum | Self::Input)
    }

    /// Whether values of it can be answered.
    pub fn is_output(self) -> bool {
        self != Self::Input
    }

    /// Whether values of it have fields to select.
    pub fn is_composite(self) -> bool {
        matches!(self, Self::Object | Self::Interface | Self::Union)
    }

    /// The kind as the end of "this is …".
    pub fn noun(self) -> &'static str {
        match self {
            Self::Scalar => "a scalar",
            Self::Object => "an object type",
            Self::Interface => "an interface",
            Self::Union => "a union",
            Self::Enum => "an enum",
            Self::Input => "an input type",
        }
    }
}

/// A field of an object or interface.
#[derive(Clone, Debug)]
pub struct FieldDef {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub ty: TypeRef,
    /// Its arguments.
    pub args: Vec<InputDef>,
    /// What clients read about it.
    pub description: Option<String>,
    /// Why it should not be used any more, if so.
    pub deprecated: Option<String>,
    /// Where its name is written.
    pub place: Place,
}

/// An argument, or a field of an input.
#[derive(Clone, Debug)]
pub struct InputDef {
    /// Its name.
    pub name: String,
    /// The name as [`crate::base::value::Sink::key`] takes it.
    pub key: Box<[u8]>,
    /// What it takes.
    pub ty: TypeRef,
    /// What it is when it is not given.
    pub default: Option<InputDefault>,
    /// What clients read about it.
    pub description: Option<String>,
    /// Why it should not be used any more, if so.
    pub deprecated: Option<String>,
    /// Where its name is written.
    pub place: Place,
}

impl InputDef {
    /// Whether a client must give it.
    pub fn is_required(&self) -> bool {
        self.ty.is_non_null() && self.default.is_none()
    }
}

/// A default value, coerced.
#[derive(Clone, Debug)]
pub struct InputDefault {
    /// The value as JSON.
    pub value: Arc<Doc>,
    /// The value as GraphQL writes it.
    pub written: String,
}

/// A value of an enum.
#[derive(Clone, Debug)]
pub struct EnumValueDef {
    /// Its name, which is also its JSON text.
    pub name: String,
    /// What clients read about it.
    pub description: Option<String>,
    /// Why it should not be used any more, if so.
    pub deprecated: Option<String>,
}

/// A directive.
#[derive(Clone, Debug)]
pub struct DirectiveDef {
    /// Its name without `@`.
    pub name: String,
    /// What clients read about it.
    pub description: Option<String>,
    /// Its arguments.
    pub args: Vec<InputDef>,
    /// Where it may stand, in the words of introspection such as `FRAGMENT_SPREAD`.
    pub locations: Vec<&'static str>,
    /// Whether it may stand twice at one place.
    pub repeatable: bool,
    /// Where its name is written.
    pub place: Place,
}

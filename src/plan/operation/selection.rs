//! What a GraphQL operation asks for, ready to run: validated, typed, fragments inlined, fields merged.
//!
//! An [`Operation`] is made once for a document and kept; every request with that document runs the
//! same one. So nothing here depends on the values of variables:
//! `@skip` and `@include` stand as [`Condition`]s, and arguments as [`InputValue`]s.

use std::sync::Arc;

use crate::base::value::{Doc, Sink, View};
use crate::plan::schema::coerce::InvalidInput;
use crate::plan::schema::{InputDefault, TypeId, TypeRef};

impl AsRef<Self> for Operation {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// One operation of a document.
#[derive(Debug)]
pub struct Operation {
    /// Whether it reads or writes.
    pub kind: OperationKind,
    /// Its name, if it has one.
    pub name: Option<Box<str>>,
    /// The type that its fields are of.
    pub root: TypeId,
    /// Its variables in written order.
    pub variables: Vec<VariableDef>,
    /// Its fields. Those of a mutation run one after another.
    pub selection: Selection,
}

/// Whether an operation reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// Fields may run in any order and at the same time.
    Query,
    /// Fields of the root run in order, each after the one before.
    Mutation,
}

/// A variable that an operation declares.
#[derive(Debug)]
pub struct VariableDef {
    /// Its name without `$`.
    pub name: Box<str>,
    /// The name as [`Sink::key`] takes it.
    pub key: Box<[u8]>,
    /// What it takes.
    pub ty: TypeRef,
    /// What it is when it is not given, coerced.
    pub default: Option<InputDefault>,
    /// Where it is declared: line and column, both from 1.
    pub line: u32,
    /// See `line`.
    pub column: u32,
}

/// The fields to answer of one object, in the order of the answer.
///
/// Several fields may share a response key, but for one object type at most one of them applies:
/// see [`Field::on`]. A field stands where it is first written, also when it is left out there by a
/// condition and included by a later place; only the order of the answer shows the difference.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The fields; shared, because what is made of an operation points at them too.
    pub fields: Vec<Arc<Field>>,
}

/// One field of an answer.
#[derive(Clone, Debug)]
pub struct Field {
    /// The response key as [`Sink::key`] takes it.
    pub key: Box<[u8]>,
    /// The response key: the alias, or the name.
    pub response_name: Box<str>,
    /// The name of the field in the schema.
    pub name: Box<str>,
    /// How it is answered.
    pub source: FieldSource,
    /// The object types that it applies to, sorted; `None` is every type that can stand here.
    pub on: Option<Box<[TypeId]>>,
    /// The type whose field definition is meant: an object type whenever only one can stand here.
    pub parent: TypeId,
    /// What it answers.
    pub ty: TypeRef,
    /// The type at the heart of `ty`.
    pub named: TypeId,
    /// Its arguments in the order of the schema, those with a default included.
    pub arguments: Vec<Argument>,
    /// When it is answered: when any of these holds. Empty means always.
    pub conditions: Vec<Condition>,
    /// What to answer of it. Empty for scalars and enums, and for an object of which constant
    /// `@skip`s left nothing.
    pub selection: Selection,
    /// Where it is first written: line and column, both from 1.
    pub line: u32,
    /// See `line`.
    pub column: u32,
}

/// How a field is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldSource {
    /// By the definition at this position in the fields of [`Field::parent`].
    Schema(usize),
    /// `__typename`: the name of the object's type.
    Typename,
    /// `__schema` or `__type`: answered by the front, which hands over JSON by response key.
    Introspection,
}

impl Field {
    /// Whether the field is answered for these variables (the object of coerced values).
    pub fn is_included(&self, variables: View<'_>) -> bool {
        self.conditions.is_empty() || self.conditions.iter().any(|condition| condition.holds(variables))
    }

    /// Whether the field applies to an object of type `object`.
    pub fn applies_to(&self, object: TypeId) -> bool {
        self.on.as_ref().is_none_or(|types| types.binary_search(&object).is_ok())
    }

    /// Writes all arguments as one object; those without a value are left out.
    ///
    /// # Errors
    /// A variable is null, or not given, where the schema does not allow it. Coerced variables can
    /// do this only where a default of the schema stands behind them (GraphQL, section 5.8.5).
    pub fn write_arguments(&self, variables: View<'_>, out: &mut dyn Sink) -> Result<(), InvalidInput> {
        out.begin_object();
        for argument in &self.arguments {
            if argument.value.is_present(variables) {
                out.key(&argument.key);
                argument.value.write(variables, out).map_err(|error| error.within(&*argument.name))?;
            }
        }
        out.end_object();
        Ok(())
    }
}

/// `@skip` and `@include` on the way to a field: holds when every test does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The tests, sorted.
    pub tests: Box<[Test]>,
}

/// One `@skip` or `@include` on a variable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Test {
    /// The variable's name. It is of type Boolean and never null.
    pub variable: Box<str>,
    /// What it must be: true for `@include`, false for `@skip`.
    pub wanted: bool,
}

impl Condition {
    /// Whether every test holds.
    pub fn holds(&self, variables: View<'_>) -> bool {
        self.tests.iter().all(|test| {
            let value = variables.member(&test.variable);
            value.is_some_and(|value| value.raw() == if test.wanted { "true" } else { "false" })
        })
    }
}

/// An argument of a field.
#[derive(Clone, Debug)]
pub struct Argument {
    /// Its name.
    pub name: Box<str>,
    /// The name as [`Sink::key`] takes it.
    pub key: Box<[u8]>,
    /// What it is.
    pub value: InputValue,
}

/// A value that a document gives: a constant, or one with variables inside.
#[derive(Clone, Debug)]
pub enum InputValue {
    /// A value without variables, coerced.
    Constant(Arc<Doc>),
    /// A variable.
    Variable(VariableUse),
    /// A list with variables inside.
    List(Box<[InputValue]>),
    /// An object with variables inside.
    Object(Box<[Argument]>),
}

/// A variable where a value is expected.
#[derive(Clone, Debug)]
pub struct VariableUse {
    /// Its name without `$`.
    pub name: Box<str>,
    /// Whether null is refused here.
    pub non_null: bool,
    /// What stands here when the variable is not given.
    pub default: Option<Arc<Doc>>,
}

impl InputValue {
    /// Whether there is a value: only a variable that is not given, and has no default, is none.
    pub fn is_present(&self, variables: View<'_>) -> bool {
        match self {
            Self::Variable(used) => used.non_null || used.default.is_some() || variables.member(&used.name).is_some(),
            _ => true,
        }
    }

    /// Writes the value. A variable that is not given is null inside a list, and its member is left
    /// out of an object.
    ///
    /// # Errors
    /// A variable is null, or not given, where the schema does not allow it.
    pub fn write(&self, variables: View<'_>, out: &mut dyn Sink) -> Result<(), InvalidInput> {
        match self {
            Self::Constant(value) => out.view(value.root()),
            Self::Variable(used) => return used.write(variables, out),
            Self::List(items) => {
                out.begin_array();
                for (at, item) in items.iter().enumerate() {
                    item.write(variables, out).map_err(|error| error.within(at))?;
                }
                out.end_array();
            }
            Self::Object(members) => {
                out.begin_object();
                for member in members.iter().filter(|member| member.value.is_present(variables)) {
                    out.key(&member.key);
                    member.value.write(variables, out).map_err(|error| error.within(&*member.name))?;
                }
                out.end_object();
            }
        }
        Ok(())
    }
}

impl VariableUse {
    fn write(&self, variables: View<'_>, out: &mut dyn Sink) -> Result<(), InvalidInput> {
        match (variables.member(&self.name), &self.default) {
            (Some(value), _) if !(value.is_null() && self.non_null) => out.view(value),
            (None, Some(default)) => out.view(default.root()),
            (None, None) if !self.non_null => out.null(),
            _ => {
                return Err(InvalidInput::new(format!(
                    "must not be null, and is what variable `${}` gives",
                    self.name
                )));
            }
        }
        Ok(())
    }
}

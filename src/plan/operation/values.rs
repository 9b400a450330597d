//! Arguments as a document writes them: checked against the schema and made ready to run.
//!
//! One pass does both, so that what was checked is what runs. Values without variables are coerced
//! here and now; of the others the places of the variables are kept, to be checked per operation.

use std::sync::Arc;

use async_graphql_parser::{Pos, Positioned};
use async_graphql_value::{Name, Value};

use super::document::hint;
use super::errors::Problem;
use super::selection::{Argument, InputValue, VariableUse};
use crate::base::path::Path;
use crate::base::value::{DocBuilder, member_key};
use crate::plan::schema::coerce::{self, Input, InvalidInput};
use crate::plan::schema::{InputDef, InputDefault, Schema, Type, TypeKind, TypeRef};
use crate::plan::syntax::{Literal, Numbers};

/// Reads arguments, and collects what is wrong with them and which variables they use.
#[derive(Debug)]
pub(super) struct Inputs<'a> {
    pub(super) schema: &'a Schema,
    /// The numbers of the document.
    pub(super) numbers: &'a Numbers,
    /// Whether problems may name parts of the schema that the client did not mention.
    pub(super) hints: bool,
    pub(super) problems: Vec<Problem>,
    pub(super) usages: Vec<Usage<'a>>,
}

/// A variable in an argument.
#[derive(Clone, Debug)]
pub(super) struct Usage<'a> {
    pub(super) name: &'a str,
    pub(super) place: Pos,
    /// What is expected there; `None` inside a scalar that takes anything.
    pub(super) expected: Option<Expected>,
}

/// What a variable must be where it stands.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) ty: TypeRef,
    /// Whether the schema has a default for a variable that is not given.
    pub(super) has_default: bool,
}

/// The arguments of one field or directive.
#[derive(Debug)]
pub(super) struct Written<'a> {
    /// What they belong to, such as `Query.products` or `@skip`.
    pub(super) owner: String,
    pub(super) definitions: &'a [InputDef],
    pub(super) arguments: &'a [(Positioned<Name>, Positioned<Value>)],
    pub(super) place: Pos,
}

/// Where a value stands.
#[derive(Clone, Debug)]
struct Spot<'a> {
    ty: &'a TypeRef,
    default: Option<&'a InputDefault>,
    /// Whether null is refused although the type allows it: the one field of a `@oneOf` input.
    one_of: bool,
    place: Pos,
    /// The argument's name and the way into it, for messages.
    path: Path,
}

impl<'a> Spot<'a> {
    fn member(&self, definition: &'a InputDef, owner: &Type) -> Self {
        Self {
            ty: &definition.ty,
            default: definition.default.as_ref(),
            one_of: owner.one_of,
            place: self.place,
            path: self.path.to(&*definition.name),
        }
    }

    fn item(&self, ty: &'a TypeRef, path: Path) -> Self {
        Self { ty, default: None, one_of: false, place: self.place, path }
    }
}

impl<'a> Inputs<'a> {
    pub(super) fn new(schema: &'a Schema, numbers: &'a Numbers, hints: bool) -> Self {
        Self { schema, numbers, hints, problems: Vec::new(), usages: Vec::new() }
    }

    /// The arguments in the order of the schema, with defaults for those that are not written.
    pub(super) fn arguments(&mut self, written: &Written<'a>) -> Vec<Argument> {
        for (at, (name, _)) in written.arguments.iter().enumerate() {
            if written.arguments[..at].iter().any(|(before, _)| before.node == name.node) {
                self.report(name.pos, format!("Argument `{}` is given twice.", name.node));
            } else if !written.definitions.iter().any(|definition| definition.name == *name.node) {
                let hint = self.hint(&name.node, written.definitions.iter().map(|known| known.name.as_str()));
                self.report(name.pos, format!("`{}` has no argument `{}`{hint}", written.owner, name.node));
            }
        }
        let mut arguments = Vec::new();
        for definition in written.definitions {
            let value = match written.arguments.iter().find(|(name, _)| definition.name == *name.node) {
                Some((_, value)) => {
                    let default = definition.default.as_ref();
                    let path = Path::default().to(&*definition.name);
                    let spot = Spot { ty: &definition.ty, default, one_of: false, place: value.pos, path };
                    self.value(&self.numbers.literal(value), &spot)
                }
                None => {
                    if definition.is_required() {
                        let (owner, name, ty) = (&written.owner, &definition.name, &definition.ty);
                        self.report(written.place, format!("`{owner}` requires the argument `{name}: {ty}`."));
                    }
                    definition.default.as_ref().map(|default| InputValue::Constant(default.value.clone()))
                }
            };
            arguments.extend(value.map(|value| argument(definition, value)));
        }
        arguments
    }

    /// `; did you mean …?`, or the full stop when there is nothing to offer or hints are off.
    pub(super) fn hint<'n>(&self, name: &str, candidates: impl Iterator<Item = &'n str>) -> String {
        if self.hints { hint(name, candidates) } else { ".".to_owned() }
    }

    pub(super) fn report(&mut self, place: Pos, message: String) {
        self.problems.push(Problem::at(place, message));
    }

    /// The sentence about a value that is not of its type.
    pub(super) fn wrong_value(&self, mut error: InvalidInput) -> String {
        if !self.hints {
            error.hint.clear();
        }
        error.sentence()
    }

    /// A value as it will be written; `None` when it is wrong, which is reported.
    fn value(&mut self, value: &Literal<'a>, spot: &Spot<'a>) -> Option<InputValue> {
        match value {
            Literal::Variable(name) => Some(self.variable(name, spot)),
            _ if value.has_variables() => self.with_variables(value, spot),
            _ => self.constant(value, spot),
        }
    }

    fn variable(&mut self, name: &'a str, spot: &Spot<'a>) -> InputValue {
        let ty = match spot.one_of {
            true => TypeRef::NonNull(Box::new(spot.ty.nullable().clone())),
            false => spot.ty.clone(),
        };
        let non_null = ty.is_non_null();
        let expected = Some(Expected { ty, has_default: spot.default.is_some() });
        self.usages.push(Usage { name, place: spot.place, expected });
        let default = spot.default.map(|default| default.value.clone());
        InputValue::Variable(VariableUse { name: name.into(), non_null, default })
    }

    fn constant(&mut self, literal: &Literal<'a>, spot: &Spot<'a>) -> Option<InputValue> {
        if spot.one_of && matches!(literal, Literal::Null) {
            self.wrong(InvalidInput::new("must not be null"), spot);
            return None;
        }
        let mut out = DocBuilder::default();
        match coerce::coerce(self.schema, &Input::Literal(literal), spot.ty, &mut out) {
            Ok(()) => Some(InputValue::Constant(Arc::new(out.finish()))),
            Err(wrong) => {
                wrong.into_iter().for_each(|error| self.wrong(error, spot));
                None
            }
        }
    }

    /// A list or object with variables somewhere inside.
    fn with_variables(&mut self, value: &Literal<'a>, spot: &Spot<'a>) -> Option<InputValue> {
        let ty = spot.ty.nullable();
        if let TypeRef::List(item) = ty {
            let Literal::List(items) = value else {
                return Some(InputValue::List([self.value(value, &spot.item(item, spot.path.clone()))?].into()));
            };
            let items: Vec<Option<InputValue>> = items
                .iter()
                .enumerate()
                .map(|(at, value)| self.value(value, &spot.item(item, spot.path.to(at))))
                .collect();
            return Some(InputValue::List(items.into_iter().collect::<Option<_>>()?));
        }
        let found = &self.schema[ty.named()];
        match (found.kind, value) {
            (TypeKind::Input, Literal::Object(_)) => self.object(value, found, spot),
            (TypeKind::Scalar, _) if !ty.named().is_built_in_scalar() => Some(self.untyped(value, spot)),
            _ => {
                let noun = if matches!(value, Literal::List(_)) { "a list" } else { "an object" };
                self.wrong(InvalidInput::new(format!("must be {}, not {noun}", found.name)), spot);
                None
            }
        }
    }

    fn object(&mut self, value: &Literal<'a>, found: &'a Type, spot: &Spot<'a>) -> Option<InputValue> {
        let Literal::Object(written) = value else { return None };
        let problems = self.problems.len();
        for (name, _) in written.iter().filter(|(name, _)| found.input(name).is_none()) {
            self.wrong(coerce::unknown_member(name, found), spot);
        }
        if found.one_of && written.len() != 1 {
            self.wrong(InvalidInput::new(format!("must give exactly one field of {}", found.name)), spot);
        }
        let mut members = Vec::new();
        for definition in &found.inputs {
            let member = match (value.field(&definition.name), &definition.default) {
                (Some(member), _) => self.value(member, &spot.member(definition, found)),
                (None, Some(default)) => Some(InputValue::Constant(default.value.clone())),
                (None, None) => {
                    if definition.ty.is_non_null() {
                        self.wrong(InvalidInput::new("is required and missing"), &spot.member(definition, found));
                    }
                    None
                }
            };
            members.extend(member.map(|member| argument(definition, member)));
        }
        (self.problems.len() == problems).then(|| InputValue::Object(members.into()))
    }

    /// The parts of a value for a scalar that takes anything.
    fn untyped(&mut self, value: &Literal<'a>, spot: &Spot<'a>) -> InputValue {
        match value {
            Literal::Variable(name) => {
                self.usages.push(Usage { name, place: spot.place, expected: None });
                InputValue::Variable(VariableUse { name: (*name).into(), non_null: false, default: None })
            }
            Literal::List(items) if value.has_variables() => {
                InputValue::List(items.iter().map(|item| self.untyped(item, spot)).collect())
            }
            Literal::Object(members) if value.has_variables() => {
                let member = |(name, member): &(&'a str, Literal<'a>)| Argument {
                    name: (*name).into(),
                    key: member_key(name),
                    value: self.untyped(member, spot),
                };
                InputValue::Object(members.iter().map(member).collect())
            }
            constant => {
                let mut out = DocBuilder::default();
                coerce::write_literal(constant, &mut out);
                InputValue::Constant(Arc::new(out.finish()))
            }
        }
    }

    fn wrong(&mut self, mut error: InvalidInput, spot: &Spot<'a>) {
        error.path.begin_with(&spot.path);
        let message = self.wrong_value(error);
        self.report(spot.place, message);
    }
}

fn argument(definition: &InputDef, value: InputValue) -> Argument {
    Argument { name: definition.name.as_str().into(), key: definition.key.clone(), value }
}

//! The rules about variables of one operation (GraphQL, section 5.8).

use async_graphql_parser::Positioned;
use async_graphql_parser::types::{BaseType, OperationDefinition, Type, VariableDefinition};

use super::super::values::{Expected, Inputs, Usage};
use crate::base::value::DocBuilder;
use crate::plan::schema::coerce::{Input, coerce};
use crate::plan::schema::{Schema, TypeRef};

/// The variables of an operation while their uses are checked.
pub(super) struct Variables<'i, 'a> {
    inputs: &'i mut Inputs<'a>,
    declared: Vec<Declared<'a>>,
}

struct Declared<'a> {
    written: &'a Positioned<VariableDefinition>,
    /// `None` when the type is unknown, which was reported.
    ty: Option<TypeRef>,
    used: bool,
}

impl<'i, 'a> Variables<'i, 'a> {
    /// Reads the declarations, and checks types, defaults and names.
    pub(super) fn new(inputs: &'i mut Inputs<'a>, operation: &'a OperationDefinition) -> Self {
        let mut variables = Self { inputs, declared: Vec::new() };
        for written in &operation.variable_definitions {
            let name = &written.node.name.node;
            if variables.declared.iter().any(|before| before.written.node.name.node == *name) {
                variables.inputs.report(written.pos, format!("Variable `${name}` is declared twice."));
                continue;
            }
            // No directive of the specification may stand on a variable, so most are wrong here.
            let directives = variables.inputs.schema.directives();
            for directive in &written.node.directives {
                let name = &directive.node.name.node;
                let known = directives.iter().find(|known| known.name == *name.as_str());
                if !known.is_some_and(|known| known.locations.contains(&"VARIABLE_DEFINITION")) {
                    variables.inputs.report(directive.pos, format!("`@{name}` cannot stand on a variable."));
                }
            }
            let ty = variables.declared_type(written);
            variables.declared.push(Declared { written, ty, used: false });
        }
        variables
    }

    /// Checks that every use is of a declared variable whose values fit.
    pub(super) fn check_usages(&mut self, usages: &[Usage<'a>]) {
        for usage in usages {
            let Some(declared) = self.declared.iter_mut().find(|known| known.written.node.name.node == usage.name)
            else {
                self.inputs.report(usage.place, format!("Variable `${}` is not declared.", usage.name));
                continue;
            };
            declared.used = true;
            let (Some(ty), Some(expected)) = (&declared.ty, &usage.expected) else { continue };
            let default = declared.written.node.default_value.as_ref();
            if !is_allowed(ty, default.is_some_and(|value| value.node != Default::default()), expected) {
                let message = format!(
                    "Variable `${}` is of type `{ty}` and stands where `{}` is expected.",
                    usage.name, expected.ty
                );
                self.inputs.report(usage.place, message);
            }
        }
    }

    /// Reports variables that nothing uses.
    pub(super) fn check_unused(&mut self) {
        for declared in self.declared.iter().filter(|declared| !declared.used) {
            let message = format!("Variable `${}` is never used.", declared.written.node.name.node);
            self.inputs.report(declared.written.pos, message);
        }
    }

    fn declared_type(&mut self, written: &Positioned<VariableDefinition>) -> Option<TypeRef> {
        let schema = self.inputs.schema;
        let name = &written.node.name.node;
        let Some(ty) = type_of(schema, &written.node.var_type.node) else {
            let inputs = schema.types().filter(|(_, known)| known.kind.is_input() && !known.name.starts_with("__"));
            let wanted = written.node.var_type.node.to_string();
            let wanted = wanted.trim_matches(['[', ']', '!']);
            let hint = self.inputs.hint(wanted, inputs.map(|(_, known)| &*known.name));
            self.inputs.report(written.node.var_type.pos, format!("No type is called `{wanted}`{hint}"));
            return None;
        };
        let named = &schema[ty.named()];
        if !named.kind.is_input() {
            let message = format!("Variable `${name}` cannot be of type `{ty}`, which no client can send.");
            self.inputs.report(written.pos, message);
            return None;
        }
        if let Some(default) = &written.node.default_value
            && let literal = self.inputs.numbers.constant(default)
            && let Err(wrong) = coerce(schema, &Input::Literal(&literal), &ty, &mut DocBuilder::default())
        {
            for error in wrong {
                let message = self.inputs.wrong_value(error.within(&*format!("${name}")));
                self.inputs.report(default.pos, message);
            }
        }
        Some(ty)
    }
}

/// The type that a document writes, if its name is known.
pub(in super::super) fn type_of(schema: &Schema, written: &Type) -> Option<TypeRef> {
    let inner = match &written.base {
        BaseType::Named(name) => {
            let id = schema.type_named(name)?;
            TypeRef::Named { id, name: schema[id].name.clone() }
        }
        BaseType::List(item) => TypeRef::List(Box::new(type_of(schema, item)?)),
    };
    Some(if written.nullable { inner } else { TypeRef::NonNull(Box::new(inner)) })
}

/// GraphQL, section 5.8.5, "IsVariableUsageAllowed".
fn is_allowed(variable: &TypeRef, has_default: bool, expected: &Expected) -> bool {
    match (&expected.ty, variable) {
        (TypeRef::NonNull(inner), TypeRef::Named { .. } | TypeRef::List(_)) => {
            (has_default || expected.has_default) && is_compatible(variable, inner)
        }
        _ => is_compatible(variable, &expected.ty),
    }
}

/// GraphQL, section 5.8.5, "AreTypesCompatible".
fn is_compatible(variable: &TypeRef, expected: &TypeRef) -> bool {
    match (variable, expected) {
        (TypeRef::NonNull(variable), TypeRef::NonNull(expected)) => is_compatible(variable, expected),
        (TypeRef::NonNull(variable), _) => is_compatible(variable, expected),
        (TypeRef::List(variable), TypeRef::List(expected)) => is_compatible(variable, expected),
        (TypeRef::Named { id: variable, .. }, TypeRef::Named { id: expected, .. }) => variable == expected,
        _ => false,
    }
}

//! Validation of a whole document (GraphQL, section 5), before any operation of it is chosen.
//!
//! No rule looks at the values of variables: what is valid is valid for every request with the same
//! text. The parser and [`Document`] have seen to names of operations and fragments and to circles.

mod overlap;
mod subscription;
mod variables;

use std::collections::HashMap;

use async_graphql_parser::types::{Directive, Field, OperationType, Selection, SelectionSet};
use async_graphql_parser::{Pos, Positioned};

use super::document::Document;
use super::errors::RequestError;
use super::values::{Inputs, Usage, Written};
use crate::base::failure::Cause;
use crate::plan::schema::{Schema, TypeId};

pub(super) use variables::type_of;

/// Whether clients may ask for the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Introspection {
    /// `__schema` and `__type` are answered.
    On,
    /// `__schema` and `__type` are refused, and no message names what a client did not name first.
    Off,
}

/// Checks every operation and fragment.
///
/// # Errors
/// All problems that were found.
pub(super) fn validate(document: &Document, schema: &Schema, introspection: Introspection) -> Result<(), RequestError> {
    let mut walk = Walk {
        document,
        inputs: Inputs::new(schema, document.numbers(), introspection == Introspection::On),
        introspection,
        spreads: Vec::new(),
    };
    let mut fragments = HashMap::new();
    for (name, fragment) in document.fragments() {
        let condition = &fragment.node.type_condition.node.on;
        walk.directives(&fragment.node.directives, "FRAGMENT_DEFINITION");
        if let Some(on) = walk.condition(&condition.node, condition.pos) {
            walk.selection_set(on, &fragment.node.selection_set.node);
        }
        fragments.insert(name, walk.take_scope());
    }
    let mut operations = Vec::new();
    for (name, operation) in document.operations() {
        let (root, location) = match operation.node.ty {
            OperationType::Query => (schema.query(), "QUERY"),
            OperationType::Mutation => (schema.mutation(), "MUTATION"),
            OperationType::Subscription => (schema.subscription(), "SUBSCRIPTION"),
        };
        walk.directives(&operation.node.directives, location);
        match root {
            Some(root) => walk.selection_set(root, &operation.node.selection_set.node),
            None => walk.inputs.report(operation.pos, format!("The schema has no {}.", plural(operation.node.ty))),
        }
        if operation.node.ty == OperationType::Subscription {
            walk.inputs.problems.extend(subscription::problems(document, operation));
        }
        operations.push((name, operation, walk.take_scope()));
    }
    let mut problems = std::mem::take(&mut walk.inputs.problems);
    let scopes = Scopes { fragments: &fragments };
    for (_, operation, scope) in &operations {
        let mut checker = variables::Variables::new(&mut walk.inputs, &operation.node);
        for used in scopes.reached(scope) {
            checker.check_usages(&used.usages);
        }
        // What could not be walked through may use more than was seen.
        if problems.is_empty() {
            checker.check_unused();
        }
    }
    if problems.is_empty() {
        let used: Vec<_> = operations.iter().flat_map(|(.., scope)| scopes.spread_names(scope)).collect();
        for (name, fragment) in document.fragments().into_iter().filter(|(name, _)| !used.contains(name)) {
            walk.inputs.report(fragment.pos, format!("Fragment `{name}` is never used."));
        }
    }
    problems.append(&mut walk.inputs.problems);
    RequestError::unless_empty(Cause::GraphqlValidation, problems)?;
    overlap::check(document, schema)
}

/// What one operation or fragment uses of the rest.
#[derive(Debug, Default)]
struct Scope<'a> {
    usages: Vec<Usage<'a>>,
    spreads: Vec<&'a str>,
}

struct Scopes<'m, 'a> {
    fragments: &'m HashMap<&'a str, Scope<'a>>,
}

impl<'m, 'a> Scopes<'m, 'a> {
    /// The names of all fragments that a scope reaches.
    fn spread_names(&self, scope: &Scope<'a>) -> Vec<&'a str> {
        let mut found: Vec<&'a str> = Vec::new();
        let mut open = scope.spreads.clone();
        while let Some(name) = open.pop() {
            if !found.contains(&name) {
                found.push(name);
                open.extend(self.fragments.get(name).into_iter().flat_map(|scope| scope.spreads.iter().copied()));
            }
        }
        found
    }

    /// The scope and those of all fragments that it reaches.
    fn reached(&self, scope: &'m Scope<'a>) -> impl Iterator<Item = &'m Scope<'a>> {
        let fragments = self.fragments;
        std::iter::once(scope).chain(self.spread_names(scope).into_iter().filter_map(|name| fragments.get(name)))
    }
}

/// A walk over selection sets with the type that each is of.
struct Walk<'a> {
    document: &'a Document,
    inputs: Inputs<'a>,
    introspection: Introspection,
    spreads: Vec<&'a str>,
}

impl<'a> Walk<'a> {
    fn take_scope(&mut self) -> Scope<'a> {
        Scope { usages: std::mem::take(&mut self.inputs.usages), spreads: std::mem::take(&mut self.spreads) }
    }

    fn selection_set(&mut self, parent: TypeId, set: &'a SelectionSet) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => self.field(parent, field),
                Selection::InlineFragment(fragment) => {
                    self.directives(&fragment.node.directives, "INLINE_FRAGMENT");
                    let on = match &fragment.node.type_condition {
                        Some(condition) => self.condition(&condition.node.on.node, condition.pos),
                        None => Some(parent),
                    };
                    if let Some(on) = on {
                        self.spread_is_possible(parent, on, fragment.pos);
                        self.selection_set(on, &fragment.node.selection_set.node);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.node.directives, "FRAGMENT_SPREAD");
                    let name = &spread.node.fragment_name.node;
                    self.spreads.push(name);
                    let fragment = self.document.fragment(name);
                    let on =
                        fragment.and_then(|found| self.inputs.schema.type_named(&found.type_condition.node.on.node));
                    if let Some(on) = on {
                        self.spread_is_possible(parent, on, spread.pos);
                    }
                }
            }
        }
    }

    fn field(&mut self, parent: TypeId, field: &'a Positioned<Field>) {
        let schema = self.inputs.schema;
        let (name, owner) = (&field.node.name.node, &schema[parent]);
        self.directives(&field.node.directives, "FIELD");
        let Some(definition) = schema.field(parent, name) else {
            let hint = self.inputs.hint(name, owner.fields.iter().map(|known| known.name.as_str()));
            self.inputs.report(field.pos, format!("`{}` has no field `{name}`{hint}", owner.name));
            return;
        };
        if self.introspection == Introspection::Off && matches!(name.as_str(), "__schema" | "__type") {
            self.inputs.report(field.pos, format!("`{name}` is not answered: introspection is switched off."));
            return;
        }
        let owner = format!("{}.{name}", owner.name);
        let arguments = &field.node.arguments;
        self.inputs.arguments(&Written { owner, definitions: &definition.args, arguments, place: field.pos });
        let named = definition.ty.named();
        let selected = &field.node.selection_set.node;
        match (schema[named].kind.is_composite(), selected.items.is_empty()) {
            (true, true) => {
                let message = format!("`{name}` is of type `{}`, so say which of its fields.", definition.ty);
                self.inputs.report(field.pos, message);
            }
            (false, false) => {
                let message = format!("`{name}` is of type `{}`, which has no fields to select.", definition.ty);
                self.inputs.report(field.pos, message);
            }
            (true, false) => self.selection_set(named, selected),
            (false, true) => {}
        }
    }

    /// The type of a fragment's condition, which must be one that has fields.
    fn condition(&mut self, name: &str, place: Pos) -> Option<TypeId> {
        let schema = self.inputs.schema;
        let Some(found) = schema.type_named(name) else {
            let composite =
                schema.types().filter(|(_, known)| known.kind.is_composite() && !known.name.starts_with("__"));
            let hint = self.inputs.hint(name, composite.map(|(_, known)| &*known.name));
            self.inputs.report(place, format!("No type is called `{name}`{hint}"));
            return None;
        };
        if !schema[found].kind.is_composite() {
            self.inputs.report(place, format!("A fragment cannot be on `{name}`, which has no fields."));
            return None;
        }
        Some(found)
    }

    fn spread_is_possible(&mut self, parent: TypeId, on: TypeId, place: Pos) {
        let schema = self.inputs.schema;
        if !schema[parent].possible.iter().any(|object| schema.is_possible(on, *object)) {
            let (parent, on) = (&schema[parent].name, &schema[on].name);
            self.inputs.report(place, format!("A fragment on `{on}` never applies here, where `{parent}` stands."));
        }
    }

    fn directives(&mut self, written: &'a [Positioned<Directive>], location: &str) {
        let schema = self.inputs.schema;
        for (at, directive) in written.iter().enumerate() {
            let name = &directive.node.name.node;
            let Some(definition) = schema.directives().iter().find(|known| known.name == *name.as_str()) else {
                let executable = schema.directives().iter().filter(|known| known.locations.contains(&location));
                let hint = self.inputs.hint(name, executable.map(|known| known.name.as_str()));
                self.inputs.report(directive.pos, format!("There is no directive `@{name}`{hint}"));
                continue;
            };
            if !definition.locations.contains(&location) {
                self.inputs.report(directive.pos, format!("`@{name}` cannot stand on {}.", article(location)));
            }
            let repeated = written[..at].iter().any(|before| before.node.name.node == *name);
            if repeated && !definition.repeatable {
                self.inputs.report(directive.pos, format!("`@{name}` stands here twice."));
            }
            let (owner, arguments) = (format!("@{name}"), &directive.node.arguments);
            self.inputs.arguments(&Written { owner, definitions: &definition.args, arguments, place: directive.pos });
        }
    }
}

fn plural(kind: OperationType) -> &'static str {
    match kind {
        OperationType::Query => "queries",
        OperationType::Mutation => "mutations",
        OperationType::Subscription => "subscriptions",
    }
}

/// A directive location with its article: `FRAGMENT_SPREAD` is "a fragment spread".
fn article(location: &str) -> String {
    let words = location.to_lowercase().replace('_', " ");
    let article = if words.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {words}")
}

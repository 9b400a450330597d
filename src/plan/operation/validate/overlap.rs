//! Fields with one response key must be mergeable (GraphQL, section 5.3.2).
//!
//! Instead of comparing every pair of fields, fields are grouped by response key and each group is
//! compared with its first field. Two walks are needed: whatever the types are, the answers must be
//! of one shape; and where the same object can stand, the fields must be the same.

use std::collections::HashMap;

use async_graphql_parser::Positioned;
use async_graphql_parser::types::{Field, OperationType, Selection, SelectionSet};

use super::super::document::Document;
use super::super::errors::{Problem, RequestError};
use crate::base::failure::Cause;
use crate::plan::schema::{FieldDef, Schema, TypeId, TypeKind, TypeRef};

/// Fields that may be looked at for one document, each as often as fragments repeat it.
const WORK_LIMIT: usize = 200_000;

/// Checks the operations of a document in which every field, fragment and type is known.
pub(super) fn check(document: &Document, schema: &Schema) -> Result<(), RequestError> {
    let mut overlap = Overlap { document, schema, work: 0, problems: Vec::new() };
    for (_, operation) in document.operations() {
        let root = match operation.node.ty {
            OperationType::Query => schema.query(),
            OperationType::Mutation => schema.mutation(),
            OperationType::Subscription => schema.subscription(),
        };
        let Some(root) = root else { continue };
        let mut found = Found::default();
        overlap.collect(root, &operation.node.selection_set.node, &mut found);
        overlap.same_shape(&found.fields);
        overlap.same_fields(&found.fields);
        if overlap.work > WORK_LIMIT {
            let message = "The document repeats too many fields through fragments.";
            return Err(RequestError::at(Cause::GraphqlLimit, operation.pos, message));
        }
    }
    RequestError::unless_empty(Cause::GraphqlValidation, overlap.problems)
}

struct Overlap<'a> {
    document: &'a Document,
    schema: &'a Schema,
    /// Fields looked at so far.
    work: usize,
    problems: Vec<Problem>,
}

/// A field with the type that it is selected on.
#[derive(Clone, Copy)]
struct Selected<'a> {
    parent: TypeId,
    definition: &'a FieldDef,
    field: &'a Positioned<Field>,
}

/// The fields of one merged selection set.
#[derive(Default)]
struct Found<'a> {
    fields: Vec<Selected<'a>>,
    /// Fragments that are in it already.
    fragments: Vec<&'a str>,
}

impl<'a> Overlap<'a> {
    /// Adds the fields of a selection set, fragments put in their places.
    fn collect(&mut self, parent: TypeId, set: &'a SelectionSet, found: &mut Found<'a>) {
        for selection in &set.items {
            self.work += 1;
            if self.work > WORK_LIMIT {
                return;
            }
            match &selection.node {
                Selection::Field(field) => {
                    if let Some(definition) = self.schema.field(parent, &field.node.name.node) {
                        found.fields.push(Selected { parent, definition, field });
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let on = condition.and_then(|condition| self.schema.type_named(&condition.node.on.node));
                    self.collect(on.unwrap_or(parent), &fragment.node.selection_set.node, found);
                }
                Selection::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    if found.fragments.contains(&name) {
                        continue;
                    }
                    found.fragments.push(name);
                    if let Some(fragment) = self.document.fragment(name) {
                        let on = self.schema.type_named(&fragment.type_condition.node.on.node);
                        self.collect(on.unwrap_or(parent), &fragment.selection_set.node, found);
                    }
                }
            }
        }
    }

    /// The merged selection set below fields of one response key.
    fn below(&mut self, fields: &[Selected<'a>]) -> Vec<Selected<'a>> {
        let mut found = Found::default();
        for selected in fields {
            // A fragment may stand below fields of different types; each is looked at with its own.
            found.fragments.clear();
            let named = selected.definition.ty.named();
            self.collect(named, &selected.field.node.selection_set.node, &mut found);
        }
        found.fields
    }

    /// GraphQL, section 5.3.2, "SameResponseShape".
    fn same_shape(&mut self, fields: &[Selected<'a>]) {
        for group in by_key(fields) {
            let first = group[0];
            for other in &group[1..] {
                if !is_same_shape(self.schema, &first.definition.ty, &other.definition.ty) {
                    self.conflict(first, *other, "are of different types");
                }
            }
            let below = self.below(&group);
            self.same_shape(&below);
        }
    }

    /// Whether two fields have the same arguments, in whatever order.
    fn is_same_call(&self, one: &'a Field, two: &'a Field) -> bool {
        let numbers = self.document.numbers();
        let same = |name: &str| {
            let value = |field: &'a Field| field.get_argument(name).map(|value| numbers.literal(value));
            value(one) == value(two)
        };
        one.arguments.len() == two.arguments.len() && one.arguments.iter().all(|(name, _)| same(&name.node))
    }

    /// GraphQL, section 5.3.2, "FieldsInSetCanMerge", for fields that one object can answer.
    fn same_fields(&mut self, fields: &[Selected<'a>]) {
        for group in by_key(fields) {
            for together in self.by_object(&group) {
                let first = together[0];
                for other in &together[1..] {
                    if first.field.node.name.node != other.field.node.name.node {
                        self.conflict(first, *other, "are different fields");
                    } else if !self.is_same_call(&first.field.node, &other.field.node) {
                        self.conflict(first, *other, "have different arguments");
                    }
                }
                let below = self.below(&together);
                self.same_fields(&below);
            }
        }
    }

    /// Splits fields of one response key into those that can stand for one object together.
    fn by_object(&self, group: &[Selected<'a>]) -> Vec<Vec<Selected<'a>>> {
        let is_object = |selected: &Selected<'a>| self.schema[selected.parent].kind == TypeKind::Object;
        let mut objects: Vec<TypeId> = group.iter().filter(|one| is_object(one)).map(|one| one.parent).collect();
        objects.sort_unstable();
        objects.dedup();
        if objects.len() < 2 {
            return vec![group.to_vec()];
        }
        let together = |object: TypeId| {
            group.iter().filter(|one| one.parent == object || !is_object(one)).copied().collect::<Vec<_>>()
        };
        objects.into_iter().map(together).collect()
    }

    fn conflict(&mut self, first: Selected<'a>, other: Selected<'a>, why: &str) {
        let key = &other.field.node.response_key().node;
        let name =
            |selected: Selected<'a>| format!("{}.{}", self.schema[selected.parent].name, selected.field.node.name.node);
        let (one, two) = (name(first), name(other));
        let message = format!("`{key}` stands for `{one}` and `{two}`, which {why}; give one of them an alias.");
        let locations = vec![first.field.pos.into(), other.field.pos.into()];
        self.problems.push(Problem { message, locations });
    }
}

/// Groups fields by response key, in the order in which keys are first seen.
fn by_key<'a>(fields: &[Selected<'a>]) -> Vec<Vec<Selected<'a>>> {
    let mut groups: Vec<Vec<Selected<'a>>> = Vec::new();
    let mut positions: HashMap<&'a str, usize> = HashMap::new();
    for selected in fields {
        let key = selected.field.node.response_key().node.as_str();
        let position = *positions.entry(key).or_insert(groups.len());
        match groups.get_mut(position) {
            Some(group) => group.push(*selected),
            None => groups.push(vec![*selected]),
        }
    }
    groups
}

fn is_same_shape(schema: &Schema, one: &TypeRef, two: &TypeRef) -> bool {
    match (one, two) {
        (TypeRef::NonNull(one), TypeRef::NonNull(two)) | (TypeRef::List(one), TypeRef::List(two)) => {
            is_same_shape(schema, one, two)
        }
        (TypeRef::Named { id: one, .. }, TypeRef::Named { id: two, .. }) => {
            one == two || (schema[*one].kind.is_composite() && schema[*two].kind.is_composite())
        }
        _ => false,
    }
}

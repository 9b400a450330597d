//! From a valid operation to what runs: fragments inlined, fields merged, types and arguments settled.
//!
//! Merging is GraphQL's CollectFields (section 6.3.2) done once for all objects and all variables.
//! Every way in which a field is written is an [`Occurrence`]: on which object types, under which
//! conditions. Occurrences of one response key become one field for all object types that have the
//! same ones; so for any object at most one field answers a key, and the first occurrence gives the
//! place in the answer.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_graphql_parser::types::{self as ast, OperationType, Selection as Written, SelectionSet};
use async_graphql_parser::{Pos, Positioned};
use async_graphql_value::Value;

use super::document::Document;
use super::errors::{Location, RequestError};
use super::guard::Limits;
use super::selection::{
    Argument, Condition, Field, FieldSource, Operation, OperationKind, Selection, Test, VariableDef,
};
use super::validate::type_of;
use super::values::{self, Inputs};
use crate::base::failure::Cause;
use crate::base::value::{DocBuilder, member_key};
use crate::plan::schema::coerce::{Input, coerce};
use crate::plan::schema::{InputDefault, Schema, TypeId};

/// Lists of fields, interfaces and the like inside one another that introspection may ask for: each
/// multiplies the answer by the size of the schema.
const INTROSPECTION_LISTS: usize = 3;

/// Compiles one operation of a validated document.
///
/// # Errors
/// The operation goes over a limit, or is a subscription, which has no single answer.
pub(super) fn compile(
    document: &Document,
    name: Option<&str>,
    schema: &Schema,
    limits: &Limits,
) -> Result<Operation, RequestError> {
    let (name, operation) = document.operation(name)?;
    let (kind, root) = match operation.node.ty {
        OperationType::Query => (OperationKind::Query, schema.query()),
        OperationType::Mutation => (OperationKind::Mutation, schema.mutation()),
        OperationType::Subscription => {
            let message = "A subscription cannot be answered once; it needs a stream.";
            return Err(RequestError::at(Cause::GraphqlOperation, operation.pos, message));
        }
    };
    let Some(root) = root else {
        return Err(RequestError::at(Cause::GraphqlOperation, operation.pos, "The schema has no such operations."));
    };
    let mut compiler =
        Compiler { document, schema, limits, work: 0, inputs: Inputs::new(schema, document.numbers(), true) };
    let level = Level { parent: root, depth: 1, introspection: None };
    let sets = [Set { written: &operation.node.selection_set.node, parent: root, when: Tests::default() }];
    let selection = compiler.selection(&level, &sets)?;
    let variables =
        operation.node.variable_definitions.iter().filter_map(|written| variable(document, schema, written));
    Ok(Operation { kind, name: name.map(Into::into), root, variables: variables.collect(), selection })
}

/// A declared variable. Validation has seen its type and default.
fn variable(
    document: &Document,
    schema: &Schema,
    written: &Positioned<ast::VariableDefinition>,
) -> Option<VariableDef> {
    let place = Location::from(written.pos);
    let ty = type_of(schema, &written.node.var_type.node)?;
    let default = written.node.default_value.as_ref().and_then(|default| {
        let (literal, mut out) = (document.numbers().constant(default), DocBuilder::default());
        coerce(schema, &Input::Literal(&literal), &ty, &mut out).ok()?;
        Some(InputDefault { value: Arc::new(out.finish()), written: literal.to_string() })
    });
    let name = written.node.name.node.as_str();
    Some(VariableDef { name: name.into(), key: member_key(name), ty, default, line: place.line, column: place.column })
}

struct Compiler<'a> {
    document: &'a Document,
    schema: &'a Schema,
    limits: &'a Limits,
    /// Selections looked at and fields made so far.
    work: usize,
    inputs: Inputs<'a>,
}

/// Where in the answer a selection stands.
struct Level {
    /// The type of the objects that it is of.
    parent: TypeId,
    /// Fields from the root to here, this level counted.
    depth: usize,
    /// Inside introspection: the multiplying lists on the way.
    introspection: Option<usize>,
}

/// One of the selection sets that are merged at a level.
struct Set<'a> {
    written: &'a SelectionSet,
    /// The type that it is written on.
    parent: TypeId,
    when: Tests,
}

/// Tests that must all hold: sorted, without doubles.
type Tests = Vec<Test>;

/// One way in which a field is written.
struct Occurrence<'a> {
    field: &'a Positioned<ast::Field>,
    /// The type that it is written on.
    parent: TypeId,
    /// The object types that it applies to, sorted.
    on: Vec<TypeId>,
    when: Tests,
}

/// Where a selection set is walked: what surrounds it.
#[derive(Clone)]
struct Surroundings {
    parent: TypeId,
    on: Vec<TypeId>,
    when: Tests,
}

/// What the occurrences at one level are collected into.
#[derive(Default)]
struct Collected<'a> {
    occurrences: Vec<Occurrence<'a>>,
    /// Spreads that are in it already, with the types and tests that they stand under.
    spreads: HashSet<(&'a str, Vec<TypeId>, Tests)>,
}

/// The occurrences that make one field, by position, and the object types that it is for.
struct Group {
    occurrences: Vec<usize>,
    on: Vec<TypeId>,
}

impl<'a> Compiler<'a> {
    fn selection(&mut self, level: &Level, sets: &[Set<'a>]) -> Result<Selection, RequestError> {
        let possible = &self.schema[level.parent].possible;
        let mut collected = Collected::default();
        for set in sets {
            let on = self.narrow(possible, set.parent);
            let surroundings = Surroundings { parent: set.parent, on, when: set.when.clone() };
            self.collect(set.written, &surroundings, &mut collected)?;
        }
        let occurrences = collected.occurrences;
        let mut fields = Vec::new();
        for group in groups(&occurrences, possible) {
            let together: Vec<&Occurrence<'a>> = group.occurrences.iter().map(|at| &occurrences[*at]).collect();
            let everywhere = group.on.len() == possible.len();
            let field = self.field(level, &together, &group.on)?;
            fields.push(Arc::new(Field { on: (!everywhere).then(|| group.on.into()), ..field }));
        }
        Ok(Selection { fields })
    }

    /// Adds every way in which a field is written in a selection set.
    fn collect(
        &mut self,
        set: &'a SelectionSet,
        here: &Surroundings,
        into: &mut Collected<'a>,
    ) -> Result<(), RequestError> {
        for selection in &set.items {
            self.count(selection.pos)?;
            let Some(when) = with_directives(&here.when, selection.node.directives()) else { continue };
            match &selection.node {
                Written::Field(field) => {
                    into.occurrences.push(Occurrence { field, parent: here.parent, on: here.on.clone(), when });
                }
                Written::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let on = condition.and_then(|condition| self.schema.type_named(&condition.node.on.node));
                    let inside = self.inside(here, on.unwrap_or(here.parent), when);
                    self.collect(&fragment.node.selection_set.node, &inside, into)?;
                }
                Written::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    let Some(fragment) = self.document.fragment(name) else { continue };
                    let on = self.schema.type_named(&fragment.type_condition.node.on.node);
                    let inside = self.inside(here, on.unwrap_or(here.parent), when);
                    if into.spreads.insert((name, inside.on.clone(), inside.when.clone())) {
                        self.collect(&fragment.selection_set.node, &inside, into)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Counts work. Fragments inside fragments, each on other types or under other conditions, can
    /// make a short document endless.
    fn count(&mut self, place: Pos) -> Result<(), RequestError> {
        self.work += 1;
        if self.work <= self.limits.fields {
            return Ok(());
        }
        let message = format!("The operation has more than {} fields, fragments put in.", self.limits.fields);
        Err(RequestError::at(Cause::GraphqlLimit, place, message))
    }

    /// The surroundings inside a fragment on a type.
    fn inside(&self, here: &Surroundings, parent: TypeId, when: Tests) -> Surroundings {
        Surroundings { parent, on: self.narrow(&here.on, parent), when }
    }

    /// Those of some object types that are of a type.
    fn narrow(&self, objects: &[TypeId], wanted: TypeId) -> Vec<TypeId> {
        objects.iter().copied().filter(|object| self.schema.is_possible(wanted, *object)).collect()
    }

    /// One field from all its occurrences for some object types.
    fn field(&mut self, level: &Level, together: &[&Occurrence<'a>], on: &[TypeId]) -> Result<Field, RequestError> {
        let first = together[0];
        let written = &first.field.node;
        let place = Location::from(first.field.pos);
        let name = written.name.node.as_str();
        let below = self.below(level, first)?;
        let parent = match on {
            [only] => *only,
            _ => first.parent,
        };
        let Some(definition) = self.schema.field(parent, name) else {
            let message = format!("`{name}` is no field here.");
            return Err(RequestError::at(Cause::GraphqlValidation, place, message));
        };
        let below = Level { parent: definition.ty.named(), ..below };
        let selection = match written.selection_set.node.items.is_empty() {
            true => Selection::default(),
            false => self.selection(&below, &self.sets(together))?,
        };
        let arguments: Vec<Argument> = self.inputs.arguments(&values::Written {
            owner: String::new(),
            definitions: &definition.args,
            arguments: &written.arguments,
            place: first.field.pos,
        });
        let response_name = written.response_key().node.as_str();
        Ok(Field {
            key: member_key(response_name),
            response_name: response_name.into(),
            name: name.into(),
            source: self.source(parent, name),
            on: None,
            parent,
            ty: definition.ty.clone(),
            named: definition.ty.named(),
            arguments,
            conditions: conditions(together),
            selection,
            line: place.line,
            column: place.column,
        })
    }

    fn source(&self, parent: TypeId, name: &str) -> FieldSource {
        match name {
            "__typename" => FieldSource::Typename,
            "__schema" | "__type" => FieldSource::Introspection,
            _ => {
                let position = self.schema[parent].fields.iter().position(|field| field.name == name);
                FieldSource::Schema(position.unwrap_or(usize::MAX))
            }
        }
    }

    /// The level below a field, if the limits allow the field itself.
    fn below(&mut self, level: &Level, field: &Occurrence<'a>) -> Result<Level, RequestError> {
        let over = |message: String| Err(RequestError::at(Cause::GraphqlLimit, field.field.pos, message));
        self.count(field.field.pos)?;
        let name = field.field.node.name.node.as_str();
        let introspection = match (level.introspection, name) {
            (None, "__schema" | "__type") => Some(0),
            (Some(lists), "fields" | "interfaces" | "possibleTypes" | "inputFields") => Some(lists + 1),
            (before, _) => before,
        };
        match introspection {
            Some(lists) if lists >= INTROSPECTION_LISTS => {
                over("The operation asks for lists of the schema inside one another too deeply.".to_owned())
            }
            None if level.depth > self.limits.depth => {
                over(format!("The operation is more than {} fields deep.", self.limits.depth))
            }
            _ => Ok(Level { parent: level.parent, depth: level.depth + 1, introspection }),
        }
    }

    /// The selection sets below occurrences of one field. Their tests are carried on only where they
    /// tell occurrences apart; what is common to all was tested at the field.
    fn sets(&self, together: &[&Occurrence<'a>]) -> Vec<Set<'a>> {
        let same = together.iter().all(|one| one.when == together[0].when);
        let set = |one: &&Occurrence<'a>| {
            let definition = self.schema.field(one.parent, &one.field.node.name.node)?;
            let when = if same { Tests::default() } else { one.when.clone() };
            Some(Set { written: &one.field.node.selection_set.node, parent: definition.ty.named(), when })
        };
        together.iter().filter_map(set).collect()
    }
}

/// The fields that occurrences make, in the order of their first occurrences.
fn groups(occurrences: &[Occurrence<'_>], possible: &[TypeId]) -> Vec<Group> {
    let mut keys: Vec<Vec<usize>> = Vec::new();
    let mut positions: HashMap<&str, usize> = HashMap::new();
    for (at, occurrence) in occurrences.iter().enumerate() {
        let key = occurrence.field.node.response_key().node.as_str();
        let position = *positions.entry(key).or_insert(keys.len());
        match keys.get_mut(position) {
            Some(key) => key.push(at),
            None => keys.push(vec![at]),
        }
    }
    let mut groups: Vec<Group> = keys.into_iter().flat_map(|key| split(occurrences, key, possible)).collect();
    groups.sort_by_key(|group| group.occurrences[0]);
    groups
}

/// Splits the occurrences of one response key by object types that have the same ones.
fn split(occurrences: &[Occurrence<'_>], key: Vec<usize>, possible: &[TypeId]) -> Vec<Group> {
    if key.iter().all(|at| occurrences[*at].on.len() == possible.len()) {
        return vec![Group { occurrences: key, on: possible.to_vec() }];
    }
    let mut groups: Vec<Group> = Vec::new();
    for object in possible {
        let applies = |at: &usize| occurrences[*at].on.binary_search(object).is_ok();
        let own: Vec<usize> = key.iter().copied().filter(applies).collect();
        if own.is_empty() {
            continue;
        }
        match groups.iter_mut().find(|group| group.occurrences == own) {
            Some(group) => group.on.push(*object),
            None => groups.push(Group { occurrences: own, on: vec![*object] }),
        }
    }
    groups
}

/// The tests with those of `@skip` and `@include` added; `None` when they can never all hold.
fn with_directives(tests: &Tests, directives: &[Positioned<ast::Directive>]) -> Option<Tests> {
    let mut tests = tests.clone();
    for directive in directives {
        let wanted = match directive.node.name.node.as_str() {
            "include" => true,
            "skip" => false,
            _ => continue,
        };
        match &directive.node.get_argument("if")?.node {
            Value::Variable(name) => tests.push(Test { variable: name.as_str().into(), wanted }),
            Value::Boolean(value) if *value == wanted => {}
            _ => return None,
        }
    }
    tests.sort_unstable();
    tests.dedup();
    // Sorted, a variable that would have to be both true and false stands beside itself.
    let possible = tests.windows(2).all(|pair| pair[0].variable != pair[1].variable);
    possible.then_some(tests)
}

/// When any occurrence is included, without those that another makes superfluous.
fn conditions(together: &[&Occurrence<'_>]) -> Vec<Condition> {
    if together.iter().any(|one| one.when.is_empty()) {
        return Vec::new();
    }
    let mut kept: Vec<&Tests> = Vec::new();
    for one in together {
        let implied = |other: &Tests, by: &Tests| by.iter().all(|test| other.contains(test));
        if !kept.iter().any(|before| implied(&one.when, before)) {
            kept.retain(|before| !implied(before, &one.when));
            kept.push(&one.when);
        }
    }
    kept.into_iter().map(|tests| Condition { tests: tests.as_slice().into() }).collect()
}

//! Field merging, beside the specification's own algorithm.

use std::sync::Arc;

use async_graphql_parser::parse_query;
use async_graphql_parser::types::{self as ast, ExecutableDocument, Selection as Item, SelectionSet};
use async_graphql_value::Value;
use proptest::prelude::*;

use super::{SCHEMA, arguments, open, plan, post, prepare, prepare_with};
use crate::base::failure::Cause;
use crate::base::value::View;
use crate::plan::operation::selection::{Field, FieldSource, Selection};
use crate::plan::schema::{Schema, TypeId};

#[test]
fn fields_are_merged_by_key_in_the_order_of_their_first_place() {
    let document = "{ a: any product(id: 1) { id } ...F any product(id: 1) { seller { id } } }
        fragment F on Query { product(id: 1) { name seller { name } } b: any }";
    assert_eq!(plan(&prepare(document), "Query"), r#"a:any product{"id":"1"}{id name seller{name id}} b:any any"#);
}

#[test]
fn a_merged_field_keeps_what_each_place_asked_under_its_own_condition() {
    let document = "query($x: Boolean!, $y: Boolean!) {
        product(id: 1) @include(if: $x) { id seller { id } }
        product(id: 1) @include(if: $y) { name seller @skip(if: $x) { name } }
    }";
    let at = |x: bool, y: bool| plan(&prepare_with(document, &format!("{{\"x\":{x},\"y\":{y}}}")), "Query");
    assert_eq!(at(false, false), "");
    assert_eq!(at(true, false), r#"product{"id":"1"}{id seller{id}}"#);
    assert_eq!(at(false, true), r#"product{"id":"1"}{seller{name} name}"#);
    assert_eq!(at(true, true), r#"product{"id":"1"}{id seller{id} name}"#);
}

#[test]
fn a_field_that_is_asked_once_without_condition_is_always_there() {
    let document = "query($x: Boolean!) { any any @include(if: $x) ... @skip(if: $x) { any b: any } }";
    let prepared = prepare_with(document, r#"{"x": true}"#);
    assert!(prepared.operation.selection.fields[0].conditions.is_empty());
    assert_eq!(plan(&prepared, "Query"), "any");
    assert_eq!(plan(&prepare_with(document, r#"{"x": false}"#), "Query"), "any b:any");
}

#[test]
fn constant_conditions_are_settled_at_once() {
    let document = "{ a: any @skip(if: true) b: any @include(if: true) ... @include(if: false) { c: any } }";
    assert_eq!(plan(&prepare(document), "Query"), "b:any");
    let never = "query($x: Boolean!) { a: any @skip(if: $x) @include(if: $x) b: any }";
    assert_eq!(prepare_with(never, r#"{"x": true}"#).operation.selection.fields.len(), 1);
}

#[test]
fn fields_of_an_interface_are_split_by_the_object_types_that_differ() {
    let document = "{ pet { name ... on Dog { owner { job } barks } owner { name } ... on Cat { name x: meows } } }";
    let prepared = prepare(document);
    let pet = &prepared.operation.selection.fields[0].selection;
    let schema = &**SCHEMA;
    let of = |name: &str| {
        let object = schema.type_named(name).expect("a type");
        let fields = pet.fields.iter().filter(|field| field.applies_to(object));
        fields.map(|field| super::show(field, prepared.variables.root())).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(of("Dog"), "2xname 1xowner{job name} 1xbarks");
    assert_eq!(of("Human"), "2xname 2xowner{name}");
    assert_eq!(of("Cat"), "1xname 2xowner{name} 1xx:meows");
    let dogs = pet.fields.iter().find(|field| &*field.name == "owner").expect("there");
    assert_eq!(dogs.parent, schema.type_named("Dog").expect("a type"), "the object's own definition");
    assert_eq!(dogs.named, schema.type_named("Human").expect("a type"));
    let prepared = prepare("{ pet { owner { name } ... on Dog { owner { job } } } }");
    let owners = &prepared.operation.selection.fields[0].selection.fields;
    assert_eq!(
        (owners.len(), owners[0].ty.to_string(), owners[1].ty.to_string().as_str()),
        (2, "Human".into(), "Animal")
    );
}

/// A part of a selection set, to be written where some type stands.
#[derive(Clone, Debug)]
enum Part {
    Leaf(&'static str),
    /// A condition on a leaf, field or fragment.
    When(&'static str, Box<Part>),
    Owner(Vec<Part>),
    /// A fragment on a type, or on none.
    Fragment(&'static str, Vec<Part>),
}

/// The part as it is valid where `here` stands: what could never apply there loses its type.
fn text(part: &Part, here: &'static str, when: &str) -> String {
    let all = |parts: &[Part], here| parts.iter().map(|part| text(part, here, "")).collect::<Vec<_>>().join(" ");
    match part {
        Part::When(when, part) => text(part, here, when),
        Part::Leaf("own") => {
            let own = match here {
                "Dog" => "barks",
                "Cat" => "x: meows",
                "Human" => "x: job",
                _ => "name",
            };
            // Fields of other types under one key would be refused, so only some share it.
            format!("{} {when}", if own == "x: job" { "job" } else { own })
        }
        Part::Leaf(leaf) => format!("{leaf} {when}"),
        Part::Owner(parts) => {
            format!("owner {when} {{ {} }}", all(parts, if here == "Dog" { "Human" } else { "Animal" }))
        }
        Part::Fragment(on, parts) if on.is_empty() || (here != "Animal" && here != *on && *on != "Animal") => {
            format!("... {when} {{ {} }}", all(parts, here))
        }
        Part::Fragment(on, parts) => format!("... on {on} {when} {{ {} }}", all(parts, on)),
    }
}

/// A document over the interface of the store, from a few choices that collide often.
fn document() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec!["name", "legs", "__typename", "n: name", "own", "...F"]).prop_map(Part::Leaf);
    let part = leaf.prop_recursive(5, 40, 5, |inner| {
        let parts = prop::collection::vec(inner.clone(), 1..5);
        let on = prop::sample::select(vec!["", "Animal", "Dog", "Cat", "Human"]);
        let when = prop::sample::select(vec![
            "@skip(if: $a)",
            "@include(if: $a)",
            "@include(if: $b)",
            "@skip(if: $b) @include(if: $a)",
            "@skip(if: true)",
            "@include(if: true)",
        ]);
        prop_oneof![
            parts.clone().prop_map(Part::Owner),
            (on, parts).prop_map(|(on, parts)| Part::Fragment(on, parts)),
            (when, inner).prop_map(|(when, part)| Part::When(when, Box::new(part))),
        ]
    });
    let parts = || prop::collection::vec(part.clone(), 1..6);
    (parts(), parts(), parts()).prop_map(|(before, after, fragment)| {
        let all = |parts: &[Part]| parts.iter().map(|part| text(part, "Animal", "")).collect::<Vec<_>>().join(" ");
        let (before, after, fragment) = (all(&before), all(&after), all(&fragment).replace("...F", "legs"));
        format!(
            "query($a: Boolean!, $b: Boolean!) {{ pet {{ {before} ...F {after} ...F }} \
             both: __typename @skip(if: $a) @include(if: $b) }} fragment F on Animal {{ {fragment} }}"
        )
    })
}

/// GraphQL's own algorithm (section 6.3.2), word for word, for one object type and some variables.
struct Reference<'a> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    variables: [bool; 2],
    /// Chooses the type of the object in each field.
    object: fn(usize) -> &'static str,
}

impl<'a> Reference<'a> {
    fn collect(&self, object: TypeId, sets: &[&'a SelectionSet]) -> Vec<(&'a str, Vec<&'a ast::Field>)> {
        let mut grouped: Vec<(&str, Vec<&ast::Field>)> = Vec::new();
        let mut visited = Vec::new();
        for set in sets {
            self.collect_set(object, set, &mut visited, &mut grouped);
        }
        grouped
    }

    fn collect_set(
        &self,
        object: TypeId,
        set: &'a SelectionSet,
        visited: &mut Vec<&'a str>,
        grouped: &mut Vec<(&'a str, Vec<&'a ast::Field>)>,
    ) {
        for item in &set.items {
            let skipped = item.node.directives().iter().any(|directive| {
                let value = match &directive.node.get_argument("if").expect("valid").node {
                    Value::Boolean(value) => *value,
                    Value::Variable(name) => self.variables[usize::from(name == "b")],
                    other => unreachable!("{other}"),
                };
                value == (directive.node.name.node == "skip")
            });
            if skipped {
                continue;
            }
            let applies = |on: &str| self.schema.is_possible(self.schema.type_named(on).expect("a type"), object);
            match &item.node {
                Item::Field(field) => {
                    let key = field.node.response_key().node.as_str();
                    match grouped.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, fields)) => fields.push(&field.node),
                        None => grouped.push((key, vec![&field.node])),
                    }
                }
                Item::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    if condition.is_none_or(|condition| applies(&condition.node.on.node)) {
                        self.collect_set(object, &fragment.node.selection_set.node, visited, grouped);
                    }
                }
                Item::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    if !visited.contains(&name) {
                        visited.push(name);
                        let fragment = &self.document.fragments[name].node;
                        if applies(&fragment.type_condition.node.on.node) {
                            self.collect_set(object, &fragment.selection_set.node, visited, grouped);
                        }
                    }
                }
            }
        }
    }

    fn answer(&self, object: TypeId, sets: &[&'a SelectionSet], depth: usize) -> String {
        let answer = |(key, fields): (&str, Vec<&'a ast::Field>)| {
            let name = &fields[0].name.node;
            if !matches!(name.as_str(), "owner" | "pet") {
                return format!("{key}:{name}");
            }
            let sets: Vec<&SelectionSet> = fields.iter().map(|field| &field.selection_set.node).collect();
            let below = self.schema.type_named((self.object)(depth)).expect("a type");
            format!("{key}:{name}{{{}}}", self.answer(below, &sets, depth + 1))
        };
        joined(self.collect(object, sets).into_iter().map(answer).collect())
    }
}

/// The same answer from what was compiled.
fn run(
    schema: &Schema,
    selection: &Selection,
    object: TypeId,
    at: (usize, View<'_>, fn(usize) -> &'static str),
) -> String {
    let (depth, variables, choose) = at;
    let included = selection.fields.iter().filter(|field| field.applies_to(object) && field.is_included(variables));
    let answer = |field: &Arc<Field>| {
        let (key, name) = (&field.response_name, &*field.name);
        if let FieldSource::Schema(position) = field.source {
            assert_eq!(schema[field.parent].fields[position].name, name);
            assert!(arguments(field, variables).is_ok());
        }
        if !matches!(name, "owner" | "pet") {
            return format!("{key}:{name}");
        }
        let below = schema.type_named(choose(depth)).expect("a type");
        format!("{key}:{name}{{{}}}", run(schema, &field.selection, below, (depth + 1, variables, choose)))
    };
    joined(included.map(answer).collect())
}

/// Fields in one order: where places of one field differ in their conditions, the specification
/// orders by the places that are included and we by all of them.
fn joined(mut fields: Vec<String>) -> String {
    fields.sort();
    fields.join(" ")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_is_compiled_answers_as_the_specification_says_for_all_types_and_variables(text in document()) {
        let graph = open();
        let schema = &**SCHEMA;
        let parsed = parse_query(&text).expect("parses");
        let query = schema.query().expect("there");
        let root = &parsed.operations.iter().next().expect("one").1.node.selection_set.node;
        // A dog's owner is a human by its type; every other choice is free.
        let choices: [fn(usize) -> &'static str; 4] = [
            |_| "Human",
            |depth| if depth % 2 == 0 { "Cat" } else { "Human" },
            |depth| if depth % 2 == 0 { "Dog" } else { "Human" },
            |_| "Cat",
        ];
        for (a, b) in [(false, false), (false, true), (true, false), (true, true)] {
            let variables = format!("{{\"a\":{a},\"b\":{b}}}");
            let prepared = match graph.prepare(&post(&text, &variables)) {
                Ok(prepared) => prepared,
                // Random nesting goes over the limit of depth now and then, and nothing else.
                Err(error) => {
                    prop_assert_eq!(error.cause, Cause::GraphqlLimit, "{} {:?}", text, error);
                    continue;
                }
            };
            let operation = Arc::clone(&prepared.operation);
            for object in choices {
                let reference = Reference { schema, document: &parsed, variables: [a, b], object };
                let ours = run(schema, &operation.selection, query, (0, prepared.variables.root(), object));
                prop_assert_eq!(ours, reference.answer(query, &[root], 0), "{} {} {}", text, a, b);
            }
        }
    }
}

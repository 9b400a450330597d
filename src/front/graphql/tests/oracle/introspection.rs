//! What both sides say of a schema.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::FutureExt as _;
use serde_json::Value;

use super::super::{FULL_INTROSPECTION, prepare_on};
use super::{known, schema, their_schema};
use crate::plan::schema::Schema;

const DEMO_STORE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/store.graphql"));

/// Every kind of definition, and every place where text, deprecation or a default can stand.
const EVERYTHING: &str = r#"
"Where it begins." type Query {
  "With a \"quote\" and\na line." a("An argument." x: Int = 3 @deprecated(reason: "old") y: [E!]! = [ONE, TWO]): A @deprecated
  b(one: One, in: In = {s: "a\"b", l: [1, 2], n: null}): U!
  old: String @deprecated(reason: "use a")
  matrix: [[Float!]]!
}
type Mutation { m(in: In!, flag: Boolean! = false): Date }
interface Node { id: ID! }
interface Named implements Node { id: ID! name(upper: Boolean = true): String }
type A implements Node & Named { id: ID! name(upper: Boolean = true): String e: E when: Date u: [U] }
type B implements Node { id: ID! }
"One or the other." union U = A | B
"Numbers." enum E { "The first." ONE TWO @deprecated(reason: "too many") THREE }
"A day." scalar Date @specifiedBy(url: "https://example.com/date")
scalar Anything
"Input." input In { "Text." s: String = "x" l: [Int!] = [] n: In deep: [[ID]] old: Float = 1.5 @deprecated }
input One @oneOf { id: ID number: Int }
"#;

#[test]
fn both_sides_introspect_the_demo_store_alike() {
    let differences = compared(&schema(DEMO_STORE));
    assert_all_known(&differences);
}

#[test]
fn both_sides_introspect_every_kind_of_definition_alike() {
    let mut differences = compared(&schema(EVERYTHING));
    assert_all_known(&differences);
    differences.extend(compared(&super::SCHEMA));
    assert_all_known(&differences);
    for known in known::INTROSPECTION {
        let found = differences.iter().any(|difference| (known.matches)(difference));
        assert!(found, "`{}` is no difference any more; strike it off", known.name);
    }
}

/// A member that the two sides give differently.
#[derive(Debug)]
pub(super) struct Difference {
    /// Where it stands, by names: `types.Product.fields.id.type.kind`.
    pub(super) path: String,
    /// What we say; `None` when we say nothing.
    pub(super) ours: Option<Value>,
    /// What async-graphql says.
    pub(super) theirs: Option<Value>,
}

#[track_caller]
fn assert_all_known(differences: &[Difference]) {
    let unknown: Vec<_> =
        differences.iter().filter(|found| !known::INTROSPECTION.iter().any(|known| (known.matches)(found))).collect();
    let lines =
        unknown.iter().map(|found| format!("\n{}: ours {:?}, theirs {:?}", found.path, found.ours, found.theirs));
    assert!(unknown.is_empty(), "{} unknown differences{}", unknown.len(), lines.collect::<String>());
}

fn compared(schema: &Arc<Schema>) -> Vec<Difference> {
    let theirs = their_schema::builder(schema).finish().expect("a schema of theirs");
    let theirs = theirs.execute(FULL_INTROSPECTION).now_or_never().expect("nothing to wait for");
    assert!(theirs.errors.is_empty(), "{:?}", theirs.errors);
    let theirs = theirs.data.into_json().expect("JSON");
    let prepared = prepare_on(schema.clone(), FULL_INTROSPECTION);
    let ours: Value = serde_json::from_slice(&prepared.introspection[0].1).expect("JSON");
    let (ours, theirs) = (flattened(&ours), flattened(&theirs["__schema"]));
    let unused = unused_types(&ours);
    let is_unused = |path: &String| unused.iter().any(|name| path.starts_with(&format!("types.{name}.")));
    let paths: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let different = paths.into_iter().filter(|path| ours.get(*path) != theirs.get(*path) && !is_unused(path));
    different
        .map(|path| Difference { path: path.clone(), ours: ours.get(path).cloned(), theirs: theirs.get(path).cloned() })
        .collect()
}

/// The types to which no other refers. We show them; async-graphql leaves them out.
fn unused_types(leaves: &BTreeMap<String, Value>) -> Vec<String> {
    let of_types = leaves.iter().filter_map(|(path, value)| Some((path.strip_prefix("types.")?, value.as_str()?)));
    let (mut names, mut used) = (BTreeSet::new(), BTreeSet::from(["Query", "Mutation", "Subscription"]));
    for (path, text) in of_types.filter(|(path, _)| path.ends_with(".name")) {
        let owner = path.split('.').next().unwrap_or_default();
        if path.split('.').count() == 2 {
            names.insert(text);
        } else if owner != text {
            used.insert(text);
        }
    }
    names.difference(&used).map(ToString::to_string).collect()
}

/// Every leaf by its path. Members of lists stand under their names, so their order is left out.
fn flattened(value: &Value) -> BTreeMap<String, Value> {
    let mut leaves = BTreeMap::new();
    flatten("", value, &mut leaves);
    leaves
}

fn flatten(path: &str, value: &Value, into: &mut BTreeMap<String, Value>) {
    let below = |step: &str| if path.is_empty() { step.to_owned() } else { format!("{path}.{step}") };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| flatten(&below(name), value, into)),
        Value::Array(items) => {
            into.insert(below("length"), items.len().into());
            for item in items {
                let name = item["name"].as_str().or(item.as_str());
                flatten(&below(name.expect("everything in a list has a name")), item, into);
            }
        }
        leaf => {
            into.insert(path.to_owned(), leaf.clone());
        }
    }
}

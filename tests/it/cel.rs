//! The vectors of CEL's own conformance suite, as far as they concern values like JSON's.
//!
//! `tests/conformance/cel/README.md` tells where they are from. What is different here on purpose is listed in
//! `differences.json` beside them, each with its reason; nothing else may be, and nothing listed may be out of date.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use selvedge::base::value::{Duration, Timestamp, Value};
use selvedge::expr::{Binding, Budget, Env, Failures, Scope, Type, Unresolved, Var, check, eval, parse};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::claim::{claims, repository};

claims![
    every_vector_gives_what_cel_says_or_is_listed,
    every_listed_difference_is_one,
    a_vector_turned_around_does_not_pass
];

/// One test of the suite.
#[derive(Deserialize)]
struct Vector {
    name: String,
    expr: String,
    #[serde(default)]
    bindings: BTreeMap<String, Json>,
    /// Whether evaluation must fail, or the expression be refused.
    #[serde(default)]
    error: bool,
    /// What the expression must give otherwise.
    #[serde(default)]
    value: Json,
}

/// Vectors that come out otherwise here, and why.
#[derive(Deserialize)]
struct Difference {
    reason: String,
    tests: BTreeSet<String>,
}

fn every_vector_gives_what_cel_says_or_is_listed() -> Result<(), String> {
    let listed = listed(&read::<Vec<Difference>>("differences.json")?);
    let vectors: Vec<Vector> = read("vectors.json")?;
    let unlisted = vectors.iter().filter(|vector| !listed.contains(&vector.name));
    let wrong: Vec<String> = unlisted
        .filter_map(|vector| judge(vector).err().map(|found| format!("{}: {}: {found}", vector.name, vector.expr)))
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

fn every_listed_difference_is_one() -> Result<(), String> {
    let vectors: Vec<Vector> = read("vectors.json")?;
    for Difference { reason, tests } in read::<Vec<Difference>>("differences.json")? {
        assert!(reason.ends_with('.'), "a reason is a sentence: {reason}");
        for name in tests {
            let mut named = vectors.iter().filter(|vector| vector.name == name).peekable();
            assert!(named.peek().is_some(), "no vector is called {name}");
            assert!(named.any(|vector| judge(vector).is_err()), "{name} is listed and passes");
        }
    }
    Ok(())
}

/// The judge judged: nothing passes that must not.
fn a_vector_turned_around_does_not_pass() -> Result<(), String> {
    let refused = listed(&read::<Vec<Difference>>("differences.json")?);
    let vectors: Vec<Vector> = read("vectors.json")?;
    assert!(vectors.len() > 1_600, "there are {} vectors", vectors.len());
    for mut vector in vectors.into_iter().filter(|vector| !refused.contains(&vector.name)) {
        vector.error = !vector.error;
        assert!(judge(&vector).is_err(), "{} passes turned around", vector.name);
        vector.error = false;
        vector.value = Json::from("no vector gives this");
        assert!(judge(&vector).is_err(), "{} passes with any value", vector.name);
    }
    Ok(())
}

fn listed(differences: &[Difference]) -> BTreeSet<String> {
    differences.iter().flat_map(|difference| &difference.tests).cloned().collect()
}

fn read<T: for<'de> Deserialize<'de>>(file: &str) -> Result<T, String> {
    let path = repository("tests/conformance/cel").join(file);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Whether a vector comes out as it must; `Err` tells what came out instead.
fn judge(vector: &Vector) -> Result<(), String> {
    // A type is no result here, but may be compared.
    let (source, wanted) = match vector.value.get("type").and_then(Json::as_str) {
        Some(name) => (format!("({}) == {name}", vector.expr), Value::Bool(true)),
        None => (vector.expr.clone(), value(&vector.value)?),
    };
    let mut bindings = Vec::new();
    for (name, bound) in &vector.bindings {
        bindings.push((name.clone(), value(bound)?));
    }
    let world = World { bindings: bindings.into(), prefix: String::new(), budget: Budget::default() };
    match (world.run(&source, &wanted), vector.error) {
        // What is not there at all has not failed as CEL does, unless that is what the vector is about.
        (Err(found), true) if found.starts_with("refused: unknown function") && !found.contains("f_unknown") => {
            Err(found)
        }
        (Ok(Ran::Same), false) | (Err(_), true) => Ok(()),
        (Ok(Ran::Other(found)), _) | (Err(found), false) => Err(found),
        (Ok(Ran::Same), true) => Err("no error".into()),
    }
}

/// What a run gave.
enum Ran {
    Same,
    /// Another value, as text.
    Other(String),
}

/// The bindings of one vector. A name with points is a name in a scope of its own, and the longest one wins.
struct World {
    bindings: Rc<[(String, Value<'static>)]>,
    /// What stands before every name of this scope.
    prefix: String,
    budget: Budget,
}

impl World {
    /// Runs an expression; `Err` tells why it was refused or failed.
    fn run(&self, source: &str, wanted: &Value<'_>) -> Result<Ran, String> {
        let refused = |mistakes: Vec<selvedge::expr::Mistake>| format!("refused: {}", mistakes[0].message);
        let typed = parse(source).and_then(|ast| check(&ast, self)).map_err(refused)?;
        let found = eval(&typed.node, self, &mut Failures::default()).map_err(|error| error.to_string())?;
        Ok(if same(&found, wanted) { Ran::Same } else { Ran::Other(format!("{found:?}")) })
    }
}

impl Scope for World {
    fn resolve(&self, name: &str) -> Result<Binding, Unresolved> {
        let full = format!("{}{name}", self.prefix);
        let prefix = format!("{full}.");
        if self.bindings.iter().any(|(bound, _)| bound.starts_with(&prefix)) {
            let scope = Self { bindings: self.bindings.clone(), prefix, budget: Budget::new(0, 0) };
            return Ok(Binding::Scope { scope: Rc::new(scope), noun: "name" });
        }
        let at = self.bindings.iter().position(|(bound, _)| *bound == full).ok_or(Unresolved::Unknown)?;
        Ok(Binding::Var { var: Var(u32::try_from(at).unwrap_or(u32::MAX)), ty: Type::Dyn })
    }

    fn names(&self) -> Vec<String> {
        self.bindings.iter().map(|(name, _)| name.clone()).collect()
    }
}

impl Env for World {
    fn var(&self, var: Var) -> Value<'_> {
        self.bindings[var.0 as usize].1.clone()
    }

    fn budget(&self) -> &Budget {
        &self.budget
    }
}

/// Whether two values are the same in type and content. A full optional is what it holds.
fn same(found: &Value<'_>, wanted: &Value<'_>) -> bool {
    match (found, wanted) {
        (Value::Optional(Some(held)), wanted) => same(held, wanted),
        (Value::Null, Value::Null) => true,
        (Value::Bool(found), Value::Bool(wanted)) => found == wanted,
        (Value::Int(found), Value::Int(wanted)) => found == wanted,
        (Value::Uint(found), Value::Uint(wanted)) => found == wanted,
        (Value::Double(found), Value::Double(wanted)) => found == wanted || (found.is_nan() && wanted.is_nan()),
        (Value::Text(found), Value::Text(wanted)) => found == wanted,
        (Value::Bytes(found), Value::Bytes(wanted)) => found == wanted,
        (Value::Timestamp(found), Value::Timestamp(wanted)) => found == wanted,
        (Value::Duration(found), Value::Duration(wanted)) => found == wanted,
        (Value::List(found), Value::List(wanted)) => {
            found.len() == wanted.len() && found.iter().zip(wanted.iter()).all(|(found, wanted)| same(found, wanted))
        }
        (Value::Map(found), Value::Map(wanted)) => {
            let holds = |(key, value): &(Value<'_>, Value<'_>)| {
                found.iter().any(|(other, found)| same(other, key) && same(found, value))
            };
            found.len() == wanted.len() && wanted.iter().all(holds)
        }
        _ => false,
    }
}

/// A value as the vectors write it: JSON for what JSON has, else an object of one member that names the type.
fn value(written: &Json) -> Result<Value<'static>, String> {
    let unknown = || format!("no value is written {written}");
    Ok(match written {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::String(text) => Value::Text(text.clone().into()),
        Json::Array(items) => Value::List(items.iter().map(value).collect::<Result<_, _>>()?),
        Json::Number(_) => return Err(unknown()),
        Json::Object(members) => {
            let (kind, held) = members.iter().next().ok_or_else(unknown)?;
            typed(kind, held)?.ok_or_else(unknown)?
        }
    })
}

/// A value of a type that JSON does not have; `None` when it is not written as that type is.
fn typed(kind: &str, held: &Json) -> Result<Option<Value<'static>>, String> {
    let text = held.as_str().unwrap_or("");
    Ok(match kind {
        "int" => text.parse().ok().map(Value::Int),
        "uint" => text.parse().ok().map(Value::Uint),
        "double" => text.parse().ok().map(Value::Double),
        "timestamp" => Timestamp::parse(text).map(Value::Timestamp),
        "duration" => Duration::parse(text).map(Value::Duration),
        "bytes" => {
            let bytes = serde_json::from_value::<Vec<u8>>(held.clone()).ok();
            bytes.map(|bytes| Value::Bytes(bytes.into()))
        }
        "map" => {
            let mut entries = Vec::new();
            for entry in held.as_array().into_iter().flatten() {
                entries.push((value(&entry[0])?, value(&entry[1])?));
            }
            Some(Value::Map(entries.into()))
        }
        _ => None,
    })
}

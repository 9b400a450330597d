//! Random expressions over random values: what both `selvedge::expr` and the crate `cel` evaluate, they agree on.
//!
//! `CASES=1000000` plays so many instead of the usual number.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ::cel::objects::{Key, Map};
use ::cel::{Context, Program, Value as Other};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use selvedge::base::value::{Doc, Held, Number, Value};
use selvedge::expr::{Binding, Budget, Env, Failures, Scope, Type, Unresolved, Var, check, eval, parse};
use serde_json::{Value as Json, json};

use crate::claim::claims;

mod dice;
use dice::Dice;

claims![what_both_evaluate_they_agree_on, values_that_differ_do_not_agree];

/// Cases unless `CASES` says otherwise.
const CASES: u32 = 2_000;

/// Decisions that one case may take; what is decided after that takes the first choice, which ends.
const ROLLS: usize = 32;

/// Bytes of stack for the other evaluator, whose parser recurses deeply.
const STACK: usize = 256 * 1024 * 1024;

fn what_both_evaluate_they_agree_on() -> Result<(), String> {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(play).map_err(|error| error.to_string())?;
    thread.join().unwrap_or_else(|_| Err("a case panicked".into()))
}

fn play() -> Result<(), String> {
    let cases = std::env::var("CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let compared = Cell::new(0_u32);
    let entropy = prop::collection::vec(any::<u32>(), ROLLS);
    let judged = TestRunner::new(config).run(&(entropy.clone(), entropy), |(words, content)| {
        let source = dice::expression(&mut Dice::new(&words));
        let world = World::new(&dice::bindings(&mut Dice::new(&content)));
        if compares_rounded(&source) {
            return Ok(());
        }
        let Some(theirs) = world.theirs(&source) else { return Ok(()) };
        let Ok(typed) = parse(&source).and_then(|ast| check(&ast, &world)) else { return Ok(()) };
        let Ok(ours) = eval(&typed.node, &world, &mut Failures::default()) else { return Ok(()) };
        compared.set(compared.get() + 1);
        if agree(&ours, &theirs) {
            return Ok(());
        }
        let bindings = &world.json;
        Err(TestCaseError::fail(format!("{source}\nover {bindings}\nours   {ours:?}\ntheirs {theirs:?}")))
    });
    judged.map_err(|error| match error {
        TestError::Fail(reason, _) | TestError::Abort(reason) => reason.to_string(),
    })?;
    let share = f64::from(compared.get()) / f64::from(cases);
    match share > 0.3 {
        true => Ok(()),
        false => Err(format!("of {cases} expressions both evaluate only {}", compared.get())),
    }
}

/// Whether the other evaluator may round an integer to a double before it compares the two. Here they are compared
/// exactly, as the language definition says; `tests/conformance/cel/differences.json` lists the vectors about it.
fn compares_rounded(source: &str) -> bool {
    let is_long = source.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > LONGEST_EXACT);
    is_long
        && [" <", " >", " ==", " !=", " in ", "min(", "max(", "sort", "distinct"]
            .iter()
            .any(|word| source.contains(word))
}

/// Digits of an integer that a double always holds.
const LONGEST_EXACT: usize = 15;

fn values_that_differ_do_not_agree() {
    let world = World::new(&json!({ "n": 1, "t": "a", "l": [1], "o": { "a": 1 }, "x": null }));
    let agreed = |ours: &str, theirs: &str| {
        let node = parse(ours).and_then(|ast| check(&ast, &world)).expect(ours).node;
        let value = eval(&node, &world, &mut Failures::default()).expect(ours);
        agree(&value, &world.theirs(theirs).expect(theirs))
    };
    for source in ["n", "t", "l", "o", "x", "[n, t]", "{'k': n}", "1u", "true", "0.0 / 0.0"] {
        assert!(agreed(source, source), "{source}");
    }
    for (ours, theirs) in [("n", "1"), ("1", "1u"), ("t", "'b'"), ("l", "[1.0, 1.0]"), ("o", "{'a': 2.0}"), ("x", "0")]
    {
        assert!(!agreed(ours, theirs), "{ours} agrees with {theirs}");
    }
}

/// The same names for both.
struct World {
    json: Json,
    names: Vec<(String, Held)>,
    budget: Budget,
}

impl World {
    fn new(json: &Json) -> Self {
        let held = |value: &Json| Held::whole(Doc::parse(value.to_string().into()).expect("serde_json writes JSON"));
        let members = json.as_object().into_iter().flatten();
        let names = members.map(|(name, value)| (name.clone(), held(value))).collect();
        Self { json: json.clone(), names, budget: Budget::default() }
    }

    /// What the other evaluator gives; `None` when it fails, in whatever way.
    fn theirs(&self, source: &str) -> Option<Other> {
        let run = || {
            let mut context = Context::default();
            for (name, value) in self.json.as_object().into_iter().flatten() {
                context.add_variable_from_value(name.as_str(), other(value));
            }
            Program::compile(source).ok()?.execute(&context).ok()
        };
        catch_unwind(AssertUnwindSafe(run)).ok().flatten()
    }
}

impl Scope for World {
    fn resolve(&self, name: &str) -> Result<Binding, Unresolved> {
        let at = self.names.iter().position(|(known, _)| known == name).ok_or(Unresolved::Unknown)?;
        Ok(Binding::Var { var: Var(u32::try_from(at).unwrap_or(u32::MAX)), ty: Type::Dyn })
    }

    fn names(&self) -> Vec<String> {
        self.names.iter().map(|(name, _)| name.clone()).collect()
    }
}

impl Env for World {
    fn var(&self, var: Var) -> Value<'_> {
        self.names[var.0 as usize].1.value()
    }

    fn budget(&self) -> &Budget {
        &self.budget
    }
}

/// A value of JSON as the other evaluator sees it: every number a double, as CEL says of JSON.
fn other(value: &Json) -> Other {
    match value {
        Json::Null => Other::Null,
        Json::Bool(value) => Other::Bool(*value),
        Json::Number(number) => Other::Float(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Other::String(text.clone().into()),
        Json::Array(items) => Other::List(items.iter().map(other).collect::<Vec<_>>().into()),
        Json::Object(members) => {
            let entries = members.iter().map(|(name, value)| (Key::String(name.clone().into()), other(value)));
            Other::Map(Map { map: std::sync::Arc::new(entries.collect()) })
        }
    }
}

/// Whether two values are the same in type and content.
fn agree(ours: &Value<'_>, theirs: &Other) -> bool {
    match (ours, theirs) {
        (Value::Null, Other::Null) => true,
        (Value::Bool(ours), Other::Bool(theirs)) => ours == theirs,
        (Value::Text(ours), Other::String(theirs)) => **ours == ***theirs,
        (ours, Other::List(theirs)) => {
            let same = |items: selvedge::base::value::Items<'_>| {
                items.zip(theirs.iter()).all(|(ours, theirs)| agree(&ours, theirs))
            };
            ours.size() == Some(theirs.len()) && ours.elements().is_some_and(same)
        }
        (ours, Other::Map(theirs)) => {
            let same = |(key, value): (Value<'_>, Value<'_>)| {
                let name = Key::String(key.as_text().unwrap_or_default().to_owned().into());
                theirs.map.get(&name).is_some_and(|theirs| agree(&value, theirs))
            };
            ours.size() == Some(theirs.map.len()) && ours.entries().is_some_and(|mut entries| entries.all(same))
        }
        (ours, theirs) => match (ours.number(), theirs) {
            (Some(Number::Int(ours)), Other::Int(theirs)) => ours == *theirs,
            (Some(Number::Uint(ours)), Other::UInt(theirs)) => ours == *theirs,
            (Some(Number::Double(ours)), Other::Float(theirs)) => ours == *theirs || (ours.is_nan() && theirs.is_nan()),
            _ => false,
        },
    }
}

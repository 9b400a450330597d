//! A small world for the tests of this module, and the properties that need every part of it.

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::{
    Binding, Budget, Env, ErrorKind, EvalError, Failures, Mistake, Node, ObjectType, Scope, Type, Typed, Unresolved,
    Var, Written, check, eval, parse, write,
};
use crate::base::value::{Doc, Held, JsonWriter, Sink, Value};

mod hostile;

/// Names that hold JSON documents, with or without a type.
pub(super) struct World {
    names: Vec<(&'static str, Type, Held)>,
    budget: Budget,
}

impl World {
    pub(super) fn new() -> Self {
        Self { names: Vec::new(), budget: Budget::default() }
    }

    /// A name without a contract.
    pub(super) fn with(self, name: &'static str, json: &str) -> Self {
        self.typed(name, Type::Dyn, json)
    }

    pub(super) fn typed(mut self, name: &'static str, ty: Type, json: &str) -> Self {
        self.names.push((name, ty, Held::whole(doc(json))));
        self
    }

    pub(super) fn held(mut self, name: &'static str, held: Held) -> Self {
        self.names.push((name, Type::Dyn, held));
        self
    }

    pub(super) fn budget(self, steps: u64) -> Self {
        Self { budget: Budget::new(steps, Budget::BYTES), ..self }
    }

    pub(super) fn spent(&self) -> u64 {
        Budget::STEPS - self.budget.steps()
    }

    pub(super) fn check(&self, source: &str) -> Result<Typed, Vec<Mistake>> {
        check(&parse(source)?, self)
    }

    pub(super) fn program(&self, source: &str) -> Node {
        self.check(source).unwrap_or_else(|mistakes| unreachable!("{source}: {mistakes:?}")).node
    }

    /// The value of an expression as JSON, or why there is none.
    pub(super) fn run(&self, source: &str) -> Result<String, EvalError> {
        let node = self.program(source);
        json_of(&eval(&node, self, &mut Failures::default())?)
    }

    /// The value of an expression as JSON.
    pub(super) fn value(&self, source: &str) -> String {
        self.run(source).unwrap_or_else(|error| unreachable!("{source}: {error}"))
    }

    pub(super) fn error(&self, source: &str) -> ErrorKind {
        match self.run(source) {
            Ok(value) => unreachable!("{source} gives {value}"),
            Err(error) => error.kind(),
        }
    }

    /// What a program writes, and its failures.
    pub(super) fn written(&self, node: &Node) -> (String, Failures) {
        let mut out = JsonWriter::default();
        let mut failures = Failures::default();
        let written = write(node, self, &mut out, &mut failures).expect("a value");
        let text = String::from_utf8(out.bytes).expect("UTF-8");
        assert_eq!(written == Written::Absent, text.is_empty());
        (text, failures)
    }

    /// Every mistake: its message, the source that it marks, and what helps.
    pub(super) fn mistakes(&self, source: &str) -> Vec<(String, String, String)> {
        let found = self.check(source).expect_err(source);
        found.into_iter().map(|m| (m.message, source[m.bytes].to_owned(), m.help)).collect()
    }
}

fn json_of(value: &Value<'_>) -> Result<String, EvalError> {
    let mut out = JsonWriter::default();
    match out.value(value) {
        Ok(()) => Ok(String::from_utf8(out.bytes).expect("UTF-8")),
        Err(_) => Err(EvalError::new(ErrorKind::NotANumber, "no JSON")),
    }
}

impl Scope for World {
    fn resolve(&self, name: &str) -> Result<Binding, Unresolved> {
        let at = self.names.iter().position(|(known, ..)| *known == name).ok_or(Unresolved::Unknown)?;
        Ok(Binding::Var { var: Var(at as u32), ty: self.names[at].1.clone() })
    }

    fn names(&self) -> Vec<String> {
        self.names.iter().map(|(name, ..)| (*name).to_owned()).collect()
    }
}

impl Env for World {
    fn var(&self, var: Var) -> Value<'_> {
        self.names[var.0 as usize].2.value()
    }

    fn budget(&self) -> &Budget {
        &self.budget
    }
}

/// Names under one noun, for tests of nested scopes.
pub(super) struct Nested(pub(super) World);

impl Scope for Nested {
    fn resolve(&self, name: &str) -> Result<Binding, Unresolved> {
        match name {
            "args" => Ok(Binding::Scope { scope: Rc::new(Arguments), noun: "argument" }),
            "secret" => Err(Unresolved::Refused { message: "`secret` is not for you".into(), help: "ask".into() }),
            other => self.0.resolve(other),
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.0.names();
        names.push("args".to_owned());
        names
    }
}

struct Arguments;

impl Scope for Arguments {
    fn resolve(&self, name: &str) -> Result<Binding, Unresolved> {
        match name {
            "id" => Ok(Binding::Node { node: Node::text("p1"), ty: Type::Text }),
            "limit" => Ok(Binding::Var { var: Var(0), ty: Type::Int.nullable() }),
            _ => Err(Unresolved::Unknown),
        }
    }

    fn names(&self) -> Vec<String> {
        vec!["id".to_owned(), "limit".to_owned()]
    }
}

/// An object type made of a list of members.
#[derive(Debug)]
pub(super) struct Shape(pub(super) &'static str, pub(super) Vec<(&'static str, Type)>);

impl ObjectType for Shape {
    fn name(&self) -> &str {
        self.0
    }

    fn member(&self, name: &str) -> Option<Type> {
        self.1.iter().find(|(member, _)| *member == name).map(|(_, ty)| ty.clone())
    }

    fn members(&self) -> Vec<String> {
        self.1.iter().map(|(name, _)| (*name).to_owned()).collect()
    }
}

/// A product with a nullable seller.
pub(super) fn product() -> Type {
    let seller = Shape("Seller", vec![("name", Type::Text), ("rating", Type::Double.nullable())]);
    let members = vec![
        ("id", Type::Int),
        ("name", Type::Text),
        ("note", Type::Text.nullable()),
        ("tags", Type::list(Type::Text)),
        ("seller", Type::Object(Arc::new(seller)).nullable()),
    ];
    Type::Object(Arc::new(Shape("Product", members)))
}

pub(super) fn doc(json: &str) -> Doc {
    Doc::parse(Bytes::copy_from_slice(json.as_bytes())).expect(json)
}

/// Expressions over `a`, which are valid whatever `a` is.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "a", "a.b", "a.b.c", "a[0]", "a[1].b", "1", "2.5", "'x'", "null", "true", "a.?b", "[?a.?b]", "[]",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(x, y)| format!("[{x}, dyn({y})]")),
            (inner.clone(), inner.clone()).prop_map(|(x, y)| format!("{{'k': {x}, 'l': {y}}}")),
            (inner.clone(), inner.clone()).prop_map(|(x, y)| format!("default({x}, {y})")),
            (inner.clone(), inner.clone()).prop_map(|(x, y)| format!("(dyn({x}) == dyn({y}) ? {x} : {y})")),
            (inner.clone(), inner.clone()).prop_map(|(x, y)| format!("dyn({x}) + dyn({y})")),
            inner.clone().prop_map(|x| format!("dyn({x}).map(v, [v])")),
            inner.clone().prop_map(|x| format!("dyn({x}).filter(v, v != null)")),
            inner.clone().prop_map(|x| format!("dyn({x}).b")),
            inner.prop_map(|x| format!("dyn({x}).size()")),
        ]
    })
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        "[a-z\"\\\\é]{0,4}".prop_map(serde_json::Value::String),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::vec(("[abc]", inner), 0..4)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn write_agrees_with_eval(source in expression(), a in json_value()) {
        let world = World::new().with("a", &a.to_string());
        let Ok(typed) = world.check(&source) else { return Ok(()) };
        let evaluated = eval(&typed.node, &world, &mut Failures::default());
        let mut out = JsonWriter::default();
        let written = write(&typed.node, &world, &mut out, &mut Failures::default());
        match (evaluated, written) {
            (Ok(Value::Optional(None)), written) => prop_assert_eq!(written, Ok(Written::Absent)),
            (Ok(value), written) => {
                prop_assert_eq!(written, Ok(Written::Present));
                let text = String::from_utf8(out.bytes).expect("UTF-8");
                let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
                let expected: serde_json::Value = serde_json::from_str(&json_of(&value).expect("JSON")).expect("JSON");
                prop_assert_eq!(read, expected);
            }
            (Err(left), Err(right)) => prop_assert_eq!(left, right),
            (Err(error), Ok(_)) => prop_assert!(false, "only eval fails: {error}"),
        }
    }

    #[test]
    fn what_the_checker_says_of_a_type_is_true(source in expression(), a in json_value()) {
        let world = World::new().with("a", &a.to_string());
        let Ok(typed) = world.check(&source) else { return Ok(()) };
        if let Ok(value) = eval(&typed.node, &world, &mut Failures::default()) {
            prop_assert!(holds(&typed.ty, &value), "{source}: {} but {value:?}", typed.ty);
        }
    }
}

/// Whether a value is of a type.
fn holds(ty: &Type, value: &Value<'_>) -> bool {
    match (ty, value) {
        (Type::Dyn, _) | (Type::Null | Type::Nullable(_), Value::Null) => true,
        (Type::Nullable(inner), value) => holds(inner, value),
        (Type::Bool, Value::Bool(_)) | (Type::Int, Value::Int(_)) | (Type::Uint, Value::Uint(_)) => true,
        (Type::Double, value) => value.number().is_some(),
        (Type::Text, Value::Text(_)) | (Type::Optional(_), Value::Optional(None)) => true,
        (Type::Optional(held), Value::Optional(Some(value))) => holds(held, value),
        (Type::List(item), list) => list.elements().is_some_and(|mut items| items.all(|value| holds(&item.ty, &value))),
        (Type::Map(item), map) => {
            map.entries().is_some_and(|mut entries| entries.all(|(_, value)| holds(&item.ty, &value)))
        }
        _ => false,
    }
}

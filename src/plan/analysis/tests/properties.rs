//! The invariant of [`super::super::Inputs`], on random compositions that are played for random
//! requests: every backend answers with what it was asked, so each call holds everything on which it
//! depends.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::super::{At, Declared, Flow, Input, Reader};
use super::sample::{composed, endpoint, flow};
use crate::base::value::{Doc, JsonWriter, Sink as _, Value};
use crate::expr::{Budget, Env, Failures, Node, Var, eval};
use crate::plan::{Action, Call, Need, OnFailure, Pair, Parameter, Source};

/// Arguments of an endpoint, by position: `args.x` and `args.c`, the header field `x-c`.
const ARGS: [&str; 2] = ["x", "c"];
/// Values that an argument may have.
const VALUES: [&str; 2] = ["one", "two"];

/// A call that may mention arguments and earlier calls.
#[derive(Clone, Debug)]
struct Written {
    args: [bool; 2],
    /// For each earlier call, from the first: whether this one mentions it.
    earlier: Vec<bool>,
    /// The argument that its `when` compares.
    when: Option<usize>,
    /// The argument that stands in its `else`.
    otherwise: Option<usize>,
}

fn written() -> impl Strategy<Value = Written> {
    let args = [any::<bool>(), any::<bool>()];
    let parts =
        (args, prop::collection::vec(any::<bool>(), 5), prop::option::of(0..2_usize), prop::option::of(0..2_usize));
    parts.prop_map(|(args, earlier, when, otherwise)| Written { args, earlier, when, otherwise })
}

fn yaml(calls: &[Written]) -> String {
    let call = |(at, call): (usize, &Written)| {
        let args = ARGS.iter().zip(call.args).filter(|(_, mentioned)| *mentioned);
        let mut query: Vec<String> = args.map(|(arg, _)| format!("{arg}: '${{args.{arg}}}'")).collect();
        let earlier = call.earlier.iter().take(at).enumerate().filter(|(_, mentioned)| **mentioned);
        query.extend(earlier.map(|(earlier, _)| format!("p{earlier}: '${{p{earlier}.asked}}'")));
        let when = call.when.map(|arg| format!("when: \"${{args.{} == 'one'}}\", ", ARGS[arg])).unwrap_or_default();
        let otherwise = call.otherwise.filter(|_| call.when.is_some());
        let otherwise = otherwise.map(|arg| format!("else: {{ asked: '${{args.{}}}' }}, ", ARGS[arg]));
        let query = query.join(", ");
        format!("p{at}: {{ {when}{}backend: a, get: /p{at}, query: {{ {query} }} }}\n", otherwise.unwrap_or_default())
    };
    calls.iter().enumerate().map(call).collect()
}

/// One request while it is played: its arguments, and what each step holds so far.
struct Play<'p> {
    sources: &'p [Source],
    args: Arc<Doc>,
    held: Vec<Arc<Doc>>,
    budget: Budget,
}

impl Env for Play<'_> {
    fn var(&self, var: Var) -> Value<'_> {
        match &self.sources[var.0 as usize] {
            Source::Args => self.args.root().value(),
            Source::Step(_, step) => self.held[step.index()].root().value(),
            other => unreachable!("{other:?} is mentioned nowhere"),
        }
    }

    fn budget(&self) -> &Budget {
        &self.budget
    }
}

impl Play<'_> {
    fn value(&self, node: &Node) -> String {
        let value = eval(node, self, &mut Failures::default()).expect("nothing can fail");
        let mut json = JsonWriter::default();
        json.value(&value).expect("it is JSON");
        String::from_utf8(json.bytes).expect("it is UTF-8")
    }

    fn asked(&self, call: &Call) -> String {
        let entry = |entry: &Pair<Parameter>| match entry {
            Pair::One(Parameter { name, .. }, value) => format!("{name}={};", self.value(value)),
            Pair::Map(_) => unreachable!(),
        };
        call.targets.list[0].query.iter().map(entry).collect()
    }
}

/// What each call asks in a request with these arguments.
fn play(flow: &Flow<'_>, values: [&str; 2]) -> Vec<String> {
    let args = format!("{{\"x\":\"{}\",\"c\":\"{}\"}}", values[0], values[1]);
    let mut play = Play { sources: flow.sources, args: doc(args), held: Vec::new(), budget: Budget::default() };
    let mut asked = Vec::new();
    for at in flow.all() {
        let step = flow.step(at);
        let Action::Call(call) = &step.action else { unreachable!() };
        let text = play.asked(call);
        let runs = step.when.as_ref().is_none_or(|when| play.value(&when.node) == "true");
        let otherwise = step.otherwise.as_ref().map_or("null".to_owned(), |other| play.value(&other.node));
        let held = if runs { serde_json::json!({ "asked": text }).to_string() } else { otherwise };
        play.held.push(doc(held));
        asked.push(text);
    }
    asked
}

fn doc(json: String) -> Arc<Doc> {
    Arc::new(Doc::parse(Bytes::from(json)).expect("it is JSON"))
}

fn depends(flow: &Flow<'_>, reader: &Reader<'_, '_>, at: At) -> BTreeSet<usize> {
    let Action::Call(call) = &flow.step(at).action else { unreachable!() };
    let inputs = reader.of_call(at, call);
    let position = |input: &&Input| match input {
        Input::Arg(_) => 0,
        Input::Header(_) => 1,
        other => unreachable!("{other:?} is mentioned nowhere"),
    };
    inputs.all().iter().map(position).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_call_changes_with_its_inputs_and_with_nothing_else(calls in prop::collection::vec(written(), 1..6)) {
        let result: Vec<String> = (0..calls.len()).map(|call| format!("'${{p{call}}}'")).collect();
        let plan = endpoint(&yaml(&calls), &format!("[{}]", result.join(", ")));
        let flow = flow(&plan);
        let reader = Reader::new(&flow, Declared::of(&plan.endpoints[0]));
        for at in flow.all() {
            let depends = depends(&flow, &reader, at);
            for arg in 0..ARGS.len() {
                let mut changes = false;
                for other in VALUES {
                    let asked = VALUES.map(|value| {
                        let mut values = [other; 2];
                        values[arg] = value;
                        play(&flow, values)[at.index()].clone()
                    });
                    changes |= asked[0] != asked[1];
                }
                prop_assert!(!changes || depends.contains(&arg), "{} {arg}\n{}", at.index(), yaml(&calls));
                // Where a condition is in play, a value may hide what it was made of.
                let plain = calls.iter().all(|call| call.when.is_none());
                prop_assert!(changes || !plain || !depends.contains(&arg), "{} {arg}\n{}", at.index(), yaml(&calls));
            }
        }
    }
}

#[test]
fn a_default_is_an_input_of_those_who_mention_its_step() {
    let plan = endpoint(
        "p: { backend: a, get: /p, default: { asked: '${args.c}' } }\nq: { backend: a, get: '/${p.asked}' }",
        "${q}",
    );
    let flow = flow(&plan);
    let reader = Reader::new(&flow, Declared::of(&plan.endpoints[0]));
    let found: Vec<BTreeSet<usize>> = flow.all().map(|at| depends(&flow, &reader, at)).collect();
    assert_eq!(found, [BTreeSet::new(), BTreeSet::from([1])]);
    let OnFailure::Default(default) = &composed(&plan).composition.scope.steps[0].on_failure else { unreachable!() };
    assert_eq!(*default.needs, [] as [Need; 0]);
}

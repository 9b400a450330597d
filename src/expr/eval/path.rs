//! Steps from a value to a part of it. Nothing here fails: where there is nothing, there is null.

use crate::base::value::{Held, Number, Value, View};
use crate::expr::node::Step;

/// What stands at the end of a plain path; null when a step finds nothing.
pub(in crate::expr) fn walk<'a>(value: &Value<'a>, steps: &[Step]) -> Value<'a> {
    let Some((first, rest)) = steps.split_first() else { return value.clone() };
    match value {
        Value::View(from) => view(*from, steps).map_or(Value::Null, View::value),
        Value::Optional(None) => Value::Optional(None),
        Value::Optional(Some(held)) => Value::Optional(step(held, first).map(|value| walk(&value, rest).into())),
        other => step(other, first).map_or(Value::Null, |value| walk(&value, rest)),
    }
}

/// The node at the end of a plain path inside a document.
pub(super) fn view<'a>(from: View<'a>, steps: &[Step]) -> Option<View<'a>> {
    steps.iter().try_fold(from, |view, step| match step {
        Step::Member(name) => view.member(name),
        Step::Index(index) => view.elements().nth(usize::try_from(*index).ok()?),
    })
}

/// One step; `None` where there is nothing.
pub(super) fn step<'a>(value: &Value<'a>, step: &Step) -> Option<Value<'a>> {
    match step {
        Step::Member(name) => value.member(name),
        Step::Index(index) => match value {
            Value::Map(entries) => {
                let is_index = |key: &Value<'_>| {
                    key.number().is_some_and(|key| key.compare(Number::Int(*index)).is_some_and(|order| order.is_eq()))
                };
                entries.iter().find(|(key, _)| is_index(key)).map(|(_, value)| value.clone())
            }
            Value::Held(Held::Map(map)) => map.find(&index.to_string()).map(Held::value),
            list => list.element(usize::try_from(*index).ok()?),
        },
    }
}

/// `.?name`: an optional of what the step finds.
pub(super) fn optional<'a>(value: &Value<'a>, by: &Step) -> Value<'a> {
    let found = match value {
        Value::Optional(None) => None,
        Value::Optional(Some(held)) => step(held, by),
        other => step(other, by),
    };
    Value::Optional(found.map(Into::into))
}

/// Whether an object has a member, be it null.
pub(super) fn has(value: &Value<'_>, name: &str) -> bool {
    match value {
        Value::Optional(Some(held)) => held.member(name).is_some(),
        other => other.member(name).is_some(),
    }
}

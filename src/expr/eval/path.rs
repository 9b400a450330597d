//! Steps from a value to a part of it. Nothing here fails: where there is nothing, there is null.
//!
//! Promises are looked at where a step through a document has ended: one comparison of what was found
//! with what may stand there. Everything else about them is done when that comparison fails.

use crate::base::value::{Held, Kind, Number, Value, View};
use crate::expr::node::Step;
use crate::expr::promise::{Instead, PromiseId, Promised};

/// What stands at the end of a plain path; null when a step finds nothing. `drifted` hears what is not as
/// promised.
pub(in crate::expr) fn walk<'a>(value: &Value<'a>, steps: &[Step], drifted: &impl Fn(PromiseId, Instead)) -> Value<'a> {
    let Some((first, rest)) = steps.split_first() else { return value.clone() };
    match value {
        Value::View(from) => view(*from, steps, drifted).map_or(Value::Null, View::value),
        Value::Optional(None) => Value::Optional(None),
        Value::Optional(Some(held)) => {
            Value::Optional(step(held, first).map(|value| walk(&value, rest, drifted).into()))
        }
        other => step(other, first).map_or(Value::Null, |value| walk(&value, rest, drifted)),
    }
}

/// The node at the end of a plain path inside a document.
pub(super) fn view<'a>(mut from: View<'a>, steps: &[Step], drifted: &impl Fn(PromiseId, Instead)) -> Option<View<'a>> {
    // Where a part of a reply was found, it was looked at.
    let mut is_vouched = !from.is_whole();
    for step in steps {
        let found = match step {
            Step::Member(name, _) => from.member(name),
            Step::Index(index, _) => from.elements().nth(usize::try_from(*index).ok()?),
        };
        let promised = step.promised();
        if let Some(promised) = promised
            && !found.map_or(promised.may_be_absent, |found| promised.is_kept_by(found))
            && let Some(instead) = broken(promised, (from, is_vouched), found)
        {
            drifted(promised.id, instead);
        }
        is_vouched = promised.is_some();
        from = found?;
    }
    Some(from)
}

/// What is wrong about a member or an item that does not stand there as promised. Of a value that was promised
/// itself, and is no object, only that promise tells; and what no backend sent breaks none.
#[cold]
fn broken(promised: &Promised, (from, is_vouched): (View<'_>, bool), found: Option<View<'_>>) -> Option<Instead> {
    if !from.is_of_reply() {
        return None;
    }
    match (from.kind(), found) {
        (_, Some(found)) => promised.instead(found),
        (Kind::Object, None) => Some(Instead::Nothing),
        (Kind::Null, None) => None,
        (_, None) => (!is_vouched).then_some(Instead::NoObject),
    }
}

/// One step; `None` where there is nothing.
pub(super) fn step<'a>(value: &Value<'a>, step: &Step) -> Option<Value<'a>> {
    match step {
        Step::Member(name, _) => value.member(name),
        Step::Index(index, _) => match value {
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

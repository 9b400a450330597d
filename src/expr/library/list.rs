//! Lists. Source: cel-spec "Standard Definitions" (`size`), cel-go `ext/lists`; `sum min max` are ours.

use std::cmp::Ordering;

use super::Form::{Either, Global, Method};
use super::signature::{Gives, Is, takes, takes_more};
use super::{Function, argument, count, elements, whole, wrong};
use crate::base::value::Value;
use crate::expr::budget::Budget;
use crate::expr::error::EvalError;
use crate::expr::eval::{arithmetic, compare, equal};
use crate::expr::node::Infix;

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "size",
        form: Either,
        signatures: &[
            takes(&[Is::Text], Gives::Int),
            takes(&[Is::List], Gives::Int),
            takes(&[Is::Map], Gives::Int),
            takes(&[Is::Bytes], Gives::Int),
        ],
        run: size,
    },
    Function { name: "sum", form: Either, signatures: &[takes(&[Is::Addends], Gives::Element)], run: sum },
    Function {
        name: "min",
        form: Either,
        signatures: &[
            takes(&[Is::List], Gives::ElementOrNull),
            takes_more(&[Is::Number, Is::Number], Is::Number, Gives::Joined),
        ],
        run: |a, budget| extreme(a, Ordering::Less, budget),
    },
    Function {
        name: "max",
        form: Either,
        signatures: &[
            takes(&[Is::List], Gives::ElementOrNull),
            takes_more(&[Is::Number, Is::Number], Is::Number, Gives::Joined),
        ],
        run: |a, budget| extreme(a, Ordering::Greater, budget),
    },
    Function {
        name: "flatten",
        form: Method,
        signatures: &[takes(&[Is::List], Gives::Flat), takes(&[Is::List, Is::Whole], Gives::Dyn)],
        run: flatten,
    },
    Function { name: "distinct", form: Method, signatures: &[takes(&[Is::List], Gives::Same)], run: distinct },
    Function { name: "sort", form: Method, signatures: &[takes(&[Is::List], Gives::Same)], run: sort },
    Function {
        name: "reverse",
        form: Method,
        signatures: &[takes(&[Is::List], Gives::Same), takes(&[Is::Text], Gives::Text)],
        run: reverse,
    },
    Function {
        name: "slice",
        form: Method,
        signatures: &[takes(&[Is::List, Is::Whole, Is::Whole], Gives::Same)],
        run: slice,
    },
    Function {
        name: "first",
        form: Method,
        signatures: &[takes(&[Is::List], Gives::OptionalElement)],
        run: |a, _| Ok(Value::Optional(elements(&a[0])?.next().map(Into::into))),
    },
    Function {
        name: "last",
        form: Method,
        signatures: &[takes(&[Is::List], Gives::OptionalElement)],
        run: |a, _| Ok(Value::Optional(elements(&a[0])?.last().map(Into::into))),
    },
    Function { name: "lists.range", form: Global, signatures: &[takes(&[Is::Whole], Gives::Ints)], run: range },
];

/// `items` in the order of `keys`, which must all be of one comparable type. Stable.
pub(in crate::expr) fn sort_by<'a>(
    items: Vec<Value<'a>>,
    keys: Vec<Value<'a>>,
    budget: &Budget,
) -> Result<Value<'a>, EvalError> {
    budget.spend(items.len().saturating_mul(2))?;
    if let Some((first, rest)) = keys.split_first() {
        for key in std::iter::once(first).chain(rest) {
            compare(first, key)?;
        }
    }
    let mut pairs: Vec<_> = keys.into_iter().zip(items).collect();
    // Every key was compared with the first, so they are of one type; a NaN counts as equal.
    pairs.sort_by(|(a, _), (b, _)| compare(a, b).ok().flatten().unwrap_or(Ordering::Equal));
    Ok(Value::List(pairs.into_iter().map(|(_, item)| item).collect()))
}

/// The elements of a list, in a list that is made anew.
fn collected<'a>(list: &Value<'a>, budget: &Budget) -> Result<Vec<Value<'a>>, EvalError> {
    let elements = elements(list)?;
    budget.make_list(list.size().unwrap_or(0))?;
    Ok(elements.collect())
}

fn size<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    let size = match &a[0] {
        Value::Text(text) => {
            budget.look_at(text.len())?;
            text.chars().count()
        }
        Value::Bytes(bytes) => bytes.len(),
        other => other.size().ok_or_else(|| wrong(other, "a string, bytes, a list or a map"))?,
    };
    Ok(Value::Int(size as i64))
}

/// The sum of numbers or durations; 0 for an empty list.
fn sum<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    let mut total = None;
    for item in elements(&a[0])? {
        budget.spend(1)?;
        if item.number().is_none() && !matches!(item, Value::Duration(_)) {
            return Err(wrong(&item, "a list of numbers"));
        }
        total = Some(match total {
            None => item,
            Some(total) => arithmetic(Infix::Add, &total, &item, budget)?,
        });
    }
    Ok(total.unwrap_or(Value::Int(0)))
}

/// The element that is `wanted` than all others; null for an empty list.
fn extreme<'a>(a: &[Value<'a>], wanted: Ordering, budget: &Budget) -> Result<Value<'a>, EvalError> {
    let items = if let [list] = a { list.clone() } else { Value::List(a.into()) };
    let mut best: Option<Value<'a>> = None;
    for item in elements(&items)? {
        budget.spend(1)?;
        let against = best.as_ref().unwrap_or(&item);
        if compare(&item, against)? == Some(wanted) || best.is_none() {
            best = Some(item);
        }
    }
    Ok(best.unwrap_or(Value::Null))
}

fn flatten<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    let depth = a.get(1).map(count).transpose()?.unwrap_or(1);
    let mut items: Vec<Value<'a>> = collected(&a[0], budget)?;
    for _ in 0..depth {
        let mut flat = Vec::new();
        let mut changed = false;
        for item in items {
            match item.elements() {
                Some(inner) => {
                    changed = true;
                    for item in inner {
                        budget.make_list(1)?;
                        flat.push(item);
                    }
                }
                None => flat.push(item),
            }
        }
        items = flat;
        if !changed {
            break;
        }
    }
    Ok(Value::List(items.into()))
}

/// Elements that are compared for the price of one step.
const COMPARED_PER_STEP: usize = 8;

fn distinct<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    let mut kept: Vec<Value<'a>> = Vec::new();
    for item in elements(&a[0])? {
        let mut known = false;
        budget.spend(kept.len() / COMPARED_PER_STEP + 1)?;
        for other in &kept {
            known = known || equal(other, &item, budget)?;
        }
        if !known {
            budget.make_list(1)?;
            kept.push(item);
        }
    }
    Ok(Value::List(kept.into()))
}

fn sort<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    let items = collected(&a[0], budget)?;
    sort_by(items.clone(), items, budget)
}

fn reverse<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    if let Value::Text(text) = &a[0] {
        budget.make_text(text.len())?;
        return Ok(super::made(text.chars().rev().collect::<String>()));
    }
    let mut items = collected(&a[0], budget)?;
    items.reverse();
    Ok(Value::List(items.into()))
}

fn slice<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    let (start, end) = (count(&a[1])?, count(&a[2])?);
    let items = collected(&a[0], budget)?;
    if start > end || end > items.len() {
        return Err(argument("got a range outside its list"));
    }
    Ok(Value::List(items[start..end].into()))
}

fn range<'a>(a: &[Value<'a>], budget: &Budget) -> Result<Value<'a>, EvalError> {
    let end = whole(&a[0])?.max(0);
    budget.make_list(usize::try_from(end).unwrap_or(usize::MAX))?;
    Ok(Value::List((0..end).map(Value::Int).collect()))
}

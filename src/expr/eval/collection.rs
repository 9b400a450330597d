//! Lists and maps that expressions write, and computed indexes into them.

use super::template::put;
use super::{Machine, Written, operator};
use crate::base::value::{Held, Sink, Value, ValueKind, View, key_text};
use crate::expr::error::{ErrorKind, EvalError};
use crate::expr::eval::Env;
use crate::expr::library::kind_name;
use crate::expr::node::{Element, Entry, Index, Missing};

impl<'a, E: Env + ?Sized> Machine<'a, '_, E> {
    /// `[a, ?b]`.
    pub(super) fn list(&mut self, elements: &'a [Element]) -> Result<Value<'a>, EvalError> {
        self.env.budget().make_list(elements.len())?;
        let mut items = Vec::with_capacity(elements.len());
        for element in elements {
            let value = self.eval(&element.value)?;
            items.extend(if element.optional { unwrapped(value)? } else { Some(value) });
        }
        Ok(Value::List(items.into()))
    }

    /// `{k: a, ?l: b}`.
    pub(super) fn map(&mut self, entries: &'a [Entry]) -> Result<Value<'a>, EvalError> {
        self.env.budget().make_map(entries.len())?;
        let mut made: Vec<(Value<'a>, Value<'a>)> = Vec::with_capacity(entries.len());
        let distinct = entries.iter().all(|entry| entry.written.is_some());
        for entry in entries {
            let key = self.eval(&entry.key)?;
            let value = self.eval(&entry.value)?;
            let value = if entry.optional { unwrapped(value)? } else { Some(value) };
            match value {
                Some(value) if distinct => made.push((key, value)),
                Some(value) => self.insert(&mut made, (key, value))?,
                None => {}
            }
        }
        Ok(Value::Map(made.into()))
    }

    /// Writes a map whose keys are all known, entry by entry. Empty optionals are left out.
    pub(super) fn write_map<S: Sink>(&mut self, entries: &'a [Entry], out: &mut S) -> Result<(), EvalError> {
        self.spend(entries.len())?;
        out.begin_object();
        for entry in entries {
            let mark = out.mark();
            out.key(entry.written.as_deref().unwrap_or(b"\"\":"));
            let written = match entry.optional {
                false => self.write_made(&entry.value, out)?,
                true => match unwrapped(self.eval(&entry.value)?)? {
                    Some(value) => put(&value, out)?,
                    None => Written::Absent,
                },
            };
            if written == Written::Absent {
                out.rewind(mark);
            }
        }
        out.end_object();
        Ok(())
    }

    /// Adds an entry; a key that is there already, or that can be none, is an error.
    pub(super) fn insert(
        &self,
        entries: &mut Vec<(Value<'a>, Value<'a>)>,
        (key, value): (Value<'a>, Value<'a>),
    ) -> Result<(), EvalError> {
        let can_be_key = matches!(
            key.kind(),
            ValueKind::Text | ValueKind::Int | ValueKind::Uint | ValueKind::Bool | ValueKind::Number
        );
        if !can_be_key {
            return Err(EvalError::new(ErrorKind::Type, format!("{} cannot be a key", kind_name(key.kind()))));
        }
        let budget = self.env.budget();
        budget.spend(entries.len() / KEYS_PER_STEP)?;
        for (other, _) in entries.iter() {
            if operator::equal(other, &key, budget)? {
                return Err(EvalError::new(ErrorKind::Argument, "the same key twice in a map"));
            }
        }
        entries.push((key, value));
        Ok(())
    }

    /// `list[i]`, `map[key]`.
    pub(super) fn index(&mut self, index: &'a Index) -> Result<Value<'a>, EvalError> {
        let of = self.eval(&index.of)?;
        let by = self.eval(&index.index)?;
        match of {
            Value::Optional(None) => Ok(Value::Optional(None)),
            Value::Optional(Some(held)) => {
                Ok(Value::Optional(self.find(&held, &by, index).map_err(|e| e.at(index.span))?.map(Into::into)))
            }
            of => {
                let found = self.find(&of, &by, index).map_err(|error| error.at(index.span))?;
                match (index.missing, found) {
                    (Missing::Empty, found) => Ok(Value::Optional(found.map(Into::into))),
                    (_, Some(found)) => Ok(found),
                    (Missing::Null, None) => Ok(Value::Null),
                    (Missing::Fails, None) => Err(nothing_at(&of).at(index.span)),
                }
            }
        }
    }

    /// What stands at an index or under a key.
    fn find(&self, of: &Value<'a>, by: &Value<'a>, node: &Index) -> Result<Option<Value<'a>>, EvalError> {
        let missing = node.missing;
        if let Value::Held(Held::Map(map)) = of {
            // Keys of what a step holds compare as text.
            return Ok(key_text(by).and_then(|key| map.find(&key)).map(Held::value));
        }
        match of.kind() {
            ValueKind::List => match by.number().and_then(|index| index.to_int()) {
                Some(index) => {
                    let Ok(index) = usize::try_from(index) else { return Ok(None) };
                    // The elements of a reply stand one after the other, and the ones before are walked over.
                    let Value::View(view) = of else { return Ok(of.element(index)) };
                    self.spend(index.min(of.size().unwrap_or(0)) / PASSED_PER_STEP)?;
                    Ok(view.elements().nth(index).map(|found| self.indexed(found, node).value()))
                }
                None if missing == Missing::Null && by.is_null() => Ok(None),
                None => Err(wrong_index("a list takes a whole number as index", by)),
            },
            ValueKind::Map => match (of, by.as_text()) {
                (Value::View(view), Some(name)) => Ok(view.member(name).map(|found| self.indexed(found, node).value())),
                _ => operator::entry(of, by, self.env.budget()),
            },
            ValueKind::Null if missing != Missing::Fails => Ok(None),
            _ if missing == Missing::Null => Ok(None),
            _ => Err(wrong_index("`[ ]` takes a list or a map", of)),
        }
    }

    /// What an index found, as a contract promises it or not.
    fn indexed(&self, found: View<'a>, node: &Index) -> View<'a> {
        if let Some(promised) = &node.promised
            && !promised.is_kept_by(found)
            && found.is_of_reply()
            && let Some(instead) = promised.instead(found)
        {
            self.env.drifted(promised.id, instead);
        }
        found
    }
}

/// Elements that are passed over for the price of one step.
const PASSED_PER_STEP: usize = 16;

/// Keys that are compared for the price of one step.
const KEYS_PER_STEP: usize = 8;

/// What an optional entry holds.
fn unwrapped(value: Value<'_>) -> Result<Option<Value<'_>>, EvalError> {
    match value {
        Value::Optional(held) => Ok(held.map(|held| (*held).clone())),
        other => {
            Err(EvalError::new(ErrorKind::Type, format!("`?` takes an optional, not {}", kind_name(other.kind()))))
        }
    }
}

fn wrong_index(rule: &str, value: &Value<'_>) -> EvalError {
    let kind = if value.is_null() { ErrorKind::Null } else { ErrorKind::Type };
    EvalError::new(kind, format!("{rule}, not {}", kind_name(value.kind())))
}

fn nothing_at(of: &Value<'_>) -> EvalError {
    match of.kind() {
        ValueKind::List => EvalError::new(ErrorKind::NoSuchIndex, "the list has no element at this index"),
        _ => EvalError::new(ErrorKind::NoSuchMember, "the map has no such key"),
    }
}

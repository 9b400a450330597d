//! `map`, `filter`, `all` and the other macros over lists and maps.

use super::{Machine, Slot, operand};
use crate::base::value::{Elements, Entries, Items, Kind, Sink, Value, ValueKind};
use crate::expr::error::{ErrorKind, EvalError};
use crate::expr::eval::{Env, Written};
use crate::expr::library::{kind_name, sort_by};
use crate::expr::node::{Comprehension, Fold};

impl<'a, E: Env + ?Sized> Machine<'a, '_, E> {
    pub(super) fn comprehension(&mut self, node: &'a Comprehension) -> Result<Value<'a>, EvalError> {
        let rounds = Rounds::over(&self.eval(&node.range)?, node.key.is_some())?;
        match node.fold {
            Fold::All => self.quantifier(node, rounds, false),
            Fold::Exists => self.quantifier(node, rounds, true),
            Fold::ExistsOne => self.exactly_one(node, rounds),
            Fold::Filter => self.filter(node, rounds),
            Fold::List => self.made_list(node, rounds),
            Fold::Map | Fold::MapEntry => self.made_map(node, rounds),
            Fold::SortBy => self.sorted(node, rounds),
        }
    }

    /// Writes `map` and `transformList` item by item; `None` for the other folds.
    pub(super) fn write_comprehension<S: Sink>(
        &mut self,
        node: &'a Comprehension,
        out: &mut S,
    ) -> Option<Result<(), EvalError>> {
        (node.fold == Fold::List).then(|| {
            let rounds = Rounds::over(&self.eval(&node.range)?, node.key.is_some())?;
            out.begin_array();
            for round in rounds {
                self.round(node, &round, |machine| {
                    let taken = machine.passes(node)?;
                    if taken && machine.write(&node.body, out)? == Written::Absent {
                        out.null();
                    }
                    Ok(())
                })?;
            }
            out.end_array();
            Ok(())
        })
    }

    /// Binds the variables of one round and does something with them.
    fn round<T>(
        &mut self,
        node: &'a Comprehension,
        round: &Round<'a>,
        body: impl FnOnce(&mut Self) -> Result<T, EvalError>,
    ) -> Result<T, EvalError> {
        self.spend(node.weight as usize)?;
        let outer = self.locals.len();
        if let Some(key) = &node.key {
            self.locals.push((key.id, Slot::Value(round.key.clone())));
        }
        self.locals.push((node.item.id, round.item.clone()));
        let result = body(self);
        self.locals.truncate(outer);
        result
    }

    /// Whether the filter of a comprehension lets this round through.
    fn passes(&mut self, node: &'a Comprehension) -> Result<bool, EvalError> {
        node.when.as_ref().map_or(Ok(true), |when| self.condition(when))
    }

    /// `all` (`decisive` false) and `exists` (true): the decisive value wins over errors.
    fn quantifier(
        &mut self,
        node: &'a Comprehension,
        rounds: Rounds<'a>,
        decisive: bool,
    ) -> Result<Value<'a>, EvalError> {
        let mut failed = None;
        for round in rounds {
            match self.round(node, &round, |machine| machine.eval(&node.body)) {
                Ok(Value::Bool(value)) if value == decisive => return Ok(Value::Bool(decisive)),
                Ok(Value::Bool(_)) => {}
                Ok(other) => failed = failed.or(Some(operand("a condition", &other))),
                Err(error) if error.kind() == ErrorKind::Budget => return Err(error),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(Value::Bool(!decisive)), Err)
    }

    fn exactly_one(&mut self, node: &'a Comprehension, rounds: Rounds<'a>) -> Result<Value<'a>, EvalError> {
        let mut found = 0usize;
        for round in rounds {
            found += usize::from(self.round(node, &round, |machine| machine.condition(&node.body))?);
        }
        Ok(Value::Bool(found == 1))
    }

    fn filter(&mut self, node: &'a Comprehension, rounds: Rounds<'a>) -> Result<Value<'a>, EvalError> {
        let mut kept = Vec::new();
        for round in rounds {
            if self.round(node, &round, |machine| machine.condition(&node.body))? {
                self.env.budget().make_list(1)?;
                kept.push(round.item.value());
            }
        }
        Ok(Value::List(kept.into()))
    }

    fn made_list(&mut self, node: &'a Comprehension, rounds: Rounds<'a>) -> Result<Value<'a>, EvalError> {
        let mut made = Vec::new();
        for round in rounds {
            let value = self.round(node, &round, |machine| match machine.passes(node)? {
                true => machine.eval(&node.body).map(Some),
                false => Ok(None),
            })?;
            if let Some(value) = value {
                self.env.budget().make_list(1)?;
                made.push(value);
            }
        }
        Ok(Value::List(made.into()))
    }

    fn made_map(&mut self, node: &'a Comprehension, rounds: Rounds<'a>) -> Result<Value<'a>, EvalError> {
        let mut made = Vec::new();
        for round in rounds {
            let value = self.round(node, &round, |machine| match machine.passes(node)? {
                true => machine.eval(&node.body).map(Some),
                false => Ok(None),
            })?;
            let Some(value) = value else { continue };
            self.env.budget().make_map(1)?;
            if node.fold == Fold::Map {
                made.push((round.key, value));
                continue;
            }
            let no_map =
                || EvalError::new(ErrorKind::Type, format!("an entry is a map, not {}", kind_name(value.kind())));
            for entry in value.entries().ok_or_else(no_map)? {
                self.insert(&mut made, entry)?;
            }
        }
        Ok(Value::Map(made.into()))
    }

    fn sorted(&mut self, node: &'a Comprehension, rounds: Rounds<'a>) -> Result<Value<'a>, EvalError> {
        let (mut items, mut keys) = (Vec::new(), Vec::new());
        for round in rounds {
            keys.push(self.round(node, &round, |machine| machine.eval(&node.body))?);
            self.env.budget().make_list(1)?;
            items.push(round.item.value());
        }
        sort_by(items, keys, self.env.budget())
    }
}

/// What the variables stand for in one round.
struct Round<'a> {
    /// Index or key.
    key: Value<'a>,
    item: Slot<'a>,
}

/// The rounds of a comprehension, one for each element or entry.
struct Rounds<'a> {
    source: Source<'a>,
    index: i64,
    /// Whether the item of a map's round is the value, not the key.
    paired: bool,
}

enum Source<'a> {
    Views(Elements<'a>),
    Items(Items<'a>),
    Entries(Entries<'a>),
}

impl<'a> Rounds<'a> {
    fn over(range: &Value<'a>, paired: bool) -> Result<Self, EvalError> {
        let source = match range {
            Value::View(view) if view.kind() == Kind::Array => Source::Views(view.elements()),
            other => match (other.elements(), other.entries()) {
                (Some(items), _) => Source::Items(items),
                (_, Some(entries)) => Source::Entries(entries),
                _ => {
                    let kind = if range.kind() == ValueKind::Null { ErrorKind::Null } else { ErrorKind::Type };
                    let message = format!("a list or a map is needed here, not {}", kind_name(range.kind()));
                    return Err(EvalError::new(kind, message));
                }
            },
        };
        Ok(Self { source, index: -1, paired })
    }
}

impl<'a> Iterator for Rounds<'a> {
    type Item = Round<'a>;

    fn next(&mut self) -> Option<Round<'a>> {
        self.index += 1;
        let item = match &mut self.source {
            Source::Views(views) => Slot::View(views.next()?),
            Source::Items(items) => Slot::Value(items.next()?),
            Source::Entries(entries) => {
                let (key, value) = entries.next()?;
                let item = Slot::Value(if self.paired { value } else { key.clone() });
                return Some(Round { key, item });
            }
        };
        Some(Round { key: Value::Int(self.index), item })
    }
}

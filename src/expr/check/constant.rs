//! What is known at load is computed at load.

use super::{Checker, Operand};
use crate::base::value::{Text, Value};
use crate::expr::budget::Budget;
use crate::expr::error::{ErrorKind, Failures};
use crate::expr::eval::{Env, eval};
use crate::expr::mistake::Mistake;
use crate::expr::node::{Node, Var};
use crate::expr::types::Type;

/// Steps that computing the constants of one expression may take.
pub(super) const FOLDING_LIMIT: u64 = 10_000;

/// Bytes that one constant may take.
const FOLDED_BYTES: u64 = 1 << 20;

/// The type of a constant.
pub(super) fn type_of(value: &Value<'_>) -> Type {
    let joined = |items: &mut dyn Iterator<Item = Type>| items.reduce(|a, b| a.join(&b));
    match value {
        Value::List(items) => Type::list(joined(&mut items.iter().map(type_of)).unwrap_or(Type::Never)),
        Value::Map(entries) if entries.iter().all(|(key, _)| key.as_text().is_some()) => {
            Type::map(joined(&mut entries.iter().map(|(_, value)| type_of(value))).unwrap_or(Type::Never))
        }
        Value::Optional(Some(held)) => type_of(held).optional(),
        Value::Optional(None) => Type::Dyn.optional(),
        other => Type::of_kind(other.kind()),
    }
}

impl Checker<'_> {
    /// Replaces a node whose parts are all constants by its value. One that always fails stays as
    /// it is, for another part may decide whether it is reached; it is warned of.
    pub(super) fn folded(&mut self, operand: Operand, bytes: std::ops::Range<usize>) -> Operand {
        let mut parts = 0;
        let mut constants = 0;
        operand.node.children(&mut |child| {
            parts += 1;
            constants += usize::from(child.as_constant().is_some());
        });
        if parts != constants || operand.node.as_constant().is_some() {
            return operand;
        }
        let env = Nothing(Budget::new(self.folding, FOLDED_BYTES));
        let result = eval(&operand.node, &env, &mut Failures::default());
        self.folding = env.0.steps();
        match result {
            Ok(value) => match owned(&value) {
                Some(value) => Operand::new(Node::Const(value.clone()), narrowed(operand.ty, &value)),
                None => operand,
            },
            // What is too much at load may be little at run time.
            Err(error) if error.kind() == ErrorKind::Budget => operand,
            Err(error) => {
                self.warnings.push(Mistake::new(bytes, format!("this always fails: {error}")));
                operand
            }
        }
    }
}

/// The checked type, without a doubt that the value settles.
fn narrowed(ty: Type, value: &Value<'_>) -> Type {
    match ty {
        Type::Dyn => Type::Dyn,
        Type::Nullable(inner) if !value.is_null() => (*inner).clone(),
        Type::Nullable(_) => Type::Null,
        ty => ty,
    }
}

/// A constant element of a constant, whose type its value tells.
pub(super) fn settled(operand: Operand) -> Operand {
    match operand.node.as_constant() {
        Some(value) if !matches!(operand.ty, Type::Dyn) => {
            let ty = narrowed(operand.ty, value);
            Operand::new(operand.node, ty)
        }
        _ => operand,
    }
}

/// The value without borrowing; `None` for parts of documents, which constants never are.
fn owned(value: &Value<'_>) -> Option<Value<'static>> {
    Some(match value {
        Value::Null => Value::Null,
        Value::Bool(value) => Value::Bool(*value),
        Value::Int(value) => Value::Int(*value),
        Value::Uint(value) => Value::Uint(*value),
        Value::Double(value) => Value::Double(*value),
        Value::Text(text) => Value::Text(Text::Shared((**text).into())),
        Value::Bytes(bytes) => Value::Bytes(bytes.clone()),
        Value::Timestamp(time) => Value::Timestamp(*time),
        Value::Duration(span) => Value::Duration(*span),
        Value::List(items) => Value::List(items.iter().map(owned).collect::<Option<_>>()?),
        Value::Map(entries) => {
            let entry = |(key, value): &(Value<'_>, Value<'_>)| Some((owned(key)?, owned(value)?));
            Value::Map(entries.iter().map(entry).collect::<Option<_>>()?)
        }
        Value::Type(name) => Value::Type(name),
        Value::Optional(None) => Value::Optional(None),
        Value::Optional(Some(held)) => Value::Optional(Some(owned(held)?.into())),
        Value::View(_) | Value::Held(_) => return None,
    })
}

/// The surroundings of a constant: no variables, and a small budget.
struct Nothing(Budget);

impl Env for Nothing {
    fn var(&self, _: Var) -> Value<'_> {
        Value::Null
    }

    fn budget(&self) -> &Budget {
        &self.0
    }
}

//! Which paths a condition tells to be no null: `x != null && x > 0` is allowed because of it.

use super::{Checker, Operand};
use crate::base::value::Value;
use crate::expr::ast::{Ast, Expression};
use crate::expr::node::Relational;

/// Parts the steps of a path, so that `a.b` is no beginning of `a.bc`.
const SEPARATOR: char = '\0';

/// A path of members and constant indexes as it is written; `None` for everything else.
pub(super) fn path(ast: &Ast) -> Option<String> {
    match &ast.expression {
        Expression::Name(name) => Some(name.clone()),
        Expression::Member { of, name, optional: false } => Some(format!("{}.{}", path(of)?, name.text)),
        Expression::Index { of, index, optional: false } => match &index.expression {
            Expression::Literal(Value::Text(name)) => Some(format!("{}['{}']", path(of)?, &**name)),
            Expression::Literal(Value::Int(index)) => Some(format!("{}[{index}]", path(of)?)),
            _ => None,
        },
        _ => None,
    }
}

/// A path as it is written, or words for what is none.
pub(super) fn written(ast: &Ast) -> String {
    path(ast).unwrap_or_else(|| match &ast.expression {
        Expression::Literal(Value::Null) => "null".to_owned(),
        Expression::Call { name, .. } => format!("{}(…)", name.text),
        _ => "this value".to_owned(),
    })
}

impl Checker<'_> {
    /// Checks something where `condition` is known to be `truth`.
    pub(super) fn given<T>(&mut self, condition: &Ast, truth: bool, check: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.facts.len();
        self.learn(condition, truth);
        let result = check(self);
        self.facts.truncate(outer);
        result
    }

    /// Takes in what is known when `condition` is `truth`.
    pub(super) fn learn(&mut self, condition: &Ast, truth: bool) {
        match (&condition.expression, truth) {
            (Expression::Not(inner), _) => self.learn(inner, !truth),
            (Expression::And(operands), true) | (Expression::Or(operands), false) => {
                operands.iter().for_each(|operand| self.learn(operand, truth));
            }
            (Expression::Relation { operator, left, right }, _) => {
                for (side, other) in [(left, right), (right, left)] {
                    let Expression::Literal(literal) = &other.expression else { continue };
                    let tells = match operator {
                        Relational::NotEqual => truth == literal.is_null(),
                        Relational::Equal => truth != literal.is_null(),
                        _ => false,
                    };
                    // `x != 1` being true says nothing about null.
                    if tells {
                        self.facts.extend(self.fact(side));
                    }
                }
            }
            (Expression::Call { target: None, name, arguments }, true) if name.text == "has" => {
                self.facts.extend(arguments.first().and_then(|argument| self.fact(argument)));
            }
            _ => {}
        }
    }

    /// The operand without null, if it is known not to be null here.
    pub(super) fn known_present(&self, operand: Operand, ast: &Ast) -> Operand {
        if self.facts.is_empty() || !operand.ty.may_be_null() {
            return operand;
        }
        let Some(fact) = self.fact(ast) else { return operand };
        // What is known of `a.b` holds for `a` too: a path through null gives null.
        let beginning = format!("{fact}{SEPARATOR}");
        let known = self.facts.iter().any(|known| *known == fact || known.starts_with(&beginning));
        if !known {
            return operand;
        }
        let ty = operand.ty.present().clone();
        Operand::new(operand.node, ty)
    }

    /// A path by what it begins at, so that a variable that hides another is not mistaken for it.
    fn fact(&self, ast: &Ast) -> Option<String> {
        match &ast.expression {
            Expression::Name(name) => {
                let local = self.locals.iter().rev().find(|local| local.name == *name);
                Some(local.map_or_else(|| name.clone(), |local| format!("{:?}", local.id)))
            }
            Expression::Member { of, name, optional: false } => {
                Some(format!("{}{SEPARATOR}{}", self.fact(of)?, name.text))
            }
            Expression::Index { of, index, optional: false } => match &index.expression {
                Expression::Literal(Value::Text(name)) => Some(format!("{}{SEPARATOR}{}", self.fact(of)?, &**name)),
                Expression::Literal(Value::Int(index)) => Some(format!("{}{SEPARATOR}[{index}]", self.fact(of)?)),
                _ => None,
            },
            _ => None,
        }
    }
}

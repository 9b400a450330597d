//! Operators and their precedence, and what people write from habit instead.

use std::ops::Range;

use super::Parser;
use crate::expr::ast::{Ast, Expression};
use crate::expr::lexer::Kind;
use crate::expr::mistake::Mistake;
use crate::expr::node::{Infix, Relational};

/// A binary operator.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    Or,
    And,
    Relational(Relational),
    Infix(Infix),
}

/// Operators as written, with their level: higher binds tighter. Source: cel-spec, "Precedence".
const OPERATORS: &[(&str, u8, Operator)] = &[
    ("||", 0, Operator::Or),
    ("&&", 1, Operator::And),
    ("==", 2, Operator::Relational(Relational::Equal)),
    ("!=", 2, Operator::Relational(Relational::NotEqual)),
    ("<", 2, Operator::Relational(Relational::Less)),
    ("<=", 2, Operator::Relational(Relational::LessEqual)),
    (">", 2, Operator::Relational(Relational::Greater)),
    (">=", 2, Operator::Relational(Relational::GreaterEqual)),
    ("in", 2, Operator::Relational(Relational::In)),
    ("+", 3, Operator::Infix(Infix::Add)),
    ("-", 3, Operator::Infix(Infix::Subtract)),
    ("*", 4, Operator::Infix(Infix::Multiply)),
    ("/", 4, Operator::Infix(Infix::Divide)),
    ("%", 4, Operator::Infix(Infix::Remainder)),
];

/// Operators of other languages: what to write instead, and what to parse them as.
const FOREIGN: &[(&str, u8, Operator, &str)] = &[
    ("or", 0, Operator::Or, "write `||`, or `default(a, b)` for a value that may be null"),
    ("and", 1, Operator::And, "write `&&`"),
    ("??", 0, Operator::Or, "write `default(a, b)`"),
    ("|", 0, Operator::Or, "write `||`, or call a function: `a.size()`, `default(a, b)`"),
    ("&", 1, Operator::And, "write `&&`"),
    ("===", 2, Operator::Relational(Relational::Equal), "write `==`"),
    ("!==", 2, Operator::Relational(Relational::NotEqual), "write `!=`"),
    ("=", 2, Operator::Relational(Relational::Equal), "write `==`"),
    ("=>", 0, Operator::Or, "name the variable first: `list.map(x, x.id)`"),
    ("is", 2, Operator::Relational(Relational::Equal), "write `==`"),
];

impl Parser<'_> {
    /// Operands joined by operators of at least `level`.
    pub(super) fn operators(&mut self, level: u8) -> Ast {
        let mut left = self.unary();
        while let Some((found, operator)) = self.operator().filter(|(found, _)| *found >= level) {
            self.advance();
            let right = self.operators(found + 1);
            left = self.join(operator, left, right);
        }
        left
    }

    /// The operator that stands here and its level.
    fn operator(&mut self) -> Option<(u8, Operator)> {
        let token = self.peek();
        if !matches!(token.kind, Kind::Name | Kind::Sign(_)) {
            return None;
        }
        let bytes = token.bytes.clone();
        let text = self.source.get(bytes.clone())?;
        if let Some((_, level, operator)) = OPERATORS.iter().find(|(sign, ..)| *sign == text) {
            return Some((*level, *operator));
        }
        let (_, level, operator, help) = FOREIGN.iter().find(|(sign, ..)| *sign == text)?;
        let known = self.mistakes.iter().any(|mistake| mistake.bytes == bytes);
        if !known {
            self.report(Mistake::new(bytes, format!("`{text}` is no operator of CEL")).help(*help));
        }
        Some((*level, *operator))
    }

    /// One node of two operands; chains become one node.
    fn join(&mut self, operator: Operator, left: Ast, right: Ast) -> Ast {
        let bytes = left.bytes.start..right.bytes.end;
        let expression = match (operator, left.expression) {
            (Operator::Or, Expression::Or(operands)) => Expression::Or(push(operands, right)),
            (Operator::And, Expression::And(operands)) => Expression::And(push(operands, right)),
            (Operator::Infix(infix), Expression::Arithmetic { first, rest }) if same_level(infix, &rest) => {
                Expression::Arithmetic { first, rest: push(rest, (infix, right)) }
            }
            (operator, expression) => {
                let left = Ast { expression, ..left };
                match operator {
                    Operator::Or => Expression::Or(vec![left, right]),
                    Operator::And => Expression::And(vec![left, right]),
                    Operator::Infix(infix) => {
                        Expression::Arithmetic { first: Box::new(left), rest: vec![(infix, right)] }
                    }
                    Operator::Relational(operator) => {
                        Expression::Relation { operator, left: Box::new(left), right: Box::new(right) }
                    }
                }
            }
        };
        self.node(expression, bytes)
    }

    /// `!a`, `-a` or an operand. Runs of one sign count as one or two of them.
    fn unary(&mut self) -> Ast {
        let start = self.peek().bytes.start;
        let (negate, sign) = if self.is_sign("-") { (true, "-") } else { (false, "!") };
        let mut count = 0usize;
        while self.is_sign(sign) {
            if let (true, Kind::Int(_) | Kind::Double(_)) = (negate, &self.peek_after().kind) {
                break;
            }
            self.advance();
            count += 1;
        }
        let mut ast = self.operand();
        for _ in 0..count.min(2 - count % 2) {
            let bytes = Range { start, end: ast.bytes.end };
            let expression = if negate { Expression::Negate(Box::new(ast)) } else { Expression::Not(Box::new(ast)) };
            ast = self.node(expression, bytes);
        }
        ast
    }
}

fn same_level(infix: Infix, rest: &[(Infix, Ast)]) -> bool {
    let additive = |infix| matches!(infix, Infix::Add | Infix::Subtract);
    rest.first().is_some_and(|(first, _)| additive(*first) == additive(infix))
}

fn push<T>(mut list: Vec<T>, item: T) -> Vec<T> {
    list.push(item);
    list
}

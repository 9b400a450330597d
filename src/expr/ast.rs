//! Expressions as written, with the bytes of every part.

use std::ops::Range;

use super::node::{Infix, Relational};
use crate::base::value::Value;

/// A parsed expression. Nothing in it is resolved yet.
#[derive(Clone, Debug)]
pub struct Ast {
    pub(super) expression: Expression,
    /// Where it stands in the source.
    pub(super) bytes: Range<usize>,
    /// How many expressions stand inside one another.
    pub(super) height: usize,
}

impl Ast {
    /// Where the expression stands in its source.
    pub fn bytes(&self) -> Range<usize> {
        self.bytes.clone()
    }

    /// Where `name` is first used as a name of its own, in bytes of the source.
    pub fn first_use(&self, name: &str) -> Option<Range<usize>> {
        if matches!(&self.expression, Expression::Name(found) if found == name) {
            return Some(self.bytes());
        }
        let mut first = None;
        self.expression.children(&mut |child| {
            first = first.take().or_else(|| child.first_use(name));
        });
        first
    }

    pub(super) fn new(expression: Expression, bytes: Range<usize>) -> Self {
        let mut height = 0;
        expression.children(&mut |child| height = height.max(child.height));
        Self { expression, bytes, height: height + 1 }
    }
}

/// The forms of an expression.
#[derive(Clone, Debug)]
pub(super) enum Expression {
    Literal(Value<'static>),
    Name(String),
    Member {
        of: Box<Ast>,
        name: Name,
        /// `.?`
        optional: bool,
    },
    Index {
        of: Box<Ast>,
        index: Box<Ast>,
        /// `[?`
        optional: bool,
    },
    /// A function, method or macro.
    Call {
        target: Option<Box<Ast>>,
        name: Name,
        arguments: Vec<Ast>,
    },
    List(Vec<Item>),
    Map(Vec<Pair>),
    Not(Box<Ast>),
    Negate(Box<Ast>),
    /// A chain of operators of one level.
    Arithmetic {
        first: Box<Ast>,
        rest: Vec<(Infix, Ast)>,
    },
    Relation {
        operator: Relational,
        left: Box<Ast>,
        right: Box<Ast>,
    },
    And(Vec<Ast>),
    Or(Vec<Ast>),
    Conditional(Box<[Ast; 3]>),
    /// Stands where a mistake was reported.
    Broken,
}

/// A name and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) bytes: Range<usize>,
}

/// An element of a list literal.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) value: Ast,
    pub(super) optional: bool,
}

/// An entry of a map literal.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) key: Ast,
    pub(super) value: Ast,
    pub(super) optional: bool,
}

impl Expression {
    /// Calls `visit` for every expression directly inside this one.
    pub(super) fn children(&self, visit: &mut dyn FnMut(&Ast)) {
        match self {
            Self::Literal(_) | Self::Name(_) | Self::Broken => {}
            Self::Member { of, .. } => visit(of),
            Self::Index { of, index, .. } => [of, index].into_iter().for_each(|child| visit(child)),
            Self::Call { target, arguments, .. } => target.as_deref().into_iter().chain(arguments).for_each(visit),
            Self::List(items) => items.iter().for_each(|item| visit(&item.value)),
            Self::Map(pairs) => pairs.iter().flat_map(|pair| [&pair.key, &pair.value]).for_each(visit),
            Self::Not(of) | Self::Negate(of) => visit(of),
            Self::Arithmetic { first, rest } => {
                visit(first);
                rest.iter().for_each(|(_, operand)| visit(operand));
            }
            Self::Relation { left, right, .. } => [left, right].into_iter().for_each(|child| visit(child)),
            Self::And(operands) | Self::Or(operands) => operands.iter().for_each(visit),
            Self::Conditional(parts) => parts.iter().for_each(visit),
        }
    }
}

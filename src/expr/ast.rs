//! Expressions as written, with the bytes of every part.

use std::ops::Range;

use super::mistake::Mistake;
use super::node::{Infix, Relational};
use crate::base::value::Value;

/// Finds the text that a function of load time stands for, by its argument and default; or says what is
/// wrong, and what to write instead.
pub type FindText<'f> = &'f dyn Fn(&str, (&str, Option<&str>)) -> Result<String, (String, String)>;

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

    /// Puts texts in the place of calls of `functions`, which take texts that are written out, such as
    /// `env('NAME')`. Nothing that is made of such a text is computed before run time, so that no
    /// message and no drawing of a program holds it.
    ///
    /// # Errors
    /// Every such call with other arguments, and what `find` says.
    pub fn with_texts(mut self, functions: &[&str], find: FindText<'_>) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        self.find_texts(functions, find, &mut mistakes);
        if mistakes.is_empty() { Ok(self) } else { Err(mistakes) }
    }

    fn find_texts(&mut self, functions: &[&str], find: FindText<'_>, mistakes: &mut Vec<Mistake>) {
        let Expression::Call { target: None, name, arguments } = &self.expression else {
            return self.expression.children_mut(&mut |child| child.find_texts(functions, find, mistakes));
        };
        let function = name.text.as_str();
        if !functions.contains(&function) {
            return self.expression.children_mut(&mut |child| child.find_texts(functions, find, mistakes));
        }
        let literal = |argument: &Self| match &argument.expression {
            Expression::Literal(Value::Text(text)) => Some(text.to_string()),
            _ => None,
        };
        let texts: Option<Vec<String>> = arguments.iter().map(literal).collect();
        let found = match texts.as_deref() {
            Some([only]) => find(function, (only, None)).map(|text| (only, text)),
            Some([first, default]) => find(function, (first, Some(default))).map(|text| (first, text)),
            _ => {
                let message = format!("`{function}` takes texts that are written out");
                Err((message, format!("write `{function}('…')`, or `{function}('…', 'default')`")))
            }
        };
        match found {
            Ok((first, text)) => {
                self.expression = Expression::Named { written: format!("{function}('{first}')"), text };
            }
            Err((message, help)) => mistakes.push(Mistake::new(self.bytes(), message).help(help)),
        }
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
    /// A text that was found at load, and what to call it.
    Named {
        written: String,
        text: String,
    },
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
    fn children_mut(&mut self, visit: &mut dyn FnMut(&mut Ast)) {
        match self {
            Self::Literal(_) | Self::Named { .. } | Self::Name(_) | Self::Broken => {}
            Self::Member { of, .. } => visit(of),
            Self::Index { of, index, .. } => [of, index].into_iter().for_each(|child| visit(child)),
            Self::Call { target, arguments, .. } => target.as_deref_mut().into_iter().chain(arguments).for_each(visit),
            Self::List(items) => items.iter_mut().for_each(|item| visit(&mut item.value)),
            Self::Map(pairs) => pairs.iter_mut().flat_map(|pair| [&mut pair.key, &mut pair.value]).for_each(visit),
            Self::Not(of) | Self::Negate(of) => visit(of),
            Self::Arithmetic { first, rest } => {
                visit(first);
                rest.iter_mut().for_each(|(_, operand)| visit(operand));
            }
            Self::Relation { left, right, .. } => [left, right].into_iter().for_each(|child| visit(child)),
            Self::And(operands) | Self::Or(operands) => operands.iter_mut().for_each(visit),
            Self::Conditional(parts) => parts.iter_mut().for_each(visit),
        }
    }

    /// Calls `visit` for every expression directly inside this one.
    pub(super) fn children(&self, visit: &mut dyn FnMut(&Ast)) {
        match self {
            Self::Literal(_) | Self::Named { .. } | Self::Name(_) | Self::Broken => {}
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

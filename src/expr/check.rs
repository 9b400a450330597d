//! The checker: names resolved, types checked, constants folded; an [`Ast`] becomes a [`Node`].
//!
//! It goes on after a mistake with a value of unknown type, so that every mistake of an
//! expression is found at once and none is reported twice.

use std::ops::Range;
use std::rc::Rc;

use super::ast::{Ast, Expression, Name};
use super::mistake::Mistake;
use super::node::{Conditional, LocalId, Named, Node};
use super::scope::{Binding, Scope, Unresolved};
use super::span::Span;
use super::spelling::advice;
use super::types::Type;

use crate::base::value::Value;

mod call;
mod constant;
mod guard;
mod literal;
mod macros;
mod operator;
mod pattern;
mod select;
#[cfg(test)]
mod tests;
mod type_name;

/// A checked expression.
#[derive(Clone, Debug)]
pub struct Typed {
    /// The program.
    pub node: Node,
    /// What is known of its value.
    pub ty: Type,
    /// What is allowed and probably not meant.
    pub warnings: Vec<Mistake>,
}

/// Nodes that may stand inside one another once compiled expressions were put into each other.
/// The evaluator recurses that deep.
const NODE_DEPTH_LIMIT: usize = 200;

/// Checks an expression.
///
/// # Errors
/// Every mistake that was found, in the order of the source; never empty.
pub fn check(ast: &Ast, scope: &dyn Scope) -> Result<Typed, Vec<Mistake>> {
    let mut checker = Checker {
        scope,
        locals: Vec::new(),
        facts: Vec::new(),
        mistakes: Vec::new(),
        warnings: Vec::new(),
        nested: 0,
        folding: constant::FOLDING_LIMIT,
        lenient: false,
    };
    let operand = checker.operand(ast);
    checker.refuse_type(ast, &operand.ty);
    if operand.node.depth() > NODE_DEPTH_LIMIT {
        let message = format!("with all that it mentions, this is nested deeper than {NODE_DEPTH_LIMIT} levels");
        checker.mistake(Mistake::new(ast.bytes(), message).help("make an inner part a step with a call of its own"));
    }
    let Checker { mut mistakes, warnings, .. } = checker;
    if mistakes.is_empty() {
        return Ok(Typed { node: operand.node, ty: operand.ty, warnings });
    }
    mistakes.sort_by_key(|mistake| mistake.bytes.start);
    Err(mistakes)
}

struct Checker<'s> {
    scope: &'s dyn Scope,
    /// Variables of the comprehensions around the current place, innermost last.
    locals: Vec<Local>,
    /// Paths that are known not to be null here; see [`guard`].
    facts: Vec<String>,
    mistakes: Vec<Mistake>,
    warnings: Vec<Mistake>,
    /// Comprehensions around the current place.
    nested: usize,
    /// Steps that computing constants may still take.
    folding: u64,
    /// Whether the path being checked is the first argument of `default`, where null and missing
    /// elements are allowed on the way.
    lenient: bool,
}

/// A variable of a comprehension.
struct Local {
    name: String,
    id: LocalId,
    ty: Type,
}

/// A checked part of an expression.
#[derive(Clone, Debug)]
struct Operand {
    node: Node,
    ty: Type,
}

/// What a path stands for so far.
enum Resolved {
    Operand(Operand),
    /// Names of their own, which only a member may follow.
    Scope {
        scope: Rc<dyn Scope>,
        noun: &'static str,
    },
}

impl Operand {
    fn new(node: Node, ty: Type) -> Self {
        Self { node, ty }
    }

    /// Stands in for what a mistake was reported about.
    fn unknown() -> Self {
        Self::new(Node::NULL, Type::Dyn)
    }

    /// True, known at load.
    fn always() -> Self {
        Self::new(Node::Const(Value::Bool(true)), Type::Bool)
    }
}

impl Checker<'_> {
    /// Checks a part that must have a value.
    fn operand(&mut self, ast: &Ast) -> Operand {
        match self.resolve(ast) {
            Resolved::Operand(operand) => operand,
            Resolved::Scope { scope, noun } => {
                let written = guard::written(ast);
                let message = format!("`{written}` is no value by itself; name one {noun} of it");
                let names = scope.names();
                let help = match names.first() {
                    Some(first) => format!("write `{written}.{first}`; {}", known(&names)),
                    None => String::new(),
                };
                self.mistake(Mistake::new(ast.bytes(), message).help(help));
                Operand::unknown()
            }
        }
    }

    fn resolve(&mut self, ast: &Ast) -> Resolved {
        match &ast.expression {
            Expression::Name(name) => self.name(name, ast),
            Expression::Member { of, name, optional: false } => match self.qualified_type_name(ast) {
                Some(operand) => Resolved::Operand(operand),
                None => self.member(ast, of, name),
            },
            Expression::Index { of, index, optional } => self.index(ast, of, index, *optional),
            _ => {
                let lenient = std::mem::take(&mut self.lenient);
                let operand = self.computed(ast);
                self.lenient = lenient;
                Resolved::Operand(operand)
            }
        }
    }

    /// Everything that is no plain path.
    fn computed(&mut self, ast: &Ast) -> Operand {
        match &ast.expression {
            Expression::Member { of, name, .. } => self.optional_member(of, name),
            Expression::Named { written, text } => {
                let value = Value::Text(text.clone().into());
                Operand::new(Node::Named(Box::new(Named { written: written.as_str().into(), value })), Type::Text)
            }
            Expression::Literal(value) => Operand::new(Node::Const(value.clone()), constant::type_of(value)),
            Expression::Call { target, name, arguments } => self.call(ast, target.as_deref(), name, arguments),
            Expression::List(items) => self.list(items),
            Expression::Map(pairs) => self.map(ast, pairs),
            Expression::Not(of) => self.not(ast, of),
            Expression::Negate(of) => self.negate(ast, of),
            Expression::Arithmetic { first, rest } => self.arithmetic(ast, first, rest),
            Expression::Relation { operator, left, right } => self.relation(ast, *operator, [left, right]),
            Expression::And(operands) => self.logic(ast, operands, true),
            Expression::Or(operands) => self.logic(ast, operands, false),
            Expression::Conditional(parts) => self.conditional(parts),
            Expression::Name(_) | Expression::Index { .. } | Expression::Broken => Operand::unknown(),
        }
    }

    /// What a bare name stands for: a variable of a comprehension, or what the scope says.
    fn name(&mut self, name: &str, ast: &Ast) -> Resolved {
        if let Some(local) = self.locals.iter().rev().find(|local| local.name == *name) {
            let operand = Operand::new(Node::Local { id: local.id, steps: Box::default() }, local.ty.clone());
            return Resolved::Operand(self.known_present(operand, ast));
        }
        if let Some(operand) = self.type_name(name) {
            return Resolved::Operand(operand);
        }
        let scope = self.scope;
        let binding = self.bound(scope, "name", &Name { text: name.to_owned(), bytes: ast.bytes() });
        self.binding(binding, ast)
    }

    /// Looks a name up and reports when it cannot be used.
    fn bound(&mut self, scope: &dyn Scope, noun: &str, name: &Name) -> Option<Binding> {
        let mistake = match scope.resolve(&name.text) {
            Ok(binding) => return Some(binding),
            Err(Unresolved::Refused { message, help }) => Mistake::new(name.bytes.clone(), message).help(help),
            Err(Unresolved::Unknown) => {
                let mut names = scope.names();
                if noun == "name" {
                    names.extend(self.locals.iter().map(|local| local.name.clone()));
                }
                let message = format!("unknown {noun} `{}`", name.text);
                Mistake::new(name.bytes.clone(), message).help(advice(&name.text, names.iter().map(String::as_str)))
            }
        };
        self.mistake(mistake);
        None
    }

    fn binding(&mut self, binding: Option<Binding>, ast: &Ast) -> Resolved {
        let operand = match binding {
            None => Operand::unknown(),
            Some(Binding::Scope { scope, noun }) => return Resolved::Scope { scope, noun },
            Some(Binding::Node { node, ty }) => Operand::new(node, ty),
            Some(Binding::Var { var, ty }) => Operand::new(Node::Path { var, steps: Box::default() }, ty),
        };
        Resolved::Operand(self.known_present(operand, ast))
    }

    fn conditional(&mut self, [when, then, otherwise]: &[Ast; 3]) -> Operand {
        let condition = self.condition(when);
        let then = self.given(when, true, |checker| checker.operand(then));
        let otherwise = self.given(when, false, |checker| checker.operand(otherwise));
        match condition.node.as_constant() {
            Some(Value::Bool(true)) => return then,
            Some(Value::Bool(false)) => return otherwise,
            _ => {}
        }
        let ty = then.ty.join(&otherwise.ty);
        let span = Some(self.span(when.bytes()));
        let node = Conditional { when: condition.node, then: then.node, otherwise: otherwise.node, span };
        Operand::new(Node::Conditional(Box::new(node)), ty)
    }

    /// Checks a part that must be true or false.
    fn condition(&mut self, ast: &Ast) -> Operand {
        let operand = self.operand(ast);
        match &operand.ty {
            Type::Bool => {}
            unknown if unknown.is_unknown() => {}
            Type::Nullable(inner) if matches!(**inner, Type::Bool) => self.refuse_null(ast, "a condition"),
            other => {
                let help = match other.present() {
                    Type::Text => "compare it: `x != \"\"`",
                    Type::Int | Type::Uint | Type::Double => "compare it: `x != 0`",
                    Type::List(_) | Type::Map(_) => "compare its size: `x.size() > 0`",
                    _ => "compare it: `x != null`",
                };
                let message = format!("a condition must be bool, and this is {other}");
                self.mistake(Mistake::new(ast.bytes(), message).help(help));
            }
        }
        operand
    }

    /// Reports that something that may be null meets what refuses null.
    fn refuse_null(&mut self, ast: &Ast, by: &str) {
        let written = guard::written(ast);
        let message = format!("`{written}` may be null, and {by} does not take null");
        let help = match guard::path(ast) {
            Some(_) => format!("guard it: `{written} != null && …`, or give a value: `default({written}, …)`"),
            None => "give a value: `default(…, …)`".to_owned(),
        };
        self.mistake(Mistake::new(ast.bytes(), message).help(help));
    }

    fn mistake(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
    }

    fn span(&self, bytes: Range<usize>) -> Span {
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { source: self.scope.source(), start: place(bytes.start), end: place(bytes.end) }
    }
}

/// A list of names for a help sentence.
fn known(names: &[String]) -> String {
    advice("", names.iter().map(String::as_str))
}

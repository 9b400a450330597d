//! Runs compiled programs: [`eval`] gives a value, [`write()`] writes JSON in one pass.
//!
//! Evaluation is recursive; the checker bounds the depth of every program. A plain path over a
//! reply allocates nothing.

use std::sync::Arc;

use super::budget::Budget;
use super::error::{ErrorKind, EvalError, Failures};
use super::library::kind_name;
use super::node::{
    Alternative, Arithmetic, Bind, Binder, Call, Fallback, Infix, LocalId, Matches, Node, Relation, Relational, Var,
};
use super::promise::{Instead, PromiseId};
use crate::base::value::{Doc, NotANumber, Sink, Text, Value, View};

mod collection;
mod comprehension;
mod merge;
mod operator;
mod path;
mod template;
#[cfg(test)]
mod tests;

pub(super) use operator::{arithmetic, compare, equal, symbol};
pub(super) use path::walk;
pub use template::text_of;

/// What an expression reads while it runs.
pub trait Env {
    /// The value of a variable. Called for every mention, so it must be cheap.
    fn var(&self, var: Var) -> Value<'_>;

    /// The node that a variable stands for, if it is one: a part that is only passed on keeps its
    /// text, whatever its kind.
    fn view(&self, _var: Var) -> Option<View<'_>> {
        None
    }

    /// What the request may still spend.
    fn budget(&self) -> &Budget;

    /// Hears that a reply does not hold what a contract promises of it.
    fn drifted(&self, _promise: PromiseId, _instead: Instead) {}
}

/// Whether [`write()`] wrote a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// A value was written.
    Present,
    /// The value is an empty optional and nothing was written.
    Absent,
}

/// Evaluates a program.
///
/// # Errors
/// The expression failed outside every [`Node::Leaf`]; failures inside go to `failures`.
pub fn eval<'a, E: Env + ?Sized>(node: &'a Node, env: &'a E, failures: &mut Failures) -> Result<Value<'a>, EvalError> {
    Machine { env, locals: Vec::new(), failures, made: false }.eval(node)
}

/// Evaluates a program and writes its value as JSON. Parts of replies are copied as they came,
/// and templates, lists and maps of lists are written without being built.
///
/// # Errors
/// As [`eval`]; what was written until then is of no use, the caller rewinds or drops the sink.
pub fn write<E: Env + ?Sized, S: Sink>(
    node: &Node,
    env: &E,
    out: &mut S,
    failures: &mut Failures,
) -> Result<Written, EvalError> {
    Machine { env, locals: Vec::new(), failures, made: false }.write(node, out)
}

/// The document that a program does nothing with but pass it on, looked at as [`write()`] looks at it. `None` for
/// every other program, and for what is not as the program demands.
pub fn whole<'a, E: Env + ?Sized>(node: &'a Node, env: &'a E) -> Option<&'a Arc<Doc>> {
    let (node, inspected) = match node {
        Node::Inspected(inspected) => (&inspected.node, Some(inspected)),
        node => (node, None),
    };
    let Node::Path { var, steps } = node else { return None };
    let view = env.view(*var).filter(|view| steps.is_empty() && view.is_whole())?;
    if let Some(inspected) = inspected {
        inspected.demand.is_met(&view.value()).then_some(())?;
        if let Some(promised) = &inspected.promised {
            promised.look_through_part(view, &|promise, instead| env.drifted(promise, instead));
        }
    }
    Some(view.parts().0)
}

/// One evaluation.
struct Machine<'a, 'm, E: ?Sized> {
    env: &'a E,
    /// What is bound right now, innermost last.
    locals: Vec<(LocalId, Slot<'a>)>,
    failures: &'m mut Failures,
    /// Whether what is written stands in a list or map that an expression writes out.
    made: bool,
}

/// What a local holds. A node of a reply stays one until it is read, so that it can be copied.
#[derive(Clone)]
enum Slot<'a> {
    View(View<'a>),
    Value(Value<'a>),
}

impl<'a> Slot<'a> {
    fn value(self) -> Value<'a> {
        match self {
            Self::View(view) => view.value(),
            Self::Value(value) => value,
        }
    }
}

impl<'a, E: Env + ?Sized> Machine<'a, '_, E> {
    fn eval(&mut self, node: &'a Node) -> Result<Value<'a>, EvalError> {
        match node {
            Node::Const(value) => Ok(constant(value)),
            Node::Named(named) => Ok(constant(&named.value)),
            Node::Numeral(numeral) => Ok(numeral.view().value()),
            Node::Path { var, steps } => Ok(path::walk(&self.env.var(*var), steps, &self.drifted())),
            Node::Local { id, steps } => Ok(match self.local(*id) {
                Some(Slot::View(view)) => path::view(*view, steps, &self.drifted()).map_or(Value::Null, View::value),
                Some(Slot::Value(value)) => path::walk(value, steps, &self.drifted()),
                None => Value::Null,
            }),
            Node::Select { of, steps } => Ok(path::walk(&self.eval(of)?, steps, &self.drifted())),
            Node::Index(index) => self.index(index),
            Node::OptionalStep(step) => Ok(path::optional(&self.eval(&step.of)?, &step.step)),
            Node::Has(presence) => Ok(Value::Bool(path::has(&self.eval(&presence.of)?, &presence.name))),
            Node::Not(of, span) => match self.eval(of)? {
                Value::Bool(value) => Ok(Value::Bool(!value)),
                other => Err(operand("!", &other).at(*span)),
            },
            Node::Negate(of, span) => operator::negate(&self.eval(of)?).map_err(|error| error.at(*span)),
            Node::Arithmetic(chain) => self.arithmetic(chain).map_err(|error| error.at(chain.span)),
            Node::Relation(relation) => self.relation(relation).map_err(|error| error.at(relation.span)),
            Node::And(nodes, span) => self.all(nodes, false).map_err(|error| error.at(*span)),
            Node::Or(nodes, span) => self.all(nodes, true).map_err(|error| error.at(*span)),
            Node::Conditional(node) => {
                let taken = self.condition(&node.when).map_err(|error| error.at(node.span))?;
                self.eval(if taken { &node.then } else { &node.otherwise })
            }
            Node::Fallback(fallback) => self.fallback(fallback),
            Node::Bind(bind) => self.bind(bind),
            Node::Call(call) => self.call(call),
            Node::Matches(matches) => self.matches(matches).map_err(|error| error.within("matches", matches.span)),
            Node::Comprehension(node) => self.comprehension(node).map_err(|error| error.at(node.span)),
            Node::List(elements) => self.list(elements),
            Node::Map(entries, span) => self.map(entries).map_err(|error| error.at(*span)),
            template => self.template(template),
        }
    }

    /// Who hears what a path does not find as promised.
    fn drifted(&self) -> impl Fn(PromiseId, Instead) + use<'a, E> {
        let env = self.env;
        move |promise, instead| env.drifted(promise, instead)
    }

    fn local(&self, id: LocalId) -> Option<&Slot<'a>> {
        self.locals.iter().rev().find(|(local, _)| *local == id).map(|(_, slot)| slot)
    }

    fn spend(&self, steps: usize) -> Result<(), EvalError> {
        self.env.budget().spend(steps)
    }

    /// Evaluates what must be true or false.
    fn condition(&mut self, node: &'a Node) -> Result<bool, EvalError> {
        match self.eval(node)? {
            Value::Bool(value) => Ok(value),
            other => Err(operand("a condition", &other)),
        }
    }

    /// `&&` (`decisive` false) and `||` (true): the decisive value wins over errors.
    fn all(&mut self, nodes: &'a [Node], decisive: bool) -> Result<Value<'a>, EvalError> {
        let mut failed = None;
        for node in nodes {
            match self.eval(node) {
                Ok(Value::Bool(value)) if value == decisive => return Ok(Value::Bool(decisive)),
                Ok(Value::Bool(_)) => {}
                Ok(other) => failed = failed.or(Some(operand(if decisive { "||" } else { "&&" }, &other))),
                Err(error) if error.kind() == ErrorKind::Budget => return Err(error),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(Value::Bool(!decisive)), Err)
    }

    fn arithmetic(&mut self, chain: &'a Arithmetic) -> Result<Value<'a>, EvalError> {
        let mut total = self.eval(&chain.first)?;
        if chain.rest.len() > 1 && chain.rest.iter().all(|(infix, _)| *infix == Infix::Add) && total.as_text().is_some()
        {
            return self.concatenation(&total, chain);
        }
        for (infix, node) in &chain.rest {
            let right = self.eval(node)?;
            total = arithmetic(*infix, &total, &right, self.env.budget())?;
        }
        Ok(total)
    }

    /// `a + b + c` of text, in one buffer.
    fn concatenation(&mut self, first: &Value<'a>, chain: &'a Arithmetic) -> Result<Value<'a>, EvalError> {
        let budget = self.env.budget();
        let mut out = String::from(first.as_text().unwrap_or(""));
        budget.make_text(out.len())?;
        for (_, node) in &chain.rest {
            let right = self.eval(node)?;
            match right.as_text() {
                Some(text) => {
                    budget.make_text(text.len())?;
                    out.push_str(text);
                }
                None => return arithmetic(Infix::Add, &Value::text(""), &right, budget).map(|_| Value::Null),
            }
        }
        Ok(Value::Text(out.into()))
    }

    fn relation(&mut self, relation: &'a Relation) -> Result<Value<'a>, EvalError> {
        let (left, right) = (self.eval(&relation.left)?, self.eval(&relation.right)?);
        let budget = self.env.budget();
        let holds = match relation.operator {
            Relational::Equal => equal(&left, &right, budget)?,
            Relational::NotEqual => !equal(&left, &right, budget)?,
            Relational::In => operator::contains(&right, &left, budget)?,
            Relational::Less => compare(&left, &right)?.is_some_and(std::cmp::Ordering::is_lt),
            Relational::LessEqual => compare(&left, &right)?.is_some_and(std::cmp::Ordering::is_le),
            Relational::Greater => compare(&left, &right)?.is_some_and(std::cmp::Ordering::is_gt),
            Relational::GreaterEqual => compare(&left, &right)?.is_some_and(std::cmp::Ordering::is_ge),
        };
        Ok(Value::Bool(holds))
    }

    fn fallback(&mut self, fallback: &'a Fallback) -> Result<Value<'a>, EvalError> {
        let value = self.eval(&fallback.value)?;
        match (fallback.alternative, value) {
            (Alternative::Default, Value::Null) | (_, Value::Optional(None)) => self.eval(&fallback.otherwise),
            (Alternative::Default, Value::Optional(Some(held))) if held.is_null() => self.eval(&fallback.otherwise),
            (Alternative::Default | Alternative::OrValue, Value::Optional(Some(held))) => Ok((*held).clone()),
            (Alternative::Default, value) | (Alternative::Or, value @ Value::Optional(_)) => Ok(value),
            (alternative, other) => {
                let name = if alternative == Alternative::Or { "or" } else { "orValue" };
                Err(super::library::wrong(&other, "an optional").within(name, fallback.span))
            }
        }
    }

    fn bind(&mut self, bind: &'a Bind) -> Result<Value<'a>, EvalError> {
        let value = self.eval(&bind.value)?;
        let value = match (bind.binder, value) {
            (Binder::Plain, value) => value,
            (_, Value::Optional(Some(held))) => (*held).clone(),
            (_, Value::Optional(None)) => return Ok(Value::Optional(None)),
            (_, other) => return Err(super::library::wrong(&other, "an optional").within("optMap", bind.span)),
        };
        let body = self.with(bind.local.id, Slot::Value(value), |machine| machine.eval(&bind.body))?;
        Ok(match bind.binder {
            Binder::OptionalMap => Value::Optional(Some(body.into())),
            Binder::Plain | Binder::OptionalFlatMap => body,
        })
    }

    /// Does something while a local is bound.
    fn with<T>(&mut self, local: LocalId, slot: Slot<'a>, body: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.locals.len();
        self.locals.push((local, slot));
        let result = body(self);
        self.locals.truncate(outer);
        result
    }

    fn matches(&mut self, matches: &'a Matches) -> Result<Value<'a>, EvalError> {
        let value = self.eval(&matches.text)?;
        let text = value.as_text().ok_or_else(|| super::library::wrong(&value, "a string"))?;
        self.env.budget().look_at(text.len())?;
        Ok(Value::Bool(matches.pattern.is_in(text)))
    }

    fn call(&mut self, call: &'a Call) -> Result<Value<'a>, EvalError> {
        /// Arguments that need no allocation.
        const FEW: usize = 3;
        let mut few = [Value::Null, Value::Null, Value::Null];
        let many: Vec<Value<'a>>;
        let arguments = if call.arguments.len() <= FEW {
            for (slot, argument) in few.iter_mut().zip(&call.arguments) {
                *slot = self.eval(argument)?;
            }
            &few[..call.arguments.len()]
        } else {
            many = call.arguments.iter().map(|argument| self.eval(argument)).collect::<Result<_, _>>()?;
            &many
        };
        let result = (call.function.run)(arguments, self.env.budget());
        result.map_err(|error| error.within(call.function.name, call.span))
    }
}

/// A constant as a value that borrows from its program.
fn constant<'a>(value: &'a Value<'static>) -> Value<'a> {
    match value {
        Value::Text(text) => Value::Text(Text::Borrowed(text)),
        other => other.clone(),
    }
}

/// An operator that takes booleans met something else.
fn operand(operator: &str, value: &Value<'_>) -> EvalError {
    let kind = if value.is_null() { ErrorKind::Null } else { ErrorKind::Type };
    let operator = if operator.contains(' ') { operator.to_owned() } else { format!("`{operator}`") };
    EvalError::new(kind, format!("{operator} takes a bool, not {}", kind_name(value.kind())))
}

fn not_a_number(NotANumber: NotANumber) -> EvalError {
    EvalError::new(ErrorKind::NotANumber, "the result is NaN or infinite, which JSON cannot write")
}

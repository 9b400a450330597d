//! Macros: calls whose arguments are not simply computed. Source: cel-spec "Macros"; cel-go
//! `ext/comprehensions`, `ext/bindings`, `ext/lists` (`sortBy`), optional types.

use super::{Checker, Local, Operand, Resolved};
use crate::expr::ast::{Ast, Expression, Name};
use crate::expr::is_word;
use crate::expr::mistake::Mistake;
use crate::expr::node::{
    self, Alternative, Bind, Binder, Comprehension, Fallback, Fold, Missing, Node, Presence, Relation, Relational,
};
use crate::expr::parse::COMPREHENSION_LIMIT;
use crate::expr::scope::{Unresolved, next_local};
use crate::expr::types::Type;

/// A macro over the elements of a list or map.
struct Form {
    name: &'static str,
    /// How many arguments name variables.
    variables: usize,
    /// Whether a condition comes before the body.
    filtered: bool,
    fold: Fold,
}

const fn form(name: &'static str, variables: usize, filtered: bool, fold: Fold) -> Form {
    Form { name, variables, filtered, fold }
}

const FORMS: &[Form] = &[
    form("all", 1, false, Fold::All),
    form("all", 2, false, Fold::All),
    form("exists", 1, false, Fold::Exists),
    form("exists", 2, false, Fold::Exists),
    form("exists_one", 1, false, Fold::ExistsOne),
    form("exists_one", 2, false, Fold::ExistsOne),
    form("existsOne", 1, false, Fold::ExistsOne),
    form("existsOne", 2, false, Fold::ExistsOne),
    form("filter", 1, false, Fold::Filter),
    form("map", 1, false, Fold::List),
    form("map", 1, true, Fold::List),
    form("transformList", 2, false, Fold::List),
    form("transformList", 2, true, Fold::List),
    form("transformMap", 2, false, Fold::Map),
    form("transformMap", 2, true, Fold::Map),
    form("transformMapEntry", 2, false, Fold::MapEntry),
    form("transformMapEntry", 2, true, Fold::MapEntry),
    form("sortBy", 1, false, Fold::SortBy),
];

/// The other macros and functions that are nodes of their own, and how they are written.
const OTHERS: &[(&str, &str)] = &[
    ("has", "has(a.b)"),
    ("default", "default(value, otherwise)"),
    ("orValue", "optional.orValue(otherwise)"),
    ("or", "optional.or(otherwise)"),
    ("optMap", "optional.optMap(x, expression)"),
    ("optFlatMap", "optional.optFlatMap(x, expression)"),
    ("cel.bind", "cel.bind(x, value, expression)"),
    ("matches", "text.matches('pattern')"),
];

/// The names of all macros.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FORMS.iter().map(|form| form.name).chain(OTHERS.iter().map(|(name, _)| *name))
}

impl Form {
    fn arguments(&self) -> usize {
        self.variables + usize::from(self.filtered) + 1
    }

    /// How the macro is written.
    fn usage(&self) -> String {
        let variables = if self.variables == 1 { "x" } else { "key, x" };
        let filter = if self.filtered { ", condition" } else { "" };
        format!("`list.{}({variables}{filter}, expression)`", self.name)
    }
}

impl Checker<'_> {
    /// Checks a call if it is one of a macro.
    pub(super) fn macro_call(
        &mut self,
        ast: &Ast,
        target: Option<&Ast>,
        name: &Name,
        arguments: &[Ast],
    ) -> Option<Operand> {
        let qualified = target.and_then(|target| self.namespace(target)).map(|space| format!("{space}.{}", name.text));
        let full_name = qualified.as_deref().unwrap_or(&name.text);
        let target = if qualified.is_some() { None } else { target };
        if FORMS.iter().any(|form| form.name == full_name) {
            let mut forms = FORMS.iter().filter(|form| form.name == full_name);
            if let (Some(target), Some(form)) = (target, forms.find(|form| form.arguments() == arguments.len())) {
                return Some(self.comprehension(ast, form, (target, arguments)));
            }
            let usages: Vec<String> = FORMS.iter().filter(|form| form.name == full_name).map(Form::usage).collect();
            return Some(self.misused(ast, full_name, &usages.join(" or ")));
        }
        let operand = match (full_name, target, arguments) {
            ("has", None, [argument]) => self.has(ast, argument),
            ("default", None, [value, otherwise]) => self.default(ast, value, otherwise),
            ("orValue", Some(value), [otherwise]) => self.or(ast, [value, otherwise], Alternative::OrValue),
            ("or", Some(value), [otherwise]) => self.or(ast, [value, otherwise], Alternative::Or),
            ("optMap", Some(value), [variable, body]) => self.bind(ast, [variable, value, body], Binder::OptionalMap),
            ("optFlatMap", Some(value), [variable, body]) => {
                self.bind(ast, [variable, value, body], Binder::OptionalFlatMap)
            }
            ("matches", Some(text), [pattern]) | ("matches", None, [text, pattern]) => self.matches(ast, text, pattern),
            ("cel.bind", None, [variable, value, body]) => self.bind(ast, [variable, value, body], Binder::Plain),
            _ => {
                let (_, usage) = OTHERS.iter().find(|(other, _)| *other == full_name)?;
                self.misused(ast, full_name, &format!("`{usage}`"))
            }
        };
        Some(operand)
    }

    fn misused(&mut self, ast: &Ast, name: &str, usage: &str) -> Operand {
        self.mistake(
            Mistake::new(ast.bytes(), format!("`{name}` is not called like this")).help(format!("write {usage}")),
        );
        Operand::unknown()
    }

    fn comprehension(&mut self, ast: &Ast, form: &Form, (target, arguments): (&Ast, &[Ast])) -> Operand {
        let range = self.operand(target);
        let (key_type, value_type) = self.entry_types(&range.ty, target);
        let (variables, bodies) = arguments.split_at(form.variables);
        // With one variable it stands for the elements of a list, but for the keys of a map.
        let item_type = match (form.variables, range.ty.present()) {
            (1, Type::Map(_) | Type::Object(_)) => key_type.clone(),
            _ => value_type,
        };
        self.nested += 1;
        if self.nested == COMPREHENSION_LIMIT + 1 {
            let message = format!("more than {COMPREHENSION_LIMIT} comprehensions stand inside one another");
            self.mistake(Mistake::new(ast.bytes(), message).help("name the inner one as a step with only a `result`"));
        }
        let outer = self.locals.len();
        let types =
            if let [_] = variables { vec![item_type.clone()] } else { vec![key_type.clone(), item_type.clone()] };
        let mut bound: Vec<node::Local> =
            variables.iter().zip(types).map(|(variable, ty)| self.declare(variable, ty)).collect();
        let (when, body) = match bodies {
            [when, body] => {
                let condition = self.condition(when);
                (Some(condition), self.given(when, true, |checker| checker.body(form.fold, body)))
            }
            bodies => (None, bodies.first().map_or_else(Operand::unknown, |body| self.body(form.fold, body))),
        };
        self.locals.truncate(outer);
        self.nested -= 1;
        let ty = result_type(form.fold, [&key_type, &item_type, &body.ty]);
        let item = bound.pop().expect("every form has one or two variables");
        let weight = body.node.weight() + when.as_ref().map_or(0, |when| when.node.weight());
        let node = Comprehension {
            fold: form.fold,
            range: range.node.walked(&range.ty),
            item,
            key: bound.pop(),
            when: when.map(|when| when.node),
            body: body.node,
            weight,
            span: self.span(ast.bytes()),
        };
        Operand::new(Node::Comprehension(Box::new(node)), ty)
    }

    /// What is computed for each element.
    fn body(&mut self, fold: Fold, body: &Ast) -> Operand {
        match fold {
            Fold::All | Fold::Exists | Fold::ExistsOne | Fold::Filter => self.condition(body),
            Fold::List | Fold::Map | Fold::SortBy => self.operand(body),
            Fold::MapEntry => {
                let operand = self.operand(body);
                if !operand.ty.is_unknown() && !matches!(operand.ty, Type::Map(_) | Type::Object(_)) {
                    let message = format!("an entry is a map, not {}", operand.ty);
                    self.mistake(Mistake::new(body.bytes(), message).help("write `{key: value}`"));
                }
                operand
            }
        }
    }

    /// The types of keys or indexes and of values of what a comprehension runs over.
    fn entry_types(&mut self, range: &Type, ast: &Ast) -> (Type, Type) {
        match range {
            unknown if unknown.is_unknown() => (Type::Dyn, Type::Dyn),
            Type::List(item) => (Type::Int, item.found()),
            Type::Map(value) => (Type::Text, value.found()),
            Type::Object(_) => (Type::Text, Type::Dyn),
            Type::Nullable(inner) if matches!(**inner, Type::List(_) | Type::Map(_) | Type::Object(_)) => {
                self.refuse_null(ast, "a comprehension");
                self.entry_types(inner, ast)
            }
            other => {
                let message = format!("a list or a map is needed here, not {other}");
                self.mistake(Mistake::new(ast.bytes(), message));
                (Type::Dyn, Type::Dyn)
            }
        }
    }

    /// Binds a variable until the caller drops it.
    fn declare(&mut self, variable: &Ast, ty: Type) -> node::Local {
        let id = next_local();
        let Expression::Name(name) = &variable.expression else {
            let help = "name the variable first: `list.map(x, x.id)`";
            self.mistake(Mistake::new(variable.bytes(), "a variable's name is expected here").help(help));
            return node::Local { id, name: Box::default() };
        };
        let taken = !matches!(self.scope.resolve(name), Err(Unresolved::Unknown));
        if taken || is_word(name) {
            let message = format!("`{name}` is already the name of something else here");
            self.mistake(Mistake::new(variable.bytes(), message).help("choose another name for the variable"));
        }
        self.locals.push(Local { name: name.clone(), id, ty });
        node::Local { id, name: name.as_str().into() }
    }

    fn has(&mut self, ast: &Ast, argument: &Ast) -> Operand {
        let Expression::Member { of, name, optional } = &argument.expression else {
            return self.misused(ast, "has", "`has(a.b)`, or compare: `a['b'] != null`");
        };
        let outer = std::mem::replace(&mut self.lenient, true);
        let base = self.resolve(of);
        self.lenient = outer;
        let node = match base {
            // A name of a scope is always there; what may be missing is its value.
            Resolved::Scope { scope, noun } => {
                let binding = self.bound(&*scope, noun, name);
                let Resolved::Operand(value) = self.binding(binding, argument) else { return Operand::always() };
                let span = self.span(ast.bytes());
                let relation = Relation { operator: Relational::NotEqual, left: value.node, right: Node::NULL, span };
                Node::Relation(Box::new(relation))
            }
            Resolved::Operand(base) => {
                // Only to report a member that no contract knows.
                let _ = self.member_type(&base.ty, name);
                let of = if *optional { base.node } else { lenient(base.node) };
                Node::Has(Box::new(Presence { of, name: name.text.as_str().into() }))
            }
        };
        self.folded(Operand::new(node, Type::Bool), ast.bytes())
    }

    fn default(&mut self, ast: &Ast, value: &Ast, otherwise: &Ast) -> Operand {
        let outer = std::mem::replace(&mut self.lenient, true);
        let value = self.operand(value);
        self.lenient = outer;
        let otherwise = self.operand(otherwise);
        let known = match &value.ty {
            Type::Optional(held) => held.present(),
            ty => ty.present(),
        };
        let ty = if matches!(known, Type::Null) { otherwise.ty.clone() } else { known.join(&otherwise.ty) };
        let fallback = Fallback {
            alternative: Alternative::Default,
            value: lenient(value.node),
            otherwise: otherwise.node,
            span: self.span(ast.bytes()),
        };
        self.folded(Operand::new(Node::Fallback(Box::new(fallback)), ty), ast.bytes())
    }

    /// `value.orValue(otherwise)` and `value.or(otherwise)`.
    fn or(&mut self, ast: &Ast, [value, otherwise]: [&Ast; 2], alternative: Alternative) -> Operand {
        let (first, second) = (self.operand(value), self.operand(otherwise));
        let held = self.held_type(&first.ty, value);
        let ty = match alternative {
            Alternative::Or => self.held_type(&second.ty, otherwise).join(&held).optional(),
            Alternative::OrValue | Alternative::Default => held.join(&second.ty),
        };
        let span = self.span(ast.bytes());
        let fallback = Fallback { alternative, value: first.node, otherwise: second.node, span };
        self.folded(Operand::new(Node::Fallback(Box::new(fallback)), ty), ast.bytes())
    }

    fn bind(&mut self, ast: &Ast, [variable, value, body]: [&Ast; 3], binder: Binder) -> Operand {
        let bound = self.operand(value);
        let ty = if binder == Binder::Plain { bound.ty } else { self.held_type(&bound.ty, value) };
        let outer = self.locals.len();
        let local = self.declare(variable, ty);
        let result = self.operand(body);
        self.locals.truncate(outer);
        let ty = match binder {
            Binder::Plain => result.ty,
            Binder::OptionalMap => result.ty.optional(),
            Binder::OptionalFlatMap => self.held_type(&result.ty, body).optional(),
        };
        let span = self.span(ast.bytes());
        Operand::new(Node::Bind(Box::new(Bind { local, value: bound.node, body: result.node, binder, span })), ty)
    }

    /// What an optional may hold.
    fn held_type(&mut self, ty: &Type, ast: &Ast) -> Type {
        match ty {
            Type::Optional(held) => (**held).clone(),
            unknown if unknown.is_unknown() => Type::Dyn,
            other => {
                let help = "select it with `.?` or `[?…]`, or write `default(value, otherwise)`";
                self.mistake(Mistake::new(ast.bytes(), format!("an optional is needed here, not {other}")).help(help));
                Type::Dyn
            }
        }
    }
}

fn result_type(fold: Fold, [key, item, body]: [&Type; 3]) -> Type {
    match (fold, body) {
        (Fold::All | Fold::Exists | Fold::ExistsOne, _) => Type::Bool,
        (Fold::Filter | Fold::SortBy, _) => Type::list(item.clone()),
        (Fold::List, body) => Type::list(body.clone()),
        (Fold::Map, body) if matches!(key, Type::Text) => Type::map(body.clone()),
        (Fold::MapEntry, Type::Map(value)) => Type::Map(value.clone()),
        (Fold::Map | Fold::MapEntry, _) => Type::Dyn,
    }
}

/// The path with every computed index giving null where there is nothing.
fn lenient(node: Node) -> Node {
    match node {
        Node::Index(mut index) => {
            index.missing = if index.missing == Missing::Fails { Missing::Null } else { index.missing };
            index.of = lenient(index.of);
            Node::Index(index)
        }
        Node::Select { of, steps } => Node::Select { of: Box::new(lenient(*of)), steps },
        other => other,
    }
}

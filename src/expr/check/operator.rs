//! Operators: what they take and give.

use super::{Checker, Operand};
use crate::base::value::Value;
use crate::expr::ast::Ast;
use crate::expr::eval::symbol;
use crate::expr::mistake::Mistake;
use crate::expr::node::{Arithmetic, Infix, Node, Relation, Relational};
use crate::expr::types::Type;

impl Checker<'_> {
    pub(super) fn not(&mut self, ast: &Ast, of: &Ast) -> Operand {
        let operand = self.condition(of);
        let node = Node::Not(Box::new(operand.node), self.span(ast.bytes()));
        self.folded(Operand::new(node, Type::Bool), ast.bytes())
    }

    pub(super) fn negate(&mut self, ast: &Ast, of: &Ast) -> Operand {
        let operand = self.operand(of);
        if operand.ty.needs_guard() {
            self.refuse_null(of, "`-`");
        }
        let ty = match operand.ty.present() {
            ty @ (Type::Int | Type::Double | Type::Dyn) => ty.clone(),
            other => {
                self.mistake(Mistake::new(ast.bytes(), format!("`-` takes int or double, not {other}")));
                Type::Dyn
            }
        };
        let node = Node::Negate(Box::new(operand.node), self.span(ast.bytes()));
        self.folded(Operand::new(node, ty), ast.bytes())
    }

    /// A chain of arithmetic operators, from left to right.
    pub(super) fn arithmetic(&mut self, ast: &Ast, first: &Ast, rest: &[(Infix, Ast)]) -> Operand {
        let Operand { node, mut ty } = self.operand(first);
        let node = node.walked(&ty);
        let start = ast.bytes().start;
        let mut left = first;
        let mut operands = Vec::with_capacity(rest.len());
        for (infix, right) in rest {
            let operand = self.operand(right);
            let bytes = start..right.bytes().end;
            for (side, side_type) in [(left, &ty), (right, &operand.ty)] {
                if side_type.needs_guard() {
                    self.refuse_null(side, &format!("`{}`", symbol(*infix)));
                }
            }
            if *infix == Infix::Divide && matches!((&ty, &operand.ty), (Type::Int | Type::Uint, Type::Int | Type::Uint))
            {
                let help = "for the fraction write `double(a) / b`; if the whole number is meant, `int(a / b)` says so";
                self.warnings.push(Mistake::new(bytes.clone(), "`/` of two ints cuts the fraction off").help(help));
            }
            ty = infix_type(*infix, ty.present(), operand.ty.present()).unwrap_or_else(|| {
                self.mistake(misfit(*infix, [ty.present(), operand.ty.present()], bytes));
                Type::Dyn
            });
            operands.push((*infix, operand.node.walked(&operand.ty)));
            left = right;
        }
        let chain = Arithmetic { first: node, rest: operands.into(), span: self.span(ast.bytes()) };
        self.folded(Operand::new(Node::Arithmetic(Box::new(chain)), ty), ast.bytes())
    }

    pub(super) fn relation(&mut self, ast: &Ast, operator: Relational, [left, right]: [&Ast; 2]) -> Operand {
        let (first, second) = (self.operand(left), self.operand(right));
        match operator {
            Relational::Equal | Relational::NotEqual => {
                if !comparable(&first.ty, &second.ty) {
                    self.mistake(never_equal(&first.ty, &second.ty, ast));
                }
            }
            Relational::In => self.check_in((left, &first.ty), (right, &second.ty)),
            _ => self.check_order(ast, [(left, &first.ty), (right, &second.ty)]),
        }
        let span = self.span(ast.bytes());
        let (left, right) = (first.node.walked(&first.ty), second.node.walked(&second.ty));
        let relation = Relation { operator, left, right, span };
        self.folded(Operand::new(Node::Relation(Box::new(relation)), Type::Bool), ast.bytes())
    }

    /// `a && b && …` (`conjunction`) or `a || b || …`. Each operand is checked knowing what the
    /// ones before it say when they do not decide.
    pub(super) fn logic(&mut self, ast: &Ast, operands: &[Ast], conjunction: bool) -> Operand {
        let outer = self.facts.len();
        let mut nodes = Vec::with_capacity(operands.len());
        let mut decided = false;
        for operand in operands {
            let checked = self.condition(operand);
            self.learn(operand, conjunction);
            match checked.node.as_constant() {
                Some(Value::Bool(value)) if *value == conjunction => {}
                Some(Value::Bool(_)) => decided = true,
                _ => nodes.push(checked.node),
            }
        }
        self.facts.truncate(outer);
        if decided || nodes.is_empty() {
            return Operand::new(Node::Const(Value::Bool(decided != conjunction)), Type::Bool);
        }
        let span = self.span(ast.bytes());
        let nodes = nodes.into_boxed_slice();
        Operand::new(if conjunction { Node::And(nodes, span) } else { Node::Or(nodes, span) }, Type::Bool)
    }

    fn check_in(&mut self, (left, item): (&Ast, &Type), (right, collection): (&Ast, &Type)) {
        if collection.needs_guard() {
            self.refuse_null(right, "`in`");
        }
        let (fits, of) = match collection.present() {
            Type::Dyn => (true, &Type::Dyn),
            Type::List(element) => (comparable(item, &element.ty), &element.ty),
            Type::Object(_) => (comparable(item, &Type::Text), &Type::Text),
            // What a step holds by key is found by the text of any scalar.
            Type::Map(_) => {
                (item.is_number() || matches!(item, Type::Bool) || comparable(item, &Type::Text), &Type::Text)
            }
            other => {
                let message = format!("`in` takes a list or a map, not {other}");
                let help = if matches!(other, Type::Text) { "write `text.contains(part)`" } else { "" };
                return self.mistake(Mistake::new(right.bytes(), message).help(help));
            }
        };
        if !fits {
            let message = format!("`in` compares {item} with {of}, which are never equal");
            self.mistake(Mistake::new(left.bytes(), message).help(conversion(item, of)));
        }
    }

    fn check_order(&mut self, ast: &Ast, sides: [(&Ast, &Type); 2]) {
        for (side, ty) in sides {
            if ty.needs_guard() {
                self.refuse_null(side, "an order");
            }
        }
        let [(_, left), (_, right)] = sides;
        let (left, right) = (left.present(), right.present());
        let ordered = |ty: &Type| {
            let plain = matches!(ty, Type::Text | Type::Bool | Type::Bytes | Type::Timestamp | Type::Duration);
            plain || ty.is_number() || matches!(ty, Type::Dyn)
        };
        if ordered(left) && ordered(right) && comparable(left, right) {
            return;
        }
        let message = format!("{left} and {right} have no order");
        self.mistake(Mistake::new(ast.bytes(), message).help(conversion(left, right)));
    }
}

/// The type of `a op b`; `None` when there is none.
fn infix_type(infix: Infix, left: &Type, right: &Type) -> Option<Type> {
    let operand = |ty: &Type| match infix {
        Infix::Add => !matches!(ty, Type::Bool | Type::Null | Type::Map(_) | Type::Object(_) | Type::Optional(_)),
        Infix::Subtract => ty.is_number() || matches!(ty, Type::Dyn | Type::Timestamp | Type::Duration),
        Infix::Multiply | Infix::Divide => ty.is_number() || matches!(ty, Type::Dyn),
        Infix::Remainder => matches!(ty, Type::Int | Type::Uint | Type::Dyn),
    };
    if !operand(left) || !operand(right) {
        return None;
    }
    Some(match (left, right) {
        (Type::Text, Type::Dyn) | (Type::Dyn | Type::Text, Type::Text) => Type::Text,
        (Type::List(_), Type::Dyn) | (Type::Dyn, Type::List(_)) => Type::list(Type::Dyn),
        (Type::Dyn, Type::Double) | (Type::Double, Type::Dyn) => Type::Double,
        (Type::Dyn, _) | (_, Type::Dyn) => Type::Dyn,
        (Type::Double, other) | (other, Type::Double) if other.is_number() => Type::Double,
        (Type::Uint, Type::Uint) => Type::Uint,
        (left, right) if left.is_number() && right.is_number() => Type::Int,
        (Type::Bytes, Type::Bytes) => Type::Bytes,
        (Type::List(left), Type::List(right)) => Type::list(left.ty.join(&right.ty)),
        (Type::Duration, Type::Duration) => Type::Duration,
        (Type::Timestamp, Type::Duration) => Type::Timestamp,
        (Type::Duration, Type::Timestamp) if infix == Infix::Add => Type::Timestamp,
        (Type::Timestamp, Type::Timestamp) if infix == Infix::Subtract => Type::Duration,
        _ => return None,
    })
}

/// Whether values of both types can be equal.
fn comparable(left: &Type, right: &Type) -> bool {
    match (left.present(), right.present()) {
        (Type::Dyn | Type::Never | Type::Null, _) | (_, Type::Dyn | Type::Never | Type::Null) => true,
        (Type::List(left), Type::List(right)) => comparable(&left.ty, &right.ty),
        (Type::Optional(left), Type::Optional(right)) => comparable(left, right),
        (Type::Map(_) | Type::Object(_), Type::Map(_) | Type::Object(_)) => true,
        (left, right) => left.is(right) || (left.is_number() && right.is_number()),
    }
}

fn never_equal(left: &Type, right: &Type, ast: &Ast) -> Mistake {
    let message = format!("{} and {} are never equal", left.present(), right.present());
    Mistake::new(ast.bytes(), message).help(conversion(left, right))
}

fn misfit(infix: Infix, [left, right]: [&Type; 2], bytes: std::ops::Range<usize>) -> Mistake {
    let help = match (infix, left, right) {
        (Infix::Add, Type::Text, Type::Null) | (_, Type::Null, _) | (_, _, Type::Null) => {
            "give a value: `default(…, …)`".to_owned()
        }
        (Infix::Remainder, Type::Double, _) | (Infix::Remainder, _, Type::Double) => "convert with `int(…)`".to_owned(),
        _ => conversion(left, right),
    };
    Mistake::new(bytes, format!("there is no `{}` of {left} and {right}", symbol(infix))).help(help)
}

/// How two types are made one.
fn conversion(left: &Type, right: &Type) -> String {
    let (left, right) = (left.present(), right.present());
    let to_text = |other: &Type| other.is_number() || matches!(other, Type::Bool | Type::Timestamp | Type::Duration);
    match (left, right) {
        (Type::Text, Type::Timestamp) | (Type::Timestamp, Type::Text) => "convert with `timestamp(…)`".to_owned(),
        (Type::Text, Type::Duration) | (Type::Duration, Type::Text) => "convert with `duration(…)`".to_owned(),
        (Type::Text, other) | (other, Type::Text) if to_text(other) => "convert with `string(…)`".to_owned(),
        _ => String::new(),
    }
}

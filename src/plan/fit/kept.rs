//! What load could not tell of a result is seen to while it runs: a value that is null where its type says that it
//! is not fails, up to the nearest place that takes null.

use std::sync::Arc;

use super::{Declared, DeclaredMember, DeclaredObject, written};
use crate::expr::{Conditional, Demand, Member, Node, Type};

/// The program of a value, of which load has told what it could, made to keep to what is declared.
pub fn kept(node: Node, ty: &Type, declared: &Declared) -> Node {
    place(node, ty, declared).node
}

/// A program, and whether it fails where its value would not be as declared.
struct Kept {
    node: Node,
    fails: bool,
}

impl Kept {
    /// What cannot fail, or fails for reasons of its own.
    fn as_it_is(node: Node) -> Self {
        Self { node, fails: false }
    }
}

/// A value in its place: what fails in it ends there if the place takes null, and else goes on outwards.
fn place(node: Node, ty: &Type, declared: &Declared) -> Kept {
    let (of, takes_null) = declared.present();
    let (node, is_leaf) = match node {
        Node::Leaf(inner) => (*inner, true),
        other => (other, false),
    };
    let Kept { node, fails } = value(node, ty, (of, takes_null));
    match takes_null {
        true if is_leaf || fails => Kept::as_it_is(Node::Leaf(Box::new(node))),
        true => Kept::as_it_is(node),
        false => Kept { node, fails: fails || is_leaf },
    }
}

fn value(node: Node, ty: &Type, (declared, takes_null): (&Declared, bool)) -> Kept {
    match (node, declared) {
        (Node::Object(written), Declared::Object(of)) => members(written, ty, &|name| member(&**of, name)),
        (Node::Object(written), Declared::Map(of)) => members(written, ty, &|_| Some(Declared::clone(of))),
        (Node::Items(nodes), Declared::List(of)) => items(nodes, ty, of),
        (Node::Each { list, local, when, body }, Declared::List(of)) => {
            let body = place(*body, &item_of(ty), of);
            let list = match takes_null || list.known().is_some() {
                true => Kept::as_it_is(*list),
                false => demanded(*list, Demand::present()),
            };
            let fails = body.fails || list.fails;
            Kept { node: Node::Each { list: Box::new(list.node), local, when, body: Box::new(body.node) }, fails }
        }
        (Node::Conditional(conditional), _) => {
            let Conditional { when, then, otherwise, span } = *conditional;
            let [then, otherwise] = [then, otherwise].map(|side| value(side, ty, (declared, takes_null)));
            let fails = then.fails || otherwise.fails;
            let sides = Conditional { when, then: then.node, otherwise: otherwise.node, span };
            Kept { node: Node::Conditional(Box::new(sides)), fails }
        }
        (Node::Outcome { var, done, otherwise }, _) => {
            let [done, otherwise] = [*done, *otherwise].map(|side| value(side, ty, (declared, takes_null)));
            let fails = done.fails || otherwise.fails;
            Kept { node: Node::Outcome { var, done: done.node.into(), otherwise: otherwise.node.into() }, fails }
        }
        // What is written out was looked at.
        (node @ (Node::Const(_) | Node::Named(_) | Node::Numeral(_) | Node::Object(_) | Node::Merge(_)), _) => {
            Kept::as_it_is(node)
        }
        (node, _) => match demand(ty, (declared, takes_null)) {
            Some(demand) => demanded(node, demand),
            None => Kept::as_it_is(node),
        },
    }
}

fn demanded(node: Node, demand: Demand) -> Kept {
    Kept { node: node.demanded(demand), fails: true }
}

fn members(written: Box<[Member]>, ty: &Type, declared: &dyn Fn(&str) -> Option<Declared>) -> Kept {
    let mut fails = false;
    let member = |member: Member| {
        let Some(declared) = declared(&member.name) else { return member };
        let ty = match ty.present() {
            Type::Object(object) => object.member(&member.name).unwrap_or(Type::Dyn),
            _ => Type::Dyn,
        };
        let kept = place(member.value, &ty, &declared);
        fails |= kept.fails;
        Member { value: kept.node, ..member }
    };
    let written = written.into_iter().map(member).collect();
    Kept { node: Node::Object(written), fails }
}

/// What is declared of a member; one that need not be there takes null.
fn member(object: &dyn DeclaredObject, name: &str) -> Option<Declared> {
    match (object.member(name), object.others()) {
        (Some(DeclaredMember { declared, required: true }), _) => Some(declared),
        (Some(DeclaredMember { declared, .. }), _) | (None, Some(declared)) => {
            Some(Declared::Nullable(Arc::new(declared)))
        }
        (None, None) => None,
    }
}

fn items(nodes: Box<[Node]>, ty: &Type, declared: &Declared) -> Kept {
    let item = item_of(ty);
    let types: Vec<Type> = (0..nodes.len()).map(|index| written::item_type(index, &nodes, &item)).collect();
    let kept = nodes.into_iter().zip(&types).map(|(node, ty)| place(node, ty, declared));
    let mut fails = false;
    let nodes = kept.map(|kept| {
        fails |= kept.fails;
        kept.node
    });
    let nodes = nodes.collect();
    Kept { node: Node::Items(nodes), fails }
}

fn item_of(ty: &Type) -> Type {
    match ty.present() {
        Type::List(item) => item.found(),
        _ => Type::Dyn,
    }
}

/// What load cannot tell of a value that a program gives; `None` where it can.
fn demand(ty: &Type, (declared, takes_null): (&Declared, bool)) -> Option<Demand> {
    let itself = !takes_null && (ty.is_unknown() || ty.may_be_null());
    let items = match (declared, ty.present()) {
        (Declared::List(of), Type::List(_) | Type::Dyn) => demand(&item_of(ty), of.present()),
        _ => None,
    };
    (itself || items.is_some()).then(|| Demand { itself, items: items.map(Box::new) })
}

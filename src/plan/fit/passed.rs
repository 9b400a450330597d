//! What a program passes on whole, into an answer or a call, is looked through on its way: nobody else reads what is
//! inside it, and so nobody else would tell what a contract promises of that and a reply does not hold.

use super::written;
use crate::expr::{Conditional, Element, Entry, Fold, Member, Node, Type};

/// The program of a value of this type, made to look through what it passes on. What it writes itself is followed to
/// the parts that come from somewhere.
pub fn passed_on(node: Node, ty: &Type) -> Node {
    match node {
        Node::Object(members) => {
            let passed = |member: Member| {
                let ty = member_type(ty, &member.name);
                Member { value: passed_on(member.value, &ty), ..member }
            };
            Node::Object(members.into_iter().map(passed).collect())
        }
        Node::Items(nodes) => {
            let item = inside(ty);
            let types: Vec<Type> = (0..nodes.len()).map(|index| written::item_type(index, &nodes, &item)).collect();
            Node::Items(nodes.into_iter().zip(&types).map(|(node, ty)| passed_on(node, ty)).collect())
        }
        Node::Each { list, local, when, body } => {
            Node::Each { list, local, when, body: Box::new(passed_on(*body, &inside(ty))) }
        }
        Node::List(elements) => {
            let item = inside(ty);
            let passed = |element: Element| Element { value: passed_on(element.value, &item), ..element };
            Node::List(elements.into_iter().map(passed).collect())
        }
        Node::Map(entries, span) => {
            let value = inside(ty);
            let passed = |entry: Entry| Entry { value: passed_on(entry.value, &value), ..entry };
            Node::Map(entries.into_iter().map(passed).collect(), span)
        }
        Node::Comprehension(mut comprehension) if matches!(comprehension.fold, Fold::List | Fold::Map) => {
            comprehension.body = passed_on(comprehension.body, &inside(ty));
            Node::Comprehension(comprehension)
        }
        Node::Conditional(conditional) => {
            let Conditional { when, then, otherwise, span } = *conditional;
            let [then, otherwise] = [then, otherwise].map(|side| passed_on(side, ty));
            Node::Conditional(Box::new(Conditional { when, then, otherwise, span }))
        }
        Node::Outcome { var, done, otherwise } => {
            let [done, otherwise] = [*done, *otherwise].map(|side| Box::new(passed_on(side, ty)));
            Node::Outcome { var, done, otherwise }
        }
        Node::Fallback(mut fallback) => {
            fallback.value = passed_on(fallback.value, ty);
            fallback.otherwise = passed_on(fallback.otherwise, ty);
            Node::Fallback(fallback)
        }
        Node::Leaf(inner) => Node::Leaf(Box::new(passed_on(*inner, ty))),
        // Its parts were made so when they were compiled.
        node @ Node::Merge(_) => node,
        node => node.passed_on(ty),
    }
}

/// The program of what a step holds. A plain path shares the reply, whose parts are looked at when they are read; what
/// is made of it is no reply any more.
pub fn held(node: Node, ty: &Type) -> Node {
    if matches!(node, Node::Path { .. }) { node } else { passed_on(node, ty) }
}

fn member_type(ty: &Type, name: &str) -> Type {
    match ty.present() {
        Type::Object(object) => object.member(name).unwrap_or(Type::Dyn),
        Type::Map(value) => value.found(),
        _ => Type::Dyn,
    }
}

fn inside(ty: &Type) -> Type {
    match ty.present() {
        Type::List(item) | Type::Map(item) => item.found(),
        _ => Type::Dyn,
    }
}

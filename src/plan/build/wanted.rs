//! What is written, made to what its place wants: constants of the kind that it takes, members under the names by
//! which values hold them.

use super::template::number;
use super::types::Members;
use super::unit::Value;
use crate::base::value;
use crate::expr::{Item, Member, Named, Node, Part, Type};

/// A written value with constants of the environment and of files as what their places expect: text, unless that
/// is a number or a boolean.
pub(super) fn expected(value: Value, wanted: &Type) -> Value {
    if let Node::Named(named) = &value.node {
        return converted(named, wanted).unwrap_or(value);
    }
    let constant = |node: Node, wanted: &Type| match &node {
        Node::Named(named) => converted(named, wanted).map_or(node, |value| value.node),
        _ => node,
    };
    Value { node: along(value.node, wanted, &constant), ty: value.ty }
}

/// A written value with its members under the names by which values of a type hold them: a member of a proto
/// message answers to two.
pub(super) fn held(value: Value, wanted: &Type) -> Value {
    let renamed = |node: Node, wanted: &Type| match node {
        Node::Object(members) => {
            let renamed = |member: Member| Member { when: member.when, ..named(&member.name, member.value, wanted) };
            Node::Object(members.into_iter().map(renamed).collect())
        }
        Node::Merge(mut merge) => {
            let names = |name: Box<str>| wanted.written(&name).into_owned().into();
            let part =
                |part: Part| Part { members: part.members.map(|of| of.into_iter().map(names).collect()), ..part };
            merge.parts = merge.parts.into_iter().map(part).collect();
            Node::Merge(merge)
        }
        other => other,
    };
    Value { node: along(value.node, wanted, &renamed), ty: held_type(&value.ty, wanted) }
}

fn named(name: &str, value: Node, wanted: &Type) -> Member {
    Member::new(&*wanted.written(name), value)
}

fn held_type(ty: &Type, wanted: &Type) -> Type {
    match (ty, wanted.present()) {
        (Type::Nullable(inner), wanted) => held_type(inner, wanted).nullable(),
        (Type::List(item), Type::List(wanted)) => {
            Type::list(Item { ty: held_type(&item.ty, &wanted.ty), promised: item.promised.clone() })
        }
        (Type::Object(object), Type::Object(of)) if !object.is_named() => {
            let member = |name: String| {
                let (ty, wanted) = (object.member(&name)?, of.member(&name).unwrap_or(Type::Dyn));
                Some((of.written(&name).unwrap_or(name), held_type(&ty, &wanted)))
            };
            Members::of(object.name(), object.members().into_iter().filter_map(member).collect())
        }
        _ => ty.clone(),
    }
}

/// Changes a written value and all that is written inside it, each with the type that its place wants.
fn along(node: Node, wanted: &Type, change: &dyn Fn(Node, &Type) -> Node) -> Node {
    match (change(node, wanted), wanted.present()) {
        (Node::Object(members), Type::Object(of)) => {
            let inner = |member: Member| Member {
                value: along(member.value, &of.member(&member.name).unwrap_or(Type::Dyn), change),
                ..member
            };
            Node::Object(members.into_iter().map(inner).collect())
        }
        (Node::Object(members), Type::Map(wanted)) => {
            let inner = |member: Member| Member { value: along(member.value, &wanted.ty, change), ..member };
            Node::Object(members.into_iter().map(inner).collect())
        }
        (Node::Items(items), Type::List(wanted)) => {
            Node::Items(items.into_iter().map(|item| along(item, &wanted.ty, change)).collect())
        }
        (Node::Each { list, local, when, body }, Type::List(wanted)) => {
            Node::Each { list, local, when, body: Box::new(along(*body, &wanted.ty, change)) }
        }
        (Node::Conditional(mut conditional), wanted) => {
            conditional.then = along(conditional.then, wanted, change);
            Node::Conditional(conditional)
        }
        (Node::Merge(mut merge), wanted) => {
            let part = |part: Part| Part { node: along(part.node, wanted, change), ..part };
            merge.parts = merge.parts.into_iter().map(part).collect();
            Node::Merge(merge)
        }
        (Node::Leaf(inner), wanted) => Node::Leaf(Box::new(along(*inner, wanted, change))),
        (node, _) => node,
    }
}

/// A constant as what its place wants; `None` where it is that already, or nothing of the kind.
fn converted(named: &Named, wanted: &Type) -> Option<Value> {
    let text = named.value.as_text()?;
    let converted = match wanted.present() {
        Type::Int | Type::Uint | Type::Double => number(text),
        Type::Bool => Value { node: Node::Const(value::Value::Bool(text.parse().ok()?)), ty: Type::Bool },
        _ => return None,
    };
    let Node::Const(value) = converted.node else { return None };
    Some(Value { node: Node::Named(Box::new(Named { written: named.written.clone(), value })), ty: converted.ty })
}

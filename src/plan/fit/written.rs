//! What a program tells of the value that it writes, beside its type.

use crate::base::value::Value;
use crate::expr::{Member, Node, Part, Type};

/// The type of an item that is written out, by its position. Written objects are alternatives of what items
/// of their list are, one for one.
pub(super) fn item_type(index: usize, nodes: &[Node], item: &Type) -> Type {
    let own = match item.present() {
        Type::Object(joined) if joined.alternatives().len() == nodes.len() => {
            Type::Object(joined.alternatives()[index].clone())
        }
        known => known.clone(),
    };
    if item.may_be_null() && !is_written(&nodes[index]) { own.nullable() } else { own }
}

/// A member of a written object, also where it is written into a merge; `None` where several
/// programs may make it.
pub(super) fn member<'n>(node: Option<&'n Node>, name: &str) -> Option<&'n Member> {
    match node {
        Some(Node::Merge(merge)) => {
            let may_have = |part: &&Part| part.members.as_ref().is_none_or(|known| known.iter().any(|m| **m == *name));
            let mut parts = merge.parts.iter().filter(may_have);
            let only = parts.next().filter(|_| parts.next().is_none())?;
            member(Some(&only.node), name)
        }
        Some(Node::Conditional(conditional)) if is_left_out(&conditional.otherwise) => {
            member(Some(&conditional.then), name)
        }
        Some(Node::Object(members)) => members.iter().find(|member| *member.name == *name),
        _ => None,
    }
}

/// Whether an object is written out, which is never null.
fn is_written(node: &Node) -> bool {
    match node {
        Node::Conditional(conditional) => is_left_out(&conditional.otherwise) && is_written(&conditional.then),
        node => matches!(node, Node::Object(_) | Node::Merge(_)),
    }
}

/// Whether a program stands for what a `$when` leaves out.
fn is_left_out(node: &Node) -> bool {
    matches!(node, Node::Const(Value::Optional(None)))
}

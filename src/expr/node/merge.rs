//! `$merge` at load: which parts a selected member, or a selection of members, needs.

use super::{Node, Wanted};
use crate::base::value::ValueKind;

/// See [`Node::Merge`].
#[derive(Clone, Debug)]
pub struct Merge {
    /// What is merged, in order. Null and the empty optional add nothing.
    pub parts: Box<[Part]>,
    /// What becomes of two values for one place.
    pub clash: Clash,
    /// What stands here.
    pub whole: Whole,
}

/// One part of a [`Merge`].
#[derive(Clone, Debug)]
pub struct Part {
    /// Its value.
    pub node: Node,
    /// The only members that it can have, where that is known.
    pub members: Option<Box<[Box<str>]>>,
}

/// What becomes of two values for one place that are not both objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clash {
    /// The first value decides: it stands, or is merged with the other objects.
    First,
    /// The last value decides in the same way.
    Last,
    /// The merge fails.
    Fails,
    /// Null stands there, and the failure is reported: in results.
    Null,
}

/// What a [`Merge`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// The merged object: every part must be an object.
    Object,
    /// What stands under one of its members: any values, null where no part has one.
    Member,
}

impl Merge {
    /// Selects a member: only the parts that can have it are left.
    pub(super) fn member(self, name: &str) -> Node {
        let parts = self.parts.into_iter().filter(|part| part.may_have(name));
        let mut parts: Vec<Part> = parts.map(|part| Part { node: part.node.member(name), members: None }).collect();
        let deciding = match self.clash {
            Clash::First => parts.first(),
            Clash::Last => parts.last(),
            Clash::Fails | Clash::Null => None,
        };
        if let Some(part) = deciding.filter(|part| is_surely_a_leaf(&part.node)) {
            return part.node.clone();
        }
        if parts.len() > 1 {
            return Node::Merge(Box::new(Self { parts: parts.into(), clash: self.clash, whole: Whole::Member }));
        }
        parts.pop().map_or(Node::NULL, |part| part.node)
    }

    /// The merge of only a part of its members: parts that have none of them are left out.
    pub(super) fn pruned(&self, wanted: &Wanted) -> Self {
        let parts = self.parts.iter().filter(|part| part.has_wanted(wanted));
        let pruned = |part: &Part| Part { node: part.node.pruned(wanted), members: part.members.clone() };
        Self { parts: parts.map(pruned).collect(), clash: self.clash, whole: self.whole }
    }
}

impl Part {
    fn may_have(&self, name: &str) -> bool {
        self.members.as_ref().is_none_or(|known| known.iter().any(|member| **member == *name))
    }

    fn has_wanted(&self, wanted: &Wanted) -> bool {
        self.members.as_ref().is_none_or(|known| known.iter().any(|member| wanted.of(member).is_some()))
    }
}

/// Whether a value is known to be neither null nor an object.
fn is_surely_a_leaf(node: &Node) -> bool {
    match node {
        Node::Const(value) => !matches!(value.kind(), ValueKind::Null | ValueKind::Map | ValueKind::Optional),
        Node::Text(_) | Node::Items(_) | Node::List(_) => true,
        _ => false,
    }
}

//! The tree of a file.

use crate::base::diagnostic::Place;
use crate::spec::model::Located;

use super::Scalar;

/// A value and where it is written.
#[derive(Clone, Debug)]
pub struct Node {
    /// From its first byte to its last; for an empty value the key that it belongs to.
    pub place: Place,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Text, number, boolean, null.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys with values, in written order; keys are distinct.
    Mapping(Vec<(Located<String>, Node)>),
}

impl Node {
    /// Whether it is a mapping.
    pub fn is_mapping(&self) -> bool {
        matches!(self.kind, Kind::Mapping(_))
    }

    /// The value under a key of a mapping.
    pub fn member(&self, key: &str) -> Option<&Self> {
        let Kind::Mapping(pairs) = &self.kind else { return None };
        pairs.iter().find(|(name, _)| name.value == key).map(|(_, node)| node)
    }
}

impl Node {
    /// A mapping whose only entry is this node under `key`: what a short form stands for.
    pub(in crate::spec) fn under(&self, key: &str) -> Self {
        let key = Located { value: key.to_owned(), place: self.place.clone() };
        Self { place: self.place.clone(), kind: Kind::Mapping(vec![(key, self.clone())]) }
    }
}

//! Definitions under names: `backends.NAME`, `steps.NAME`.

use crate::spec::model::{Located, Named};
use crate::spec::yaml::{Kind, Node};

use super::{FromNode, Reader, Shape};

/// A type that is defined under a name: `backends.NAME`, `steps.NAME`.
pub(in crate::spec) trait Definition: Sized {
    /// What diagnostics call one: "backend".
    const KIND: &'static str;

    /// What to write under the name, for the reference.
    fn shape() -> Shape;

    /// Reads one with its name. `None` when it cannot be read; then the reader has been told why.
    fn define(name: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Self>;
}

impl<T: Definition> FromNode for Vec<Named<T>> {
    const REQUIRED: bool = false;

    fn shape() -> Shape {
        Shape::Map(Box::new(T::shape()))
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Kind::Mapping(pairs) = &node.kind else {
            reader.expected(&format!("a mapping from names to {}s", T::KIND), node);
            return None;
        };
        Some(pairs.iter().filter_map(|(name, node)| define(name, node, reader)).collect())
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

/// Reads one definition; one that cannot be read is noted, so that its name is not called unknown.
pub(in crate::spec) fn define<T: Definition>(
    name: &Located<String>,
    node: &Node,
    reader: &mut Reader<'_>,
) -> Option<Named<T>> {
    reader.within(&name.value, |reader| {
        let path = reader.path().to_owned();
        match T::define(name, node, reader) {
            Some(value) => Some(Named { name: name.clone(), path, value }),
            None => {
                reader.note_unread(path);
                None
            }
        }
    })
}

//! Whole numbers where a contract says integer: expressions see them as `int`, as those of a proto.

use super::outline::Outline;
use super::{SchemaId, Schemas};
use crate::base::value::{Doc, Kind};

/// Alternatives inside one another that are followed.
const ALTERNATIVES_LIMIT: usize = 16;

impl Schemas {
    /// Whether integers may stand in values of a schema; else there is nothing to mark.
    pub fn has_integers(&self, id: SchemaId) -> bool {
        self.outline(id).has_integers
    }

    /// Marks the numbers of a document that a schema says are integers, if they are whole. What does
    /// not fit the schema is left as it came.
    pub fn mark_integers(&self, id: SchemaId, doc: &mut Doc) {
        self.mark(id, doc, 0);
    }

    /// What a schema says of a value that is there: of a schema or null, that schema.
    fn of_present(&self, id: SchemaId) -> &Outline {
        let mut outline = self.outline(id);
        for _ in 0..ALTERNATIVES_LIMIT {
            let Some(only) = self.only(&outline.alternatives) else { break };
            outline = self.outline(only);
        }
        outline
    }

    fn mark(&self, id: SchemaId, doc: &mut Doc, node: u32) {
        let outline = self.of_present(id);
        if !outline.has_integers {
            return;
        }
        match doc.kind(node) {
            Kind::Number if outline.is_integer() => doc.mark_integer(node),
            Kind::Array => {
                let Some(items) = outline.items else { return };
                let mut next = doc.first_child(node);
                while let Some(child) = next {
                    self.mark(items, doc, child);
                    next = doc.sibling(node, child);
                }
            }
            Kind::Object => {
                let mut next = doc.first_child(node);
                while let Some(child) = next {
                    let member = outline.members.iter().find(|member| doc.is_under(child, &member.name));
                    if let Some(id) = member.map(|member| member.schema).or(outline.others.schema()) {
                        self.mark(id, doc, child);
                    }
                    next = doc.sibling(node, child);
                }
            }
            _ => {}
        }
    }
}

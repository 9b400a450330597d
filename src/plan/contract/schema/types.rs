//! Schemas as the types that expressions are checked with.
//!
//! Objects have the members that their schema names, although JSON Schema allows others: who reads a member
//! that no contract names has misspelt it. A member that is not required may be absent, which reads as null.

use std::sync::Arc;

use super::outline::Others;
use super::{Kinds, SchemaId, Schemas};
use crate::expr::{ObjectType, Type};

/// Schemas inside one another that are looked through for one type; recursive lists and alternatives end here.
const DEPTH_LIMIT: usize = 16;

/// The type of the values of a schema.
pub fn type_of(schemas: &Arc<Schemas>, id: SchemaId) -> Type {
    nested(schemas, id, 0)
}

fn nested(schemas: &Arc<Schemas>, id: SchemaId, depth: usize) -> Type {
    let outline = schemas.outline(id);
    if depth > DEPTH_LIMIT {
        return Type::Dyn;
    }
    if !outline.alternatives.is_empty() {
        let alternatives = outline.alternatives.iter().map(|id| nested(schemas, *id, depth + 1));
        let joined = alternatives.reduce(|one, other| one.join(&other)).unwrap_or(Type::Dyn);
        return if outline.kinds.allows(Kinds::NULL) && outline.kinds != Kinds::ALL {
            joined.nullable()
        } else {
            joined
        };
    }
    let of_other = |others| match others {
        Others::Of(id) => nested(schemas, id, depth + 1),
        Others::Unsaid | Others::None => Type::Dyn,
    };
    let ty = match outline.kinds.without_null() {
        Kinds::NONE if outline.kinds == Kinds::NULL => return Type::Null,
        Kinds::BOOLEAN => Type::Bool,
        Kinds::INTEGER => Type::Int,
        Kinds::NUMBER => Type::Double,
        Kinds::STRING => Type::Text,
        Kinds::ARRAY => Type::list(outline.items.map_or(Type::Dyn, |items| nested(schemas, items, depth + 1))),
        Kinds::OBJECT if outline.members.is_empty() => Type::map(of_other(outline.others)),
        Kinds::OBJECT => Type::Object(Arc::new(Shape { schemas: schemas.clone(), id })),
        _ => Type::Dyn,
    };
    if outline.kinds.allows(Kinds::NULL) { ty.nullable() } else { ty }
}

/// An object whose members a schema names.
struct Shape {
    schemas: Arc<Schemas>,
    id: SchemaId,
}

impl std::fmt::Debug for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Shape").field(&self.schemas.name(self.id)).finish()
    }
}

impl ObjectType for Shape {
    fn name(&self) -> &str {
        self.schemas.name(self.id)
    }

    fn member(&self, name: &str) -> Option<Type> {
        let outline = self.schemas.outline(self.id);
        if let Some(member) = outline.member(name) {
            let ty = type_of(&self.schemas, member.schema);
            return Some(if member.required { ty } else { ty.nullable() });
        }
        match outline.others {
            Others::Of(id) => Some(type_of(&self.schemas, id).nullable()),
            Others::Unsaid | Others::None => None,
        }
    }

    fn members(&self) -> Vec<String> {
        self.schemas.outline(self.id).members.iter().map(|member| member.name.clone()).collect()
    }
}

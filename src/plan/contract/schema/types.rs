//! Schemas as the types that expressions are checked with.
//!
//! Objects have the members that their schema names, although JSON Schema allows others: who reads a member
//! that no contract names has misspelt it. A member that is not required may be absent, which reads as null.

use std::sync::Arc;

use super::outline::{Others, Outline};
use super::{Kinds, SchemaId, Schemas};
use crate::expr::{ObjectType, Promised, Type};
use crate::plan::OfBackend;

/// Schemas inside one another that are looked through for one type; recursive lists and alternatives end here.
const DEPTH_LIMIT: usize = 16;

/// The type of the values of a schema.
pub fn type_of(schemas: &Arc<Schemas>, id: SchemaId) -> Type {
    nested(&Source { schemas: schemas.clone(), promises: None }, id, 0)
}

/// The type of replies that a schema describes: what it promises of their members is noted.
pub fn promised_type(schemas: &Arc<Schemas>, id: SchemaId, promises: &OfBackend) -> Type {
    nested(&Source { schemas: schemas.clone(), promises: Some(promises.clone()) }, id, 0)
}

/// What types are made from.
#[derive(Clone)]
struct Source {
    schemas: Arc<Schemas>,
    /// Who notes what is promised; nobody where the values are no replies.
    promises: Option<OfBackend>,
}

fn nested(source: &Source, id: SchemaId, depth: usize) -> Type {
    let outline = source.schemas.outline(id);
    if depth > DEPTH_LIMIT {
        return Type::Dyn;
    }
    if !outline.alternatives.is_empty() {
        let alternatives = outline.alternatives.iter().map(|id| nested(source, *id, depth + 1));
        let joined = alternatives.reduce(|one, other| one.join(&other)).unwrap_or(Type::Dyn);
        return if outline.kinds.allows(Kinds::NULL) && outline.kinds != Kinds::ALL {
            joined.nullable()
        } else {
            joined
        };
    }
    let of_other = |others| match others {
        Others::Of(id) => nested(source, id, depth + 1),
        Others::Unsaid | Others::None => Type::Dyn,
    };
    let ty = match outline.kinds.without_null() {
        Kinds::NONE if outline.kinds == Kinds::NULL => return Type::Null,
        Kinds::BOOLEAN => Type::Bool,
        Kinds::INTEGER => Type::Int,
        Kinds::NUMBER => Type::Double,
        Kinds::STRING => Type::Text,
        Kinds::ARRAY => Type::list(outline.items.map_or(Type::Dyn, |items| nested(source, items, depth + 1))),
        Kinds::OBJECT if outline.members.is_empty() => Type::map(of_other(outline.others)),
        Kinds::OBJECT => Type::Object(Arc::new(Shape { source: source.clone(), id })),
        _ => Type::Dyn,
    };
    if outline.kinds.allows(Kinds::NULL) && outline.kinds != Kinds::ALL { ty.nullable() } else { ty }
}

/// An object whose members a schema names.
struct Shape {
    source: Source,
    id: SchemaId,
}

impl Shape {
    fn outline(&self) -> &Outline {
        self.source.schemas.outline(self.id)
    }
}

impl std::fmt::Debug for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Shape").field(&self.source.schemas.name(self.id)).finish()
    }
}

impl ObjectType for Shape {
    fn name(&self) -> &str {
        self.source.schemas.name(self.id)
    }

    fn member(&self, name: &str) -> Option<Type> {
        let outline = self.outline();
        if let Some(member) = outline.member(name) {
            let ty = nested(&self.source, member.schema, 0);
            return Some(if member.required { ty } else { ty.nullable() });
        }
        match outline.others {
            Others::Of(id) => Some(nested(&self.source, id, 0).nullable()),
            Others::Unsaid | Others::None => None,
        }
    }

    fn members(&self) -> Vec<String> {
        self.outline().members.iter().map(|member| member.name.clone()).collect()
    }

    fn makes_promises(&self) -> bool {
        self.source.promises.is_some()
    }

    fn promised(&self, name: &str) -> Option<Promised> {
        let promises = self.source.promises.as_ref()?;
        let member = self.outline().member(name)?;
        let outline = self.source.schemas.outline(member.schema);
        let (kinds, texts) = (outline.kinds, outline.texts.clone());
        let expected = || format!("{}{}", kinds.words(), if member.required { "" } else { ", if it is there" });
        let id = promises.about(&format!("{}.{name}", self.name()), expected);
        Some(Promised { id, kinds: kinds.of_nodes(), texts, may_be_absent: !member.required })
    }
}

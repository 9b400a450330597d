//! Schemas as the types that expressions are checked with.
//!
//! Objects have the members that their schema names, although JSON Schema allows others: who reads a member
//! that no contract names has misspelt it. A member that is not required may be absent, which reads as null.

use std::sync::Arc;

use super::outline::Outline;
use super::{Kinds, SchemaId, Schemas};
use crate::expr::{Item, ObjectType, Promised, Type};
use crate::plan::OfBackend;

/// Schemas inside one another that are looked through for one type; recursive lists and alternatives end here.
const DEPTH_LIMIT: usize = 16;

/// What people call one of the items of a list.
const AN_ITEM: &str = "an item";

/// What people call one of the members that a schema does not name.
const A_MEMBER: &str = "a member";

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

/// Whether what is promised must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
    /// There may be as many as there are.
    Any,
}

impl Source {
    /// What is promised of a value that people call by the name which `called` gives; `None` if it may be anything.
    fn promised(&self, id: SchemaId, presence: Presence, called: impl FnOnce() -> String) -> Option<Promised> {
        let promises = self.promises.as_ref()?;
        let outline = self.schemas.outline(id);
        let (kinds, texts) = (outline.kinds, outline.texts.clone());
        if kinds == Kinds::ALL && texts.is_none() && presence != Presence::Required {
            return None;
        }
        let expected = || match presence {
            Presence::Required | Presence::Any => kinds.words(),
            Presence::Optional => format!("{}, if it is there", kinds.words()),
        };
        let id = promises.about(&called(), expected);
        Some(Promised { id, kinds: kinds.of_nodes(), texts, may_be_absent: presence != Presence::Required })
    }

    /// What each item of a list is, or each further member of an object, as `what` says.
    fn item(&self, (of, what): (SchemaId, &str), item: Option<SchemaId>, depth: usize) -> Item {
        let ty = item.map_or(Type::Dyn, |item| nested(self, item, depth));
        let called = || format!("{what} of {}", self.schemas.name(of));
        Item { ty, promised: item.and_then(|item| self.promised(item, Presence::Any, called)) }
    }
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
    let ty = match outline.kinds.without_null() {
        Kinds::NONE if outline.kinds == Kinds::NULL => return Type::Null,
        Kinds::BOOLEAN => Type::Bool,
        Kinds::INTEGER => Type::Int,
        Kinds::NUMBER => Type::Double,
        Kinds::STRING => Type::Text,
        Kinds::ARRAY => Type::list(source.item((id, AN_ITEM), outline.items, depth + 1)),
        Kinds::OBJECT if outline.members.is_empty() => {
            Type::map(source.item((id, A_MEMBER), outline.others.schema(), depth + 1))
        }
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
        outline.others.schema().map(|id| nested(&self.source, id, 0).nullable())
    }

    fn members(&self) -> Vec<String> {
        self.outline().members.iter().map(|member| member.name.clone()).collect()
    }

    fn makes_promises(&self) -> bool {
        self.source.promises.is_some()
    }

    fn promised(&self, name: &str) -> Option<Promised> {
        let outline = self.outline();
        match outline.member(name) {
            Some(member) => {
                let presence = if member.required { Presence::Required } else { Presence::Optional };
                self.source.promised(member.schema, presence, || format!("{}.{name}", self.name()))
            }
            None => self.source.item((self.id, A_MEMBER), outline.others.schema(), 0).promised,
        }
    }
}

//! Schemas as declared types: what a body or an answer is compared with at load.

use std::sync::Arc;

use super::outline::Others;
use super::validate::{Validation, kind_of};
use super::{Kinds, SchemaId, Schemas};
use crate::base::value::Value;
use crate::expr::Type;
use crate::plan::fit::{Declared, DeclaredMember, DeclaredObject, DeclaredScalar};

/// Schemas inside one another that are looked through; recursive lists and alternatives end here.
const DEPTH_LIMIT: usize = 16;

/// What a schema declares.
pub fn declared(schemas: &Arc<Schemas>, id: SchemaId) -> Declared {
    nested(schemas, id, 0)
}

fn nested(schemas: &Arc<Schemas>, id: SchemaId, depth: usize) -> Declared {
    let outline = schemas.outline(id);
    if depth > DEPTH_LIMIT {
        return Declared::Anything;
    }
    if !outline.alternatives.is_empty() {
        return alternatives(schemas, &outline.alternatives, depth);
    }
    let here = Schema { schemas: schemas.clone(), id };
    let bare = match outline.kinds.without_null() {
        Kinds::ALL | Kinds::NONE => return Declared::Anything,
        kinds if kinds == Kinds::ALL.without_null() => return Declared::Anything,
        Kinds::ARRAY => {
            let item = outline.items.map_or(Declared::Anything, |items| nested(schemas, items, depth + 1));
            Declared::List(Arc::new(item))
        }
        Kinds::OBJECT if outline.members.is_empty() => Declared::Map(Arc::new(match outline.others {
            Others::Of(id) => nested(schemas, id, depth + 1),
            Others::Unsaid | Others::None => Declared::Anything,
        })),
        Kinds::OBJECT => Declared::Object(Arc::new(here)),
        kinds if kinds.and(Kinds::OBJECT.or(Kinds::ARRAY)) != Kinds::NONE => return Declared::Anything,
        _ => Declared::Scalar(Arc::new(here)),
    };
    if outline.kinds.allows(Kinds::NULL) { Declared::Nullable(Arc::new(bare)) } else { bare }
}

/// One alternative beside null is that one or null; of several, anything may be meant.
fn alternatives(schemas: &Arc<Schemas>, ids: &[SchemaId], depth: usize) -> Declared {
    let Some(only) = schemas.only(ids) else { return Declared::Anything };
    let declared = nested(schemas, only, depth + 1);
    if ids.len() > 1 { Declared::Nullable(Arc::new(declared)) } else { declared }
}

/// A schema.
struct Schema {
    schemas: Arc<Schemas>,
    id: SchemaId,
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Schema").field(&self.schemas.name(self.id)).finish()
    }
}

impl DeclaredScalar for Schema {
    fn name(&self) -> String {
        self.schemas.outline(self.id).kinds.without_null().words()
    }

    fn takes(&self, found: &Type) -> bool {
        let kinds = self.schemas.outline(self.id).kinds;
        match found {
            Type::Bool => kinds.allows(Kinds::BOOLEAN),
            // A double may be whole; that is known when it is there.
            Type::Int | Type::Uint | Type::Double => kinds.allows(Kinds::INTEGER),
            // Times and bytes are text in JSON.
            Type::Text | Type::Timestamp | Type::Duration | Type::Bytes | Type::Type => kinds.allows(Kinds::STRING),
            _ => false,
        }
    }

    fn refuses(&self, written: &Value<'_>) -> Option<(String, String)> {
        if kind_of(written) == Kinds::NONE {
            return None;
        }
        let violation = Validation::of(&self.schemas, self.id, written).into_iter().next()?;
        Some((format!("this {}", violation.reason), violation.hint))
    }
}

impl DeclaredObject for Schema {
    fn name(&self) -> String {
        self.schemas.name(self.id).to_string()
    }

    fn member(&self, name: &str) -> Option<DeclaredMember> {
        let member = self.schemas.outline(self.id).member(name)?;
        let required = member.required && !member.read_only;
        Some(DeclaredMember { declared: declared(&self.schemas, member.schema), required })
    }

    fn members(&self) -> Vec<String> {
        self.schemas.outline(self.id).members.iter().map(|member| member.name.clone()).collect()
    }

    fn others(&self) -> Option<Declared> {
        match self.schemas.outline(self.id).others {
            Others::Of(id) => Some(declared(&self.schemas, id)),
            Others::Unsaid | Others::None => None,
        }
    }
}

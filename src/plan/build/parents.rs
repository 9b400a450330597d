//! What objects of the graph's types are: the type of `parent` in their fields.
//!
//! An object of a type of the schema comes from somewhere: a field with an entry gives it, or it is
//! a member of an object that is known. What all these places have in common is its type here.

use super::Planner;
use super::fields::Entry;
use super::wiring::Wiring;
use crate::expr::Type;
use crate::plan::schema::{TypeId, TypeKind, TypeRef};

/// What is known of the objects of each type so far.
struct Parents {
    /// By type; `None` while nothing is known to give one.
    known: Vec<Option<Type>>,
    /// Types of which more became known.
    open: Vec<TypeId>,
}

impl<'s> Planner<'s> {
    /// The type of the objects of each type of the schema; `dyn` where nothing tells it, or where
    /// two places give different ones.
    pub(super) fn parents(&self, entries: &[Entry<'s>], wiring: &Wiring) -> Vec<Type> {
        let mut parents = Parents { known: vec![None; wiring.bound.len()], open: self.schema.roots() };
        // Every type is visited anew at most when its first source and when a different one is found.
        while let Some(of) = parents.open.pop() {
            let parent = parents.known[of.index()].clone();
            for (index, field) in self.schema[of].fields.iter().enumerate() {
                let found = match (wiring.bound[of.index()][index], &parent) {
                    (Some(entry), parent) => self.result_type(&entries[entry.index()], parent.as_ref()),
                    (None, Some(parent)) => member(parent, &wiring.members[of.index()][index]),
                    (None, None) => continue,
                };
                self.give(&field.ty, &found, &mut parents);
            }
        }
        parents.known.into_iter().map(|known| known.unwrap_or(Type::Dyn)).collect()
    }

    /// What an entry gives for parents of a type. Mistakes are said when it is compiled in earnest.
    fn result_type(&self, entry: &Entry<'s>, parent: Option<&Type>) -> Type {
        self.report.quietly(|| {
            let unit = self.field_unit(entry, parent);
            unit.result(0).map_or(Type::Dyn, |value| value.ty)
        })
    }

    /// Notes that a place of type `ty` holds `found`.
    fn give(&self, ty: &TypeRef, found: &Type, parents: &mut Parents) {
        let id = ty.named();
        let found = element(found, ty);
        if !self.schema[id].kind.is_composite() || matches!(found, Type::Null) {
            return;
        }
        parents.add(id, &found);
        if self.schema[id].kind != TypeKind::Object {
            // Which of the possible types an object is of is known when it is there.
            self.schema[id].possible.iter().for_each(|object| parents.add(*object, &Type::Dyn));
        }
    }
}

impl Parents {
    fn add(&mut self, id: TypeId, found: &Type) {
        let known = &mut self.known[id.index()];
        let joined = match known {
            None => found.clone(),
            Some(known) if known.is(found) => return,
            Some(Type::Dyn) => return,
            Some(_) => Type::Dyn,
        };
        *known = Some(joined);
        self.open.push(id);
    }
}

/// What a list of objects holds, or the object itself; without null.
fn element(found: &Type, ty: &TypeRef) -> Type {
    let present = match found.present() {
        Type::Optional(held) => held.present(),
        present => present,
    };
    match (ty.item(), present) {
        (None, object) => object.clone(),
        (Some(item), Type::List(element_type)) => element(&element_type.found(), item),
        (Some(_), _) => Type::Dyn,
    }
}

fn member(parent: &Type, name: &str) -> Type {
    match parent {
        Type::Object(object) => object.member(name).unwrap_or(Type::Dyn),
        Type::Map(value) => value.found(),
        _ => Type::Dyn,
    }
}

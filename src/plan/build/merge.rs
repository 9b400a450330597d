//! `$merge`: objects written as one, and what can be known of their contradictions at load.

use std::sync::Arc;

use super::Planner;
use super::template::Leaves;
use super::unit::Value;
use crate::base::diagnostic::{Diagnostic, Place};
use crate::expr::{Clash, Node, ObjectType, Part, Scope, Type, Whole};
use crate::plan::fit;
use crate::spec::{Merge, Prefer, Template};

/// Objects inside one another that are searched for contradictions. Messages may hold themselves.
const SEARCHED_DEPTH: usize = 8;

impl Planner<'_> {
    /// Compiles `$merge`.
    pub(super) fn merge(&self, merge: &Merge, scope: &dyn Scope, (path, leaves): (&str, Leaves)) -> Value {
        let part = |template: &Template, path: &str| {
            let mut value = self.written(template, scope, (path, leaves));
            // A part of a result that is no object is left out and reported, like one that fails.
            if leaves == Leaves::Null && matches!(value.node, Node::Path { .. } | Node::Local { .. }) {
                value.node = Node::Leaf(Box::new(value.node));
            }
            value
        };
        self.merged(merge, part, (path, leaves))
    }

    /// Compiles `$merge` whose parts are compiled by `part`.
    pub(super) fn merged(
        &self,
        merge: &Merge,
        mut part: impl FnMut(&Template, &str) -> Value,
        (path, leaves): (&str, Leaves),
    ) -> Value {
        let clash = match (merge.prefer.as_ref().map(|prefer| prefer.value), leaves) {
            (Some(Prefer::First), _) => Clash::First,
            (Some(Prefer::Last), _) => Clash::Last,
            (Some(Prefer::Error) | None, Leaves::Fail) => Clash::Fails,
            (Some(Prefer::Error) | None, Leaves::Null) => Clash::Null,
        };
        let mut parts = Vec::with_capacity(merge.parts.len());
        let mut types: Vec<Type> = Vec::with_capacity(merge.parts.len());
        for (index, template) in merge.parts.iter().enumerate() {
            let path = format!("{path}.$merge[{index}]");
            let value = part(template, &path);
            let known = matches!(value.ty.present(), Type::Object(_) | Type::Map(_) | Type::Dyn | Type::Null);
            if !known && !matches!(value.ty, Type::Optional(_)) {
                let message = format!("`$merge` takes objects, and this is {}", value.ty);
                let help = "put it under a name, as in `{ name: … }`".to_owned();
                self.report.error("wrong-type", (template.place(), &path), message, help);
            }
            if matches!(clash, Clash::Fails | Clash::Null) {
                let before = types.iter().zip(&merge.parts);
                let found = before.filter_map(|(known, part)| Some((part, contradiction(known, &value.ty, 0)?))).next();
                if let Some((first, member)) = found {
                    self.report_contradiction((first, template), &member, &path);
                }
            }
            let members = object_of(&value.ty).map(|object| object.members().into_iter().map(Into::into).collect());
            parts.push(Part { node: fit::passed_on(value.node, &value.ty), members });
            types.push(value.ty);
        }
        let node = Node::Merge(Box::new(crate::expr::Merge { parts: parts.into(), clash, whole: Whole::Object }));
        Value { node, ty: type_of(types) }
    }

    fn report_contradiction(&self, (first, second): (&Template, &Template), member: &str, path: &str) {
        let message = format!("two parts of `$merge` have a value for `{member}`");
        let help = "write `$prefer: first` or `$prefer: last` beside `$merge` to say which counts, or leave one out";
        let diagnostic = Diagnostic::error("merge-conflict", place_of(second, member).clone(), path, message)
            .help(help)
            .related(place_of(first, member).clone(), "the other stands here".to_owned());
        self.report.add(diagnostic);
    }
}

/// Where the first step of a member's path is written, or the part.
fn place_of<'t>(template: &'t Template, member: &str) -> &'t Place {
    let first = member.split('.').next().unwrap_or(member);
    let entry = match template {
        Template::Object(object) => object.entries.iter().find(|entry| entry.key.value == first),
        _ => None,
    };
    entry.map_or_else(|| template.place(), |entry| &entry.key.place)
}

/// A member for which two values contradict each other whenever both are there: its path.
fn contradiction(one: &Type, other: &Type, depth: usize) -> Option<String> {
    let (one, other) = (object_of(one)?, object_of(other)?);
    let names = other.members();
    one.members().into_iter().filter(|name| names.contains(name)).find_map(|name| {
        let (first, second) = (one.member(&name)?, other.member(&name)?);
        let is_null = |ty: &Type| matches!(ty, Type::Null);
        if (is_leaf(&first) && !is_null(&second)) || (is_leaf(&second) && !is_null(&first)) {
            return Some(name);
        }
        if depth == SEARCHED_DEPTH {
            return None;
        }
        contradiction(&first, &second, depth + 1).map(|inner| format!("{name}.{inner}"))
    })
}

/// Whether a value, if it is there, is surely no object.
fn is_leaf(ty: &Type) -> bool {
    !matches!(ty.present(), Type::Dyn | Type::Null | Type::Map(_) | Type::Object(_) | Type::Optional(_))
}

fn object_of(ty: &Type) -> Option<&Arc<dyn ObjectType>> {
    match ty.present() {
        Type::Object(object) => Some(object),
        _ => None,
    }
}

/// The type of merged objects; unknown where all parts are.
fn type_of(parts: Vec<Type>) -> Type {
    let parts: Vec<Type> = parts.into_iter().filter(|ty| !matches!(ty, Type::Null) && !ty.is_empty_map()).collect();
    let known = parts.iter().filter(|part| object_of(part).is_some()).count();
    match known {
        0 if !parts.is_empty() => Type::Dyn,
        _ => Type::Object(Arc::new(Merged { is_open: known < parts.len(), parts })),
    }
}

/// An object that others were merged into.
#[derive(Debug)]
struct Merged {
    parts: Vec<Type>,
    /// Whether the members of some part are not known: it may have any.
    is_open: bool,
}

impl Merged {
    fn objects(&self) -> impl Iterator<Item = &Arc<dyn ObjectType>> {
        self.parts.iter().filter_map(object_of)
    }
}

impl ObjectType for Merged {
    fn name(&self) -> &str {
        "the merged object"
    }

    fn member(&self, name: &str) -> Option<Type> {
        let of = |part: &Type| {
            let member = object_of(part)?.member(name)?;
            Some(if part.may_be_null() { member.nullable() } else { member })
        };
        let found: Vec<Type> = self.parts.iter().filter_map(of).collect();
        // What nobody knows may fill what the others leave null.
        let may_be_null = !self.is_open && found.iter().all(Type::may_be_null);
        let others = self.is_open.then_some(Type::Dyn);
        let is_merged = found.iter().all(|ty| object_of(ty).is_some()) && found.len() + usize::from(self.is_open) > 1;
        let present = found.iter().map(|ty| ty.present().clone()).chain(others);
        let ty = match is_merged {
            true => type_of(present.collect()),
            false => present.reduce(|one, other| one.join(&other))?,
        };
        Some(if may_be_null { ty.nullable() } else { ty })
    }

    fn members(&self) -> Vec<String> {
        let mut members: Vec<String> = Vec::new();
        for member in self.objects().flat_map(|object| object.members()) {
            if !members.contains(&member) {
                members.push(member);
            }
        }
        members
    }

    fn written(&self, name: &str) -> Option<String> {
        self.objects().find_map(|object| object.written(name))
    }

    fn is_named(&self) -> bool {
        false
    }
}

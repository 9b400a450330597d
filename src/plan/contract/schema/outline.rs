//! Schemas seen as types: what `allOf` and `$ref` say together, found once for each schema.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Kinds, Rules, SchemaId};

/// What is known of the values of a schema.
#[derive(Debug)]
pub(super) struct Outline {
    /// The kinds of value that it allows.
    pub(super) kinds: Kinds,
    /// The texts that `enum` or `const` lists.
    pub(super) texts: Option<Arc<[Box<str>]>>,
    /// Known members, in written order.
    pub(super) members: Vec<OutlineMember>,
    /// Whether every other member is forbidden, by `additionalProperties: false`.
    pub(super) others: Others,
    pub(super) items: Option<SchemaId>,
    /// `anyOf` or `oneOf`, where nothing beside them says what the values are.
    pub(super) alternatives: Vec<SchemaId>,
    /// Whether integers may stand in its values.
    pub(super) has_integers: bool,
}

/// A known member.
#[derive(Debug)]
pub(super) struct OutlineMember {
    pub(super) name: String,
    pub(super) schema: SchemaId,
    pub(super) required: bool,
    /// In replies only.
    pub(super) read_only: bool,
}

/// What members hold that no schema names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    /// Nothing is said.
    Unsaid,
    /// There are none.
    None,
    /// Values of this schema.
    Of(SchemaId),
}

impl Others {
    /// The schema of them, if there is one.
    pub(super) fn schema(self) -> Option<SchemaId> {
        match self {
            Self::Of(id) => Some(id),
            Self::Unsaid | Self::None => None,
        }
    }
}

impl Outline {
    /// The member called `name`.
    pub(super) fn member(&self, name: &str) -> Option<&OutlineMember> {
        self.members.iter().find(|member| member.name == name)
    }

    /// Whether integers are the only numbers.
    pub(super) fn is_integer(&self) -> bool {
        self.kinds.without_null() == Kinds::INTEGER
    }
}

/// The outlines of a table of schemas.
pub(super) fn outlines(rules: &[Rules]) -> Vec<Outline> {
    let mut outlines: Vec<Outline> = (0..rules.len()).map(|at| outline(rules, SchemaId(at as u32))).collect();
    mark_integers(&mut outlines);
    outlines
}

fn outline(rules: &[Rules], id: SchemaId) -> Outline {
    let mut parts = Vec::new();
    gather(rules, id, &mut BTreeSet::new(), &mut parts);
    let written = parts.iter().fold(Kinds::ALL, |kinds, part| kinds.and(part.kinds.unwrap_or(Kinds::ALL)));
    let listed = parts.iter().filter_map(|part| part.values.as_ref());
    let listed = listed.fold(Kinds::ALL, |kinds, values| {
        kinds.and(values.iter().fold(Kinds::NONE, |kinds, value| kinds.or(value.kind)))
    });
    let alternatives: Vec<SchemaId> =
        parts.iter().flat_map(|part| part.any_of.iter().chain(&part.one_of)).copied().collect();
    let members = members(&parts);
    let items = parts.iter().find_map(|part| part.items);
    let others = others(rules, &parts);
    let is_object = !members.is_empty() || others != Others::Unsaid;
    // A number that a list of values narrows to whole ones stays what `type` says.
    let kinds = if written.allows(Kinds::NUMBER) && written != Kinds::ALL { written } else { written.and(listed) };
    let kinds = match kinds {
        Kinds::ALL if is_object => Kinds::OBJECT,
        Kinds::ALL if items.is_some() => Kinds::ARRAY,
        kinds => kinds,
    };
    let is_open = kinds == Kinds::ALL || (kinds.without_null() == Kinds::OBJECT && !is_object);
    let alternatives = if is_open { alternatives } else { Vec::new() };
    Outline { kinds, texts: texts(&parts), members, others, items, alternatives, has_integers: false }
}

/// The texts that the first list of values holds: where there are more, what they share is left to `kinds`.
fn texts(parts: &[&Rules]) -> Option<Arc<[Box<str>]>> {
    let values = parts.iter().find_map(|part| part.values.as_ref())?;
    Some(values.iter().filter_map(|value| value.text.clone()).collect())
}

/// A schema with all that it refers to and that `allOf` adds, each once.
fn gather<'r>(rules: &'r [Rules], id: SchemaId, seen: &mut BTreeSet<SchemaId>, parts: &mut Vec<&'r Rules>) {
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            let part = &rules[id.0 as usize];
            parts.push(part);
            open.extend(part.all_of.iter().rev().chain(&part.reference));
        }
    }
}

fn members(parts: &[&Rules]) -> Vec<OutlineMember> {
    let is_required = |name: &str| parts.iter().any(|part| part.required.iter().any(|required| required == name));
    let mut members: Vec<OutlineMember> = Vec::new();
    for property in parts.iter().flat_map(|part| &part.properties) {
        if !members.iter().any(|known| known.name == property.name) {
            members.push(OutlineMember {
                name: property.name.clone(),
                schema: property.schema,
                required: is_required(&property.name),
                read_only: property.read_only,
            });
        }
    }
    members
}

fn others(rules: &[Rules], parts: &[&Rules]) -> Others {
    match parts.iter().find_map(|part| part.others) {
        Some(id) if rules[id.0 as usize].never => Others::None,
        Some(id) => Others::Of(id),
        None => Others::Unsaid,
    }
}

/// Finds which schemas may hold integers somewhere; they may hold themselves.
fn mark_integers(outlines: &mut [Outline]) {
    loop {
        let mut changed = false;
        for at in 0..outlines.len() {
            let outline = &outlines[at];
            let inner = outline.members.iter().map(|member| member.schema).chain(outline.items);
            let inner = inner.chain(outline.alternatives.iter().copied());
            let mut inner = inner.chain(outline.others.schema());
            let has = outline.is_integer() || inner.any(|id| outlines[id.0 as usize].has_integers);
            changed |= has && !outline.has_integers;
            outlines[at].has_integers |= has;
        }
        if !changed {
            return;
        }
    }
}

//! JSON Schemas, compiled: what values they allow, and what types those values have.
//!
//! ```text
//! YAML nodes ─read─▶ Schemas { rules by id } ─┬─▶ types for expressions   (types)
//!                                             ├─▶ declared types          (declared)
//!                                             ├─▶ violations of a value   (validate)
//!                                             └─▶ integers of a document  (integers)
//! ```
//!
//! Sources: JSON Schema 2020-12 and draft 7, OpenAPI 3.0.4 ("Schema Object") and 3.1.1. Subschemas are
//! positions in a table, so that schemas may hold themselves.

mod canonical;
mod declared;
mod integers;
mod outline;
mod read;
mod types;
mod validate;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use declared::declared;
pub use read::{Reader, Sort};
pub use types::{promised_type, type_of};
pub use validate::{Violation, validate};

use crate::base::diagnostic::Place;
use crate::base::value;
use crate::expr::Pattern;
use outline::Outline;

/// References to references that are followed to a name.
const NAME_LIMIT: usize = 16;

/// A schema: a position in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaId(u32);

/// Schemas that refer to one another.
#[derive(Debug, Default)]
pub struct Schemas {
    rules: Vec<Rules>,
    outlines: Vec<Outline>,
}

impl Schemas {
    fn rules(&self, id: SchemaId) -> &Rules {
        &self.rules[id.0 as usize]
    }

    /// What people call a schema: one that is only a reference has the name of what it leads to.
    pub fn name(&self, mut id: SchemaId) -> &Arc<str> {
        for _ in 0..NAME_LIMIT {
            let rules = self.rules(id);
            match rules.reference {
                Some(target) if rules.properties.is_empty() && rules.all_of.is_empty() => id = target,
                _ => break,
            }
        }
        &self.rules(id).name
    }

    fn outline(&self, id: SchemaId) -> &Outline {
        &self.outlines[id.0 as usize]
    }

    /// The one alternative beside null, if there is just one.
    fn only(&self, alternatives: &[SchemaId]) -> Option<SchemaId> {
        let mut others = alternatives.iter().filter(|id| self.outline(**id).kinds != Kinds::NULL);
        let only = others.next()?;
        others.next().is_none().then_some(*only)
    }

    /// Keywords that would change what a schema allows and are not known here: each with its place.
    pub fn unsupported(&self) -> impl Iterator<Item = &(String, Place)> {
        self.rules.iter().flat_map(|rules| &rules.unsupported)
    }
}

/// What one schema says, keyword by keyword. Nothing said allows everything.
#[derive(Debug, Default)]
struct Rules {
    /// What people call it.
    name: Arc<str>,
    /// `false`: no value at all.
    never: bool,
    kinds: Option<Kinds>,
    /// `enum`, or the one value of `const`.
    values: Option<Vec<Allowed>>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    /// `exclusiveMinimum`; in OpenAPI 3.0 a boolean beside `minimum`, here the number that it means.
    exclusive_minimum: Option<f64>,
    exclusive_maximum: Option<f64>,
    multiple_of: Option<String>,
    min_length: Option<u64>,
    max_length: Option<u64>,
    pattern: Option<Pattern>,
    items: Option<SchemaId>,
    min_items: Option<u64>,
    max_items: Option<u64>,
    unique_items: bool,
    properties: Vec<Property>,
    required: Vec<String>,
    /// `additionalProperties`, if it is written.
    others: Option<SchemaId>,
    min_properties: Option<u64>,
    max_properties: Option<u64>,
    /// `$ref`.
    reference: Option<SchemaId>,
    all_of: Vec<SchemaId>,
    any_of: Vec<SchemaId>,
    one_of: Vec<SchemaId>,
    not: Option<SchemaId>,
    unsupported: Vec<(String, Place)>,
}

/// A value that `enum` or `const` lists.
#[derive(Debug)]
struct Allowed {
    /// The text by which equal values are equal.
    canonical: String,
    /// The value as people read it.
    shown: String,
    /// The text that it is, if it is one.
    text: Option<Box<str>>,
    kind: Kinds,
}

/// A member that a schema describes.
#[derive(Debug)]
struct Property {
    name: String,
    schema: SchemaId,
    /// `readOnly`: in replies only.
    read_only: bool,
}

/// The kinds of JSON values that a schema allows: a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kinds(u8);

impl Kinds {
    const NULL: Self = Self(1);
    const BOOLEAN: Self = Self(2);
    const INTEGER: Self = Self(4);
    /// Every number, whole ones included.
    const NUMBER: Self = Self(4 + 8);
    const STRING: Self = Self(16);
    const ARRAY: Self = Self(32);
    const OBJECT: Self = Self(64);
    const ALL: Self = Self(127);
    const NONE: Self = Self(0);

    const WORDS: [(&str, Self); 7] = [
        ("null", Self::NULL),
        ("boolean", Self::BOOLEAN),
        ("integer", Self::INTEGER),
        ("number", Self::NUMBER),
        ("string", Self::STRING),
        ("array", Self::ARRAY),
        ("object", Self::OBJECT),
    ];

    fn of_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, kinds)| *kinds)
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn without_null(self) -> Self {
        Self(self.0 & !Self::NULL.0)
    }

    fn allows(self, kind: Self) -> bool {
        self.0 & kind.0 == kind.0
    }

    /// The kinds of nodes that such values are in a reply. An integer that stands alone is marked as one.
    fn of_nodes(self) -> value::Kinds {
        use value::Kind::{Array, False, Int, Null, Object, True};
        let numbers = match self.without_null() {
            Self::INTEGER => value::Kinds::of(&[Int]),
            kinds if kinds.and(Self::NUMBER) != Self::NONE => value::Kinds::NUMBERS,
            _ => value::Kinds::default(),
        };
        let others = [
            (Self::NULL, value::Kinds::of(&[Null])),
            (Self::BOOLEAN, value::Kinds::of(&[False, True])),
            (Self::STRING, value::Kinds::TEXTS),
            (Self::ARRAY, value::Kinds::of(&[Array])),
            (Self::OBJECT, value::Kinds::of(&[Object])),
        ];
        let allowed = others.into_iter().filter(|(kinds, _)| self.allows(*kinds));
        allowed.fold(numbers, |all, (_, nodes)| all.and(nodes))
    }

    /// The words for these, `number` for both kinds of number.
    fn words(self) -> String {
        let words = Self::WORDS
            .iter()
            .filter(|(word, kinds)| self.allows(*kinds) && !(*word == "integer" && self.allows(Self::NUMBER)));
        words.map(|(word, _)| *word).collect::<Vec<_>>().join(" or ")
    }
}

//! References to types: a name inside lists and non-null marks, such as `[ID!]!`.

use std::fmt;
use std::sync::Arc;

use super::{Schema, TypeId};
use crate::base::diagnostic::did_you_mean;

/// Lists inside one another that a reference may have.
const LIST_LIMIT: usize = 16;

/// A reference to a type. Prints as the schema language writes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TypeRef {
    /// A value of the type, or null.
    Named {
        /// The type.
        id: TypeId,
        /// Its name.
        name: Arc<str>,
    },
    /// A list, or null.
    List(Box<TypeRef>),
    /// The same without null. Never directly inside another `NonNull`.
    NonNull(Box<TypeRef>),
}

impl TypeRef {
    /// The type at the heart of the reference.
    pub fn named(&self) -> TypeId {
        match self {
            Self::Named { id, .. } => *id,
            Self::List(inner) | Self::NonNull(inner) => inner.named(),
        }
    }

    /// Whether null is not a value of it.
    pub fn is_non_null(&self) -> bool {
        matches!(self, Self::NonNull(_))
    }

    /// The same with null allowed at the outside.
    pub fn nullable(&self) -> &Self {
        match self {
            Self::NonNull(inner) => inner,
            other => other,
        }
    }

    /// The same without null at the outside.
    #[must_use]
    pub fn non_null(self) -> Self {
        match self {
            Self::NonNull(_) => self,
            other => Self::NonNull(Box::new(other)),
        }
    }

    /// What the list holds; `None` when this is no list.
    pub fn item(&self) -> Option<&Self> {
        match self.nullable() {
            Self::List(item) => Some(item),
            _ => None,
        }
    }
}

impl fmt::Display for TypeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named { name, .. } => f.write_str(name),
            Self::List(item) => write!(f, "[{item}]"),
            Self::NonNull(inner) => write!(f, "{inner}!"),
        }
    }
}

/// The type that `text` means in `schema`. See [`Schema::type_ref`].
pub(super) fn parse(schema: &Schema, text: &str) -> Result<TypeRef, String> {
    let name = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '[' | ']' | '!'));
    let well_formed = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !well_formed || text.matches('[').count() > LIST_LIMIT {
        return Err(not_a_type(text));
    }
    let Some(id) = schema.type_named(name) else {
        let known = schema.types().filter(|(_, found)| !found.name.starts_with("__"));
        let hint = did_you_mean(name, known.map(|(_, found)| &*found.name));
        return Err(format!("no type is called `{name}`; {hint}"));
    };
    wrap(text, TypeRef::Named { id, name: schema[id].name.clone() }).ok_or_else(|| not_a_type(text))
}

/// Puts the lists and marks of `text` around the name in it.
fn wrap(text: &str, named: TypeRef) -> Option<TypeRef> {
    let text = text.trim();
    if let Some(inner) = text.strip_suffix('!') {
        let inner = wrap(inner, named)?;
        return (!inner.is_non_null()).then(|| TypeRef::NonNull(Box::new(inner)));
    }
    if let Some(inner) = text.strip_prefix('[') {
        return Some(TypeRef::List(Box::new(wrap(inner.strip_suffix(']')?, named)?)));
    }
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_').then_some(named).filter(|_| !text.is_empty())
}

fn not_a_type(text: &str) -> String {
    format!("`{text}` is no type; write a name such as ID, with ! for never null and [ ] for lists: [ID!]!")
}

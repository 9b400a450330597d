//! What contracts promise of the members that plain paths read, and what stood there instead.

use std::sync::Arc;

use crate::base::value::{Kind, Kinds, View};

/// A promise, for [`super::Env::drifted`]. Its number means something to the planner only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PromiseId(pub u32);

/// What a contract promises of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promised {
    /// Which promise that is.
    pub id: PromiseId,
    /// The kinds of value that it may hold.
    pub kinds: Kinds,
    /// The only texts that it may hold, where the contract lists them.
    pub texts: Option<Arc<[Box<str>]>>,
    /// Whether it may be absent.
    pub may_be_absent: bool,
}

impl Promised {
    /// Whether a member is as promised.
    pub(super) fn is_kept_by(&self, found: View<'_>) -> bool {
        self.kinds.holds(found.kind()) && self.lists(found)
    }

    /// Whether what was found is listed, where texts are listed and it is a text.
    fn lists(&self, found: View<'_>) -> bool {
        let Some(texts) = &self.texts else { return true };
        found.text().is_none_or(|found| texts.iter().any(|text| **text == *found))
    }
}

/// What a path met in the place of what is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instead {
    /// The object has no such member.
    Nothing,
    /// A value that can have no members stands in the place of the object.
    NoObject,
    /// A value of another kind.
    Of(Kind),
    /// A text that the contract does not list.
    Unlisted,
}

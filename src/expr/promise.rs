//! What contracts promise of the members and items that expressions read, and what stood there instead.

mod inner;

pub(super) use inner::Inner;

use std::sync::Arc;

use crate::base::value::{Kind, Kinds, View};

/// A promise, for [`super::Env::drifted`]. Its number means something to the planner only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PromiseId(pub u32);

/// What a contract promises of a member or an item.
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
    /// Whether what was found is as promised.
    pub(super) fn is_kept_by(&self, found: View<'_>) -> bool {
        self.kinds.holds(found.kind()) && self.lists(found)
    }

    /// What stands in the place of what is promised, if it is something else. Whole numbers that are not marked as
    /// integers are too large for 64 bits, and are integers all the same.
    #[cold]
    pub(super) fn instead(&self, found: View<'_>) -> Option<Instead> {
        let kind = found.kind();
        if kind == Kind::Number && self.kinds.holds(Kind::Int) {
            let is_whole = found.raw().bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
            return (!is_whole).then_some(Instead::Of(kind));
        }
        Some(if self.kinds.holds(kind) { Instead::Unlisted } else { Instead::Of(kind) })
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

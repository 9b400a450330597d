//! What contracts promise of the members that plain paths read, and what stood there instead.

use crate::base::value::{Kind, Kinds};

/// A promise, for [`super::Env::drifted`]. Its number means something to the planner only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PromiseId(pub u32);

/// What a contract promises of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promised {
    /// Which promise that is.
    pub id: PromiseId,
    /// The kinds of value that it may hold.
    pub kinds: Kinds,
    /// Whether it may be absent.
    pub may_be_absent: bool,
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
}

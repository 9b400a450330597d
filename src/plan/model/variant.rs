//! What differs between the variants of a backend, and which of them a call goes to.

use crate::base::id::BackendId;
use crate::expr::Node;

/// One thing for each variant of a backend that a call may go to.
///
/// A backend without variants has one, and so has a call that names its variant.
#[derive(Debug)]
pub struct Variants<T> {
    /// The variants, in written order; at least one.
    pub list: Box<[T]>,
    /// Which of them.
    pub choose: Choose,
}

/// Which variant a call goes to.
#[derive(Debug)]
pub enum Choose {
    /// The first.
    First,
    /// That whose name a value is.
    Name {
        /// The names, in the order of the list.
        names: Box<[Box<str>]>,
        /// The value.
        by: Node,
    },
    /// By shares.
    Shares {
        /// For each of the list the sum of its share and those before it.
        up_to: Box<[u64]>,
        /// What decides, where it is not null.
        by: Option<Node>,
        /// Whose calls go round where nothing decides: the backend's first variant.
        of: BackendId,
    },
}

impl<T> Variants<T> {
    /// The only one.
    pub(crate) fn only(one: T) -> Self {
        Self { list: Box::new([one]), choose: Choose::First }
    }

    /// The program that decides, if one does.
    pub(crate) fn node(&self) -> Option<&Node> {
        match &self.choose {
            Choose::First => None,
            Choose::Name { by, .. } => Some(by),
            Choose::Shares { by, .. } => by.as_ref(),
        }
    }
}

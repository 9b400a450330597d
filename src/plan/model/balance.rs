//! Which of a backend's addresses gets a call, resolved: the nearest that is written, with every default filled in.

use std::time::Duration;

use crate::policy::{balance, eject};

/// Which of a backend's addresses gets a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Balance {
    /// How one is chosen, where nothing of the call decides.
    pub algorithm: balance::Algorithm,
    /// When one is left out.
    pub eject: Option<eject::Settings>,
    /// How long one that joins or comes back takes until it has its whole share.
    pub slow_start: Duration,
}

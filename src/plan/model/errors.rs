//! The statuses with which an endpoint answers its failures.

use crate::base::failure::Failure;

/// Statuses by the code of a failure, and by the status that it would have.
#[derive(Debug, Default)]
pub struct ErrorStatuses {
    /// By code; these come first.
    pub by_code: Box<[(Box<str>, u16)]>,
    /// By status.
    pub by_status: Box<[(u16, u16)]>,
}

impl ErrorStatuses {
    /// The failure with the status that it is answered with.
    #[must_use]
    pub fn answering(&self, failure: Failure) -> Failure {
        let by_code = self.by_code.iter().find(|(code, _)| **code == *failure.code()).map(|(_, status)| *status);
        let by_status = || self.by_status.iter().find(|(from, _)| *from == failure.status()).map(|(_, to)| *to);
        match by_code.or_else(by_status) {
            Some(status) => Failure { status: Some(status), ..failure },
            None => failure,
        }
    }
}

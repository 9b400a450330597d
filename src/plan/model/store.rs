//! The store that replicas share, as it will be reached.

use std::fmt;

use super::Address;

/// A store that replicas share.
#[derive(Clone, PartialEq)]
pub struct Store {
    /// Where it is, with TLS where that is said.
    pub address: Address,
    /// Who the gateway is to it.
    pub user: Option<Box<str>>,
    /// What proves that.
    pub password: Option<Box<str>>,
    /// Which of its databases.
    pub database: u16,
}

/// Where it is, and nothing of who the gateway is to it.
impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.address.tls.is_some() { "rediss" } else { "redis" };
        write!(f, "{scheme}://{}/{}", self.address.authority, self.database)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({self})")
    }
}

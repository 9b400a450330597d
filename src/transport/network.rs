//! Which network backends are reached in.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::names::{Answer, Resolver, Service, Unanswered};
use crate::base::wire::Wire;

/// Where the hosts of addresses are. It is asked once for each connection.
#[derive(Clone, Debug)]
pub enum Network {
    /// In the network of this machine, at the addresses that name servers say.
    Machine(Arc<Resolver>),
    /// In another one, such as that of a simulation.
    Other(Arc<dyn Dial>),
}

/// Opens wires in a network that is not the machine's.
pub trait Dial: fmt::Debug + Send + Sync {
    /// Opens a wire to a host, by its name or address, and a port of it.
    ///
    /// # Errors
    /// There is no such host, or nobody listens there.
    fn dial(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Box<dyn Wire>>>;
}

impl Network {
    /// That of this machine, where these name servers are asked; without one, those that the machine asks.
    pub fn asking(servers: &[SocketAddr]) -> Self {
        Self::Machine(Arc::new(Resolver::new(servers)))
    }

    /// Whether hosts are where these name servers say.
    pub fn asks(&self, servers: &[SocketAddr]) -> bool {
        match self {
            Self::Machine(resolver) => resolver.asks(servers),
            Self::Other(_) => true,
        }
    }

    /// The addresses of a host as name servers say them now; what they said before does not count.
    ///
    /// # Errors
    /// They say none.
    pub async fn addresses(&self, host: &str) -> Result<Answer<IpAddr>, Unanswered> {
        match self {
            Self::Machine(resolver) => resolver.addresses(host).await,
            Self::Other(_) => Err(Unanswered::nobody()),
        }
    }

    /// The places of a service as name servers say them now.
    ///
    /// # Errors
    /// They say none.
    pub async fn services(&self, name: &str) -> Result<Answer<Service>, Unanswered> {
        match self {
            Self::Machine(resolver) => resolver.services(name).await,
            Self::Other(_) => Err(Unanswered::nobody()),
        }
    }
}

impl Default for Network {
    /// That of this machine, with the name servers that it asks.
    fn default() -> Self {
        Self::asking(&[])
    }
}

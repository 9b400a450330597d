//! Which network backends are reached in.

use std::fmt;
use std::io;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::base::wire::Wire;

/// Where the hosts of addresses are. It is asked once for each connection.
#[derive(Clone, Debug, Default)]
pub enum Network {
    /// In the network of this machine.
    #[default]
    Machine,
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

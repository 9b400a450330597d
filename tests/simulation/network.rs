//! The simulated network as the gateway reaches its backends in it.

use std::io;

use futures_util::future::{BoxFuture, FutureExt as _};
use selvedge::base::wire::Wire;
use selvedge::transport::Dial;
use turmoil::net::TcpStream;

/// The network that the host is in which asks.
#[derive(Debug)]
pub(crate) struct Simulated;

impl Dial for Simulated {
    fn dial(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Box<dyn Wire>>> {
        let host = host.to_owned();
        async move { Ok(Box::new(TcpStream::connect((host, port)).await?) as Box<dyn Wire>) }.boxed()
    }
}

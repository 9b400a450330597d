//! Follows whoever knows the addresses of a backend.
//!
//! Each [`Directory`] has a [`Watch`], which is asked again and again and answers at once the first time, and then when it
//! may have something else to tell. How long that takes is its own affair. What was good last stays until something
//! better comes; each time of trouble is told once.

mod consul;
mod dns;
mod file;
mod kubernetes;
mod patience;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::uri::Authority;
use tokio::sync::watch::Sender;

use super::{Clients, Group};
use crate::plan::{Address, Directory, Discover};
use dns::Question;

/// An address that was found.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    /// `host:port`; the host is an IP address, or a name that is resolved when somebody connects.
    pub(super) location: Authority,
    /// How much of the calls it gets beside the others; at least 1.
    pub(super) weight: u32,
}

/// What is kept between two looks into a directory.
#[derive(Debug)]
enum Watch {
    File(file::Watch),
    Dns(dns::Watch),
    Consul(Box<consul::Watch>),
    Kubernetes(Box<kubernetes::Watch>),
}

/// Lets the group have the addresses that are found, for as long as it lives; `looked` is told once the first look is over.
pub(super) async fn follow(group: Arc<Group>, discover: Discover, looked: Sender<bool>) {
    let mut watch = Watch::of(discover.directory, &group.clients);
    let mut complained = false;
    loop {
        match watch.next().await {
            Ok(found) => {
                complained = false;
                let address = |Found { location, weight }| Address { location, weight, ..discover.pattern.clone() };
                group.replace(&found.into_iter().map(address).collect::<Vec<_>>());
            }
            Err(why) if !complained => {
                complained = true;
                tracing::warn!(why, "addresses cannot be discovered; those before stay");
            }
            Err(_) => {}
        }
        // Nobody may wait for it any more.
        let _ = looked.send(true);
    }
}

impl Watch {
    fn of(directory: Directory, clients: &Clients) -> Self {
        let dns = |question, every| Self::Dns(dns::Watch::new(question, every, clients.network.clone()));
        match directory {
            Directory::File { path, every } => Self::File(file::Watch::new(path, every)),
            Directory::Host { name, port, every } => dns(Question::Host(name, port), every),
            Directory::Service { name, every } => dns(Question::Service(name), every),
            Directory::Consul(consul) => Self::Consul(Box::new(consul::Watch::new(consul, clients))),
            Directory::Kubernetes(kubernetes) => {
                Self::Kubernetes(Box::new(kubernetes::Watch::new(kubernetes, clients.clone())))
            }
        }
    }

    /// The addresses, all of them. Given up while it waits, it may be asked again.
    ///
    /// # Errors
    /// They are not to be had, in words for operators.
    async fn next(&mut self) -> Result<Vec<Found>, String> {
        match self {
            Self::File(file) => file.next().await,
            Self::Dns(dns) => dns.next().await,
            Self::Consul(consul) => consul.next().await,
            Self::Kubernetes(kubernetes) => kubernetes.next().await,
        }
    }
}

/// Where a host with a port is.
///
/// # Errors
/// They are none.
fn at(host: &str, port: u16) -> Result<Authority, String> {
    let written = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let authority = written.parse::<Authority>().ok().filter(|authority| port != 0 && authority.as_str() == written);
    authority.ok_or_else(|| format!("`{written}` is no address"))
}

//! Consul and Kubernetes, who know the addresses of backends while they run.

use std::path::PathBuf;
use std::time::Duration;

use http::HeaderValue;

use super::Address;

/// A service that a Consul agent knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Consul {
    /// Where the agent is.
    pub agent: Address,
    /// What it is asked: path and query, to which what is known already is added.
    pub target: Box<str>,
    /// What it knows the gateway by.
    pub token: Option<HeaderValue>,
    /// How long it may hold its answer back while there is nothing new.
    pub wait: Duration,
}

/// A service of Kubernetes.
#[derive(Clone, Debug, PartialEq)]
pub struct Kubernetes {
    /// Where its API is.
    pub api: Api,
    /// Its name.
    pub service: Box<str>,
    /// Its namespace; that of the gateway itself unless said.
    pub namespace: Option<Box<str>>,
    /// Which of its ports; the only one unless said.
    pub port: Option<Port>,
    /// How long the API goes on telling what changes before it is asked anew.
    pub wait: Duration,
}

/// Where the API of Kubernetes is.
#[derive(Clone, Debug, PartialEq)]
pub enum Api {
    /// It is that of the cluster in which the gateway runs; whatever is needed stands in files of its container.
    OfThisCluster,
    /// It is elsewhere.
    At {
        /// Where.
        address: Address,
        /// The file with what the API knows the gateway by. It is read anew each time.
        token: Option<PathBuf>,
    },
}

/// A port of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Port {
    /// By its name.
    Named(Box<str>),
    /// By its number, at the endpoints.
    Numbered(u16),
}

//! Which of a backend's addresses gets a call, resolved: the nearest that is written, with every default filled in.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Address, Consul, Kubernetes};
use crate::policy::{balance, eject, health};

/// Which of a backend's addresses gets a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Balance {
    /// How one is chosen, where nothing of the call decides.
    pub algorithm: balance::Algorithm,
    /// Whether clients stay at one by a cookie.
    pub sticky: Option<Arc<Sticky>>,
    /// When one is left out.
    pub eject: Option<eject::Settings>,
    /// How they are asked whether they are well.
    pub health: Option<HealthCheck>,
    /// How long one that joins or comes back takes until it has its whole share.
    pub slow_start: Duration,
}

/// How clients stay at one of a backend's addresses.
#[derive(Debug, PartialEq, Eq)]
pub struct Sticky {
    /// The cookie that says at which.
    pub cookie: Box<str>,
    /// What stands behind its value in `Set-Cookie`.
    pub attributes: Box<str>,
    /// Whose addresses they are: the backend and its variant.
    pub of: Box<str>,
}

/// How addresses are asked whether they are well.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthCheck {
    /// What they are asked.
    pub question: Question,
    /// How often, and what answers mean.
    pub settings: health::Settings,
}

/// What an address is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// REST: GET of this path, behind the address's own; a status of 200 to 299 is well.
    Path(http::uri::PathAndQuery),
    /// gRPC: `grpc.health.v1.Health/Check` for this service; empty for all.
    Service(String),
}

/// Where the addresses of a backend are found while it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Discover {
    /// Who knows them.
    pub directory: Directory,
    /// What else each of them is: scheme, path, TLS, and the host that it is asked as.
    pub pattern: Address,
}

/// Who knows the addresses of a backend.
#[derive(Clone, Debug, PartialEq)]
pub enum Directory {
    /// A file lists them.
    File {
        /// Where it is.
        path: PathBuf,
        /// How often it is read.
        every: Duration,
    },
    /// Name servers know the addresses of a host, which are those of the backend.
    Host {
        /// Its name.
        name: Box<str>,
        /// The port at each of them.
        port: u16,
        /// How long an answer counts at most.
        every: Option<Duration>,
    },
    /// Name servers know the places of a service: hosts, ports and weights (RFC 2782).
    Service {
        /// Its name.
        name: Box<str>,
        /// How long an answer counts at most.
        every: Option<Duration>,
    },
    /// A Consul agent knows which instances of a service are well.
    Consul(Consul),
    /// Kubernetes knows which endpoints of a service are ready.
    Kubernetes(Kubernetes),
}

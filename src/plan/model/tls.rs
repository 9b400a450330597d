//! TLS as it will be spoken: certificates, keys and authorities were read and checked.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};

/// TLS to one address of a backend. The backend's certificate is always verified.
#[derive(Clone, Debug)]
pub struct ClientTls {
    /// Authorities, versions and the gateway's own certificate; the same for all addresses of a backend. It offers no
    /// protocols: whoever connects knows what it wants to speak.
    pub config: Arc<ClientConfig>,
    /// The name that the certificate must have.
    pub server_name: ServerName<'static>,
}

/// TLS to clients, with the gateway's certificate; HTTP/2 and HTTP/1.1 are offered.
#[derive(Clone, Debug)]
pub struct ServerTls(pub Arc<ServerConfig>);

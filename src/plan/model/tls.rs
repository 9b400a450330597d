//! TLS as it will be spoken: certificates, keys and authorities were read and checked.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};

/// TLS to one address of a backend. The backend's certificate is always verified.
#[derive(Clone, Debug)]
pub struct ClientTls {
    /// Authorities, versions and the gateway's own certificate; the same for all addresses of a backend. It offers no
    /// protocols: whoever connects knows what it wants to speak.
    pub config: Arc<ClientConfig>,
    /// What `config` was made of, which says whether another is the same.
    pub origin: Arc<TlsOrigin>,
    /// The name that the certificate must have.
    pub server_name: ServerName<'static>,
}

impl ClientTls {
    /// TLS to a server whose certificate comes from one of these authorities (PEM).
    ///
    /// # Errors
    /// They are none, in words for operators.
    pub fn trusting(authorities: &[u8], server: &str) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(authorities) {
            let certificate = certificate.map_err(|error| format!("the authorities: {error}"))?;
            roots.add(certificate).map_err(|error| format!("the authorities: {error}"))?;
        }
        let origin = TlsOrigin { roots: Arc::new(roots), versions: rustls::ALL_VERSIONS, shown: None };
        let builder = ClientConfig::builder_with_provider(provider()).with_protocol_versions(origin.versions);
        let builder = builder.map_err(|error| error.to_string())?.with_root_certificates(origin.roots.clone());
        let server_name = ServerName::try_from(server.to_owned()).map_err(|error| error.to_string())?;
        Ok(Self { config: Arc::new(builder.with_no_client_auth()), origin: Arc::new(origin), server_name })
    }
}

/// The one implementation of cryptography in the process.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

impl PartialEq for ClientTls {
    fn eq(&self, other: &Self) -> bool {
        self.server_name == other.server_name && self.origin == other.origin
    }
}

/// What TLS to a backend was made of.
#[derive(Debug)]
pub struct TlsOrigin {
    /// The authorities that are trusted.
    pub roots: Arc<RootCertStore>,
    /// The versions that are spoken.
    pub versions: &'static [&'static SupportedProtocolVersion],
    /// The gateway's own certificate, with those between it and its authority, and its key.
    pub shown: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

impl PartialEq for TlsOrigin {
    fn eq(&self, other: &Self) -> bool {
        (&self.roots.roots, self.versions, &self.shown) == (&other.roots.roots, other.versions, &other.shown)
    }
}

/// TLS to clients, with the gateway's certificate; HTTP/2 and HTTP/1.1 are offered.
#[derive(Clone, Debug)]
pub struct ServerTls {
    /// What is spoken, and the sessions that clients may resume.
    pub config: Arc<ServerConfig>,
    /// What `config` was made of, which says whether another is the same.
    pub origin: Arc<ServerTlsOrigin>,
}

impl PartialEq for ServerTls {
    fn eq(&self, other: &Self) -> bool {
        self.origin == other.origin
    }
}

/// What TLS to clients was made of.
#[derive(Debug, PartialEq)]
pub struct ServerTlsOrigin {
    /// The versions that are spoken.
    pub versions: &'static [&'static SupportedProtocolVersion],
    /// The certificate, with those between it and its authority.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its key.
    pub key: PrivateKeyDer<'static>,
}

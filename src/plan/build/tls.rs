//! TLS on both sides: files with certificates, keys and authorities, read and checked when the project is.

use std::cell::OnceCell;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, InconsistentKeys, RootCertStore, ServerConfig, SupportedProtocolVersion, version};

use super::report::Report;
use crate::base::diagnostic::Place;
use crate::plan::{ClientTls, ServerTls, ServerTlsOrigin, TlsOrigin, tls_provider};
use crate::spec::{self, Asked, FilePath, Located, LookUp, Switch, TlsVersion};

/// What a backend says about TLS to it.
#[derive(Clone, Copy)]
pub(super) struct Said<'s> {
    tls: Option<&'s spec::ClientTls>,
    certificate: Option<&'s spec::Certificate>,
}

impl<'s> Said<'s> {
    const NOTHING: Said<'static> = Said { tls: None, certificate: None };

    /// By this backend.
    pub(super) fn of(backend: &'s spec::Backend) -> Self {
        let credentials = backend.policies.auth.as_ref().and_then(Switch::on);
        Self { tls: backend.tls.as_ref(), certificate: credentials.and_then(|credentials| credentials.mtls.as_ref()) }
    }

    /// About a server that is no backend.
    pub(super) fn of_server(tls: Option<&'s spec::ClientTls>) -> Self {
        Self { tls, certificate: None }
    }

    /// Whether the gateway shows a certificate of its own.
    pub(super) fn shows_a_certificate(&self) -> bool {
        self.certificate.is_some()
    }
}

/// TLS to the addresses of one backend, made when the first of them needs it.
pub(super) struct Secured<'s> {
    /// What is written.
    pub(super) said: Said<'s>,
    /// The backend's key path.
    pub(super) path: &'s str,
    /// What its addresses share; `None` inside if a file is not what it must be.
    pub(super) config: OnceCell<Option<(Arc<ClientConfig>, Arc<TlsOrigin>)>>,
}

/// What reads the files that TLS needs, and says what is wrong with them.
#[derive(Clone, Copy)]
pub(super) struct Files<'s> {
    pub(super) look_up: LookUp<'s>,
    pub(super) report: &'s Report,
    /// The authorities that the machine trusts, once a backend needs them.
    pub(super) roots: &'s OnceCell<Arc<RootCertStore>>,
}

impl Files<'_> {
    /// What all addresses of a backend share; `None`, and diagnostics, if a file is not what it must be.
    fn client_tls(&self, said: Said<'_>, (place, path): (&Place, &str)) -> Option<(Arc<ClientConfig>, Arc<TlsOrigin>)> {
        let authorities = said.tls.map(|tls| tls.authorities.as_slice()).unwrap_or_default();
        let roots = match authorities {
            [] => self.roots_of_the_system((place, path)),
            files => self.roots(files, &format!("{path}.tls.authorities")),
        };
        let versions = versions(said.tls.and_then(|tls| tls.minimum.as_ref()));
        let builder = ClientConfig::builder_with_provider(tls_provider()).with_protocol_versions(versions).ok();
        let shown = match said.certificate {
            Some(own) => Some(self.certificate((&own.certificate, &own.key), &format!("{path}.auth.mtls"))?),
            None => None,
        };
        let origin = TlsOrigin { roots: roots?, versions, shown };
        let builder = builder?.with_root_certificates(origin.roots.clone());
        let config = match (&origin.shown, said.certificate) {
            (Some((chain, key)), Some(own)) => {
                let made = builder.with_client_auth_cert(chain.clone(), key.clone_key());
                self.certified((&own.key, &format!("{path}.auth.mtls.key")), made)?
            }
            _ => builder.with_no_client_auth(),
        };
        Some((Arc::new(config), Arc::new(origin)))
    }

    /// TLS to a host of which nothing more is said: with the authorities that the machine trusts.
    pub(super) fn tls_of_the_system(&self, host: &str, (place, path): (&Place, &str)) -> Option<ClientTls> {
        let secured = Secured { said: Said::NOTHING, path, config: OnceCell::new() };
        self.address_tls(&secured, host, (place, path))
    }

    /// TLS to one address of a backend.
    pub(super) fn address_tls(
        &self,
        secured: &Secured<'_>,
        host: &str,
        (place, path): (&Place, &str),
    ) -> Option<ClientTls> {
        let config = secured.config.get_or_init(|| self.client_tls(secured.said, (place, secured.path)));
        let written = secured.said.tls.and_then(|tls| tls.server_name.as_ref());
        let name = written.map_or(host.trim_start_matches('[').trim_end_matches(']'), |name| &name.value);
        let Ok(server_name) = ServerName::try_from(name.to_owned()) else {
            let place = written.map_or(place, |name| &name.place);
            let message = "this is no name that a certificate can have".to_owned();
            let help = "write the name of a host, as in `catalog.internal`, or an IP address".to_owned();
            self.report.error("bad-address", (place, path), message, help);
            return None;
        };
        let (config, origin) = config.clone()?;
        Some(ClientTls { config, origin, server_name })
    }

    /// TLS to clients; `Err` after a diagnostic.
    pub(super) fn server_tls(&self, written: Option<&spec::ServerTls>) -> Result<Option<ServerTls>, ()> {
        let Some(written) = written else { return Ok(None) };
        let path = "gateway.tls";
        let (chain, key) = self.certificate((&written.certificate, &written.key), path).ok_or(())?;
        let origin = ServerTlsOrigin { versions: versions(written.minimum.as_ref()), chain, key };
        let builder = ServerConfig::builder_with_provider(tls_provider());
        let builder = builder.with_protocol_versions(origin.versions).map_err(|_| ())?;
        let made = builder.with_no_client_auth().with_single_cert(origin.chain.clone(), origin.key.clone_key());
        let mut config = self.certified((&written.key, path), made).ok_or(())?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Some(ServerTls { config: Arc::new(config), origin: Arc::new(origin) }))
    }

    /// A certificate with those between it and its authority, and its key.
    fn certificate(
        &self,
        (certificate, key): (&Located<FilePath>, &Located<FilePath>),
        path: &str,
    ) -> Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
        let chain = self.certificates(certificate, &format!("{path}.certificate"));
        let path = format!("{path}.key");
        let read = self.file(key, &path).map(|text| PrivateKeyDer::from_pem_slice(text.as_bytes()));
        if let Some(Err(_)) = &read {
            let help = "it begins with `-----BEGIN PRIVATE KEY-----`";
            self.complain::<()>((key, &path), "holds no private key in PEM", help);
        }
        Some((chain?, read?.ok()?))
    }

    /// The certificates of a file, of which there is at least one.
    fn certificates(&self, file: &Located<FilePath>, path: &str) -> Option<Vec<CertificateDer<'static>>> {
        let text = self.file(file, path)?;
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
        match read {
            Ok(certificates) if !certificates.is_empty() => Some(certificates),
            _ => {
                let help = "each begins with `-----BEGIN CERTIFICATE-----`";
                self.complain((file, path), "holds no certificate in PEM", help)
            }
        }
    }

    /// The authorities of files.
    fn roots(&self, files: &[Located<FilePath>], path: &str) -> Option<Arc<RootCertStore>> {
        let mut roots = RootCertStore::empty();
        let mut whole = true;
        for file in files {
            let certificates = self.certificates(file, path);
            whole &= certificates.is_some();
            for certificate in certificates.unwrap_or_default() {
                if roots.add(certificate).is_err() {
                    whole = false;
                    self.complain::<()>(
                        (file, path),
                        "holds a certificate that no authority can have",
                        "name another file",
                    );
                }
            }
        }
        whole.then(|| Arc::new(roots))
    }

    /// The authorities that this machine trusts, read once for all backends.
    fn roots_of_the_system(&self, (place, path): (&Place, &str)) -> Option<Arc<RootCertStore>> {
        let roots = self.roots.get_or_init(|| {
            let mut roots = RootCertStore::empty();
            // A system may have certificates that are no use here; what matters is whether any is.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            Arc::new(roots)
        });
        if roots.is_empty() {
            let message = "no certificate can be verified: this machine has no certificate authorities".to_owned();
            let help = "install them (often the package `ca-certificates`), or name a file: `tls: { authorities: … }`";
            self.report.error("certificate", (place, path), message, help.to_owned());
            return None;
        }
        Some(roots.clone())
    }

    /// What was made of a certificate and its key, or why they do not belong together.
    fn certified<T>(&self, at: (&Located<FilePath>, &str), made: Result<T, rustls::Error>) -> Option<T> {
        match made {
            Ok(made) => Some(made),
            Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => self.complain(
                at,
                "holds another key than that of the certificate",
                "name the two files that belong together",
            ),
            Err(error) => self.complain(
                at,
                &format!("holds a key that cannot be used: {error}"),
                "RSA, ECDSA and Ed25519 can be used",
            ),
        }
    }

    fn file(&self, file: &Located<FilePath>, path: &str) -> Option<String> {
        match (self.look_up)(Asked::File(&file.value.0)) {
            Ok(Some(text)) => Some(text),
            Ok(None) => self.complain(
                (file, path),
                "is not there",
                "a path that does not begin with `/` is one of the project's folder",
            ),
            Err(why) => self.complain((file, path), &format!("cannot be read: {why}"), ""),
        }
    }

    /// Says what is wrong with a file.
    fn complain<T>(&self, (file, path): (&Located<FilePath>, &str), what: &str, help: &str) -> Option<T> {
        // What a constant holds is not shown: the place says which file it is.
        self.report.error("certificate", (&file.place, path), format!("the file {what}"), help.to_owned());
        None
    }
}

/// The versions of TLS from a minimum on; 1.1 and older are never spoken (RFC 8996).
fn versions(minimum: Option<&Located<TlsVersion>>) -> &'static [&'static SupportedProtocolVersion] {
    static NEWEST: &[&SupportedProtocolVersion] = &[&version::TLS13];
    match minimum.map(|minimum| minimum.value) {
        Some(TlsVersion::Tls13) => NEWEST,
        Some(TlsVersion::Tls12) | None => rustls::ALL_VERSIONS,
    }
}

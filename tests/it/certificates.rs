//! Certificates made for the tests: an authority, what it signed, and what nobody should trust; and TLS with them.
//!
//! They stand in one folder of files, which documents and rejects call `/tls.test/`.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The folder as documents name it.
const NAME: &str = "/tls.test/";

/// The text with the folder's name replaced by where it is.
pub(crate) fn locate(text: &str) -> String {
    match text.contains(NAME) {
        true => text.replace(NAME, &format!("{}/", folder().display())),
        false => text.to_owned(),
    }
}

/// The file `name` of the folder.
pub(crate) fn file(name: &str) -> PathBuf {
    folder().join(name)
}

/// The folder, filled once for each run of the tests.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tls-{}", std::process::id()));
        make(&folder).expect("certificates can be made");
        folder
    })
}

fn make(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    fs::create_dir_all(folder)?;
    let authority = authority("the authority of the tests")?;
    let stranger = self::authority("an authority that nobody trusts")?;
    fs::write(folder.join("authority.pem"), authority.pem())?;
    fs::write(folder.join("itself.pem"), authority.pem())?;
    fs::write(folder.join("itself.key"), authority.key().serialize_pem())?;
    let names = ["localhost", "a.test", "127.0.0.1"];
    let mut expired = params(&names)?;
    expired.not_after = date_time_ymd(2001, 1, 1);
    let signed = [
        ("server", params(&names)?, &authority),
        ("client", params(&["gateway.test"])?, &authority),
        ("stranger", params(&names)?, &stranger),
        ("misnamed", params(&["other.test"])?, &authority),
        ("expired", expired, &authority),
    ];
    for (name, params, issuer) in signed {
        let key = KeyPair::generate()?;
        fs::write(folder.join(format!("{name}.pem")), params.signed_by(&key, issuer)?.pem())?;
        fs::write(folder.join(format!("{name}.key")), key.serialize_pem())?;
    }
    Ok(())
}

fn authority(name: &str) -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn params(names: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    Ok(params)
}

/// TLS of a server with the certificate `name`, offering `protocols`. A client that shows a certificate of another
/// authority is refused.
pub(crate) fn server(name: &str, protocols: &[&[u8]]) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(file("authority.pem")).expect("it was written");
    roots.add(authority).expect("it is an authority");
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let clients = clients.allow_unauthenticated().build().expect("the authority can be used");
    let certificate = CertificateDer::from_pem_file(file(&format!("{name}.pem"))).expect("it was written");
    let key = PrivateKeyDer::from_pem_file(file(&format!("{name}.key"))).expect("it was written");
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(rustls::ALL_VERSIONS);
    let builder = builder.expect("the versions are known").with_client_cert_verifier(clients);
    let mut config = builder.with_single_cert(vec![certificate], key).expect("they belong together");
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Arc::new(config)
}

/// A connection over TLS with `localhost`, whose certificate is verified.
///
/// # Errors
/// What either side says of the other.
pub(crate) async fn connect(
    address: SocketAddr,
    protocol: &[u8],
    versions: &[&'static SupportedProtocolVersion],
) -> Result<TlsStream<TcpStream>, String> {
    let stream = connect_again(&client(protocol, versions), address).await?;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol));
    Ok(stream)
}

/// The same as somebody who may have been there before, and resumes that session if he can.
///
/// # Errors
/// What either side says of the other.
pub(crate) async fn connect_again(client: &TlsConnector, address: SocketAddr) -> Result<TlsStream<TcpStream>, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let name = ServerName::try_from("localhost").map_err(|error| error.to_string())?;
    client.connect(name, stream).await.map_err(|error| error.to_string())
}

/// TLS of a client that trusts the authority of the tests.
pub(crate) fn client(protocol: &[u8], versions: &[&'static SupportedProtocolVersion]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(file("authority.pem")).expect("it was written");
    roots.add(authority).expect("it is an authority");
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_protocol_versions(versions).expect("the versions are known");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    TlsConnector::from(Arc::new(config))
}

//! Connections of the scripted backends: with TLS when the gateway begins with it, on the same port as without.

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::certificates;
use crate::http1::Wire;

/// An accepted connection.
pub(super) struct Accepted {
    /// What is spoken on.
    pub(super) stream: Box<dyn Wire>,
    /// What is to be said of TLS, as if every request had these header fields.
    pub(super) facts: Vec<(String, String)>,
}

/// Takes a connection for the backend `name`, which shows the certificate of that name if there is one; `None` when TLS
/// does not come about.
pub(super) async fn accept(stream: TcpStream, name: &str, protocol: &[u8]) -> Option<Accepted> {
    let mut first = [0];
    stream.peek(&mut first).await.ok()?;
    // The first byte of a handshake (RFC 8446 section 5.1); no method of HTTP begins so.
    if first != [22] {
        return Some(Accepted { stream: Box::new(stream), facts: Vec::new() });
    }
    let certificate = if certificates::file(&format!("{name}.key")).exists() { name } else { "server" };
    let acceptor = TlsAcceptor::from(certificates::server(certificate, &[protocol]));
    let stream = acceptor.accept(stream).await.ok()?;
    let tls = stream.get_ref().1;
    let version = tls.protocol_version().map(|version| format!("{version:?}")).unwrap_or_default();
    let client = if tls.peer_certificates().is_some() { "a certificate" } else { "nothing" };
    let facts =
        [("tls-version", version.as_str()), ("tls-name", tls.server_name().unwrap_or("")), ("tls-client", client)];
    let facts = facts.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Some(Accepted { stream: Box::new(stream), facts })
}

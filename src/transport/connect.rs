//! Opens connections to backends, with TLS where the address says `https://`.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use rustls::CertificateError;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::{Network, words};
use crate::base::failure::{Cause, Failure};
use crate::base::wire::Wire;
use crate::plan::{Address, ClientTls};

/// The time that finding a host and a TCP connection to it may take, and then TLS on it, within the call's own deadline.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How long one place of a host may take before the next is tried beside it.
const NEXT_PLACE: Duration = Duration::from_millis(250);

/// HTTP/2 and HTTP/1.1 as TLS names them (RFC 7301).
pub(super) const HTTP2: &[u8] = b"h2";
pub(super) const HTTP1: &[u8] = b"http/1.1";

/// A connection to a backend: as it is, or with TLS on it.
pub(crate) type Stream = Either<Plain, Box<TlsStream<Plain>>>;

/// A connection as it is: a socket, or what stands for one in another network.
type Plain = Either<TcpStream, Box<dyn Wire>>;

/// An address, and the network that it is in.
#[derive(Clone, Debug)]
pub struct Reach {
    /// The address.
    pub address: Address,
    /// The network.
    pub network: Network,
}

/// Whether both sides agreed on HTTP/2 while TLS came about.
pub(super) fn speaks_http2(stream: &Stream) -> bool {
    match stream {
        Either::Left(_) => false,
        Either::Right(secured) => secured.get_ref().1.alpn_protocol() == Some(HTTP2),
    }
}

/// Connects within a bounded time, without delaying small writes. `protocols` are offered over TLS.
///
/// # Errors
/// Nobody listens, the host has no address, it took too long, or TLS did not come about.
pub(crate) async fn connect(Reach { address, network }: &Reach, protocols: &[&[u8]]) -> Result<Stream, Failure> {
    let failed = |error: io::Error| Failure::new(Cause::ConnectFailed, words(&error));
    let stream = open(address, network).await.map_err(failed)?;
    let Some(tls) = &address.tls else { return Ok(Either::Left(stream)) };
    match tokio::time::timeout(TIMEOUT, secure(tls, protocols, stream)).await {
        Ok(secured) => secured.map(|stream| Either::Right(Box::new(stream))),
        Err(_) => Err(Failure::new(Cause::ConnectFailed, "TLS: the handshake took too long")),
    }
}

async fn open(address: &Address, network: &Network) -> io::Result<Plain> {
    let host = address.location.host().trim_start_matches('[').trim_end_matches(']');
    let port = address.port();
    let opened = async {
        Ok(match network {
            Network::Machine(resolver) => {
                let stream = first_of(resolver.places(host, port).await?).await?;
                stream.set_nodelay(true)?;
                Either::Left(stream)
            }
            Network::Other(network) => Either::Right(network.dial(host, port).await?),
        })
    };
    match tokio::time::timeout(TIMEOUT, opened).await {
        Ok(opened) => opened,
        Err(_) => Err(io::Error::new(ErrorKind::TimedOut, "connecting took too long")),
    }
}

/// The first connection that comes about. The next place is tried when one fails, and beside one that takes long
/// (RFC 8305, section 5).
async fn first_of(places: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut places = places.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut failed = io::Error::from(ErrorKind::NotFound);
    loop {
        match places.next() {
            Some(place) => attempts.push(TcpStream::connect(place)),
            None if attempts.is_empty() => return Err(failed),
            None => {}
        }
        let ended = match places.len() {
            0 => attempts.next().await,
            _ => tokio::time::timeout(NEXT_PLACE, attempts.next()).await.unwrap_or(None),
        };
        match ended {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => failed = error,
            None => {}
        }
    }
}

async fn secure(tls: &ClientTls, protocols: &[&[u8]], stream: Plain) -> Result<TlsStream<Plain>, Failure> {
    let connector = TlsConnector::from(tls.config.clone());
    let offered = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let connected = connector.with_alpn(offered).connect(tls.server_name.clone(), stream).await;
    connected.map_err(|error| {
        let told = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let why = told.map_or_else(|| words(&error).to_string(), |told| why(told, tls));
        Failure::new(Cause::ConnectFailed, format!("TLS: {why}"))
    })
}

/// What an operator has to know of a handshake that failed.
fn why(error: &rustls::Error, tls: &ClientTls) -> String {
    use CertificateError as Wrong;
    let name = tls.server_name.to_str();
    match error {
        rustls::Error::InvalidCertificate(Wrong::Expired | Wrong::ExpiredContext { .. }) => {
            "the backend's certificate has expired".to_owned()
        }
        rustls::Error::InvalidCertificate(Wrong::NotValidYet | Wrong::NotValidYetContext { .. }) => {
            "the backend's certificate is not valid yet".to_owned()
        }
        rustls::Error::InvalidCertificate(Wrong::UnknownIssuer) => {
            "the backend's certificate comes from an authority that is not trusted".to_owned()
        }
        rustls::Error::InvalidCertificate(Wrong::NotValidForNameContext { presented, .. }) => {
            format!("the backend's certificate is for {}, not for `{name}`", presented.join(", "))
        }
        rustls::Error::InvalidCertificate(Wrong::NotValidForName) => {
            format!("the backend's certificate is not for `{name}`")
        }
        // What `openssl req -x509` makes is an authority unless told otherwise.
        rustls::Error::InvalidCertificate(Wrong::Other(other)) if other.to_string() == "CaUsedAsEndEntity" => {
            "the backend's certificate is that of an authority; it must be one that an authority signed".to_owned()
        }
        rustls::Error::AlertReceived(alert) => format!("the backend refused: {alert:?}"),
        other => other.to_string(),
    }
}

/// An address of this machine without TLS, as the tests of the clients have it.
#[cfg(test)]
pub(super) fn reach(authority: http::uri::Authority) -> Reach {
    Reach {
        address: Address { location: authority.clone(), authority, prefix: "".into(), tls: None, weight: 1 },
        network: Network::default(),
    }
}

//! One address of a backend with its clients, and what it speaks.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, uri};
use tokio::sync::Mutex;

use super::connect::{HTTP1, HTTP2, Reach, connect, speaks_http2};
use super::reply::Answer;
use super::{Network, ReplyBody, RequestBody, http1, http2};
use crate::base::failure::{Cause, Failure};
use crate::plan::Address;

/// One address of a backend with the connections of one worker.
#[derive(Debug)]
pub struct Instance {
    reach: Reach,
    http1: http1::Client,
    http2: http2::Client,
    /// What was agreed on over TLS; without TLS, HTTP/1.1 is what a REST backend speaks.
    agreement: Option<Agreement>,
}

/// A request on its way to an address.
#[derive(Debug)]
pub(super) struct Directed<'c> {
    pub(super) method: Method,
    /// Path and query, with the address's prefix.
    pub(super) target: uri::PathAndQuery,
    /// Header fields that it declares.
    pub(super) headers: Cow<'c, HeaderMap>,
    /// Header fields that it has where it declares none of the same name.
    pub(super) usual: &'static [(HeaderName, HeaderValue)],
    pub(super) body: RequestBody,
    /// How long the backend has to answer; it is told.
    pub(super) timeout: Duration,
    /// Whether it may be sent again where nobody knows what became of it.
    pub(super) is_repeatable: bool,
}

/// The field that tells a backend how many milliseconds it has.
pub(super) const TIMEOUT: HeaderName = HeaderName::from_static("x-request-timeout-ms");

/// Which version of HTTP an address was found to speak.
#[derive(Debug, Default)]
struct Agreement {
    /// One of [`Version`], or 0 while nothing is known.
    known: AtomicU8,
    /// Held by whoever finds it out.
    finding: Mutex<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Version {
    Http1 = 1,
    Http2 = 2,
}

impl Instance {
    /// Connections are opened when first needed.
    pub fn new(address: &Address, network: &Network) -> Self {
        let reach = Reach { address: address.clone(), network: network.clone() };
        Self {
            http1: http1::Client::new(&reach),
            http2: http2::Client::new(&reach),
            agreement: address.tls.as_ref().map(|_| Agreement::default()),
            reach,
        }
    }

    /// Path and query behind the address's prefix.
    pub(super) fn target(&self, rendered: &uri::PathAndQuery) -> Result<uri::PathAndQuery, Failure> {
        let prefix = &self.reach.address.prefix;
        if prefix.is_empty() {
            return Ok(rendered.clone());
        }
        uri::PathAndQuery::from_maybe_shared(Bytes::from(format!("{prefix}{rendered}")))
            .map_err(|error| Failure::new(Cause::MissingValue, format!("cannot form the target: {error}")))
    }

    /// The client for what is HTTP/2 always.
    pub(super) fn http2(&self) -> &http2::Client {
        &self.http2
    }

    /// Sends a request in the version that the address speaks.
    pub(super) async fn send(&self, directed: Directed<'_>) -> Result<Answer, Failure> {
        match &self.agreement {
            None => self.http1.send(directed).await,
            // Boxed, so that calls without TLS are no larger for it.
            Some(agreement) => Box::pin(self.send_as_agreed(agreement, directed)).await,
        }
    }

    async fn send_as_agreed(&self, agreement: &Agreement, directed: Directed<'_>) -> Result<Answer, Failure> {
        let sent = match self.version(agreement).await? {
            Version::Http1 => self.http1.send(directed).await,
            Version::Http2 => {
                let Directed { method, target, headers, usual, body, timeout, .. } = directed;
                let mut request = Request::new(body);
                *request.method_mut() = method;
                *request.headers_mut() = headers.into_owned();
                for (name, value) in usual {
                    request.headers_mut().entry(name).or_insert_with(|| value.clone());
                }
                let millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
                request.headers_mut().entry(TIMEOUT).or_insert_with(|| millis.into());
                let sent = self.http2.send(target, request).await.map_err(http2::Broken::failure);
                sent.map(|reply| {
                    let (head, body) = reply.into_parts();
                    Answer { status: head.status, fields: head.headers.into(), body: ReplyBody::Http2(body) }
                })
            }
        };
        if sent.as_ref().is_err_and(|failure| failure.cause == Cause::ConnectFailed) {
            // It may speak something else by now; the next call finds out.
            agreement.known.store(0, Ordering::Relaxed);
        }
        sent
    }

    /// What the address speaks. The connection that shows it is used.
    async fn version(&self, agreement: &Agreement) -> Result<Version, Failure> {
        if let Some(known) = agreement.known() {
            return Ok(known);
        }
        let _finding = agreement.finding.lock().await;
        if let Some(known) = agreement.known() {
            return Ok(known);
        }
        let stream = connect(&self.reach, &[HTTP2, HTTP1]).await?;
        let version = if speaks_http2(&stream) { Version::Http2 } else { Version::Http1 };
        match version {
            Version::Http1 => self.http1.adopt(stream),
            Version::Http2 => self.http2.adopt(stream).await?,
        }
        agreement.known.store(version as u8, Ordering::Relaxed);
        Ok(version)
    }
}

impl Agreement {
    fn known(&self) -> Option<Version> {
        match self.known.load(Ordering::Relaxed) {
            1 => Some(Version::Http1),
            2 => Some(Version::Http2),
            _ => None,
        }
    }
}

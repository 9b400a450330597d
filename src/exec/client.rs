//! The client's request as expressions see it.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use http::header::COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use super::form::{self, Field};
use super::sticky::Anchors;
use crate::base::call::CREDENTIALS;
use crate::base::room::Taken;
use crate::base::upload::Upload;
use crate::base::value::{DocBuilder, Held, Kind, Sink, Timestamp, member_key};

/// What a client asked. What only some compositions mention is made when it is first read.
#[derive(Debug)]
pub struct ClientRequest {
    /// Method, target and header fields as they came.
    pub head: Parts,
    /// What the tail parameter of the endpoint's path took, percent-encoded.
    pub tail: String,
    /// The address the request came from.
    pub client_ip: IpAddr,
    /// The request's id.
    pub id: HeaderValue,
    /// When it came.
    pub time: SystemTime,
    /// The object of coerced arguments.
    pub args: Held,
    /// The coerced body.
    pub body: Held,
    /// The fields of the body's form that stand before its file.
    pub form: Vec<Field>,
    /// The body or the file of its form, where it is passed on as it comes.
    pub upload: Option<Upload>,
    /// The room that its body has taken.
    pub taken: Taken,
    /// Whether the client, or whoever stands before it, says that it asks again.
    pub is_another_attempt: bool,
    /// How long the client is going to wait, if that is less than the endpoint may take.
    pub patience: Option<Duration>,
    pub(super) anchors: Anchors,
    lazy: Lazy,
}

/// Parts of a request made on first use.
#[derive(Debug, Default)]
struct Lazy {
    fields: OnceLock<Vec<Field>>,
    headers: OnceLock<Held>,
    query: OnceLock<Held>,
    query_all: OnceLock<Held>,
    cookies: OnceLock<Held>,
    time: OnceLock<Timestamp>,
    client_ip: OnceLock<String>,
}

/// The milliseconds that a client waits.
const TIMEOUT: HeaderName = HeaderName::from_static("x-request-timeout-ms");
/// The same as gRPC clients say it.
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// How long a client says that it waits; what cannot be read says nothing.
///
/// Source: gRPC over HTTP2, "Timeout": at most eight digits and a unit.
fn said_patience(headers: &HeaderMap) -> Option<Duration> {
    if let Some(millis) = headers.get(TIMEOUT) {
        return millis.to_str().ok()?.parse().ok().map(Duration::from_millis);
    }
    let text = headers.get(GRPC_TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3_600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// How often gRPC clients say that they asked before (gRFC A6).
const GRPC_ATTEMPTS: HeaderName = HeaderName::from_static("grpc-previous-rpc-attempts");
/// The same as others say it.
const ATTEMPTS: HeaderName = HeaderName::from_static("x-retry-attempt");

/// Whether a client says that it asks again; what cannot be read says nothing.
fn says_another_attempt(headers: &HeaderMap) -> bool {
    let attempts = |name| headers.get(name)?.to_str().ok()?.parse::<u32>().ok();
    [ATTEMPTS, GRPC_ATTEMPTS].into_iter().filter_map(attempts).any(|attempts| attempts > 0)
}

impl ClientRequest {
    /// A request without arguments and body yet.
    pub fn new(head: Parts, id: HeaderValue, client_ip: IpAddr) -> Self {
        Self {
            is_another_attempt: says_another_attempt(&head.headers),
            head,
            tail: String::new(),
            client_ip,
            id,
            time: SystemTime::now(),
            args: Held::Null,
            body: Held::Null,
            form: Vec::new(),
            upload: None,
            taken: Taken::default(),
            patience: None,
            anchors: Anchors::default(),
            lazy: Lazy::default(),
        }
    }

    /// When the answer must be ready that may take `within` from now: sooner if the client says that it does not wait
    /// as long, with `x-request-timeout-ms` or, as gRPC clients do, with `grpc-timeout`.
    pub fn deadline(&mut self, within: Duration) -> Instant {
        self.patience = said_patience(&self.head.headers).filter(|patience| *patience < within);
        Instant::now() + self.patience.unwrap_or(within)
    }

    /// The path as it came, percent-encoded.
    pub fn path(&self) -> &str {
        self.head.uri.path()
    }

    /// The parameters of the query, in the order in which they came.
    pub fn query_fields(&self) -> &[Field] {
        self.lazy.fields.get_or_init(|| self.head.uri.query().map(form::fields).unwrap_or_default())
    }

    /// The request's id as text.
    pub fn id_text(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        cookies(&self.head.headers).find(|(cookie, _)| *cookie == name).map(|(_, value)| value)
    }

    /// What tells the caller from others, part by part: the credentials that came with the request. Everything that is
    /// kept for one caller is told apart by this, and by nothing else.
    pub(super) fn caller(&self, part: &mut dyn FnMut(&[u8])) {
        CREDENTIALS.iter().for_each(|name| self.every(name, part));
    }

    /// Every value of a header field, behind their number.
    pub(super) fn every(&self, name: &HeaderName, part: &mut dyn FnMut(&[u8])) {
        let values = self.head.headers.get_all(name);
        part(&values.iter().count().to_le_bytes());
        values.iter().for_each(|value| part(value.as_bytes()));
    }

    pub(super) fn headers(&self) -> &Held {
        self.lazy.headers.get_or_init(|| {
            object(self.head.headers.keys().map(|name| {
                let values: Vec<_> = self
                    .head
                    .headers
                    .get_all(name)
                    .iter()
                    .map(|value| String::from_utf8_lossy(value.as_bytes()))
                    .collect();
                (name.as_str(), values.join(", ").into())
            }))
        })
    }

    pub(super) fn query(&self) -> &Held {
        self.lazy.query.get_or_init(|| {
            object(self.query_fields().iter().map(|field| (field.name.as_str(), field.value.as_str().into())))
        })
    }

    pub(super) fn query_all(&self) -> &Held {
        self.lazy.query_all.get_or_init(|| lists(self.query_fields()))
    }

    pub(super) fn cookies(&self) -> &Held {
        self.lazy.cookies.get_or_init(|| object(cookies(&self.head.headers).map(|(name, value)| (name, value.into()))))
    }

    pub(super) fn client_ip(&self) -> &str {
        self.lazy.client_ip.get_or_init(|| self.client_ip.to_string())
    }

    pub(super) fn timestamp(&self) -> Timestamp {
        *self.lazy.time.get_or_init(|| {
            let since = self.time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            Timestamp { seconds: since.as_secs() as i64, nanos: since.subsec_nanos() }
        })
    }
}

/// Names and values of every `Cookie` field. Source: RFC 6265 section 4.2.1.
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .map(|(name, value)| (name, value.trim_matches('"')))
}

/// An object of texts; a name that comes again is left out, so that the first counts.
fn object<'a>(entries: impl Iterator<Item = (&'a str, std::borrow::Cow<'a, str>)>) -> Held {
    let mut out = DocBuilder::default();
    let mut seen: HashSet<&str> = HashSet::new();
    out.begin_object();
    for (name, value) in entries {
        if seen.insert(name) {
            out.key(&member_key(name));
            out.text(Kind::String, &value);
        }
    }
    out.end_object();
    Held::whole(out.finish())
}

/// An object of lists: every value of a name, in the order in which they came.
fn lists(fields: &[Field]) -> Held {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut lists: Vec<(&str, Vec<&str>)> = Vec::new();
    for field in fields {
        let place = *places.entry(&field.name).or_insert(lists.len());
        match lists.get_mut(place) {
            Some((_, values)) => values.push(&field.value),
            None => lists.push((&field.name, vec![&field.value])),
        }
    }
    let mut out = DocBuilder::default();
    out.begin_object();
    for (name, values) in lists {
        out.key(&member_key(name));
        out.begin_array();
        values.into_iter().for_each(|value| out.text(Kind::String, value));
        out.end_array();
    }
    out.end_object();
    Held::whole(out.finish())
}

//! The client's request as expressions see it.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::SystemTime;

use http::header::COOKIE;
use http::{HeaderMap, Method};

use crate::base::value::{DocBuilder, Held, Kind, Sink, Timestamp, member_key};

/// What a client asked, parsed and coerced.
#[derive(Debug)]
pub struct ClientRequest {
    /// The HTTP method.
    pub method: Method,
    /// The path as it came, percent-encoded.
    pub path: String,
    /// What the tail parameter of the endpoint's path took, percent-encoded.
    pub tail: String,
    /// The query.
    pub query: Query,
    /// The header fields.
    pub headers: HeaderMap,
    /// The address the request came from.
    pub client_ip: IpAddr,
    /// The request's id.
    pub id: String,
    /// When it came.
    pub time: SystemTime,
    /// The object of coerced arguments.
    pub args: Held,
    /// The coerced body.
    pub body: Held,
    /// Objects made when an expression first mentions them.
    pub lazy: Lazy,
}

/// Objects made of a request's parts on first use.
#[derive(Debug, Default)]
pub struct Lazy {
    headers: OnceLock<Held>,
    query: OnceLock<Held>,
    cookies: OnceLock<Held>,
    time: OnceLock<Timestamp>,
    client_ip: OnceLock<String>,
}

/// The query of a request, decoded, in the order in which it came.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// As it came, without the `?`; empty when there was none.
    pub raw: String,
    /// Names and values.
    pub entries: Vec<(String, String)>,
}

impl Query {
    /// Decodes `a=1&b=x%20y+z` (application/x-www-form-urlencoded; `+` is a space).
    pub fn parse(raw: &str) -> Self {
        let decode = |part: &str| {
            let spaced = part.replace('+', " ");
            percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
        };
        let entries = raw
            .split('&')
            .filter(|entry| !entry.is_empty())
            .map(|entry| {
                let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
                (decode(name), decode(value))
            })
            .collect();
        Self { raw: raw.to_owned(), entries }
    }

    /// The values under a name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.entries.iter().filter(move |(entry, _)| entry == name).map(|(_, value)| value.as_str())
    }
}

impl ClientRequest {
    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        cookies(&self.headers).find(|(cookie, _)| *cookie == name).map(|(_, value)| value)
    }

    pub(super) fn headers(&self) -> &Held {
        self.lazy.headers.get_or_init(|| {
            object(self.headers.keys().map(|name| {
                let values: Vec<_> =
                    self.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
                (name.as_str(), values.join(", ").into())
            }))
        })
    }

    pub(super) fn query(&self) -> &Held {
        self.lazy.query.get_or_init(|| {
            object(self.query.entries.iter().map(|(name, value)| (name.as_str(), value.as_str().into())))
        })
    }

    pub(super) fn cookies(&self) -> &Held {
        self.lazy.cookies.get_or_init(|| object(cookies(&self.headers).map(|(name, value)| (name, value.into()))))
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
    let mut seen: Vec<&str> = Vec::new();
    out.begin_object();
    for (name, value) in entries {
        if !seen.contains(&name) {
            seen.push(name);
            out.key(&member_key(name));
            out.text(Kind::String, &value);
        }
    }
    out.end_object();
    Held::whole(out.finish())
}

#[cfg(test)]
mod tests {
    use super::Query;

    #[test]
    fn a_query_is_decoded_in_order() {
        let query = Query::parse("a=1&b=x%20y+z&&a=%C3%A9&flag");
        assert_eq!(query.all("a").collect::<Vec<_>>(), ["1", "é"]);
        assert_eq!(query.all("b").collect::<Vec<_>>(), ["x y z"]);
        assert_eq!(query.all("flag").collect::<Vec<_>>(), [""]);
    }
}

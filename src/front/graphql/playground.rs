//! GraphiQL: the page on which a person tries the graph from a browser.
//!
//! Page and assets are part of the binary and load nothing from anywhere else. The assets have paths
//! below the graph's that change with their content, so browsers keep them for good. Where they come
//! from and how to renew them is told in `playground/README.md`.

#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, HeaderMap, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};

use crate::base::failure::{Cause, Failure};
use crate::front::listen::AnswerBody;

/// The version of GraphiQL that is served.
pub const VERSION: &str = "4.1.2";

/// What the page may do: run the scripts and styles of its own origin, and ask its own origin.
///
/// The hash is that of the one style that GraphiQL writes into the page: it stops the page from
/// scrolling behind a dialog. Images may only be inline: the ones of its style sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; \
     style-src 'self' 'sha256-nzTgYzXYDNe6BAHiiI7NNlfK8n/auuOAhh2t92YvuXo='; img-src data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page for one path of the graph.
#[derive(Debug)]
pub struct Playground {
    page: Bytes,
    /// What the paths of assets begin with, the last `/` with it.
    assets: Box<str>,
}

impl Playground {
    /// The page of a graph at `path`.
    pub fn new(path: &str) -> Self {
        let assets = format!("{}/graphiql-{VERSION}-{:016x}", path.trim_end_matches('/'), fingerprint());
        let written = assets.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
        let page = include_str!("playground/page.html").replace("{assets}", &written);
        Self { page: page.into(), assets: format!("{assets}/").into() }
    }

    /// The asset at a path.
    pub fn asset(&self, path: &str) -> Option<&'static Asset> {
        let name = path.strip_prefix(&*self.assets)?;
        ASSETS.iter().find(|asset| asset.name == name)
    }

    /// The answer to a GET of the graph's path by a person.
    pub fn page(&self) -> Response<AnswerBody> {
        answer(
            self.page.clone(),
            &[
                (CONTENT_TYPE, "text/html; charset=utf-8"),
                (CACHE_CONTROL, "no-cache"),
                (VARY, "accept"),
                (CONTENT_SECURITY_POLICY, POLICY),
                (REFERRER_POLICY, "no-referrer"),
            ],
        )
    }
}

/// Whether a GET without a document comes from a person with a browser: HTML is accepted by name.
pub fn is_wanted(headers: &HeaderMap) -> bool {
    items(headers, ACCEPT).any(|(media, weight)| media.eq_ignore_ascii_case("text/html") && weight > 0.0)
}

/// A file that the page loads.
#[derive(Debug)]
pub struct Asset {
    name: &'static str,
    media_type: &'static str,
    stored: Stored,
}

/// A file as the binary holds it, which is also how it is sent.
#[derive(Debug, Hash)]
enum Stored {
    Plain(&'static [u8]),
    Gzip(&'static [u8]),
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

static ASSETS: [Asset; 7] = [
    Asset::plain("page.css", STYLE, include_bytes!("playground/page.css")),
    Asset::plain("page.js", SCRIPT, include_bytes!("playground/page.js")),
    Asset::gzip("graphiql.css", STYLE, include_bytes!("playground/graphiql.css.gz")),
    Asset::gzip("graphiql.js", SCRIPT, include_bytes!("playground/graphiql.js.gz")),
    Asset::gzip("react.js", SCRIPT, include_bytes!("playground/react.js.gz")),
    Asset::gzip("react-dom.js", SCRIPT, include_bytes!("playground/react-dom.js.gz")),
    Asset::plain("LICENSES.txt", "text/plain; charset=utf-8", include_bytes!("playground/LICENSES.txt")),
];

impl Asset {
    /// The answer to a request for the asset.
    ///
    /// # Errors
    /// 406 when the asset is compressed and the client refuses that.
    pub fn answer(&self, method: &Method, headers: &HeaderMap) -> Result<Response<AnswerBody>, Failure> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            let mut refused = answer(Bytes::new(), &[(ALLOW, "GET, HEAD")]);
            *refused.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            return Ok(refused);
        }
        let kept = [(CONTENT_TYPE, self.media_type), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
        let body = match self.stored {
            Stored::Plain(body) => return Ok(answer(Bytes::from_static(body), &kept)),
            Stored::Gzip(body) => body,
        };
        if !takes_gzip(headers) {
            let told = "This file is kept compressed; ask with `accept-encoding: gzip`.";
            let status = Some(StatusCode::NOT_ACCEPTABLE.as_u16());
            return Err(Failure { status, ..Failure::told(Cause::BadRequest, told) });
        }
        let mut response = answer(Bytes::from_static(body), &kept);
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        response.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
        Ok(response)
    }

    const fn plain(name: &'static str, media_type: &'static str, body: &'static [u8]) -> Self {
        Self { name, media_type, stored: Stored::Plain(body) }
    }

    const fn gzip(name: &'static str, media_type: &'static str, body: &'static [u8]) -> Self {
        Self { name, media_type, stored: Stored::Gzip(body) }
    }
}

/// Whether a client takes gzip (RFC 9110, section 12.5.3). One that says nothing takes anything.
fn takes_gzip(headers: &HeaderMap) -> bool {
    if !headers.contains_key(ACCEPT_ENCODING) {
        return true;
    }
    let weight = |name: &str| {
        let mut named = items(headers, ACCEPT_ENCODING).filter(|(coding, _)| coding.eq_ignore_ascii_case(name));
        named.next().map(|(_, weight)| weight)
    };
    weight("gzip").or_else(|| weight("x-gzip")).or_else(|| weight("*")).is_some_and(|weight| weight > 0.0)
}

/// The items of a header that lists what a client accepts, each with its weight.
fn items(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = (&str, f32)> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|item| {
        let mut parts = item.split(';').map(str::trim);
        let accepted = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse);
        (accepted, weight.unwrap_or(0.0))
    })
}

fn answer(body: Bytes, fields: &[(HeaderName, &'static str)]) -> Response<AnswerBody> {
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(AnswerBody::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, length);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.extend(fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))));
    response
}

/// A number that changes whenever an asset does.
fn fingerprint() -> u64 {
    let mut hasher = DefaultHasher::new();
    for asset in &ASSETS {
        asset.name.hash(&mut hasher);
        asset.stored.hash(&mut hasher);
    }
    hasher.finish()
}

//! GraphQL over HTTP: from an HTTP request to a GraphQL one, and which form the answer takes.
//!
//! Source: the GraphQL-over-HTTP specification, sections 5 (Request) and 6 (Response).

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;

use crate::base::failure::Cause;
use crate::base::value::{Doc, Held, Kind, View};
use crate::plan::operation::RequestError;

/// A GraphQL request as HTTP carries it. The document is not parsed yet.
#[derive(Clone, Debug)]
pub struct GraphqlRequest {
    /// GET, which may only read, or POST.
    pub method: Method,
    /// The text of the document.
    pub document: Box<str>,
    /// The operation to run, when the document has several.
    pub operation_name: Option<Box<str>>,
    /// An object of values by variable, or null.
    pub variables: Held,
    /// An object for the server, or null.
    pub extensions: Held,
}

impl GraphqlRequest {
    /// Reads a GraphQL request. `query` is the query string of the target, without its `?`.
    ///
    /// # Errors
    /// The request is no well-formed GraphQL request: 400, 405 or 415 in every format.
    pub fn read(method: &Method, query: Option<&str>, headers: &HeaderMap, body: &Bytes) -> Result<Self, RequestError> {
        match *method {
            Method::GET => from_query(query.unwrap_or_default()),
            Method::POST => {
                check_media_type(headers)?;
                from_body(body)
            }
            _ => Err(RequestError::new(Cause::MethodNotAllowed, "GraphQL is asked by GET or POST.")),
        }
    }
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `application/graphql-response+json`: the status tells whether the request could be run.
    GraphqlResponse,
    /// `application/json`: 200 for every well-formed request, as clients expect who came before the
    /// specification.
    Json,
}

impl Format {
    /// The form that the `Accept` header asks for; plain JSON when it does not say.
    pub fn negotiate(headers: &HeaderMap) -> Self {
        let mut best = (0.0, Self::Json);
        let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        for range in values.flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let format = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "application/graphql-response+json" => Self::GraphqlResponse,
                "application/json" | "application/*" | "*/*" => Self::Json,
                _ => continue,
            };
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse::<f32>);
            let weight = weight.unwrap_or(0.0);
            if weight > best.0 {
                best = (weight, format);
            }
        }
        best.1
    }

    /// The media type of the answer.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// Only JSON in UTF-8 is taken. Forms and plain text are what other sites' pages can send without
/// the browser asking first, so taking them would let those pages act for the user.
fn check_media_type(headers: &HeaderMap) -> Result<(), RequestError> {
    let written = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = written.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.eq_ignore_ascii_case("charset").then(|| value.trim_matches('"').to_ascii_lowercase())
    });
    if is_json && charset.is_none_or(|charset| charset == "utf-8") {
        return Ok(());
    }
    let message = "GraphQL requests are posted as `application/json` in UTF-8.";
    Err(RequestError::new(Cause::UnsupportedMediaType, message))
}

fn from_body(body: &Bytes) -> Result<GraphqlRequest, RequestError> {
    let doc = Doc::parse(body.clone()).map_err(|error| bad(format!("The body is not JSON: {error}.")))?;
    let doc = Arc::new(doc);
    let root = doc.root();
    match root.kind() {
        Kind::Object => {}
        Kind::Array => return Err(bad("A list of requests is not taken; send them one by one.")),
        _ => return Err(bad("The body must be an object with the member `query`.")),
    }
    let document = match root.member("query") {
        None => return Err(no_document()),
        Some(query) => query.text().ok_or_else(|| bad("`query` must be text."))?,
    };
    let operation_name = match root.member("operationName") {
        None => None,
        Some(name) if name.is_null() => None,
        Some(name) => Some(name.text().ok_or_else(|| bad("`operationName` must be text or null."))?),
    };
    Ok(GraphqlRequest {
        method: Method::POST,
        document: (*document).into(),
        operation_name: operation_name.filter(|name| !name.is_empty()).map(|name| (*name).into()),
        variables: object("variables", root.member("variables"))?,
        extensions: object("extensions", root.member("extensions"))?,
    })
}

fn from_query(query: &str) -> Result<GraphqlRequest, RequestError> {
    let document = parameter(query, "query")?.ok_or_else(no_document)?;
    let json = |name: &str| -> Result<Held, RequestError> {
        let Some(text) = parameter(query, name)?.filter(|text| !text.is_empty()) else { return Ok(Held::Null) };
        let doc = Doc::parse(text.into()).map_err(|error| bad(format!("`{name}` is not JSON: {error}.")))?;
        object(name, Some(Arc::new(doc).root()))
    };
    let operation_name = parameter(query, "operationName")?.filter(|name| !name.is_empty());
    Ok(GraphqlRequest {
        method: Method::GET,
        document: document.into(),
        operation_name: operation_name.map(Into::into),
        variables: json("variables")?,
        extensions: json("extensions")?,
    })
}

/// The value of a parameter of a query string in the form that HTML forms have (URL Standard,
/// "application/x-www-form-urlencoded parsing").
fn parameter(query: &str, wanted: &str) -> Result<Option<String>, RequestError> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().map(|text| text.into_owned());
    let mut found = None;
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if decoded(name).is_ok_and(|name| name == wanted) {
            if found.is_some() {
                return Err(bad(format!("`{wanted}` is given twice.")));
            }
            found = Some(decoded(value).map_err(|_| bad(format!("`{wanted}` is not UTF-8.")))?);
        }
    }
    Ok(found)
}

fn object(name: &str, member: Option<View<'_>>) -> Result<Held, RequestError> {
    let Some(member) = member.filter(|member| !member.is_null()) else { return Ok(Held::Null) };
    if member.kind() != Kind::Object {
        return Err(bad(format!("`{name}` must be an object or null.")));
    }
    let (doc, node) = member.parts();
    Ok(Held::Doc(doc.clone(), node))
}

fn no_document() -> RequestError {
    bad("The request has no `query`.")
}

fn bad(message: impl Into<String>) -> RequestError {
    RequestError::new(Cause::BadRequest, message)
}

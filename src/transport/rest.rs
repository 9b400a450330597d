//! REST calls: what is sent, and what is read of the reply.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Response};

use super::coding::{self, Coding};
use super::{Backend, ReplyBody, RequestBody, body, media};
use crate::base::call::{Reply, RestRequest};
use crate::base::failure::Failure;
use crate::plan::contract::Operation;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
pub(super) const AGENT: HeaderValue = HeaderValue::from_static(concat!("selvedge/", env!("CARGO_PKG_VERSION")));

/// Sends a REST call and parses its reply.
pub(super) async fn send(
    (backend, operation): (&Backend, Option<&Operation>),
    call: RestRequest,
    declared: HeaderMap,
) -> Result<Reply, Failure> {
    let instance = backend.instance();
    let target = instance.target(call.target)?;
    let headers = headers(declared, call.body.as_ref());
    let mut request = http::Request::new(RequestBody::Whole(call.body));
    *request.method_mut() = call.method;
    *request.headers_mut() = headers;
    read(instance.send(target, request).await?, backend.max_reply, operation).await
}

/// The declared header fields, and what JSON needs where nothing is declared.
fn headers(mut headers: HeaderMap, body: Option<&Bytes>) -> HeaderMap {
    headers.entry(ACCEPT).or_insert(JSON);
    headers.entry(ACCEPT_ENCODING).or_insert(coding::OFFERED);
    headers.entry(USER_AGENT).or_insert(AGENT);
    if body.is_some() {
        headers.entry(CONTENT_TYPE).or_insert(JSON);
    }
    headers
}

async fn read(response: Response<ReplyBody>, max: u64, operation: Option<&Operation>) -> Result<Reply, Failure> {
    let (mut head, body) = response.into_parts();
    let bytes = match Coding::of(&head.headers)? {
        None => body::read(body, max).await?.0,
        Some(coding) => {
            // What expressions see are the fields of the body as it is.
            head.headers.remove(CONTENT_ENCODING);
            head.headers.remove(CONTENT_LENGTH);
            body::read_coded(body, coding, max).await?
        }
    };
    let body = media::held(bytes, (head.status, &head.headers), operation)?;
    Ok(Reply { status: head.status.as_u16(), headers: Arc::new(head.headers), body, is_cut: false })
}

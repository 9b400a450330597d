//! REST calls: what is sent, and what is read of the reply.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::body::{self, Cap};
use super::coding::{self, Coding};
use super::instance::{Directed, Instance};
use super::reply::Answer;
use super::{Backend, ReplyBody, RequestBody, Terms, media, remaining};
use crate::base::call::{Reply, RestRequest};
use crate::base::failure::Failure;
use crate::base::fields::Fields;
use crate::base::room::Taken;
use crate::plan::contract::Operation;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
pub(super) const AGENT: HeaderValue = HeaderValue::from_static(concat!("selvedge/", env!("CARGO_PKG_VERSION")));

/// What a call has where nothing is declared. The first concerns its body.
static USUAL: [(HeaderName, HeaderValue); 4] =
    [(CONTENT_TYPE, JSON), (ACCEPT, JSON), (ACCEPT_ENCODING, coding::OFFERED), (USER_AGENT, AGENT)];

/// Sends a REST call and parses its reply.
pub(super) async fn send(
    (backend, instance, operation): (&Backend, &Instance, Option<&Operation>),
    call: &RestRequest,
    (declared, terms): (&HeaderMap, Terms),
) -> Result<Reply, Failure> {
    let directed = Directed {
        method: call.method.clone(),
        target: instance.target(&call.target)?,
        headers: Cow::Borrowed(declared),
        usual: if call.body.is_some() { &USUAL } else { &USUAL[1..] },
        body: RequestBody::of(call.body.as_ref())?,
        timeout: remaining(terms.until),
        is_repeatable: terms.is_repeatable || call.method.is_idempotent(),
    };
    read(instance.send(directed).await?, backend.cap(), operation).await
}

async fn read(answer: Answer, cap: Cap<'_>, operation: Option<&Operation>) -> Result<Reply, Failure> {
    let Answer { status, fields, body } = answer;
    let mut taken = Taken::default();
    let (bytes, fields) = if fields.is_coded() {
        Box::pin(decoded((fields, body), cap, &mut taken)).await?
    } else {
        (body::read(body, cap, &mut taken).await?.0, fields)
    };
    let body = media::held(bytes, (status, fields.content_type()), operation)?;
    taken.reach(cap.room, body.size()).await?;
    let body = body.keeping(taken);
    Ok(Reply { status: status.as_u16(), headers: Arc::new(fields), body, is_cut: false, code: None })
}

/// The body without its content coding. What expressions see are the fields of the body as it is.
async fn decoded(
    (fields, body): (Fields, ReplyBody),
    cap: Cap<'_>,
    taken: &mut Taken,
) -> Result<(Bytes, Fields), Failure> {
    let mut fields = fields.into_map();
    let Some(coding) = Coding::of(&fields)? else {
        return Ok((body::read(body, cap, taken).await?.0, fields.into()));
    };
    fields.remove(CONTENT_ENCODING);
    fields.remove(CONTENT_LENGTH);
    Ok((body::read_coded((body, coding), cap, taken).await?, fields.into()))
}

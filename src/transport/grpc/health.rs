//! The standard health check: a server is asked whether a service of it serves.
//!
//! Source: grpc/health/v1/health.proto, "GRPC Health Checking Protocol". A server that does not know the protocol is not
//! well: whoever asks for health wants to hear of it.

use http::HeaderMap;
use http::uri::PathAndQuery;
use prost::Message as Prost;
use tokio::time::Instant;

use super::messages::{End, Messages, Next};
use super::{Head, RequestBody, headers, is_grpc, status};
use crate::transport::http2::Broken;
use crate::transport::instance::Instance;

const PATH: &str = "/grpc.health.v1.Health/Check";
/// Bytes of an answer that are read at most.
const MAX_ANSWER: u64 = 64 << 10;
/// `HealthCheckResponse.SERVING`.
const SERVING: i32 = 1;

/// Asks a server whether a service serves; the empty name stands for all of them.
///
/// # Errors
/// It does not, or why it did not say.
pub(in crate::transport) async fn check(instance: &Instance, service: &str, deadline: Instant) -> Result<(), String> {
    let message = Question { service: service.to_owned() }.encode_to_vec();
    let mut body = vec![0];
    body.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    body.extend_from_slice(&message);
    let mut request = http::Request::new(RequestBody::Whole(Some(body.into())));
    *request.method_mut() = http::Method::POST;
    *request.headers_mut() = headers(Head { headers: &HeaderMap::new(), deadline, previous: 0 });
    let response = instance.http2().send(PathAndQuery::from_static(PATH), request).await;
    let response = response.map_err(|broken| match broken {
        Broken::Reset(reason) => format!("it gives the call up: {reason}"),
        Broken::Failed(failure) => failure.log.to_string(),
    })?;
    let (head, body) = response.into_parts();
    if !is_grpc(&head.headers) {
        return Err("it does not speak gRPC".to_owned());
    }
    let mut messages = Messages::new(&head.headers, body);
    let mut serving = None;
    loop {
        match messages.next(MAX_ANSWER).await.map_err(|failure| failure.log.to_string())? {
            Next::Message(message) => serving = Answer::decode(message).ok().map(|answer| answer.status),
            Next::End(End { code: 0, .. }) if serving == Some(SERVING) => return Ok(()),
            Next::End(End { code: 0, .. }) => return Err("it does not serve".to_owned()),
            Next::End(End { code, trailers }) => return Err(format!("it answers {}", status::words(code, &trailers))),
        }
    }
}

/// `HealthCheckRequest`.
#[derive(Clone, PartialEq, Prost)]
struct Question {
    #[prost(string, tag = "1")]
    service: String,
}

/// `HealthCheckResponse`.
#[derive(Clone, PartialEq, Prost)]
struct Answer {
    #[prost(int32, tag = "1")]
    status: i32,
}

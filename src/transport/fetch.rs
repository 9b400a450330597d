//! Asks a server that is no backend for a document: who knows addresses, and what they say as long as they go on.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt as _, Limited};

use super::instance::{Directed, Instance};
use super::{ReplyBody, RequestBody};

/// A document that begins to come.
#[derive(Debug)]
pub struct Fetched {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    body: ReplyBody,
}

impl Instance {
    /// Asks for what is at a target, with these header fields. The server is told that it has `time`; whoever waits ends
    /// the waiting.
    ///
    /// # Errors
    /// No answer began, in words for operators.
    pub async fn fetch(&self, target: &PathAndQuery, headers: &HeaderMap, time: Duration) -> Result<Fetched, String> {
        let target = self.target(target).map_err(|failure| failure.log.to_string())?;
        let directed = Directed {
            method: Method::GET,
            target,
            headers: Cow::Borrowed(headers),
            usual: &[],
            body: RequestBody::Whole(None),
            timeout: time,
            is_repeatable: true,
        };
        let answer = self.send(directed).await.map_err(|failure| failure.log.to_string())?;
        Ok(Fetched { status: answer.status, headers: answer.fields.into_map(), body: answer.body })
    }
}

impl Fetched {
    /// All of it.
    ///
    /// # Errors
    /// It is larger than `max` bytes, or cut short.
    pub async fn whole(self, max: usize) -> Result<Bytes, String> {
        let whole = Limited::new(self.body, max).collect().await;
        Ok(whole.map_err(|error| super::words(&*error).to_string())?.to_bytes())
    }

    /// The next piece of it; `None` at its end.
    ///
    /// # Errors
    /// It is cut short.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, String> {
        while let Some(frame) = self.body.frame().await {
            if let Ok(piece) = frame.map_err(|error| super::words(&error).to_string())?.into_data() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }
}

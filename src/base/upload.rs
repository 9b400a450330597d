//! The body of a client's request on its way to one call: nobody holds it, and it can be had once.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::HeaderValue;
use http_body_util::combinators::UnsyncBoxBody;

/// Any error that a streamed body may break off with.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Bytes as they come from a client.
pub type Stream = UnsyncBoxBody<Bytes, BoxError>;

/// A body that is still with its client. Whoever takes it sets the pace at which the client may send.
#[derive(Clone)]
pub struct Upload {
    stream: Arc<Mutex<Option<Stream>>>,
    /// The media type that the client gives it.
    pub media_type: Option<HeaderValue>,
}

impl Upload {
    /// A body that nobody has taken yet.
    pub fn new(stream: Stream, media_type: Option<HeaderValue>) -> Self {
        Self { stream: Arc::new(Mutex::new(Some(stream))), media_type }
    }

    /// Takes the body; `None` if somebody has.
    pub fn take(&self) -> Option<Stream> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("media_type", &self.media_type).finish_non_exhaustive()
    }
}

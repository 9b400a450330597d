//! A reply's body, over whichever version of HTTP it comes.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};

use super::{http1, http2};
use crate::base::fields::Fields;

/// A reply whose body is still to be read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) fields: Fields,
    pub(super) body: ReplyBody,
}

impl From<Answer> for Response<ReplyBody> {
    fn from(answer: Answer) -> Self {
        let mut response = Response::new(answer.body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.fields.into_map();
        response
    }
}

/// The body of a reply that is still to be read. Dropped before its end, it gives the call up.
#[derive(Debug)]
pub enum ReplyBody {
    /// Over HTTP/1.1.
    Http1(http1::ReplyBody),
    /// Over HTTP/2.
    Http2(http2::ReplyBody),
}

/// Why a body breaks off.
#[derive(Debug)]
pub enum ReplyError {
    /// Over HTTP/1.1.
    Http1(std::io::Error),
    /// Over HTTP/2.
    Http2(h2::Error),
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = ReplyError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ReplyError>>> {
        match self.get_mut() {
            Self::Http1(body) => Pin::new(body).poll_frame(context).map_err(ReplyError::Http1),
            Self::Http2(body) => Pin::new(body).poll_frame(context).map_err(ReplyError::Http2),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Http1(body) => body.is_end_stream(),
            Self::Http2(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Http1(body) => body.size_hint(),
            Self::Http2(body) => body.size_hint(),
        }
    }
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http1(error) => error.fmt(f),
            Self::Http2(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReplyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Http1(error) => error.source(),
            Self::Http2(error) => error.source(),
        }
    }
}

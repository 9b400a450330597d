//! The body of a reply on its way to a client: what its call holds is given back when the body ends or is dropped.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::policy::bulkhead;
use crate::transport::{ReplyBody, ReplyError};

/// A body that streams.
#[derive(Debug)]
pub struct Streamed {
    body: ReplyBody,
    #[expect(dead_code, reason = "it is held, and given back when it is dropped")]
    room: Option<bulkhead::Permit>,
}

impl Streamed {
    pub(super) fn new(body: ReplyBody, room: Option<bulkhead::Permit>) -> Self {
        Self { body, room }
    }
}

impl Body for Streamed {
    type Data = Bytes;
    type Error = ReplyError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ReplyError>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

//! A reply's body, which gives its place on the connection back when it has been read to its end.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use http_body::{Body, Frame, SizeHint};

use super::Upload;
use super::pool::Lease;

/// A body on its stream. Dropped before its end, it cancels the call.
#[derive(Debug)]
pub struct ReplyBody {
    body: RecvStream,
    /// Bytes that are still to come, if the backend said how many.
    expected: Option<u64>,
    /// All bytes came; only trailers are missing.
    is_read: bool,
    /// What of the request is still being sent.
    _upload: Option<Upload>,
    _lease: Lease,
}

impl ReplyBody {
    pub(super) fn new(body: RecvStream, expected: Option<u64>, (lease, upload): (Lease, Option<Upload>)) -> Self {
        Self { body, expected, is_read: false, _upload: upload, _lease: lease }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        if !self.is_read {
            match ready!(self.body.poll_data(context)) {
                Some(Ok(data)) => {
                    self.body.flow_control().release_capacity(data.len())?;
                    self.expected = self.expected.map(|expected| expected.saturating_sub(data.len() as u64));
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => self.is_read = true,
            }
        }
        let trailers = ready!(self.body.poll_trailers(context))?;
        Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.expected.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

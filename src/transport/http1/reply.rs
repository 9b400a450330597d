//! A reply's body, which gives its connection back when it has been read to its end.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::shelf::Lease;

/// A body on its connection. Dropped before its end, it takes the connection with it, which is how a
/// backend learns that nobody waits any more.
#[derive(Debug)]
pub struct ReplyBody {
    body: Incoming,
    /// Until the end of the body.
    lease: Option<Lease>,
}

impl ReplyBody {
    pub(super) fn new(body: Incoming, lease: Lease) -> Self {
        let mut reply = Self { body, lease: Some(lease) };
        reply.settle();
        reply
    }

    /// Gives the connection back if nothing is left to read.
    fn settle(&mut self) {
        if self.body.is_end_stream()
            && let Some(lease) = self.lease.take()
        {
            lease.give_back();
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Err(_))) => self.lease = None,
            // A body of known length is at its end with its last bytes, others with the chunk behind them.
            Poll::Ready(Some(Ok(_))) => self.settle(),
            Poll::Ready(None) => {
                if let Some(lease) = self.lease.take() {
                    lease.give_back();
                }
            }
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

//! A reply's body, which gives its connection back when it has been read to its end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::framing::Framing;
use super::shelf::Lease;

/// A body on its connection. Dropped before its end, it takes the connection with it, which is how a
/// backend learns that nobody waits any more.
#[derive(Debug)]
pub struct ReplyBody {
    framing: Framing,
    /// Until the end of the body.
    lease: Option<Lease>,
    /// Whether another request may follow on the connection.
    is_kept: bool,
}

impl ReplyBody {
    pub(super) fn new(framing: Framing, lease: Lease, is_kept: bool) -> Self {
        let mut reply = Self { framing, lease: Some(lease), is_kept };
        reply.settle();
        reply
    }

    /// Gives the connection back if nothing is left to read.
    fn settle(&mut self) {
        if self.framing.is_done()
            && let Some(lease) = self.lease.take()
            && self.is_kept
            && lease.connection.is_idle()
        {
            lease.give_back();
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let me = self.get_mut();
        let Some(lease) = &mut me.lease else { return Poll::Ready(None) };
        let polled = lease.connection.poll_body(context, &mut me.framing);
        match &polled {
            // A body of known length is at its end with its last bytes, others with what stands behind them.
            Poll::Ready(Some(Ok(_))) => me.settle(),
            Poll::Ready(None) => {
                me.settle();
                me.lease = None;
            }
            Poll::Ready(Some(Err(_))) => me.lease = None,
            Poll::Pending => {}
        }
        polled.map(|piece| piece.map(|content| content.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.lease.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.lease, self.framing) {
            (None, _) => SizeHint::with_exact(0),
            (Some(_), Framing::Length(left)) => SizeHint::with_exact(left),
            (Some(_), _) => SizeHint::default(),
        }
    }
}

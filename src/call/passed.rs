//! The body of a reply that is passed on, and kept beside while it passes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use super::streamed::Streamed;
use crate::policy::http_cache::{Came, Key, Store, Stored};
use crate::transport::ReplyError;

/// The largest body that is kept.
const LARGEST: usize = 4 << 20;

/// The body of a reply to a request that was passed through.
#[expect(clippy::large_enum_variant, reason = "most replies stream, and the listener boxes them once anyway")]
#[derive(Debug)]
pub enum PassedBody {
    /// From its backend, as it comes.
    Streamed(Streamed),
    /// The same, and kept when it has come to its end.
    Copied(Box<Copied>),
    /// What was kept; empty when it was handed over.
    Stored(Bytes),
}

/// A body that is kept when it has come to its end. One that breaks off, is dropped before or is too large is not.
#[derive(Debug)]
pub struct Copied {
    body: Streamed,
    bytes: BytesMut,
    keeping: Option<Keeping>,
}

/// What a reply will be kept with.
#[derive(Debug)]
pub(super) struct Keeping {
    pub(super) store: Arc<Store>,
    pub(super) key: Key,
    /// The fields of the request, and which of them a composition writes.
    pub(super) asked: HeaderMap,
    pub(super) declared: Box<[HeaderName]>,
    pub(super) head: (StatusCode, HeaderMap),
    pub(super) came: Came,
    /// When the request went out.
    pub(super) began: Instant,
}

impl PassedBody {
    /// A body that is kept when it has come to its end.
    pub(super) fn copied(body: Streamed, keeping: Keeping) -> Self {
        if body.size_hint().lower() > LARGEST as u64 {
            return Self::Streamed(body);
        }
        let mut copied = Copied { body, bytes: BytesMut::new(), keeping: Some(keeping) };
        copied.settle();
        Self::Copied(Box::new(copied))
    }
}

impl Copied {
    fn copy(&mut self, data: &Bytes) {
        if self.keeping.is_none() {
            return;
        }
        if self.bytes.len() + data.len() > LARGEST {
            (self.keeping, self.bytes) = (None, BytesMut::new());
            return;
        }
        self.bytes.extend_from_slice(data);
    }

    /// Keeps the reply if its body has come to its end: whoever sends it on may not ask again behind the last byte.
    fn settle(&mut self) {
        if self.body.is_end_stream() {
            self.keep();
        }
    }

    fn keep(&mut self) {
        let Some(keeping) = self.keeping.take() else { return };
        let Keeping { store, key, asked, declared, head, came, began } = keeping;
        let body = std::mem::take(&mut self.bytes).freeze();
        store.keep(key, Stored::new((&asked, declared), head, body, came), began);
    }
}

impl Body for PassedBody {
    type Data = Bytes;
    type Error = ReplyError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ReplyError>>> {
        match self.get_mut() {
            Self::Streamed(body) => Pin::new(body).poll_frame(context),
            Self::Stored(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Stored(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Copied(copied) => {
                let frame = ready!(Pin::new(&mut copied.body).poll_frame(context));
                match &frame {
                    Some(Ok(frame)) => {
                        if let Some(data) = frame.data_ref() {
                            copied.copy(data);
                        }
                        copied.settle();
                    }
                    Some(Err(_)) => copied.keeping = None,
                    None => copied.keep(),
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Streamed(body) => body.is_end_stream(),
            Self::Copied(copied) => copied.body.is_end_stream(),
            Self::Stored(bytes) => bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Streamed(body) => body.size_hint(),
            Self::Copied(copied) => copied.body.size_hint(),
            Self::Stored(bytes) => SizeHint::with_exact(bytes.len() as u64),
        }
    }
}

//! Bodies on the way to a backend, and reading replies under a cap.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;

use crate::base::failure::{Cause, Failure};

/// An error of a streamed body.
pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of a request to a backend.
pub enum RequestBody {
    /// Bytes, or nothing any more.
    Whole(Option<Bytes>),
    /// What a client sends, passed on as it arrives.
    Stream(UnsyncBoxBody<Bytes, BoxError>),
}

impl std::fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(bytes) => f.debug_tuple("Whole").field(&bytes.as_ref().map(Bytes::len)).finish(),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream(stream) => Pin::new(stream).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Stream(stream) => stream.size_hint(),
        }
    }
}

/// Reads a reply's body to its end: its bytes, in one piece without a copy when they came so, and
/// its trailers.
///
/// # Errors
/// `reply_too_large` as soon as the cap is passed, `bad_reply` when the body is cut short.
pub(super) async fn read<B>(body: B, max: u64) -> Result<(Bytes, Option<HeaderMap>), Failure>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::error::Error + 'static,
{
    let expected = body.size_hint().lower();
    if expected > max {
        return Err(too_large(max));
    }
    let mut body = body;
    let (mut first, mut rest, mut trailers) = (None::<Bytes>, BytesMut::new(), None);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::new(Cause::BadReply, super::words(&error)))?;
        match frame.into_data() {
            Ok(data) => {
                let have = first.as_ref().map_or(rest.len(), Bytes::len);
                if (have + data.len()) as u64 > max {
                    return Err(too_large(max));
                }
                if have == 0 {
                    first = Some(data);
                    continue;
                }
                if let Some(first) = first.take() {
                    rest.reserve((expected as usize).max(first.len() + data.len()));
                    rest.extend_from_slice(&first);
                }
                rest.extend_from_slice(&data);
            }
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    Ok((first.unwrap_or_else(|| rest.freeze()), trailers))
}

fn too_large(max: u64) -> Failure {
    Failure::new(Cause::ReplyTooLarge, format!("the reply is larger than {max} bytes"))
}

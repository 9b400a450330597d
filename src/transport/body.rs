//! Bodies on the way to a backend, and reading replies under a cap.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;

use super::coding::{Coding, Decoder, Wrong};
use crate::base::call::Content;
use crate::base::failure::{Cause, Failure};
use crate::base::room::{Full, Room, Taken};
use crate::base::upload::{BoxError, Stream};

/// The body of a request to a backend.
pub enum RequestBody {
    /// Bytes, or nothing any more.
    Whole(Option<Bytes>),
    /// What a client sends, passed on as it arrives.
    Stream(Stream),
}

/// What a client uploads, with the bytes around it.
struct Enclosed {
    before: Bytes,
    stream: Stream,
    after: Bytes,
}

impl RequestBody {
    /// The body of a call.
    ///
    /// # Errors
    /// An upload that was sent before: a client sends it once.
    pub(super) fn of(content: Option<&Content>) -> Result<Self, Failure> {
        let (before, upload, after) = match content {
            None => return Ok(Self::Whole(None)),
            Some(Content::Whole(bytes)) => return Ok(Self::Whole(Some(bytes.clone()))),
            Some(Content::Upload { before, upload, after }) => (before.clone(), upload, after.clone()),
        };
        let Some(stream) = upload.take() else {
            return Err(Failure::new(Cause::Internal, "the upload was sent before"));
        };
        Ok(Self::Stream(Enclosed { before, stream, after }.boxed_unsync()))
    }
}

impl Body for Enclosed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let me = self.get_mut();
        let whole = |bytes: &mut Bytes| Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes)))));
        if !me.before.is_empty() {
            return whole(&mut me.before);
        }
        match ready!(Pin::new(&mut me.stream).poll_frame(cx)) {
            None if !me.after.is_empty() => whole(&mut me.after),
            frame => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.before.is_empty() && self.stream.is_end_stream() && self.after.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let around = (self.before.len() + self.after.len()) as u64;
        match self.stream.size_hint().exact() {
            Some(length) => SizeHint::with_exact(length + around),
            None => SizeHint::default(),
        }
    }
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

/// How much of a reply is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cap<'r> {
    /// Bytes at most.
    pub(super) max: u64,
    /// Where it has its room from.
    pub(super) room: &'r Arc<Room>,
}

/// Reads a reply's body to its end: its bytes, in one piece without a copy when they came so, and
/// its trailers.
///
/// # Errors
/// `TooLarge` as soon as the cap is passed, `NoRoom` when there is none for it, `Broken` when the body is cut short.
pub(super) async fn read<B>(
    body: B,
    Cap { max, room }: Cap<'_>,
    taken: &mut Taken,
) -> Result<(Bytes, Option<HeaderMap>), Unread<B::Error>>
where
    B: Body<Data = Bytes> + Unpin,
{
    let expected = body.size_hint().lower();
    if expected > max {
        return Err(Unread::TooLarge(max));
    }
    let mut body = body;
    let (mut first, mut rest, mut trailers) = (None::<Bytes>, BytesMut::new(), None);
    while let Some(frame) = body.frame().await {
        match frame.map_err(Unread::Broken)?.into_data() {
            Ok(data) => {
                let have = first.as_ref().map_or(rest.len(), Bytes::len);
                if (have + data.len()) as u64 > max {
                    return Err(Unread::TooLarge(max));
                }
                taken.reach(room, have + data.len()).await?;
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

/// Reads a reply's body and takes its coding off while it comes. One without any bytes is in no coding.
///
/// # Errors
/// `TooLarge` as soon as more than the cap comes out, `NoRoom` when there is none for that, `Miscoded` for bytes that are
/// not in the coding, `Broken` when the body is cut short.
pub(super) async fn read_coded<B>(
    (mut body, coding): (B, Coding),
    Cap { max, room }: Cap<'_>,
    taken: &mut Taken,
) -> Result<Bytes, Unread<B::Error>>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut decoder = None::<Decoder>;
    let wrong = |wrong| Unread::coding(wrong, max);
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(Unread::Broken)?.into_data() else { continue };
        if !piece.is_empty() {
            let decoder = decoder.get_or_insert_with(|| Decoder::new(coding, max));
            decoder.write(&piece).map_err(wrong)?;
            taken.reach(room, decoder.size()).await?;
        }
    }
    decoder.map_or(Ok(Bytes::new()), |decoder| decoder.finish().map_err(wrong))
}

/// Bytes with their coding taken off.
///
/// # Errors
/// As [`read_coded`].
pub(super) fn decoded<E>(bytes: &[u8], coding: Coding, max: u64) -> Result<Bytes, Unread<E>> {
    let mut decoder = Decoder::new(coding, max);
    let decoded = decoder.write(bytes).and_then(|()| decoder.finish());
    decoded.map_err(|wrong| Unread::coding(wrong, max))
}

/// Why a body was not read to its end.
#[derive(Debug)]
pub(super) enum Unread<E> {
    /// It is larger than this.
    TooLarge(u64),
    /// There is no room for it.
    NoRoom(Full),
    /// It is not in the coding that it says.
    Miscoded(std::io::Error),
    /// It was cut short, or its framing is broken.
    Broken(E),
}

impl<E> Unread<E> {
    fn coding(wrong: Wrong, max: u64) -> Self {
        match wrong {
            Wrong::TooLarge => Self::TooLarge(max),
            Wrong::Broken(error) => Self::Miscoded(error),
        }
    }
}

impl<E> From<Full> for Unread<E> {
    fn from(full: Full) -> Self {
        Self::NoRoom(full)
    }
}

impl<E: std::error::Error + 'static> From<Unread<E>> for Failure {
    fn from(unread: Unread<E>) -> Self {
        match unread {
            Unread::TooLarge(max) => Self::new(Cause::ReplyTooLarge, format!("the reply is larger than {max} bytes")),
            Unread::NoRoom(full) => full.into(),
            Unread::Miscoded(error) => Self::new(Cause::BadReply, format!("the reply is not in its coding: {error}")),
            Unread::Broken(error) => Self::new(Cause::BadReply, super::words(&error)),
        }
    }
}

//! Uploads: the body of a request, or the file of its form, on its way to the one call that takes it.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;

use super::super::listen::{BodyError, RequestBody};
use super::parts::{self, Fields, File, Next};
use crate::base::failure::{Cause, Failure};
use crate::base::room::{Room, Taken};
use crate::base::upload::{Stream, Upload};
use crate::exec::ClientRequest;
use crate::exec::form::Field;

/// Why a body broke off on its way, if it does: then its client must hear that, whatever else came of it.
#[derive(Clone, Debug, Default)]
pub(super) struct BrokeOff(Arc<OnceLock<Failure>>);

impl BrokeOff {
    /// What the client must hear.
    pub(super) fn failure(&self) -> Option<&Failure> {
        self.0.get()
    }

    /// Notes a reason. The first is the one that counts.
    fn note(&self, failure: Failure) {
        let _ = self.0.set(failure);
    }
}

/// Opens the upload of a request for the composition that takes it: the whole body, or the part `file` of a form, whose
/// fields before it are read. It has at most `max` bytes.
///
/// # Errors
/// A body that is not taken, and whatever is wrong before the file begins.
pub(super) async fn open(
    client: &mut ClientRequest,
    (body, room): (RequestBody, &Arc<Room>),
    (file, max): (Option<&str>, u64),
) -> Result<BrokeOff, Failure> {
    let headers = &client.head.headers;
    if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(Failure::told(Cause::UnsupportedMediaType, "The request body must not be compressed."));
    }
    let (stream, broke_off, media_type) = match file {
        None => {
            let (stream, broke_off) = passed_on(body, Some(max))?;
            (stream, broke_off, headers.get(CONTENT_TYPE).cloned())
        }
        Some(file) => {
            let broke_off = BrokeOff::default();
            let (content, media_type);
            (client.form, content, media_type) = form(headers, body, (file, max), (room, &mut client.taken)).await?;
            let noted = broke_off.clone();
            let content = content.map_err(move |failure| {
                noted.note(failure.clone());
                failure.log.to_string().into()
            });
            (content.boxed_unsync(), broke_off, media_type)
        }
    };
    client.upload = Some(Upload::new(stream, media_type));
    Ok(broke_off)
}

/// The body of a request on its way through, of at most `max` bytes, and why it broke off if it does.
pub(super) fn passed_on(body: RequestBody, max: Option<u64>) -> Result<(Stream, BrokeOff), Failure> {
    let max = max.unwrap_or(u64::MAX);
    if body.size_hint().lower() > max {
        return Err(Failure::new(Cause::BodyTooLarge, "the declared length is over the endpoint's cap"));
    }
    let broke_off = BrokeOff::default();
    let noted = broke_off.clone();
    let body = body.capped(max).map_err(move |error: BodyError| {
        noted.note(error.clone().into());
        error.into()
    });
    Ok((body.boxed_unsync(), broke_off))
}

/// Reads a form up to its file: the fields, the file, and its media type.
async fn form(
    headers: &HeaderMap,
    body: RequestBody,
    (file, max): (&str, u64),
    (room, taken): (&Arc<Room>, &mut Taken),
) -> Result<(Vec<Field>, Content, Option<HeaderValue>), Failure> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|media_type| media_type.to_str().ok()).unwrap_or_default();
    let Some(boundary) = parts::boundary(media_type)? else {
        return Err(Failure::told(Cause::UnsupportedMediaType, "The request body must be multipart/form-data."));
    };
    let most = max.saturating_add(parts::AROUND_LIMIT);
    if body.size_hint().lower() > most {
        return Err(too_large());
    }
    let mut body = body.capped(most);
    let mut size = 0;
    let mut reading = Fields::new(boundary, file);
    let mut fields = Vec::new();
    let media_type = loop {
        match reading.next()? {
            Next::Field(field) => fields.push(field),
            Next::File(media_type) => break media_type,
            Next::More => match body.frame().await.transpose()? {
                Some(frame) => {
                    let Ok(bytes) = frame.into_data() else { continue };
                    size += bytes.len();
                    taken.reach(room, size).await?;
                    reading.push(bytes);
                }
                None => return Err(cut_short()),
            },
        }
    };
    let left = body.size_hint().lower() + reading.waiting() as u64;
    if left > max.saturating_add(parts::BEHIND_LIMIT) {
        return Err(too_large());
    }
    Ok((fields, Content { body, file: reading.into_file(), left: max }, media_type))
}

/// The content of the file of a form. It ends when the form has, and never before.
struct Content {
    body: RequestBody,
    file: File,
    /// Bytes that may still come.
    left: u64,
}

impl Body for Content {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        loop {
            if let Some(bytes) = self.file.next()? {
                self.left = self.left.checked_sub(bytes.len() as u64).ok_or_else(too_large)?;
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(frame) => frame?.into_data().into_iter().for_each(|bytes| self.file.push(bytes)),
                None if self.file.is_whole() => return Poll::Ready(None),
                None => return Poll::Ready(Some(Err(cut_short()))),
            }
        }
    }
}

fn too_large() -> Failure {
    Failure::new(Cause::BodyTooLarge, "the upload is over the endpoint's cap")
}

fn cut_short() -> Failure {
    Failure::told(Cause::InvalidBody, "The form breaks off before its end.")
}

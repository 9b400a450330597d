//! Bodies of calls that are no JSON: raw ones, and the parts of a form (`multipart/form-data`, RFC 7578).
//!
//! **Invariant:** neither a name, nor a file name, nor a media type can end a line of a part's head, and no value can end a
//! part: its boundary is drawn at random for each call.

use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

use super::env::Env;
use super::render::{header_value, is_absent, scalar_text};
use crate::base::call::Content;
use crate::base::failure::{Cause, Failure};
use crate::base::upload::Upload;
use crate::base::value::{JsonWriter, Sink as _, Value, ValueKind};
use crate::expr::Node;
use crate::plan::{self, FormPart};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
const JSON: &str = "application/json";

/// A body as it is: a text, bytes, or what a client uploads; `None` for null.
pub(super) fn raw(content: &plan::Content, headers: &mut HeaderMap, env: &Env<'_>) -> Result<Option<Content>, Failure> {
    let node = match content {
        plan::Content::Value(node) => node,
        plan::Content::Upload(_) => {
            let upload = upload(env)?;
            headers.entry(CONTENT_TYPE).or_insert_with(|| upload.media_type.clone().unwrap_or(OCTETS));
            return Ok(Some(Content::Upload { before: Bytes::new(), upload, after: Bytes::new() }));
        }
    };
    let value = env.eval(node)?;
    if is_absent(&value) {
        return Ok(None);
    }
    let (bytes, media_type) = match &value {
        Value::Bytes(bytes) => (bytes.clone(), OCTETS),
        value => (scalar_text(value)?.into_owned().into(), TEXT),
    };
    headers.entry(CONTENT_TYPE).or_insert(media_type);
    Ok(Some(Content::Whole(bytes)))
}

/// The parts of a form, in written order; null leaves one out, and a list repeats its name.
pub(super) fn form(parts: &[FormPart], headers: &mut HeaderMap, env: &Env<'_>) -> Result<Content, Failure> {
    let mut writer = Writer { boundary: boundary(), out: Vec::new(), upload: None };
    for part in parts {
        let head = Head::of(part, env)?;
        match &part.content {
            plan::Content::Value(node) => writer.values(&head, &env.eval(node)?)?,
            plan::Content::Upload(_) => writer.upload(&head, upload(env)?),
        }
    }
    let Writer { boundary, mut out, upload } = writer;
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    // The parts are found by their boundary, whatever else `headers` says.
    let media_type = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}"));
    headers.insert(CONTENT_TYPE, media_type.unwrap_or(OCTETS));
    Ok(match upload {
        None => Content::Whole(out.into()),
        Some((before, upload)) => Content::Upload { before, upload, after: out.into() },
    })
}

/// What is said of a part before its content.
struct Head<'p> {
    /// The name, escaped.
    name: &'p str,
    /// The name of the file, escaped.
    file_name: Option<String>,
    media_type: Option<HeaderValue>,
}

impl<'p> Head<'p> {
    fn of(part: &'p FormPart, env: &Env<'_>) -> Result<Self, Failure> {
        let about = |node: &Option<Node>| -> Result<Option<String>, Failure> {
            let Some(node) = node else { return Ok(None) };
            let value = env.eval(node)?;
            if is_absent(&value) { Ok(None) } else { scalar_text(&value).map(|text| Some(text.into_owned())) }
        };
        let media_type = about(&part.media_type)?;
        let media_type = media_type.map(|text| header_value(&CONTENT_TYPE, &Value::text(&text))).transpose()?;
        Ok(Self { name: &part.name, file_name: about(&part.file_name)?.map(|name| plan::quoted(&name)), media_type })
    }
}

/// A form that is being written.
struct Writer {
    boundary: String,
    out: Vec<u8>,
    /// What stands before the part that a client uploads, and that.
    upload: Option<(Bytes, Upload)>,
}

impl Writer {
    fn values(&mut self, head: &Head<'_>, value: &Value<'_>) -> Result<(), Failure> {
        match value.elements() {
            Some(elements) => elements.into_iter().try_for_each(|element| self.value(head, &element)),
            None => self.value(head, value),
        }
    }

    fn value(&mut self, head: &Head<'_>, value: &Value<'_>) -> Result<(), Failure> {
        if is_absent(value) {
            return Ok(());
        }
        match value {
            Value::Bytes(bytes) => {
                self.begin(head, Some("application/octet-stream"));
                self.out.extend_from_slice(bytes);
            }
            value if matches!(value.kind(), ValueKind::List | ValueKind::Map) => {
                self.begin(head, Some(JSON));
                let mut json = JsonWriter::default();
                let written = json.value(value);
                written.map_err(|_| Failure::new(Cause::ExpressionFailed, "not a number of JSON"))?;
                self.out.extend_from_slice(&json.bytes);
            }
            value => {
                let text = scalar_text(value)?;
                self.begin(head, None);
                self.out.extend_from_slice(text.as_bytes());
            }
        }
        self.out.extend_from_slice(b"\r\n");
        Ok(())
    }

    fn upload(&mut self, head: &Head<'_>, upload: Upload) {
        let media_type = upload.media_type.clone();
        let media_type = media_type.as_ref().and_then(|media_type| media_type.to_str().ok());
        self.begin(head, Some(media_type.unwrap_or("application/octet-stream")));
        self.upload = Some((std::mem::take(&mut self.out).into(), upload));
        self.out.extend_from_slice(b"\r\n");
    }

    /// Writes the head of a part, whose media type is the declared one, or `media_type` if its content has one.
    fn begin(&mut self, head: &Head<'_>, media_type: Option<&str>) {
        let mut text = format!("--{}\r\nContent-Disposition: form-data; name=\"{}\"", self.boundary, head.name);
        if let Some(file_name) = &head.file_name {
            text.extend(["; filename=\"", file_name, "\""]);
        }
        let declared = head.media_type.as_ref().and_then(|media_type| media_type.to_str().ok());
        if let Some(media_type) = declared.or(media_type) {
            text.extend(["\r\nContent-Type: ", media_type]);
        }
        self.out.extend_from_slice(text.as_bytes());
        self.out.extend_from_slice(b"\r\n\r\n");
    }
}

/// The upload of the request.
fn upload(env: &Env<'_>) -> Result<Upload, Failure> {
    env.request.upload.clone().ok_or_else(|| Failure::new(Cause::Internal, "the request has no upload"))
}

/// What no content holds: 128 random bits.
fn boundary() -> String {
    let mut text = String::from("selvedge-");
    for _ in 0..2 {
        // A new state has keys that nobody outside knows.
        let _ = write!(text, "{:016x}", RandomState::new().hash_one(text.len()));
    }
    text
}

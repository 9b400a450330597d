//! The parts of a form (`multipart/form-data`, RFC 7578) as they come: fields, and behind them a file that is passed on.
//!
//! They are given bytes and say what those are; they read nothing themselves. A form is taken only as everyone writes it,
//! so that there are no two ways to read it.

use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};

use super::split::{Behind, Piece, Splitter};
use crate::base::failure::{Cause, Failure};
use crate::base::media;
use crate::exec::form::Field;

/// Bytes of the head of a part.
const HEAD_LIMIT: usize = 4 * 1024;
/// Lines of the head of a part.
const LINE_LIMIT: usize = 16;
/// Fields before the file.
const FIELD_LIMIT: usize = 100;
/// Bytes of all fields together, with their heads.
const FIELDS_LIMIT: usize = 1024 * 1024;
/// Bytes behind the last part, which nobody reads.
const REST_LIMIT: usize = 1024;
/// Bytes of a boundary (RFC 2046, section 5.1.1).
const BOUNDARY_LIMIT: usize = 70;
/// Bytes that a delimiter has beside its boundary, and what stands behind it.
const DELIMITER_LIMIT: usize = BOUNDARY_LIMIT + 8;
/// Bytes that may stand behind the content of the file.
pub(super) const BEHIND_LIMIT: u64 = (DELIMITER_LIMIT + REST_LIMIT) as u64;
/// Bytes that a form may have beside the content of its file.
pub(super) const AROUND_LIMIT: u64 =
    (FIELDS_LIMIT + HEAD_LIMIT + (FIELD_LIMIT + 1) * DELIMITER_LIMIT) as u64 + BEHIND_LIMIT;

/// The boundary of a form, by its media type; `None` if that is none of forms.
///
/// # Errors
/// A form without a boundary, or with one that cannot be.
pub(super) fn boundary(media_type: &str) -> Result<Option<&str>, Failure> {
    if media::essence(media_type) != "multipart/form-data" {
        return Ok(None);
    }
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&byte);
    let boundary = media::parameter(media_type, "boundary");
    let boundary = boundary.filter(|text| (1..=BOUNDARY_LIMIT).contains(&text.len()) && text.bytes().all(is_fit));
    boundary.map(Some).ok_or_else(|| wrong("The media type of the form has no valid boundary."))
}

/// The fields of a form, up to its file.
#[derive(Debug)]
pub(super) struct Fields {
    splitter: Splitter,
    state: State,
    /// The name of the part that is the file.
    file: Box<str>,
    /// The field that is being read.
    name: String,
    value: Vec<u8>,
    /// Fields that were begun.
    count: usize,
    /// Bytes of heads and values so far.
    size: usize,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Before the first delimiter.
    Begin,
    /// Behind a delimiter.
    Delimited,
    /// In the head of a part.
    Head,
    /// In the value of a field.
    Value,
}

/// What comes next of the fields.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// More must come before that can be said.
    More,
    /// A field.
    Field(Field),
    /// The file begins, of this media type.
    File(Option<HeaderValue>),
}

impl Fields {
    /// The fields of a form with this boundary before the part `file`.
    pub(super) fn new(boundary: &str, file: &str) -> Self {
        let (name, value) = (String::new(), Vec::new());
        let splitter = Splitter::new(boundary);
        Self { splitter, state: State::Begin, file: file.into(), name, value, count: 0, size: 0 }
    }

    /// Adds what came.
    pub(super) fn push(&mut self, bytes: Bytes) {
        self.splitter.push(bytes);
    }

    /// What comes next. After the file has begun, [`Self::into_file`] goes on.
    ///
    /// # Errors
    /// What no form has, or a form without the file: 400. Too much of something: 413.
    pub(super) fn next(&mut self) -> Result<Next, Failure> {
        loop {
            let next = match self.state {
                State::Begin => self.begin()?,
                State::Delimited => self.delimited()?,
                State::Head => self.head()?,
                State::Value => self.value()?,
            };
            if let Some(next) = next {
                return Ok(next);
            }
        }
    }

    /// Bytes that came and were not taken.
    pub(super) fn waiting(&self) -> usize {
        self.splitter.buffer.len()
    }

    /// The file, once it has begun.
    pub(super) fn into_file(self) -> File {
        File { splitter: self.splitter, state: Reached::Content, name: self.file, rest: 0 }
    }

    fn begin(&mut self) -> Result<Option<Next>, Failure> {
        match self.splitter.delimiter() {
            None => Ok(Some(Next::More)),
            Some(true) => {
                self.state = State::Delimited;
                Ok(None)
            }
            Some(false) => Err(wrong("The form does not begin with its boundary.")),
        }
    }

    fn delimited(&mut self) -> Result<Option<Next>, Failure> {
        match self.splitter.behind() {
            None => Ok(Some(Next::More)),
            Some(Behind::Part) => {
                self.state = State::Head;
                Ok(None)
            }
            Some(Behind::Nothing) => Err(wrong(format!("The form has no part `{}`.", self.file))),
            Some(Behind::Neither) => Err(broken_boundary()),
        }
    }

    fn head(&mut self) -> Result<Option<Next>, Failure> {
        let mut lines = [httparse::EMPTY_HEADER; LINE_LIMIT];
        let head = match httparse::parse_headers(&self.splitter.buffer, &mut lines) {
            Ok(httparse::Status::Complete((length, _))) if length > HEAD_LIMIT => return Err(large_head()),
            Ok(httparse::Status::Complete((length, lines))) => Head::of(lines).map(|head| (length, head))?,
            Ok(httparse::Status::Partial) if self.splitter.buffer.len() > HEAD_LIMIT => return Err(large_head()),
            Ok(httparse::Status::Partial) => return Ok(Some(Next::More)),
            Err(httparse::Error::TooManyHeaders) => return Err(large_head()),
            Err(error) => return Err(wrong(format!("The head of a part of the form is broken: {error}."))),
        };
        let (length, Head { name, media_type }) = head;
        self.splitter.buffer.advance(length);
        if *name == *self.file {
            return Ok(Some(Next::File(media_type)));
        }
        self.count += 1;
        if self.count > FIELD_LIMIT {
            return Err(large(format!("The form has more than {FIELD_LIMIT} fields before its file.")));
        }
        self.name = name;
        self.state = State::Value;
        self.grow(length).map(|()| None)
    }

    fn value(&mut self) -> Result<Option<Next>, Failure> {
        match self.splitter.content() {
            Piece::More => Ok(Some(Next::More)),
            Piece::Bytes(bytes) => {
                self.grow(bytes.len())?;
                self.value.extend_from_slice(&bytes);
                Ok(None)
            }
            Piece::Delimiter => {
                self.state = State::Delimited;
                let (value, is_text) = match String::from_utf8(std::mem::take(&mut self.value)) {
                    Ok(text) => (text, true),
                    Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), false),
                };
                Ok(Some(Next::Field(Field { name: std::mem::take(&mut self.name), value, is_text })))
            }
        }
    }

    fn grow(&mut self, bytes: usize) -> Result<(), Failure> {
        self.size += bytes;
        match self.size > FIELDS_LIMIT {
            true => Err(large("The fields of the form are too large.")),
            false => Ok(()),
        }
    }
}

/// The file of a form, the last of its parts.
#[derive(Debug)]
pub(super) struct File {
    splitter: Splitter,
    state: Reached,
    name: Box<str>,
    /// Bytes that came behind the last part.
    rest: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    /// The content of the file.
    Content,
    /// The delimiter behind it.
    Delimiter,
    /// The end of the form.
    End,
}

impl File {
    /// Adds what came.
    pub(super) fn push(&mut self, bytes: Bytes) {
        self.splitter.push(bytes);
    }

    /// The next bytes of the file; `None` when more must come.
    ///
    /// # Errors
    /// Anything but the end of the form behind the file.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            match self.state {
                Reached::Content => match self.splitter.content() {
                    Piece::More => return Ok(None),
                    Piece::Bytes(bytes) => return Ok(Some(bytes)),
                    Piece::Delimiter => self.state = Reached::Delimiter,
                },
                Reached::Delimiter => match self.splitter.behind() {
                    None => return Ok(None),
                    Some(Behind::Nothing) => self.state = Reached::End,
                    Some(Behind::Part) => {
                        return Err(wrong(format!("The part `{}` of the form must be its last.", self.name)));
                    }
                    Some(Behind::Neither) => return Err(broken_boundary()),
                },
                Reached::End => {
                    self.rest += std::mem::take(&mut self.splitter.buffer).len();
                    return if self.rest > REST_LIMIT {
                        Err(wrong("The form goes on behind its end."))
                    } else {
                        Ok(None)
                    };
                }
            }
        }
    }

    /// Whether the form has come to its end.
    pub(super) fn is_whole(&self) -> bool {
        self.state == Reached::End
    }
}

/// What the head of a part says.
#[derive(Debug)]
struct Head {
    name: String,
    media_type: Option<HeaderValue>,
}

impl Head {
    fn of(lines: &[httparse::Header<'_>]) -> Result<Self, Failure> {
        let mut named = lines.iter().filter(|line| line.name.eq_ignore_ascii_case(CONTENT_DISPOSITION.as_str()));
        let name = match (named.next(), named.next()) {
            (Some(line), None) => std::str::from_utf8(line.value).ok().and_then(name),
            _ => None,
        };
        let line = |name: &str| lines.iter().find(|line| line.name.eq_ignore_ascii_case(name)).map(|line| line.value);
        // Nobody sends these since RFC 7578; read as they are they would be something else.
        let coding = line("content-transfer-encoding").map(<[u8]>::to_ascii_lowercase);
        if coding.is_some_and(|coding| !matches!(&*coding, b"binary" | b"8bit" | b"7bit")) {
            return Err(wrong("A part of the form has a transfer encoding, which is not taken."));
        }
        let media_type = line(CONTENT_TYPE.as_str()).and_then(|text| HeaderValue::from_bytes(text).ok());
        let name = name.ok_or_else(|| wrong("A part of the form does not say its name."))?;
        Ok(Self { name, media_type })
    }
}

/// The name of a part: `form-data; name="title"; filename="a;b.txt"`. Escapes are those of quoted text (RFC 9110, section
/// 5.6.4); names are UTF-8.
fn name(disposition: &str) -> Option<String> {
    let (kind, mut rest) = disposition.split_once(';')?;
    let mut name = None;
    while !rest.trim().is_empty() {
        let (key, behind) = rest.split_once('=')?;
        let value = match behind.strip_prefix('"') {
            Some(quoted) => {
                let (value, behind) = unquoted(quoted)?;
                let behind = behind.trim_start();
                rest = if behind.is_empty() { behind } else { behind.strip_prefix(';')? };
                value
            }
            None => {
                let (value, behind) = behind.split_once(';').unwrap_or((behind, ""));
                rest = behind;
                value.trim().to_owned()
            }
        };
        if key.trim().eq_ignore_ascii_case("name") && name.replace(value).is_some() {
            return None;
        }
    }
    name.filter(|_| kind.trim().eq_ignore_ascii_case("form-data"))
}

/// A text up to the quote that ends it, and what stands behind that.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, &text[at + 1..])),
            '\\' => out.push(chars.next()?.1),
            c => out.push(c),
        }
    }
    None
}

fn wrong(detail: impl Into<Arc<str>>) -> Failure {
    Failure::told(Cause::InvalidBody, detail)
}

fn large(detail: impl Into<Arc<str>>) -> Failure {
    Failure::told(Cause::BodyTooLarge, detail)
}

fn large_head() -> Failure {
    large("The head of a part of the form is too large.")
}

fn broken_boundary() -> Failure {
    wrong("A boundary of the form is broken.")
}

#[cfg(test)]
mod tests;

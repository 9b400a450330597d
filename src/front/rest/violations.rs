//! What is wrong with a request, all of it, before anything is called.

use std::sync::Arc;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::base::failure::{Cause, Failure};
use crate::base::value::{Doc, DocBuilder, Kind, Sink as _};
use crate::plan::contract::schema::Violation;
use crate::plan::schema::coerce::InvalidInput;
use crate::plan::{Arg, ArgSource};

/// What cannot stand in a URI's fragment as it is (RFC 3986, section 3.5). Percent is what the others become.
const FRAGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What is wrong with a request; nothing when it can be answered.
#[derive(Debug, Default)]
pub(super) struct Violations {
    /// The cause of the first.
    cause: Option<Cause>,
    found: Vec<Wrong>,
}

/// One thing that is wrong.
#[derive(Debug)]
pub(super) struct Wrong {
    /// A whole sentence.
    sentence: String,
    /// The same for programs.
    spot: Option<Spot>,
}

/// Where a request is wrong, and what is wrong there.
#[derive(Debug)]
struct Spot {
    at: At,
    detail: String,
}

#[derive(Debug)]
enum At {
    /// In the body, at a JSON pointer.
    Body(String),
    /// A parameter, by the words of OpenAPI: its name, and in what it stands.
    Parameter { name: String, source: &'static str },
}

impl Violations {
    /// Adds something.
    pub(super) fn add(&mut self, cause: Cause, wrong: Wrong) {
        self.cause.get_or_insert(cause);
        self.found.push(wrong);
    }

    /// Goes on when nothing is wrong.
    ///
    /// # Errors
    /// One failure that tells everything, with the cause of the first.
    pub(super) fn refuse(self) -> Result<(), Failure> {
        let Some(cause) = self.cause else { return Ok(()) };
        let sentences: Vec<&str> = self.found.iter().map(|wrong| wrong.sentence.as_str()).collect();
        let failure = Failure::told(cause, sentences.join(" "));
        Err(Failure { with: self.errors().map(Arc::new), ..failure })
    }

    /// `errors`, as RFC 9457 shows it in section 3: what has a place in the request.
    fn errors(&self) -> Option<Doc> {
        let spots: Vec<&Spot> = self.found.iter().filter_map(|wrong| wrong.spot.as_ref()).collect();
        if spots.is_empty() {
            return None;
        }
        let mut out = DocBuilder::default();
        out.begin_object();
        out.key(b"\"errors\":");
        out.begin_array();
        for Spot { at, detail } in spots {
            out.begin_object();
            match at {
                At::Body(pointer) => {
                    out.key(b"\"pointer\":");
                    out.text(Kind::String, &format!("#{}", utf8_percent_encode(pointer, FRAGMENT)));
                }
                At::Parameter { name, source } => {
                    out.key(b"\"parameter\":");
                    out.text(Kind::String, name);
                    out.key(b"\"in\":");
                    out.text(Kind::String, source);
                }
            }
            out.key(b"\"detail\":");
            out.text(Kind::String, detail);
            out.end_object();
        }
        out.end_array();
        out.end_object();
        Some(out.finish())
    }
}

impl Wrong {
    /// A whole sentence.
    pub(super) fn sentence(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), spot: None }
    }

    /// Something at a place of the body.
    pub(super) fn in_body(violation: Violation) -> Self {
        let sentence = format!("In the request body {violation}");
        let sentence = if sentence.ends_with('?') { sentence } else { sentence + "." };
        Self { sentence, spot: Some(Spot { at: At::Body(violation.pointer), detail: violation.reason }) }
    }

    /// Something about an argument.
    pub(super) fn in_argument(arg: &Arg, wrong: InvalidInput) -> Self {
        let name = arg.name_outside().to_owned();
        let is_whole = wrong.path.is_empty();
        let wrong = wrong.within(&*name);
        let sentence = format!("Argument {}", wrong.sentence());
        let InvalidInput { path, reason, .. } = wrong;
        let detail = if is_whole { reason } else { format!("`{path}` {reason}") };
        let source = match arg.source {
            ArgSource::Path(_) | ArgSource::Tail(_) => "path",
            ArgSource::Query(_) => "query",
            ArgSource::Header(_) => "header",
            ArgSource::Cookie(_) => "cookie",
            ArgSource::Form(_) => "form",
        };
        Self { sentence, spot: Some(Spot { at: At::Parameter { name, source }, detail }) }
    }
}

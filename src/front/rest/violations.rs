//! What is wrong with a request, all of it, before anything is called.

use std::sync::Arc;

use crate::base::failure::{Cause, Failure};
use crate::base::value::{Doc, DocBuilder, Kind, Sink as _};
use crate::plan::contract::schema::Violation;

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
    /// For programs: a JSON pointer into the body, and what is wrong there.
    spot: Option<(String, String)>,
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

    /// `errors`, as RFC 9457 shows it in section 3: what has a place in the body.
    fn errors(&self) -> Option<Doc> {
        let spots: Vec<&(String, String)> = self.found.iter().filter_map(|wrong| wrong.spot.as_ref()).collect();
        if spots.is_empty() {
            return None;
        }
        let mut out = DocBuilder::default();
        out.begin_object();
        out.key(b"\"errors\":");
        out.begin_array();
        for (pointer, detail) in spots {
            out.begin_object();
            out.key(b"\"pointer\":");
            out.text(Kind::String, &format!("#{pointer}"));
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
        Self { sentence, spot: Some((violation.pointer, violation.reason)) }
    }
}

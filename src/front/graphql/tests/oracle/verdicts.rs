//! What both sides say of documents: valid or not.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex};

use async_graphql::async_trait::async_trait;
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute, NextValidation};
use async_graphql::{Request, Response, ServerError, ValidationResult};
use futures_util::FutureExt as _;

use super::corpus::{INVALID, UNPARSED, VALID};
use super::known::VERDICTS;
use super::{SCHEMA, their_schema};
use crate::base::failure::Cause;
use crate::plan::operation::{Introspection, Limits, Settings, read};

/// What a side says of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Valid,
    Invalid,
    /// It says nothing: it panics.
    Panic,
}

#[test]
fn we_judge_every_document_as_the_specification_does() {
    let expected = [(VALID, Verdict::Valid), (INVALID, Verdict::Invalid), (UNPARSED, Verdict::Invalid)];
    for (documents, expected) in expected {
        let wrong: Vec<_> = documents.iter().filter(|(_, document)| ours(document) != expected).collect();
        assert!(wrong.is_empty(), "not {expected:?}: {wrong:#?}");
    }
}

#[test]
fn they_judge_every_document_as_the_specification_does_but_for_known_ones() {
    let mut differences = Vec::new();
    let expected = [(VALID, Verdict::Valid), (INVALID, Verdict::Invalid), (UNPARSED, Verdict::Invalid)];
    for (documents, expected) in expected {
        for (name, document) in documents {
            let known = VERDICTS.iter().find(|known| known.names.contains(name));
            let theirs = theirs(document);
            if theirs != known.map_or(expected, |known| known.theirs) {
                differences.push(format!("{name}: {theirs:?}, {}", known.map_or("unknown", |known| known.reason)));
            }
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn what_they_refuse_we_refuse_too_in_every_variant() {
    let mut documents = 0;
    let refused =
        |name: &str| VERDICTS.iter().any(|known| known.theirs == Verdict::Invalid && known.names.contains(&name));
    for (name, document) in [VALID, INVALID].concat().into_iter().filter(|(name, _)| !refused(name)) {
        for variant in variants(document) {
            documents += 1;
            // Theirs is the laxer side by far, so nothing that it finds may be new to us.
            if ours(&variant) == Verdict::Valid {
                assert_ne!(theirs(&variant), Verdict::Invalid, "{name}: {variant}");
            }
        }
    }
    assert!(documents > 5_000, "{documents}");
}

#[test]
fn every_known_difference_is_of_one_document_that_there_is() {
    let names: Vec<_> = [VALID, INVALID, UNPARSED].concat().into_iter().map(|(name, _)| name).collect();
    assert!(names.len() >= 150, "{}", names.len());
    for (at, name) in names.iter().enumerate() {
        assert!(!names[..at].contains(name), "{name} names two documents");
    }
    let known: Vec<_> = VERDICTS.iter().flat_map(|known| known.names).collect();
    for (at, name) in known.iter().enumerate() {
        assert!(names.contains(name) && !known[..at].contains(name), "{name}");
    }
}

/// The document with one token left out or written twice, for every token.
fn variants(document: &str) -> Vec<String> {
    let mut variants = Vec::new();
    for token in tokens(document) {
        let (before, after) = (&document[..token.start], &document[token.end..]);
        variants.push(format!("{before} {after}"));
        variants.push(format!("{before}{0} {0}{after}", &document[token]));
    }
    variants
}

/// Where the tokens of a document stand. Its strings fall into pieces, which makes more variants.
fn tokens(document: &str) -> Vec<std::ops::Range<usize>> {
    let belongs = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let mut tokens: Vec<std::ops::Range<usize>> = Vec::new();
    for (at, c) in document.char_indices().filter(|(_, c)| !c.is_whitespace()) {
        match tokens.last_mut() {
            Some(last) if last.end == at && belongs(c) && document[last.clone()].ends_with(belongs) => {
                last.end += c.len_utf8()
            }
            _ => tokens.push(at..at + c.len_utf8()),
        }
    }
    tokens
}

/// What we say.
pub(super) fn ours(document: &str) -> Verdict {
    let limits = Limits { depth: 100, aliases: 1_000, tokens: 10_000, ..Limits::default() };
    match read(document, &SCHEMA, &Settings { limits, introspection: Introspection::On }) {
        Ok(_) => Verdict::Valid,
        Err(error) => {
            assert_ne!(error.cause, Cause::GraphqlLimit, "{document}: {error:?}");
            Verdict::Invalid
        }
    }
}

/// What async-graphql says.
pub(super) fn theirs(document: &str) -> Verdict {
    static THEIRS: LazyLock<async_graphql::dynamic::Schema> =
        LazyLock::new(|| their_schema::builder(&SCHEMA).extension(Listening).finish().expect("a schema of theirs"));
    let heard = Arc::new(Heard::default());
    let request = Request::new(document).data(heard.clone());
    let asked = catch_unwind(AssertUnwindSafe(|| THEIRS.execute(request).now_or_never()));
    match asked {
        Err(_) => Verdict::Panic,
        Ok(answer) => {
            assert!(answer.is_some(), "nothing to wait for");
            if *heard.valid.lock().expect("not poisoned") { Verdict::Valid } else { Verdict::Invalid }
        }
    }
}

/// Whether validation was reached and passed.
#[derive(Default)]
struct Heard {
    valid: Mutex<bool>,
}

/// Hears what validation says, and lets nothing run.
struct Listening;

impl ExtensionFactory for Listening {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait]
impl Extension for Listening {
    async fn validation(
        &self,
        context: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next.run(context).await;
        let heard = context.data_unchecked::<Arc<Heard>>();
        *heard.valid.lock().expect("not poisoned") = result.is_ok();
        result
    }

    async fn execute(&self, _: &ExtensionContext<'_>, _: Option<&str>, _: NextExecute<'_>) -> Response {
        Response::default()
    }
}

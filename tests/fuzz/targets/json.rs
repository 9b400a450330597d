//! JSON, as backends and clients send it.

use std::sync::Arc;

use bytes::Bytes;
use selvedge::base::value::{Doc, JsonWriter, Kind, Sink as _, View};
use serde_json::value::RawValue;

use super::Target;

/// See [`run`].
pub const TARGET: Target = Target {
    name: "json",
    promise: "what is taken is JSON and nothing else is, and its parts hold what it says",
    run,
    words: &[
        "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u0000", "\\ud83d", "\\ude00", "\\u00e9", "\\/", "null", "true",
        "false", "-", "0", "1", "-0", "0.5", "1e5", "1E+400", "\"a\"", "{\"a\":", "[[", "]]", " ", "\t", "\n", "\r",
        "\u{feff}", "\u{2028}", "é", "😀",
    ],
    pace: 60,
};

/// Depth from which the other reader gives up, too.
const DEPTH: usize = 100;

/// Agrees with another reader, and reads every part of what it takes.
pub fn run(input: &[u8]) {
    let other = serde_json::from_slice::<&RawValue>(input);
    let doc = match Doc::parse(Bytes::copy_from_slice(input)) {
        Ok(doc) => Arc::new(doc),
        Err(error) => {
            assert!(error.offset <= input.len(), "{error}");
            assert!(other.is_err() || is_deep(input), "refused, although it is JSON: {error}");
            return;
        }
    };
    assert!(other.is_ok() || is_deep(input), "taken, although it is no JSON");
    assert_eq!(visit(doc.root()), doc.bytes().len().min(1), "there is a root");
    let mut written = JsonWriter::default();
    if written.value(&doc.root().value()).is_ok() {
        let same = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).ok();
        let (before, after) = (same(input), same(&written.bytes));
        assert!(before.is_none() || before == after, "{before:?} is written as {after:?}");
    }
}

/// Opens every part; 1 if all of them could be.
fn visit(view: View<'_>) -> usize {
    match view.kind() {
        Kind::Object => view.members().for_each(|(name, member)| {
            assert!(view.member(&name).is_some(), "the member {name:?} is found");
            visit(member);
        }),
        Kind::Array => view.elements().for_each(|element| {
            visit(element);
        }),
        Kind::String | Kind::EscapedString => assert!(view.text().is_some(), "text is text"),
        _ => {}
    }
    1
}

fn is_deep(input: &[u8]) -> bool {
    input.iter().filter(|byte| matches!(byte, b'[' | b'{')).count() > DEPTH
}

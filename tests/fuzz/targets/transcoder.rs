//! Messages of gRPC: from the wire to JSON and back.

use std::sync::{Arc, LazyLock};

use selvedge::base::value::Doc;
use selvedge::descriptor::{Library, Sets, Texts};
use selvedge::transport::grpc::message::{MessageId, Tables, decode, encode};

use super::Target;

/// See [`run`].
pub const TARGET: Target = Target {
    name: "transcoder",
    promise: "what can be read can be written, and is then read as the same",
    run,
    words: &[
        "\x08\x01",
        "\x0a\x00",
        "\x12\x02\x08\x01",
        "\x1a\x01a",
        "\x0b\x0c",
        "\x7f",
        "\u{80}\x01",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "null",
        "\"NaN\"",
        "\"-Infinity\"",
        "1e400",
        "-1",
        "18446744073709551615",
        "\"9223372036854775808\"",
        "\"@type\":",
        "\"type.googleapis.com/rich.Plain\"",
        "\"1970-01-01T00:00:00Z\"",
        "\"-1.5s\"",
        "\"a.bC,d\"",
        "\"YQ==\"",
        "\"YQ\"",
        "\"_-\"",
        "{\"name\":\"a\"}",
        "\"RED\"",
        "true",
        "\"aDouble\":",
        "\"someBytes\":",
        "\"anInt64\":",
        "\"color\":",
    ],
    pace: 60,
};

const MESSAGES: &[&str] = &[
    "rich.Rich",
    "rich.WellKnown",
    "rich.Maps",
    "rich.Lists",
    "rich.Scattered",
    "rich.Scalars",
    "rich.Optionals",
    "old.Old",
];

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let sources = [
        ("rich.proto", include_str!("../../../src/transport/grpc/message/tests/rich.proto")),
        ("old.proto", include_str!("../../../src/transport/grpc/message/tests/old.proto")),
    ];
    let texts = Texts::new(sources.map(|(name, text)| (name.to_owned(), text.into())));
    let roots = sources.map(|(name, _)| name.to_owned());
    let pool = Library { texts: &texts, sets: &Sets::default() }.link(&roots).expect("the protos link");
    Tables::build(MESSAGES.iter().map(|name| pool.message(name).expect("a message of the protos")))
});

/// The first byte says which message it is, and whether the rest is wire (`W` for the first message) or JSON (`w`).
pub fn run(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else { return };
    let name = MESSAGES[usize::from(first.wrapping_sub(b'W') & 0x1f) % MESSAGES.len()];
    let id = TABLES.message(name).expect("its tables were built");
    let is_json = first & 0x20 != 0;
    if is_json { json(id, rest) } else { wire(id, rest) }
}

fn wire(id: MessageId, wire: &[u8]) {
    let Ok(doc) = decode(&TABLES, id, wire).map(Arc::new) else { return };
    is_read_as(id, &doc, text(&doc));
}

fn json(id: MessageId, json: &[u8]) {
    let mut out = b"kept".to_vec();
    if encode(&TABLES, id, json, &mut out).is_err() {
        assert_eq!(out, b"kept", "what was written before a mistake was found is taken back");
        return;
    }
    assert!(serde_json::from_slice::<serde_json::Value>(json).is_ok() || has_large_number(json), "no JSON is taken");
    let read = decode(&TABLES, id, &out[4..]).map(Arc::new);
    let doc = read.map_err(|error| error.to_string()).expect("what was written can be read");
    is_read_as(id, &doc, text(&doc));
}

/// A document is JSON, and the message that it is written as is read as the same.
fn is_read_as(id: MessageId, doc: &Arc<Doc>, text: &str) {
    assert!(serde_json::from_str::<serde_json::Value>(text).is_ok() || has_large_number(text.as_bytes()), "{text}");
    assert_eq!(Doc::parse(doc.bytes().clone()).map(drop), Ok(()), "{text}");
    let mut wire = Vec::new();
    if let Err(wrong) = encode(&TABLES, id, doc.bytes(), &mut wire) {
        // An Any of a type that has no name can be read, for backends send what they like, and is not sent to others.
        let is_nameless = wrong.0.iter().all(|wrong| wrong.to_string().contains("no type URL"));
        return assert!(is_nameless, "{wrong}: {text}");
    }
    let again = decode(&TABLES, id, &wire).map(Arc::new).map_err(|error| error.to_string());
    assert_eq!(again.as_ref().map(self::text).map_err(String::as_str), Ok(text));
}

fn text(doc: &Arc<Doc>) -> &str {
    std::str::from_utf8(doc.bytes()).expect("JSON is UTF-8")
}

/// The other reader refuses numbers that no double is.
fn has_large_number(json: &[u8]) -> bool {
    json.iter().any(|byte| matches!(byte, b'e' | b'E')) || json.len() > 300
}

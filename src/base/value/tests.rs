//! What `value` does, claim by claim.

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::{Doc, DocBuilder, Duration, JsonWriter, Sink, Timestamp, Value};

fn doc(text: &str) -> Arc<Doc> {
    Arc::new(Doc::parse(Bytes::copy_from_slice(text.as_bytes())).expect("valid JSON"))
}

#[test]
fn a_path_points_at_the_bytes_as_they_came() {
    let doc = doc(r#" {"a": [1, {"b\n": 1.10 }], "c": "x\u00e9\ud83d\ude00"} "#);
    let list = doc.root().member("a").expect("a");
    let number = list.elements().nth(1).and_then(|o| o.member("b\n")).expect("b");
    assert_eq!(number.raw(), "1.10");
    assert_eq!(&*doc.root().member("c").and_then(|c| c.text()).expect("text"), "xé😀");
    assert!(doc.root().member("d").is_none());
    assert!(list.member("b").is_none());
}

#[test]
fn what_is_not_json_is_refused() {
    let wrong: &[&[u8]] = &[
        b"",
        b"{",
        b"[1,]",
        b"{\"a\":1,}",
        b"01",
        b"1.",
        b"1e",
        b"-",
        b"nul",
        b"\"a",
        b"\"\\x\"",
        b"\"\x01\"",
        b"{\xff\xfe}",
        b"\"\xff\"",
        b"1 2",
        b"[1}",
        b"{1:2}",
        b"{\"a\" 1}",
        b"'a'",
        b"NaN",
        b"\"\\u12g4\"",
        b",",
        b"[,1]",
        b"{,}",
        b"\xef\xbb\xbf1",
    ];
    for bytes in wrong {
        assert!(Doc::parse(Bytes::copy_from_slice(bytes)).is_err(), "{bytes:?}");
    }
}

#[test]
fn nesting_beyond_the_limit_is_refused_and_at_the_limit_is_read() {
    let nested = |depth: usize| Bytes::from("[".repeat(depth) + &"]".repeat(depth));
    assert!(Doc::parse(nested(super::DEPTH_LIMIT)).is_ok());
    assert!(Doc::parse(nested(super::DEPTH_LIMIT + 1)).is_err());
    assert!(Doc::parse(Bytes::from("[".repeat(10_000_000))).is_err());
}

#[test]
fn a_rewound_sink_forgets_what_it_wrote() {
    let mut out = DocBuilder::default();
    out.begin_object();
    out.key(b"\"a\":");
    let mark = out.mark();
    out.begin_array();
    out.int(1);
    out.rewind(mark);
    out.null();
    out.key(b"\"b\":");
    out.text(super::Kind::String, "x\"y");
    out.end_object();
    let built = Arc::new(out.finish());
    assert_eq!(&built.bytes()[..], br#"{"a":null,"b":"x\"y"}"#);
    assert_eq!(&*built.root().member("b").and_then(|b| b.text()).expect("text"), "x\"y");
}

#[test]
fn doubles_are_written_as_ecmascript_does() {
    for (value, text) in [
        (1.0, "1"),
        (0.1, "0.1"),
        (1e21, "1e+21"),
        (1e20, "100000000000000000000"),
        (-0.0, "-0"),
        (1.5e-7, "1.5e-7"),
        (1e-6, "0.000001"),
    ] {
        let mut out = JsonWriter::default();
        assert_eq!(out.double(value), Ok(()));
        assert_eq!(String::from_utf8_lossy(&out.bytes), text);
    }
}

#[test]
fn a_date_is_written_as_http_does() {
    for (time, written) in [
        ("1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("2024-02-29T23:59:59Z", "Thu, 29 Feb 2024 23:59:59 GMT"),
        ("2018-12-31T23:59:59Z", "Mon, 31 Dec 2018 23:59:59 GMT"),
    ] {
        assert_eq!(Timestamp::parse(time).expect("a time").to_http_date(), written);
    }
}

#[test]
fn times_read_and_write_as_protobuf_says() {
    for text in
        ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2024-02-29T12:00:00.500Z"]
    {
        assert_eq!(Timestamp::parse(text).and_then(Timestamp::to_text).as_deref(), Some(text));
    }
    assert_eq!(Timestamp::parse("1970-01-01T01:00:00+01:00"), Some(Timestamp { seconds: 0, nanos: 0 }));
    for text in
        ["2023-02-29T00:00:00Z", "1970-01-01", "1970-01-01T00:00:00", "0000-01-01T00:00:00Z", "1970-13-01T00:00:00Z"]
    {
        assert_eq!(Timestamp::parse(text), None, "{text}");
    }
    for text in ["1.500s", "-0.000000001s", "0s", "315576000000s"] {
        assert_eq!(Duration::parse(text).and_then(Duration::to_text).as_deref(), Some(text));
    }
    for text in ["1", "s", "1.s", "315576000001s", "1.0000000001s", "--1s"] {
        assert_eq!(Duration::parse(text), None, "{text}");
    }
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,24}".prop_map(serde_json::Value::String),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
            prop::collection::vec((".{0,6}", inner), 0..8)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn rebuild(value: &Value<'_>) -> serde_json::Value {
    if let Some(items) = value.elements() {
        return items.map(|item| rebuild(&item)).collect();
    }
    if let Some(entries) = value.entries() {
        let entry = |(key, value): (Value<'_>, Value<'_>)| (key.as_text().unwrap_or("?").to_owned(), rebuild(&value));
        return serde_json::Value::Object(entries.map(entry).collect());
    }
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Text(text) => text.to_string().into(),
        Value::View(view) => serde_json::from_str(view.raw()).expect("a number"),
        other => unreachable!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn reading_agrees_with_serde_json(value in json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.expect("json");
        let doc = doc(&text);
        prop_assert_eq!(rebuild(&doc.root().value()), value);
    }

    #[test]
    fn decimals_are_written_as_short_as_std_writes_them(
        digits in -10_000_000_000_000_000i64..10_000_000_000_000_000, places in 0..8, width in 0..16u32,
    ) {
        let value = (digits / 10i64.pow(width)) as f64 / 10f64.powi(places);
        let mut out = JsonWriter::default();
        prop_assert_eq!(out.double(value), Ok(()));
        prop_assert_eq!(String::from_utf8_lossy(&out.bytes).parse::<f64>(), Ok(value));
        prop_assert!(value.abs() < 1e-6 || String::from_utf8_lossy(&out.bytes) == value.to_string());
    }

    #[test]
    fn a_copy_of_a_part_reads_as_the_part(value in json()) {
        let doc = doc(&serde_json::to_string(&value).expect("json"));
        let mut out = DocBuilder::default();
        out.begin_array();
        out.int(7);
        out.view(doc.root());
        out.end_array();
        let built = Arc::new(out.finish());
        prop_assert_eq!(rebuild(&built.root().elements().nth(1).expect("two").value()), value);
    }

    #[test]
    fn any_bytes_are_accepted_exactly_when_serde_json_accepts_them(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let ours = Doc::parse(Bytes::copy_from_slice(&bytes)).is_ok();
        let theirs = serde_json::from_slice::<&serde_json::value::RawValue>(&bytes).is_ok();
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn json_like_bytes_are_accepted_exactly_when_serde_json_accepts_them(text in r#"[\[\]{}:,"\\/u0-9eE+\-.\x01 a-ftrulsn]{0,24}"#) {
        let ours = Doc::parse(Bytes::copy_from_slice(text.as_bytes())).is_ok();
        let theirs = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
        prop_assert_eq!(ours, theirs);
    }
}

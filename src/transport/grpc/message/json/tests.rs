//! Strings, escapes and what is no JSON.

use super::Reader;

fn string(text: &str) -> Option<String> {
    let mut reader = Reader::new(text.as_bytes()).expect("UTF-8");
    let string = reader.string().ok()?.into_owned();
    reader.end().ok().map(|()| string)
}

#[test]
fn escapes_read_as_what_they_stand_for() {
    assert_eq!(string(r#""a\"\\\/\b\f\n\r\té\u00e9\ud83d\ude00z""#).as_deref(), Some("a\"\\/\u{8}\u{c}\n\r\téé😀z"));
    assert_eq!(string(r#""\u0000""#).as_deref(), Some("\0"));
}

#[test]
fn half_a_surrogate_pair_is_refused() {
    for text in
        [r#""\ud83d""#, r#""\ud83dx""#, r#""\ude00""#, r#""\ud83d\ud83d\ude00""#, r#""\ud83d\n""#, r#""\ud83d\u0041""#]
    {
        assert_eq!(string(text), None, "{text}");
    }
}

#[test]
fn text_that_is_no_string_is_refused() {
    for text in
        ["\"", "\"a", "\"\t\"", "\"\\", "\"\\\"", "\"\\a\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u+123\"", "'a'", "\"a\"b"]
    {
        assert_eq!(string(text), None, "{text}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_where_they_stand() {
    assert_eq!(Reader::new(b"{\"a\":\"\xff\"}").map(drop).map_err(|error| error.offset), Err(6));
}

#[test]
fn skipping_agrees_with_serde_json_on_what_is_json() {
    let texts = [
        "null",
        "true",
        "[1,-2.5e3,\"a\",{}]",
        "{\"a\":[],\"b\":{\"c\":null}}",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\"}",
        "{1:2}",
        "[1 2]",
        "nul",
        "tru",
        "[",
        "{",
        "]",
        "",
        "[01]",
        "{\"a\":1}}",
        " [ 1 , 2 ] ",
        "[,]",
    ];
    for text in texts {
        let mut reader = Reader::new(text.as_bytes()).expect("UTF-8");
        let ours = reader.skip().and_then(|()| reader.end()).is_ok();
        assert_eq!(ours, serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
    }
}

#[test]
fn skipping_stops_at_the_depth_limit() {
    let nested = "[".repeat(1_000_000);
    let error = Reader::new(nested.as_bytes()).and_then(|mut reader| reader.skip()).expect_err("too deep");
    assert_eq!(error.reason, "nested too deeply");
}

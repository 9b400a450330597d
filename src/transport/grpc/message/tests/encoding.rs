//! From JSON to the wire, claim by claim.

use super::super::DEPTH_LIMIT;
use super::{encode, json};

/// The same message as JSON in its canonical form, without the fields that are at their defaults.
fn canonical(name: &str, text: &str) -> String {
    let wire = encode(name, text).expect(text);
    json(name, &wire).expect("our own wire")
}

/// Why a text is not taken.
#[track_caller]
fn refused(name: &str, text: &str) -> String {
    let wrong = encode(name, text).expect_err(text);
    wrong.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" & ")
}

#[test]
fn integers_come_as_numbers_or_text_in_any_spelling_of_a_whole_number() {
    for text in ["100", "\"100\"", "1e2", "\"1E+2\"", "100.0", "\"1000e-1\"", "\"\\u0031\\u00300\""] {
        for field in ["anInt32", "aUint64"] {
            let text = format!(r#"{{"{field}":{text}}}"#);
            let expected = if field == "anInt32" { b"\x18\x64" } else { b"\x20\x64" };
            assert_eq!(encode("rich.Optionals", &text).as_deref(), Ok(&expected[..]), "{text}");
        }
    }
    assert_eq!(encode("rich.Scalars", r#"{"anInt32":-0}"#).as_deref(), Ok(&b""[..]));
    let extremes = r#"{"anInt32":-2147483648,"anInt64":"-9223372036854775808","aUint64":"18446744073709551615","aSint32":2147483647}"#;
    assert!(
        canonical("rich.Scalars", extremes)
            .contains(r#""anInt64":"-9223372036854775808","aUint32":0,"aUint64":"18446744073709551615""#)
    );
}

#[test]
fn what_is_no_integer_of_its_type_is_refused() {
    for value in ["1.5", "\"1.5\"", "1e-1", "2147483648", "-2147483649", "1e99999999999"] {
        let reason = refused("rich.Scalars", &format!(r#"{{"anInt32":{value}}}"#));
        assert!(reason.contains("out of range") || reason.contains("whole number"), "{value}: {reason}");
    }
    for value in ["01", "\"01\"", "\"\"", "\" 1\"", "\"1 \"", "+1", "\"NaN\"", "NaN", "true", "[]", "{}", "\"0x1\""] {
        refused("rich.Scalars", &format!(r#"{{"anInt32":{value}}}"#));
    }
    refused("rich.Scalars", r#"{"aUint32":-1}"#);
    refused("rich.Scalars", r#"{"aUint64":"-1"}"#);
    refused("rich.Scalars", r#"{"anInt64":1e19}"#);
    refused("rich.Scalars", r#"{"aUint64":18446744073709551616}"#);
}

#[test]
fn doubles_come_as_numbers_text_or_by_their_special_names() {
    for (text, written) in
        [("1", "1"), ("\"1.5e3\"", "1500"), ("\"NaN\"", "\"NaN\""), ("\"-Infinity\"", "\"-Infinity\""), ("-0.0", "-0")]
    {
        assert_eq!(
            canonical("rich.Optionals", &format!(r#"{{"aDouble":{text}}}"#)),
            format!(r#"{{"aDouble":{written}}}"#)
        );
    }
    for text in ["1e309", "-1e309", "\"\"", "NaN", "\"nan\"", "\"inf\"", "\"+1\"", "\"1.\"", "null1"] {
        refused("rich.Optionals", &format!(r#"{{"aDouble":{text}}}"#));
    }
    refused("rich.Optionals", r#"{"aFloat":3.5e38}"#);
    assert_eq!(canonical("rich.Optionals", r#"{"aFloat":16777217}"#), r#"{"aFloat":16777216}"#);
}

#[test]
fn fields_go_by_json_or_proto_name() {
    assert_eq!(canonical("rich.Optionals", r#"{"an_int32":1}"#), canonical("rich.Optionals", r#"{"anInt32":1}"#));
    assert!(canonical("rich.Rich", r#"{"named_by_hand":"x"}"#).contains(r#""by \"hand\"":"x""#));
    assert!(canonical("rich.Rich", r#"{"by \"hand\"":"x"}"#).contains(r#""by \"hand\"":"x""#));
    assert!(canonical("rich.Rich", r#"{"by \u0022hand\"":"x"}"#).contains(r#""by \"hand\"":"x""#));
}

#[test]
fn an_unknown_name_is_refused_with_the_one_that_was_probably_meant() {
    assert_eq!(
        refused("rich.Rich", r#"{"child":{"optionals":{"anInt23":1}}}"#),
        "child.optionals.anInt23: unknown field; did you mean `anInt32`? at byte 23"
    );
    assert_eq!(
        refused("rich.Optionals", r#"{"color":"GREN"}"#),
        "color: unknown enum value `GREN`; did you mean `GREEN`? at byte 9"
    );
    assert_eq!(refused("google.protobuf.Empty", r#"{"a":1}"#), "a: unknown field at byte 1");
}

#[test]
fn an_error_tells_the_path_to_the_value() {
    assert_eq!(
        refused("rich.Lists", r#"{"plains":[{},{"name":"a"},{"count":"x"}]}"#),
        "plains[2].count: expected a number at byte 36"
    );
    assert_eq!(
        refused("rich.Maps", r#"{"bools":{"true":{"count":1.5}}}"#),
        "bools.true.count: expected a whole number at byte 26"
    );
    assert_eq!(refused("rich.Lists", r#"{"int32s":[1,null]}"#), "int32s[1]: expected a number at byte 13");
    assert_eq!(refused("rich.Plain", r#"{"name":1}"#), "name: expected a string at byte 8");
    assert_eq!(refused("rich.Plain", "[]"), "expected an object at byte 0");
}

#[test]
fn everything_that_is_wrong_is_told_where_the_text_has_it() {
    let text = r#" {"a_string":1,"anInt32":"x","aBol":{"s":[1]},"aString":"b","anInt64":2.5,"aBool":true}"#;
    let all = "a_string: expected a string at byte 13 & anInt32: expected a number at byte 25 & aBol: unknown field; did you mean `aBool`? at \
               byte 29 & aString: given twice at byte 56 & anInt64: expected a whole number at byte 70";
    assert_eq!(refused("rich.Scalars", text), all);
    let text = r#"{"plains":[{"name":1,"count":"x"},[],{"nam":0}],"int32s":[1,"a",2,true],"strings":"s"}"#;
    let all = "plains[0].name: expected a string at byte 19 & plains[0].count: expected a number at byte 29 & \
               plains[1]: expected an object at byte 34 & plains[2].nam: unknown field; did you mean `name`? at byte 38 & \
               int32s[1]: expected a number at byte 60 & int32s[3]: expected a number at byte 66 & \
               strings: expected a list at byte 82";
    assert_eq!(refused("rich.Lists", text), all);
    let text = r#"{"strings":{"a.b/c":1,"[0]":"x","d":null},"int32s":{"x":1,"2":"y","2":3,"2":4}}"#;
    let all = "strings[\"a.b/c\"]: expected a string at byte 20 & strings.d: expected a string at byte 36 & \
               int32s: a key is given twice at byte 51 & int32s.x: expected a number at byte 52 & \
               int32s.2: expected a number at byte 62";
    assert_eq!(refused("rich.Maps", text), all);
}

#[test]
fn no_more_is_told_than_mends_a_message() {
    let many = |count: usize| format!(r#"{{"int32s":[{}]}}"#, vec!["\"a\""; count].join(","));
    for (count, told) in [(99, 99), (100, 100), (101, 100), (5_000, 100)] {
        assert_eq!(encode("rich.Lists", &many(count)).expect_err("no numbers").0.len(), told);
    }
}

#[test]
fn text_that_is_no_json_is_told_once_after_what_was_wrong_before() {
    assert_eq!(
        refused("rich.Lists", r#"{"int32s":["a"],"plains":[{"name":"x" "count":1}]}"#),
        "int32s[0]: expected a number at byte 11 & \
         plains[0]: expected a comma or the end of the object or list at byte 38"
    );
    assert_eq!(refused("rich.Plain", r#"{"name":tru}"#), "name: expected a string at byte 8");
    assert_eq!(refused("rich.Plain", r#"{"name":"a"} 1"#), "text after the message at byte 13");
}

#[test]
fn an_error_leaves_the_output_as_it_was() {
    let mut out = b"before".to_vec();
    let id = super::id("rich.Plain");
    assert!(super::super::encode(&super::TABLES, id, br#"{"name":"abc","count":x}"#, &mut out).is_err());
    assert_eq!(out, b"before");
}

#[test]
fn null_is_absence_but_for_values_that_are_null() {
    assert_eq!(encode("rich.Scalars", r#"{"aString":null,"anInt32":null}"#).as_deref(), Ok(&b""[..]));
    assert_eq!(encode("rich.Lists", r#"{"strings":null,"plains":null}"#).as_deref(), Ok(&b""[..]));
    assert_eq!(encode("rich.WellKnown", r#"{"time":null,"anInt64":null,"object":null}"#).as_deref(), Ok(&b""[..]));
    assert!(canonical("rich.Rich", r#"{"chosenNothing":null}"#).contains(r#""chosenNothing":null"#));
    assert!(canonical("rich.Rich", r#"{"chosenValue":null}"#).contains(r#""chosenValue":null"#));
    assert!(canonical("rich.WellKnown", r#"{"values":[null,1]}"#).contains(r#""values":[null,1]"#));
    refused("rich.Lists", r#"{"plains":[null]}"#);
    refused("rich.Maps", r#"{"strings":{"a":null}}"#);
    refused("rich.Rich", "null");
}

#[test]
fn duplicates_are_refused_under_either_name() {
    assert_eq!(refused("rich.Optionals", r#"{"anInt32":1,"an_int32":1}"#), "an_int32: given twice at byte 24");
    refused("rich.Optionals", r#"{"anInt32":null,"anInt32":1}"#);
    assert_eq!(
        refused("rich.Rich", r#"{"chosenNumber":1,"chosenString":"a"}"#),
        "chosenString: another member of the oneof `choice` is given at byte 33"
    );
    assert!(encode("rich.Rich", r#"{"chosenNumber":null,"chosenString":"a"}"#).is_ok());
    refused("rich.Maps", r#"{"strings":{"a":"1","b":"2","\u0061":"3"}}"#);
    refused("rich.Maps", r#"{"int32s":{"1":1,"1.0":2}}"#);
    refused("rich.WellKnown", r#"{"object":{"a":1,"a":2}}"#);
    let many: String = (0..100).map(|n| format!("\"{n}\":\"{}\",", "x".repeat(200))).collect();
    assert!(encode("rich.Maps", &format!(r#"{{"strings":{{{many}"100":""}}}}"#)).is_ok());
    refused("rich.Maps", &format!(r#"{{"strings":{{{many}"7":""}}}}"#));
}

#[test]
fn lists_are_packed_as_their_proto_file_says() {
    assert_eq!(
        encode("old.Old", r#"{"unpacked":[1,2],"packed":[1,2]}"#).as_deref(),
        Ok(&b"\x18\x01\x18\x02\x22\x02\x01\x02"[..])
    );
    assert_eq!(encode("rich.Lists", r#"{"int32s":[],"bools":[true]}"#).as_deref(), Ok(&b"\x3a\x01\x01"[..]));
    assert_eq!(encode("rich.Lists", r#"{"fixed32s":[1]}"#).as_deref(), Ok(&b"\x2d\x01\x00\x00\x00"[..]));
}

#[test]
fn groups_are_written_between_their_tags() {
    let wire = encode("old.Old", r#"{"single":{"text":"a"},"many":[{"number":1},{}]}"#);
    assert_eq!(wire.as_deref(), Ok(&b"\x2b\x32\x01a\x2c\x43\x48\x01\x44\x43\x44"[..]));
}

#[test]
fn bytes_come_in_either_base64_padded_or_not() {
    for text in ["+/8=", "-_8=", "-_8", "+/8"] {
        assert_eq!(
            encode("rich.Optionals", &format!(r#"{{"someBytes":"{text}"}}"#)).as_deref(),
            Ok(&b"\x3a\x02\xfb\xff"[..])
        );
    }
    for text in ["A", "A===", "AQ=", "=", "A Q", "AQ==AQ==", "*"] {
        refused("rich.Optionals", &format!(r#"{{"someBytes":"{text}"}}"#));
    }
    let long = "QUFB".repeat(100);
    assert!(canonical("rich.Optionals", &format!(r#"{{"someBytes":"{long}"}}"#)).contains(&long));
}

#[test]
fn enums_come_by_name_or_number() {
    for text in ["\"RED\"", "\"CRIMSON\"", "1", "1.0"] {
        assert_eq!(encode("rich.Optionals", &format!(r#"{{"color":{text}}}"#)).as_deref(), Ok(&b"\x40\x01"[..]));
    }
    assert_eq!(canonical("rich.Optionals", r#"{"color":77}"#), r#"{"color":77}"#);
    for text in ["\"red\"", "\"\"", "\"1\"", "1.5", "2147483648", "true"] {
        refused("rich.Optionals", &format!(r#"{{"color":{text}}}"#));
    }
}

#[test]
fn times_and_spans_are_read_as_protobuf_says() {
    let time = |text: &str| encode("google.protobuf.Timestamp", &format!("\"{text}\""));
    assert_eq!(time("1970-01-01T00:00:00.000000001Z").as_deref(), Ok(&b"\x10\x01"[..]));
    assert_eq!(time("1970-01-01T09:00:01+09:00").as_deref(), Ok(&b"\x08\x01"[..]));
    for text in [
        "1970-01-01t00:00:00Z",
        "1970-01-01T00:00:00z",
        "1970-01-01T00:00:00",
        "1970-01-01T00:00:00+0900",
        "1970-01-01T00:00:00++9:00",
        "0001-01-01T00:00:00+00:01",
        "1970-01-01T24:00:00Z",
    ] {
        assert!(time(text).is_err(), "{text}");
    }
    let span = |text: &str| encode("google.protobuf.Duration", &format!("\"{text}\""));
    assert_eq!(span("1.000000001s").as_deref(), Ok(&b"\x08\x01\x10\x01"[..]));
    assert_eq!(span("0s").as_deref(), Ok(&b""[..]));
    for text in ["1", "1S", "1m", "1e3s", "315576000001s", ""] {
        assert!(span(text).is_err(), "{text}");
    }
    assert!(encode("google.protobuf.Timestamp", "{\"seconds\":1}").is_err());
}

#[test]
fn field_masks_go_to_snake_case() {
    let mask = |text: &str| encode("google.protobuf.FieldMask", &format!("\"{text}\""));
    assert_eq!(mask("fooBar,baz").as_deref(), Ok(&b"\x0a\x07foo_bar\x0a\x03baz"[..]));
    assert_eq!(mask("Foo,*").as_deref(), Ok(&b"\x0a\x04_foo\x0a\x01*"[..]));
    assert_eq!(mask("").as_deref(), Ok(&b""[..]));
    for text in ["foo_bar", "a,,b", "a b", ","] {
        assert!(mask(text).is_err(), "{text}");
    }
}

#[test]
fn an_any_takes_its_type_wherever_it_stands() {
    let any = |text: &str| encode("google.protobuf.Any", text);
    let first = any(r#"{"@type":"x.com/rich.Plain","name":"a","count":1}"#).expect("valid");
    assert_eq!(any(r#"{"name":"a","@type":"x.com/rich.Plain","count":1}"#).as_ref(), Ok(&first));
    assert_eq!(any("{}").as_deref(), Ok(&b""[..]));
    let span = any(r#"{"value":"1s","@type":"x.com/google.protobuf.Duration"}"#).expect("valid");
    assert_eq!(
        json("google.protobuf.Any", &span).as_deref(),
        Ok(r#"{"@type":"x.com/google.protobuf.Duration","value":"1s"}"#)
    );
    for text in [
        r#"{"@type":""}"#,
        r#"{"@type":1}"#,
        r#"{"@type":"rich.Plain"}"#,
        r#"{"name":"a"}"#,
        r#"{"@type":"x.com/rich.Plain","@type":"x.com/rich.Plain"}"#,
        r#"{"@type":"x.com/rich.Plain","value":{}}"#,
        r#"{"@type":"x.com/google.protobuf.Empty","value":{}}"#,
        r#"{"@type":"x.com/google.protobuf.Duration"}"#,
        r#"{"@type":"x.com/google.protobuf.Duration","value":"1s","more":1}"#,
        r#"{"@type":"x.com/google.protobuf.Duration","value":"1s","value":"1s"}"#,
        r#"{"@type":"x.com/no.Such","value":"*"}"#,
        r#"{"@type":"x.com/no.Such","name":"a"}"#,
    ] {
        assert!(any(text).is_err(), "{text}");
    }
    assert_eq!(encode("rich.Plain", r#"{"@type":"x.com/rich.Plain"}"#).map_err(|wrong| wrong.0[0].offset), Err(1));
}

#[test]
fn what_is_no_json_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "{\"name\"",
        "{\"name\":",
        "{\"name\":\"a\"",
        "{\"name\":\"a\",}",
        "{name:\"a\"}",
        "{'name':\"a\"}",
        "{\"name\":\"a\"}x",
        "{\"name\":\"\t\"}",
        "{\"name\":\"\\ud83dx\"}",
        "{\"name\" \"a\"}",
        "{\"name\":\"a\"]",
        "{,}",
    ] {
        refused("rich.Plain", text);
    }
    for text in ["[1,]", "[1 2]", "[,1]", "[1}", "[1", "1"] {
        refused("rich.Lists", &format!(r#"{{"int32s":{text}}}"#));
    }
    let mut out = Vec::new();
    let wrong = super::super::encode(&super::TABLES, super::id("rich.Plain"), b"{\"name\":\"\xff\"}", &mut out);
    assert_eq!(
        wrong.map_err(|wrong| (wrong.0[0].offset, wrong.0[0].reason.clone())),
        Err((9, "invalid UTF-8".to_owned()))
    );
}

#[test]
fn white_space_and_any_order_make_no_difference() {
    let compact = encode("rich.Plain", r#"{"name":"a","count":1}"#);
    assert_eq!(encode("rich.Plain", " {\n\t\"name\" : \"a\" ,\r\n \"count\": 1 } "), compact);
    assert_eq!(encode("rich.Plain", r#"{"count":1,"name":"a"}"#).as_deref(), Ok(&b"\x10\x01\x0a\x01a"[..]));
}

#[test]
fn nesting_is_written_to_the_limit_and_no_deeper() {
    let nested = |depth: usize| format!("{}{{}}{}", "{\"child\":".repeat(depth), "}".repeat(depth));
    assert!(encode("rich.Rich", &nested(DEPTH_LIMIT)).is_ok());
    assert!(refused("rich.Rich", &nested(DEPTH_LIMIT + 1)).contains("nested too deeply"));
    assert!(encode("google.protobuf.Value", &"[".repeat(1_000_000)).is_err());
}

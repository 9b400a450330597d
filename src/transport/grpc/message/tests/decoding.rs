//! From the wire to JSON, claim by claim.

use super::super::wire::varint_into;
use super::super::{DEPTH_LIMIT, Tables, decode as decode_with};
use super::{TABLES, decode, encode, id, json};
use crate::base::value::{Kind, Value, ValueKind};
use crate::descriptor::{Library, Sets, Texts};

/// Wraps a payload in a block of the field `number`.
fn block(number: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    varint_into(&mut out, u64::from(number << 3 | 2));
    varint_into(&mut out, payload.len() as u64);
    out.extend_from_slice(payload);
    out
}

#[test]
fn fields_without_presence_are_written_with_their_defaults() {
    assert_eq!(
        json("rich.Scalars", b"").as_deref(),
        Ok(concat!(
            r#"{"aDouble":0,"aFloat":0,"anInt32":0,"anInt64":"0","aUint32":0,"aUint64":"0","aSint32":0,"aSint64":"0","#,
            r#""aFixed32":0,"aFixed64":"0","aSfixed32":0,"aSfixed64":"0","aBool":false,"aString":"","someBytes":"","#,
            r#""color":"COLOR_UNSPECIFIED","nothing":null}"#
        ))
    );
    let maps = json("rich.Maps", b"").expect("empty");
    assert!(maps.starts_with(r#"{"strings":{},"int32s":{},"#), "{maps}");
    let lists = json("rich.Lists", b"").expect("empty");
    assert!(lists.starts_with(r#"{"doubles":[],"floats":[],"#), "{lists}");
}

#[test]
fn fields_with_presence_are_written_only_when_set() {
    assert_eq!(json("rich.Optionals", b"").as_deref(), Ok("{}"));
    assert_eq!(
        json("rich.Optionals", b"\x18\x00\x4a\x00").as_deref(),
        Ok(r#"{"anInt32":0,"plain":{"name":"","count":0}}"#)
    );
    assert_eq!(json("old.Old", b"").as_deref(), Ok(r#"{"unpacked":[],"packed":[],"many":[]}"#));
}

#[test]
fn expressions_see_the_types_of_the_contract() {
    let wire = encode(
        "rich.Scalars",
        r#"{"aDouble":1.5,"aFloat":0.1,"anInt32":-1,"anInt64":"-9007199254740993","aUint32":1,
            "aUint64":18446744073709551615,"aString":"a\"b","someBytes":"AQ==","color":"RED"}"#,
    )
    .expect("valid");
    let doc = decode("rich.Scalars", &wire).expect("valid");
    let value = |name: &str| doc.root().member(name).map(|member| member.value());
    assert!(matches!(value("aDouble"), Some(Value::Double(1.5))));
    assert!(matches!(value("aFloat"), Some(Value::Double(0.1))));
    assert!(matches!(value("anInt32"), Some(Value::Int(-1))));
    assert!(matches!(value("anInt64"), Some(Value::Int(-9_007_199_254_740_993))));
    assert!(matches!(value("aUint32"), Some(Value::Uint(1))));
    assert!(matches!(value("aUint64"), Some(Value::Uint(u64::MAX))));
    assert!(matches!(value("aString"), Some(Value::Text(text)) if &*text == "a\"b"));
    assert!(matches!(value("someBytes"), Some(Value::Bytes(bytes)) if *bytes == [1]));
    assert!(matches!(value("color"), Some(Value::Text(text)) if &*text == "RED"));
    assert!(matches!(value("nothing"), Some(Value::Null)));
    assert!(matches!(value("aBool"), Some(Value::Bool(false))));
    assert!(matches!(value("aFixed64"), Some(Value::Uint(0))));
}

#[test]
fn well_known_types_are_what_they_stand_for() {
    let text = concat!(
        r#"{"any":{"@type":"type.example.com/rich.Plain","name":"x","count":0},"time":"2024-02-29T12:00:00.500Z","#,
        r#""span":"-1.500s","mask":"user.displayName,photo","object":{"a":[1,null,{"b":"c"}]},"value":2.5,"#,
        r#""list":[true],"empty":{},"aDouble":"NaN","anInt64":"0","someBytes":"+/8=","times":[],"values":[null],"#,
        r#""strings":[""],"anys":[]}"#
    );
    let wire = encode("rich.WellKnown", text).expect("valid");
    assert_eq!(json("rich.WellKnown", &wire).as_deref(), Ok(text));
    let doc = decode("rich.WellKnown", &wire).expect("valid");
    let kind = |name: &str| doc.root().member(name).expect("set").kind();
    assert_eq!(
        ["time", "span", "mask", "value", "aDouble", "anInt64", "someBytes"].map(kind),
        [
            Kind::Timestamp,
            Kind::Duration,
            Kind::String,
            Kind::Double,
            Kind::QuotedDouble,
            Kind::QuotedInt,
            Kind::Base64
        ]
    );
    let value = |name: &str| doc.root().member(name).expect("set").value().kind();
    assert_eq!(value("time"), ValueKind::Timestamp);
    assert_eq!(value("span"), ValueKind::Duration);
}

#[test]
fn an_unknown_enum_number_stays_a_number() {
    assert_eq!(json("rich.Optionals", b"\x40\x63").as_deref(), Ok(r#"{"color":99}"#));
    assert_eq!(
        json("rich.Optionals", b"\x40\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").as_deref(),
        Ok(r#"{"color":"NEGATIVE"}"#)
    );
    assert_eq!(json("rich.Optionals", b"\x40\x01").as_deref(), Ok(r#"{"color":"RED"}"#), "of aliases the first");
}

#[test]
fn unknown_fields_and_wire_types_that_do_not_fit_are_skipped() {
    // Field 4 of Plain does not exist; field 2 is an int32, here as a block; field 9 is a group.
    let wire = b"\x0a\x01a\x20\x07\x12\x01x\x4b\x08\x01\x4c";
    assert_eq!(json("rich.Plain", wire).as_deref(), Ok(r#"{"name":"a","count":0}"#));
}

#[test]
fn lists_are_read_packed_or_not_or_both() {
    for wire in [
        &b"\x1a\x02\x01\x02\x18\x03"[..],
        b"\x18\x01\x18\x02\x18\x03",
        b"\x1a\x03\x01\x02\x03",
        b"\x18\x01\x1a\x00\x1a\x02\x02\x03",
    ] {
        assert_eq!(json("old.Old", wire).as_deref(), Ok(r#"{"unpacked":[1,2,3],"packed":[],"many":[]}"#));
    }
}

#[test]
fn the_last_of_a_single_field_wins_and_messages_merge() {
    assert_eq!(json("rich.Plain", b"\x10\x01\x0a\x01a\x10\x02\x0a\x01b").as_deref(), Ok(r#"{"name":"b","count":2}"#));
    let merged = [block(9, b"\x0a\x01a"), block(3, b""), block(9, b"\x10\x05")].concat();
    assert_eq!(json("rich.Optionals", &merged).as_deref(), Ok(r#"{"plain":{"name":"a","count":5}}"#));
}

#[test]
fn of_a_oneof_the_member_set_last_is_left() {
    let wire = |parts: &[&[u8]]| json("old.Old", &parts.concat()).expect("valid");
    let (text, group) = (&b"\x52\x01a"[..], &b"\x5b\x60\x07\x5c"[..]);
    assert_eq!(wire(&[text, group]), r#"{"unpacked":[],"packed":[],"many":[],"chosengroup":{"number":7,"texts":[]}}"#);
    assert_eq!(wire(&[group, text]), r#"{"unpacked":[],"packed":[],"many":[],"chosenString":"a"}"#);
    assert_eq!(
        wire(&[group, text, b"\x5b\x6a\x01x\x5c", b"\x5b\x6a\x01y\x5c"]),
        r#"{"unpacked":[],"packed":[],"many":[],"chosengroup":{"texts":["x","y"]}}"#
    );
}

#[test]
fn a_oneof_written_where_its_first_member_stands_is_read() {
    let wire = [b"\x08\x01".to_vec(), block(9, b"\x10\x02"), block(5, b"text")].concat();
    assert_eq!(
        json("rich.Scattered", &wire).as_deref(),
        Ok(r#"{"first":1,"text":"text","numbers":[],"farMember":{"name":"","count":2}}"#)
    );
}

#[test]
fn of_equal_map_keys_the_last_counts() {
    let entry = |key: &[u8], value: &[u8]| block(1, &[block(1, key), block(2, value)].concat());
    let wire = [entry(b"a", b"1"), entry(b"b", b"2"), entry(b"a", b"3")].concat();
    let text = json("rich.Maps", &wire).expect("valid");
    assert!(text.starts_with(r#"{"strings":{"b":"2","a":"3"},"#), "{text}");
    let text = json("rich.Maps", &block(1, b"")).expect("valid");
    assert!(text.starts_with(r#"{"strings":{"":""},"#), "{text}");
}

#[test]
fn an_any_of_an_unknown_type_keeps_its_bytes() {
    let any = [block(1, b"type.example.com/no.Such"), block(2, b"\x01\x02")].concat();
    let text = r#"{"@type":"type.example.com/no.Such","value":"AQI="}"#;
    assert_eq!(json("google.protobuf.Any", &any).as_deref(), Ok(text));
    assert_eq!(encode("google.protobuf.Any", text), Ok(any));
    assert_eq!(json("google.protobuf.Any", b"").as_deref(), Ok("{}"));
}

#[test]
fn an_error_says_where_and_why() {
    let broken = |name: &str, wire: &[u8]| json(name, wire).expect_err("broken").to_string();
    let child = |inner: &[u8]| block(7, inner);
    assert_eq!(broken("rich.Rich", &child(&block(2, &block(6, b"\xff")))), "child.optionals.aString: invalid UTF-8");
    assert_eq!(broken("rich.Rich", &child(b"\x0a\x7f")), "child.scalars: message ends too early");
    assert_eq!(broken("rich.Plain", b"\x0c"), "group without its beginning or end");
    assert_eq!(broken("rich.Plain", b"\x00"), "invalid tag");
    assert_eq!(broken("rich.Plain", b"\x0f"), "invalid tag");
    assert_eq!(broken("rich.Plain", &[0xff; 11]), "varint of more than ten bytes");
    assert_eq!(broken("old.Old", b"\x2b\x08\x01"), "single: group without its beginning or end");
    assert_eq!(
        broken("google.protobuf.Timestamp", b"\x10\x80\x94\xeb\xdc\x03"),
        "Timestamp outside the years 1 to 9999"
    );
    assert_eq!(
        broken("google.protobuf.Duration", b"\x08\x01\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        "Duration out of range"
    );
    assert_eq!(
        broken("google.protobuf.Value", b"\x11\x00\x00\x00\x00\x00\x00\xf0\x7f"),
        "Value holds a number that JSON cannot write"
    );
    assert_eq!(broken("google.protobuf.FieldMask", &block(1, b"fooBar")), "FieldMask path without a JSON form");
}

#[test]
fn a_length_beyond_the_message_allocates_nothing() {
    let wire = b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f";
    assert_eq!(json("rich.Plain", wire).map_err(|error| error.reason), Err("message ends too early"));
}

#[test]
fn nesting_is_read_to_the_limit_and_no_deeper() {
    let nested = |depth: usize| (0..depth).fold(Vec::new(), |inner, _| block(7, &inner));
    assert!(json("rich.Rich", &nested(DEPTH_LIMIT)).is_ok());
    assert_eq!(json("rich.Rich", &nested(DEPTH_LIMIT + 1)).map_err(|error| error.reason), Err("nested too deeply"));
}

#[test]
fn disorder_at_every_depth_costs_two_passes_and_no_more() {
    // Were each message read anew for the disorder of its own, this would take 2^99 steps.
    let nested = (0..99).fold(Vec::new(), |inner, _| [block(7, &inner), block(2, b"")].concat());
    assert!(json("rich.Rich", &nested).is_ok());
    let entry = |key: &[u8], value: &[u8]| block(8, &[block(1, key), block(2, value)].concat());
    let maps = (0..45).fold(Vec::new(), |inner, _| {
        block(4, &[entry(b"same", b""), entry(b"same", b""), entry(b"deep", &inner)].concat())
    });
    assert!(json("rich.Rich", &maps).is_ok());
}

#[test]
fn a_document_that_outgrows_its_limit_is_refused() {
    let wire = [0x42, 0].repeat(1_000_000);
    let refused = decode_with(&TABLES, id("rich.Rich"), &wire).map(drop);
    assert_eq!(refused.map_err(|error| error.reason), Err("document too large"));
}

#[test]
fn numbers_that_a_closed_enum_does_not_have_count_as_unknown_fields() {
    let source = "syntax = \"proto2\"; enum E { ONE = 1; TWO = 2; }
        message M { optional E one = 1; repeated E many = 2; repeated E packed = 3 [packed = true]; map<string, E> map = 4; optional string last = 5; }";
    let texts = Texts::new([("closed.proto".to_owned(), source.into())]);
    let library = Library { texts: &texts, sets: &Sets::default() };
    let pool = library.link(&["closed.proto".to_owned()]).expect("it links");
    let tables = Tables::build(pool.message("M"));
    let id = tables.message("M").expect("its tables were built");
    let read = |wire: &[u8]| {
        let doc = decode_with(&tables, id, wire).expect("it is a message");
        String::from_utf8(doc.bytes().to_vec()).expect("UTF-8")
    };
    let known = b"\x08\x01\x10\x02\x1a\x02\x01\x02\x22\x05\x0a\x01a\x10\x01\x2a\x01z";
    assert_eq!(read(known), r#"{"one":"ONE","many":["TWO"],"packed":["ONE","TWO"],"map":{"a":"ONE"},"last":"z"}"#);
    let unknown =
        b"\x08\x07\x10\x02\x10\x07\x1a\x03\x01\x07\x02\x22\x05\x0a\x01a\x10\x07\x22\x05\x0a\x01b\x10\x02\x2a\x01z";
    assert_eq!(read(unknown), r#"{"many":["TWO"],"packed":["ONE","TWO"],"map":{"b":"TWO"},"last":"z"}"#);
    assert_eq!(read(b"\x08\x01\x08\x07"), r#"{"one":"ONE","many":[],"packed":[],"map":{}}"#);
}

//! What editions say, and where.

use super::{field, set};
use crate::descriptor::{Cardinality, raw};

fn features(of: [i32; 5]) -> Option<raw::Features> {
    let [field_presence, enum_type, repeated_field_encoding, message_encoding, json_format] = of;
    Some(raw::Features { field_presence, enum_type, repeated_field_encoding, message_encoding, json_format })
}

/// `Field` of the type with this number; 11 and 14 are `M` and `E`.
fn named(name: &str, number: i32, kind: i32) -> raw::Field {
    let type_name = match kind {
        11 => ".M",
        14 => ".E",
        _ => "",
    };
    raw::Field { name: name.into(), number, label: 1, kind, type_name: type_name.into(), ..raw::Field::default() }
}

fn saying(field: raw::Field, said: [i32; 5]) -> raw::Field {
    raw::Field {
        options: Some(raw::FieldOptions { features: features(said), ..raw::FieldOptions::default() }),
        ..field
    }
}

fn file(edition: i32, fields: Vec<raw::Field>) -> raw::File {
    let value = raw::EnumValue { name: "NONE".into(), ..raw::EnumValue::default() };
    raw::File {
        name: "e.proto".into(),
        syntax: "editions".into(),
        edition,
        message: vec![raw::Message { name: "M".into(), field: fields, ..raw::Message::default() }],
        enumeration: vec![raw::Enum { name: "E".into(), value: vec![value], ..raw::Enum::default() }],
        ..raw::File::default()
    }
}

fn list(field: raw::Field) -> raw::Field {
    raw::Field { label: 3, ..field }
}

#[test]
fn an_edition_has_explicit_presence_packed_lists_and_open_enums() {
    for edition in [1000, 1001] {
        let fields =
            vec![named("text", 1, 9), list(named("numbers", 2, 5)), named("choice", 3, 14), named("inner", 4, 11)];
        let pool = set(vec![file(edition, fields)]).expect("it links");
        assert!(field(&pool, "M", "text").supports_presence());
        assert!(field(&pool, "M", "numbers").is_packed());
        assert!(!field(&pool, "M", "inner").is_delimited());
        let crate::descriptor::Kind::Enum(choice) = field(&pool, "M", "choice").kind() else { unreachable!("an enum") };
        assert!(!choice.is_closed());
    }
}

#[test]
fn each_feature_is_said_nearest_to_what_it_is_about() {
    let fields = vec![
        saying(named("implicit", 1, 9), [2, 0, 0, 0, 0]),
        saying(named("required", 2, 9), [3, 0, 0, 0, 0]),
        saying(list(named("expanded", 3, 5)), [0, 0, 2, 0, 0]),
        saying(named("delimited", 4, 11), [0, 0, 0, 2, 0]),
        named("inherits", 5, 11),
    ];
    let mut file = file(1000, fields);
    file.message[0].options =
        Some(raw::MessageOptions { features: features([0, 0, 0, 2, 0]), ..raw::MessageOptions::default() });
    let pool = set(vec![file]).expect("it links");
    assert!(!field(&pool, "M", "implicit").supports_presence());
    assert_eq!(field(&pool, "M", "required").cardinality(), Cardinality::Required);
    assert!(!field(&pool, "M", "expanded").is_packed());
    assert!(field(&pool, "M", "delimited").is_delimited() && field(&pool, "M", "inherits").is_delimited());
}

#[test]
fn a_file_says_what_holds_for_all_of_it() {
    let mut closed = file(1000, vec![named("text", 1, 9), named("choice", 2, 14)]);
    closed.options = Some(raw::FileOptions { features: features([2, 2, 0, 0, 0]), ..raw::FileOptions::default() });
    let error = set(vec![closed.clone()]).expect_err("a closed enum has no place where nothing is null");
    assert_eq!(error[0].message, "`choice` has no presence, and its enum `E` is closed");
    closed.options = Some(raw::FileOptions { features: features([0, 2, 0, 0, 0]), ..raw::FileOptions::default() });
    assert!(set(vec![closed]).is_ok());
}

#[test]
fn names_in_json_differ_unless_a_file_says_that_they_need_not() {
    let twins = vec![named("some_name", 1, 9), named("someName", 2, 9)];
    let mut legacy = file(1000, twins);
    assert_eq!(set(vec![legacy.clone()]).map(|_| ()).expect_err("they are the same").len(), 1);
    legacy.options = Some(raw::FileOptions { features: features([0, 0, 0, 0, 2]), ..raw::FileOptions::default() });
    assert!(set(vec![legacy]).is_ok());
}

#[test]
fn an_edition_that_is_not_known_is_refused() {
    for (edition, words) in [(1002, "the edition 2026"), (7, "the number 7")] {
        let error = set(vec![file(edition, Vec::new())]).expect_err("it is not known");
        assert!(error[0].message.contains(words), "{}", error[0].message);
    }
}

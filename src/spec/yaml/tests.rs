//! Positions are exact, the schema is the core schema, and no text makes the reader panic.

use proptest::prelude::*;

use crate::base::diagnostic::Sources;
use crate::base::id::FileId;

use super::{Kind, Literal, Node, Scalar, parse};

/// The only scalar of `text` under the key `a`.
fn scalar(text: &str) -> Scalar {
    let (node, diagnostics) = parse(FileId(0), text);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let node = node.expect("it parses");
    match &node.member("a").expect("the key is there").kind {
        Kind::Scalar(scalar) => scalar.clone(),
        other => unreachable!("{other:?}"),
    }
}

/// What of the file stands for `part` of the scalar.
fn written<'a>(text: &'a str, part: &str) -> &'a str {
    let scalar = scalar(text);
    let value = scalar.text().expect("it is text");
    let start = value.find(part).unwrap_or_else(|| unreachable!("`{part}` is not in {value:?}"));
    &text[scalar.place_of(start..start + part.len()).bytes]
}

#[test]
fn a_stretch_of_a_plain_scalar_is_found_in_the_file() {
    assert_eq!(written("a: x ${b.c} y\n", "b.c"), "b.c");
    assert_eq!(written("é: ü\na: ä ${b} ö\n", "${b}"), "${b}");
    assert_eq!(written("a: one\n  two\n\n  three\n", "two"), "two");
    assert_eq!(written("a: one\n  two\n\n  three\n", "three"), "three");
    assert_eq!(written("a: one\n  two\n", "one two"), "one\n  two");
}

#[test]
fn a_stretch_of_a_quoted_scalar_is_found_through_escapes_and_folds() {
    assert_eq!(written(r#"a: "x\n${b}\"q\" ${c}""#, "${b}"), "${b}");
    assert_eq!(written(r#"a: "x\n${b}\"q\" ${c}""#, "${c}"), "${c}");
    assert_eq!(written(r#"a: "x\n${b}\"q\" ${c}""#, "\"q\""), "\\\"q\\\"");
    assert_eq!(written(r#"a: "\u00e9\x41é${b}""#, "${b}"), "${b}");
    assert_eq!(written(r#"a: "\u00e9\x41é${b}""#, "é"), "\\u00e9");
    assert_eq!(written("a: 'it''s ${b['c']}'".replace("['c']", "[''c'']").as_str(), "['c']"), "[''c'']");
    assert_eq!(written("a: \"one\n   two \\\n  three\"", "two"), "two");
    assert_eq!(written("a: \"one\n   two \\\n  three\"", "three"), "three");
    assert_eq!(written("a: \"one\r\n\r\n  two\"", "two"), "two");
    assert_eq!(written("a: \"ab\"", ""), "");
}

#[test]
fn a_stretch_of_a_block_scalar_is_found_line_by_line() {
    assert_eq!(written("a: |\n  one\n    two\n\n  ${b}\n", "${b}"), "${b}");
    assert_eq!(written("a: |\n  one\n    two\n\n  ${b}\n", "two"), "two");
    assert_eq!(written("a: >-\n  one\n  ${b}\n", "${b}"), "${b}");
}

#[test]
fn places_of_lists_and_mappings_end_with_their_last_entry() {
    let text = "a:\n  b: 1\n  c: [1, 2]\n\nd: { e: 1 }\n";
    let node = parse(FileId(0), text).0.expect("it parses");
    let place = |node: &Node| text[node.place.bytes.clone()].to_owned();
    assert_eq!(place(&node), text.trim_end());
    assert_eq!(node.member("a").map(place).as_deref(), Some("b: 1\n  c: [1, 2]"));
    assert_eq!(node.member("d").map(place).as_deref(), Some("{ e: 1 }"));
}

#[test]
fn an_empty_value_is_placed_at_its_key() {
    let node = parse(FileId(0), "x: { a, b: 1 }\ny:\nz: 1\n").0.expect("it parses");
    let a = node.member("x").and_then(|x| x.member("a")).map(|a| a.place.bytes.clone());
    assert_eq!(a, Some(5..6));
    assert_eq!(node.member("y").map(|y| y.place.bytes.clone()), Some(15..16));
}

#[test]
fn quoted_scalars_are_text_and_on_and_no_are_words() {
    for (text, value) in [
        ("a: on", Literal::Text("on".into())),
        ("a: no", Literal::Text("no".into())),
        ("a: \"5\"", Literal::Text("5".into())),
        ("a: 'true'", Literal::Text("true".into())),
        ("a: 5", Literal::Number("5".into())),
        ("a: ~", Literal::Null),
        ("a:", Literal::Null),
        ("a: ''", Literal::Text(String::new())),
        ("a: true", Literal::Bool(true)),
        ("a: 5s", Literal::Text("5s".into())),
    ] {
        assert_eq!(scalar(text).value, value, "{text}");
    }
}

#[test]
fn comments_of_other_alphabets_do_not_shift_places() {
    let text = "x: 1 # äöü → ∞\n# ∞∞∞\na: { b: 1 } # ∞\nc: ⟦ # ö\nd: here\n";
    let node = parse(FileId(0), text).0.expect("it parses");
    let d = node.member("d").expect("the key is there");
    assert_eq!(&text[d.place.bytes.clone()], "here");
}

/// Pieces that YAML and the language give a meaning, so that random text reaches deep.
const PIECES: &[&str] = &[
    "a",
    "b: ",
    "- ",
    "\n",
    "\n  ",
    "\n    ",
    "{ ",
    " }",
    "[ ",
    " ]",
    ", ",
    ": ",
    "\"",
    "'",
    "${",
    "}",
    "|\n",
    ">\n",
    "\\",
    "\\u00e9",
    "é",
    "\t",
    "#",
    " # ",
    "&a ",
    "*a",
    "!t ",
    "---\n",
    "...\n",
    "? ",
    "1",
    "1.5",
    "true",
    "null",
    "~",
    "\r\n",
    "\r",
    "$each",
    "$as",
    "$merge",
    "endpoints:\n",
    "GET /{id}:\n",
    "steps: ",
    "backend",
    "get",
    "%",
    "@",
    "\u{feff}",
    "'x''y'",
    "\"\\n\"",
    "\0",
    "\u{85}",
    "\u{2028}",
];

fn yaml_like() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat())
}

fn check_places(node: &Node, text: &str) {
    assert!(text.get(node.place.bytes.clone()).is_some(), "{:?} in {text:?}", node.place);
    match &node.kind {
        Kind::Scalar(scalar) => {
            let value = scalar.text().unwrap_or("");
            for (at, character) in value.char_indices() {
                let place = scalar.place_of(at..at + character.len_utf8());
                assert!(place.bytes.start >= node.place.bytes.start && place.bytes.end <= node.place.bytes.end);
            }
        }
        Kind::Sequence(items) => items.iter().for_each(|item| check_places(item, text)),
        Kind::Mapping(pairs) => pairs.iter().for_each(|(_, node)| check_places(node, text)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic_and_every_place_is_within_the_file(text in yaml_like()) {
        let (node, diagnostics) = parse(FileId(0), &text);
        if let Some(node) = node {
            check_places(&node, &text);
        }
        let mut sources = Sources::default();
        sources.add("a.yaml", text.as_str());
        for diagnostic in diagnostics {
            prop_assert!(text.get(diagnostic.place.bytes.clone()).is_some());
            sources.render(&diagnostic);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in yaml_like()) {
        let files = [("compositions/a.yaml", text.as_str())];
        let reading = crate::spec::read_texts(&files, &|_| Ok(None));
        for diagnostic in &reading.diagnostics {
            reading.sources.render(diagnostic);
        }
    }

    #[test]
    fn a_double_quoted_text_maps_every_character_to_where_it_is_written(text in "[ -~éü→\n\t\"\\\\]{0,24}") {
        let escape = |c: char| match c {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\n' => "\\n".to_owned(),
            '\t' => "\\t".to_owned(),
            'é' => "\\u00e9".to_owned(),
            _ => c.to_string(),
        };
        let file = format!("a: \"{}\"", text.chars().map(escape).collect::<String>());
        let scalar = scalar(&file);
        prop_assert_eq!(scalar.text(), Some(text.as_str()));
        for (at, character) in text.char_indices() {
            let place = scalar.place_of(at..at + character.len_utf8());
            prop_assert_eq!(&file[place.bytes], escape(character));
        }
    }
}

//! What `parse` does, claim by claim.

use proptest::prelude::*;

use super::{DEPTH_LIMIT, SOURCE_LIMIT, parse};

/// The message and marked source of every mistake, and what helps.
fn mistakes(source: &str) -> Vec<(String, String, String)> {
    let found = parse(source).expect_err(source);
    assert!(!found.is_empty());
    found.into_iter().map(|m| (m.message, source.get(m.bytes).unwrap_or("?").to_owned(), m.help)).collect()
}

#[test]
fn the_first_use_of_a_name_is_found_and_a_member_is_none() {
    for (source, first) in [
        ("a", Some(0..1)),
        ("x.a + [1, f(a)][0]", Some(12..13)),
        ("x.a['a'].a()", None),
        ("b ? {'k': c.d} : a.a", Some(17..18)),
    ] {
        assert_eq!(parse(source).expect(source).first_use("a"), first, "{source}");
    }
}

#[test]
fn the_whole_grammar_is_read() {
    for source in [
        "a",
        ".a.b",
        "a.b.c[0]['x'].d(1, 2)",
        "a.?b[?0].`x-y/z`",
        "-1 - -1.5 + --a",
        "!!a && !b || c ? d : e ? f : g",
        "a in [1, 2u, ?b,] == {?'k': 1, 'l': 2,}",
        "list.map(x, x > 0, x * 2).filter(y, has(y.z))",
        "-9223372036854775808",
        "a.package.x",
        "1 < 2 == true",
        "r'\\d' + b'x' + \"\"\"y\"\"\"",
        " // nothing\n a",
    ] {
        assert!(parse(source).is_ok(), "{source}: {:?}", parse(source));
    }
}

#[test]
fn what_is_not_cel_is_a_mistake() {
    for source in [
        "",
        "a b",
        "a +",
        "(a",
        "a)",
        "[a",
        "{a}",
        "{'a': }",
        "a.",
        "a.in",
        "a..b",
        "a[",
        "a[]",
        "f(",
        "f(a",
        "for",
        "a ? b",
        "a ? b ? c : d : e",
        "9223372036854775808",
        "a.b{c: 1}",
        "a = b",
        "@",
        "'a",
        "a ? : b",
        "!",
        "!-a",
    ] {
        assert!(parse(source).is_err(), "{source}");
    }
}

#[test]
fn habits_of_other_languages_are_answered_with_what_to_write() {
    for (source, marked, help) in [
        ("a?.b", "?.", ".?"),
        ("a ?? b", "??", "default("),
        ("a or b", "or", "||"),
        ("a and b", "and", "&&"),
        ("not a", "not", "`!`"),
        ("a === b", "===", "`==`"),
        ("l.map(x => x.id)", "=>", "list.map(x,"),
        ("a.0", ".0", "`[0]`"),
        ("a[*].b", "[*]", ".map("),
        ("a | upper", "|", "call a function"),
        ("a + ${b}", "$", "names stand alone"),
    ] {
        let found = mistakes(source);
        assert_eq!(found.len(), 1, "{source}: {found:?}");
        assert_eq!(found[0].1, marked, "{source}");
        assert!(found[0].2.contains(help), "{source}: {}", found[0].2);
    }
}

#[test]
fn every_mistake_of_an_expression_is_found_at_once() {
    let found = mistakes("f(a +, b ?? c, [1, *], 'x' === d)");
    let marked: Vec<&str> = found.iter().map(|(_, marked, _)| marked.as_str()).collect();
    assert_eq!(marked, [",", "??", "*", "==="]);
}

#[test]
fn limits_are_mistakes_and_never_overflow_the_stack() {
    for source in [
        "(".repeat(8_000),
        "[".repeat(8_000),
        "a?".repeat(4_000),
        "a?b:".repeat(2_000) + "c",
        "a".to_owned() + &".b".repeat(4_000),
        "a".to_owned() + &"[0]".repeat(2_000),
        "f(".repeat(4_000),
        "a".to_owned() + &"<a".repeat(4_000),
        "{a:".repeat(2_500),
        "a".repeat(SOURCE_LIMIT + 1),
    ] {
        assert!(parse(&source).is_err(), "{}", &source[..20]);
    }
    let nested = |depth: usize| "(".repeat(depth) + "a" + &")".repeat(depth);
    assert!(parse(&nested(DEPTH_LIMIT - 1)).is_ok());
    assert!(parse(&nested(DEPTH_LIMIT)).is_err());
    for chain in ["a+", "a*", "a&&", "a||", "-", "!"] {
        let source = chain.repeat(2_000) + "a";
        assert!(parse(&source).is_ok(), "{chain}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_parsed_or_refused(source in ".{0,60}") {
        let _ = parse(&source);
        let _ = super::super::split(&source);
    }

    #[test]
    fn any_tokens_are_parsed_or_refused_inside_their_source(tokens in prop::collection::vec(token(), 0..40)) {
        let source = tokens.concat();
        if let Err(mistakes) = parse(&source) {
            prop_assert!(!mistakes.is_empty());
            for mistake in mistakes {
                prop_assert!(source.get(mistake.bytes.clone()).is_some(), "{mistake:?}");
            }
        }
    }
}

fn token() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a", "b.c", " ", "(", ")", "[", "]", "{", "}", ",", ".", "?", ":", "+", "-", "!", "==", "&&", "||", "in ", "1",
        "2u", "1.5", "'x'", "b'y'", "\"", "'", "`", "null", "has(", ".map(x,", "${", "??", "=>", "|", "é", "\\", "\n",
    ])
}

//! Compositions that nobody means well with, or that a slip of the editor made: they are refused, or they load, and
//! nothing panics, overflows its stack or takes for ever.
//!
//! `HOSTILE=100000` tries so many random ones instead of the usual number.

use std::fs;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};

use crate::claim::{claims, files};
use crate::document;
use crate::gateway::{Check, check, check_texts};
use crate::project::Project;

claims![
    very_large_and_very_many_are_refused_or_load,
    what_nests_or_grows_without_end_is_refused,
    text_that_is_no_plain_yaml_is_refused_or_read,
    bytes_that_are_no_text_are_refused,
    nothing_random_makes_it_panic,
];

/// Cases unless `HOSTILE` says otherwise.
const CASES: u32 = 400;

fn said(text: &str) -> Check {
    check_texts(&[("compositions/main.yaml", text)])
}

/// What is refused must say so.
fn refused(text: &str) -> String {
    let check = said(text);
    assert!(!check.starts && !check.said.is_empty(), "it starts: {}", &text[..text.len().min(200)]);
    assert!(check.text.len() < 2_000_000, "{} bytes are said", check.text.len());
    check.said[0].code.clone()
}

fn lines(head: &str, count: usize, line: impl Fn(usize) -> String) -> String {
    let lines: String = (0..count).map(line).collect();
    format!("{head}{lines}")
}

fn very_large_and_very_many_are_refused_or_load() -> Result<(), String> {
    let members = lines("endpoints:\n  GET /a:\n    result:\n", 100_000, |n| format!("      a{n}: {n}\n"));
    assert!(said(&members).starts);
    assert_eq!(
        refused(&lines("endpoints:\n  GET /a:\n    result: 1\n", 20_000, |n| format!("    a{n}: 1\n"))),
        "unknown-key"
    );
    assert_eq!(
        refused(&lines("endpoints:\n  GET /a:\n    result: 1\n", 20_000, |_| "    a: 1\n".into())),
        "unknown-key"
    );
    let unknown = lines("endpoints: { GET /a: { result: {", 5_000, |n| format!(" a{n}: \"${{b{n}}}\",")) + " } } }\n";
    assert_eq!(refused(&unknown), "expression");
    let paths = lines("endpoints:\n", 5_000, |n| format!("  GET /a{n}: {{ result: 1 }}\n"));
    assert!(said(&paths).starts);
    let project = Project::write("hostile/large", &[("compositions/a.yaml".into(), "# a\n".repeat(2_500_000))])?;
    assert_eq!(check(project.root()).said[0].code, "unreadable-file");
    Ok(())
}

fn what_nests_or_grows_without_end_is_refused() {
    for nested in ["[".repeat(10_000), "- ".repeat(10_000), "{a: ".repeat(10_000), "? ".repeat(10_000)] {
        assert_eq!(refused(&nested), "yaml-depth");
    }
    let bomb = lines("a: &a [x, x]\n", 20, |n| format!("b{n}: &b{n} [*a, *a, *a, *a]\n"));
    assert!(["unknown-key", "yaml-alias"].contains(&refused(&bomb).as_str()));
    let endpoint = |step: &dyn Fn(usize) -> String, last: usize| {
        let head = "backends: { a: { rest: http://127.0.0.1:1 } }\nendpoints:\n  GET /a:\n    steps:\n      a0: { backend: a, get: /a }\n";
        lines(head, last, |n| step(n + 1)) + &format!("    result: ${{a{last}}}\n")
    };
    let chain = |n: usize| format!("      a{n}: {{ result: \"${{a{}}}\" }}\n", n - 1);
    assert_eq!(refused(&endpoint(&chain, 1_900)), "too-large");
    let doubled = |n: usize| format!("      a{n}: {{ result: [\"${{a{0}}}\", \"${{a{0}}}\"] }}\n", n - 1);
    assert_eq!(refused(&endpoint(&doubled, 40)), "too-large");
    let replies =
        |n: usize| format!("      a{n}: {{ backend: a, get: /a, result: [\"${{a{0}}}\", \"${{a{0}}}\"] }}\n", n - 1);
    assert!(said(&endpoint(&replies, 40)).starts);
    for expression in
        ["(".repeat(100_000), "1+".repeat(100_000), "!".repeat(8_000), "a.".repeat(4_000), "[".repeat(4_000)]
    {
        assert_eq!(refused(&format!("endpoints: {{ GET /a: {{ result: \"${{{expression}}}\" }} }}\n")), "expression");
    }
    assert_eq!(
        refused(&format!("endpoints: {{ GET /a: {{ result: \"{}\" }} }}\n", "${".repeat(100_000))),
        "expression"
    );
}

fn text_that_is_no_plain_yaml_is_refused_or_read() {
    let plain = "endpoints:\n  GET /a:\n    result: ${b}\n";
    for text in [plain.replace('\n', "\r\n"), plain.replace('\n', "\r"), format!("\u{feff}{plain}")] {
        let check = said(&text);
        assert_eq!(check.said[0].code, "expression", "{}", check.text);
    }
    for (text, code) in [
        (plain.replace("  ", "\t"), "yaml-syntax"),
        (plain.replace('b', "\0"), "yaml-syntax"),
        (plain.replace("GET", "G\0T"), "yaml-syntax"),
        (format!("{plain}---\n{plain}"), "yaml-documents"),
        (plain.replace("result", "<<"), "empty"),
        (":".repeat(10_000), "yaml-syntax"),
        ("\"".repeat(10_001), "yaml-syntax"),
        ("hello\n".to_owned(), "wrong-type"),
        (" ".repeat(100_000), "no-compositions"),
    ] {
        let check = said(&text);
        let codes: Vec<&str> = check.said.iter().map(|said| said.code.as_str()).collect();
        assert!(!check.starts && codes.contains(&code), "{code}, not {codes:?} for {:?}", &text[..text.len().min(60)]);
    }
}

fn bytes_that_are_no_text_are_refused() -> Result<(), String> {
    for (name, bytes) in [("utf-8", b"endpoints: \xff\n".to_vec()), ("utf-16", b"\xff\xfee\0n\0d\0".to_vec())] {
        let project = Project::write(&format!("hostile/{name}"), &[("compositions/a.yaml".into(), String::new())])?;
        fs::write(project.root().join("compositions/a.yaml"), bytes).map_err(|error| error.to_string())?;
        assert_eq!(check(project.root()).said[0].code, "unreadable-file", "{name}");
    }
    Ok(())
}

/// Pieces of files that are put into others.
const PIECES: &[&str] = &[
    "${",
    "}",
    "{",
    "[",
    "]",
    ":",
    "\n",
    "  ",
    "\t",
    "- ",
    "'",
    "\"",
    "#",
    "&a ",
    "*a",
    "!!x ",
    "|",
    ">",
    "? ",
    "\0",
    "\u{feff}",
    "é",
    "${args.id}",
    "steps:",
    "result: ",
    "part: ",
    "for_each: ",
    "$each: ",
    "batch: ",
    "null",
    "-1",
    "1e999",
    "99999999999999999999",
    "${a.b[0].?c}",
    ".map(x, x)",
    "when: ",
    "default: ",
    "GET /{*a}: ",
];

/// A cut, a piece put in, a line doubled: real compositions, spoiled.
fn nothing_random_makes_it_panic() -> Result<(), String> {
    let cases = std::env::var("HOSTILE").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let mut projects = Vec::new();
    for path in files("tests/behaviour", "md").iter().filter(|path| !path.ends_with("README.md")) {
        projects.push(document::read(&fs::read_to_string(path).map_err(|error| error.to_string())?)?.files);
    }
    let slip = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..4_u8, prop::sample::select(PIECES));
    let case = (any::<prop::sample::Index>(), prop::collection::vec(slip, 1..5));
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 500, ..Config::default() };
    let judged = TestRunner::new(config).run(&case, |(project, slips)| {
        let mut files = projects[project.index(projects.len())].clone();
        let Some((_, text)) = files.iter_mut().find(|(path, _)| path.starts_with("compositions/")) else {
            return Ok(());
        };
        for (at, to, how, piece) in &slips {
            spoil(text, (at, to), *how, piece);
        }
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let check = check_texts(&files);
        prop_assert!(check.starts || !check.said.is_empty());
        Ok(())
    });
    judged.map_err(|error| match error {
        TestError::Fail(reason, case) => format!("{reason}: {case:?}"),
        TestError::Abort(reason) => reason.to_string(),
    })
}

fn spoil(text: &mut String, (at, to): (&prop::sample::Index, &prop::sample::Index), how: u8, piece: &str) {
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let (one, other) = (places[at.index(places.len())], places[to.index(places.len())]);
    let (start, end) = (one.min(other), one.max(other));
    match how {
        0 => text.insert_str(start, piece),
        1 => {
            let short = (start..=end.min(start + 20)).rev().find(|at| text.is_char_boundary(*at));
            text.replace_range(start..short.unwrap_or(start), piece);
        }
        2 => text.truncate(end),
        _ => {
            let copied = text[start..end].to_owned();
            text.insert_str(start, &copied);
        }
    }
}

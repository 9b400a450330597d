//! The architecture, enforced on the sources: layers, sizes, names, and what may not stand outside tests.
//!
//! The layers and their order are those of `docs/ARCHITECTURE.md`. A rule that is broken fails with file and line.

mod rules;
mod source;

use std::path::{Path, PathBuf};

use crate::claim::{claims, repository};
use rules::Finding;
use source::Source;

claims![
    modules_import_only_rows_above_their_own,
    every_module_says_what_it_is_for,
    files_have_at_most_500_lines_and_functions_60,
    no_module_is_a_heap,
    nothing_outside_tests_panics_or_prints,
    an_import_from_a_lower_row_or_a_sibling_is_found,
    a_grouped_a_nested_and_a_relative_import_are_found,
    a_policy_that_imports_a_policy_is_found,
    a_long_function_and_a_long_file_are_found,
    a_module_without_its_first_line_is_found,
    a_heap_is_found_by_its_name,
    an_unwrap_outside_tests_is_found,
    comments_strings_and_tests_are_no_code,
];

/// Functions that may be longer than the limit, as `file::function`, each with the reason.
const LONG_FUNCTIONS: &[(&str, &str)] = &[];

/// Files that may be longer than the limit, each with the reason.
const LONG_FILES: &[(&str, &str)] = &[];

fn modules_import_only_rows_above_their_own() -> Result<(), String> {
    none(sources().iter().flat_map(rules::imports))
}

fn every_module_says_what_it_is_for() -> Result<(), String> {
    none(sources().iter().filter_map(rules::first_line))
}

fn files_have_at_most_500_lines_and_functions_60() -> Result<(), String> {
    let allowed = |finding: &Finding| {
        let named = |exceptions: &[(&str, &str)]| exceptions.iter().any(|(name, _)| *name == finding.subject);
        named(LONG_FUNCTIONS) || named(LONG_FILES)
    };
    none(sources().iter().flat_map(rules::sizes).filter(|finding| !allowed(finding)))
}

fn no_module_is_a_heap() -> Result<(), String> {
    none(sources().iter().filter_map(rules::name))
}

fn nothing_outside_tests_panics_or_prints() -> Result<(), String> {
    none(sources().iter().flat_map(rules::words))
}

/// Every Rust file of `src/`; a tree without any would make each rule hold, so that is a failure too.
fn sources() -> Vec<Source> {
    let root = repository("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                sources.push(Source::new(&name, &std::fs::read_to_string(&path).unwrap_or_default()));
            }
        }
    }
    assert!(!sources.is_empty(), "no sources below {}", root.display());
    sources
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| entry.path()).collect()
}

fn none(findings: impl Iterator<Item = Finding>) -> Result<(), String> {
    let mut lines: Vec<String> = findings.map(|finding| finding.to_string()).collect();
    lines.sort();
    match lines.is_empty() {
        true => Ok(()),
        false => Err(lines.join("\n")),
    }
}

fn found(name: &str, text: &str) -> Vec<String> {
    let source = Source::new(name, text);
    rules::imports(&source).into_iter().map(|finding| finding.subject).collect()
}

fn an_import_from_a_lower_row_or_a_sibling_is_found() {
    assert_eq!(found("spec/read.rs", "use crate::plan::Plan;\n"), ["plan"]);
    assert_eq!(found("plan/mod.rs", "fn f() { crate::exec::run(); }\n"), ["exec"]);
    assert_eq!(found("policy/retry.rs", "use crate::observe::count;\n"), ["observe"]);
    assert_eq!(found("expr/mod.rs", "use crate::base::failure::Failure;\n"), ["base::failure"]);
    assert_eq!(found("demo/mod.rs", "use crate::base::value::Doc;\n"), ["base"]);
    assert_eq!(found("front/rest/mod.rs", "use crate::server::App;\n"), ["server"]);
    assert_eq!(found("spec/read.rs", "use selvedge::plan::Plan;\n"), ["plan"]);
    assert_eq!(found("nowhere/mod.rs", "use crate::base::id;\n"), ["nowhere"]);
    let allowed =
        "use crate::base::value::Doc;\nuse crate::expr::Program;\nuse crate::spec::Spec;\nuse crate::plan::x;\n";
    assert!(found("plan/mod.rs", allowed).is_empty());
    assert!(found("expr/mod.rs", "use crate::base::value::Doc;\n").is_empty());
    assert!(found("cli/demo.rs", "use crate::demo::run;\nuse crate::server::Gateway;\n").is_empty());
}

fn a_grouped_a_nested_and_a_relative_import_are_found() {
    assert_eq!(found("spec/read.rs", "use crate::{base::id, plan::{a, b},\n  exec};\n"), ["plan", "exec"]);
    assert_eq!(found("spec/read.rs", "use super::super::plan::Plan;\n"), ["plan"]);
    assert_eq!(found("spec/mod.rs", "use super::call::run;\n"), ["call"]);
    assert!(found("spec/read/name.rs", "use super::super::place::Place;\nuse super::text;\n").is_empty());
}

fn a_policy_that_imports_a_policy_is_found() {
    assert_eq!(found("policy/retry.rs", "use crate::policy::breaker::Breaker;\n"), ["policy::breaker"]);
    assert_eq!(found("policy/retry.rs", "use super::breaker::Breaker;\n"), ["policy::breaker"]);
    assert!(found("policy/retry/state.rs", "use crate::policy::retry::Budget;\n").is_empty());
    assert!(found("policy/mod.rs", "pub mod retry;\npub use crate::policy::retry::Retry;\n").is_empty());
}

fn a_long_function_and_a_long_file_are_found() {
    let lines = |count: usize| "    step();\n".repeat(count);
    let sized = |text: &str| {
        let findings = rules::sizes(&Source::new("exec/run.rs", text));
        findings.into_iter().map(|finding| finding.subject).collect::<Vec<_>>()
    };
    assert!(sized(&format!("fn short() {{\n{}}}\n", lines(58))).is_empty());
    assert_eq!(sized(&format!("fn long() {{\n{}}}\n", lines(59))), ["exec/run.rs::long"]);
    assert_eq!(sized(&format!("fn long<T>(a: T)\nwhere\n    T: A,\n{{\n{}}}\n", lines(56))), ["exec/run.rs::long"]);
    assert!(sized(&"const A: u8 = 1;\n".repeat(500)).is_empty());
    assert_eq!(sized(&"const A: u8 = 1;\n".repeat(501)), ["exec/run.rs"]);
    let with_tests = format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{\n{}}}\n", "    fn b() {}\n".repeat(600));
    assert!(sized(&with_tests).is_empty());
    assert!(rules::sizes(&Source::new("exec/run/tests.rs", &"const A: u8 = 1;\n".repeat(900))).is_empty());
}

fn a_module_without_its_first_line_is_found() {
    assert!(rules::first_line(&Source::new("base/id.rs", "use std::fmt;\n")).is_some());
    assert!(rules::first_line(&Source::new("base/id.rs", "// Ids.\n")).is_some());
    assert!(rules::first_line(&Source::new("base/id.rs", "//! Ids.\n")).is_none());
    assert!(rules::first_line(&Source::new("lib.rs", "#![doc = include_str!(\"../README.md\")]\n")).is_none());
}

fn a_heap_is_found_by_its_name() {
    for heap in ["exec/utils.rs", "exec/helpers/mod.rs", "common.rs", "server/manager.rs"] {
        assert!(rules::name(&Source::new(heap, "//! A heap.\n")).is_some(), "{heap}");
    }
    assert!(rules::name(&Source::new("exec/merge.rs", "//! Merging.\n")).is_none());
}

fn an_unwrap_outside_tests_is_found() {
    let words = |name: &str, text: &str| rules::words(&Source::new(name, text)).len();
    for word in ["a.unwrap();", "panic!(\"no\");", "todo!();", "println!(\"x\");", "eprintln!(\"x\");", "dbg!(a);"] {
        assert_eq!(words("exec/run.rs", &format!("fn f() {{ {word} }}\n")), 1, "{word}");
    }
    assert_eq!(words("cli/mod.rs", "fn f() { println!(\"x\"); }\n"), 0);
    assert_eq!(words("cli/mod.rs", "fn f() { a.unwrap(); }\n"), 1);
    assert_eq!(words("exec/run.rs", "fn f() { a.unwrap_or(1); a.expect(\"always there\"); }\n"), 0);
}

fn comments_strings_and_tests_are_no_code() {
    let text = r##"
/* crate::plan::x /* nested */ crate::exec::y */
// crate::exec::run and x.unwrap()
const A: &str = "crate::plan::x \" crate::exec::y";
const B: &str = r#"crate::plan::x " todo!()"#;
const C: char = '"';
fn borrowed<'a>(a: &'a str) -> &'a str { a }
#[cfg(test)]
mod tests {
    use crate::exec::run;
    fn f() { run().unwrap(); }
}
"##;
    assert!(found("spec/read.rs", text).is_empty());
    assert!(rules::words(&Source::new("spec/read.rs", text)).is_empty());
    assert_eq!(found("spec/read.rs", &format!("{text}use crate::exec::run;\n")), ["exec"]);
}

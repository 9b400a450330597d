//! The rules, each a function from a source to what breaks it there.

use std::fmt;

use super::source::{Source, closing};

/// The rows of the architecture, from the shared words down to the commands.
const ROWS: &[&[&str]] = &[
    &["base", "expr"],
    &["policy", "observe", "descriptor"],
    &["spec"],
    &["plan"],
    &["transport"],
    &["store"],
    &["call"],
    &["exec"],
    &["front"],
    &["server"],
    &["cli", "demo", "main"],
];

/// Imports beside the rows: `expr` reads values, the commands start the demo, and `main` starts the commands.
const SIBLINGS: &[(&str, &str)] = &[("expr", "base::value"), ("cli", "demo"), ("main", "cli"), ("main", "demo")];

/// Modules that import nothing of the gateway: the demo's servers are what a backend of anyone's would be.
const STRANGERS: &[&str] = &["demo"];

const LONGEST_FILE: usize = 500;
const LONGEST_FUNCTION: usize = 60;
const HEAPS: &[&str] = &["util", "utils", "helper", "helpers", "common", "manager"];
const PANICS: &[&str] = &[".unwrap()", "panic!", "todo!", "unimplemented!", "dbg!"];
const PRINTS: &[&str] = &["println!", "eprintln!"];

/// A place that breaks a rule.
#[derive(Debug)]
pub(super) struct Finding {
    /// The file below `src/`, and the line.
    place: String,
    /// What breaks the rule: the import, the function, the word.
    pub(super) subject: String,
    /// The rule.
    rule: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "src/{}: {}: {}", self.place, self.subject, self.rule)
    }
}

fn finding(source: &Source, at: usize, subject: &str, rule: impl Into<String>) -> Finding {
    let place = format!("{}:{}", source.name, source.line(at));
    Finding { place, subject: subject.to_owned(), rule: rule.into() }
}

/// Imports that go down, to a sibling, from policy to policy, or from a stranger into the gateway.
pub(super) fn imports(source: &Source) -> Vec<Finding> {
    let module = source.module();
    let Some(own) = module.first().copied() else { return Vec::new() };
    if row(own).is_none() {
        return vec![finding(source, 0, own, "this module stands in no row of the architecture")];
    }
    let paths = paths(source);
    paths.into_iter().filter_map(|(at, path)| import(source, at, &path)).collect()
}

/// Judges one imported path, which begins at the crate's root.
fn import(source: &Source, at: usize, path: &[String]) -> Option<Finding> {
    let module = source.module();
    let (own, other) = (*module.first()?, path.first()?.as_str());
    let other_row = row(other)?;
    if own == other {
        let leaf = own == "policy" && module.len() > 1 && path.len() > 1 && path[1] != module[1];
        let names_a_module = path.get(1).is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
        return (leaf && names_a_module).then(|| {
            finding(source, at, &format!("policy::{}", path[1]), "policies are leaves and import no other policy")
        });
    }
    let whole = path.join("::");
    let beside = |(from, to): &(&str, &str)| *from == own && (whole == *to || whole.starts_with(&format!("{to}::")));
    if SIBLINGS.iter().any(beside) {
        return None;
    }
    if STRANGERS.contains(&own) {
        return Some(finding(source, at, other, format!("{own} imports nothing of the gateway")));
    }
    if own == "expr" {
        return Some(finding(source, at, &whole_module(path), "expr imports base::value and nothing else"));
    }
    (other_row >= row(own)?).then(|| finding(source, at, other, format!("{own} imports only rows above its own")))
}

fn whole_module(path: &[String]) -> String {
    path.iter().take(2).cloned().collect::<Vec<_>>().join("::")
}

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

/// Every path from the crate's root that the code names, with its place.
fn paths(source: &Source) -> Vec<(usize, Vec<String>)> {
    let code = &source.code;
    let mut found = Vec::new();
    for root in ["crate::", "selvedge::"] {
        for (at, _) in code.match_indices(root).filter(|(at, _)| !continues_a_word(code, *at)) {
            expand(&code[at + root.len()..], &[], &mut |path| found.push((at, path)));
        }
    }
    let module = source.module();
    for (at, _) in code.match_indices("super::").filter(|(at, _)| !continues_a_word(code, *at)) {
        let ups = code[at..].split("::").take_while(|part| *part == "super").count();
        let base: Vec<String> = module[..module.len().saturating_sub(ups)].iter().map(ToString::to_string).collect();
        let rest = &code[at + ups * "super::".len()..];
        expand(rest, &base, &mut |path| found.push((at, path)));
    }
    found.sort_by_key(|(at, _)| *at);
    found
}

/// Whether what stands at `at` is the end of a longer word or path.
fn continues_a_word(code: &str, at: usize) -> bool {
    code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
}

/// Calls `path` for each path that `text` begins with: `a::b` is one, `{a::b, c}` are two.
fn expand(text: &str, base: &[String], path: &mut impl FnMut(Vec<String>)) {
    let text = text.trim_start();
    if text.starts_with('{') {
        let inner = &text[1..closing(text, 0)];
        let mut depth = 0_usize;
        let parts = inner.split(|c: char| {
            depth = match c {
                '{' => depth + 1,
                '}' => depth - 1,
                _ => depth,
            };
            c == ',' && depth == 0
        });
        parts.filter(|part| !part.trim().is_empty()).for_each(|part| expand(part, base, path));
        return;
    }
    let names = text.split("::").map(|part| {
        let end = part.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(part.len());
        (&part[..end], end == part.len())
    });
    let mut whole = base.to_vec();
    for (name, goes_on) in names {
        if name.is_empty() {
            break;
        }
        whole.push(name.to_owned());
        if !goes_on {
            break;
        }
    }
    path(whole);
}

/// A module that does not begin by saying what it is for.
pub(super) fn first_line(source: &Source) -> Option<Finding> {
    let said = source.text.starts_with("//! ") || source.text.starts_with("#![doc = include_str!");
    (!said).then(|| finding(source, 0, &source.name, "a module begins with `//!` and what it is for"))
}

/// Files and functions over the limits.
pub(super) fn sizes(source: &Source) -> Vec<Finding> {
    if source.code.trim().is_empty() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let lines = source.code.trim_end().lines().count();
    if lines > LONGEST_FILE {
        let rule = format!("{lines} lines outside tests, at most {LONGEST_FILE}");
        findings.push(finding(source, 0, &source.name, rule));
    }
    for (at, _) in source.code.match_indices("fn ").filter(|(at, _)| !continues_a_word(&source.code, *at)) {
        let name: String = source.code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let Some(open) = source.code[at..].find(['{', ';']).map(|offset| at + offset) else { continue };
        if name.is_empty() || source.code[open..].starts_with(';') {
            continue;
        }
        let lines = source.line(closing(&source.code, open)) - source.line(at) + 1;
        if lines > LONGEST_FUNCTION {
            let rule = format!("{lines} lines, at most {LONGEST_FUNCTION}");
            findings.push(finding(source, at, &format!("{}::{name}", source.name), rule));
        }
    }
    findings
}

/// A module whose name says that it has no place.
pub(super) fn name(source: &Source) -> Option<Finding> {
    let module = source.module();
    let heap = module.iter().find(|part| HEAPS.contains(part))?;
    Some(finding(source, 0, heap, "if it has no better name it has no place yet"))
}

/// Words that may not stand outside tests.
pub(super) fn words(source: &Source) -> Vec<Finding> {
    let speaks = ["cli", "main"].contains(source.module().first().unwrap_or(&""));
    let prints = if speaks { &[] } else { PRINTS };
    let mut findings = Vec::new();
    for word in PANICS.iter().chain(prints) {
        for (at, _) in source.code.match_indices(word) {
            if word.starts_with('.') || !continues_a_word(&source.code, at) {
                findings.push(finding(source, at, word, "not outside tests"));
            }
        }
    }
    findings
}

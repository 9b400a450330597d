//! Nothing of the language goes unproved: each key has a behaviour document that uses it and a reject that refuses a
//! wrong use of it, and each code of a diagnostic has a reject.
//!
//! The end of `docs/LANGUAGE.md` is made of what is found here: the keys, what they mean, and where each is shown and
//! refused. `UPDATE=1` writes it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::claim::{claims, files, repository, stem};
use crate::document;
use crate::documents::is_current;
use crate::reject;
use crate::written::{self, Role, Written};

claims![
    every_key_is_shown_and_refused,
    every_key_has_an_example_in_the_manual,
    every_code_of_a_diagnostic_has_a_reject,
    a_mistake_belongs_to_the_innermost_key,
];

/// Documents that the table names for one key at most.
const NAMED: usize = 2;
/// Where the part of the manual begins that is made here.
const HEADING: &str = "## Every key\n";

/// Codes that no composition can get, and where they are shown instead.
const ELSEWHERE: &[(&str, &str)] = &[
    ("no-compositions", "a folder without files, in `src/spec/tests/folder.rs`"),
    ("needs-restart", "only a gateway that runs says it, in `tests/it/reload.rs`"),
    ("unreadable-file", "files that are no UTF-8 or too large, in `src/spec/tests/folder.rs`"),
];

/// A key of the language: its type, and itself.
type KeyOf = (&'static str, String);

/// The documents of each key.
type Proofs = BTreeMap<KeyOf, Vec<Proof>>;

/// A document about a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Proof {
    /// Whether it is named otherwise than the key.
    is_other: bool,
    /// How many keys it has; the fewer, the more it says about one.
    keys: usize,
    name: String,
}

fn every_key_is_shown_and_refused() -> Result<(), String> {
    let (shown, refused) = (shown()?, refused()?);
    let lacking = |what: &str, proofs: &Proofs| -> Vec<String> {
        let keys = written::keys().into_iter().filter(|key| !proofs.contains_key(&key.of()));
        keys.map(|key| format!("{}.{} has no {what}", key.object, key.key)).collect()
    };
    let lacking =
        [lacking("document in tests/behaviour", &shown), lacking("reject in tests/rejects", &refused)].concat();
    match lacking.is_empty() {
        true => {
            let manual = text(&repository("docs/LANGUAGE.md"))?;
            let written = manual.split(HEADING).next().unwrap_or_default();
            is_current("docs/LANGUAGE.md", &format!("{written}{HEADING}{}", table(&shown, &refused)))
        }
        false => Err(lacking.join("\n")),
    }
}

fn every_key_has_an_example_in_the_manual() -> Result<(), String> {
    let manual = text(&repository("docs/LANGUAGE.md"))?;
    let blocks = manual.split("\n```yaml ").skip(1).filter_map(|block| block.split_once('\n'));
    let loaded = blocks.filter(|(info, _)| {
        // What names files that only a compiler makes is shown by a mistake.
        matches!(*info, "composition" | "mistaken") || info.starts_with("profile ")
    });
    let mut shown = BTreeSet::new();
    for block in loaded.filter_map(|(_, block)| block.split("\n```").next()) {
        let said = written::read(&format!("{block}\n")).unwrap_or_default();
        shown.extend(said.into_iter().filter(|said| matches!(said.role, Role::Key)).map(|said| said.of()));
    }
    let missing = written::keys().into_iter().filter(|key| !shown.contains(&key.of()));
    let missing: Vec<String> = missing.map(|key| format!("{}.{} has no example", key.object, key.key)).collect();
    if missing.is_empty() { Ok(()) } else { Err(missing.join("\n")) }
}

/// The behaviour documents that use each key.
fn shown() -> Result<Proofs, String> {
    let mut shown = Proofs::new();
    for path in files("tests/behaviour", "md").into_iter().filter(|path| stem(path) != "README") {
        let document = document::read(&text(&path)?).map_err(|why| format!("{}: {why}", path.display()))?;
        let mut keys = BTreeSet::new();
        for (_, file) in document.files.iter().filter(|(path, _)| path.starts_with("compositions/")) {
            // What only the reader under test can read, such as JSON with surrogates, counts for nothing.
            let said = written::read(file).unwrap_or_default();
            keys.extend(said.into_iter().filter(|said| matches!(said.role, Role::Key)).map(|said| said.of()));
        }
        note(&mut shown, &stem(&path), &keys);
    }
    Ok(shown)
}

/// The rejects that refuse a wrong use of each key: a mistake stands in it, and in no key further in.
fn refused() -> Result<Proofs, String> {
    let mut refused = Proofs::new();
    for path in files("tests/rejects", "yaml") {
        let text = text(&path)?;
        // What is no YAML has no keys.
        let Ok(said) = written::read(&text) else { continue };
        let places = reject::expectations(&text)?.into_iter().filter_map(|expected| expected.place);
        let keys = places.filter_map(|(line, column)| innermost(&said, offset(&text, line, column))).collect();
        note(&mut refused, &stem(&path), &keys);
    }
    Ok(refused)
}

fn note(proofs: &mut Proofs, name: &str, keys: &BTreeSet<KeyOf>) {
    for key in keys {
        let word = key.1.trim_start_matches('$').replace('_', "-");
        let proof = Proof { is_other: !name.contains(&word), keys: keys.len(), name: name.to_owned() };
        proofs.entry(key.clone()).or_default().push(proof);
    }
}

/// The key that a mistake stands in.
fn innermost(said: &[Written], at: usize) -> Option<KeyOf> {
    let around = said.iter().filter(|said| matches!(said.role, Role::Key) && said.whole.contains(&at));
    around.min_by_key(|said| said.whole.len()).map(Written::of)
}

/// The byte of a line and a column, both from 1.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let in_line = text[before..].char_indices().nth(column - 1).map_or(0, |(at, _)| at);
    before + in_line
}

fn a_mistake_belongs_to_the_innermost_key() {
    let text = "endpoints:\n  GET /a:\n    steps: { b: { backend: c, get: /d } }\n    result: ${e}\n";
    let said = written::read(text).expect("it is YAML");
    let key =
        |line, column| innermost(&said, offset(text, line, column)).map(|(object, key)| format!("{object}.{key}"));
    assert_eq!(key(3, 19).as_deref(), Some("RestCall.backend"));
    assert_eq!(key(3, 14).as_deref(), Some("Composition.steps"));
    assert_eq!(key(4, 15).as_deref(), Some("Composition.result"));
    assert_eq!(key(2, 3).as_deref(), Some("Spec.endpoints"));
}

fn every_code_of_a_diagnostic_has_a_reject() -> Result<(), String> {
    let mut refused = BTreeSet::new();
    for path in files("tests/rejects", "yaml") {
        refused.extend(reject::expectations(&text(&path)?)?.into_iter().map(|expected| expected.code));
    }
    let codes = codes()?;
    assert!(codes.len() > 70, "the sources name {} codes only", codes.len());
    let is_shown = |code: &&String| refused.contains(*code) || ELSEWHERE.iter().any(|(listed, _)| listed == code);
    let lacking: Vec<&String> = codes.iter().filter(|code| !is_shown(code)).collect();
    let unknown: Vec<&String> = refused.iter().filter(|code| !codes.contains(*code)).collect();
    match (lacking.is_empty(), unknown.is_empty()) {
        (true, true) => Ok(()),
        (false, _) => Err(format!("no file in tests/rejects expects {lacking:?}")),
        (true, false) => Err(format!("the sources are read wrongly: they do not name {unknown:?}")),
    }
}

/// Functions whose first text is the code of a diagnostic.
const REPORTERS: [&str; 6] = ["error(", "report(", "refuse(", "report_twice(", "complain(", "mistakes("];

/// The codes that the sources name.
fn codes() -> Result<BTreeSet<String>, String> {
    let mut codes = BTreeSet::from([selvedge::spec::NOT_SUPPORTED_YET.to_owned()]);
    for path in sources(&repository("src")).iter().filter(|path| !path.ends_with("tests.rs")) {
        let text = text(path)?;
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for call in REPORTERS.iter().flat_map(|call| code.split(call).skip(1)) {
            let first = call.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"'));
            codes.extend(first.map(|(code, _)| code.to_owned()).filter(|code| is_code(code)));
        }
    }
    Ok(codes)
}

fn is_code(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

/// The Rust files of the folders that say what is wrong with a project.
fn sources(root: &Path) -> Vec<PathBuf> {
    let mut folders = vec![root.join("spec"), root.join("plan")];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
        for path in entries {
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|end| end == "rs") => sources.push(path),
                false => {}
            }
        }
    }
    sources
}

/// The part of the manual behind [`HEADING`].
fn table(shown: &Proofs, refused: &Proofs) -> String {
    let mut out = String::from(
        "\nBy what it stands in, with documents that show it at work and wrong uses that are refused. This table is made \
         from those\ndocuments and from what the reader reads by; `UPDATE=1 cargo test --test it coverage` writes it \
         anew.\n",
    );
    let mut object = "";
    for key in written::keys() {
        if key.object != object {
            object = key.object;
            let title = key.title;
            out.push_str(&format!(
                "\n### Keys of {title}\n\n| key | what it means | shown in | refused in |\n|---|---|---|---|\n"
            ));
        }
        let meaning = key.description.replace('|', "\\|");
        let shown = links(shown.get(&key.of()), ("behaviour", "md"));
        let refused = links(refused.get(&key.of()), ("rejects", "yaml"));
        out.push_str(&format!("| `{}` | {meaning} | {shown} | {refused} |\n", key.key));
    }
    out
}

/// The documents that say most about a key.
fn links(proofs: Option<&Vec<Proof>>, (folder, ending): (&str, &str)) -> String {
    let mut best: Vec<&Proof> = proofs.into_iter().flatten().collect();
    best.sort();
    let link = |proof: &&Proof| format!("[{0}](../tests/{folder}/{0}.{ending})", proof.name);
    best.iter().take(NAMED).map(link).collect::<Vec<_>>().join(", ")
}

fn text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

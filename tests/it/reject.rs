//! `tests/rejects/*.yaml`: wrong compositions, each with the diagnostics that it must get and no others.
//!
//! The form is told in `tests/rejects/README.md`.

use std::fmt;
use std::path::Path;

use libtest_mimic::{Failed, Trial};

use crate::certificates;
use crate::claim::{claims, files, stem};
use crate::gateway::{self, Said};
use crate::project::Project;

claims![
    an_expectation_points_at_the_line_above_it,
    further_files_are_taken_from_the_head,
    a_missing_an_extra_and_a_misplaced_diagnostic_are_found,
];

/// One trial a file.
pub(crate) fn rejects() -> Vec<Trial> {
    let files = files("tests/rejects", "yaml").into_iter();
    files.map(|path| Trial::test(format!("reject::{}", stem(&path)), move || refuse(&path))).collect()
}

const MAIN: &str = "compositions/main.yaml";

/// A diagnostic that a file must get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// Line and column, from 1; `None` when the mistake stands in another file.
    pub(crate) place: Option<(usize, usize)>,
    pub(crate) code: String,
    /// A part of the message.
    message: String,
    /// A part of the help.
    help: String,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}: {} | help: {}", self.place, self.code, self.message, self.help)
    }
}

fn refuse(path: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let project = Project::write(&format!("rejects/{}", stem(path)), &project(&certificates::locate(&text))?)?;
    let check = gateway::check(project.root());
    compare(&expectations(&text)?, &check.said).map_err(|why| format!("{why}\n--- check says\n{}", check.text))?;
    match check.starts {
        true => Err("the project is complained about, and yet it starts".into()),
        false => Ok(()),
    }
}

/// The project's files: the text itself, and what its head gives as `#> PATH` followed by `#| LINE`s.
fn project(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut files = vec![(MAIN.to_owned(), text.to_owned())];
    for line in text.lines() {
        if let Some(path) = line.strip_prefix("#> ") {
            files.push((path.to_owned(), String::new()));
        } else if let Some(line) = line.strip_prefix("#|") {
            let (path, file) = files.last_mut().ok_or("a file line without a file")?;
            if path == MAIN {
                return Err("a file line before any `#> PATH`".into());
            }
            file.push_str(line.strip_prefix(' ').unwrap_or(line));
            file.push('\n');
        }
    }
    Ok(files)
}

/// Reads the comments `#   ^ code: message | help: help`, `#< …` (column 1) and `#! …` (another file).
pub(crate) fn expectations(text: &str) -> Result<Vec<Expected>, String> {
    let mut expected = Vec::new();
    let mut last_line = 0;
    for (index, line) in text.lines().enumerate() {
        let place = match line.strip_prefix('#') {
            Some(rest) if rest.starts_with('<') => Some((last_line, 1)),
            Some(rest) if rest.starts_with('!') => None,
            Some(rest) if rest.trim_start().starts_with('^') => {
                Some((last_line, line.chars().take_while(|c| *c != '^').count() + 1))
            }
            Some(_) => continue,
            None => {
                last_line = index + 1;
                continue;
            }
        };
        let words = line.trim_start_matches(['#', ' ', '<', '!', '^']);
        let (code, rest) = words.split_once(':').ok_or_else(|| format!("line {}: expected `code: …`", index + 1))?;
        let (message, help) = rest.split_once("| help:").unwrap_or((rest, ""));
        let [code, message, help] = [code, message, help].map(|part| part.trim().to_owned());
        expected.push(Expected { place, code, message, help });
    }
    match expected.is_empty() {
        true => Err("the file expects no diagnostic".into()),
        false => Ok(expected),
    }
}

fn compare(expected: &[Expected], said: &[Said]) -> Result<(), String> {
    let mut left: Vec<&Said> = said.iter().collect();
    let mut wrong = Vec::new();
    for expected in expected {
        match left.iter().position(|said| fits(expected, said)) {
            Some(at) => drop(left.remove(at)),
            None => wrong.push(format!("not said: {expected}")),
        }
    }
    for said in left {
        let place = format!("{}:{}:{}", said.file, said.line, said.column);
        wrong.push(format!("said too much: {place} {}: {} | help: {}", said.code, said.message, said.help));
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong.join("\n")),
    }
}

fn fits(expected: &Expected, said: &Said) -> bool {
    let place = match expected.place {
        Some(place) => said.file == MAIN && place == (said.line, said.column),
        None => said.file != MAIN,
    };
    place
        && expected.code == said.code
        && said.message.contains(&expected.message)
        && said.help.contains(&expected.help)
}

const WRONG: &str = "#> schema/schema.graphql
#| type Query {
#|   a: Int
#| }
backends:
  a: { rst: http://a.test }
#      ^^^ unknown-key: unknown key `rst` | help: did you mean `rest`?
endpoint: {}
#< unknown-key: endpoint
#! schema: a second thing
";

fn an_expectation_points_at_the_line_above_it() {
    let expected = expectations(WRONG).expect("well formed");
    assert_eq!(expected[0].place, Some((6, 8)));
    assert_eq!((expected[0].code.as_str(), expected[0].help.as_str()), ("unknown-key", "did you mean `rest`?"));
    assert_eq!((expected[1].place, expected[2].place), (Some((8, 1)), None));
    assert!(expectations("backends: {}\n").is_err());
}

fn further_files_are_taken_from_the_head() {
    let files = project(WRONG).expect("well formed");
    assert_eq!(files[1], ("schema/schema.graphql".to_owned(), "type Query {\n  a: Int\n}\n".to_owned()));
}

fn a_missing_an_extra_and_a_misplaced_diagnostic_are_found() {
    let said = |line: usize| Said {
        code: "unknown-key".into(),
        file: MAIN.into(),
        line,
        column: 8,
        message: "unknown key `rst`".into(),
        help: "did you mean `rest`?".into(),
    };
    let expected = expectations("a: 1\n#      ^ unknown-key: rst\n").expect("well formed");
    assert_eq!(compare(&expected, &[said(1)]), Ok(()));
    assert!(compare(&expected, &[]).is_err());
    assert!(compare(&expected, &[said(2)]).is_err());
    assert!(compare(&expected, &[said(1), said(1)]).is_err());
    assert!(compare(&expected, &[Said { code: "other".into(), ..said(1) }]).is_err());
}

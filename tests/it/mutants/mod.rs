//! One wrong letter in any name of a composition is found when it is checked.
//!
//! Each use of a name in the compositions of the demo store and of all behaviour documents gets a letter that makes
//! it a name of nothing, at a random position. The project must be refused, with a diagnostic on the very line.
//! `MUTANTS=20` tries so many positions of each name, and `MUTANTS=1` one; without it, so that other tests have the
//! machine too, one name in [`SHARE`] of the store is tried once, and one in [`DOCUMENT_SHARE`] of the documents.

mod contract;
mod expression;
mod names;

use std::collections::{BTreeMap, BTreeSet};

use selvedge::demo;

use crate::certificates;
use crate::claim::{claims, files, stem};
use crate::document;
use crate::gateway::check_texts;
use crate::written;
use contract::Contracts;
use names::{Name, Of, names};

claims![a_wrong_letter_is_found];

/// Of so many names of the store one is tried where `MUTANTS` does not say otherwise: to check the store takes long.
const SHARE: usize = 16;
/// The same for the documents.
const DOCUMENT_SHARE: usize = 2;

/// Names that may be wrong unseen: the project, the name, and why. Members of what no contract describes are not
/// listed one by one: see [`Contracts`].
const UNSEEN: &[(&str, &str, &str)] = &[("grpc-types-to-the-wire", "a", "a key of a proto map is any text")];

/// What names in expressions are counted as.
const EXPRESSIONS: [&str; 2] = ["name or function", "member"];

/// A project with its compositions.
struct Project {
    name: String,
    files: Vec<(String, String)>,
}

/// A name with a wrong letter.
struct Mutant {
    of: Of,
    line: usize,
    file: usize,
    was: String,
    wrong: String,
    text: String,
}

fn a_wrong_letter_is_found() -> Result<(), String> {
    let asked: Option<usize> = std::env::var("MUTANTS").ok().and_then(|asked| asked.parse().ok());
    let mut tally = Tally::default();
    for project in projects()? {
        tally.add(try_project(&project, asked));
    }
    tally.verdict()
}

/// The demo store, and the documents.
fn projects() -> Result<Vec<Project>, String> {
    let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
    let mut projects = vec![Project { name: "store".into(), files: demo::PROJECT.iter().map(owned).collect() }];
    for path in files("tests/behaviour", "md").iter().filter(|path| stem(path) != "README") {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let document = document::read(&certificates::locate(&text))?;
        // Descriptors are no text: they are read from disk only. Nobody runs here who could be asked for them.
        let is_elsewhere =
            |(path, text): &(String, String)| path.ends_with(".binpb") || text.contains("reflection: true");
        if !document.files.iter().any(is_elsewhere) {
            projects.push(Project { name: stem(path), files: document.files });
        }
    }
    Ok(projects)
}

impl Project {
    fn check(&self, mutant: Option<&Mutant>) -> crate::gateway::Check {
        let changed = |at: usize, text: &'_ str| -> String {
            mutant.filter(|mutant| mutant.file == at).map_or(text.to_owned(), |mutant| mutant.text.clone())
        };
        let texts: Vec<String> = self.files.iter().enumerate().map(|(at, (_, text))| changed(at, text)).collect();
        let files: Vec<(&str, &str)> =
            self.files.iter().zip(&texts).map(|((path, _), text)| (path.as_str(), text.as_str())).collect();
        check_texts(&files)
    }
}

fn try_project(project: &Project, asked: Option<usize>) -> Tally {
    let mut tally = Tally::default();
    let clean = project.check(None);
    if !clean.starts {
        tally.found.insert("project that starts", (1, 0));
        tally.unseen.push(format!("{} does not start: {}", project.name, clean.text));
        return tally;
    }
    // Files of profiles, in folders of their own, are read from disk only.
    let is_composition = |path: &str| path.strip_prefix("compositions/").is_some_and(|name| !name.contains('/'));
    let trees = project
        .files
        .iter()
        .filter(|(path, _)| is_composition(path))
        .filter_map(|(_, text)| written::tree(text).ok().flatten());
    let contracts = Contracts::of(&trees.collect::<Vec<_>>());
    let words: BTreeSet<String> =
        project.files.iter().flat_map(|(_, text)| expression::words(text).map(|word| text[word].to_owned())).collect();
    let share = match (asked, project.name.as_str()) {
        (Some(_), _) => 1,
        (None, "store") => SHARE,
        (None, _) => DOCUMENT_SHARE,
    };
    for (file, (path, text)) in project.files.iter().enumerate().filter(|(_, (path, _))| is_composition(path)) {
        let Ok(names) = names(text) else { continue };
        for name in names.iter().filter(|name| name.bytes.start % share == 0) {
            for attempt in 0..asked.unwrap_or(1) {
                let mut dice = Dice::of(&(project.name.as_str(), path, name.bytes.start, attempt));
                let mutant = mutant((file, text), name, &words, &mut dice);
                tally.try_one(project, &mutant, &contracts);
            }
        }
    }
    tally
}

/// The file with one letter of a name changed, so that nothing has the name.
fn mutant((file, text): (usize, &str), name: &Name, words: &BTreeSet<String>, dice: &mut Dice) -> Mutant {
    let was = &text[name.bytes.clone()];
    loop {
        let at = dice.roll(was.len());
        let letter = char::from(b'a' + dice.roll(26) as u8);
        let wrong = format!("{}{letter}{}", &was[..at], &was[at + 1..]);
        if !words.contains(&wrong) {
            let line = text[..name.bytes.start].matches('\n').count() + 1;
            let text = format!("{}{wrong}{}", &text[..name.bytes.start], &text[name.bytes.end..]);
            return Mutant { of: name.of.clone(), file, line, was: was.to_owned(), wrong, text };
        }
    }
}

/// What became of the mutants.
#[derive(Debug, Default)]
struct Tally {
    /// By what the names are of: how many were tried, and how many of them were found on their line.
    found: BTreeMap<&'static str, (usize, usize)>,
    /// Accepted members of what no contract describes.
    open: usize,
    /// All others that were accepted, or complained about elsewhere only.
    unseen: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        for (kind, (tried, found)) in other.found {
            let counts = self.found.entry(kind).or_default();
            *counts = (counts.0 + tried, counts.1 + found);
        }
        self.open += other.open;
        self.unseen.extend(other.unseen);
    }

    fn try_one(&mut self, project: &Project, mutant: &Mutant, contracts: &Contracts) {
        let check = project.check(Some(mutant));
        let path = &project.files[mutant.file].0;
        let is_found = !check.starts && check.said.iter().any(|said| said.line == mutant.line && said.file == *path);
        let is_open = match &mutant.of {
            Of::Member { of, through } => contracts.is_open(of, through),
            _ => false,
        };
        let is_listed = UNSEEN.iter().any(|(listed, name, _)| *listed == project.name && *name == mutant.was);
        if (is_open || is_listed) && !is_found {
            self.open += 1;
            return;
        }
        let kind = match mutant.of {
            Of::Language(kind) => kind,
            Of::Expression => EXPRESSIONS[0],
            Of::Member { .. } => EXPRESSIONS[1],
        };
        let counts = self.found.entry(kind).or_default();
        *counts = (counts.0 + 1, counts.1 + usize::from(is_found));
        if !is_found {
            let how = if check.starts { "accepted" } else { "said elsewhere" };
            let Mutant { line, was, wrong, of, .. } = mutant;
            self.unseen.push(format!("{} {path}:{line}: {was} → {wrong} ({of:?}): {how}", project.name));
        }
    }

    /// Every name that a key calls for must be found; of those in expressions 99 of 100, for which of them a
    /// contract describes is told by their words here.
    fn verdict(self) -> Result<(), String> {
        let count = |kinds: &[&str], is_in: bool| {
            let counts = self.found.iter().filter(|(kind, _)| kinds.contains(kind) == is_in);
            counts.fold((0, 0), |(tried, found), (_, counts)| (tried + counts.0, found + counts.1))
        };
        let (expected, met) = count(&EXPRESSIONS, true);
        let (tried, found) = count(&EXPRESSIONS, false);
        match tried > 1000 && tried == found && expected > 500 && met * 100 >= expected * 99 {
            true => Ok(()),
            false => Err(format!("{:?}, {} open\n{}", self.found, self.open, self.unseen.join("\n"))),
        }
    }
}

/// Numbers that look random: the same for the same seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn of(seed: &impl std::hash::Hash) -> Self {
        use std::hash::Hasher as _;
        // Its keys are fixed, so that the same case is the same on each run.
        let mut hasher = std::hash::DefaultHasher::new();
        seed.hash(&mut hasher);
        Self(hasher.finish())
    }

    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides as u64) as usize
    }
}

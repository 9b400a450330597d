//! `.proto` text, parsed; nothing is looked up yet.

use std::ops::Range;
use std::sync::Arc;

use prost::Message as _;

use super::link::Mistake;
use super::{options, raw};
use crate::base::diagnostic::did_you_mean;

/// A file with the places of what it defines, if it was read from text.
#[derive(Debug)]
pub struct Parsed {
    pub(super) file: raw::File,
    /// The text, and the paths of its definitions with their lines and columns, all from 0.
    origin: Option<(Arc<str>, Vec<prost_types::source_code_info::Location>)>,
}

impl Parsed {
    /// A file that was compiled elsewhere.
    pub(super) fn compiled(file: raw::File) -> Self {
        Self { file, origin: None }
    }

    /// Whether it was read from text.
    pub(super) fn is_text(&self) -> bool {
        self.origin.is_some()
    }

    /// What is wrong at a descriptor: `path` holds field numbers and positions from the file down.
    pub(super) fn mistake(&self, path: &[i32], message: String, help: String) -> Mistake {
        Mistake { file: self.file.name.clone(), bytes: self.bytes(path), message, help }
    }

    /// The bytes of the nearest definition around `path`.
    fn bytes(&self, path: &[i32]) -> Option<Range<usize>> {
        let (text, locations) = self.origin.as_ref()?;
        let around = (0..=path.len()).rev().map(|length| &path[..length]);
        let found = around.filter_map(|path| locations.iter().find(|location| location.path == path)).next()?;
        let [line, start, rest @ ..] = &found.span[..] else { return None };
        let from = line_start(text, *line) + *start as usize;
        let to = match rest {
            [end] => from + (end - start).max(1) as usize,
            _ => text[from.min(text.len())..].find('\n').map_or(text.len(), |length| from + length),
        };
        Some(from.min(text.len())..to.min(text.len()))
    }
}

fn line_start(text: &str, line: i32) -> usize {
    text.split_inclusive('\n').take(usize::try_from(line).unwrap_or(0)).map(str::len).sum()
}

/// Parses the file called `name`.
///
/// # Errors
/// Why it is no `.proto` file, and the options that there are not.
pub(super) fn parse(name: &str, text: &Arc<str>) -> Result<Parsed, Vec<Mistake>> {
    let mut parsed = protox_parse::parse(name, text).map_err(|error| {
        let bytes = Some(error.span().unwrap_or(text.len()..text.len()));
        let says_edition = text.lines().any(|line| line.trim_start().starts_with("edition"));
        let help = if says_edition { EDITIONS } else { "" };
        vec![Mistake { file: name.to_owned(), bytes, message: error.to_string(), help: help.to_owned() }]
    })?;
    let locations = parsed.source_code_info.take().unwrap_or_default().location;
    let mut file = raw::File::decode(&*parsed.encode_to_vec()).map_err(|error| {
        let message = format!("the file cannot be read: {error}");
        vec![Mistake { file: name.to_owned(), bytes: Some(0..0), message, help: String::new() }]
    })?;
    let wrong = options::interpret(&mut file);
    let parsed = Parsed { file, origin: Some((text.clone(), locations)) };
    let mistake = |wrong: options::Wrong| match wrong.known {
        Some(known) => {
            let message = format!("there is no option `{}`; those of one's own stand in parentheses", wrong.name);
            parsed.mistake(&wrong.path, message, did_you_mean(&wrong.name, known.iter().copied()))
        }
        None => parsed.mistake(&wrong.path, format!("the option `{}` takes another value", wrong.name), String::new()),
    };
    let mistakes: Vec<Mistake> = wrong.into_iter().map(mistake).collect();
    if mistakes.is_empty() { Ok(parsed) } else { Err(mistakes) }
}

/// What to do with a text that the parser does not know.
const EDITIONS: &str = "editions are read from descriptor sets: compile it with `protoc --include_imports -o` and name that \
                        file under `descriptors`";

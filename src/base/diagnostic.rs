//! What is wrong with a project, said so that its writer can mend it.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use super::id::FileId;

/// A stretch of a project file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file.
    pub file: FileId,
    /// The bytes of the file.
    pub bytes: Range<usize>,
}

/// How much a diagnostic weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing starts.
    Error,
    /// Probably not what was meant; the project starts.
    Warning,
}

/// One mistake in a project's files.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// A stable name of the kind of mistake, such as `unknown-key`.
    pub code: &'static str,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// Where.
    pub place: Place,
    /// The key path, such as `endpoints."GET /v1/products".steps.product.get`.
    pub path: String,
    /// What to write instead, one sentence; empty when there is nothing to suggest.
    pub help: String,
    /// Another place that belongs to the mistake, and why: "first defined here".
    pub related: Option<(Place, String)>,
}

impl Diagnostic {
    /// An error with no help and no related place.
    pub fn error(code: &'static str, place: Place, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            place,
            path: path.into(),
            help: String::new(),
            related: None,
        }
    }

    /// The same with a sentence on what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// The same as a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// The same with a second place.
    #[must_use]
    pub fn related(mut self, place: Place, why: impl Into<String>) -> Self {
        self.related = Some((place, why.into()));
        self
    }
}

/// The text of a project's files, to print diagnostics with.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

#[derive(Debug)]
struct Source {
    name: String,
    text: Arc<str>,
    /// The byte at which each line begins.
    lines: Vec<usize>,
}

/// Characters of a line that are shown around a mistake.
const SHOWN: usize = 200;

impl Sources {
    /// Adds a file under the name that diagnostics print.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> FileId {
        let text: Arc<str> = text.into();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        self.files.push(Source { name: name.into(), text, lines });
        FileId::from(self.files.len() - 1)
    }

    /// The names and texts of all files.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|source| (source.name.as_str(), &*source.text))
    }

    /// The name of a file.
    pub fn name(&self, file: FileId) -> &str {
        self.files.get(file.index()).map_or("?", |source| &source.name)
    }

    /// The text of a file.
    pub fn text(&self, file: FileId) -> Arc<str> {
        self.files.get(file.index()).map_or_else(|| Arc::from(""), |source| source.text.clone())
    }

    /// Line and column of a byte, both from 1; columns count characters.
    pub fn position(&self, file: FileId, byte: usize) -> (usize, usize) {
        let Some(source) = self.files.get(file.index()) else { return (1, 1) };
        let byte = byte.min(source.text.len());
        let line = source.lines.partition_point(|start| *start <= byte).max(1);
        let before = source.text.get(source.lines[line - 1]..byte).unwrap_or_default();
        (line, before.chars().count() + 1)
    }

    /// The text of a line, counted from 1, without its end.
    fn line(&self, file: FileId, line: usize) -> &str {
        let Some(source) = self.files.get(file.index()) else { return "" };
        let start = source.lines.get(line - 1).copied().unwrap_or(source.text.len());
        let end = source.lines.get(line).copied().unwrap_or(source.text.len());
        let text = &source.text[start..end];
        let text = text.strip_suffix('\n').unwrap_or(text);
        text.strip_suffix('\r').unwrap_or(text)
    }

    /// A diagnostic as a person reads it: message, place, source line, caret, help.
    pub fn render(&self, diagnostic: &Diagnostic) -> String {
        let word = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let mut out = format!("{word}[{}]: {}\n", diagnostic.code, diagnostic.message);
        self.render_place(&mut out, &diagnostic.place, &diagnostic.path);
        if let Some((place, why)) = &diagnostic.related {
            let _ = writeln!(out, "  note: {why}");
            self.render_place(&mut out, place, "");
        }
        if !diagnostic.help.is_empty() {
            let _ = writeln!(out, "  help: {}", diagnostic.help);
        }
        out
    }

    fn render_place(&self, out: &mut String, place: &Place, path: &str) {
        let (line, column) = self.position(place.file, place.bytes.start);
        let _ = write!(out, "  --> {}:{line}:{column}", self.name(place.file));
        let _ = if path.is_empty() { writeln!(out) } else { writeln!(out, "  ({path})") };
        let whole = self.line(place.file, line);
        let marked = self.files.get(place.file.index()).and_then(|source| source.text.get(place.bytes.clone()));
        let marked = marked.map_or(1, |part| part.lines().next().unwrap_or("").chars().take(SHOWN).count());
        // Of a line that is longer than anybody reads, what stands around the mistake.
        let skipped = if column > SHOWN { column - SHOWN / 2 } else { 0 };
        let source: String = whole.chars().skip(skipped).take(SHOWN).collect();
        let (before, shown) = (column - 1 - skipped, source.chars().count());
        let width = marked.clamp(1, shown.saturating_sub(before).max(1));
        let margin = line.to_string().len();
        let indent: String = source.chars().take(before).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let _ = writeln!(out, " {:margin$} |\n {line} | {source}\n {:margin$} | {indent}{}", "", "", "^".repeat(width));
    }
}

/// The candidate that a misspelt name most probably means, if one is near enough.
pub fn suggestion<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(1) + 1;
    candidates
        .into_iter()
        .map(|candidate| (distance(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= limit && *distance < candidate.chars().count().max(2))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// "did you mean `x`?", or the list of what is allowed, or nothing when there is nothing to offer.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let mut candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(best) = suggestion(name, candidates.iter().copied()) {
        return format!("did you mean `{best}`?");
    }
    candidates.sort_unstable();
    match candidates.len() {
        0 => String::new(),
        1..=12 => format!("known here: {}", candidates.join(", ")),
        more => format!("known here: {} and {} more", candidates[..12].join(", "), more - 12),
    }
}

/// The same for the path of a file: one of the same name in another folder is what was meant.
pub fn nearest_file<'a>(path: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let mut namesakes = candidates.iter().filter(|candidate| name(candidate) == name(path));
    match (namesakes.next(), namesakes.next()) {
        (Some(only), None) => format!("did you mean `{only}`?"),
        _ => did_you_mean(path, candidates),
    }
}

/// Damerau–Levenshtein distance (adjacent transpositions count one).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::{Diagnostic, Place, Sources, did_you_mean, nearest_file};

    #[test]
    fn a_file_in_another_folder_is_what_was_meant() {
        let known = ["proto/shop/a.proto", "proto/b.proto", "proto/old/b.proto"];
        assert_eq!(nearest_file("a.proto", known), "did you mean `proto/shop/a.proto`?");
        assert_eq!(nearest_file("proto/bb.proto", known), "did you mean `proto/b.proto`?");
        assert_eq!(nearest_file("x", ["proto/a"]), "known here: proto/a");
    }

    #[test]
    fn a_diagnostic_shows_the_line_and_a_caret_under_the_mistake() {
        let mut sources = Sources::default();
        let file = sources.add("compositions/a.yaml", "backends:\n  catalog: { rst: x }\n");
        let at = sources.text(file).find("rst").expect("there");
        let diagnostic = Diagnostic::error(
            "unknown-key",
            Place { file, bytes: at..at + 3 },
            "backends.catalog",
            "unknown key `rst`",
        )
        .help(did_you_mean("rst", ["rest", "grpc"]));
        assert_eq!(
            sources.render(&diagnostic),
            "error[unknown-key]: unknown key `rst`\n  --> compositions/a.yaml:2:14  (backends.catalog)\n   |\n 2 |   catalog: { rst: x }\n   |              ^^^\n  help: did you mean `rest`?\n"
        );
    }

    #[test]
    fn of_a_very_long_line_is_shown_what_stands_around_the_mistake() {
        let mut sources = Sources::default();
        let file = sources.add("a.yaml", format!("{}wrong{}", "x".repeat(10_000), "y".repeat(10_000)));
        let place = Place { file, bytes: 10_000..10_005 };
        let shown = sources.render(&Diagnostic::error("expression", place, "a", "no"));
        assert!(shown.len() < 700 && shown.contains("xwrongy"), "{shown}");
        assert!(shown.contains("a.yaml:1:10001") && shown.contains(" ^^^^^\n"), "{shown}");
    }

    #[test]
    fn a_far_name_is_not_suggested() {
        assert_eq!(did_you_mean("zzz", ["rest", "grpc"]), "known here: grpc, rest");
        assert_eq!(did_you_mean("prodcut", ["product", "seller"]), "did you mean `product`?");
    }
}

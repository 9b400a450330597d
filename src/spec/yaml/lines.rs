//! From the parser's line and column to a byte of the file.

use saphyr_parser::Marker;

/// The lines of a file, with the last conversion: conversions mostly go forward.
pub(super) struct Lines<'a> {
    text: &'a str,
    ascii: bool,
    /// The byte at which each line begins.
    starts: Vec<usize>,
    last: Position,
}

#[derive(Clone, Copy)]
struct Position {
    line: usize,
    column: usize,
    byte: usize,
}

impl<'a> Lines<'a> {
    /// The lines of `text`; `\n`, `\r\n` and `\r` end one, as in YAML.
    pub(super) fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let ends = (0..bytes.len())
            .filter(|&at| bytes[at] == b'\n' || (bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n')));
        // The parser does not count a byte order mark.
        let first = text.len() - text.trim_start_matches('\u{feff}').len();
        let starts = std::iter::once(first).chain(ends.map(|at| at + 1)).collect();
        Self { text, ascii: text.is_ascii(), starts, last: Position { line: 1, column: 0, byte: first } }
    }

    /// The byte of a marker; markers behind the end mean the end.
    pub(super) fn byte(&mut self, marker: &Marker) -> usize {
        let (line, column) = (marker.line(), marker.col());
        let Some(&start) = self.starts.get(line.saturating_sub(1)) else { return self.text.len() };
        if self.ascii {
            return (start + column).min(self.text.len());
        }
        let from = match self.last {
            last if last.line == line && last.column <= column => last,
            _ => Position { line, column: 0, byte: start },
        };
        let rest = &self.text[from.byte..];
        let byte = rest.char_indices().nth(column - from.column).map_or(self.text.len(), |(at, _)| from.byte + at);
        self.last = Position { line, column, byte };
        byte
    }
}

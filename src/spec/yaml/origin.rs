//! Which byte of the file each byte of a scalar's text comes from.
//!
//! Text and file run in parallel except at *turns*: escapes, doubled quotes, folded lines,
//! indentation. They are found by decoding the scalar a second time, in step with the parser's
//! value; should the two disagree, positions fall back to the start of the scalar.

use saphyr_parser::ScalarStyle;

use super::surrogate;

/// How the bytes of a text and the bytes of the file correspond.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin {
    /// The file's byte of the text's first byte.
    first: usize,
    /// Where the two stop running in parallel, in order.
    turns: Box<[Turn]>,
}

/// From this byte of the text on, bytes come from here in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Turn {
    text: usize,
    file: usize,
}

impl Origin {
    /// Text that is written byte by byte from `first` on.
    pub(super) fn straight(first: usize) -> Self {
        Self { first, turns: Box::default() }
    }

    /// The origin of `text`, written as `source` (quotes included) at byte `start` of the file.
    pub(super) fn of(text: &str, source: &str, style: ScalarStyle, start: usize) -> Self {
        let (open, written) = match style {
            ScalarStyle::Plain => (0, source),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                (1, source.get(1..source.len().saturating_sub(1)).unwrap_or(""))
            }
            ScalarStyle::Literal | ScalarStyle::Folded => return Self::of_block(text, source, start),
        };
        let first = start + open;
        if text == written {
            return Self::straight(first);
        }
        let mut decoder = Decoder { text, written, style, read: 0, made: 0, turns: Vec::new() };
        if decoder.run().is_none() {
            return Self::straight(first);
        }
        let turns = decoder.turns.into_iter().map(|turn| Turn { text: turn.text, file: first + turn.file }).collect();
        Self { first, turns }
    }

    /// The origin of a block scalar, whose source begins behind its header: each line of the source is
    /// found again in the text.
    fn of_block(text: &str, source: &str, start: usize) -> Self {
        let mut turns = Vec::new();
        let mut made = 0;
        let mut read = 0;
        for line in source.split_inclusive('\n') {
            let content = line.trim_start_matches(' ');
            let indent = line.len() - content.len();
            let content = content.trim_end_matches(['\n', '\r']);
            let blank = text[made..].len() - text[made..].trim_start_matches([' ', '\n']).len();
            if !content.is_empty() && text[made + blank..].starts_with(content) {
                turns.push(Turn { text: made + blank, file: start + read + indent });
                made += blank + content.len();
            }
            read += line.len();
        }
        let first = turns.first().map_or(start, |turn| turn.file.saturating_sub(turn.text));
        Self { first, turns: turns.into() }
    }

    /// The file's byte at which the text's byte `at` begins.
    pub(super) fn start(&self, at: usize) -> usize {
        let after = self.turns.partition_point(|turn| turn.text <= at);
        self.follow(after, at)
    }

    /// The file's byte behind the text's byte before `at`.
    pub(super) fn end(&self, at: usize) -> usize {
        let after = self.turns.partition_point(|turn| turn.text < at);
        match self.turns.get(after) {
            Some(turn) if turn.text == at => turn.file,
            _ => self.follow(after, at),
        }
    }

    /// The byte that comes from going on from the turn before `after`.
    fn follow(&self, after: usize, at: usize) -> usize {
        match after.checked_sub(1).and_then(|before| self.turns.get(before)) {
            Some(turn) => turn.file + (at - turn.text),
            None => self.first + at,
        }
    }
}

/// A second decoding of a plain or quoted scalar, in step with its text.
struct Decoder<'a> {
    text: &'a str,
    /// The source between the quotes.
    written: &'a str,
    style: ScalarStyle,
    /// How much of `written` is read.
    read: usize,
    /// How much of `text` that made.
    made: usize,
    turns: Vec<Turn>,
}

impl Decoder<'_> {
    /// Decodes to the end; `None` if the text turns out different.
    fn run(&mut self) -> Option<()> {
        while let Some(next) = self.written[self.read..].chars().next() {
            match next {
                ' ' | '\t' | '\r' | '\n' => self.blanks()?,
                '\'' if self.style == ScalarStyle::SingleQuoted => self.turn(2, "'")?,
                '\\' if self.style == ScalarStyle::DoubleQuoted => self.escape()?,
                _ => self.step(next.len_utf8())?,
            }
        }
        (self.made == self.text.len()).then_some(())
    }

    /// Bytes that stand for themselves.
    fn step(&mut self, length: usize) -> Option<()> {
        let same = self.text.get(self.made..self.made + length) == self.written.get(self.read..self.read + length);
        self.read += length;
        self.made += length;
        same.then_some(())
    }

    /// `length` bytes of the source that stand for `becomes`.
    fn turn(&mut self, length: usize, becomes: &str) -> Option<()> {
        self.written.get(self.read..self.read + length)?;
        self.turns.push(Turn { text: self.made, file: self.read });
        self.read += length;
        let same = self.text[self.made..].starts_with(becomes);
        self.made += becomes.len();
        self.turns.push(Turn { text: self.made, file: self.read });
        same.then_some(())
    }

    /// White space: itself within a line; one line break is a blank, more are one less.
    fn blanks(&mut self) -> Option<()> {
        let (length, breaks) = blank_run(&self.written[self.read..]);
        match breaks {
            0 => self.step(length),
            1 => self.turn(length, " "),
            more => self.turn(length, &"\n".repeat(more - 1)),
        }
    }

    /// An escape of a double-quoted scalar (YAML 1.2.2, section 5.7).
    fn escape(&mut self) -> Option<()> {
        let rest = &self.written[self.read + 1..];
        let code = rest.chars().next()?;
        let digits = match code {
            '\n' | '\r' => {
                let (length, breaks) = blank_run(rest);
                return self.turn(1 + length, &"\n".repeat(breaks.saturating_sub(1)));
            }
            'x' => 2,
            'u' if surrogate::pair(self.written, self.read).is_some() => 10,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        // What the escape stands for is taken from the text: one character, whichever it is.
        let becomes = self.text.get(self.made..)?.chars().next()?;
        self.turn(1 + code.len_utf8() + digits, becomes.encode_utf8(&mut [0; 4]))
    }
}

/// The length of the white space at the start of `text`, and how many line breaks are in it.
fn blank_run(text: &str) -> (usize, usize) {
    let length = text.len() - text.trim_start_matches([' ', '\t', '\r', '\n']).len();
    let run = &text[..length];
    (length, run.replace("\r\n", "\n").matches(['\n', '\r']).count())
}

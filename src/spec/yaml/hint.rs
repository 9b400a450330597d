//! The usual cause behind a YAML mistake, and what to write instead.

use std::ops::Range;

/// What to say about a syntax error.
#[derive(Debug)]
pub(super) struct Hint {
    /// Where the cause is.
    pub(super) bytes: Range<usize>,
    /// What is wrong, one sentence without a full stop.
    pub(super) message: String,
    /// What to write instead.
    pub(super) help: String,
}

/// A syntax error as the parser met it.
pub(super) struct Mistake<'a> {
    /// The file.
    pub(super) text: &'a str,
    /// The byte at which the parser gave up.
    pub(super) at: usize,
    /// The parser's words.
    pub(super) complaint: &'a str,
    /// The byte of the innermost `{` or `[` that is open.
    pub(super) open: Option<usize>,
}

impl Mistake<'_> {
    /// The most probable cause.
    pub(super) fn hint(mut self) -> Hint {
        self.at = self.text.floor_char_boundary(self.at);
        self.unquoted_expression()
            .or_else(|| self.unquoted_list_type())
            .or_else(|| self.tab())
            .or_else(|| self.colon_in_value())
            .or_else(|| self.never_closed())
            .unwrap_or_else(|| self.by_complaint())
    }

    /// `{ id: ${args.id} }`: inside brackets, `{` is YAML's.
    fn unquoted_expression(&self) -> Option<Hint> {
        let open = self.open?;
        let before = self.text.get(open + 1..self.at)?.strip_suffix('$')?;
        if !self.text[self.at..].starts_with('{') {
            return None;
        }
        let value_start = before.rfind([',', '[', '{', '\n']).map_or(0, |at| at + 1);
        let value_start = before.rfind(": ").map_or(value_start, |at| value_start.max(at + 2));
        let start = open + 1 + value_start;
        let start = start + self.text[start..].len() - self.text[start..].trim_start().len();
        let end = self.at + end_of_braces(&self.text[self.at..self.line_end()]);
        Some(Hint {
            bytes: start..end,
            message: "inside `{ }` and `[ ]` a value that holds `${…}` needs quotes".into(),
            help: format!("write {}", quoted(&self.text[start..end])),
        })
    }

    /// `[ID!]!`: YAML reads a list and then something that it does not know.
    fn unquoted_list_type(&self) -> Option<Hint> {
        let line = self.text[self.line_start()..self.at].trim_end_matches('!');
        let start = line.strip_suffix(']')?.rfind('[')?;
        if self.open.is_none() && !self.text[self.line_start() + line.len()..].starts_with('!') {
            return None;
        }
        let rest = &self.text[self.line_start() + line.len()..];
        let end = line.len() + rest.len() - rest.trim_start_matches('!').len();
        let bytes = self.line_start() + start..self.line_start() + end;
        (end > line.len()).then(|| Hint {
            message: "a list type needs quotes".into(),
            help: format!("write {}", quoted(&self.text[bytes.clone()])),
            bytes,
        })
    }

    /// A tab in the indentation of this line or the next.
    fn tab(&self) -> Option<Hint> {
        if !self.complaint.contains("tab") {
            return None;
        }
        let lines = [self.line_start(), self.line_end() + 1];
        let tab = lines.into_iter().find_map(|start| {
            let line = self.text.get(start..)?;
            let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
            line[..indent].find('\t').map(|offset| start + offset)
        })?;
        Some(Hint { bytes: tab..tab + 1, message: "a tab cannot indent".into(), help: "indent with blanks".into() })
    }

    /// `detail: not found: ${id}`: a second `: ` would begin another mapping.
    fn colon_in_value(&self) -> Option<Hint> {
        if !self.complaint.contains("mapping values are not allowed") {
            return None;
        }
        let line = &self.text[self.line_start()..self.at];
        let Some(colon) = line.find(": ") else {
            return Some(Hint {
                bytes: self.character(),
                message: "a key cannot stand here".into(),
                help: "check the indentation, and that every key above has a blank after its `:`".into(),
            });
        };
        let start = self.line_start() + colon + 2;
        let value = self.text[start..self.line_end()].trim();
        let start = start + self.text[start..].len() - self.text[start..].trim_start().len();
        Some(Hint {
            bytes: start..start + value.len(),
            message: "a value that holds `: ` needs quotes".into(),
            help: format!("write {}", quoted(value)),
        })
    }

    /// A bracket that is open at the end of the file.
    fn never_closed(&self) -> Option<Hint> {
        let open = self.open.filter(|_| self.text[self.at..].trim().is_empty())?;
        let bracket = self.text.get(open..open + 1)?;
        Some(Hint {
            bytes: open..open + 1,
            message: format!("this `{bracket}` is never closed"),
            help: format!("close it with `{}`", if bracket == "{" { '}' } else { ']' }),
        })
    }

    /// What the parser's words mean for a composition.
    fn by_complaint(&self) -> Hint {
        const CAUSES: [(&str, &str, &str); 11] = [
            (
                "found unexpected end of stream",
                "this quote is never closed",
                "close it, or write a quote in the text twice",
            ),
            (
                "unknown escape",
                "double quotes hold an escape that YAML does not know",
                "write `\\\\` for a backslash, or use single quotes",
            ),
            ("invalid Unicode", "double quotes hold an escape that is no character", "write the character itself"),
            (
                "expected ',' or '}'",
                "a `,` or `}` is missing",
                "separate entries with `,`; quote text that holds brackets or commas",
            ),
            (
                "expected ',' or ']'",
                "a `,` or `]` is missing",
                "separate items with `,`; quote text that holds brackets or commas",
            ),
            ("illegal placement of ':'", "a bracket above is not closed", "close it before the next key"),
            ("unexpected character", "text cannot begin with this character", "put the text in quotes"),
            ("trailing content", "something follows the closing quote", "put the whole text in quotes"),
            ("unknown anchor", "aliases are not part of this language", "quote text that begins with `*`"),
            ("misplaced bracket", "this bracket closes nothing", "leave it out, or quote the text"),
            (
                "did not find expected key",
                "this line does not fit the indentation above",
                "begin it in the column of the keys that it belongs to",
            ),
        ];
        let cause = CAUSES.iter().find(|(words, ..)| self.complaint.contains(words));
        let (message, help) = cause.map_or((self.complaint, ""), |(_, message, help)| (message, help));
        Hint { bytes: self.character(), message: message.to_owned(), help: help.to_owned() }
    }

    /// The character at which the parser gave up; nothing at the end of the file.
    fn character(&self) -> Range<usize> {
        let length = self.text[self.at..].chars().next().map_or(0, char::len_utf8);
        self.at..self.at + length
    }

    fn line_start(&self) -> usize {
        self.text[..self.at].rfind('\n').map_or(0, |before| before + 1)
    }

    fn line_end(&self) -> usize {
        self.text[self.at..].find(['\n', '\r']).map_or(self.text.len(), |after| self.at + after)
    }
}

/// What is wrong with a plain scalar in which YAML took the rest of an expression for a comment.
pub(super) fn cut_by_comment(scalar: &str, rest: &str) -> Option<(&'static str, String)> {
    let expression = &scalar[scalar.rfind("${")?..];
    let line = rest.lines().next().unwrap_or("");
    if expression.contains('}') || !line.trim_start().starts_with('#') {
        return None;
    }
    let whole = format!("{scalar}{}", line.trim_end());
    Some((
        "a value that holds ` #` needs quotes: YAML takes the rest for a comment",
        format!("write {}", quoted(&whole)),
    ))
}

/// Text in the quotes that need no escape, where there are such.
fn quoted(text: &str) -> String {
    match (text.contains(['"', '\\']), text.contains('\'')) {
        (true, false) => format!("`'{text}'`"),
        (false, _) => format!("`\"{text}\"`"),
        (true, true) => format!("`\"{}\"`", text.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

/// The end of the braces that `text` begins with.
fn end_of_braces(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    text.len()
}

//! A Rust file as the rules read it: comments, texts and tests blanked out, every line where it was.

/// One file of `src/`.
#[derive(Debug)]
pub(super) struct Source {
    /// Path below `src/`, with slashes.
    pub(super) name: String,
    /// As written.
    pub(super) text: String,
    /// The same length, with spaces for comments, text literals and `#[cfg(test)]` modules.
    pub(super) code: String,
}

impl Source {
    /// Takes a file's path below `src/` and its text.
    pub(super) fn new(name: &str, text: &str) -> Self {
        let is_test = name.ends_with("/tests.rs") || name.contains("/tests/");
        let mut code = blank_texts(text);
        if is_test {
            code = blank(&code, 0, code.len());
        }
        Self { name: name.to_owned(), text: text.to_owned(), code: blank_tests(code) }
    }

    /// The module path: `spec/read.rs` is `spec, read`, `spec/mod.rs` is `spec`, `lib.rs` is nothing.
    pub(super) fn module(&self) -> Vec<&str> {
        let path = self.name.trim_end_matches(".rs");
        path.split('/').filter(|part| !["mod", "lib"].contains(part)).collect()
    }

    /// The line of a byte, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }
}

/// Where the bracket that opens at `open` closes (its byte, or the end).
pub(super) fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth <= 1 => return at,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

fn blank_tests(mut code: String) -> String {
    let mut from = 0;
    while let Some(found) = code[from..].find("#[cfg(test)]") {
        let start = from + found;
        let Some(open) = code[start..].find(['{', ';']).map(|at| start + at) else { break };
        let end = if code[open..].starts_with('{') { (closing(&code, open) + 1).min(code.len()) } else { open + 1 };
        code = blank(&code, start, end);
        from = end;
    }
    code
}

/// Blanks comments, string literals and character literals.
fn blank_texts(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = text.to_owned();
    let mut at = 0;
    while at < bytes.len() {
        let end = match &bytes[at..] {
            [b'/', b'/', ..] => line_end(bytes, at),
            [b'/', b'*', ..] => comment_end(bytes, at),
            [b'"', ..] => string_end(bytes, at),
            [b'r', b'"' | b'#', ..] if !is_word(bytes, at) => raw_end(text, at),
            [b'\'', ..] => character_end(text, at),
            _ => at,
        };
        if end > at {
            code = blank(&code, at, end);
        }
        at = end.max(at + 1);
    }
    code
}

/// The same text with spaces instead of everything but line ends in a range of bytes.
fn blank(code: &str, start: usize, end: usize) -> String {
    let keep = |byte: u8| if byte == b'\n' { '\n' } else { ' ' };
    let middle: String = code.as_bytes()[start..end].iter().map(|byte| keep(*byte)).collect();
    [&code[..start], middle.as_str(), &code[end..]].concat()
}

/// Whether the byte continues a word, so that `for"x"` is a text and `var"x"` is not raw.
fn is_word(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |offset| at + offset)
}

fn comment_end(bytes: &[u8], start: usize) -> usize {
    let (mut depth, mut at) = (0_usize, start);
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] if depth == 1 => return at + 2,
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    at
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

fn raw_end(text: &str, start: usize) -> usize {
    let hashes = text[start + 1..].bytes().take_while(|byte| *byte == b'#').count();
    let open = start + 1 + hashes;
    if text.as_bytes().get(open) != Some(&b'"') {
        return start;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    text[open + 1..].find(&close).map_or(text.len(), |found| open + 1 + found + close.len())
}

/// The end of a character literal; `start` when the quote begins a lifetime.
fn character_end(text: &str, start: usize) -> usize {
    let rest = &text[start + 1..];
    if rest.starts_with('\\') {
        return rest[2..].find('\'').map_or(start, |found| start + 1 + 2 + found + 1);
    }
    let Some(first) = rest.chars().next() else { return start };
    if rest[first.len_utf8()..].starts_with('\'') { start + 2 + first.len_utf8() } else { start }
}

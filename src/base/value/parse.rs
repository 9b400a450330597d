//! The strict JSON reader: RFC 8259, UTF-8 only, one pass, no recursion.

use bytes::Bytes;

use super::{Doc, Kind, Node};

/// Lists and objects inside one another that a document may have.
pub const DEPTH_LIMIT: usize = 128;

/// Why bytes are not a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The first byte that is wrong.
    pub offset: usize,
    /// What is wrong, in words that name no content.
    pub reason: &'static str,
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at byte {}", self.reason, self.offset)
    }
}

impl Doc {
    /// Parses JSON text and keeps its bytes. Documents of 2 GiB and more are refused.
    pub fn parse(bytes: Bytes) -> Result<Self, ParseError> {
        if bytes.len() > i32::MAX as usize {
            return Err(ParseError { offset: 0, reason: "document too large" });
        }
        if let Err(error) = std::str::from_utf8(&bytes) {
            return Err(ParseError { offset: error.valid_up_to(), reason: "invalid UTF-8" });
        }
        let mut reader = Reader {
            bytes: &bytes,
            at: 0,
            nodes: Vec::with_capacity(bytes.len() / 16 + 1),
            open: Vec::with_capacity(16),
            key: (0, 0, false),
        };
        reader.document()?;
        let nodes = reader.nodes;
        Ok(Self { bytes, nodes })
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    /// Numbers of the lists and objects that are open.
    open: Vec<u32>,
    /// Start and length of the key of the next value, and whether it is escaped.
    key: (u32, u32, bool),
}

impl Reader<'_> {
    fn document(&mut self) -> Result<(), ParseError> {
        self.value()?;
        while let Some(container) = self.open.last().copied() {
            self.after_value(container)?;
        }
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.wrong("text after the document")),
        }
    }

    /// Reads one value, or only the beginning of a list or object and its first value.
    fn value(&mut self) -> Result<(), ParseError> {
        loop {
            let byte = self.peek().ok_or_else(|| self.wrong("document ends too early"))?;
            let start = self.at;
            match byte {
                b'{' | b'[' => {
                    let object = byte == b'{';
                    self.at += 1;
                    if self.open.len() == DEPTH_LIMIT {
                        return Err(self.wrong("nested too deeply"));
                    }
                    self.open.push(self.nodes.len() as u32);
                    self.push(if object { Kind::Object } else { Kind::Array }, start);
                    let empty = self.peek() == Some(if object { b'}' } else { b']' });
                    if empty {
                        self.close();
                        return Ok(());
                    }
                    if object {
                        self.object_key()?;
                    }
                    continue;
                }
                b'"' => {
                    let escaped = self.string()?;
                    self.push(if escaped { Kind::EscapedString } else { Kind::String }, start);
                }
                b't' => self.word(b"true", Kind::True)?,
                b'f' => self.word(b"false", Kind::False)?,
                b'n' => self.word(b"null", Kind::Null)?,
                b'-' | b'0'..=b'9' => {
                    self.number()?;
                    self.push(Kind::Number, start);
                }
                _ => return Err(self.wrong("unexpected character")),
            }
            return Ok(());
        }
    }

    /// Reads what follows a value inside a list or object: the end, or a comma and the next value.
    fn after_value(&mut self, container: u32) -> Result<(), ParseError> {
        let object = self.nodes[container as usize].kind == Kind::Object;
        match self.peek() {
            Some(b'}') if object => self.close(),
            Some(b']') if !object => self.close(),
            Some(b',') => {
                self.at += 1;
                if object {
                    self.object_key()?;
                }
                self.value()?;
            }
            Some(_) => return Err(self.wrong("expected a comma or the end of the list or object")),
            None => return Err(self.wrong("document ends too early")),
        }
        Ok(())
    }

    fn object_key(&mut self) -> Result<(), ParseError> {
        if self.peek() != Some(b'"') {
            return Err(self.wrong("expected a key in quotes"));
        }
        let start = self.at + 1;
        let escaped = self.string()?;
        let key = (start as u32, (self.at - 1 - start) as u32, escaped);
        if self.peek() != Some(b':') {
            return Err(self.wrong("expected a colon"));
        }
        self.at += 1;
        self.key = key;
        Ok(())
    }

    /// Reads a string from its opening quote; says whether it has escapes.
    fn string(&mut self) -> Result<bool, ParseError> {
        self.at += 1;
        let mut escaped = false;
        loop {
            let Some(run) = plain_run(&self.bytes[self.at..]) else {
                self.at = self.bytes.len();
                return Err(self.wrong("text without a closing quote"));
            };
            self.at += run;
            match self.bytes[self.at] {
                b'"' => {
                    self.at += 1;
                    return Ok(escaped);
                }
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(self.wrong("control character in text")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), ParseError> {
        let width = match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') => {
                let digits = self.bytes.get(self.at + 2..self.at + 6);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(self.wrong("invalid escape"));
                }
                6
            }
            _ => return Err(self.wrong("invalid escape")),
        };
        self.at += width;
        Ok(())
    }

    fn number(&mut self) -> Result<(), ParseError> {
        if self.bytes[self.at] == b'-' {
            self.at += 1;
        }
        match self.bytes.get(self.at) {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(self.wrong("invalid number")),
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.bytes.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), ParseError> {
        let count = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        if count == 0 { Err(self.wrong("invalid number")) } else { Ok(()) }
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<(), ParseError> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err(self.wrong("unexpected character"));
        }
        let start = self.at;
        self.at += word.len();
        self.push(kind, start);
        Ok(())
    }

    fn push(&mut self, kind: Kind, start: usize) {
        let (key, key_len, key_escaped) = self.key;
        self.nodes.push(Node {
            start: start as u32,
            end: self.at as u32,
            next: self.nodes.len() as u32 + 1,
            key,
            key_len,
            kind,
            key_escaped,
        });
    }

    fn close(&mut self) {
        self.at += 1;
        let next = self.nodes.len() as u32;
        if let Some(at) = self.open.pop() {
            let node = &mut self.nodes[at as usize];
            node.end = self.at as u32;
            node.next = next;
        }
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                other => return Some(*other),
            }
        }
        None
    }

    fn wrong(&self, reason: &'static str) -> ParseError {
        ParseError { offset: self.at, reason }
    }
}

/// How many bytes before the first quote, backslash or control character; `None` without one.
/// Eight bytes at a time: a byte is special when subtracting reaches its high bit.
pub fn plain_run(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..at + 8) {
        let Ok(array) = <[u8; 8]>::try_from(chunk) else { break };
        let word = u64::from_le_bytes(array);
        let below_space = word.wrapping_sub(ONES * 0x20);
        let quote = (word ^ (ONES * u64::from(b'"'))).wrapping_sub(ONES);
        let slash = (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
        let special = (below_space | quote | slash) & !word & HIGH;
        if special != 0 {
            // Borrows only travel upwards, so the lowest marked byte is exact.
            return Some(at + special.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let rest = &bytes[at..];
    rest.iter().position(|byte| matches!(byte, 0..=0x1f | b'"' | b'\\')).map(|found| at + found)
}

/// The text that an escaped JSON string stands for. A lone surrogate reads as U+FFFD.
pub(super) fn unescape(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let kind = rest.as_bytes().get(at + 1).copied().unwrap_or(b'\\');
        rest = rest.get(at + 2..).unwrap_or("");
        match kind {
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'u' => rest = unescape_unicode(rest, &mut out),
            other => out.push(other as char),
        }
    }
    out.push_str(rest);
    out
}

/// Reads the four digits after `\u`, and a second half if the first needs one; returns the rest.
fn unescape_unicode<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let unit = |text: &str| text.get(..4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let Some(first) = unit(rest) else { return rest };
    let rest = &rest[4..];
    if (0xd800..0xdc00).contains(&first)
        && let Some(second) = rest.strip_prefix("\\u").and_then(unit)
        && (0xdc00..0xe000).contains(&second)
    {
        let scalar = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        out.push(char::from_u32(scalar).unwrap_or('\u{fffd}'));
        return &rest[6..];
    }
    out.push(char::from_u32(first).unwrap_or('\u{fffd}'));
    rest
}

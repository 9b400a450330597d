//! The strict JSON reader: RFC 8259, UTF-8 only, one pass, no recursion.

use bytes::Bytes;
use wide::u8x16;

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
        let nodes = read(&bytes)?;
        Ok(Self { bytes, nodes, is_reply: false })
    }
}

/// Reads the whole document in one loop. The place in the text is handed from function to function
/// and not kept in a struct, so that it stays in a register.
fn read(bytes: &[u8]) -> Result<Vec<Node>, ParseError> {
    let mut nodes = Vec::with_capacity(bytes.len() / 16 + 1);
    let mut open = Open { nodes: [0; DEPTH_LIMIT], depth: 0, objects: 0 };
    let mut key = Key { start: 0, len: 0, escaped: false };
    let mut at = 0;
    loop {
        if open.in_object() {
            (key, at) = read_key(bytes, at)?;
        }
        at = skip_space(bytes, at);
        let start = at;
        // The two differ in one bit.
        if let Some(byte) = bytes.get(at).filter(|byte| **byte | 0x20 == b'{') {
            let object = *byte == b'{';
            at += 1;
            open.push(nodes.len(), object).ok_or_else(|| wrong(at, "nested too deeply"))?;
            nodes.push(node(key, if object { Kind::Object } else { Kind::Array }, start..at, nodes.len()));
            at = skip_space(bytes, at);
            let empty = bytes.get(at) == Some(if object { &b'}' } else { &b']' });
            if !empty {
                continue;
            }
        } else {
            let (kind, end) = read_scalar(bytes, at)?;
            nodes.push(node(key, kind, start..end, nodes.len()));
            at = end;
        }
        match after_value(bytes, at, &mut open, &mut nodes)? {
            Some(next) => at = next,
            None => return Ok(nodes),
        }
    }
}

/// The lists and objects that are open.
struct Open {
    /// The numbers of their nodes, outermost first.
    nodes: [u32; DEPTH_LIMIT],
    depth: usize,
    /// One bit for each, innermost lowest: whether it is an object. As many bits as `nodes` has places.
    objects: u128,
}

impl Open {
    #[inline(always)]
    fn in_object(&self) -> bool {
        self.objects & 1 != 0
    }

    /// `None` when the limit of depth is reached.
    #[inline(always)]
    fn push(&mut self, node: usize, object: bool) -> Option<()> {
        *self.nodes.get_mut(self.depth)? = node as u32;
        self.depth += 1;
        self.objects = self.objects << 1 | u128::from(object);
        Some(())
    }

    /// The node of the innermost one.
    #[inline(always)]
    fn pop(&mut self) -> Option<u32> {
        self.depth = self.depth.checked_sub(1)?;
        self.objects >>= 1;
        self.nodes.get(self.depth).copied()
    }
}

/// Where the key of a value stands.
#[derive(Clone, Copy)]
struct Key {
    start: u32,
    len: u32,
    escaped: bool,
}

#[inline(always)]
fn node(key: Key, kind: Kind, place: std::ops::Range<usize>, number: usize) -> Node {
    Node {
        start: place.start as u32,
        end: place.end as u32,
        next: number as u32 + 1,
        key: key.start,
        key_len: key.len,
        kind,
        key_escaped: key.escaped,
    }
}

/// Reads what follows a value: the ends of lists and objects, then a comma, behind which the next
/// value begins, or the end of the document, which is `None`.
#[inline(always)]
fn after_value(bytes: &[u8], mut at: usize, open: &mut Open, nodes: &mut [Node]) -> Result<Option<usize>, ParseError> {
    loop {
        at = skip_space(bytes, at);
        if open.depth == 0 {
            return if at == bytes.len() { Ok(None) } else { Err(wrong(at, "text after the document")) };
        }
        match bytes.get(at) {
            Some(b',') => return Ok(Some(at + 1)),
            Some(byte @ (b'}' | b']')) if (*byte == b'}') == open.in_object() => {
                at += 1;
                let next = nodes.len() as u32;
                if let Some(node) = open.pop().and_then(|node| nodes.get_mut(node as usize)) {
                    (node.end, node.next) = (at as u32, next);
                }
            }
            Some(_) => return Err(wrong(at, "expected a comma or the end of the list or object")),
            None => return Err(wrong(at, "document ends too early")),
        }
    }
}

/// Reads a key and its colon.
#[inline(always)]
fn read_key(bytes: &[u8], at: usize) -> Result<(Key, usize), ParseError> {
    let at = skip_space(bytes, at);
    if bytes.get(at) != Some(&b'"') {
        return Err(wrong(at, "expected a key in quotes"));
    }
    let start = at + 1;
    let (end, escaped) = read_string(bytes, start)?;
    let key = Key { start: start as u32, len: (end - 1 - start) as u32, escaped };
    let colon = skip_space(bytes, end);
    if bytes.get(colon) != Some(&b':') {
        return Err(wrong(colon, "expected a colon"));
    }
    Ok((key, colon + 1))
}

#[inline(always)]
fn read_scalar(bytes: &[u8], at: usize) -> Result<(Kind, usize), ParseError> {
    match bytes.get(at) {
        Some(b'"') => {
            let (end, escaped) = read_string(bytes, at + 1)?;
            Ok((if escaped { Kind::EscapedString } else { Kind::String }, end))
        }
        Some(b'-' | b'0'..=b'9') => Ok((Kind::Number, read_number(bytes, at)?)),
        Some(b't') if bytes[at..].starts_with(b"true") => Ok((Kind::True, at + 4)),
        Some(b'f') if bytes[at..].starts_with(b"false") => Ok((Kind::False, at + 5)),
        Some(b'n') if bytes[at..].starts_with(b"null") => Ok((Kind::Null, at + 4)),
        Some(_) => Err(wrong(at, "unexpected character")),
        None => Err(wrong(at, "document ends too early")),
    }
}

/// From behind the opening quote to behind the closing one; says whether there are escapes.
#[inline(always)]
fn read_string(bytes: &[u8], mut at: usize) -> Result<(usize, bool), ParseError> {
    let mut escaped = false;
    loop {
        let Some(run) = bytes.get(at..).and_then(plain_run) else {
            return Err(wrong(bytes.len(), "text without a closing quote"));
        };
        at += run;
        match bytes[at] {
            b'"' => return Ok((at + 1, escaped)),
            b'\\' => {
                escaped = true;
                at = read_escape(bytes, at)?;
            }
            _ => return Err(wrong(at, "control character in text")),
        }
    }
}

#[cold]
fn read_escape(bytes: &[u8], at: usize) -> Result<usize, ParseError> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => {
            let digits = bytes.get(at + 2..at + 6);
            if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                return Err(wrong(at, "invalid escape"));
            }
            Ok(at + 6)
        }
        _ => Err(wrong(at, "invalid escape")),
    }
}

#[inline(always)]
fn read_number(bytes: &[u8], mut at: usize) -> Result<usize, ParseError> {
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    match bytes.get(at) {
        Some(b'0') => at += 1,
        Some(b'1'..=b'9') => at = read_digits(bytes, at)?,
        _ => return Err(wrong(at, "invalid number")),
    }
    if bytes.get(at) == Some(&b'.') {
        at = read_digits(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = read_digits(bytes, at)?;
    }
    Ok(at)
}

#[inline(always)]
fn read_digits(bytes: &[u8], mut at: usize) -> Result<usize, ParseError> {
    let start = at;
    while let Some(b'0'..=b'9') = bytes.get(at) {
        at += 1;
    }
    if at == start { Err(wrong(at, "invalid number")) } else { Ok(at) }
}

/// The place of the next byte that is no white space. Most texts have none between their parts.
#[inline(always)]
fn skip_space(bytes: &[u8], at: usize) -> usize {
    if bytes.get(at).is_some_and(|byte| *byte > b' ') { at } else { skip_spaces(bytes, at) }
}

#[cold]
#[inline(never)]
fn skip_spaces(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

fn wrong(offset: usize, reason: &'static str) -> ParseError {
    ParseError { offset, reason }
}

/// How many bytes before the first quote, backslash or control character; `None` without one.
#[inline]
pub fn plain_run(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        let special = special(chunk);
        if special != 0 {
            return Some(at + special.trailing_zeros() as usize);
        }
        at += chunk.len();
    }
    let rest = &bytes[at..];
    rest.iter().position(|byte| matches!(byte, 0..=0x1f | b'"' | b'\\')).map(|found| at + found)
}

/// A bit for each byte that is a quote, a backslash or a control character, the first one lowest.
#[inline(always)]
fn special(chunk: &[u8; 16]) -> u32 {
    let bytes = u8x16::from(*chunk);
    let is_control = bytes.min(u8x16::splat(0x1f)).simd_eq(bytes);
    (is_control | bytes.simd_eq(u8x16::splat(b'"')) | bytes.simd_eq(u8x16::splat(b'\\'))).to_bitmask()
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

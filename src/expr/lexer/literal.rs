//! Text and bytes literals: prefixes, quotes, escapes. Source: cel-spec, "STRING_LIT", "BYTES_LIT".

use super::Kind;
use crate::expr::mistake::Mistake;

/// A literal as far as it was read.
pub(super) struct Read {
    /// One past its last byte.
    pub(super) end: usize,
    /// What it holds.
    pub(super) value: Result<Kind, Mistake>,
}

/// How a literal begins.
struct Opening {
    /// Bytes of prefix and quotes.
    len: usize,
    raw: bool,
    bytes: bool,
    quote: &'static str,
}

/// Whether a literal begins here.
pub(super) fn begins(rest: &str) -> bool {
    opening(rest).is_some()
}

/// Reads the literal that begins at `start`. An unclosed one ends at its line's end.
pub(super) fn read(source: &str, start: usize) -> Read {
    let rest = &source[start..];
    let Some(opening) = opening(rest) else {
        return Read { end: start + 1, value: Err(Mistake::new(start..start + 1, "no literal begins here")) };
    };
    let long = opening.quote.len() == 3;
    let mut at = opening.len;
    while let Some(byte) = rest.as_bytes().get(at) {
        if rest[at..].starts_with(opening.quote) {
            let end = start + at + opening.quote.len();
            let inner = &rest[opening.len..at];
            return Read { end, value: decode(inner, &opening, start + opening.len) };
        }
        if *byte == b'\n' && !long {
            break;
        }
        let escaped = usize::from(*byte == b'\\' && !opening.raw);
        at += rest[at + escaped..].chars().next().map_or(0, char::len_utf8) + escaped;
    }
    let end = (start + at).min(source.len());
    let help = format!("close it with {}", opening.quote);
    Read { end, value: Err(Mistake::new(start..end, "this text is not closed").help(help)) }
}

fn opening(rest: &str) -> Option<Opening> {
    let prefix = rest.bytes().take(3).take_while(|b| matches!(b, b'r' | b'R' | b'b' | b'B')).count();
    let letters = rest[..prefix].to_ascii_lowercase();
    if !matches!(letters.as_str(), "" | "r" | "b" | "rb" | "br") {
        return None;
    }
    let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| rest[prefix..].starts_with(quote))?;
    Some(Opening { len: prefix + quote.len(), raw: letters.contains('r'), bytes: letters.contains('b'), quote })
}

fn decode(inner: &str, opening: &Opening, start: usize) -> Result<Kind, Mistake> {
    let mut out = Vec::with_capacity(inner.len());
    let mut at = 0;
    while let Some(byte) = inner.as_bytes().get(at) {
        if *byte != b'\\' || opening.raw {
            out.push(*byte);
            at += 1;
            continue;
        }
        let escape = escape(&inner[at + 1..], opening.bytes);
        let Some((len, code)) = escape else {
            let end = (at + 2..=inner.len()).find(|end| inner.is_char_boundary(*end)).unwrap_or(inner.len());
            let help =
                r"escapes are \n \t \r \\ \' \x41 \u00e9 \101; before the quote write r for text without escapes";
            return Err(Mistake::new(start + at..start + end, "CEL knows no such escape").help(help));
        };
        match (opening.bytes, char::from_u32(code)) {
            (true, _) => out.push(code as u8),
            (false, Some(character)) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            (false, None) => {
                return Err(Mistake::new(start + at..start + at + 1 + len, "this escape is no Unicode character"));
            }
        }
        at += 1 + len;
    }
    if opening.bytes {
        return Ok(Kind::Bytes(out));
    }
    match String::from_utf8(out) {
        Ok(text) => Ok(Kind::Text(text)),
        Err(_) => Err(Mistake::new(start..start + inner.len(), "this text is not valid UTF-8")),
    }
}

/// The bytes that an escape takes after its backslash, and its code.
fn escape(rest: &str, bytes: bool) -> Option<(usize, u32)> {
    let first = *rest.as_bytes().first()?;
    let simple = match first {
        b'a' => 7,
        b'b' => 8,
        b't' => 9,
        b'n' => 10,
        b'v' => 11,
        b'f' => 12,
        b'r' => 13,
        b'\\' | b'?' | b'"' | b'\'' | b'`' => u32::from(first),
        b'x' | b'X' => return digits(rest, 1..3, 16),
        b'u' if !bytes => return digits(rest, 1..5, 16),
        b'U' if !bytes => return digits(rest, 1..9, 16),
        b'0'..=b'3' => return digits(rest, 0..3, 8),
        _ => return None,
    };
    Some((1, simple))
}

fn digits(rest: &str, range: std::ops::Range<usize>, radix: u32) -> Option<(usize, u32)> {
    let end = range.end;
    let digits = rest.get(range)?;
    let valid = digits.bytes().all(|b| (b as char).is_digit(radix));
    valid.then(|| u32::from_str_radix(digits, radix).ok().map(|code| (end, code))).flatten()
}

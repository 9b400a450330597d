//! JSON text read from front to back, strictly (RFC 8259), without a tree.

mod number;
mod place;

pub(super) use number::{Whole, is_number, whole};
pub(super) use place::place;

use std::borrow::Cow;

use super::DEPTH_LIMIT;
use super::error::JsonError;
use crate::base::path::Path;
use crate::base::value::plain_run;

pub(super) type Result<T> = std::result::Result<T, Box<JsonError>>;

/// Reads JSON text token by token. A copy is a place to come back to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'j> {
    text: &'j str,
    at: usize,
}

impl<'j> Reader<'j> {
    pub(super) fn new(json: &'j [u8]) -> Result<Self> {
        match std::str::from_utf8(json) {
            Ok(text) => Ok(Self { text, at: 0 }),
            Err(error) => {
                let offset = error.valid_up_to();
                Err(Box::new(JsonError { offset, path: Path::default(), reason: "invalid UTF-8".to_owned() }))
            }
        }
    }

    /// The next byte that is no white space, which is where the reader then stands.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.rest().first() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    /// Goes past a `{` or `[`; says whether anything stands before its `close`.
    #[inline]
    pub(super) fn open(&mut self, open: u8, close: u8) -> Result<bool> {
        if self.peek() != Some(open) {
            return Err(self.wrong(if open == b'{' { "expected an object" } else { "expected a list" }));
        }
        self.at += 1;
        let empty = self.peek() == Some(close);
        self.at += usize::from(empty);
        Ok(!empty)
    }

    /// Goes past what follows a member or element: a comma, or `close`; says whether another follows.
    #[inline]
    pub(super) fn another(&mut self, close: u8) -> Result<bool> {
        let more = match self.peek() {
            Some(b',') => true,
            Some(byte) if byte == close => false,
            _ => return Err(self.wrong("expected a comma or the end of the object or list")),
        };
        self.at += 1;
        self.peek();
        Ok(more)
    }

    /// Goes past `token` if it comes next, byte for byte.
    #[inline]
    pub(super) fn take(&mut self, token: &[u8]) -> bool {
        let taken = self.rest().starts_with(token);
        self.at += if taken { token.len() } else { 0 };
        taken
    }

    /// A key and its colon.
    pub(super) fn key(&mut self) -> Result<Cow<'j, str>> {
        if self.peek() != Some(b'"') {
            return Err(self.wrong("expected a key in quotes"));
        }
        let key = self.string()?;
        if self.peek() != Some(b':') {
            return Err(self.wrong("expected a colon"));
        }
        self.at += 1;
        Ok(key)
    }

    /// A string, unescaped.
    pub(super) fn string(&mut self) -> Result<Cow<'j, str>> {
        if self.peek() != Some(b'"') {
            return Err(self.wrong("expected a string"));
        }
        let start = self.at + 1;
        let Some(run) = plain_run(&self.text.as_bytes()[start..]) else {
            return Err(self.wrong("text without a closing quote"));
        };
        if self.text.as_bytes()[start + run] == b'"' {
            self.at = start + run + 1;
            return Ok(Cow::Borrowed(&self.text[start..start + run]));
        }
        self.at = start;
        self.escaped_string().map(Cow::Owned)
    }

    /// A number, as it is written.
    pub(super) fn number(&mut self) -> Result<&'j str> {
        self.peek();
        let length = number::length(self.rest());
        if length == 0 {
            return Err(self.wrong("expected a number"));
        }
        let start = self.at;
        self.at += length;
        Ok(&self.text[start..self.at])
    }

    pub(super) fn null(&mut self) -> Result<()> {
        self.word(b"null")
    }

    pub(super) fn bool(&mut self) -> Result<bool> {
        match self.peek() {
            Some(b't') => self.word(b"true").map(|()| true),
            Some(b'f') => self.word(b"false").map(|()| false),
            _ => Err(self.wrong("expected true or false")),
        }
    }

    /// Passes over any value.
    pub(super) fn skip(&mut self) -> Result<()> {
        self.skip_at(0)
    }

    /// Makes sure that nothing follows.
    pub(super) fn end(&mut self) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.wrong("text after the message")),
        }
    }

    /// An error at the place where the reader stands.
    #[cold]
    pub(super) fn wrong(&self, reason: impl Into<String>) -> Box<JsonError> {
        self.wrong_at(self.at, reason)
    }

    /// An error at an earlier place.
    #[cold]
    pub(super) fn wrong_at(&self, offset: usize, reason: impl Into<String>) -> Box<JsonError> {
        Box::new(JsonError { offset, path: Path::default(), reason: reason.into() })
    }

    /// The byte at which the reader stands.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    fn rest(&self) -> &'j [u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn word(&mut self, word: &[u8]) -> Result<()> {
        self.peek();
        if self.take(word) { Ok(()) } else { Err(self.wrong("unexpected character")) }
    }

    /// The rest of a string that is known to hold an escape or a mistake, from after its quote.
    fn escaped_string(&mut self) -> Result<String> {
        let mut out = String::new();
        loop {
            let Some(run) = plain_run(self.rest()) else {
                self.at = self.text.len();
                return Err(self.wrong("text without a closing quote"));
            };
            out.push_str(&self.text[self.at..self.at + run]);
            self.at += run;
            match self.rest()[0] {
                b'"' => {
                    self.at += 1;
                    return Ok(out);
                }
                b'\\' => out.push(self.escape()?),
                _ => return Err(self.wrong("control character in text")),
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        let start = self.at;
        self.at += 2;
        Ok(match self.text.as_bytes().get(start + 1) {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'u') => {
                let first = self.utf16_unit()?;
                let pair_follows = (0xd800..0xdc00).contains(&first) && self.take(b"\\u");
                let second = if pair_follows { Some(self.utf16_unit()?) } else { None };
                let mut decoded = char::decode_utf16([first].into_iter().chain(second));
                match decoded.next() {
                    Some(Ok(scalar)) => scalar,
                    _ => return Err(self.wrong_at(start, "half of a surrogate pair")),
                }
            }
            _ => return Err(self.wrong_at(start, "invalid escape")),
        })
    }

    /// The four digits after `\u`.
    fn utf16_unit(&mut self) -> Result<u16> {
        let digits = self.rest().first_chunk::<4>().filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let unit = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let unit = unit.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or_else(|| self.wrong("invalid escape"))?;
        self.at += 4;
        Ok(unit)
    }

    fn skip_at(&mut self, depth: usize) -> Result<()> {
        // A message's list or map of messages is two levels of JSON for one of messages.
        if depth > 2 * DEPTH_LIMIT {
            return Err(self.wrong("nested too deeply"));
        }
        match self.peek() {
            Some(b'{') => {
                let mut more = self.open(b'{', b'}')?;
                while more {
                    self.key()?;
                    self.skip_at(depth + 1)?;
                    more = self.another(b'}')?;
                }
                Ok(())
            }
            Some(b'[') => {
                let mut more = self.open(b'[', b']')?;
                while more {
                    self.skip_at(depth + 1)?;
                    more = self.another(b']')?;
                }
                Ok(())
            }
            Some(b'"') => self.string().map(drop),
            Some(b't' | b'f') => self.bool().map(drop),
            Some(b'n') => self.null(),
            _ => self.number().map(drop),
        }
    }
}

#[cfg(test)]
mod tests;

//! Tokens of CEL. Source: cel-spec `doc/langdef.md`, "Syntax".

use std::ops::Range;

use super::mistake::Mistake;

mod literal;

/// A token and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) bytes: Range<usize>,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A name or a word.
    Name,
    /// A name in backticks.
    QuotedName,
    /// An integer without sign; also one past the largest int, which `-` makes the smallest.
    Int(u64),
    /// An integer with `u`.
    Uint(u64),
    /// A number with a fraction or exponent.
    Double(f64),
    /// Text, its escapes resolved.
    Text(String),
    /// Bytes, their escapes resolved.
    Bytes(Vec<u8>),
    /// An operator or a bracket.
    Sign(&'static str),
    /// Something that is no token. A mistake was reported.
    Unknown,
    /// The end of the source.
    End,
}

/// Words that cannot be names. Source: cel-spec, "RESERVED".
const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "null",
    "package",
    "namespace",
    "return",
    "true",
    "var",
    "void",
    "while",
];

/// Words that cannot even be members. Source: cel-spec, "SELECTOR".
const KEYWORDS: &[&str] = &["false", "in", "null", "true"];

/// Longest first, so that `<=` is not read as `<`. Those after the brackets are no CEL; they are
/// known so that the parser can say what to write instead.
const SIGNS: &[&str] = &[
    "===", "!==", "==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(",
    ")", "[", "]", "{", "}", "??", "=>", "=", "|", "&", "^", "~", "$", ";", "@", "#",
];

/// Whether `word` is a word of CEL that can name nothing.
pub fn is_word(word: &str) -> bool {
    RESERVED.contains(&word) || super::library::is_namespace(word)
}

/// Whether `word` is reserved by the grammar.
pub(super) fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&word)
}

/// Whether `word` cannot stand after a point.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.contains(&word)
}

/// Reads tokens from a source, one after the other.
pub(super) struct Lexer<'s> {
    source: &'s str,
    at: usize,
    mistakes: Vec<Mistake>,
}

impl<'s> Lexer<'s> {
    /// A lexer that begins at byte `at` of the source.
    pub(super) fn new(source: &'s str, at: usize) -> Self {
        Self { source, at, mistakes: Vec::new() }
    }

    /// The mistakes found so far.
    pub(super) fn into_mistakes(self) -> Vec<Mistake> {
        self.mistakes
    }

    /// The next token; [`Kind::End`] at the end and ever after.
    pub(super) fn next(&mut self) -> Token {
        self.skip_blanks();
        let start = self.at;
        let kind = match self.peek(0) {
            None => Kind::End,
            Some(b'`') => self.quoted_name(),
            Some(byte) if byte.is_ascii_digit() => self.number(),
            Some(b'.') if self.peek(1).is_some_and(|b| b.is_ascii_digit()) => self.number(),
            Some(_) if literal::begins(self.rest()) => self.literal(),
            Some(byte) if byte == b'_' || byte.is_ascii_alphabetic() => {
                self.skip_while(|b| b == b'_' || b.is_ascii_alphanumeric());
                Kind::Name
            }
            Some(_) => self.sign(),
        };
        Token { kind, bytes: start..self.at }
    }

    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or("")
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.source.as_bytes().get(self.at + ahead).copied()
    }

    fn skip_while(&mut self, accept: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&accept) {
            self.at += 1;
        }
    }

    fn skip_blanks(&mut self) {
        loop {
            self.skip_while(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 12));
            if !self.rest().starts_with("//") {
                return;
            }
            self.skip_while(|b| b != b'\n');
        }
    }

    fn wrong(&mut self, bytes: Range<usize>, message: impl Into<String>) -> Kind {
        self.mistakes.push(Mistake::new(bytes, message));
        Kind::Unknown
    }

    fn sign(&mut self) -> Kind {
        let found = SIGNS.iter().filter(|sign| self.rest().starts_with(**sign)).max_by_key(|sign| sign.len());
        if let Some(sign) = found {
            self.at += sign.len();
            return Kind::Sign(sign);
        }
        let start = self.at;
        let character = self.rest().chars().next().unwrap_or(' ');
        self.at += character.len_utf8();
        self.wrong(start..self.at, format!("`{}` is no part of CEL", character.escape_debug()))
    }

    /// A name in backticks. Source: cel-spec, "ESC_IDENT".
    fn quoted_name(&mut self) -> Kind {
        let start = self.at;
        self.at += 1;
        self.skip_while(|b| b != b'`' && b != b'\n');
        if self.peek(0) != Some(b'`') {
            return self.wrong(start..self.at, "a name in backticks is not closed");
        }
        self.at += 1;
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'/' | b' ');
        let inner = &self.source.as_bytes()[start + 1..self.at - 1];
        if inner.is_empty() || !inner.iter().all(|b| allowed(*b)) {
            return self.wrong(start..self.at, "a name in backticks may hold letters, digits, `_ . - /` and blanks");
        }
        Kind::QuotedName
    }

    fn number(&mut self) -> Kind {
        let start = self.at;
        if self.rest().starts_with("0x") || self.rest().starts_with("0X") {
            self.at += 2;
            self.skip_while(|b| b.is_ascii_hexdigit());
            return self.integer(start, start + 2, 16);
        }
        self.skip_while(|b| b.is_ascii_digit());
        let mut whole = true;
        if self.peek(0) == Some(b'.') && self.peek(1).is_some_and(|b| b.is_ascii_digit()) {
            whole = false;
            self.at += 1;
            self.skip_while(|b| b.is_ascii_digit());
        }
        let exponent = usize::from(matches!(self.peek(1), Some(b'+' | b'-'))) + 1;
        if matches!(self.peek(0), Some(b'e' | b'E')) && self.peek(exponent).is_some_and(|b| b.is_ascii_digit()) {
            whole = false;
            self.at += exponent;
            self.skip_while(|b| b.is_ascii_digit());
        }
        if whole {
            return self.integer(start, start, 10);
        }
        self.no_letters_after(start);
        match self.source[start..self.at].parse::<f64>() {
            Ok(value) if value.is_finite() => Kind::Double(value),
            _ => self.wrong(start..self.at, "this number is too large for a double"),
        }
    }

    fn integer(&mut self, start: usize, digits: usize, radix: u32) -> Kind {
        let value = u64::from_str_radix(&self.source[digits..self.at], radix);
        let unsigned = matches!(self.peek(0), Some(b'u' | b'U'));
        self.at += usize::from(unsigned);
        self.no_letters_after(start);
        match value {
            Ok(value) if unsigned => Kind::Uint(value),
            Ok(value) if value <= i64::MIN.unsigned_abs() => Kind::Int(value),
            _ if self.at == digits => self.wrong(start..self.at, "this number has no digits"),
            _ => self.wrong(start..self.at, "this number does not fit 64 bits"),
        }
    }

    fn no_letters_after(&mut self, start: usize) {
        if self.peek(0).is_some_and(|b| b == b'_' || b.is_ascii_alphanumeric()) {
            self.skip_while(|b| b == b'_' || b.is_ascii_alphanumeric());
            let _ = self.wrong(start..self.at, "letters directly after a number");
        }
    }

    fn literal(&mut self) -> Kind {
        let start = self.at;
        let read = literal::read(self.source, start);
        self.at = read.end;
        match read.value {
            Ok(kind) => kind,
            Err(mistake) => {
                self.mistakes.push(mistake);
                Kind::Unknown
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Lexer};

    fn kinds(source: &str) -> Vec<Kind> {
        let mut lexer = Lexer::new(source, 0);
        let mut kinds = Vec::new();
        loop {
            match lexer.next().kind {
                Kind::End => break,
                kind => kinds.push(kind),
            }
        }
        assert!(lexer.mistakes.is_empty(), "{source}: {:?}", lexer.mistakes);
        kinds
    }

    #[test]
    fn numbers_are_read_as_cel_says() {
        assert_eq!(
            kinds("0x1F 7u .5 1e3 1.5E-2"),
            [Kind::Int(31), Kind::Uint(7), Kind::Double(0.5), Kind::Double(1000.0), Kind::Double(0.015)]
        );
        assert_eq!(kinds("9223372036854775808"), [Kind::Int(1 << 63)]);
    }

    #[test]
    fn literals_resolve_their_escapes() {
        assert_eq!(kinds(r#" "a\n\x41\u00e9\101" "#), [Kind::Text("a\nAéA".into())]);
        assert_eq!(kinds(r"r'a\n'"), [Kind::Text(r"a\n".into())]);
        assert_eq!(kinds(r"b'\xffé'"), [Kind::Bytes(vec![0xff, 0xc3, 0xa9])]);
        assert_eq!(kinds("'''a'\n'b'''"), [Kind::Text("a'\n'b".into())]);
    }

    #[test]
    fn comments_and_blanks_are_passed_over() {
        assert_eq!(kinds("a // b ` '\n + c"), [Kind::Name, Kind::Sign("+"), Kind::Name]);
    }

    #[test]
    fn what_is_no_token_is_reported_and_passed_over() {
        let mut lexer = Lexer::new("1z 'a\n `\n 0x é", 0);
        while lexer.next().kind != Kind::End {}
        assert_eq!(lexer.into_mistakes().len(), 5);
    }
}

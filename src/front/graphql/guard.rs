//! A look at the raw text before any parser sees it: one pass, no recursion, no memory that grows.
//!
//! Parsers recurse and allocate for each token, so what is too large or too deep stops here.

use super::errors::{Location, RequestError};
use crate::base::failure::Cause;

/// How much one document may ask. Every limit is the largest number that is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Fields inside one another, fragments counted where they are spread. Introspection has a
    /// limit of its own.
    pub depth: usize,
    /// Aliases written in the document.
    pub aliases: usize,
    /// Tokens of the document: names, numbers, strings and punctuation.
    pub tokens: usize,
    /// Bytes of the document.
    pub bytes: usize,
    /// Fields and fragments of the operation after fragments are put in their places.
    pub fields: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 15, aliases: 30, tokens: 2_000, bytes: 100_000, fields: 10_000 }
    }
}

/// Brackets inside one another, of all kinds: lists and objects of arguments count too.
pub const NESTING_LIMIT: usize = 200;

/// Checks the raw text of a document.
///
/// # Errors
/// It goes over a limit, or holds characters or unfinished strings that GraphQL does not have.
pub fn scan(text: &str, limits: &Limits) -> Result<(), RequestError> {
    if text.len() > limits.bytes {
        let message = format!("The document has {} bytes; {} are allowed.", text.len(), limits.bytes);
        return Err(RequestError::new(Cause::GraphqlLimit, message));
    }
    let mut scan = Scan { text, at: 0, open: Vec::with_capacity(16), tokens: 0, aliases: 0, after_name: false };
    while scan.skip_ignored() {
        scan.token(limits)?;
    }
    Ok(())
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// The opening brackets that are not closed yet.
    open: Vec<u8>,
    tokens: usize,
    aliases: usize,
    /// Whether the token before was a name.
    after_name: bool,
}

impl Scan<'_> {
    /// Skips white space, commas, byte order marks and comments; says whether anything is left.
    fn skip_ignored(&mut self) -> bool {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r' | b',') => self.at += 1,
                Some(0xef) if self.text[self.at..].starts_with('\u{feff}') => self.at += '\u{feff}'.len_utf8(),
                Some(b'#') => {
                    let comment = &bytes[self.at..];
                    self.at += memchr::memchr2(b'\n', b'\r', comment).unwrap_or(comment.len());
                }
                Some(_) => return true,
                None => return false,
            }
        }
    }

    fn token(&mut self, limits: &Limits) -> Result<(), RequestError> {
        self.tokens += 1;
        if self.tokens > limits.tokens {
            return Err(self.over(format!("The document has more than {} tokens.", limits.tokens)));
        }
        let bytes = self.text.as_bytes();
        let byte = bytes[self.at];
        let after_name = std::mem::replace(&mut self.after_name, false);
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => {
                self.after_name = true;
                self.skip_while(|b| b.is_ascii_alphanumeric() || b == b'_');
            }
            b'0'..=b'9' | b'-' => self.skip_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'-')),
            b'"' => self.string()?,
            b'{' | b'(' | b'[' => {
                if self.open.len() == NESTING_LIMIT {
                    return Err(self.over(format!("The document is nested more than {NESTING_LIMIT} deep.")));
                }
                self.open.push(byte);
                self.at += 1;
            }
            b'}' | b')' | b']' => {
                self.open.pop();
                self.at += 1;
            }
            b':' => {
                // Inside arguments a colon follows the name of an argument or of an object's field.
                if after_name && self.open.last() == Some(&b'{') && !self.open.contains(&b'(') {
                    self.aliases += 1;
                    if self.aliases > limits.aliases {
                        return Err(self.over(format!("The document has more than {} aliases.", limits.aliases)));
                    }
                }
                self.at += 1;
            }
            b'.' => self.skip_while(|b| b == b'.'),
            b'!' | b'$' | b'&' | b'=' | b'@' | b'|' => self.at += 1,
            _ => return Err(self.wrong("a character that GraphQL does not have outside strings")),
        }
        Ok(())
    }

    fn skip_while(&mut self, belongs: impl Fn(u8) -> bool) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| belongs(**byte)).count();
    }

    /// Skips a string or block string from its opening quote.
    fn string(&mut self) -> Result<(), RequestError> {
        let rest = &self.text[self.at..];
        let length = if rest.starts_with("\"\"\"") { block_string(rest) } else { plain_string(rest) };
        let Some(length) = length else { return Err(self.wrong("a string that does not end")) };
        self.at += length;
        Ok(())
    }

    fn over(&self, message: String) -> RequestError {
        RequestError::at(Cause::GraphqlLimit, self.location(), message)
    }

    fn wrong(&self, what: &str) -> RequestError {
        RequestError::at(Cause::GraphqlParse, self.location(), format!("The document does not parse: {what}."))
    }

    fn location(&self) -> Location {
        let before = &self.text[..self.at];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before[line_start..].chars().count() + 1;
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        async_graphql_parser::Pos { line, column }.into()
    }
}

/// The bytes of a block string with its quotes; `None` when it does not end.
fn block_string(text: &str) -> Option<usize> {
    let mut at = 3;
    loop {
        let end = at + text.get(at..)?.find("\"\"\"")?;
        if !text[at..end].ends_with('\\') {
            return Some(end + 3);
        }
        // The quotes are escaped and stand for themselves.
        at = end + 3;
    }
}

/// The bytes of a string with its quotes; `None` when it or its line ends before.
fn plain_string(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            b'\n' | b'\r' => return None,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, scan};
    use crate::base::failure::Cause;

    fn cause(text: &str) -> Option<Cause> {
        scan(text, &Limits::default()).err().map(|error| error.cause)
    }

    #[test]
    fn ten_thousand_levels_are_refused_without_recursion() {
        for bracket in ["{a", "[", "(", "{a(b:{c:["] {
            assert_eq!(cause(&bracket.repeat(900)), Some(Cause::GraphqlLimit), "{bracket}");
        }
        let limits = Limits { tokens: usize::MAX, bytes: usize::MAX, ..Limits::default() };
        let deep = "{a".repeat(10_000) + &"}".repeat(10_000);
        let error = scan(&deep, &limits).expect_err("too deep");
        assert_eq!(error.problems[0].message, "The document is nested more than 200 deep.");
        assert_eq!((error.problems[0].locations[0].line, error.problems[0].locations[0].column), (1, 401));
    }

    #[test]
    fn a_thousand_aliases_are_refused_and_thirty_are_not() {
        let aliases = |count: usize| {
            let fields: String = (0..count).map(|at| format!("a{at}: b ")).collect();
            format!("{{ {fields} }}")
        };
        assert_eq!(cause(&aliases(30)), None);
        assert_eq!(cause(&aliases(31)), Some(Cause::GraphqlLimit));
        assert_eq!(cause(&aliases(1_000)), Some(Cause::GraphqlLimit));
    }

    #[test]
    fn arguments_variables_and_strings_hold_no_aliases() {
        let arguments: String = (0..40).map(|at| format!("a{at}: {{ x: 1 }} ")).collect();
        assert_eq!(cause(&format!("query ($v: Int) {{ f({arguments}) @d(a: 1) }}")), None);
        let text = "x: ".repeat(50);
        assert_eq!(cause(&format!("{{ f(a: \"{text} {{ \\\" {{\") # {text} {{ {{")), None);
        assert_eq!(cause(&format!("{{ f(a: \"\"\"{text} \" {{ \\\"\"\" {{ \"\"\") }}")), None);
    }

    #[test]
    fn tokens_and_bytes_are_counted() {
        assert_eq!(cause(&"a ".repeat(2_000)), None);
        assert_eq!(cause(&"a ".repeat(2_001)), Some(Cause::GraphqlLimit));
        assert_eq!(cause(&format!("#{}", "a".repeat(100_000))), Some(Cause::GraphqlLimit));
    }

    #[test]
    fn what_is_no_token_is_refused_where_it_stands() {
        for wrong in ["{ a ? }", "{ a(b: \"x }", "{ a(b: \"\"\"x }", "{ ü }", "{ a\u{0} }", "\"\\"] {
            assert_eq!(cause(wrong), Some(Cause::GraphqlParse), "{wrong}");
        }
        let error = scan("{\n  ü ? }", &Limits::default()).expect_err("no token");
        assert_eq!((error.problems[0].locations[0].line, error.problems[0].locations[0].column), (2, 3));
    }
}

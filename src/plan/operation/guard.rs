//! A look at the raw text before any parser sees it: one pass, no recursion, memory only for what is open.
//!
//! Parsers recurse and allocate for each token, so what is too large or too deep stops here. So does
//! what the parser lets pass without a trace: empty brackets, and a field that an object has twice.

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

impl Limits {
    /// For documents that stand in compositions: their writers are trusted, so that only what keeps
    /// reading them bounded is left.
    pub const WRITTEN: Self =
        Self { depth: NESTING_LIMIT, aliases: usize::MAX, tokens: usize::MAX, bytes: 1 << 20, fields: 100_000 };
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
    let mut scan = Scan {
        text,
        at: 0,
        open: Vec::with_capacity(16),
        fields: Vec::new(),
        tokens: 0,
        aliases: 0,
        last: Token::Other,
    };
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
    /// The fields of the objects that are not closed yet, each with the number of brackets around it.
    fields: Vec<(usize, &'a str)>,
    tokens: usize,
    aliases: usize,
    /// The token before.
    last: Token<'a>,
}

/// What the next token must know of one.
#[derive(Clone, Copy)]
enum Token<'a> {
    Name(&'a str),
    /// `(`
    Parenthesis,
    Other,
}

impl<'a> Scan<'a> {
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
        let (start, byte) = (self.at, self.text.as_bytes()[self.at]);
        let last = std::mem::replace(&mut self.last, Token::Other);
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => {
                self.skip_while(|b| b.is_ascii_alphanumeric() || b == b'_');
                self.last = Token::Name(&self.text[start..self.at]);
            }
            b'0'..=b'9' | b'-' => self.skip_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'-')),
            b'"' => self.string()?,
            b'{' | b'(' | b'[' => self.opening(byte)?,
            b')' if matches!(last, Token::Parenthesis) => return Err(self.wrong("brackets with nothing inside")),
            b'}' | b')' | b']' => self.closing(),
            b':' => self.colon(last, limits)?,
            b'.' => self.skip_while(|b| b == b'.'),
            b'!' | b'$' | b'&' | b'=' | b'@' | b'|' => self.at += 1,
            _ => return Err(self.wrong("a character that GraphQL does not have outside strings")),
        }
        Ok(())
    }

    fn opening(&mut self, bracket: u8) -> Result<(), RequestError> {
        if self.open.len() == NESTING_LIMIT {
            return Err(self.over(format!("The document is nested more than {NESTING_LIMIT} deep.")));
        }
        if bracket == b'(' {
            self.last = Token::Parenthesis;
        }
        self.open.push(bracket);
        self.at += 1;
        Ok(())
    }

    fn closing(&mut self) {
        let depth = self.open.len();
        let inside = self.fields.iter().rev().take_while(|(at, _)| *at == depth).count();
        self.fields.truncate(self.fields.len() - inside);
        self.open.pop();
        self.at += 1;
    }

    /// Inside parentheses a colon follows the name of an argument or of an object's field, elsewhere
    /// in a selection an alias.
    fn colon(&mut self, last: Token<'a>, limits: &Limits) -> Result<(), RequestError> {
        if let (Token::Name(name), Some(b'{')) = (last, self.open.last()) {
            match self.open.contains(&b'(') {
                true => self.field(name)?,
                false => self.aliases += 1,
            }
            if self.aliases > limits.aliases {
                return Err(self.over(format!("The document has more than {} aliases.", limits.aliases)));
            }
        }
        self.at += 1;
        Ok(())
    }

    /// A field of an object must be the only one of its name (GraphQL, section 5.6.3).
    fn field(&mut self, name: &'a str) -> Result<(), RequestError> {
        let depth = self.open.len();
        if self.fields.iter().rev().take_while(|(at, _)| *at == depth).any(|(_, before)| *before == name) {
            let message = format!("An object has the field `{name}` twice.");
            return Err(RequestError::at(Cause::GraphqlValidation, self.location(), message));
        }
        self.fields.push((depth, name));
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
    fn an_object_has_no_field_twice_and_other_names_may_come_again() {
        let wrong = [
            "{ f(a: {x: 1, x: 2}) }",
            "{ f(a: [{x: {y: [{}]}, z: 1, x: 2}]) }",
            "query($v: I = {x: 1 x: 1}) { f }",
            "{ a { b @d(if: {x: 1, y: {x: 1}, x: 1}) } }",
        ];
        for document in wrong {
            assert_eq!(cause(document), Some(Cause::GraphqlValidation), "{document}");
        }
        let right = [
            "{ f(a: {x: {x: {x: 1}}, y: [{x: 1}, {x: 2}]}, b: {x: 1}) g(a: {x: 1}) }",
            "{ x: a x: a { x: b } f(x: 1) { x: g(x: {x: 1}) x: h } }",
            "query($x: I = {x: 1}, $y: I = {x: 1}) { f }",
        ];
        for document in right {
            assert_eq!(cause(document), None, "{document}");
        }
    }

    #[test]
    fn brackets_of_arguments_and_variables_are_not_empty() {
        for document in ["query () { a }", "query(#\n,) { a }", "{ a() }", "{ a @d( ) }"] {
            assert_eq!(cause(document), Some(Cause::GraphqlParse), "{document}");
        }
        assert_eq!(cause("{ a(b: [], c: {}, d: \"()\") }"), None);
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

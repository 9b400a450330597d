//! A look at the raw text before any parser sees it: one pass, no recursion, memory only for what is open.
//!
//! Parsers recurse and allocate for each token, so what is too large or too deep stops here.

use super::errors::{Location, RequestError};
use crate::base::failure::Cause;
use crate::plan::syntax::{Token, Tokens};

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
/// It goes over a limit.
pub fn scan(text: &str, limits: &Limits) -> Result<(), RequestError> {
    if text.len() > limits.bytes {
        let message = format!("The document has {} bytes; {} are allowed.", text.len(), limits.bytes);
        return Err(RequestError::new(Cause::GraphqlLimit, message));
    }
    let (mut open, mut aliases, mut last) = (Vec::with_capacity(16), 0, Token::Spread);
    for (count, (at, token)) in Tokens::new(text).enumerate() {
        let over = |message: String| Err(RequestError::at(Cause::GraphqlLimit, location(text, at), message));
        if count == limits.tokens {
            return over(format!("The document has more than {} tokens.", limits.tokens));
        }
        match token {
            Token::Punctuator(b'{' | b'(' | b'[') if open.len() == NESTING_LIMIT => {
                return over(format!("The document is nested more than {NESTING_LIMIT} deep."));
            }
            Token::Punctuator(bracket @ (b'{' | b'(' | b'[')) => open.push(bracket),
            Token::Punctuator(b'}' | b')' | b']') => {
                open.pop();
            }
            // In a selection a colon follows an alias, inside parentheses the name of an argument or of a field.
            Token::Punctuator(b':') if matches!(last, Token::Name(_)) && open.last() == Some(&b'{') => {
                aliases += usize::from(!open.contains(&b'('));
            }
            _ => {}
        }
        if aliases > limits.aliases {
            return over(format!("The document has more than {} aliases.", limits.aliases));
        }
        last = token;
    }
    Ok(())
}

fn location(text: &str, at: usize) -> Location {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before[line_start..].chars().count() + 1;
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    async_graphql_parser::Pos { line, column }.into()
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
}

//! What the parser of GraphQL does not see to: numbers keep their digits, and mistakes that it lets pass are found.
//!
//! The parser reads numbers as doubles. So it is given the text with `0` in the place of each number, and what it
//! makes of the text becomes [`Literal`]s, which have the numbers as they were written ([`Numbers`]).

mod literal;
mod tokens;

#[cfg(test)]
mod tests;

use std::fmt;

use async_graphql_parser::Pos;

pub use literal::{Literal, Numbers};
pub use tokens::{Token, Tokens};

/// Text for the parser, every part of it at the byte, line and column where it was written.
#[derive(Debug)]
pub struct Prepared {
    /// The text with `0` and spaces in the place of each number. Every line of it ends with a line feed, for the
    /// parser counts no others.
    pub text: String,
    /// The numbers.
    pub numbers: Numbers,
}

/// A mistake in a text, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistaken<'a> {
    /// The byte.
    pub at: usize,
    /// Line and column as the parser counts them.
    pub place: Pos,
    /// What is wrong.
    pub mistake: Mistake<'a>,
}

/// What the parser lets pass without a trace, or would stumble over elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake<'a> {
    /// A string does not end.
    Unfinished,
    /// Something begins as a number does and is none.
    NoNumber,
    /// A character stands outside strings that GraphQL does not have there.
    Unknown,
    /// `()`
    Empty,
    /// An object has this field twice (GraphQL, section 5.6.3).
    Twice(&'a str),
}

impl fmt::Display for Mistake<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfinished => f.write_str("a string that does not end"),
            Self::NoNumber => f.write_str("something that begins as a number does and is none"),
            Self::Unknown => f.write_str("a character that GraphQL does not have outside strings"),
            Self::Empty => f.write_str("brackets with nothing inside"),
            Self::Twice(name) => write!(f, "an object has the field `{name}` twice"),
        }
    }
}

/// Makes a text ready for the parser.
///
/// # Errors
/// The first mistake that the parser would not see.
pub fn prepare(text: &str) -> Result<Prepared, Mistaken<'_>> {
    let mut ready = Preparation { text, out: String::with_capacity(text.len()), end: Pos { line: 1, column: 1 } };
    let (mut numbers, mut objects) = (Vec::new(), Objects::default());
    for (start, token) in Tokens::new(text) {
        let found = match token {
            Token::Unfinished => Some((start, Mistake::Unfinished)),
            Token::NoNumber => Some((start, Mistake::NoNumber)),
            Token::Unknown => Some((start, Mistake::Unknown)),
            _ => objects.mistake((start, token)),
        };
        if let Some((at, mistake)) = found {
            ready.copy_to(at);
            return Err(Mistaken { at, place: ready.end, mistake });
        }
        if let Token::Number(number) = token {
            ready.copy_to(start);
            numbers.push((ready.end, number.into()));
            ready.put_zero(number.len());
        }
    }
    ready.copy_to(text.len());
    Ok(Prepared { text: ready.out, numbers: Numbers(numbers) })
}

/// The text for the parser on its way.
struct Preparation<'a> {
    text: &'a str,
    out: String,
    /// The place behind what `out` holds.
    end: Pos,
}

impl Preparation<'_> {
    fn copy_to(&mut self, end: usize) {
        let mut rest = self.text[self.out.len()..end].chars().peekable();
        while let Some(character) = rest.next() {
            let ends_line = match character {
                '\n' => true,
                '\r' => rest.peek() != Some(&'\n'),
                _ => false,
            };
            self.out.push(if ends_line { '\n' } else { character });
            self.end = match (ends_line, character) {
                (true, _) => Pos { line: self.end.line + 1, column: 1 },
                (false, '\r') => Pos { line: self.end.line, column: 1 },
                (false, _) => Pos { line: self.end.line, column: self.end.column + 1 },
            };
        }
    }

    /// Puts a number of as many bytes that the parser can hold.
    fn put_zero(&mut self, length: usize) {
        self.out.push('0');
        self.out.extend(std::iter::repeat_n(' ', length - 1));
        self.end.column += length;
    }
}

/// The brackets that are open, and the fields that the objects among them have so far.
#[derive(Default)]
struct Objects<'a> {
    open: Vec<Open<'a>>,
    last: Option<(usize, Token<'a>)>,
}

struct Open<'a> {
    bracket: u8,
    /// Whether it opens an object of values, and no selection or definition.
    is_object: bool,
    fields: Vec<&'a str>,
}

impl<'a> Objects<'a> {
    /// Takes the next token; says what is wrong with it, and from which byte on.
    fn mistake(&mut self, (start, token): (usize, Token<'a>)) -> Option<(usize, Mistake<'a>)> {
        let last = self.last.replace((start, token));
        match (token, last) {
            (Token::Punctuator(bracket @ (b'{' | b'(' | b'[')), _) => {
                let follows = matches!(last, Some((_, Token::Punctuator(b':' | b'='))));
                let is_item = self.open.last().is_some_and(|around| around.bracket == b'[');
                let is_object = bracket == b'{' && (follows || is_item);
                self.open.push(Open { bracket, is_object, fields: Vec::new() });
            }
            (Token::Punctuator(b')'), Some((_, Token::Punctuator(b'(')))) => return Some((start, Mistake::Empty)),
            (Token::Punctuator(b'}' | b')' | b']'), _) => {
                self.open.pop();
            }
            (Token::Punctuator(b':'), Some((at, Token::Name(name)))) => {
                let object = self.open.last_mut().filter(|around| around.is_object)?;
                if object.fields.contains(&name) {
                    return Some((at, Mistake::Twice(name)));
                }
                object.fields.push(name);
            }
            _ => {}
        }
        None
    }
}

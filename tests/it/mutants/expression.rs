//! The names in expressions, found without the parser under test.

use std::collections::HashMap;
use std::ops::Range;

use super::names::Of;

/// A word of an expression that is a name.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) of: Of,
    /// Where it stands in the scalar.
    pub(super) bytes: Range<usize>,
}

/// The words of a text: letters, digits and `_`, not beginning with a digit.
pub(super) fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut ends = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, is_part(c)) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                ends.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    ends.into_iter().filter(|word: &Range<usize>| !text[word.clone()].starts_with(|c: char| c.is_ascii_digit()))
}

/// The names in the expressions of a scalar.
pub(super) fn names(source: &str) -> Vec<Word> {
    expressions(source).into_iter().flat_map(|tokens| Expression::new(source, tokens).names()).collect()
}

/// The plain names that the expressions of a scalar begin with, those of comprehensions aside.
pub(super) fn roots(source: &str) -> Vec<String> {
    let mut roots = Vec::new();
    for tokens in expressions(source) {
        let expression = Expression::new(source, tokens);
        roots.extend(
            (0..expression.tokens.len()).filter(|&at| expression.is_plain(at)).flat_map(|at| expression.known(at)),
        );
    }
    roots
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(Range<usize>),
    Sign(u8),
    Literal,
}

/// The tokens of each `${…}`, its braces left out.
fn expressions(source: &str) -> Vec<Vec<Token>> {
    let bytes = source.as_bytes();
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(start) = source[at..].find("${").map(|start| at + start) {
        at = start + 2;
        if source[..start].ends_with('$') {
            continue;
        }
        let (mut tokens, mut depth) = (Vec::new(), 0);
        while at < bytes.len() && !(bytes[at] == b'}' && depth == 0) {
            let (token, next) = token(source, at);
            depth += i32::from(token == Token::Sign(b'{')) - i32::from(token == Token::Sign(b'}'));
            if !bytes[at].is_ascii_whitespace() {
                tokens.push(token);
            }
            at = next;
        }
        found.push(tokens);
    }
    found
}

fn token(source: &str, at: usize) -> (Token, usize) {
    let rest = &source[at..];
    let first = rest.as_bytes()[0];
    if first.is_ascii_alphanumeric() || first == b'_' {
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let word = at..at + length;
        return (if first.is_ascii_digit() { Token::Literal } else { Token::Word(word.clone()) }, word.end);
    }
    if matches!(first, b'\'' | b'"') {
        let end = rest[1..].find(char::from(first)).map_or(rest.len(), |end| end + 2);
        return (Token::Literal, at + end);
    }
    (Token::Sign(first), at + rest.chars().next().map_or(1, char::len_utf8))
}

struct Expression<'s> {
    source: &'s str,
    tokens: Vec<Token>,
    /// The names behind what the variables of comprehensions run over.
    variables: HashMap<&'s str, Vec<String>>,
}

/// Words that are no names.
const WORDS: [&str; 4] = ["true", "false", "null", "in"];

impl<'s> Expression<'s> {
    fn new(source: &'s str, tokens: Vec<Token>) -> Self {
        let mut expression = Self { source, tokens, variables: HashMap::new() };
        for at in 0..expression.tokens.len() {
            let is_first = at >= 2 && expression.is(at - 1, b'(') && expression.is(at + 1, b',');
            if let (true, Some(name)) = (is_first, expression.word(at)) {
                let behind = expression.behind(at - 2).0;
                expression.variables.entry(name).or_default().extend(behind);
                // Macros of two variables: `map.all(key, value, …)`.
                if let (Some(second), true) = (expression.word(at + 2), expression.is(at + 3, b',')) {
                    let behind = expression.behind(at - 2).0;
                    expression.variables.entry(second).or_default().extend(behind);
                }
            }
        }
        expression
    }

    fn names(&self) -> Vec<Word> {
        let name = |at: usize| {
            let Token::Word(bytes) = &self.tokens[at] else { return None };
            let of = if !self.follows_dot(at) || self.is(at + 1, b'(') {
                Of::Expression
            } else {
                let (of, through) = self.behind(at);
                Of::Member { of, through: through.into_iter().skip(1).collect() }
            };
            Some(Word { of, bytes: bytes.clone() })
        };
        (0..self.tokens.len()).filter_map(name).collect()
    }

    /// Whether a word is a name and follows no dot.
    fn is_plain(&self, at: usize) -> bool {
        self.word(at).is_some_and(|word| !WORDS.contains(&word)) && !self.follows_dot(at)
    }

    fn follows_dot(&self, at: usize) -> bool {
        at > 0 && (self.is(at - 1, b'.') || (self.is(at - 1, b'?') && at > 1 && self.is(at - 2, b'.')))
    }

    /// The names that a value is made of, and the members on the way to it, the last first.
    fn behind(&self, at: usize) -> (Vec<String>, Vec<String>) {
        let (mut at, mut through) = (at, Vec::new());
        loop {
            if self.is_plain(at) {
                return (self.known(at), through);
            }
            let group = match &self.tokens[at] {
                Token::Word(_) => {
                    if !self.follows_dot(at) {
                        return (Vec::new(), through);
                    }
                    through.extend(self.word(at).map(str::to_owned));
                    at -= 1;
                    while at > 0 && (self.is(at, b'.') || self.is(at, b'?')) {
                        at -= 1;
                    }
                    continue;
                }
                Token::Sign(b')' | b']' | b'}') => self.opening(at),
                _ => return (Vec::new(), through),
            };
            // A call or an index of what stands before the bracket; else the bracket is all there is.
            let continues = group > 0 && matches!(self.tokens[group - 1], Token::Word(_) | Token::Sign(b']' | b')'));
            let is_function = continues && self.is(group, b'(') && self.is_plain(group - 1);
            if !continues || is_function {
                let inside = (group..at).filter(|&at| self.is_plain(at)).flat_map(|at| self.known(at));
                return (inside.collect(), through);
            }
            at = group - 1;
        }
    }

    /// What a plain name stands for: itself, or what a comprehension runs over.
    fn known(&self, at: usize) -> Vec<String> {
        let name = self.word(at).unwrap_or_default();
        self.variables.get(name).cloned().unwrap_or_else(|| vec![name.to_owned()])
    }

    fn opening(&self, closing: usize) -> usize {
        let mut depth = 0;
        for at in (0..=closing).rev() {
            match self.tokens[at] {
                Token::Sign(b')' | b']' | b'}') => depth += 1,
                Token::Sign(b'(' | b'[' | b'{') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return at;
            }
        }
        0
    }

    fn word(&self, at: usize) -> Option<&'s str> {
        match self.tokens.get(at) {
            Some(Token::Word(bytes)) => Some(&self.source[bytes.clone()]),
            _ => None,
        }
    }

    fn is(&self, at: usize, sign: u8) -> bool {
        self.tokens.get(at) == Some(&Token::Sign(sign))
    }
}

//! GraphQL text as tokens (GraphQL, section 2.1): one pass, no recursion, no memory.

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// A name, which may be a keyword, `true`, `null` or a value of an enum.
    Name(&'a str),
    /// A number, by the grammar that GraphQL and JSON share.
    Number(&'a str),
    /// What begins as a number does and is none, such as `01`, `1.` or `2nd`.
    NoNumber,
    /// A string or a block string.
    Text,
    /// `...`
    Spread,
    /// A punctuator of one character.
    Punctuator(u8),
    /// A string that does not end. Nothing follows it.
    Unfinished,
    /// A character that GraphQL does not have outside strings.
    Unknown,
}

/// The tokens of a text, each with the byte where it begins.
#[derive(Clone, Debug)]
pub struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    /// The tokens of `text`.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Skips white space, commas, byte order marks and comments; gives the byte of what follows.
    fn skip_ignored(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at)? {
                b' ' | b'\t' | b'\n' | b'\r' | b',' => self.at += 1,
                0xef if self.text[self.at..].starts_with('\u{feff}') => self.at += '\u{feff}'.len_utf8(),
                b'#' => {
                    let comment = &bytes[self.at..];
                    self.at += memchr::memchr2(b'\n', b'\r', comment).unwrap_or(comment.len());
                }
                other => return Some(*other),
            }
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = (usize, Token<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.skip_ignored()?;
        let (start, rest) = (self.at, &self.text[self.at..]);
        let (token, length) = match first {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => {
                let length = count(rest.as_bytes(), |byte| byte.is_ascii_alphanumeric() || byte == b'_');
                (Token::Name(&rest[..length]), length)
            }
            b'0'..=b'9' | b'-' => match number(rest.as_bytes()) {
                Some(length) => (Token::Number(&rest[..length]), length),
                None => (Token::NoNumber, 1),
            },
            b'"' => match string(rest) {
                Some(length) => (Token::Text, length),
                None => (Token::Unfinished, rest.len()),
            },
            b'.' if rest.starts_with("...") => (Token::Spread, 3),
            b'!' | b'$' | b'&' | b'(' | b')' | b':' | b'=' | b'@' | b'[' | b']' | b'{' | b'|' | b'}' => {
                (Token::Punctuator(first), 1)
            }
            _ => (Token::Unknown, rest.chars().next().map_or(1, char::len_utf8)),
        };
        self.at += length;
        Some((start, token))
    }
}

fn count(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| belongs(**byte)).count()
}

/// The bytes of the number that stands here: the longest one, which neither digits, names nor points may follow.
fn number(bytes: &[u8]) -> Option<usize> {
    let digits = |from: usize| count(bytes.get(from..).unwrap_or_default(), |byte| byte.is_ascii_digit());
    let sign = usize::from(bytes.first() == Some(&b'-'));
    let mut end = match bytes.get(sign)? {
        b'0' => sign + 1,
        b'1'..=b'9' => sign + digits(sign),
        _ => return None,
    };
    if bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        end += if exponent > 0 { 1 + sign + exponent } else { 0 };
    }
    let runs_on = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    (!bytes.get(end).is_some_and(runs_on)).then_some(end)
}

/// The bytes of a string or block string with its quotes; `None` when it does not end.
fn string(text: &str) -> Option<usize> {
    if text.starts_with("\"\"\"") { block_string(text) } else { plain_string(text.as_bytes()) }
}

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

/// Its line must not end before it does.
fn plain_string(bytes: &[u8]) -> Option<usize> {
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
    use super::{Token, Tokens};

    fn numbers(text: &str) -> Vec<&str> {
        let number = |(_, token)| match token {
            Token::Number(number) => Some(number),
            _ => None,
        };
        Tokens::new(text).filter_map(number).collect()
    }

    #[test]
    fn numbers_are_the_longest_that_the_grammar_has() {
        assert_eq!(numbers("[0 -0 1.50,-2e+3 4E5]6"), ["0", "-0", "1.50", "-2e+3", "4E5", "6"]);
        assert_eq!(numbers("1-2[3]4\"5\"6#"), ["1", "-2", "3", "4", "6"]);
        for wrong in ["01", "-", "-a", "1.", "1.x", "1e", "1e+", "3.e4", "1.5a", "2_", "1.2.3", "1..."] {
            assert_eq!(Tokens::new(wrong).next(), Some((0, Token::NoNumber)), "{wrong}");
        }
    }

    #[test]
    fn digits_of_names_strings_and_comments_are_no_numbers() {
        let text = "a1 _2 \"3 \\\" 4\" \"\"\"5 \\\"\"\" \" 6\"\"\" #7\r8 $v9 \"\" 10 \u{feff}11 # 12";
        assert_eq!(numbers(text), ["8", "10", "11"]);
    }

    #[test]
    fn what_is_no_token_is_told_where_it_stands() {
        let told = |text: &'static str| Tokens::new(text).last();
        assert_eq!(told("{ ü"), Some((2, Token::Unknown)));
        assert_eq!(told("{ .. "), Some((3, Token::Unknown)));
        for text in ["[ \"a", "[ \"a\n\"", "[ \"\"\"a\"", "[ \"a\\"] {
            assert_eq!(told(text), Some((2, Token::Unfinished)), "{text}");
        }
        assert_eq!(told("a"), Some((0, Token::Name("a"))));
        assert_eq!(told("..."), Some((0, Token::Spread)));
    }
}

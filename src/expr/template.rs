//! Text with expressions in it: `"a ${x.y} b"`.

use std::ops::Range;

use super::lexer::{Kind, Lexer};
use super::mistake::Mistake;

/// One piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text as it is meant: `$${` became `${`.
    Text(String),
    /// An expression: the bytes of the text between `${` and `}`.
    Expression(Range<usize>),
}

/// Splits a text into its pieces. `}` ends an expression as CEL's lexer sees it: not inside a
/// literal, a comment or braces of the expression's own. `$${` stands for `${` itself.
///
/// # Errors
/// An expression is not closed or is empty; the bytes are bytes of `text`.
pub fn split(text: &str) -> Result<Vec<Piece>, Mistake> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("${") {
        let open = at + found;
        if text[..open].ends_with('$') && open > at {
            plain.push_str(&text[at..open - 1]);
            plain.push_str("${");
            at = open + 2;
            continue;
        }
        plain.push_str(&text[at..open]);
        if !plain.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
        }
        let close = closing_brace(text, open)?;
        if text[open + 2..close].trim().is_empty() {
            let help = "write an expression between the braces, or `$${` for the characters themselves";
            return Err(Mistake::new(open..close + 1, "an empty expression").help(help));
        }
        pieces.push(Piece::Expression(open + 2..close));
        at = close + 1;
    }
    plain.push_str(&text[at..]);
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(pieces)
}

/// The byte of the `}` that closes the `${` at `open`.
fn closing_brace(text: &str, open: usize) -> Result<usize, Mistake> {
    let mut lexer = Lexer::new(text, open + 2);
    let mut depth = 0;
    loop {
        let token = lexer.next();
        match token.kind {
            Kind::Sign("{") => depth += 1,
            Kind::Sign("}") if depth == 0 => return Ok(token.bytes.start),
            Kind::Sign("}") => depth -= 1,
            Kind::End => break,
            _ => {}
        }
    }
    // Text that is not closed swallows the brace, and is then the better thing to point at.
    let unclosed = lexer.into_mistakes().into_iter().find(|mistake| mistake.message.contains("not closed"));
    Err(unclosed.unwrap_or_else(|| {
        Mistake::new(open..open + 2, "`${` is not closed")
            .help("close it with `}`, or write `$${` for the characters themselves")
    }))
}

#[cfg(test)]
mod tests {
    use super::{Piece, split};

    fn pieces(text: &str) -> Vec<String> {
        let piece = |piece| match piece {
            Piece::Text(plain) => format!("t:{plain}"),
            Piece::Expression(bytes) => format!("e:{}", &text[bytes]),
        };
        split(text).expect(text).into_iter().map(piece).collect()
    }

    #[test]
    fn a_brace_ends_an_expression_as_the_lexer_sees_it() {
        assert_eq!(pieces("/a/${x.y}/b"), ["t:/a/", "e:x.y", "t:/b"]);
        assert_eq!(pieces("${ {'a}': {'b': 1}}.a }"), ["e: {'a}': {'b': 1}}.a "]);
        assert_eq!(pieces("${a}${b}"), ["e:a", "e:b"]);
        assert_eq!(pieces("${ a // }\n }"), ["e: a // }\n "]);
        assert!(pieces("").is_empty());
    }

    #[test]
    fn two_dollars_stand_for_one() {
        assert_eq!(pieces("$${a} $ $x ${b}"), ["t:${a} $ $x ", "e:b"]);
        assert_eq!(pieces("${a}$${b}"), ["e:a", "t:${b}"]);
    }

    #[test]
    fn what_is_not_closed_is_a_mistake_where_it_opens() {
        assert_eq!(split("ab ${x").expect_err("open").bytes, 3..5);
        assert_eq!(split("ab ${'x}").expect_err("open").bytes, 5..8);
        assert!(split("${ }").is_err());
    }
}

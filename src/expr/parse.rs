//! The parser: tokens in, [`Ast`] out, every mistake of an expression at once.
//!
//! Operators are parsed by precedence climbing. After a mistake the parser goes on at the next
//! comma or closing bracket, so that one mistake is reported once. Source: cel-spec
//! `doc/langdef.md`, "Syntax"; `optional` syntax as in cel-spec's proposal 246.

use std::ops::Range;

use super::ast::{Ast, Expression};
use super::lexer::{Kind, Lexer, Token};
use super::mistake::Mistake;

mod operand;
mod operator;
#[cfg(test)]
mod tests;

/// Bytes that one expression may have.
pub const SOURCE_LIMIT: usize = 8 * 1024;

/// Expressions that may stand inside one another. A chain of one kind of operator counts once.
pub const DEPTH_LIMIT: usize = 100;

/// Comprehensions that may stand inside one another.
pub const COMPREHENSION_LIMIT: usize = 4;

/// Parses one expression.
///
/// # Errors
/// Every mistake that was found, in the order of the source; never empty.
pub fn parse(source: &str) -> Result<Ast, Vec<Mistake>> {
    if source.len() > SOURCE_LIMIT {
        let message = format!("this expression has {} bytes; at most {SOURCE_LIMIT} are allowed", source.len());
        let mistake = Mistake::new(0..source.len(), message).help("name parts of it as steps with only a `result`");
        return Err(vec![mistake]);
    }
    let mut parser = Parser::new(source);
    let ast = parser.expression();
    parser.end();
    let mut mistakes = parser.mistakes;
    if mistakes.is_empty() {
        return Ok(ast);
    }
    mistakes.sort_by_key(|mistake| mistake.bytes.start);
    Err(mistakes)
}

struct Parser<'s> {
    source: &'s str,
    tokens: Vec<Token>,
    at: usize,
    /// How many expressions are being parsed inside one another.
    nested: usize,
    mistakes: Vec<Mistake>,
    /// After a mistake, until the next place where parsing can go on.
    lost: bool,
}

impl<'s> Parser<'s> {
    fn new(source: &'s str) -> Self {
        let mut lexer = Lexer::new(source, 0);
        let mut tokens = Vec::new();
        loop {
            tokens.push(lexer.next());
            if tokens.last().is_some_and(|token| token.kind == Kind::End) {
                break;
            }
        }
        Self { source, tokens, at: 0, nested: 0, mistakes: lexer.into_mistakes(), lost: false }
    }

    /// `a`, or `a ? b : c`.
    fn expression(&mut self) -> Ast {
        if self.nested == DEPTH_LIMIT {
            return self.too_deep(self.peek().bytes.clone());
        }
        self.nested += 1;
        let condition = self.operators(0);
        let ast = if self.is_sign("?") { self.conditional(condition) } else { condition };
        self.nested -= 1;
        ast
    }

    fn conditional(&mut self, condition: Ast) -> Ast {
        self.advance();
        let then = self.operators(0);
        if self.is_sign("?") {
            self.wrong(self.peek().bytes.clone(), "a condition inside a condition needs parentheses");
        }
        self.expect(":");
        let otherwise = self.expression();
        let bytes = condition.bytes.start..otherwise.bytes.end;
        self.node(Expression::Conditional(Box::new([condition, then, otherwise])), bytes)
    }

    /// Reports what follows a complete expression.
    fn end(&mut self) {
        let token = self.peek().clone();
        match token.kind {
            Kind::End | Kind::Unknown => {}
            _ if self.lost => {}
            _ => {
                let found = self.source.get(token.bytes.clone()).unwrap_or("").to_owned();
                self.wrong(token.bytes, format!("`{found}` cannot follow here"));
            }
        }
    }

    /// A node, unless it stands too deep.
    fn node(&mut self, expression: Expression, bytes: Range<usize>) -> Ast {
        let ast = Ast::new(expression, bytes);
        if ast.height > DEPTH_LIMIT { self.too_deep(ast.bytes) } else { ast }
    }

    /// Reports the depth once and gives up the rest of the source.
    fn too_deep(&mut self, bytes: Range<usize>) -> Ast {
        if self.at + 1 < self.tokens.len() {
            let message = format!("this expression is nested deeper than {DEPTH_LIMIT} levels");
            let help = "name parts of it as steps with only a `result`";
            self.lost = true;
            self.mistakes.push(Mistake::new(bytes.clone(), message).help(help));
            self.at = self.tokens.len() - 1;
        } else if self.mistakes.is_empty() {
            self.mistakes.push(Mistake::new(bytes.clone(), format!("nested deeper than {DEPTH_LIMIT} levels")));
        }
        Ast::new(Expression::Broken, bytes)
    }

    fn peek(&self) -> &Token {
        &self.tokens[self.at]
    }

    fn peek_after(&self) -> &Token {
        &self.tokens[(self.at + 1).min(self.tokens.len() - 1)]
    }

    /// Takes the current token; stays at the end.
    fn advance(&mut self) -> Token {
        let token = self.tokens[self.at].clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek().kind, Kind::Sign(found) if found == sign)
    }

    fn accept(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        if found {
            self.advance();
        }
        found
    }

    /// Takes `sign`; if something else stands there, reports it and goes on after the `sign` that
    /// belongs here. Gives where it ends.
    fn expect(&mut self, sign: &'static str) -> usize {
        if !self.lost && !self.is_sign(sign) {
            let token = self.peek().clone();
            let found = match token.kind {
                Kind::End => "the end of the expression".to_owned(),
                _ => format!("`{}`", self.source.get(token.bytes.clone()).unwrap_or("")),
            };
            self.wrong(token.bytes, format!("`{sign}` expected, found {found}"));
        }
        if self.lost {
            self.skip_to(&[sign]);
        }
        let end = self.peek().bytes.end;
        if self.accept(sign) {
            self.lost = false;
        }
        end
    }

    /// Skips tokens until one of `signs` stands outside all brackets that open on the way, or a
    /// bracket closes that opened before.
    fn skip_to(&mut self, signs: &[&str]) {
        let mut open = 0usize;
        loop {
            match self.peek().kind {
                Kind::End => return,
                Kind::Sign(sign) if open == 0 && signs.contains(&sign) => return,
                Kind::Sign("(" | "[" | "{") => open += 1,
                Kind::Sign(")" | "]" | "}") if open == 0 => return,
                Kind::Sign(")" | "]" | "}") => open -= 1,
                _ => {}
            }
            self.advance();
        }
    }

    /// Reports a mistake, unless it only follows from one that was reported.
    fn wrong(&mut self, bytes: Range<usize>, message: impl Into<String>) {
        self.report(Mistake::new(bytes, message));
        self.lost = true;
    }

    /// Reports a mistake whose meaning is clear enough to go on.
    fn report(&mut self, mistake: Mistake) {
        if !self.lost {
            self.mistakes.push(mistake);
        }
    }
}

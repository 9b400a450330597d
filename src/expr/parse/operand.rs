//! Operands: literals, names, calls, lists, maps, and the selections after them.

use super::Parser;
use crate::base::value::Value;
use crate::expr::ast::{Ast, Expression, Item, Name, Pair};
use crate::expr::lexer::{Kind, is_keyword, is_reserved};
use crate::expr::mistake::Mistake;

impl Parser<'_> {
    /// A primary and every `.name`, `.call()` and `[index]` after it.
    pub(super) fn operand(&mut self) -> Ast {
        let mut ast = self.primary();
        loop {
            let token = self.peek().clone();
            let after = self.peek_after();
            ast = match token.kind {
                Kind::Sign(".") => {
                    self.advance();
                    let optional = self.accept("?");
                    self.member(ast, optional)
                }
                Kind::Sign("?") if after.kind == Kind::Sign(".") && ast.bytes.end == token.bytes.start => {
                    let bytes = token.bytes.start..after.bytes.end;
                    self.report(Mistake::new(bytes, "`?.` is no operator of CEL").help(
                        "write a plain `.`, which gives null where something is missing, or `.?` for an optional",
                    ));
                    self.advance();
                    self.advance();
                    self.member(ast, true)
                }
                Kind::Sign("[") => self.index(ast),
                Kind::Sign("{") if is_path(&ast) => self.message(&ast),
                Kind::Double(_) if self.source[token.bytes.clone()].starts_with('.') => {
                    let digits = &self.source[token.bytes.start + 1..token.bytes.end];
                    let help = format!("write `[{digits}]`");
                    self.report(
                        Mistake::new(token.bytes, "an element of a list is not selected with a point").help(help),
                    );
                    self.advance();
                    ast
                }
                _ => return ast,
            };
        }
    }

    /// What follows a point.
    fn member(&mut self, of: Ast, optional: bool) -> Ast {
        let token = self.peek().clone();
        let written = self.source.get(token.bytes.clone()).unwrap_or("");
        let text = match token.kind {
            Kind::Name if !is_keyword(written) => written.to_owned(),
            Kind::QuotedName => written.trim_matches('`').to_owned(),
            _ => {
                let help = "a name that is a word or holds other characters is written in brackets: `a['x-id']`";
                self.report(Mistake::new(token.bytes.clone(), "a name is expected after the point").help(help));
                self.lost = true;
                return Ast::new(Expression::Broken, of.bytes.start..token.bytes.end);
            }
        };
        self.advance();
        let (start, end) = (of.bytes.start, token.bytes.end);
        let name = Name { text, bytes: token.bytes };
        if self.is_sign("(") && token.kind == Kind::Name && !optional {
            return self.call(Some(of), name);
        }
        self.node(Expression::Member { of: Box::new(of), name, optional }, start..end)
    }

    fn index(&mut self, of: Ast) -> Ast {
        let start = self.advance().bytes.start;
        if self.is_sign("*") {
            let end = self.peek_after().bytes.end;
            let help = "map the list: `list.map(x, x.id)`";
            self.report(Mistake::new(start..end, "`[*]` is no selection of CEL").help(help));
            self.advance();
            self.expect("]");
            return of;
        }
        let optional = self.accept("?");
        let index = Box::new(self.expression());
        let end = self.expect("]");
        let bytes = of.bytes.start..end;
        self.node(Expression::Index { of: Box::new(of), index, optional }, bytes)
    }

    /// Reports `Type{…}` and passes over it.
    fn message(&mut self, of: &Ast) -> Ast {
        let open = self.advance().bytes;
        self.skip_to(&["}"]);
        let end = self.peek().bytes.end;
        let help = "write a map with quoted names: `{'name': value}`";
        self.report(Mistake::new(open.start..end, "messages are not constructed in expressions").help(help));
        self.accept("}");
        Ast::new(Expression::Broken, of.bytes.start..end)
    }

    fn primary(&mut self) -> Ast {
        let token = self.advance();
        let bytes = token.bytes.clone();
        let literal = |value| Ast::new(Expression::Literal(value), bytes.clone());
        match token.kind {
            Kind::Int(value) => match i64::try_from(value) {
                Ok(value) => literal(Value::Int(value)),
                Err(_) => self.broken(Mistake::new(bytes, "this number does not fit 64 bits")),
            },
            Kind::Uint(value) => literal(Value::Uint(value)),
            Kind::Double(value) => literal(Value::Double(value)),
            Kind::Text(value) => literal(Value::Text(value.into())),
            Kind::Bytes(value) => literal(Value::Bytes(value.into())),
            Kind::Sign("-") => self.negative(bytes.start),
            Kind::Sign("(") => {
                let inner = self.expression();
                let end = self.expect(")");
                Ast { bytes: bytes.start..end, ..inner }
            }
            Kind::Sign("[") => self.list(bytes.start),
            Kind::Sign("{") => self.map(bytes.start),
            Kind::Sign(".") if self.peek().kind == Kind::Name => {
                let name = self.advance();
                self.name(Name { text: self.source[name.bytes.clone()].to_owned(), bytes: name.bytes })
            }
            Kind::Name => self.name(Name { text: self.source[bytes.clone()].to_owned(), bytes }),
            _ => self.unexpected(&token),
        }
    }

    /// A negative number, whose sign belongs to it.
    fn negative(&mut self, start: usize) -> Ast {
        let token = self.peek().clone();
        let bytes = start..token.bytes.end;
        let value = match token.kind {
            Kind::Int(value) => 0i64.checked_sub_unsigned(value).map(Value::Int),
            Kind::Double(value) => Some(Value::Double(-value)),
            _ => None,
        };
        let Some(value) = value else { return self.broken(Mistake::new(bytes, "a number is expected after `-`")) };
        self.advance();
        Ast::new(Expression::Literal(value), bytes)
    }

    /// A word, a name or a call.
    fn name(&mut self, name: Name) -> Ast {
        let literal = |value| Ast::new(Expression::Literal(value), name.bytes.clone());
        match name.text.as_str() {
            "true" => return literal(Value::Bool(true)),
            "false" => return literal(Value::Bool(false)),
            "null" => return literal(Value::Null),
            "not" if matches!(self.peek().kind, Kind::Name | Kind::Text(_)) => {
                self.report(Mistake::new(name.bytes, "`not` is no operator of CEL").help("write `!`"));
                return self.operand();
            }
            word if is_reserved(word) => {
                let message = format!("`{word}` is a reserved word");
                return self.broken(Mistake::new(name.bytes.clone(), message));
            }
            _ => {}
        }
        if self.is_sign("(") {
            return self.call(None, name);
        }
        Ast::new(Expression::Name(name.text), name.bytes)
    }

    fn call(&mut self, target: Option<Ast>, name: Name) -> Ast {
        self.advance();
        let mut arguments = Vec::new();
        while !self.is_sign(")") && !self.at_end() {
            arguments.push(self.expression());
            if !self.another(")") {
                break;
            }
        }
        let end = self.expect(")");
        let start = target.as_ref().map_or(name.bytes.start, |target| target.bytes.start);
        self.node(Expression::Call { target: target.map(Box::new), name, arguments }, start..end)
    }

    fn list(&mut self, start: usize) -> Ast {
        let mut items = Vec::new();
        while !self.is_sign("]") && !self.at_end() {
            let optional = self.accept("?");
            items.push(Item { value: self.expression(), optional });
            if !self.another("]") {
                break;
            }
        }
        let end = self.expect("]");
        self.node(Expression::List(items), start..end)
    }

    fn map(&mut self, start: usize) -> Ast {
        let mut pairs = Vec::new();
        while !self.is_sign("}") && !self.at_end() {
            let optional = self.accept("?");
            let key = self.expression();
            self.expect(":");
            pairs.push(Pair { key, value: self.expression(), optional });
            if !self.another("}") {
                break;
            }
        }
        let end = self.expect("}");
        self.node(Expression::Map(pairs), start..end)
    }

    /// After one of a list of things: whether a comma follows. A comma before `close` is allowed
    /// in lists and maps and never hurts.
    fn another(&mut self, close: &'static str) -> bool {
        if self.lost {
            self.skip_to(&[",", close]);
            self.lost = !self.is_sign(",") && !self.is_sign(close);
        }
        self.accept(",")
    }

    fn at_end(&self) -> bool {
        self.peek().kind == Kind::End
    }

    fn unexpected(&mut self, token: &crate::expr::lexer::Token) -> Ast {
        let bytes = token.bytes.clone();
        let found = self.source.get(bytes.clone()).unwrap_or("");
        match token.kind {
            Kind::Unknown => {
                self.lost = true;
                Ast::new(Expression::Broken, bytes)
            }
            Kind::End => self.broken(Mistake::new(bytes, "the expression ends where a value is expected")),
            Kind::Sign("$") if self.is_sign("{") => {
                let help = "inside `${ }` names stand alone: write `a.b`, not `${a.b}`";
                self.broken(Mistake::new(bytes, "`${` inside an expression").help(help))
            }
            Kind::Sign(")" | "]" | "}" | "," | ":") => {
                self.at -= 1;
                self.broken(Mistake::new(bytes, format!("a value is expected before `{found}`")))
            }
            _ => self.broken(Mistake::new(bytes, format!("a value is expected, found `{found}`"))),
        }
    }

    /// Reports a mistake and stands in for the operand.
    fn broken(&mut self, mistake: Mistake) -> Ast {
        let bytes = mistake.bytes.clone();
        self.report(mistake);
        self.lost = true;
        Ast::new(Expression::Broken, bytes)
    }
}

/// Whether the expression could be the name of a message.
fn is_path(ast: &Ast) -> bool {
    match &ast.expression {
        Expression::Name(_) => true,
        Expression::Member { of, optional: false, .. } => is_path(of),
        _ => false,
    }
}

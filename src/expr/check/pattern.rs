//! `matches`: its pattern is compiled at load.

use super::{Checker, Operand};
use crate::base::value::Value;
use crate::expr::ast::Ast;
use crate::expr::library::{Fit, Is};
use crate::expr::mistake::Mistake;
use crate::expr::node::{Matches, Node};
use crate::expr::pattern::Pattern;
use crate::expr::types::Type;

impl Checker<'_> {
    /// `text.matches(pattern)`.
    pub(super) fn matches(&mut self, ast: &Ast, text: &Ast, pattern: &Ast) -> Operand {
        let searched = self.text_argument(text);
        let pattern = match self.text_argument(pattern).node.as_constant() {
            Some(Value::Text(source)) => {
                Pattern::compile(source).map_err(|reason| Mistake::new(pattern.bytes(), reason))
            }
            Some(_) => return Operand::new(Node::NULL, Type::Bool),
            None => Err(Mistake::new(pattern.bytes(), "a pattern must be known at load")
                .help("write it as a literal: `text.matches('^[a-z]+$')`")),
        };
        match pattern {
            Ok(pattern) => {
                let span = self.span(ast.bytes());
                let node = Node::Matches(Box::new(Matches { text: searched.node, pattern, span }));
                self.folded(Operand::new(node, Type::Bool), ast.bytes())
            }
            Err(mistake) => {
                self.mistake(mistake);
                Operand::new(Node::NULL, Type::Bool)
            }
        }
    }

    fn text_argument(&mut self, ast: &Ast) -> Operand {
        let operand = self.operand(ast);
        match Is::Text.fit(&operand.ty) {
            Fit::Yes => {}
            Fit::UnlessNull => self.refuse_null(ast, "`matches`"),
            Fit::No => {
                let message = format!("`matches` takes string here, not {}", operand.ty);
                self.mistake(Mistake::new(ast.bytes(), message));
            }
        }
        operand
    }
}

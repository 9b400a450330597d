//! Names of types as values: `type(x) == int`.

use super::guard::path;
use super::{Checker, Operand};
use crate::base::value::Value;
use crate::expr::ast::{Ast, Expression};
use crate::expr::library::TYPE_NAMES;
use crate::expr::mistake::Mistake;
use crate::expr::node::Node;
use crate::expr::scope::Unresolved;
use crate::expr::types::Type;

impl Checker<'_> {
    /// The type that a name stands for. Names of the composition come first.
    pub(super) fn type_name(&self, name: &str) -> Option<Operand> {
        let known = TYPE_NAMES.iter().find(|known| **known == name)?;
        let first = name.split('.').next()?;
        let hidden = self.locals.iter().any(|local| local.name == first)
            || !matches!(self.scope.resolve(first), Err(Unresolved::Unknown));
        (!hidden).then(|| Operand::new(Node::Const(Value::Type(known)), Type::Type))
    }

    /// The type that a path stands for: `google.protobuf.Timestamp`.
    pub(super) fn qualified_type_name(&self, ast: &Ast) -> Option<Operand> {
        let Expression::Member { of, .. } = &ast.expression else { return None };
        // Paths are long and many; the name of a message has three parts.
        matches!(of.expression, Expression::Member { .. }).then(|| path(ast))?.and_then(|path| self.type_name(&path))
    }

    /// Reports an expression that gives nothing but a type: JSON has none, and a member was meant.
    pub(super) fn refuse_type(&mut self, ast: &Ast, ty: &Type) {
        if matches!(ty, Type::Type) {
            let message = "this is a type, and a type is no result";
            self.mistake(Mistake::new(ast.bytes(), message).help("compare it: `type(x) == string`"));
        }
    }
}

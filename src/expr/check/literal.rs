//! List and map literals.

use super::{Checker, Operand};
use crate::base::value::{Value, member_key};
use crate::expr::ast::{Ast, Item, Pair};
use crate::expr::mistake::Mistake;
use crate::expr::node::{Element, Entry, Node};
use crate::expr::types::Type;

impl Checker<'_> {
    pub(super) fn list(&mut self, items: &[Item]) -> Operand {
        let mut joined: Option<Type> = None;
        let mut elements = Vec::with_capacity(items.len());
        for item in items {
            let operand = self.operand(&item.value);
            let ty = self.entry_type(&operand.ty, &item.value, item.optional);
            joined = Some(joined.map_or(ty.clone(), |known| known.join(&ty)));
            elements.push(Element { value: operand.node, optional: item.optional });
        }
        let list = Operand::new(Node::List(elements.into()), Type::list(joined.unwrap_or(Type::Never)));
        let bytes = items.first().map_or(0..0, |item| item.value.bytes());
        self.folded(list, bytes)
    }

    pub(super) fn map(&mut self, ast: &Ast, pairs: &[Pair]) -> Operand {
        let mut joined: Option<Type> = None;
        let mut text_keys = true;
        let mut entries = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let key = self.operand(&pair.key);
            match &key.ty {
                Type::Text => {}
                Type::Int | Type::Uint | Type::Bool => text_keys = false,
                unknown if unknown.is_unknown() => text_keys = false,
                other => {
                    let message = format!("a key must be string, int, uint or bool, and this is {other}");
                    self.mistake(Mistake::new(pair.key.bytes(), message).help("write names in quotes: `{'name': …}`"));
                }
            }
            let value = self.operand(&pair.value);
            let ty = self.entry_type(&value.ty, &pair.value, pair.optional);
            joined = Some(joined.map_or(ty.clone(), |known| known.join(&ty)));
            let written = key.node.as_constant().and_then(Value::as_text).map(member_key);
            if written.is_some() && entries.iter().any(|entry: &Entry| entry.written == written) {
                self.mistake(Mistake::new(pair.key.bytes(), "the same key stands twice in this map"));
            }
            entries.push(Entry { key: key.node, written, value: value.node, optional: pair.optional });
        }
        // A map with other keys has no type of its own: its members are checked at run time.
        let ty = if text_keys { Type::map(joined.unwrap_or(Type::Never)) } else { Type::Dyn };
        let span = self.span(ast.bytes());
        self.folded(Operand::new(Node::Map(entries.into(), span), ty), ast.bytes())
    }

    /// The type that an element adds to its list or map.
    fn entry_type(&mut self, ty: &Type, ast: &Ast, optional: bool) -> Type {
        match ty {
            Type::Optional(held) if optional => (**held).clone(),
            Type::Dyn => Type::Dyn,
            other if optional => {
                let message = format!("`?` takes an optional, and this is {other}");
                self.mistake(Mistake::new(ast.bytes(), message).help("write it without `?`, or select it with `.?`"));
                Type::Dyn
            }
            other => other.clone(),
        }
    }
}

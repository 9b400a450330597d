//! Members and indexes.

use super::{Checker, Operand, Resolved, constant, guard};

use crate::base::value::Value;
use crate::expr::ast::{Ast, Expression, Name};
use crate::expr::library;
use crate::expr::mistake::Mistake;
use crate::expr::node::{Index, Missing, Node, OptionalStep, Step};
use crate::expr::spelling::advice;
use crate::expr::types::Type;

impl Checker<'_> {
    /// `of.name`.
    pub(super) fn member(&mut self, ast: &Ast, of: &Ast, name: &Name) -> Resolved {
        match self.resolve(of) {
            Resolved::Scope { scope, noun } => {
                let binding = self.bound(&*scope, noun, name);
                self.binding(binding, ast)
            }
            Resolved::Operand(base) => {
                let ty = self.member_type(&base.ty, name);
                let node = base.node.promised_member(&base.ty.written(&name.text), base.ty.promised(&name.text));
                let selected = constant::settled(Operand::new(node, ty));
                Resolved::Operand(self.known_present(selected, ast))
            }
        }
    }

    /// `of.?name`.
    pub(super) fn optional_member(&mut self, of: &Ast, name: &Name) -> Operand {
        let base = self.operand(of);
        let ty = self.optional_type(&base.ty, name);
        let step = OptionalStep { of: base.node, step: Step::member(base.ty.written(&name.text)) };
        Operand::new(Node::OptionalStep(Box::new(step)), ty)
    }

    /// `of[index]`, `of[?index]`.
    pub(super) fn index(&mut self, ast: &Ast, of: &Ast, index: &Ast, optional: bool) -> Resolved {
        let base = match (self.resolve(of), &index.expression) {
            (Resolved::Scope { scope, noun }, Expression::Literal(Value::Text(text))) => {
                let name = Name { text: text.to_string(), bytes: index.bytes() };
                let binding = self.bound(&*scope, noun, &name);
                return self.binding(binding, ast);
            }
            (Resolved::Scope { noun, .. }, _) => {
                let message = format!("which {noun} of `{}` is meant must be known at load", guard::written(of));
                self.mistake(Mistake::new(index.bytes(), message).help("write its name"));
                return Resolved::Operand(Operand::unknown());
            }
            (Resolved::Operand(base), _) => base,
        };
        let lenient = std::mem::take(&mut self.lenient);
        let by = self.operand(index);
        self.lenient = lenient;
        if !optional && let Some(selected) = self.constant_index(&base, index, &by) {
            return Resolved::Operand(self.known_present(selected, ast));
        }
        let ty = self.computed_type((of, &base), (index, &by), optional);
        let missing = if optional { Missing::Empty } else { Missing::Fails };
        let span = self.span(ast.bytes());
        let promised = base.ty.promised_inside().cloned();
        let node = Node::Index(Box::new(Index { of: base.node, index: by.node, missing, promised, span }));
        Resolved::Operand(self.folded(Operand::new(node, ty), ast.bytes()))
    }

    /// An index that is known at load makes a plain path.
    fn constant_index(&mut self, base: &Operand, index: &Ast, by: &Operand) -> Option<Operand> {
        match by.node.as_constant()? {
            Value::Text(name) => {
                let name = Name { text: name.to_string(), bytes: index.bytes() };
                let ty = match base.ty.present() {
                    Type::List(_) => return None,
                    _ => self.member_type(&base.ty, &name),
                };
                let (written, promised) = (base.ty.written(&name.text), base.ty.promised(&name.text));
                Some(constant::settled(Operand::new(base.node.clone().promised_member(&written, promised), ty)))
            }
            Value::Int(at) => {
                let element = match base.ty.present() {
                    Type::List(item) => item.found().nullable(),
                    Type::Dyn => Type::Dyn,
                    _ => return None,
                };
                Some(constant::settled(Operand::new(
                    base.node.clone().element(*at, base.ty.promised_inside().cloned()),
                    element,
                )))
            }
            _ => None,
        }
    }

    /// The type of `of[index]` with a computed index.
    fn computed_type(&mut self, of: (&Ast, &Operand), index: (&Ast, &Operand), optional: bool) -> Type {
        let (base, by) = (&of.1.ty, &index.1.ty);
        if base.needs_guard() && !optional && !self.lenient {
            self.refuse_null(of.0, "an index");
        }
        if (by.needs_guard() || matches!(by, Type::Null)) && !self.lenient {
            self.refuse_null(index.0, "`[ ]`");
        }
        let by = by.present();
        let number = by.is_number() || matches!(by, Type::Dyn | Type::Null);
        let key = number || matches!(by, Type::Text | Type::Bool);
        let (fits, ty) = match base.present() {
            Type::List(item) => (number, item.found()),
            Type::Map(value) => (key, value.found()),
            Type::Object(_) => (key, Type::Dyn),
            Type::Dyn => (key, Type::Dyn),
            Type::Optional(_) => (key, Type::Dyn.optional()),
            other => {
                let message = format!("`[ ]` takes a list or a map, not {other}");
                self.mistake(Mistake::new(of.0.bytes(), message));
                (true, Type::Dyn)
            }
        };
        if !fits {
            let message = format!("{by} is no index of {}", base.present());
            self.mistake(Mistake::new(index.0.bytes(), message));
        }
        match (optional, ty) {
            (true, ty @ Type::Optional(_)) | (false, ty) => ty,
            (true, ty) => ty.optional(),
        }
    }

    /// The type of a member selected optionally: a missing one is an empty optional, not null.
    fn optional_type(&mut self, base: &Type, name: &Name) -> Type {
        match base.present() {
            Type::Optional(held) => self.optional_type(held, name),
            Type::Map(value) if matches!(value.ty, Type::Optional(_)) => value.ty.clone(),
            Type::Map(value) => value.found().optional(),
            other => match self.member_type(other, name) {
                optional @ Type::Optional(_) => optional,
                member => member.optional(),
            },
        }
    }

    /// The type of a member, missing ones and null on the way counted in.
    pub(super) fn member_type(&mut self, base: &Type, name: &Name) -> Type {
        match base {
            Type::Dyn => Type::Dyn,
            Type::Null => Type::Null,
            Type::Map(value) => value.found().nullable(),
            Type::Nullable(inner) => self.member_type(inner, name).nullable(),
            Type::Optional(_) => self.optional_type(base, name),
            Type::Object(object) => object.member(&name.text).unwrap_or_else(|| {
                let members = object.members();
                let help = advice(&name.text, members.iter().map(String::as_str));
                let message = format!("{} has no member `{}`", object.name(), name.text);
                self.mistake(Mistake::new(name.bytes.clone(), message).help(help));
                Type::Dyn
            }),
            scalar => {
                self.mistake(no_members(scalar, name));
                Type::Dyn
            }
        }
    }
}

fn no_members(ty: &Type, name: &Name) -> Mistake {
    let text = name.text.as_str();
    let help = match (text, ty) {
        ("length" | "len" | "size" | "count", Type::List(_) | Type::Text | Type::Bytes) => "write `.size()`".to_owned(),
        _ if library::find(text).is_some() => format!("write `.{text}()`"),
        (_, Type::List(_)) => format!("take one element: `[0].{text}`, or all: `.map(x, x.{text})`"),
        _ => String::new(),
    };
    Mistake::new(name.bytes.clone(), format!("{ty} has no member `{text}`")).help(help)
}

//! Written values become programs: literals, expressions, text, lists, objects, `$each`. `$merge` is
//! in `merge.rs`.

use super::Planner;
use super::policies::refuse_identity;
use super::types::Members;
use super::unit::Value;
use crate::base::value;
use crate::expr::{self, Conditional, Member, Node, Numeral, Piece, Scope, TextPart, Type, with_local};
use crate::spec::{CONSTANTS, Each, Entry, List, Literal, Object, Scalar, Template};

/// What a failing expression does where a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaves {
    /// It fails what it stands in: arguments, bodies, defaults.
    Fail,
    /// It gives null and is reported: results.
    Null,
}

impl<'s> Planner<'s> {
    /// Compiles a written value.
    pub(super) fn template(&self, template: &Template, scope: &dyn Scope, path: &str) -> Value {
        self.written(template, scope, (path, Leaves::Fail))
    }

    /// Compiles a result: an expression in it that fails gives null and is reported.
    pub(super) fn result_template(&self, template: &Template, scope: &dyn Scope, path: &str) -> Value {
        self.written(template, scope, (path, Leaves::Null))
    }

    /// Compiles a written value; what its `$when` leaves out is an empty optional.
    pub(super) fn written(&self, template: &Template, scope: &dyn Scope, (path, leaves): (&str, Leaves)) -> Value {
        let value = self.unconditional(template, scope, (path, leaves));
        let Some(when) = written_when(template) else { return value };
        Value {
            node: Node::Conditional(Box::new(Conditional {
                when: self.condition(when, scope, path),
                then: value.node,
                otherwise: Node::Const(value::Value::Optional(None)),
                span: None,
            })),
            ty: value.ty.nullable(),
        }
    }

    /// Compiles a written value as if it had no `$when`.
    fn unconditional(&self, template: &Template, scope: &dyn Scope, (path, leaves): (&str, Leaves)) -> Value {
        match template {
            Template::Scalar(scalar) => {
                let mut value = self.scalar(scalar, scope, path);
                if leaves == Leaves::Null && can_fail(&value.node) {
                    // Its type stays: whoever meets the null of a failure fails in turn.
                    value.node = Node::Leaf(Box::new(value.node));
                }
                value
            }
            Template::List(list) => self.list(list, scope, (path, leaves)),
            Template::Object(object) => self.object(object, scope, (path, leaves)),
            Template::Each(each) => self.each(each, scope, (path, leaves)),
            Template::Merge(merge) => self.merge(merge, scope, (path, leaves)),
        }
    }

    fn list(&self, list: &List, scope: &dyn Scope, (path, leaves): (&str, Leaves)) -> Value {
        let compiled = |(index, item)| {
            let Value { node, ty } = self.written(item, scope, (&format!("{path}[{index}]"), leaves));
            // What its `$when` leaves out is no item, so that none is null because of it.
            (node, if written_when(item).is_some() { ty.present().clone() } else { ty })
        };
        let (items, types): (Vec<Node>, Vec<Type>) = list.items.iter().enumerate().map(compiled).unzip();
        Value { node: Node::Items(items.into()), ty: Type::list(Type::one_of(&types)) }
    }

    fn object(&self, object: &Object, scope: &dyn Scope, (path, leaves): (&str, Leaves)) -> Value {
        let mut members = Vec::with_capacity(object.entries.len());
        let mut types = Vec::with_capacity(object.entries.len());
        for Entry { key, value } in &object.entries {
            let path = format!("{path}.{}", key.value);
            // The member decides for the object that it holds: without it there is no key.
            let when = written_when(value).map(|when| self.condition(when, scope, &path));
            let compiled = self.unconditional(value, scope, (&path, leaves));
            types.push((key.value.clone(), if when.is_some() { compiled.ty.nullable() } else { compiled.ty }));
            members.push(Member { when, ..Member::new(key.value.as_str(), compiled.node) });
        }
        Value { node: Node::Object(members.into()), ty: Members::of("the object", types) }
    }

    fn each(&self, each: &Each, scope: &dyn Scope, (path, leaves): (&str, Leaves)) -> Value {
        let list = self.scalar(&each.list, scope, &format!("{path}.$each"));
        let item = match list.ty.present() {
            Type::List(item) => item.found(),
            Type::Dyn => Type::Dyn,
            other => {
                let message = format!("`$each` needs a list, and this is {other}");
                let path = format!("{path}.$each");
                self.report.error("wrong-type", (&each.list.place, &path), message, String::new());
                Type::Dyn
            }
        };
        let name = each.name.as_ref().map_or("item", |name| name.value.as_str());
        if let Some(name) = &each.name {
            self.check_new_name(name, scope, path);
        }
        let local = with_local(scope, name, item);
        let when = each.when.as_ref().map(|when| self.condition(when, &local, &format!("{path}.$when")));
        let body = self.written(&each.body, &local, (&format!("{path}.$as"), leaves));
        let ty = Type::list(body.ty);
        Value {
            node: Node::Each {
                list: Box::new(list.node.walked(&list.ty)),
                local: local.local(),
                when: when.map(Box::new),
                body: Box::new(body.node),
            },
            ty: if list.ty.may_be_null() { ty.nullable() } else { ty },
        }
    }

    /// A new name must hide nothing.
    pub(super) fn check_new_name(&self, name: &crate::spec::Located<String>, scope: &dyn Scope, path: &str) {
        let taken = scope.names().contains(&name.value);
        let reserved = expr::is_word(&name.value) || RESERVED.contains(&name.value.as_str());
        if taken || reserved {
            let why = if taken { "already stands for something here" } else { "is a word of the language" };
            let message = format!("`{}` {why}", name.value);
            self.report.error("name-taken", (&name.place, path), message, "choose another name".to_owned());
        }
    }

    /// Compiles a condition.
    pub(super) fn condition(&self, scalar: &Scalar, scope: &dyn Scope, path: &str) -> Node {
        let value = self.scalar(scalar, scope, path);
        match value.ty {
            Type::Bool => value.node,
            unknown if unknown.is_unknown() => value.node,
            other => {
                let message = format!("a condition is true or false, and this is {other}");
                let help = match other {
                    Type::Nullable(_) => "write `default(…, false)` for what null means here",
                    _ => "compare it, as in `${x != null}`",
                };
                self.report.error("wrong-type", (&scalar.place, path), message, help.to_owned());
                Node::NULL
            }
        }
    }

    /// Compiles a scalar: a literal, one expression, or text with expressions in it.
    pub(super) fn scalar(&self, scalar: &Scalar, scope: &dyn Scope, path: &str) -> Value {
        let text = match &scalar.value {
            Literal::Null => return Value { node: Node::NULL, ty: Type::Null },
            Literal::Bool(value) => return Value { node: Node::Const(value::Value::Bool(*value)), ty: Type::Bool },
            Literal::Number(text) => {
                let value = number(text);
                if matches!(value.node, Node::Const(value::Value::Double(double)) if !double.is_finite()) {
                    let message = format!("the number `{text}` is too large for a double");
                    let help = "write it as text, in quotes".to_owned();
                    self.report.error("wrong-type", (&scalar.place, path), message, help);
                }
                return as_written(value, text);
            }
            Literal::Text(text) => text,
        };
        let pieces = match expr::split(text) {
            Ok(pieces) => pieces,
            Err(mistake) => {
                self.report.mistakes("expression", (scalar, 0), path, vec![mistake]);
                return Value::unknown();
            }
        };
        match &pieces[..] {
            [] => Value { node: Node::text(""), ty: Type::Text },
            [Piece::Text(text)] => Value { node: Node::text(text.as_str()), ty: Type::Text },
            [Piece::Expression(bytes)] => self.expression(scalar, (text, bytes.clone()), scope, path),
            pieces => {
                let part = |piece: &Piece| match piece {
                    Piece::Text(text) => TextPart::Literal(text.as_str().into()),
                    Piece::Expression(bytes) => {
                        TextPart::Value(self.expression(scalar, (text, bytes.clone()), scope, path).node)
                    }
                };
                Value { node: Node::Text(pieces.iter().map(part).collect()), ty: Type::Text }
            }
        }
    }

    pub(super) fn expression(
        &self,
        scalar: &Scalar,
        (text, bytes): (&str, std::ops::Range<usize>),
        scope: &dyn Scope,
        path: &str,
    ) -> Value {
        let find = |function: &str, arguments: (&str, Option<&str>)| {
            crate::spec::constant_text(function, arguments, self.look_up)
        };
        let wrong = |code, mistakes: Vec<expr::Mistake>| {
            self.report.mistakes(code, (scalar, bytes.start), path, mistakes);
            Value::unknown()
        };
        let ast = match expr::parse(&text[bytes.clone()]) {
            Ok(ast) => ast,
            Err(mistakes) => return wrong("expression", mistakes),
        };
        let ast = match ast.with_texts(CONSTANTS, &find) {
            Ok(ast) => ast,
            Err(mistakes) => return wrong("constant", mistakes),
        };
        match expr::check(&ast, scope) {
            Ok(mut typed) => {
                if let Some(used) = ast.first_use("identity") {
                    let place = scalar.place_of(bytes.start + used.start..bytes.start + used.end);
                    refuse_identity(&self.report, (&place, path));
                }
                self.report.warnings("expression", (scalar, bytes.start), path, std::mem::take(&mut typed.warnings));
                typed.into()
            }
            Err(mistakes) => wrong("expression", mistakes),
        }
    }
}

/// The `$when` of an object. That of `$each` filters its items and is none.
fn written_when(template: &Template) -> Option<&Scalar> {
    match template {
        Template::Object(object) => object.when.as_ref(),
        Template::Merge(merge) => merge.when.as_ref(),
        Template::Scalar(_) | Template::List(_) | Template::Each(_) => None,
    }
}

/// Names that the language gives a meaning.
const RESERVED: &[&str] = &[
    "args", "steps", "request", "identity", "parent", "keys", "reply", "meta", "index", "event", "last", "replies",
    "env", "file",
];

/// Plain paths and constants cannot fail.
fn can_fail(node: &Node) -> bool {
    if let Node::Outcome { done, otherwise, .. } = node {
        return can_fail(done) || can_fail(otherwise);
    }
    !matches!(
        node,
        Node::Const(_)
            | Node::Named(_)
            | Node::Numeral(_)
            | Node::Path { .. }
            | Node::Local { .. }
            | Node::Object(_)
            | Node::Leaf(_)
            | Node::Merge(_)
    )
}

/// A number that keeps the text that it is written with, where that would be lost.
fn as_written(value: Value, text: &str) -> Value {
    let Node::Const(number) = &value.node else { return value };
    match Numeral::of(number.clone(), text) {
        Some(numeral) => Value { node: Node::Numeral(Box::new(numeral)), ..value },
        None => value,
    }
}

/// The number that a text is.
pub(super) fn number(text: &str) -> Value {
    match (text.parse::<i64>(), text.parse::<u64>(), text.parse::<f64>()) {
        (Ok(whole), ..) => Value { node: Node::Const(value::Value::Int(whole)), ty: Type::Int },
        (_, Ok(whole), _) => Value { node: Node::Const(value::Value::Uint(whole)), ty: Type::Uint },
        (.., Ok(double)) => Value { node: Node::Const(value::Value::Double(double)), ty: Type::Double },
        _ => Value { node: Node::text(text), ty: Type::Text },
    }
}

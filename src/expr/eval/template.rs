//! Template nodes, and writing any node as JSON.

use super::{Machine, Slot, constant, not_a_number, path};
use crate::base::value::{Kind, Sink, Text, Value, View};
use crate::expr::error::{ErrorKind, EvalError};
use crate::expr::eval::{Env, Written};
use crate::expr::library::{display, kind_name};
use crate::expr::node::{Demand, Element, Inspected, LocalId, Member, Node, TextPart};

/// A value as part of a text: text and untyped numbers as they are, other scalars as `string`
/// gives them.
///
/// # Errors
/// [`ErrorKind::MissingValue`] for null and the empty optional; [`ErrorKind::Type`] for what has
/// no text: bytes, lists, maps.
pub fn text_of<'a>(value: &Value<'a>) -> Result<Text<'a>, EvalError> {
    match value {
        Value::Null | Value::Optional(None) => {
            Err(EvalError::new(ErrorKind::MissingValue, "a value that this text needs is null or absent"))
        }
        Value::Optional(Some(held)) => text_of(held),
        // A number that no contract types is only passed on here: it keeps its text.
        Value::View(view) if view.kind() == Kind::Number => Ok(Text::Borrowed(view.raw())),
        other => display(other).ok_or_else(|| {
            let kind = kind_name(other.kind());
            EvalError::new(
                ErrorKind::Type,
                format!("{kind} cannot stand inside text; convert it with string(…) or json(…)"),
            )
        }),
    }
}

/// One item of [`Node::Each`] and what becomes of it.
struct EachItem<'a> {
    local: LocalId,
    when: Option<&'a Node>,
    body: &'a Node,
}

impl<'a, E: Env + ?Sized> Machine<'a, '_, E> {
    /// The value of a template node.
    pub(super) fn template(&mut self, node: &'a Node) -> Result<Value<'a>, EvalError> {
        match node {
            Node::Object(members) => self.object(members),
            Node::Each { list, local, when, body } => {
                let list = self.eval(list)?;
                if list.is_null() {
                    return Ok(Value::Null);
                }
                let each = EachItem { local: local.id, when: when.as_deref(), body };
                let mut made = Vec::new();
                self.each(&list, &each, &mut |machine| {
                    machine.env.budget().make_list(1)?;
                    made.extend(present(machine.eval(body)?));
                    Ok(())
                })?;
                Ok(Value::List(made.into()))
            }
            Node::Items(nodes) => {
                let mut made = Vec::with_capacity(nodes.len());
                for node in nodes {
                    made.extend(present(self.eval(node)?));
                }
                Ok(Value::List(made.into()))
            }
            Node::Merge(merge) => self.merge(merge),
            Node::Text(parts) => self.text(parts).map(|text| Value::Text(text.into())),
            Node::Leaf(inner) => Ok(self.eval(inner).unwrap_or_else(|error| {
                self.failures.push(error);
                Value::Null
            })),
            Node::Inspected(inspected) => self.inspected(inspected).map(Slot::value),
            Node::Outcome { var, done, otherwise } => {
                let side = if self.is_done(*var) { done } else { otherwise };
                self.eval(side)
            }
            // Every other node is no template; `eval` sends none here.
            _ => Ok(Value::Null),
        }
    }

    pub(super) fn object(&mut self, members: &'a [Member]) -> Result<Value<'a>, EvalError> {
        let mut made = Vec::with_capacity(members.len());
        for member in members {
            if self.takes(member)? {
                let value = present(self.eval(&member.value)?);
                made.extend(value.map(|value| (Value::text(&member.name), value)));
            }
        }
        Ok(Value::Map(made.into()))
    }

    pub(super) fn takes(&mut self, member: &'a Member) -> Result<bool, EvalError> {
        member.when.as_ref().map_or(Ok(true), |when| self.condition(when))
    }

    pub(super) fn is_done(&self, var: crate::expr::Var) -> bool {
        matches!(self.env.var(var), Value::Bool(true))
    }

    /// Does something for every item of a list that its condition lets through.
    fn each(
        &mut self,
        list: &Value<'a>,
        each: &EachItem<'a>,
        take: &mut dyn FnMut(&mut Self) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        let mut one = |machine: &mut Self, slot| {
            machine.spend(1)?;
            machine.with(each.local, slot, |machine| {
                let taken = each.when.map_or(Ok(true), |when| machine.condition(when))?;
                if taken { take(machine) } else { Ok(()) }
            })
        };
        if let Value::View(view) = list
            && view.kind() == Kind::Array
        {
            return view.elements().try_for_each(|item| one(self, Slot::View(item)));
        }
        let no_list =
            || EvalError::new(ErrorKind::Type, format!("`$each` takes a list, not {}", kind_name(list.kind())));
        list.elements().ok_or_else(no_list)?.try_for_each(|item| one(self, Slot::Value(item)))
    }

    fn text(&mut self, parts: &'a [TextPart]) -> Result<String, EvalError> {
        let mut out = String::new();
        for part in parts {
            match part {
                TextPart::Literal(text) => out.push_str(text),
                TextPart::Value(node) => {
                    let value = self.eval(node)?;
                    let text = text_of(&value)?;
                    self.env.budget().make_text(text.len())?;
                    out.push_str(&text);
                }
            }
        }
        Ok(out)
    }

    /// Writes a part of a result: null where it fails, and the failure is noted.
    fn write_leaf<S: Sink>(&mut self, inner: &'a Node, out: &mut S) -> Result<Written, EvalError> {
        let mark = out.mark();
        self.write(inner, out).or_else(|error| {
            out.rewind(mark);
            out.null();
            self.failures.push(error);
            Ok(Written::Present)
        })
    }

    /// A value that was looked at. A node of a document stays one.
    pub(super) fn inspected(&mut self, inspected: &'a Inspected) -> Result<Slot<'a>, EvalError> {
        let Inspected { node, demand, promised } = inspected;
        let slot = match node {
            Node::Path { .. } | Node::Local { .. } => self.found(node),
            node => Slot::Value(self.eval(node)?),
        };
        let value = slot.clone().value();
        if let Value::View(view) = value {
            self.repeats(view)?;
        }
        meets(&value, demand)?;
        if let Some(promised) = promised {
            promised.look_through(&value, &self.drifted());
        }
        Ok(slot)
    }

    /// Writes a value that is looked at; a part of a reply is copied from where it stands.
    fn write_inspected<S: Sink>(&mut self, inspected: &'a Inspected, out: &mut S) -> Result<Written, EvalError> {
        match self.inspected(inspected)? {
            Slot::View(view) => {
                out.view(view);
                Ok(Written::Present)
            }
            Slot::Value(value) => {
                self.env.budget().write(&value)?;
                put(&value, out)
            }
        }
    }

    /// Writes the value of a node.
    pub(super) fn write<S: Sink>(&mut self, node: &'a Node, out: &mut S) -> Result<Written, EvalError> {
        match node {
            Node::Const(value) => return put(&constant(value), out),
            Node::Named(named) => return put(&constant(&named.value), out),
            Node::Numeral(numeral) => out.view(numeral.view()),
            Node::Path { .. } | Node::Local { .. } => match self.found(node) {
                Slot::View(view) => {
                    self.repeats(view)?;
                    out.view(view);
                }
                Slot::Value(value) => return put(&value, out),
            },
            Node::Object(members) => self.write_object(members, out)?,
            Node::Each { list, local, when, body } => {
                let each = EachItem { local: local.id, when: when.as_deref(), body };
                self.write_each(list, &each, out)?;
            }
            Node::Items(nodes) => {
                out.begin_array();
                for node in nodes {
                    self.write(node, out)?;
                }
                out.end_array();
            }
            Node::List(elements) if elements.iter().all(|element| !element.optional) => {
                self.write_list(elements, out)?;
            }
            Node::Map(entries, span) if entries.iter().all(|entry| entry.written.is_some()) => {
                self.write_map(entries, out).map_err(|error| error.at(*span))?;
            }
            Node::Merge(merge) => return self.write_merge(merge, out),
            Node::Text(parts) => out.text(Kind::String, &self.text(parts)?),
            Node::Leaf(inner) => return self.write_leaf(inner, out),
            Node::Inspected(inspected) => return self.write_inspected(inspected, out),
            Node::Outcome { var, done, otherwise } => {
                let side = if self.is_done(*var) { done } else { otherwise };
                return self.write(side, out);
            }
            Node::Conditional(conditional) => {
                let taken = self.condition(&conditional.when).map_err(|error| error.at(conditional.span))?;
                return self.write(if taken { &conditional.then } else { &conditional.otherwise }, out);
            }
            Node::Comprehension(comprehension) => match self.write_comprehension(comprehension, out) {
                Some(written) => written.map_err(|error| error.at(comprehension.span))?,
                None => return put(&self.eval(node)?, out),
            },
            other => {
                let value = self.eval(other)?;
                self.env.budget().write(&value)?;
                return put(&value, out);
            }
        }
        Ok(Written::Present)
    }

    /// Takes what writing or looking through a part of a reply costs where that may happen over and over: for
    /// each item of a list, or in lists and maps that an expression writes out.
    fn repeats(&self, view: View<'_>) -> Result<(), EvalError> {
        if self.locals.is_empty() && !self.made { Ok(()) } else { self.env.budget().look_at(view.raw_len()) }
    }

    /// Writes what stands in a list or map that an expression writes out.
    pub(super) fn write_made<S: Sink>(&mut self, node: &'a Node, out: &mut S) -> Result<Written, EvalError> {
        let around = std::mem::replace(&mut self.made, true);
        let written = self.write(node, out);
        self.made = around;
        written
    }

    /// What stands at the end of a plain path; a node of a document stays one.
    pub(super) fn found(&self, node: &'a Node) -> Slot<'a> {
        let drifted = self.drifted();
        let in_document = |view, steps| path::view(view, steps, &drifted).map_or(Slot::Value(Value::Null), Slot::View);
        match node {
            Node::Path { var, steps } => match self.env.view(*var).map_or_else(|| self.env.var(*var), Value::View) {
                Value::View(view) => in_document(view, steps),
                other => Slot::Value(path::walk(&other, steps, &drifted)),
            },
            Node::Local { id, steps } => match self.local(*id) {
                Some(Slot::View(view) | Slot::Value(Value::View(view))) => in_document(*view, steps),
                Some(Slot::Value(value)) => Slot::Value(path::walk(value, steps, &drifted)),
                None => Slot::Value(Value::Null),
            },
            // Nothing else is a plain path.
            _ => Slot::Value(Value::Null),
        }
    }

    pub(super) fn write_object<S: Sink>(&mut self, members: &'a [Member], out: &mut S) -> Result<(), EvalError> {
        out.begin_object();
        for member in members {
            if self.takes(member)? {
                let mark = out.mark();
                out.key(&member.key);
                if self.write(&member.value, out)? == Written::Absent {
                    out.rewind(mark);
                }
            }
        }
        out.end_object();
        Ok(())
    }

    fn write_each<S: Sink>(&mut self, list: &'a Node, each: &EachItem<'a>, out: &mut S) -> Result<(), EvalError> {
        let list = self.eval(list)?;
        if list.is_null() {
            out.null();
            return Ok(());
        }
        out.begin_array();
        self.each(&list, each, &mut |machine| machine.write(each.body, out).map(|_| ()))?;
        out.end_array();
        Ok(())
    }

    fn write_list<S: Sink>(&mut self, elements: &'a [Element], out: &mut S) -> Result<(), EvalError> {
        out.begin_array();
        for element in elements {
            if self.write_made(&element.value, out)? == Written::Absent {
                out.null();
            }
        }
        out.end_array();
        Ok(())
    }
}

/// Goes on where nothing is null that must not be.
fn meets(value: &Value<'_>, demand: &Demand) -> Result<(), EvalError> {
    let wrong = || EvalError::new(ErrorKind::Required, "a value is null where its type says that it is not");
    demand.is_met(value).then_some(()).ok_or_else(wrong)
}

/// The value unless it is an empty optional; what a full one holds.
pub(super) fn present(value: Value<'_>) -> Option<Value<'_>> {
    match value {
        Value::Optional(held) => held.map(|held| (*held).clone()),
        other => Some(other),
    }
}

/// Writes a value; an empty optional is absent.
pub(super) fn put<S: Sink>(value: &Value<'_>, out: &mut S) -> Result<Written, EvalError> {
    if matches!(value, Value::Optional(None)) {
        return Ok(Written::Absent);
    }
    out.value(value).map_err(not_a_number)?;
    Ok(Written::Present)
}

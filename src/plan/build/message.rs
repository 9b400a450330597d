//! Messages of gRPC calls, checked against their proto while they are compiled.

use super::template::Leaves;
use super::types;
use super::unit::{Unit, Value};
use crate::base::diagnostic::did_you_mean;
use crate::descriptor::{Cardinality, FieldDescriptor, Kind, MessageDescriptor};
use crate::expr::{Member, Node, Scope, Type};
use crate::spec::{Located, Object, Template};

impl Unit<'_, '_> {
    /// Compiles a message: every member must be a field, every value must fit it.
    pub(super) fn message(
        &self,
        template: &Template,
        message: &MessageDescriptor,
        scope: &dyn Scope,
        path: &str,
    ) -> Node {
        match template {
            Template::Object(object) if object.when.is_none() && !is_json(message) => {
                self.message_object(object, message, scope, path)
            }
            Template::Merge(merge) if merge.when.is_none() && !is_json(message) => {
                let part = |part: &Template, path: &str| {
                    let ty = self.planner.template(part, scope, path).ty;
                    Value { node: self.message(part, message, scope, path), ty }
                };
                self.planner.merged(merge, part, (path, Leaves::Fail)).node
            }
            other => {
                let value = self.planner.template(other, scope, path);
                self.check_members(other, message, path);
                if matches!(
                    value.ty.present(),
                    Type::Bool | Type::Int | Type::Uint | Type::Double | Type::Text | Type::List(_)
                ) && !is_json(message)
                    && !types::is_wrapper(message.full_name())
                    && !is_text(message)
                {
                    let error = format!("{} is not the message `{}`", value.ty, message.full_name());
                    self.planner.report.error("wrong-type", (other.place(), path), error, String::new());
                }
                value.node
            }
        }
    }

    fn message_object(&self, object: &Object, message: &MessageDescriptor, scope: &dyn Scope, path: &str) -> Node {
        let mut members = Vec::with_capacity(object.entries.len());
        for entry in &object.entries {
            let name = &entry.key.value;
            let path = format!("{path}.{name}");
            let Some(field) = self.field_of(message, &entry.key, &path) else { continue };
            members.push(Member::new(field.json_name(), self.field(&entry.value, &field, scope, &path)));
        }
        Node::Object(members.into())
    }

    /// The field of a message that a member is; says so when there is none.
    fn field_of(&self, message: &MessageDescriptor, name: &Located<String>, path: &str) -> Option<FieldDescriptor> {
        let found = message.field_named(&name.value);
        if found.is_none() {
            let known: Vec<String> = message.fields().map(|field| field.name().to_owned()).collect();
            let error = format!("the message `{}` has no field `{}`", message.full_name(), name.value);
            let help = did_you_mean(&name.value, known.iter().map(String::as_str));
            self.planner.report.error("unknown-field", (&name.place, path), error, help);
        }
        found
    }

    /// Checks the members of messages that are written inside `$each`, a map, or beside `$when`: there the value
    /// is compiled whole.
    fn check_members(&self, template: &Template, message: &MessageDescriptor, path: &str) {
        match template {
            Template::Object(object) if !is_json(message) => {
                for entry in &object.entries {
                    let path = format!("{path}.{}", entry.key.value);
                    if let Some(field) = self.field_of(message, &entry.key, &path) {
                        self.check_members_of(&entry.value, &field, &path);
                    }
                }
            }
            Template::List(list) => {
                list.items.iter().enumerate().for_each(|(index, item)| {
                    self.check_members(item, message, &format!("{path}[{index}]"));
                });
            }
            Template::Each(each) => self.check_members(&each.body, message, &format!("{path}.$as")),
            Template::Merge(merge) => {
                merge.parts.iter().for_each(|part| self.check_members(part, message, path));
            }
            _ => {}
        }
    }

    fn check_members_of(&self, template: &Template, field: &FieldDescriptor, path: &str) {
        let Kind::Message(message) = field.kind() else { return };
        match (template, field.is_map()) {
            (_, false) => self.check_members(template, &message, path),
            (Template::Object(entries), true) => {
                let Some(value) = message.field(2) else { return };
                for entry in &entries.entries {
                    self.check_members_of(&entry.value, &value, &format!("{path}.{}", entry.key.value));
                }
            }
            (_, true) => {}
        }
    }

    fn field(&self, template: &Template, field: &FieldDescriptor, scope: &dyn Scope, path: &str) -> Node {
        let single = !field.is_map() && field.cardinality() != Cardinality::Repeated;
        if let (Kind::Message(inner), true, Template::Object(_) | Template::Merge(_)) = (field.kind(), single, template)
        {
            return self.message(template, &inner, scope, path);
        }
        if let (Kind::Message(inner), Cardinality::Repeated, false, Template::List(list)) =
            (field.kind(), field.cardinality(), field.is_map(), template)
        {
            let item =
                |(index, item): (usize, &Template)| self.message(item, &inner, scope, &format!("{path}[{index}]"));
            return Node::Items(list.items.iter().enumerate().map(item).collect());
        }
        let mut value = self.planner.template(template, scope, path);
        if let (Kind::Bool, true) = (field.kind(), single) {
            value = super::template::expected(value, &Type::Bool);
        }
        self.check_members_of(template, field, path);
        let error = |message: String, help: String| {
            self.planner.report.error("wrong-type", (template.place(), path), message, help);
        };
        if !fits(&value, field) {
            let found = format!("the field `{}` takes {}, and this is {}", field.name(), wanted(field), value.ty);
            error(found, String::new());
        } else if let Some((message, help)) = written_wrong(&value, field) {
            error(message, help);
        }
        value.node
    }
}

/// Whether a value can become a field by the rules of ProtoJSON, as far as its type tells.
fn fits(value: &Value, field: &FieldDescriptor) -> bool {
    let ty = value.ty.present();
    if let Type::Dyn | Type::Null | Type::Optional(_) = ty {
        return true;
    }
    if field.is_map() {
        return matches!(ty, Type::Map(_) | Type::Object(_));
    }
    match (field.cardinality(), ty) {
        (Cardinality::Repeated, Type::List(item)) => fits_kind(item.present(), &field.kind()),
        (Cardinality::Repeated, _) => false,
        (_, ty) => fits_kind(ty, &field.kind()),
    }
}

fn fits_kind(ty: &Type, kind: &Kind) -> bool {
    match (ty, kind) {
        (Type::Dyn | Type::Null | Type::Optional(_), _) => true,
        (Type::Object(object), Kind::Message(message)) => {
            is_json(message) || !object_is_other_message(object.name(), message)
        }
        (Type::Map(_), Kind::Message(_)) => true,
        (ty, Kind::Message(message)) if types::is_wrapper(message.full_name()) => {
            message.field(1).is_none_or(|value| fits_kind(ty, &value.kind()))
        }
        (Type::Timestamp | Type::Duration | Type::Text, Kind::Message(message)) => is_text(message) || is_json(message),
        (_, Kind::Message(message)) => is_json(message),
        (Type::Bool, kind) => matches!(kind, Kind::Bool),
        (Type::Text, kind) => !matches!(kind, Kind::Bool),
        (Type::Bytes, kind) => matches!(kind, Kind::Bytes),
        (Type::Int | Type::Uint | Type::Double, kind) => !matches!(kind, Kind::Bool | Kind::String | Kind::Bytes),
        _ => false,
    }
}

/// What is wrong with a text that is written out for a field of another type.
fn written_wrong(value: &Value, field: &FieldDescriptor) -> Option<(String, String)> {
    let text = value.node.known()?.as_text()?.to_owned();
    // What a constant of the environment holds is not shown.
    let shown = match &value.node {
        Node::Named(named) => &*named.written,
        _ => &text,
    };
    match field.kind() {
        Kind::Enum(of) => {
            let known: Vec<&str> = of.values().iter().map(|value| &*value.name).collect();
            let message = format!("the enum `{}` has no value `{shown}`", of.full_name());
            let help = did_you_mean(shown, known.iter().copied());
            (!known.contains(&&*text)).then_some((message, help))
        }
        kind @ (Kind::Int32
        | Kind::Int64
        | Kind::Uint32
        | Kind::Uint64
        | Kind::Sint32
        | Kind::Sint64
        | Kind::Fixed32
        | Kind::Fixed64
        | Kind::Sfixed32
        | Kind::Sfixed64
        | Kind::Double
        | Kind::Float) => {
            let special =
                matches!((&kind, text.as_str()), (Kind::Double | Kind::Float, "NaN" | "Infinity" | "-Infinity"));
            let message =
                format!("the field `{}` takes {}, and this is the text `{shown}`", field.name(), wanted(field));
            (text.parse::<f64>().is_err() && !special).then_some((message, String::new()))
        }
        _ => None,
    }
}

/// A message of a reply handed on where another message is wanted.
fn object_is_other_message(name: &str, message: &MessageDescriptor) -> bool {
    name != message.full_name() && message.parent_pool().message(name).is_some()
}

/// Messages that take any JSON of their kind.
fn is_json(message: &MessageDescriptor) -> bool {
    matches!(
        message.full_name(),
        "google.protobuf.Struct" | "google.protobuf.Value" | "google.protobuf.ListValue" | "google.protobuf.Any"
    )
}

/// Messages that text stands for.
fn is_text(message: &MessageDescriptor) -> bool {
    matches!(
        message.full_name(),
        "google.protobuf.Timestamp" | "google.protobuf.Duration" | "google.protobuf.FieldMask"
    )
}

fn wanted(field: &FieldDescriptor) -> String {
    let single = match field.kind() {
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(of) => of.full_name().to_owned(),
        kind => format!("{kind:?}").to_lowercase(),
    };
    if field.is_map() {
        return "a map".to_owned();
    }
    if field.cardinality() == Cardinality::Repeated { format!("a list of {single}") } else { single }
}

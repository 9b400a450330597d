//! Proto messages as declared types: what their ProtoJSON holds
//! (protobuf.dev/programming-guides/json).

use std::sync::Arc;

use super::{Declared, DeclaredMember, DeclaredObject, DeclaredScalar};
use crate::base::diagnostic::did_you_mean;
use crate::base::value::Value;
use crate::descriptor::{Cardinality, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use crate::expr::Type;

/// What a message declares.
pub fn of_message(message: &MessageDescriptor) -> Declared {
    let full_name = message.full_name();
    let Some(well_known) = full_name.strip_prefix("google.protobuf.") else {
        return Declared::Object(Arc::new(Message(message.clone())));
    };
    match well_known {
        "Any" | "Value" => Declared::Anything,
        "Struct" => Declared::Map(Arc::new(Declared::Anything)),
        "ListValue" => Declared::List(Arc::new(Declared::Anything)),
        "Timestamp" => scalar(Text::Timestamp),
        "Duration" => scalar(Text::Duration),
        "FieldMask" => scalar(Text::FieldMask),
        // Wrappers stand for a scalar or null.
        name if name.ends_with("Value") => match message.field(1) {
            Some(value) => Declared::Nullable(Arc::new(of_kind(&value.kind()))),
            None => Declared::Anything,
        },
        _ => Declared::Object(Arc::new(Message(message.clone()))),
    }
}

/// What an enumeration declares.
pub fn of_enum(of: &EnumDescriptor) -> Declared {
    scalar(ProtoScalar(Kind::Enum(of.clone())))
}

fn of_field(field: &FieldDescriptor) -> Declared {
    if field.is_map() {
        let Kind::Message(entry) = field.kind() else { return Declared::Anything };
        let value = entry.field(2).map_or(Declared::Anything, |value| of_kind(&value.kind()));
        return Declared::Map(Arc::new(value));
    }
    match field.cardinality() {
        Cardinality::Repeated => Declared::List(Arc::new(of_kind(&field.kind()))),
        _ => of_kind(&field.kind()),
    }
}

fn of_kind(kind: &Kind) -> Declared {
    match kind {
        Kind::Message(message) => of_message(message),
        kind => scalar(ProtoScalar(kind.clone())),
    }
}

fn scalar(of: impl DeclaredScalar + 'static) -> Declared {
    Declared::Scalar(Arc::new(of))
}

#[derive(Debug)]
struct Message(MessageDescriptor);

impl DeclaredObject for Message {
    fn name(&self) -> String {
        self.0.full_name().to_owned()
    }

    fn member(&self, name: &str) -> Option<DeclaredMember> {
        let field = self.0.field_named(name)?;
        Some(DeclaredMember { declared: of_field(&field), required: false })
    }

    fn members(&self) -> Vec<String> {
        self.0.fields().map(|field| field.name().to_owned()).collect()
    }

    fn clash(&self, members: &[&str]) -> Option<(String, String)> {
        let mut set: Vec<(u32, &str)> = Vec::new();
        for name in members {
            let Some(oneof) = self.0.field_named(name).and_then(|field| field.oneof()) else { continue };
            if let Some((_, before)) = set.iter().find(|(known, _)| *known == oneof) {
                let called = self.0.oneofs().nth(oneof as usize).unwrap_or_default();
                let message = format!("`{before}` is there, and the oneof `{called}` holds one member only");
                return Some(((*name).to_owned(), message));
            }
            set.push((oneof, name));
        }
        None
    }

    fn unknown(&self, name: &str) -> String {
        format!("the message `{}` has no field `{name}`", self.0.full_name())
    }
}

/// Messages that text stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Timestamp,
    Duration,
    FieldMask,
}

impl DeclaredScalar for Text {
    fn name(&self) -> String {
        format!("google.protobuf.{self:?}")
    }

    fn takes(&self, found: &Type) -> bool {
        match found {
            Type::Text => true,
            Type::Timestamp => *self == Self::Timestamp,
            Type::Duration => *self == Self::Duration,
            _ => false,
        }
    }
}

#[derive(Debug)]
struct ProtoScalar(Kind);

impl DeclaredScalar for ProtoScalar {
    fn name(&self) -> String {
        match &self.0 {
            Kind::Enum(of) => of.full_name().to_owned(),
            kind => format!("{kind:?}").to_lowercase(),
        }
    }

    fn takes(&self, found: &Type) -> bool {
        match &self.0 {
            Kind::Bool => matches!(found, Type::Bool),
            Kind::String => matches!(found, Type::Text),
            Kind::Bytes => matches!(found, Type::Text | Type::Bytes),
            // ProtoJSON takes numbers as text too, and enums by number.
            _ => found.is_number() || matches!(found, Type::Text),
        }
    }

    fn refuses(&self, written: &Value<'_>) -> Option<(String, String)> {
        let text = written.as_text()?;
        match &self.0 {
            Kind::Enum(of) => unknown_value(of, text),
            Kind::Bool | Kind::String | Kind::Bytes => None,
            Kind::Double | Kind::Float if matches!(text, "NaN" | "Infinity" | "-Infinity") => None,
            _ if text.parse::<f64>().is_ok() => None,
            _ => Some((format!("{} is declared here, and this is the text `{text}`", self.name()), String::new())),
        }
    }
}

fn unknown_value(of: &EnumDescriptor, text: &str) -> Option<(String, String)> {
    let known: Vec<&str> = of.values().iter().map(|value| &*value.name).collect();
    let message = || format!("the enum {} has no value `{text}`", of.full_name());
    (!known.contains(&text)).then(|| (message(), did_you_mean(text, known.iter().copied())))
}

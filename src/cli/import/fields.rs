//! Arguments of endpoints, and the messages that they are put into.

use std::collections::BTreeSet;

use crate::descriptor::{FieldDescriptor, Kind, MessageDescriptor};
use crate::spec::is_reserved;

/// How deeply fields of messages inside a message become parameters of a query.
const DEPTH: usize = 3;

/// An argument of an endpoint.
#[derive(Debug)]
pub(super) struct Arg {
    pub(super) name: String,
    /// What stands behind its name, in YAML.
    pub(super) written: String,
}

/// A message as it is written, or a value in one.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// What the whole of it is, before its members.
    pub(super) whole: Option<Said>,
    pub(super) members: Vec<(String, Written)>,
}

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Said {
    /// An expression, or text with expressions, that every request says.
    Always(String),
    /// An argument that a request may leave out.
    Perhaps(String),
}

impl Written {
    /// Puts a value where the path leads.
    pub(super) fn set(&mut self, path: &[String], value: Said) {
        let Some((first, rest)) = path.split_first() else {
            self.whole = Some(value);
            return;
        };
        let at = self.members.iter().position(|(known, _)| known == first).unwrap_or_else(|| {
            self.members.push((first.clone(), Self::default()));
            self.members.len() - 1
        });
        self.members[at].1.set(rest, value);
    }
}

/// The field at the end of a path of proto names.
pub(super) fn field_at(message: &MessageDescriptor, path: &[String]) -> Option<FieldDescriptor> {
    let (first, rest) = path.split_first()?;
    let field = message.field_named(first)?;
    match (rest, field.kind()) {
        ([], _) => Some(field),
        (rest, Kind::Message(inner)) if !field.is_map() && !field.is_list() => field_at(&inner, rest),
        _ => None,
    }
}

/// The names that arguments of one endpoint have.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// A name that no other argument has.
    pub(super) fn take(&mut self, wanted: &str) -> String {
        let clean: String = wanted.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let start = if clean.starts_with(|c: char| c.is_ascii_digit()) { "_" } else { "" };
        let clean = format!("{start}{clean}");
        // `args.body` is the request's body, and other names mean something in every expression.
        let is_meant = clean == "body" || is_reserved(&clean);
        let clean = if is_meant { format!("the_{clean}") } else { clean };
        let free = |name: &String| !self.0.contains(name);
        let numbered = (2..).map(|number| format!("{clean}_{number}"));
        let name = [clean.clone()].into_iter().chain(numbered).find(free).unwrap_or(clean);
        self.0.insert(name.clone());
        name
    }
}

/// The fields that become parameters of the query, and those that cannot.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub(super) args: Vec<Arg>,
    pub(super) left_out: Vec<String>,
}

impl Query {
    /// Adds the fields of `message` but those at the paths in `bound`, and puts them into `written`.
    pub(super) fn add(
        &mut self,
        message: &MessageDescriptor,
        (bound, around): (&[Vec<String>], &[String]),
        names: &mut Names,
        written: &mut Written,
    ) {
        for field in message.fields() {
            let path = [around, &[field.name().to_owned()]].concat();
            if bound.contains(&path) {
                continue;
            }
            if let Some(described) = parameter(&field) {
                let name = names.take(&path.join("_"));
                let asked = path.join(".");
                let renamed = if asked == name { String::new() } else { format!(", name: \"{asked}\"") };
                written.set(&path, Said::Perhaps(name.clone()));
                self.args.push(Arg { name, written: format!("{{ {described}, in: query{renamed} }}") });
                continue;
            }
            match field.kind() {
                Kind::Message(inner) if !field.is_list() && !field.is_map() && path.len() < DEPTH => {
                    self.add(&inner, (bound, &path), names, written);
                }
                _ => self.left_out.push(path.join(".")),
            }
        }
    }
}

/// The type of an argument for a field and what else holds for it; `None` when no text stands for the field.
pub(super) fn parameter(field: &FieldDescriptor) -> Option<String> {
    if field.is_map() {
        return None;
    }
    let (name, rest) = scalar(&field.kind())?;
    Some(if field.is_list() { format!("type: \"[{name}!]\"{rest}") } else { format!("type: {name}{rest}") })
}

/// The same for a field that stands in the path.
pub(super) fn path_parameter(field: &FieldDescriptor) -> Option<String> {
    if field.is_map() || field.is_list() {
        return None;
    }
    let (name, rest) = scalar(&field.kind())?;
    Some(if rest.is_empty() { format!("{name}!") } else { format!("{{ type: {name}!{rest} }}") })
}

/// A type of arguments that a kind of field is written as, and bounds. Integers of 64 bits are text, as in ProtoJSON.
fn scalar(kind: &Kind) -> Option<(&'static str, String)> {
    let of = |name| Some((name, String::new()));
    match kind {
        Kind::Double | Kind::Float => of("Float"),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => of("Int"),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Some(("String", ", pattern: \"-?[0-9]+\"".to_owned())),
        Kind::Uint32 | Kind::Fixed32 | Kind::Uint64 | Kind::Fixed64 => {
            Some(("String", ", pattern: \"[0-9]+\"".to_owned()))
        }
        Kind::Bool => of("Boolean"),
        Kind::String | Kind::Bytes => of("String"),
        Kind::Enum(values) => {
            let names: Vec<&str> = values.values().iter().map(|value| &*value.name).collect();
            Some(("String", format!(", enum: [\"{}\"]", names.join("\", \""))))
        }
        Kind::Message(message) => match message.full_name().strip_prefix("google.protobuf.")? {
            "Timestamp" | "Duration" | "FieldMask" => of("String"),
            "Struct" | "ListValue" | "Value" => None,
            name if name.ends_with("Value") => scalar(&message.field(1)?.kind()),
            _ => None,
        },
    }
}

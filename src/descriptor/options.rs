//! Options as a parser of text leaves them, put where they belong.
//!
//! What is in parentheses is an extension and stays: whether it exists is known only once the imports are
//! ([`super::link`]). Its value is read here for the one extension that means something, `google.api.http`.

use super::declare::{below, within};
use super::raw::{self, Uninterpreted};
use super::text_format::{self, Value};

const FILE: &[&str] = &[
    "java_package",
    "java_outer_classname",
    "java_multiple_files",
    "java_generate_equals_and_hash",
    "java_string_check_utf8",
    "optimize_for",
    "go_package",
    "cc_generic_services",
    "java_generic_services",
    "py_generic_services",
    "php_generic_services",
    "deprecated",
    "cc_enable_arenas",
    "objc_class_prefix",
    "csharp_namespace",
    "swift_prefix",
    "php_class_prefix",
    "php_namespace",
    "php_metadata_namespace",
    "ruby_package",
];
const MESSAGE: &[&str] = &[
    "message_set_wire_format",
    "no_standard_descriptor_accessor",
    "deprecated",
    "deprecated_legacy_json_field_conflicts",
];
const FIELD: &[&str] = &[
    "ctype",
    "packed",
    "jstype",
    "lazy",
    "unverified_lazy",
    "deprecated",
    "weak",
    "debug_redact",
    "retention",
    "targets",
    "edition_defaults",
    "feature_support",
];
const ENUM: &[&str] = &["allow_alias", "deprecated", "deprecated_legacy_json_field_conflicts"];
const ENUM_VALUE: &[&str] = &["deprecated", "debug_redact", "feature_support"];
const SERVICE: &[&str] = &["deprecated"];
const METHOD: &[&str] = &["deprecated", "idempotency_level"];

/// An option that is wrong: the path of the descriptor that has it, what is wrong, and the options that there are.
pub(super) struct Wrong {
    pub(super) path: Vec<i32>,
    pub(super) name: String,
    pub(super) known: Option<&'static [&'static str]>,
}

/// Interprets the options of a file that was read from text.
pub(super) fn interpret(file: &mut raw::File) -> Vec<Wrong> {
    let mut reader = Reader { path: Vec::new(), wrong: Vec::new() };
    if let Some(options) = &mut file.options {
        reader.standard(&mut options.uninterpreted, (8, FILE), |_, _| true);
    }
    reader.each(4, &mut file.message, Reader::message);
    reader.each(5, &mut file.enumeration, Reader::enumeration);
    reader.each(6, &mut file.service, Reader::service);
    reader.each(7, &mut file.extension, Reader::field);
    reader.wrong
}

struct Reader {
    /// Field numbers and positions from the file down, as `SourceCodeInfo` counts.
    path: Vec<i32>,
    wrong: Vec<Wrong>,
}

impl Reader {
    fn each<T>(&mut self, number: i32, list: &mut [T], read: fn(&mut Self, &mut T)) {
        for (position, item) in (0..).zip(list) {
            self.path.extend([number, position]);
            read(self, item);
            self.path.truncate(self.path.len() - 2);
        }
    }

    fn message(&mut self, message: &mut raw::Message) {
        if let Some(options) = &mut message.options {
            let (conflicts, set) = (&mut options.legacy_json_conflicts, &mut options.message_set_wire_format);
            self.standard(&mut options.uninterpreted, (7, MESSAGE), |name, option| match name {
                "deprecated_legacy_json_field_conflicts" => flag(option, |said| *conflicts = said),
                "message_set_wire_format" => flag(option, |said| *set = said),
                _ => true,
            });
        }
        self.each(2, &mut message.field, Self::field);
        self.each(3, &mut message.nested, Self::message);
        self.each(4, &mut message.enumeration, Self::enumeration);
        self.each(6, &mut message.extension, Self::field);
        self.each(8, &mut message.oneof, |reader, oneof| {
            if let Some(options) = &mut oneof.options {
                reader.standard(&mut options.uninterpreted, (2, &[]), |_, _| true);
            }
        });
    }

    fn field(&mut self, field: &mut raw::Field) {
        let Some(options) = &mut field.options else { return };
        let packed = &mut options.packed;
        self.standard(&mut options.uninterpreted, (8, FIELD), |name, option| match name {
            "packed" => flag(option, |said| *packed = Some(said)),
            _ => true,
        });
    }

    fn enumeration(&mut self, enumeration: &mut raw::Enum) {
        if let Some(options) = &mut enumeration.options {
            let alias = &mut options.allow_alias;
            self.standard(&mut options.uninterpreted, (3, ENUM), |name, option| match name {
                "allow_alias" => flag(option, |said| *alias = said),
                _ => true,
            });
        }
        self.each(2, &mut enumeration.value, |reader, value| {
            if let Some(options) = &mut value.options {
                reader.standard(&mut options.uninterpreted, (3, ENUM_VALUE), |_, _| true);
            }
        });
    }

    fn service(&mut self, service: &mut raw::Service) {
        if let Some(options) = &mut service.options {
            self.standard(&mut options.uninterpreted, (3, SERVICE), |_, _| true);
        }
        self.each(2, &mut service.method, |reader, method| {
            let Some(options) = &mut method.options else { return };
            let level = &mut options.idempotency_level;
            reader.standard(&mut options.uninterpreted, (4, METHOD), |name, option| {
                if name != "idempotency_level" {
                    return true;
                }
                let levels = ["IDEMPOTENCY_UNKNOWN", "NO_SIDE_EFFECTS", "IDEMPOTENT"];
                let said = option.identifier.as_deref();
                let found = levels.iter().position(|name| said == Some(*name));
                *level = found.map_or(*level, |found| found as i32);
                found.is_some()
            });
        });
    }

    /// Takes the options of the language itself out of `list`; `set` puts one in its place, unless its value is
    /// none for it.
    fn standard(
        &mut self,
        list: &mut Vec<Uninterpreted>,
        (number, known): (i32, &'static [&'static str]),
        mut set: impl FnMut(&str, &Uninterpreted) -> bool,
    ) {
        list.retain(|option| {
            let Some(first) = option.name.first() else { return false };
            if first.is_extension {
                return true;
            }
            let is_known = known.contains(&&*first.name);
            if !is_known || !set(&first.name, option) {
                let path = self.path.iter().copied().chain([number]).collect();
                self.wrong.push(Wrong { path, name: first.name.clone(), known: (!is_known).then_some(known) });
            }
            false
        });
    }
}

/// Hands a `true` or `false` on; whether it was one.
fn flag(option: &Uninterpreted, set: impl FnOnce(bool)) -> bool {
    let said = match option.identifier.as_deref() {
        Some("true") => true,
        Some("false") => false,
        _ => return false,
    };
    set(said);
    true
}

/// The options in parentheses of a file: the path of the descriptor that has one, its scope, and the option.
pub(super) fn in_parentheses(file: &raw::File) -> Vec<(Vec<i32>, String, &Uninterpreted)> {
    let mut found = Found { file, options: Vec::new() };
    found.add(&[8], "", file.options.as_ref().map(|options| &options.uninterpreted));
    for (position, message) in file.message.iter().enumerate() {
        found.message(message, &below(&[], 4, position), &file.package);
    }
    for (position, enumeration) in file.enumeration.iter().enumerate() {
        found.enumeration(enumeration, &below(&[], 5, position), &file.package);
    }
    for (position, service) in file.service.iter().enumerate() {
        let (scope, path) = (within(&file.package, &service.name), below(&[], 6, position));
        found.add(&path, &scope, service.options.as_ref().map(|options| &options.uninterpreted));
        for (index, method) in service.method.iter().enumerate() {
            let options = method.options.as_ref().map(|options| &options.uninterpreted);
            found.add(&[&below(&path, 2, index)[..], &[4]].concat(), &scope, options);
        }
    }
    found.options
}

struct Found<'f> {
    file: &'f raw::File,
    options: Vec<(Vec<i32>, String, &'f Uninterpreted)>,
}

impl<'f> Found<'f> {
    fn add(&mut self, path: &[i32], scope: &str, options: Option<&'f Vec<Uninterpreted>>) {
        let scope = if scope.is_empty() { &self.file.package } else { scope };
        self.options.extend(options.into_iter().flatten().map(|option| (path.to_vec(), scope.to_owned(), option)));
    }

    fn message(&mut self, message: &'f raw::Message, path: &[i32], scope: &str) {
        let scope = within(scope, &message.name);
        self.add(path, &scope, message.options.as_ref().map(|options| &options.uninterpreted));
        for (position, field) in message.field.iter().enumerate() {
            let options = field.options.as_ref().map(|options| &options.uninterpreted);
            self.add(&below(path, 2, position), &scope, options);
        }
        for (position, oneof) in message.oneof.iter().enumerate() {
            let options = oneof.options.as_ref().map(|options| &options.uninterpreted);
            self.add(&below(path, 8, position), &scope, options);
        }
        for (position, nested) in message.nested.iter().enumerate() {
            self.message(nested, &below(path, 3, position), &scope);
        }
        for (position, nested) in message.enumeration.iter().enumerate() {
            self.enumeration(nested, &below(path, 4, position), &scope);
        }
    }

    fn enumeration(&mut self, enumeration: &'f raw::Enum, path: &[i32], scope: &str) {
        self.add(path, scope, enumeration.options.as_ref().map(|options| &options.uninterpreted));
        for (position, value) in enumeration.value.iter().enumerate() {
            let options = value.options.as_ref().map(|options| &options.uninterpreted);
            self.add(&below(path, 2, position), scope, options);
        }
    }
}

/// Adds an option `(google.api.http)`, or one of its members as in `(google.api.http).get`, to a rule. `None` when
/// it is no such rule.
pub(super) fn add_http(rule: &mut raw::HttpRule, option: &Uninterpreted) -> Option<()> {
    let value = match option {
        Uninterpreted { aggregate: Some(text), .. } => Value::Message(text_format::read(text)?),
        Uninterpreted { string: Some(text), .. } => Value::Text(text.clone()),
        _ => return None,
    };
    let inner =
        option.name.get(1..)?.iter().rev().fold(value, |value, part| Value::Message(vec![(part.name.clone(), value)]));
    merge_http(rule, inner, true)
}

/// Merges the text of a rule into one. Bindings in bindings mean nothing and are refused.
fn merge_http(rule: &mut raw::HttpRule, value: Value, may_nest: bool) -> Option<()> {
    let Value::Message(entries) = value else { return None };
    for (name, value) in entries {
        let place = match &*name {
            "get" => &mut rule.get,
            "put" => &mut rule.put,
            "post" => &mut rule.post,
            "delete" => &mut rule.delete,
            "patch" => &mut rule.patch,
            "body" => &mut rule.body,
            "response_body" => &mut rule.response_body,
            "selector" => continue,
            "custom" => {
                merge_custom(rule.custom.get_or_insert_default(), value)?;
                continue;
            }
            "additional_bindings" if may_nest => {
                let list = if let Value::List(list) = value { list } else { vec![value] };
                for item in list {
                    let mut binding = raw::HttpRule::default();
                    merge_http(&mut binding, item, false)?;
                    rule.additional_bindings.push(binding);
                }
                continue;
            }
            _ => return None,
        };
        *place = text(value)?;
    }
    Some(())
}

fn merge_custom(custom: &mut raw::CustomHttpPattern, value: Value) -> Option<()> {
    let Value::Message(entries) = value else { return None };
    for (name, value) in entries {
        match &*name {
            "kind" => custom.kind = text(value)?,
            "path" => custom.path = text(value)?,
            _ => return None,
        }
    }
    Some(())
}

fn text(value: Value) -> Option<String> {
    let Value::Text(bytes) = value else { return None };
    String::from_utf8(bytes).ok()
}

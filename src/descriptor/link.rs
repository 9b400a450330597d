//! From files to a pool: every type is found.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::declare::{Declarations, Declared, below, declare, within};
use super::features::Presence;
use super::http::HttpBinding;
use super::names::{Symbol, json_name};
use super::pool::{
    Cardinality, DescriptorPool, Entries, EnumEntry, EnumValue, FieldEntry, KindEntry, MessageEntry, MethodEntry,
    Scalar, ServiceEntry,
};
use super::text::Parsed;
use super::{options, raw, rules};
use crate::base::diagnostic::did_you_mean;

/// Something wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The name of the file, as it is imported.
    pub file: String,
    /// Where in its text, if it was read from text.
    pub bytes: Option<Range<usize>>,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// What to write instead; empty when there is nothing to suggest.
    pub help: String,
}

/// Links files; `positions` are theirs by name.
pub(super) fn link(files: &[Arc<Parsed>], positions: &HashMap<String, usize>) -> Result<DescriptorPool, Vec<Mistake>> {
    let mut declarations = declare(files);
    let mistakes = std::mem::take(&mut declarations.mistakes);
    let visible = visible(files, positions);
    let mut linker = Linker { files, visible, declarations: &declarations, mistakes };
    linker.refuse_circles(positions);
    let mut entries = Entries::default();
    for declared in &declarations.enumerations {
        entries.enumerations.push(linker.enumeration(declared));
    }
    for (declared, index) in declarations.messages.iter().zip(0..) {
        entries.messages_by_name.insert(declared.full_name.as_str().into(), index);
        let message = linker.message(declared);
        linker.mistakes_at(declared, rules::of_message(declared, (&message, &entries.enumerations), &declarations));
        entries.messages.push(message);
    }
    for declared in &declarations.extensions {
        linker.extension(declared, &mut entries.messages);
    }
    for file in 0..files.len() as u32 {
        linker.unread_options(file);
        entries.services.extend(linker.services(file));
    }
    match linker.mistakes.is_empty() {
        true => Ok(DescriptorPool(Arc::new(entries))),
        false => Err(linker.mistakes),
    }
}

/// For each file the files whose types it may name: itself, its imports, and what those import publicly.
fn visible(files: &[Arc<Parsed>], positions: &HashMap<String, usize>) -> Vec<Vec<u32>> {
    let position = |name: &String| positions.get(name).copied();
    let public = |file: &raw::File| {
        let public = file.public_dependency.iter().filter_map(|index| usize::try_from(*index).ok());
        public.filter_map(|index| file.dependency.get(index)).filter_map(position).collect::<Vec<_>>()
    };
    let of_file = |(own, file): (usize, &Arc<Parsed>)| {
        let mut seen = vec![own as u32];
        let mut open: Vec<usize> = file.file.dependency.iter().filter_map(position).collect();
        while let Some(next) = open.pop() {
            if let Err(at) = seen.binary_search(&(next as u32)) {
                seen.insert(at, next as u32);
                open.extend(public(&files[next].file));
            }
        }
        seen
    };
    files.iter().enumerate().map(of_file).collect()
}

struct Linker<'f> {
    files: &'f [Arc<Parsed>],
    visible: Vec<Vec<u32>>,
    declarations: &'f Declarations<'f>,
    mistakes: Vec<Mistake>,
}

impl Linker<'_> {
    fn mistake(&mut self, file: u32, path: &[i32], message: String, help: String) {
        self.mistakes.push(self.files[file as usize].mistake(path, message, help));
    }

    /// What rules say of a message or enumeration; their paths begin there.
    fn mistakes_at<T>(&mut self, declared: &Declared<'_, T>, found: Vec<(Vec<i32>, String)>) {
        for (path, message) in found {
            self.mistake(declared.file, &[&declared.path[..], &path].concat(), message, String::new());
        }
    }

    /// Files that import each other in a circle: taking away what imports nothing that is left, they remain.
    fn refuse_circles(&mut self, positions: &HashMap<String, usize>) {
        let mut importers: Vec<Vec<usize>> = vec![Vec::new(); self.files.len()];
        let mut waits = vec![0_usize; self.files.len()];
        for (own, file) in self.files.iter().enumerate() {
            for import in file.file.dependency.iter().filter_map(|name| positions.get(name)) {
                importers[*import].push(own);
                waits[own] += 1;
            }
        }
        let mut free: Vec<usize> = (0..waits.len()).filter(|file| waits[*file] == 0).collect();
        while let Some(file) = free.pop() {
            for importer in &importers[file] {
                waits[*importer] -= 1;
                if waits[*importer] == 0 {
                    free.push(*importer);
                }
            }
        }
        if let Some(first) = waits.iter().position(|waits| *waits > 0) {
            let message = format!("`{}` imports itself, through what it imports", self.files[first].file.name);
            self.mistake(first as u32, &[3, 0], message, String::new());
        }
    }

    fn enumeration(&mut self, declared: &Declared<'_, raw::Enum>) -> EnumEntry {
        self.mistakes_at(declared, rules::of_enum(declared));
        let value = |value: &raw::EnumValue| EnumValue { name: value.name.as_str().into(), number: value.number };
        EnumEntry {
            full_name: declared.full_name.as_str().into(),
            values: declared.raw.value.iter().map(value).collect(),
            is_closed: declared.features.closed_enums,
        }
    }

    fn message(&mut self, declared: &Declared<'_, raw::Message>) -> MessageEntry {
        let raw = declared.raw;
        let mut fields: Vec<FieldEntry> =
            (0..raw.field.len()).filter_map(|position| self.member(declared, position)).collect();
        fields.sort_by_key(|field| field.number);
        let oneofs = raw.oneof.iter().zip(0..).filter(|(_, index)| !rules::is_synthetic(raw, *index));
        MessageEntry {
            full_name: declared.full_name.as_str().into(),
            fields,
            oneofs: oneofs.map(|(oneof, _)| oneof.name.as_str().into()).collect(),
            is_map_entry: is_map_entry(raw),
            is_message_set: raw.options.as_ref().is_some_and(|options| options.message_set_wire_format),
        }
    }

    /// A field that a message declares; `None`, and a mistake, when its type is none.
    fn member(&mut self, declared: &Declared<'_, raw::Message>, position: usize) -> Option<FieldEntry> {
        let (message, field) = (declared.raw, &declared.raw.field[position]);
        let oneof = field.oneof_index.and_then(|index| message.oneof.get(usize::try_from(index).ok()?));
        let place = Declared {
            raw: field,
            file: declared.file,
            path: below(&declared.path, 2, position),
            full_name: declared.full_name.clone(),
            // A member of a oneof inherits what the oneof says.
            features: declared.features.with(oneof.and_then(|oneof| oneof.options.as_ref()?.features)),
        };
        let mut entry = self.field(&place)?;
        // The encoding of maps is always the same.
        entry.is_delimited &= !is_map_entry(message);
        entry.oneof = field
            .oneof_index
            .filter(|index| !rules::is_synthetic(message, *index))
            .map(|index| (0..index).filter(|before| !rules::is_synthetic(message, *before)).count() as u32);
        Some(entry)
    }

    /// Adds a field to the message that an extension extends. In JSON its name stands in brackets (ProtoJSON).
    fn extension(&mut self, declared: &Declared<'_, raw::Field>, messages: &mut [MessageEntry]) {
        let field = declared.raw;
        let path = [&declared.path[..], &[2]].concat();
        let is_message = |symbol| matches!(symbol, Symbol::Message(_));
        let scope = (&*field.extendee, &*declared.full_name);
        let Some(Symbol::Message(extended)) = self.resolve(scope, (declared.file, &path), is_message) else { return };
        let Some(mut entry) = self.field(declared) else { return };
        let name: Box<str> = format!("[{}]", declared.full_name).into();
        (entry.name, entry.json_name) = (name.clone(), name);
        let extended = &mut messages[extended as usize];
        let is_item = matches!(entry.kind, KindEntry::Message(_)) && entry.cardinality == Cardinality::Optional;
        if extended.is_message_set && !is_item {
            let message = format!("`{}` cannot be in a MessageSet, which holds single messages", field.name);
            self.mistake(declared.file, &declared.path, message, String::new());
            return;
        }
        let found = extended.fields.binary_search_by_key(&entry.number, |field| field.number);
        match found {
            Err(at) if rules::is_number(field.number) => extended.fields.insert(at, entry),
            _ => {
                let message = format!("`{}` cannot have the number {} there", field.name, field.number);
                self.mistake(declared.file, &[&declared.path[..], &[3]].concat(), message, String::new());
            }
        }
    }

    /// A field by itself; `None`, and a mistake, when its type is none.
    fn field(&mut self, declared: &Declared<'_, raw::Field>) -> Option<FieldEntry> {
        let field = declared.raw;
        let options = field.options.as_ref();
        let features = declared.features.with(options.and_then(|options| options.features));
        let kind = self.kind(declared)?;
        let cardinality = match (field.label, features.presence) {
            (3, _) => Cardinality::Repeated,
            (2, _) | (_, Presence::Required) => Cardinality::Required,
            _ => Cardinality::Optional,
        };
        let is_repeated = cardinality == Cardinality::Repeated;
        let (is_message, is_packable) = match kind {
            KindEntry::Message(_) => (true, false),
            KindEntry::Scalar(Scalar::String | Scalar::Bytes) => (false, false),
            _ => (false, true),
        };
        let is_extension = !field.extendee.is_empty();
        let is_explicit =
            is_message || is_extension || field.oneof_index.is_some() || features.presence != Presence::Implicit;
        let json = field.json_name.clone().unwrap_or_else(|| json_name(&field.name));
        Some(FieldEntry {
            name: field.name.as_str().into(),
            json_name: json.into(),
            number: u32::try_from(field.number).unwrap_or(0),
            kind,
            cardinality,
            has_presence: is_explicit && !is_repeated,
            is_packed: is_repeated
                && is_packable
                && options.and_then(|options| options.packed).unwrap_or(features.packed),
            is_delimited: is_message && !self.is_map_entry(kind) && (field.kind == GROUP || features.delimited),
            oneof: None,
        })
    }

    fn is_map_entry(&self, kind: KindEntry) -> bool {
        let KindEntry::Message(index) = kind else { return false };
        is_map_entry(self.declarations.messages[index as usize].raw)
    }

    fn kind(&mut self, declared: &Declared<'_, raw::Field>) -> Option<KindEntry> {
        let field = declared.raw;
        if let Some(scalar) = scalar(field.kind) {
            return Some(KindEntry::Scalar(scalar));
        }
        let wanted = |symbol| match symbol {
            Symbol::Message(_) => matches!(field.kind, 0 | GROUP | MESSAGE),
            Symbol::Enum(_) => matches!(field.kind, 0 | ENUM),
            _ => false,
        };
        let path = [&declared.path[..], &[6]].concat();
        match self.resolve((&field.type_name, &declared.full_name), (declared.file, &path), wanted)? {
            Symbol::Message(index) => Some(KindEntry::Message(index)),
            Symbol::Enum(index) => Some(KindEntry::Enum(index)),
            _ => None,
        }
    }

    /// What a name stands for; says so when it stands for nothing that is wanted.
    fn resolve(
        &mut self,
        (name, scope): (&str, &str),
        (file, path): (u32, &[i32]),
        wanted: impl Fn(Symbol) -> bool,
    ) -> Option<Symbol> {
        let symbols = &self.declarations.symbols;
        let found = symbols.resolve((name, scope), &self.visible[file as usize], &wanted);
        if found.is_none() {
            let known = symbols.names(&wanted);
            let whole = name.trim_start_matches('.');
            let shown: String = whole.chars().take(100).collect();
            let importer = &self.files[file as usize].file;
            let is_anything = |symbol| symbol != Symbol::Package;
            let is_else = symbols.resolve((name, scope), &self.visible[file as usize], is_anything).is_some();
            let (message, help) = match known.contains(&whole) {
                _ if is_else => (format!("`{shown}` is no type that can stand here"), String::new()),
                true => (format!("`{shown}` is in a file that `{}` does not import", importer.name), String::new()),
                false => {
                    let short = known.iter().filter_map(|name| name.rsplit_once('.')).map(|(_, name)| name);
                    (format!("there is no type `{shown}`"), did_you_mean(whole, known.iter().copied().chain(short)))
                }
            };
            self.mistake(file, path, message, help);
        }
        found
    }

    /// Options in parentheses must name an extension that is imported.
    fn unread_options(&mut self, file: u32) {
        let raw = &self.files[file as usize].file;
        for (path, scope, option) in options::in_parentheses(raw) {
            let Some(name) = option.name.first() else { continue };
            let is_extension = |symbol| symbol == Symbol::Extension;
            let symbols = &self.declarations.symbols;
            if symbols.resolve((&name.name, &scope), &self.visible[file as usize], is_extension).is_none() {
                let help = did_you_mean(name.name.trim_start_matches('.'), symbols.names(is_extension));
                self.mistake(file, &path, format!("there is no option `({})`", name.name), help);
            }
        }
    }

    fn services(&mut self, file: u32) -> Vec<ServiceEntry> {
        let raw = &self.files[file as usize].file;
        let mut services = Vec::new();
        for (position, service) in raw.service.iter().enumerate() {
            let full_name = within(&raw.package, &service.name);
            let mut methods = Vec::new();
            for (index, method) in service.method.iter().enumerate() {
                let path = below(&[6, position as i32], 2, index);
                methods.extend(self.method(method, (file, &path), &full_name));
            }
            services.push(ServiceEntry { full_name: full_name.into(), file: raw.name.as_str().into(), methods });
        }
        services
    }

    fn method(&mut self, raw: &raw::Method, (file, path): (u32, &[i32]), service: &str) -> Option<MethodEntry> {
        let mut message = |name: &str, number: i32| {
            let is_message = |symbol| matches!(symbol, Symbol::Message(_));
            match self.resolve((name, service), (file, &[path, &[number]].concat()), is_message) {
                Some(Symbol::Message(index)) => Some(index),
                _ => None,
            }
        };
        let (input, output) = (message(&raw.input, 2), message(&raw.output, 3));
        let options = raw.options.clone().unwrap_or_default();
        let mut http = options.http.clone();
        let annotations = options.uninterpreted.iter().filter(|option| {
            option.name.first().is_some_and(|name| name.name.trim_start_matches('.') == "google.api.http")
        });
        for option in annotations {
            if options::add_http(http.get_or_insert_default(), option).is_none() {
                let message = "this is no rule of `google.api.http`".to_owned();
                self.mistake(
                    file,
                    &[path, &[4]].concat(),
                    message,
                    "write it as in `{ get: \"/v1/orders/{id}\" }`".to_owned(),
                );
            }
        }
        Some(MethodEntry {
            name: raw.name.as_str().into(),
            input: input?,
            output: output?,
            client_streaming: raw.client_streaming,
            server_streaming: raw.server_streaming,
            has_no_side_effects: options.idempotency_level == NO_SIDE_EFFECTS,
            http: http.as_ref().map(HttpBinding::all).unwrap_or_default(),
        })
    }
}

const NO_SIDE_EFFECTS: i32 = 1;

/// The type numbers of what has a name.
const GROUP: i32 = 10;
const MESSAGE: i32 = 11;
const ENUM: i32 = 14;

fn is_map_entry(message: &raw::Message) -> bool {
    message.options.as_ref().is_some_and(|options| options.map_entry)
}

/// The scalar type with this number. Source: descriptor.proto, `FieldDescriptorProto.Type`.
fn scalar(number: i32) -> Option<Scalar> {
    Some(match number {
        1 => Scalar::Double,
        2 => Scalar::Float,
        3 => Scalar::Int64,
        4 => Scalar::Uint64,
        5 => Scalar::Int32,
        6 => Scalar::Fixed64,
        7 => Scalar::Fixed32,
        8 => Scalar::Bool,
        9 => Scalar::String,
        12 => Scalar::Bytes,
        13 => Scalar::Uint32,
        15 => Scalar::Sfixed32,
        16 => Scalar::Sfixed64,
        17 => Scalar::Sint32,
        18 => Scalar::Sint64,
        _ => return None,
    })
}

//! The first look at files: every name is given to one thing.

use std::sync::Arc;

use super::features::Features;
use super::link::Mistake;
use super::names::{Symbol, Symbols, is_identifier};
use super::raw;
use super::text::Parsed;

/// Names longer than this are nobody's; scopes of any length would make looking up slow.
const NAME_LENGTH: usize = 1_000;

/// What files define.
#[derive(Default)]
pub(super) struct Declarations<'f> {
    pub(super) symbols: Symbols,
    /// By the positions that symbols hold.
    pub(super) messages: Vec<Declared<'f, raw::Message>>,
    pub(super) enumerations: Vec<Declared<'f, raw::Enum>>,
    /// Fields that a file adds to messages, of other files too.
    pub(super) extensions: Vec<Declared<'f, raw::Field>>,
    pub(super) mistakes: Vec<Mistake>,
}

/// A message, enumeration or extension with what is around it.
pub(super) struct Declared<'f, T> {
    pub(super) raw: &'f T,
    /// The position of its file.
    pub(super) file: u32,
    /// Field numbers and positions from the file down.
    pub(super) path: Vec<i32>,
    pub(super) full_name: String,
    pub(super) features: Features,
}

/// What the files define, and the names that are none or taken.
pub(super) fn declare(files: &[Arc<Parsed>]) -> Declarations<'_> {
    let mut declarations = Declarations::default();
    for (parsed, file) in files.iter().zip(0..) {
        Declarer { files, file, found: &mut declarations }.file(&parsed.file);
    }
    declarations
}

/// A name in a scope.
pub(super) fn within(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}

/// A path, one descriptor farther down.
pub(super) fn below(path: &[i32], number: i32, position: usize) -> Vec<i32> {
    [path, &[number, position as i32]].concat()
}

struct Declarer<'f, 'd> {
    files: &'f [Arc<Parsed>],
    file: u32,
    found: &'d mut Declarations<'f>,
}

impl<'f> Declarer<'f, '_> {
    fn mistake(&mut self, path: &[i32], message: String) {
        let mistake = self.files[self.file as usize].mistake(path, message, String::new());
        self.found.mistakes.push(mistake);
    }

    /// Takes a name for something; says so when it is taken, or no name. `path` is that of what is named.
    fn name(&mut self, full_name: &str, symbol: Symbol, path: &[i32]) {
        let path = [path, &[1]].concat();
        let own = full_name.rsplit('.').next().unwrap_or(full_name);
        if !is_identifier(own) || full_name.len() > NAME_LENGTH {
            let shown: String = own.chars().take(50).collect();
            return self.mistake(&path, format!("`{shown}` is no name"));
        }
        if let Err(other) = self.found.symbols.add(full_name, symbol, self.file) {
            let other_name = &self.files[other as usize].file.name;
            let message = match other == self.file {
                true => format!("`{full_name}` is defined twice"),
                false => format!("`{full_name}` is defined in `{other_name}` too"),
            };
            self.mistake(&path, message);
        }
    }

    fn file(&mut self, raw: &'f raw::File) {
        let features = Features::of_file(raw).unwrap_or_else(|message| {
            self.mistake(&[12], message);
            Features::PROTO2
        });
        let package = &*raw.package;
        for (end, _) in package.match_indices('.').chain((!package.is_empty()).then_some((package.len(), ""))) {
            self.name(&package[..end], Symbol::Package, &[2]);
        }
        for (position, message) in raw.message.iter().enumerate() {
            self.message(message, &below(&[], 4, position), (package, features));
        }
        for (position, enumeration) in raw.enumeration.iter().enumerate() {
            self.enumeration(enumeration, below(&[], 5, position), (package, features));
        }
        for (position, extension) in raw.extension.iter().enumerate() {
            self.extension(extension, below(&[], 7, position), (package, features));
        }
        for (position, service) in raw.service.iter().enumerate() {
            let (full_name, path) = (within(package, &service.name), below(&[], 6, position));
            self.name(&full_name, Symbol::Service, &path);
            for (index, method) in service.method.iter().enumerate() {
                self.name(&within(&full_name, &method.name), Symbol::Member, &below(&path, 2, index));
            }
        }
    }

    fn extension(&mut self, raw: &'f raw::Field, path: Vec<i32>, (scope, features): (&str, Features)) {
        let full_name = within(scope, &raw.name);
        self.name(&full_name, Symbol::Extension, &path);
        self.found.extensions.push(Declared { raw, file: self.file, path, full_name, features });
    }

    fn message(&mut self, raw: &'f raw::Message, path: &[i32], (scope, around): (&str, Features)) {
        let full_name = within(scope, &raw.name);
        let features = around.with(raw.options.as_ref().and_then(|options| options.features));
        self.name(&full_name, Symbol::Message(self.found.messages.len() as u32), path);
        let declared = Declared { raw, file: self.file, path: path.to_vec(), full_name: full_name.clone(), features };
        self.found.messages.push(declared);
        for (position, field) in raw.field.iter().enumerate() {
            self.name(&within(&full_name, &field.name), Symbol::Member, &below(path, 2, position));
        }
        for (position, oneof) in raw.oneof.iter().enumerate() {
            self.name(&within(&full_name, &oneof.name), Symbol::Member, &below(path, 8, position));
        }
        for (position, extension) in raw.extension.iter().enumerate() {
            self.extension(extension, below(path, 6, position), (&full_name, features));
        }
        for (position, nested) in raw.nested.iter().enumerate() {
            self.message(nested, &below(path, 3, position), (&full_name, features));
        }
        for (position, nested) in raw.enumeration.iter().enumerate() {
            self.enumeration(nested, below(path, 4, position), (&full_name, features));
        }
    }

    fn enumeration(&mut self, raw: &'f raw::Enum, path: Vec<i32>, (scope, around): (&str, Features)) {
        let full_name = within(scope, &raw.name);
        let features = around.with(raw.options.as_ref().and_then(|options| options.features));
        self.name(&full_name, Symbol::Enum(self.found.enumerations.len() as u32), &path);
        // Values are named beside their enumeration, not in it.
        for (position, value) in raw.value.iter().enumerate() {
            self.name(&within(scope, &value.name), Symbol::Member, &below(&path, 2, position));
        }
        self.found.enumerations.push(Declared { raw, file: self.file, path, full_name, features });
    }
}

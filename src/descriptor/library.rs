//! Where imports are found, and the files that a pool is made of.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use prost::Message as _;

use super::link::{Mistake, link};
use super::pool::DescriptorPool;
use super::{bundled, raw, text};
use crate::base::diagnostic::did_you_mean;

pub use super::text::Parsed;

/// `.proto` texts by the names that they are imported by. Each is parsed once.
#[derive(Debug, Default)]
pub struct Texts {
    texts: BTreeMap<String, Arc<str>>,
    parsed: RefCell<HashMap<String, Outcome>>,
}

/// A parsed text, or what is wrong with it.
type Outcome = Result<Arc<Parsed>, Vec<Mistake>>;

impl Texts {
    /// These texts; what is bundled can be imported beside them.
    pub fn new(texts: impl IntoIterator<Item = (String, Arc<str>)>) -> Self {
        Self { texts: texts.into_iter().collect(), parsed: RefCell::default() }
    }

    fn find(&self, name: &str) -> Option<Outcome> {
        if let Some(known) = self.parsed.borrow().get(name) {
            return Some(known.clone());
        }
        let text = self.texts.get(name).cloned().or_else(|| bundled::text(name).map(Arc::from))?;
        let parsed = text::parse(name, &text).map(Arc::new);
        self.parsed.borrow_mut().insert(name.to_owned(), parsed.clone());
        Some(parsed)
    }

    fn names(&self) -> Vec<String> {
        self.texts.keys().cloned().chain(bundled::names()).collect()
    }
}

/// Descriptor sets, merged: files that were compiled elsewhere, by their names.
#[derive(Clone, Debug, Default)]
pub struct Sets {
    files: BTreeMap<String, Arc<Parsed>>,
}

/// Why bytes are no descriptor set, or do not go together with another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetError(String);

impl fmt::Display for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Sets {
    /// Adds the files of a `FileDescriptorSet`. A file that several sets hold must say the same in all of them;
    /// of a bundled one, whose releases differ, the first counts.
    ///
    /// # Errors
    /// The bytes are no set, hold no file, or a file without a name, or one that differs from one with the same name.
    pub fn add(&mut self, set: &[u8]) -> Result<(), SetError> {
        let set = raw::FileSet::decode(set)
            .map_err(|_| SetError("it is no set of descriptors as `protoc -o` and `buf build` write them".into()))?;
        if set.file.is_empty() {
            return Err(SetError("it holds no file".into()));
        }
        set.file.into_iter().try_for_each(|file| self.insert(file))
    }

    /// Adds one file, a `FileDescriptorProto`, and names what it imports; `None` if there is such a file already.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn add_file(&mut self, file: &[u8]) -> Result<Option<Vec<String>>, SetError> {
        let file = raw::File::decode(file).map_err(|_| SetError("it is no descriptor of a file".into()))?;
        let imports = (!self.contains(&file.name)).then(|| file.dependency.clone());
        self.insert(file).map(|()| imports)
    }

    /// Whether there is a file with this name.
    pub fn contains(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    fn insert(&mut self, file: raw::File) -> Result<(), SetError> {
        if file.name.is_empty() {
            return Err(SetError("it holds a file without a name".into()));
        }
        match self.files.get(&file.name) {
            Some(known) if known.file == file || bundled::text(&file.name).is_some() => Ok(()),
            Some(_) => Err(SetError(format!("`{}` differs from the file of this name in another set", file.name))),
            None => {
                self.files.insert(file.name.clone(), Arc::new(Parsed::compiled(file)));
                Ok(())
            }
        }
    }
}

/// What one backend's pool is made from.
#[derive(Debug)]
pub struct Library<'a> {
    /// The texts that can be imported.
    pub texts: &'a Texts,
    /// The sets, all of whose files are in the pool.
    pub sets: &'a Sets,
}

impl Library<'_> {
    /// The pool of the texts called `roots`, the sets, and everything that they import.
    ///
    /// # Errors
    /// Everything that is wrong with the files.
    pub fn link(&self, roots: &[String]) -> Result<DescriptorPool, Vec<Mistake>> {
        let mut gathered = Gathered::default();
        for name in roots {
            match self.sets.files.get(name) {
                Some(set) => {
                    let message = format!("`{name}` is a .proto file and stands in a descriptor set too");
                    gathered.mistakes.push(set.mistake(&[], message, "leave one of the two out".to_owned()));
                }
                None => drop(self.gather(name, &mut gathered)),
            }
        }
        for name in self.sets.files.keys() {
            self.gather(name, &mut gathered);
        }
        // Files are appended while what they import is looked for.
        let mut next = 0;
        while let Some(file) = gathered.files.get(next).cloned() {
            for (position, import) in file.file.dependency.iter().enumerate() {
                let is_there = self.gather(import, &mut gathered);
                if !is_there && file.is_text() {
                    gathered.mistakes.push(self.missing(&file, position, import));
                }
            }
            next += 1;
        }
        match gathered.mistakes.is_empty() {
            true => link(&gathered.files, &gathered.positions),
            false => Err(gathered.mistakes),
        }
    }

    /// Finds a file, in the sets before the texts; whether there is one.
    fn gather(&self, name: &str, gathered: &mut Gathered) -> bool {
        if gathered.positions.contains_key(name) || gathered.broken.iter().any(|broken| broken == name) {
            return true;
        }
        let found = match self.sets.files.get(name) {
            Some(file) => Some(Ok(file.clone())),
            None => self.texts.find(name),
        };
        match found {
            Some(Ok(file)) => {
                gathered.positions.insert(name.to_owned(), gathered.files.len());
                gathered.files.push(file);
            }
            Some(Err(mistakes)) => {
                gathered.broken.push(name.to_owned());
                gathered.mistakes.extend(mistakes);
            }
            None => return false,
        }
        true
    }

    fn missing(&self, file: &Parsed, position: usize, import: &str) -> Mistake {
        let known = self.texts.names();
        let help = did_you_mean(import, known.iter().map(String::as_str));
        file.mistake(&[3, position as i32], format!("there is no file `{import}` to import"), help)
    }
}

/// The files of a pool, and what was wrong with finding them.
#[derive(Default)]
struct Gathered {
    files: Vec<Arc<Parsed>>,
    positions: HashMap<String, usize>,
    /// The names of texts that could not be parsed.
    broken: Vec<String>,
    mistakes: Vec<Mistake>,
}

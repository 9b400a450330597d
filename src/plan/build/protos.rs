//! What gRPC backends promise: .proto files, descriptor sets, and what they say of themselves.

use std::collections::{BTreeSet, HashMap};

use super::backends::Reflections;
use super::report::Report;
use crate::base::diagnostic::{Diagnostic, Place, nearest_file};
use crate::descriptor::{DescriptorPool, Library, Mistake, Sets, Texts};
use crate::spec::{self, Reading, SourceFile};
/// What backends promise. Backends with the same files share a pool.
#[derive(Debug)]
pub(super) struct Protos<'r> {
    reading: &'r Reading,
    reflections: &'r Reflections,
    texts: Texts,
    pools: HashMap<Promised<'r>, Option<DescriptorPool>>,
}

/// The files and folders under `proto`, the sets under `descriptors`, and the name of a backend that is asked itself.
type Promised<'r> = (Vec<&'r str>, Vec<&'r str>, Option<&'r str>);

impl<'r> Protos<'r> {
    pub(super) fn new(reading: &'r Reading, reflections: &'r Reflections) -> Self {
        let text = |file: &SourceFile| (import_name(&file.path).to_owned(), reading.sources.text(file.id));
        let texts = Texts::new(reading.protos.iter().map(text));
        Self { reading, reflections, texts, pools: HashMap::new() }
    }

    /// The messages and services of a gRPC backend; `None` when nothing is written, and, with diagnostics, when they
    /// are not all there.
    pub(super) fn pool(&mut self, named: &'r spec::Named<spec::Backend>, report: &Report) -> Option<DescriptorPool> {
        let backend = &named.value;
        let reflected = backend.reflection.as_ref().is_some_and(|reflection| reflection.value);
        let key = (
            backend.proto.iter().map(|name| &*name.value).collect(),
            backend.descriptors.iter().map(|name| &*name.value).collect(),
            reflected.then_some(&*named.name.value),
        );
        if key == (Vec::new(), Vec::new(), None) {
            return None;
        }
        if let Some(known) = self.pools.get(&key) {
            return known.clone();
        }
        let pool = Compiling { protos: self, named, report }.pool(reflected);
        self.pools.insert(key, pool.clone());
        pool
    }
}

/// The promises of one backend, being put together.
struct Compiling<'a> {
    protos: &'a Protos<'a>,
    named: &'a spec::Named<spec::Backend>,
    report: &'a Report,
}

impl Compiling<'_> {
    fn pool(&self, reflected: bool) -> Option<DescriptorPool> {
        let roots = self.roots();
        let mut sets = self.sets()?;
        if reflected {
            self.reflect(&mut sets)?;
        }
        let library = Library { texts: &self.protos.texts, sets: &sets };
        let mistakes = match library.link(&roots?) {
            Ok(pool) => return Some(pool),
            Err(mistakes) => mistakes,
        };
        mistakes.into_iter().for_each(|mistake| self.mistake(mistake));
        None
    }

    fn say(&self, key: &str, place: &Place, (message, help): (String, String)) {
        let path = format!("{}.{key}", self.named.path);
        self.report.add(Diagnostic::error("proto", place.clone(), path, message).help(help));
    }

    /// The names by which the files under `proto` are imported.
    fn roots(&self) -> Option<Vec<String>> {
        let files = &self.protos.reading.protos;
        let mut roots = Some(Vec::new());
        for name in &self.named.value.proto {
            let folder = format!("{}/", name.value.trim_end_matches('/'));
            let is_named = |file: &&SourceFile| file.path == name.value || file.path.starts_with(&folder);
            let found: Vec<String> =
                files.iter().filter(is_named).map(|file| import_name(&file.path).to_owned()).collect();
            if found.is_empty() {
                let folders = files.iter().filter_map(|file| file.path.rsplit_once('/')).map(|(folder, _)| folder);
                let known: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).chain(folders).collect();
                let message = format!("there is no .proto file or folder `{}` in the project", name.value);
                let help = match name.value.rsplit_once('.') {
                    Some((_, "pb" | "binpb")) => "name descriptor sets under `descriptors`".to_owned(),
                    _ => nearest_file(&name.value, known),
                };
                self.say("proto", &name.place, (message, help));
                roots = None;
            }
            roots.iter_mut().for_each(|roots| roots.extend(found.iter().cloned()));
        }
        roots
    }

    /// The files under `descriptors`, merged.
    fn sets(&self) -> Option<Sets> {
        let mut sets = Sets::default();
        let mut whole = true;
        for name in &self.named.value.descriptors {
            let read = self.protos.reading.descriptors.iter().find(|file| file.path == name.value);
            let added = match read.map(|file| &file.bytes) {
                Some(Ok(bytes)) => sets.add(bytes).map_err(|error| error.to_string()),
                Some(Err(why)) => Err(why.clone()),
                None => Err("it was not read".to_owned()),
            };
            if let Err(why) = added {
                whole = false;
                let message = format!("the descriptors in `{}` cannot be used: {why}", name.value);
                self.say("descriptors", &name.place, (message, String::new()));
            }
        }
        whole.then_some(sets)
    }

    /// What the backend said of itself.
    fn reflect(&self, sets: &mut Sets) -> Option<()> {
        let place = &self.named.value.reflection.as_ref()?.place;
        let answer = self.protos.reflections.get(&*self.named.name.value)?.clone();
        let added = answer.and_then(|files| {
            files.iter().try_for_each(|file| sets.add_file(file).map(drop).map_err(|error| error.to_string()))
        });
        added
            .map_err(|why| {
                let message = format!("the backend does not say what it promises: {why}");
                let help = "start it, or keep its descriptors in a file and name that under `descriptors`".to_owned();
                self.say("reflection", place, (message, help));
            })
            .ok()
    }

    /// Says what is wrong in a file: there, if it is a text of the project, else where the backend names it.
    fn mistake(&self, mistake: Mistake) {
        let Mistake { file, bytes, message, help } = mistake;
        let backend = &self.named.value;
        let text = self.protos.reading.protos.iter().find(|known| import_name(&known.path) == file);
        if let (Some(text), Some(bytes)) = (text, bytes) {
            return self.say("proto", &Place { file: text.id, bytes }, (message, help));
        }
        let (key, place) = match (&backend.descriptors[..], &backend.reflection, &backend.proto[..]) {
            ([first, ..], ..) => ("descriptors", &first.place),
            (_, Some(reflection), _) => ("reflection", &reflection.place),
            (.., [first, ..]) => ("proto", &first.place),
            _ => ("proto", &self.named.name.place),
        };
        self.say(key, place, (format!("in `{file}`: {message}"), help));
    }
}

/// Files are imported relative to the project's `proto` folder.
fn import_name(path: &str) -> &str {
    path.strip_prefix("proto/").unwrap_or(path)
}

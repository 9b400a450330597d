//! The folder of a project: `compositions/` with its profiles, `schema/`, `proto/`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::base::diagnostic::{Diagnostic, Place, Sources};
use crate::base::file::{self, Unreadable};
use crate::base::id::FileId;

use super::constant::LookUp;
use super::keys::Reader;
use super::merge::read_merged;
use super::model::Spec;
use super::not_yet::Refused;
use super::yaml::parse;

/// Files larger than this are no composition, schema or proto file that somebody wrote.
const FILE_SIZE_LIMIT: u64 = 4 << 20;

/// The descriptors of the largest collections of services that are known take a tenth of this.
const DESCRIPTORS_SIZE_LIMIT: u64 = 128 << 20;

/// How deeply folders of proto files may nest; a link that leads back up ends here.
const FOLDER_DEPTH_LIMIT: usize = 16;

/// A project as read.
#[derive(Debug)]
pub struct Reading {
    /// The folder.
    pub root: PathBuf,
    /// The text of every file that was read.
    pub sources: Sources,
    /// What the composition files say, without the definitions in `unread`. `None` if a whole file or
    /// section could not be read, so that names would be missing.
    pub spec: Option<Spec>,
    /// The key paths of definitions that are left out because they could not be read, such as
    /// `backends.catalog`: their names are not unknown, their mistakes are reported.
    pub unread: BTreeSet<String>,
    /// Where keys are refused that belong to the language but not to this version: what else is lacking inside them
    /// need not be said.
    pub refused: Refused,
    /// The files of `schema/` that end in `.graphql`, by name.
    pub schemas: Vec<SourceFile>,
    /// The files of `schema/` and its folders that end in `.yaml`, `.yml` or `.json`, by path: contracts and
    /// JSON Schemas, for whoever names one.
    pub contracts: Vec<SourceFile>,
    /// The files of `proto/` and its folders that end in `.proto`, by path.
    pub protos: Vec<SourceFile>,
    /// The files that backends name under `descriptors`, each once.
    pub descriptors: Vec<DescriptorFile>,
    /// Everything that is wrong, file by file.
    pub diagnostics: Vec<Diagnostic>,
}

/// A file with compiled descriptors.
#[derive(Clone, Debug)]
pub struct DescriptorFile {
    /// Its path from the project's folder, as written.
    pub path: String,
    /// What it holds, or why it cannot be read.
    pub bytes: Result<Vec<u8>, String>,
}

/// A file of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path from the project's folder, with `/`, such as `proto/store/reviews.proto`.
    pub path: String,
    /// Its text in [`Reading::sources`].
    pub id: FileId,
}

/// A project's folder, and which of its profiles is read over its files.
#[derive(Clone, Copy, Debug)]
pub struct Project<'a> {
    /// The folder.
    pub root: &'a Path,
    /// The profile: the folder of this name in `compositions/`.
    pub profile: Option<&'a str>,
}

/// Reads a project, with constants from `look_up`.
pub fn read(project: Project<'_>, look_up: LookUp<'_>) -> Reading {
    let mut files = Files { root: project.root.to_owned(), ..Files::default() };
    files.compositions = files.read_folder(COMPOSITIONS, COMPOSITION_ENDINGS, 1);
    files.schemas = files.read_folder(SCHEMA, &["graphql"], 1);
    files.contracts = files.read_folder(SCHEMA, &["yaml", "yml", "json"], FOLDER_DEPTH_LIMIT);
    files.protos = files.read_folder(PROTO, &["proto"], FOLDER_DEPTH_LIMIT);
    if let Some(profile) = project.profile {
        files.profile = files.read_folder(&format!("{COMPOSITIONS}/{profile}"), COMPOSITION_ENDINGS, 1);
    }
    files.interpret(look_up)
}

/// The profiles of the project in `root`, by name: the folders in `compositions/`. Those whose names begin with a
/// dot are none: a mounted configuration has such folders for its versions.
pub fn profiles(root: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(root.join(COMPOSITIONS)) else { return Vec::new() };
    let folders = entries.flatten().filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort_unstable();
    names
}

/// Reads a file of compiled descriptors.
///
/// # Errors
/// As [`file::read`].
pub fn read_descriptors(path: &Path) -> Result<Vec<u8>, Unreadable> {
    file::read(path, DESCRIPTORS_SIZE_LIMIT)
}

/// Reads a project from memory: paths, such as `compositions/a.yaml`, with texts.
pub fn read_texts(texts: &[(&str, &str)], look_up: LookUp<'_>) -> Reading {
    let mut files = Files::default();
    for (path, text) in texts {
        let file = SourceFile { path: (*path).to_owned(), id: files.sources.add(*path, *text) };
        match path.split_once('/') {
            Some((SCHEMA, name)) if name.ends_with(".graphql") => files.schemas.push(file),
            Some((SCHEMA, _)) => files.contracts.push(file),
            Some((PROTO, _)) => files.protos.push(file),
            // What lies deeper belongs to a profile.
            Some((COMPOSITIONS, name)) if name.contains('/') => {}
            _ => files.compositions.push(file),
        }
    }
    files.interpret(look_up)
}

/// The folders of a project that are read.
pub const FOLDERS: [&str; 3] = [COMPOSITIONS, SCHEMA, PROTO];
/// How the names of all files end that are read there.
pub const ENDINGS: [&str; 5] = ["yaml", "yml", "json", "graphql", "proto"];

const COMPOSITIONS: &str = "compositions";
const COMPOSITION_ENDINGS: &[&str] = &["yaml", "yml", "json"];
const SCHEMA: &str = "schema";
const PROTO: &str = "proto";

/// The files that backends name under `descriptors`.
fn named_descriptors(root: &Path, spec: &Spec) -> Vec<DescriptorFile> {
    let mut files: Vec<DescriptorFile> = Vec::new();
    for name in spec.backends.iter().flat_map(|backend| &backend.value.descriptors) {
        if files.iter().any(|file| file.path == name.value) {
            continue;
        }
        let bytes = read_descriptors(&root.join(&name.value)).map_err(|why| why.to_string());
        files.push(DescriptorFile { path: name.value.clone(), bytes });
    }
    files
}

/// The files of a project, and what was wrong with reading them.
#[derive(Default)]
struct Files {
    root: PathBuf,
    sources: Sources,
    compositions: Vec<SourceFile>,
    /// The composition files of the profile.
    profile: Vec<SourceFile>,
    schemas: Vec<SourceFile>,
    contracts: Vec<SourceFile>,
    protos: Vec<SourceFile>,
    diagnostics: Vec<Diagnostic>,
}

impl Files {
    /// What the files say.
    fn interpret(mut self, look_up: LookUp<'_>) -> Reading {
        let mut broken = !self.diagnostics.is_empty();
        let mut trees = |files: &[SourceFile]| {
            let mut roots = Vec::new();
            for file in files {
                let (root, mistakes) = parse(file.id, &self.sources.text(file.id));
                broken |= root.is_none() && !mistakes.is_empty();
                roots.extend(root);
                self.diagnostics.extend(mistakes);
            }
            roots
        };
        let (base, profile) = (trees(&self.compositions), trees(&self.profile));
        if base.is_empty() && profile.is_empty() && !broken {
            self.report_nothing();
        }
        let mut reader = Reader::new(look_up);
        let spec = read_merged(base, profile, &mut reader).filter(|_| !broken);
        let (found, unread, refused) = reader.finish();
        self.diagnostics.extend(found);
        self.diagnostics.sort_by_key(|diagnostic| (diagnostic.place.file, diagnostic.place.bytes.start));
        let descriptors = spec.as_ref().map(|spec| named_descriptors(&self.root, spec)).unwrap_or_default();
        let Self { root, sources, schemas, contracts, protos, diagnostics, .. } = self;
        Reading { root, sources, spec, unread, refused, schemas, contracts, protos, descriptors, diagnostics }
    }

    fn report_nothing(&mut self) {
        let folder = self.root.join(COMPOSITIONS);
        let message = match (self.compositions.first(), folder.is_dir()) {
            (Some(file), _) => format!("{} says nothing", file.path),
            (None, true) => format!("there is no .yaml, .yml or .json file in {}", folder.display()),
            (None, false) => format!("there is no folder {}", folder.display()),
        };
        let file = match self.compositions.first() {
            Some(file) => file.id,
            None => self.sources.add(COMPOSITIONS, ""),
        };
        let diagnostic = Diagnostic::error("no-compositions", Place { file, bytes: 0..0 }, "", message)
            .help("a project is a folder with compositions/*.yaml");
        self.diagnostics.push(diagnostic);
    }

    /// The files of a folder with one of the `endings`, by name; `depth` folders deep. A folder that
    /// is not there has none.
    fn read_folder(&mut self, folder: &str, endings: &[&str], depth: usize) -> Vec<SourceFile> {
        let mut found = Vec::new();
        let Ok(entries) = std::fs::read_dir(self.root.join(folder)) else { return found };
        let mut names: Vec<String> =
            entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort_unstable();
        for name in names {
            let path = format!("{folder}/{name}");
            let full = self.root.join(&path);
            let fits = Path::new(&name).extension().is_some_and(|ending| endings.iter().any(|fit| ending == *fit));
            if full.is_dir() {
                if depth > 1 {
                    found.extend(self.read_folder(&path, endings, depth - 1));
                }
            } else if fits {
                found.extend(self.read_file(path, &full));
            }
        }
        found
    }

    fn read_file(&mut self, path: String, full: &Path) -> Option<SourceFile> {
        match file::read_text(full, FILE_SIZE_LIMIT) {
            // A byte order mark is no part of the text.
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                Some(SourceFile { id: self.sources.add(path.clone(), text), path })
            }
            Err(why) => {
                let place = Place { file: self.sources.add(path, ""), bytes: 0..0 };
                let message = format!("the file cannot be read: {why}");
                self.diagnostics.push(Diagnostic::error("unreadable-file", place, "", message));
                None
            }
        }
    }
}

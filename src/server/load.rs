//! Reading and checking a project: its plan, or everything that is wrong with it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;

use super::inputs::Inputs;
use super::reflections::Reflections;
use crate::base::diagnostic::{Diagnostic, Severity, Sources};
use crate::base::value::{JsonWriter, Kind, Sink as _};
use crate::plan::{self, Fixed, Plan, Reflecting};
use crate::spec::{self, Asked, LookUp, Project, Reading};

/// Diagnostics that are printed: nobody mends more at once.
const SHOWN: usize = 1_000;

/// A project as loaded: its plan, or everything that is wrong with it.
#[derive(Debug)]
pub struct Loaded {
    /// The profile that was read over the project's files.
    pub profile: Option<String>,
    /// What will run; `None` when something is wrong.
    pub plan: Option<Plan>,
    /// Errors and warnings in the order of files and lines.
    pub diagnostics: Vec<Diagnostic>,
    /// The text of the project's files.
    pub sources: Sources,
    /// What all of this was made of.
    pub inputs: Inputs,
}

/// Reads and checks a project without a profile. Nothing is connected, nothing listens.
pub fn load(root: &Path, environment: &HashMap<String, String>) -> Loaded {
    load_project(Project { root, profile: None }, environment)
}

/// The same with a profile, if one is named, which must be one of the project's [`spec::profiles`].
pub fn load_project(project: Project<'_>, environment: &HashMap<String, String>) -> Loaded {
    load_again(project, environment, &Before::default())
}

/// A project without a profile, and then with each of its profiles. Of a profile there is only what is not said
/// without it.
pub fn load_every_profile(root: &Path, environment: &HashMap<String, String>) -> Vec<Loaded> {
    let mut every = vec![load(root, environment)];
    for profile in spec::profiles(root) {
        let mut loaded = load_project(Project { root, profile: Some(&profile) }, environment);
        let Loaded { diagnostics, sources, .. } = &mut loaded;
        let said = |diagnostic: &Diagnostic, sources: &Sources| {
            let place = &diagnostic.place;
            (sources.name(place.file).to_owned(), place.bytes.clone(), diagnostic.code, diagnostic.message.clone())
        };
        let base: Vec<_> = every[0].diagnostics.iter().map(|known| said(known, &every[0].sources)).collect();
        diagnostics.retain(|diagnostic| !base.contains(&said(diagnostic, sources)));
        every.push(loaded);
    }
    every
}

/// What a project is held to that is read again.
#[derive(Clone, Debug, Default)]
pub(super) struct Before {
    /// What cannot change.
    pub(super) fixed: Fixed,
    /// What backends said of themselves, for those that do not answer now.
    pub(super) reflections: Reflections,
}

/// Reads and checks the project of a gateway that runs.
pub(super) fn load_again(project: Project<'_>, environment: &HashMap<String, String>, before: &Before) -> Loaded {
    let loaded = checked(|look_up| spec::read(project, look_up), (project.root, environment), before);
    Loaded { profile: project.profile.map(str::to_owned), ..loaded }
}

/// Reads and checks a project that is held in memory: paths such as `compositions/a.yaml` and texts.
pub fn load_texts(texts: &[(&str, &str)], environment: &HashMap<String, String>) -> Loaded {
    checked(|look_up| spec::read_texts(texts, look_up), (Path::new(""), environment), &Before::default())
}

fn checked(
    read: impl FnOnce(LookUp<'_>) -> Reading,
    (root, environment): (&Path, &HashMap<String, String>),
    before: &Before,
) -> Loaded {
    let inputs = RefCell::new(Inputs::begin());
    // Files of constants are those of the project, like all others that a composition names.
    let here = |path: &str| root.join(path).to_string_lossy().into_owned();
    let look_up = |asked: Asked<'_>| match asked {
        Asked::Environment(name) if environment.contains_key(name) => Ok(environment.get(name).cloned()),
        Asked::File(path) => {
            let found = spec::look_up_in_process(Asked::File(&here(path)));
            inputs.borrow_mut().add_named(path, &found);
            found
        }
        Asked::Beside(path) => spec::look_up_in_process(Asked::Beside(&here(path))),
        other @ Asked::Environment(_) => spec::look_up_in_process(other),
    };
    let reflect = |backends: &[Reflecting]| {
        let (said, known) = before.reflections.ask(backends);
        inputs.borrow_mut().reflections = known;
        said
    };
    let reading = read(&look_up);
    let (plan, diagnostics) = match plan::rebuild(&reading, (&look_up, &reflect), &before.fixed) {
        Ok((plan, diagnostics)) => (Some(plan), diagnostics),
        Err(diagnostics) => (None, diagnostics),
    };
    let mut inputs = inputs.into_inner();
    inputs.add_reading(&reading);
    Loaded { profile: None, plan, diagnostics, sources: reading.sources, inputs }
}

impl Loaded {
    /// Every diagnostic as a person reads it, and a line that counts the errors, because of which nothing starts. With a
    /// profile, a line before them names it.
    pub fn render(&self) -> String {
        self.render_with("nothing starts")
    }

    /// The same with other words for what the errors lead to.
    pub(super) fn render_with(&self, consequence: &str) -> String {
        let shown = self.diagnostics.iter().take(SHOWN);
        let mut out: String = shown.map(|diagnostic| self.sources.render(diagnostic) + "\n").collect();
        if self.diagnostics.len() > SHOWN {
            out.push_str(&format!("… and {} more\n\n", self.diagnostics.len() - SHOWN));
        }
        let errors = self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
        let with = self.profile.as_ref().map(|profile| format!(" with the profile `{profile}`")).unwrap_or_default();
        if errors > 0 {
            let noun = if errors == 1 { "error" } else { "errors" };
            out.push_str(&format!("{errors} {noun}; {consequence}{with}\n"));
        }
        match &self.profile {
            Some(profile) if !out.is_empty() => format!("With the profile `{profile}`:\n\n{out}"),
            _ => out,
        }
    }

    /// Writes each diagnostic as `{severity, code, file, path, line, column, message, help, profile}`; `profile` is null
    /// for what is wrong without any.
    pub fn write_json(&self, out: &mut JsonWriter) {
        self.diagnostics.iter().for_each(|diagnostic| self.write_diagnostic(out, diagnostic));
    }

    fn write_diagnostic(&self, out: &mut JsonWriter, diagnostic: &Diagnostic) {
        let place = &diagnostic.place;
        let (line, column) = self.sources.position(place.file, place.bytes.start);
        out.begin_object();
        let severity = if diagnostic.severity == Severity::Error { "error" } else { "warning" };
        let texts: [(&[u8], &str); 4] = [
            (b"\"severity\":", severity),
            (b"\"code\":", diagnostic.code),
            (b"\"file\":", self.sources.name(place.file)),
            (b"\"path\":", &diagnostic.path),
        ];
        for (key, text) in texts {
            out.key(key);
            out.text(Kind::String, text);
        }
        out.key(b"\"line\":");
        out.uint(line as u64);
        out.key(b"\"column\":");
        out.uint(column as u64);
        out.key(b"\"message\":");
        out.text(Kind::String, &diagnostic.message);
        out.key(b"\"help\":");
        out.text(Kind::String, &diagnostic.help);
        out.key(b"\"profile\":");
        match &self.profile {
            Some(profile) => out.text(Kind::String, profile),
            None => out.null(),
        }
        out.end_object();
    }
}

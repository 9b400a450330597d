//! The files that contracts are written in, and references between them.
//!
//! A reference is `file#/pointer` (RFC 6901); the file stands relative to the one that refers to it.
//! Only what something uses is opened.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::base::diagnostic::{Diagnostic, Place, did_you_mean, nearest_file};
use crate::spec::Reading;
use crate::spec::yaml::{Kind, Node, parse};

/// The files of a project that contracts may stand in, each parsed when it is first needed.
pub struct Documents<'r> {
    reading: &'r Reading,
    /// By path; `None` for a file that cannot be read.
    opened: RefCell<HashMap<String, Option<Rc<Document>>>>,
    diagnostics: RefCell<Vec<Diagnostic>>,
}

/// A parsed file, or a schema that stands in a composition file.
#[derive(Debug)]
pub struct Document {
    /// Its path from the project's folder; empty for a schema in a composition.
    pub path: String,
    /// Everything in it.
    pub root: Node,
}

/// A node of a document.
#[derive(Clone, Debug)]
pub struct Spot {
    /// The document.
    pub document: Rc<Document>,
    /// The way to the node: a JSON pointer, not percent-encoded.
    pub pointer: String,
}

impl Spot {
    /// The whole of a document.
    pub fn whole(document: Rc<Document>) -> Self {
        Self { document, pointer: String::new() }
    }

    /// The node; `None` if the pointer leads nowhere.
    pub fn node(&self) -> Option<&Node> {
        steps(&self.pointer).try_fold(&self.document.root, |node, step| child(node, &step))
    }
}

impl<'r> Documents<'r> {
    /// The files of a project.
    pub fn of(reading: &'r Reading) -> Self {
        Self { reading, opened: RefCell::default(), diagnostics: RefCell::default() }
    }

    /// What was found wrong since this was last asked.
    pub fn take_diagnostics(&self) -> Vec<Diagnostic> {
        self.diagnostics.take()
    }

    /// Reports a mistake in a document. `pointer` says where in it.
    pub fn report(&self, place: &Place, pointer: &str, message: String, help: String) {
        self.diagnostics.borrow_mut().push(Diagnostic::error("contract", place.clone(), pointer, message).help(help));
    }

    /// The file at `path`, from the project's folder; `None` if it is not there or not readable, which
    /// is reported: at `named_at` or in the file.
    pub fn open(&self, path: &str, named_at: (&Place, &str)) -> Option<Rc<Document>> {
        let Some(file) = self.reading.contracts.iter().find(|file| file.path == path) else {
            let known = self.reading.contracts.iter().map(|file| file.path.as_str());
            let message = format!("there is no file `{path}` in the project");
            let diagnostic = Diagnostic::error("contract", named_at.0.clone(), named_at.1, message);
            self.diagnostics.borrow_mut().push(diagnostic.help(nearest_file(path, known)));
            return None;
        };
        if let Some(known) = self.opened.borrow().get(path) {
            return known.clone();
        }
        let (root, mistakes) = parse(file.id, &self.reading.sources.text(file.id));
        let broken = !mistakes.is_empty();
        if root.is_none() && !broken {
            self.report(&Place { file: file.id, bytes: 0..0 }, "", format!("{path} says nothing"), String::new());
        }
        self.diagnostics.borrow_mut().extend(mistakes);
        let document = root.filter(|_| !broken).map(|root| Rc::new(Document { path: path.to_owned(), root }));
        self.opened.borrow_mut().insert(path.to_owned(), document.clone());
        document
    }

    /// What a reference in `from` leads to; `None`, and a diagnostic at the reference, if nothing.
    pub fn follow(&self, from: &Document, reference: &str, at: (&Rc<Document>, &Place, &str)) -> Option<Spot> {
        let (document, place, pointer) = at;
        let (file, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        if file.contains("://") {
            let message = format!("`{reference}` leads out of the project");
            self.report(place, pointer, message, "keep a copy in schema/ and refer to it".to_owned());
            return None;
        }
        let document = match file {
            "" => document.clone(),
            file => self.open(&beside(&from.path, file), (place, pointer))?,
        };
        self.find(document, fragment, (place, pointer))
    }

    /// What a fragment such as `/definitions/Order` leads to in a document.
    pub fn find(&self, document: Rc<Document>, fragment: &str, (place, pointer): (&Place, &str)) -> Option<Spot> {
        let target = percent_encoding::percent_decode_str(fragment).decode_utf8_lossy().into_owned();
        if !target.is_empty() && !target.starts_with('/') {
            let message = format!("`#{target}` is no JSON pointer");
            let help = "write the way from the top of the file, as in `#/definitions/Order`".to_owned();
            self.report(place, pointer, message, help);
            return None;
        }
        let mut node = &document.root;
        for step in steps(&target) {
            let Some(next) = child(node, &step) else {
                let known: Vec<&str> = match &node.kind {
                    Kind::Mapping(pairs) => pairs.iter().map(|(key, _)| key.value.as_str()).collect(),
                    _ => Vec::new(),
                };
                let message = format!("`#{target}` leads nowhere: there is no `{step}`");
                self.report(place, pointer, message, did_you_mean(&step, known));
                return None;
            };
            node = next;
        }
        Some(Spot { document, pointer: target })
    }
}

/// The steps of a JSON pointer (RFC 6901, section 4).
fn steps(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"))
}

fn child<'n>(node: &'n Node, step: &str) -> Option<&'n Node> {
    match &node.kind {
        Kind::Mapping(_) => node.member(step),
        Kind::Sequence(items) => items.get(step.parse::<usize>().ok()?),
        Kind::Scalar(_) => None,
    }
}

/// A step as a pointer writes it.
pub(super) fn escaped(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

/// `file` as it stands beside `path`, from the project's folder.
fn beside(path: &str, file: &str) -> String {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut steps: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in file.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    steps.join("/")
}

#[cfg(test)]
mod tests {
    use super::{beside, steps};

    #[test]
    fn files_stand_beside_the_one_that_names_them() {
        assert_eq!(beside("schema/catalog.openapi.yaml", "./types/product.yaml"), "schema/types/product.yaml");
        assert_eq!(beside("schema/types/product.yaml", "../seller.json"), "schema/seller.json");
        assert_eq!(beside("", "schema/order.json"), "schema/order.json");
        assert_eq!(beside("schema/a.yaml", "../../../etc/passwd"), "etc/passwd");
    }

    #[test]
    fn pointers_are_unescaped_step_by_step() {
        assert_eq!(steps("/paths/~1products~1{id}/a~01").collect::<Vec<_>>(), ["paths", "/products/{id}", "a~1"]);
        assert_eq!(steps("").count(), 0);
    }
}

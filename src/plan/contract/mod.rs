//! What REST backends promise: OpenAPI documents, and the JSON Schemas in them and beside them.
//!
//! ```text
//! schema/*.yaml, *.json ─▶ Documents ─▶ Contract { operations by method and path }
//!                                              │ those that calls use
//!                                              ▼
//!                             Operation { parameters, body, replies } over compiled Schemas
//! ```
//!
//! Of a document only what calls use is read: a mistake in another corner of it hurts nobody. Sources:
//! OpenAPI 3.0.4 and 3.1.1.

mod documents;
mod operation;
mod path;
pub mod schema;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::sync::Arc;

use http::Method;

pub use documents::{Document, Documents, Spot};
pub use operation::{Contents, In, Lists, Operation, Parameter, Reply};
pub use path::{Bound, Piece, Segment, segments};

use crate::base::diagnostic::{Place, suggestion};
use crate::spec::Literal;
use crate::spec::yaml::{Kind, Node};
use schema::Sort;

/// The methods that a path item may describe.
const METHODS: [Method; 8] = [
    Method::GET,
    Method::PUT,
    Method::POST,
    Method::DELETE,
    Method::OPTIONS,
    Method::HEAD,
    Method::PATCH,
    Method::TRACE,
];

/// An OpenAPI document.
#[derive(Debug)]
pub struct Contract {
    sort: Sort,
    entries: Vec<Entry>,
    /// Operations that were read, by position.
    read: RefCell<Vec<Option<Arc<Operation>>>>,
}

/// One operation, not yet read.
#[derive(Debug)]
struct Entry {
    method: Method,
    /// The path with its server's base path, such as `/v1/products/{id}`.
    template: String,
    segments: Vec<Segment>,
    /// The path item, which may hold parameters of all its operations.
    item: Spot,
    /// The operation itself.
    spot: Spot,
}

/// What a contract has at a method and path.
#[derive(Debug)]
pub enum Found {
    /// An operation, by its position; and which value stands for which parameter.
    Operation(usize, Vec<Bound>),
    /// The path exists, but not with this method: its template, and the methods that it has.
    OtherMethods(String, Vec<Method>),
    /// Nothing; the template that was probably meant.
    Nothing(Option<String>),
}

impl Contract {
    /// Reads the document at `path`; `None`, and diagnostics, if it is none. `named_at` is where the
    /// composition names it.
    pub fn read(documents: &Documents<'_>, path: &str, named_at: (&Place, &str)) -> Option<Self> {
        let document = documents.open(path, named_at)?;
        let root = &document.root;
        let wrong = |node: &Node, pointer: &str, message: &str, help: &str| {
            documents.report(&node.place, pointer, message.to_owned(), help.to_owned());
        };
        let version = root.member("openapi").and_then(text).unwrap_or_default();
        let sort = match version {
            version if version.starts_with("3.0") => Sort::OpenApi30,
            version if version.starts_with("3.") => Sort::JsonSchema,
            _ => {
                let node = root.member("openapi").or_else(|| root.member("swagger")).unwrap_or(root);
                wrong(node, "", "this is no OpenAPI document of version 3", "begin it with `openapi: 3.1.0`");
                return None;
            }
        };
        let Some(paths) = root.member("paths") else {
            wrong(root, "", "the document has no `paths`", "write `paths:` with the operations of the backend");
            return None;
        };
        let Kind::Mapping(paths) = &paths.kind else {
            wrong(paths, "/paths", "`paths` is a mapping from paths to their operations", "");
            return None;
        };
        let mut contract = Self { sort, entries: Vec::new(), read: RefCell::default() };
        let bases = bases_of(root).unwrap_or_else(|| vec![String::new()]);
        for (template, _) in paths.iter().filter(|(template, _)| template.value.starts_with('/')) {
            let pointer = format!("/paths/{}", documents::escaped(&template.value));
            let item = Spot { document: document.clone(), pointer };
            if let Some(item) = operation::resolved(documents, item) {
                contract.path_item(&template.value, &item, &bases);
            }
        }
        contract.read = RefCell::new(contract.entries.iter().map(|_| None).collect());
        Some(contract)
    }

    fn path_item(&mut self, template: &str, item: &Spot, bases: &[String]) {
        let Some(node) = item.node() else { return };
        let of_item = bases_of(node);
        for method in METHODS {
            let key = method.as_str().to_lowercase();
            let Some(operation) = node.member(&key) else { continue };
            let spot = Spot { pointer: format!("{}/{key}", item.pointer), ..item.clone() };
            let bases = bases_of(operation).or_else(|| of_item.clone()).unwrap_or_else(|| bases.to_vec());
            for base in bases {
                let template = format!("{base}{template}");
                let segments = path::template(&template);
                let (item, spot) = (item.clone(), spot.clone());
                self.entries.push(Entry { method: method.clone(), template, segments, item, spot });
            }
        }
    }

    /// What stands at a method and path.
    pub fn find(&self, method: &Method, target: &[Segment]) -> Found {
        let fitting = self.entries.iter().enumerate();
        let mut fitting: Vec<(usize, &Entry, path::Match)> =
            fitting.filter_map(|(at, entry)| Some((at, entry, path::matched(&entry.segments, target)?))).collect();
        // A written segment is nearer than a parameter (OpenAPI, "Path Templating Matching").
        fitting.sort_by_key(|(.., found)| found.parameters);
        // HEAD is answered by what answers GET.
        let asked = [method, if method == Method::HEAD { &Method::GET } else { method }];
        let found = asked.iter().find_map(|method| fitting.iter().position(|(_, entry, _)| entry.method == **method));
        match (found, fitting.first()) {
            (Some(at), _) => {
                let (at, _, found) = fitting.swap_remove(at);
                Found::Operation(at, found.bound)
            }
            (None, Some((_, first, _))) => {
                let methods = fitting.iter().filter(|(_, entry, _)| entry.template == first.template);
                Found::OtherMethods(first.template.clone(), methods.map(|(_, entry, _)| entry.method.clone()).collect())
            }
            (None, None) => Found::Nothing(self.nearest(target)),
        }
    }

    fn nearest(&self, target: &[Segment]) -> Option<String> {
        let wanted = path::shown(target);
        let nearest = |entries: Vec<&Entry>| {
            let known: Vec<String> = entries.iter().map(|entry| path::shown(&entry.segments)).collect();
            let best = suggestion(&wanted, known.iter().map(String::as_str))?;
            let at = known.iter().position(|shown| shown == best)?;
            Some(entries[at].template.clone())
        };
        // A misspelt segment is likelier than one too many.
        let alike = self.entries.iter().filter(|entry| entry.segments.len() == target.len());
        nearest(alike.collect()).or_else(|| nearest(self.entries.iter().collect()))
    }

    /// Every path of the contract, each once, for a list of what there is.
    pub fn templates(&self) -> Vec<&str> {
        let mut templates: Vec<&str> = self.entries.iter().map(|entry| entry.template.as_str()).collect();
        templates.dedup();
        templates
    }

    /// An operation, read when it is first asked for. `backend` begins the names of its types.
    pub fn operation(&self, documents: &Documents<'_>, at: usize, backend: &str) -> Arc<Operation> {
        if let Some(known) = &self.read.borrow()[at] {
            return known.clone();
        }
        let entry = &self.entries[at];
        let name = format!("{} {}", entry.method, entry.template);
        let operation = Operation::read(documents, self.sort, (&entry.item, &entry.spot), (&name, backend));
        let operation = Arc::new(operation);
        self.read.borrow_mut()[at] = Some(operation.clone());
        operation
    }
}

/// How the words of a document's schemas are read: those of an OpenAPI 3.0 document are its own.
pub fn sort_of(document: &Document) -> Sort {
    match document.root.member("openapi").and_then(text) {
        Some(version) if version.starts_with("3.0") => Sort::OpenApi30,
        _ => Sort::JsonSchema,
    }
}

/// The paths of the servers that a document, path item or operation names; `None` when it names none.
fn bases_of(node: &Node) -> Option<Vec<String>> {
    let Kind::Sequence(servers) = &node.member("servers")?.kind else { return None };
    let mut bases: Vec<String> = servers.iter().filter_map(base).collect();
    bases.sort_unstable();
    bases.dedup();
    (!bases.is_empty()).then_some(bases)
}

/// The path of a server's address, with the defaults of its variables; without a slash at its end.
fn base(server: &Node) -> Option<String> {
    let mut url = text(server.member("url")?)?.to_owned();
    if let Some(Kind::Mapping(variables)) = server.member("variables").map(|node| &node.kind) {
        for (name, variable) in variables {
            let default = variable.member("default").and_then(text).unwrap_or_default();
            url = url.replace(&format!("{{{}}}", name.value), default);
        }
    }
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => url.as_str(),
    };
    let path = path.trim_end_matches('/').trim_start_matches('.');
    Some(if path.is_empty() || path.starts_with('/') { path.to_owned() } else { format!("/{path}") })
}

/// The text of a scalar; a number as it is written, for versions and statuses.
fn text(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Scalar(scalar) => match &scalar.value {
            Literal::Text(text) | Literal::Number(text) => Some(text),
            Literal::Bool(_) | Literal::Null => None,
        },
        _ => None,
    }
}

/// Whether a node says `true`.
fn is_true(node: Option<&Node>) -> bool {
    matches!(node.map(|node| &node.kind), Some(Kind::Scalar(scalar)) if scalar.value == Literal::Bool(true))
}

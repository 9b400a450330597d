//! One operation of a contract: what it takes, what it answers.

use std::sync::Arc;

use super::documents::{Documents, Spot, escaped};
use super::schema::{Reader, SchemaId, Schemas, Sort, promised_type, type_of};
use super::{is_true, text};
use crate::base::media::{Media, essence};
use crate::base::value::Doc;
use crate::expr::Type;
use crate::plan::OfBackend;
use crate::spec::yaml::{Kind, Node};

/// References that lead to one another.
const REFERENCE_LIMIT: usize = 16;

/// An operation.
#[derive(Debug)]
pub struct Operation {
    /// `GET /products/{id}`.
    pub name: String,
    /// What it takes beside the body.
    pub parameters: Vec<Parameter>,
    /// The body that it takes, and whether there must be one; `None` when it takes none.
    pub body: Option<(Contents, bool)>,
    /// What it answers.
    pub replies: Vec<Reply>,
    /// The schemas of all of these.
    pub schemas: Arc<Schemas>,
}

/// A parameter.
#[derive(Debug)]
pub struct Parameter {
    /// Its name; of header fields in lower case.
    pub name: String,
    /// Where it stands.
    pub stands: In,
    /// Whether there must be one.
    pub required: bool,
    /// What it holds, if the contract says so with a schema.
    pub schema: Option<SchemaId>,
    /// How a list is written.
    pub lists: Lists,
    /// Whether it is an object, whose members become names of the query.
    pub spreads: bool,
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum In {
    Path,
    Query,
    Header,
    Cookie,
}

/// How a parameter writes a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lists {
    /// `?id=1&id=2`
    Repeat,
    /// `?id=1,2`
    Comma,
    /// In a way that compositions have no word for.
    Otherwise,
}

/// What a reply with some statuses holds.
#[derive(Debug)]
pub struct Reply {
    /// The least status.
    pub from: u16,
    /// The greatest. `default` stands for what no other reply names: from 0 to 0.
    pub to: u16,
    /// Its body.
    pub contents: Contents,
}

/// A body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// There is none.
    Nothing,
    /// JSON of this schema.
    Json(SchemaId),
    /// Text, XML among it.
    Text,
    /// Neither JSON nor text.
    Bytes,
    /// JSON of any kind, or something of several kinds.
    Unknown,
}

impl Operation {
    /// Reads an operation. `item` is its path item.
    pub(super) fn read(
        documents: &Documents<'_>,
        sort: Sort,
        (item, spot): (&Spot, &Spot),
        (name, backend): (&str, &str),
    ) -> Self {
        let mut source =
            Source { documents, schemas: Reader::new(documents, sort, &format!("{backend}.")), backend, name };
        let mut parameters = source.parameters(spot);
        for shared in source.parameters(item) {
            let is_known = |known: &Parameter| known.name == shared.name && known.stands == shared.stands;
            if !parameters.iter().any(is_known) {
                parameters.push(shared);
            }
        }
        let body = source.body(spot);
        let replies = source.replies(spot);
        let schemas = Arc::new(source.schemas.finish());
        for parameter in &mut parameters {
            parameter.spreads = parameter.spreads
                && parameter.schema.is_some_and(|id| matches!(type_of(&schemas, id), Type::Object(_) | Type::Map(_)));
        }
        Self { name: name.to_owned(), parameters, body, replies, schemas }
    }

    /// What a reply with this status holds; `None` when the contract does not know it.
    pub fn contents(&self, status: u16) -> Option<Contents> {
        let named = self.replies.iter().filter(|reply| (reply.from..=reply.to).contains(&status));
        let nearest = named.min_by_key(|reply| reply.to - reply.from);
        nearest.or_else(|| self.replies.iter().find(|reply| reply.to == 0)).map(|reply| reply.contents)
    }

    /// Whether some reply of it holds integers, which are to be marked.
    pub fn has_integers(&self) -> bool {
        let mut contents = self.replies.iter().map(|reply| reply.contents);
        contents.any(|contents| matches!(contents, Contents::Json(id) if self.schemas.has_integers(id)))
    }

    /// Marks what is an integer in a reply with this status.
    pub fn mark_integers(&self, status: u16, reply: &mut Doc) {
        if let Some(Contents::Json(id)) = self.contents(status) {
            self.schemas.mark_integers(id, reply);
        }
    }

    /// The type of a reply with one of these statuses; of every success when none are given.
    /// What is promised of its members is noted with `promises`.
    pub fn reply_type(&self, expected: Option<&[u16]>, promises: &OfBackend) -> Type {
        let contents: Vec<Contents> = match expected {
            Some(statuses) => {
                statuses.iter().map(|status| self.contents(*status).unwrap_or(Contents::Unknown)).collect()
            }
            None => {
                let is_success = |reply: &&Reply| reply.from >= 200 && reply.to < 300;
                let mut contents: Vec<Contents> =
                    self.replies.iter().filter(is_success).map(|reply| reply.contents).collect();
                if contents.is_empty() {
                    contents.extend(self.contents(200));
                }
                contents
            }
        };
        let ty = |contents: Contents| match contents {
            Contents::Nothing => Type::Null,
            Contents::Json(id) => promised_type(&self.schemas, id, promises),
            Contents::Text => Type::Text,
            Contents::Bytes => Type::Bytes,
            Contents::Unknown => Type::Dyn,
        };
        contents.into_iter().map(ty).reduce(|one, other| one.join(&other)).unwrap_or(Type::Dyn)
    }
}

/// What an operation is read from.
struct Source<'d, 'r> {
    documents: &'d Documents<'r>,
    schemas: Reader<'d, 'r>,
    backend: &'d str,
    name: &'d str,
}

impl Source<'_, '_> {
    fn parameters(&mut self, of: &Spot) -> Vec<Parameter> {
        let written = of.node().and_then(|node| node.member("parameters"));
        let Some(Kind::Sequence(items)) = written.map(|node| &node.kind) else { return Vec::new() };
        let spots = (0..items.len()).map(|at| below(of, &["parameters", &at.to_string()]));
        let spots: Vec<Spot> = spots.filter_map(|spot| resolved(self.documents, spot)).collect();
        spots.iter().filter_map(|spot| self.parameter(spot)).collect()
    }

    fn parameter(&mut self, spot: &Spot) -> Option<Parameter> {
        let node = spot.node()?;
        let name = node.member("name").and_then(text);
        let stands = match node.member("in").and_then(text) {
            Some("path") => Some(In::Path),
            Some("query") => Some(In::Query),
            Some("header") => Some(In::Header),
            Some("cookie") => Some(In::Cookie),
            _ => None,
        };
        let (Some(name), Some(stands)) = (name, stands) else {
            let message = "a parameter has a `name`, and `in: path`, `query`, `header` or `cookie`".to_owned();
            self.documents.report(&node.place, &spot.pointer, message, String::new());
            return None;
        };
        let schema = node.member("schema").is_some().then(|| below(spot, &["schema"]));
        let schema = schema.and_then(|spot| self.schemas.read(&spot, name));
        // The defaults of style and explode: OpenAPI, "Parameter Object".
        let style = node.member("style").and_then(text);
        let explode = match node.member("explode") {
            Some(explode) => is_true(Some(explode)),
            None => matches!(style, None | Some("form" | "deepObject")),
        };
        let lists = match (style, explode) {
            (None | Some("form"), true) => Lists::Repeat,
            (None | Some("form" | "simple"), false) => Lists::Comma,
            _ => Lists::Otherwise,
        };
        let spreads = explode && matches!(style, None | Some("form" | "deepObject"));
        let name = if stands == In::Header { name.to_lowercase() } else { name.to_owned() };
        Some(Parameter { name, stands, required: is_true(node.member("required")), schema, lists, spreads })
    }

    fn body(&mut self, operation: &Spot) -> Option<(Contents, bool)> {
        operation.node()?.member("requestBody")?;
        let spot = resolved(self.documents, below(operation, &["requestBody"]))?;
        let required = is_true(spot.node()?.member("required"));
        let name = format!("the body of {} {}", self.backend, self.name);
        Some((self.contents(&spot, &name), required))
    }

    fn replies(&mut self, operation: &Spot) -> Vec<Reply> {
        let written = operation.node().and_then(|node| node.member("responses"));
        let Some(Kind::Mapping(pairs)) = written.map(|node| &node.kind) else { return Vec::new() };
        let statuses: Vec<&str> = pairs.iter().map(|(status, _)| status.value.as_str()).collect();
        let reply = |status: &str| {
            let (from, to) = range(status)?;
            let spot = resolved(self.documents, below(operation, &["responses", status]))?;
            let name = format!("the reply of {} {}", self.backend, self.name);
            Some(Reply { from, to, contents: self.contents(&spot, &name) })
        };
        statuses.into_iter().filter_map(reply).collect()
    }

    fn contents(&mut self, spot: &Spot, name: &str) -> Contents {
        let written = spot.node().and_then(|node| node.member("content"));
        let Some(Kind::Mapping(media)) = written.map(|node| &node.kind) else { return Contents::Nothing };
        let Some((media, described)) = media.iter().find(|(media, _)| is_json(&media.value)) else {
            let mut sorts = media.iter().map(|(media, _)| Media::of(&media.value));
            return match sorts.next() {
                None => Contents::Nothing,
                Some(Media::Text) if sorts.all(|sort| sort == Media::Text) => Contents::Text,
                Some(Media::Bytes) if sorts.all(|sort| sort == Media::Bytes) => Contents::Bytes,
                Some(_) => Contents::Unknown,
            };
        };
        if described.member("schema").is_none() {
            return Contents::Unknown;
        }
        let spot = below(spot, &["content", &media.value, "schema"]);
        self.schemas.read(&spot, name).map_or(Contents::Unknown, Contents::Json)
    }
}

/// A range of statuses: `404`, `2XX`, or `default`.
fn range(status: &str) -> Option<(u16, u16)> {
    if status == "default" {
        return Some((0, 0));
    }
    if let Some(hundred) = status.strip_suffix("XX").or_else(|| status.strip_suffix("xx")) {
        let from = hundred.parse::<u16>().ok()?.checked_mul(100)?;
        return Some((from, from.checked_add(99)?));
    }
    let status = status.parse().ok()?;
    Some((status, status))
}

/// Whether a media type, or a range of them, is JSON (RFC 6839 for its suffix).
fn is_json(media: &str) -> bool {
    Media::of(media) == Media::Json || matches!(essence(media).as_str(), "*/*" | "application/*")
}

fn below(spot: &Spot, steps: &[&str]) -> Spot {
    let pointer = steps.iter().fold(spot.pointer.clone(), |pointer, step| format!("{pointer}/{}", escaped(step)));
    Spot { pointer, ..spot.clone() }
}

/// What a `$ref` in the place of an object leads to; the object itself where there is none. `None`, and
/// a diagnostic, when it leads nowhere.
pub(super) fn resolved(documents: &Documents<'_>, mut spot: Spot) -> Option<Spot> {
    for _ in 0..REFERENCE_LIMIT {
        let node = spot.node()?;
        let Some(reference) = node.member("$ref") else { return Some(spot) };
        let target = text(reference).unwrap_or_default();
        let next = documents.follow(&spot.document, target, (&spot.document, &reference.place, &spot.pointer))?;
        spot = next;
    }
    let place = |node: &Node| node.place.clone();
    let place = spot.node().map(place)?;
    documents.report(&place, &spot.pointer, "references lead in a circle".to_owned(), String::new());
    None
}

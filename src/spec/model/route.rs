//! The key of an endpoint: `METHOD /path/{param}`.

use percent_encoding::{CONTROLS, utf8_percent_encode};

use crate::base::diagnostic::{Place, did_you_mean};
use crate::spec::keys::{Entries, Keys, ObjectDoc, Reader};
use crate::spec::name::is_name;

use super::Located;

/// Which requests an endpoint answers.
#[derive(Clone, Debug)]
pub struct Route {
    /// The methods.
    pub methods: Methods,
    /// The path, segment by segment, without the slashes. `/` has none; a slash at the end makes a
    /// last literal segment that is empty.
    pub segments: Vec<Located<Segment>>,
    /// The path as written.
    pub path: Located<String>,
}

/// The methods of an endpoint.
#[derive(Clone, Debug)]
pub enum Methods {
    /// `ANY`.
    Any(Place),
    /// These, each once; at least one.
    Only(Vec<Located<http::Method>>),
}

/// One segment of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Exactly this text, as clients send it: what is not ASCII is percent-encoded, and what is written so is left
    /// alone.
    Literal(String),
    /// `{name}`: any one segment.
    Parameter(Captured),
    /// `{*name}`: the rest of the path, slashes included; always last.
    Rest(Captured),
}

/// What a parameter takes of the segments that it stands for: all of them but the text behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// The parameter's name.
    pub name: String,
    /// The text behind it, `:archive` of `{id}:archive`, percent-encoded like a literal; may be empty.
    pub suffix: String,
}

impl Route {
    /// The names of the parameters, `{*rest}` included, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match &segment.value {
            Segment::Literal(_) => None,
            Segment::Parameter(captured) | Segment::Rest(captured) => Some(captured.name.as_str()),
        })
    }

    /// Whether some request fits both, and nothing tells which is meant: the paths differ in the
    /// names of parameters only, and a method is common.
    pub(super) fn clashes_with(&self, other: &Self) -> bool {
        let alike = |(one, other): (&Located<Segment>, &Located<Segment>)| match (&one.value, &other.value) {
            (Segment::Literal(one), Segment::Literal(other)) => one == other,
            (Segment::Parameter(one), Segment::Parameter(other)) | (Segment::Rest(one), Segment::Rest(other)) => {
                one.suffix == other.suffix
            }
            _ => false,
        };
        self.segments.len() == other.segments.len()
            && self.methods.overlap(&other.methods)
            && self.segments.iter().zip(&other.segments).all(alike)
    }

    /// The path without the names of its parameters: routes that clash have the same.
    pub(super) fn pattern(&self) -> String {
        let segment = |segment: &Located<Segment>| match &segment.value {
            Segment::Literal(text) => format!("/{text}"),
            Segment::Parameter(captured) => format!("/{{}}{}", captured.suffix),
            Segment::Rest(captured) => format!("/{{*}}{}", captured.suffix),
        };
        self.segments.iter().map(segment).collect()
    }
}

impl Methods {
    fn overlap(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Only(one), Self::Only(other)) => {
                one.iter().any(|one| other.iter().any(|other| one.value == other.value))
            }
            (Self::Any(_), Self::Any(_)) => true,
            // A written method is nearer than `ANY`.
            _ => false,
        }
    }
}

impl Keys for Route {
    const DOC: ObjectDoc = ObjectDoc {
        name: "Route",
        title: "an endpoint",
        doc: "The key of an endpoint: one or more methods, or `ANY`, and a path.",
        example: "GET /products/{id}",
        fields: &[],
        alternatives: &[],
    };

    fn take(entries: &mut Entries<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        parse(entries.name()?, reader)
    }
}

const HELP: &str = "write `METHOD /path/{param}`, as in `GET /products/{id}`, `GET|HEAD /files/{*path}`, `ANY /legacy`";

/// The methods that an endpoint may name.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "ANY"];

fn parse(key: &Located<String>, reader: &mut Reader<'_>) -> Option<Route> {
    let Some((methods, path)) = key.value.split_once(' ') else {
        let message = if key.value.starts_with('/') { "the method is missing" } else { "this is no method and path" };
        reader.report(reader.error("malformed-endpoint", &key.place, message).help(HELP));
        return None;
    };
    let written = Written { key, reader };
    written.route(methods, path)
}

/// The key of an endpoint while it is parsed.
struct Written<'a, 'r, 'l> {
    key: &'a Located<String>,
    reader: &'r mut Reader<'l>,
}

impl Written<'_, '_, '_> {
    fn route(mut self, methods: &str, path: &str) -> Option<Route> {
        let methods = self.methods(methods);
        let offset = self.key.value.len() - path.len();
        let trimmed = path.trim_start();
        let segments = self.segments(trimmed, offset + path.len() - trimmed.len());
        let path = Located { value: trimmed.to_owned(), place: self.place(offset, path.len()) };
        Some(Route { methods: methods?, segments: segments?, path })
    }

    fn methods(&mut self, text: &str) -> Option<Methods> {
        let mut methods: Vec<Located<http::Method>> = Vec::new();
        let mut at = 0;
        for name in text.split('|') {
            let place = self.place(at, name.len());
            at += name.len() + 1;
            if name == "ANY" && text == "ANY" {
                return Some(Methods::Any(place));
            }
            let known = METHODS.contains(&name) && name != "ANY";
            let twice = methods.iter().any(|method| method.value.as_str() == name);
            let Some(method) = name.parse::<http::Method>().ok().filter(|_| known && !twice) else {
                let message = match name {
                    "ANY" => "`ANY` stands alone".to_owned(),
                    _ if twice => format!("`{name}` is written twice"),
                    _ => format!("`{name}` is no method of an endpoint"),
                };
                self.refuse(&place, message, &did_you_mean(name, METHODS));
                return None;
            };
            methods.push(Located { value: method, place });
        }
        Some(Methods::Only(methods))
    }

    fn segments(&mut self, path: &str, offset: usize) -> Option<Vec<Located<Segment>>> {
        let Some(inner) = path.strip_prefix('/') else {
            self.refuse(&self.place(offset, path.len()), "the path does not begin with `/`".into(), HELP);
            return None;
        };
        if inner.is_empty() {
            return Some(Vec::new());
        }
        let mut segments: Vec<Located<Segment>> = Vec::new();
        let mut at = offset + 1;
        let count = inner.split('/').count();
        for (index, text) in inner.split('/').enumerate() {
            let place = self.place(at, text.len());
            at += text.len() + 1;
            let value = self.segment(text, &place, index + 1 == count)?;
            if let Segment::Parameter(Captured { name, .. }) | Segment::Rest(Captured { name, .. }) = &value
                && segments
                    .iter()
                    .any(|earlier| matches!(&earlier.value, Segment::Parameter(other) if other.name == *name))
            {
                self.refuse(
                    &place,
                    format!("`{{{name}}}` stands twice in the path"),
                    "give each parameter a name of its own",
                );
                return None;
            }
            segments.push(Located { value, place });
        }
        Some(segments)
    }

    fn segment(&mut self, text: &str, place: &Place, is_last: bool) -> Option<Segment> {
        let read = match text.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some((name, suffix)) => parameter(name, suffix, is_last),
            None => literal(text, is_last),
        };
        match read {
            Ok(segment) => Some(segment),
            Err((message, help)) => {
                self.refuse(place, message, help);
                None
            }
        }
    }

    fn refuse(&mut self, place: &Place, message: String, help: &str) {
        self.reader.report(self.reader.error("malformed-endpoint", place, message).help(help));
    }

    /// The place of a stretch of the key. Keys with escapes in quotes are shown whole.
    fn place(&self, start: usize, length: usize) -> Place {
        let whole = &self.key.place;
        let quotes = whole.bytes.len().saturating_sub(self.key.value.len());
        if !matches!(quotes, 0 | 2) {
            return whole.clone();
        }
        let start = whole.bytes.start + quotes / 2 + start;
        Place { file: whole.file, bytes: start..start + length }
    }
}

/// What is wrong with a segment, and what to write instead.
type Refused = (String, &'static str);

/// `{name}` or `{*name}`, with the text behind it.
fn parameter(name: &str, suffix: &str, is_last: bool) -> Result<Segment, Refused> {
    let (rest, name) = match name.strip_prefix('*') {
        Some(name) => (true, name),
        None => (false, name),
    };
    if !is_name(name) {
        let message = format!("`{name}` cannot name a parameter");
        return Err((message, "names are letters, digits and `_`, as in `{id}` or `{*path}`"));
    }
    if rest && !is_last {
        return Err(("the rest of a path can only stand at its end".to_owned(), "move it to the end"));
    }
    let captured = Captured { name: name.to_owned(), suffix: fixed(suffix)? };
    Ok(if rest { Segment::Rest(captured) } else { Segment::Parameter(captured) })
}

fn literal(text: &str, is_last: bool) -> Result<Segment, Refused> {
    if text.starts_with(':') {
        return Err((format!("`{text}` is no parameter here"), "write a parameter as in `/products/{id}`"));
    }
    if text.is_empty() && !is_last {
        return Err(("a segment is empty".to_owned(), "write one `/` between segments"));
    }
    if text == "." || text == ".." {
        return Err((format!("`{text}` never arrives: clients resolve it"), "leave it out"));
    }
    // A dot segment in disguise.
    if matches!(&*text.replace("%2e", ".").replace("%2E", "."), "." | "..") {
        return Err((format!("`{text}` never arrives: requests with it are refused"), "leave it out"));
    }
    fixed(text).map(Segment::Literal)
}

/// Text of a path that is compared, as clients send it.
fn fixed(text: &str) -> Result<String, Refused> {
    if text.contains(['{', '}']) {
        let help = "write it as in `/products/{id}`, or `/products/{id}:archive` with text behind it";
        return Err(("a segment has one parameter, and begins with it".to_owned(), help));
    }
    // What ends text elsewhere.
    if text.contains('\\') || text.contains("%00") {
        return Err((format!("`{text}` never arrives: requests with it are refused"), "leave it out"));
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '*')) {
        let help = "arguments of the query string are declared under `args`";
        return Err(("this cannot stand in a path".to_owned(), help));
    }
    Ok(utf8_percent_encode(text, CONTROLS).to_string())
}

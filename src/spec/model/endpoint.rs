//! `endpoints."METHOD /path"`: what clients call over HTTP.

use std::time::Duration;

use crate::base::diagnostic::{Place, did_you_mean};
use crate::base::host::HostPattern;
use crate::spec::constant::holds_expression;
use crate::spec::keys::{Definition, Entries, FromNode, Reader, Shape, keys, words};
use crate::spec::yaml::{Kind, Literal, Node, Scalar};

use super::{
    Addresses, AnswerCache, ArgSource, Composition, Cookie, Coordinate, Cors, Deprecated, ErrorStatus, Filled, Headers,
    Located, Methods, Named, Period, Priority, Rate, Requirement, Route, Size, Stream, Switch, Template, TypeUse,
};

keys! {
    /// An endpoint: a composition, a part, a query of the graph, a proxy, or only a response.
    pub struct Endpoint: "an endpoint", as in "{ steps: { p: { backend: catalog, get: /products } } }" {
        /// The methods and the path, from the key.
        route: Route = ..,
        /// The hosts that it answers at, such as `api.example.com` or `*.example.com`; without it, all.
        hosts: Vec<Located<HostPattern>> = "host",
        /// What it does, in one line, for people.
        summary: Option<Located<String>>,
        /// The same at length.
        description: Option<Located<String>>,
        /// What it belongs to, to sort endpoints by.
        tags: Vec<Located<String>>,
        /// That it will go away; answers say so.
        deprecated: Option<Deprecated>,
        /// Arguments, steps and result. Steps and result are empty beside `part`, `query` and `proxy`.
        composition: Composition = ..,
        /// The name of the part that it is; the endpoint's arguments are handed over by name.
        part: Option<Located<String>>,
        /// A GraphQL document with one operation: the answer is its `data`. The arguments, and the
        /// body as `$body`, are its variables.
        query: Option<Document>,
        /// What the request's body is; then `args.body` holds it. A type of the schema, which may be
        /// sent as a form if it is an input type, a proto message (its ProtoJSON), or a JSON Schema.
        body: Option<TypeUse>,
        /// What the answer is; the result is checked against it. A type of the schema, a proto message, or a JSON
        /// Schema.
        returns: Option<TypeUse>,
        /// Status, header fields and cookies of the answer.
        respond: Option<Respond>,
        /// Pass the request through to a backend.
        proxy: Option<Proxy>,
        /// How long the whole request may take.
        timeout: Option<Located<Duration>>,
        /// The statuses of failures, by code or by the status that they would have.
        errors: Vec<Named<ErrorStatus>>,
        /// The GraphQL field that is the same composition, such as `Query.productPage`.
        graph: Option<Located<String>>,
        /// The largest request body that is taken.
        max_body: Option<Located<Size>>,
        /// A stream of events; steps and result that mention `event` are done for each.
        stream: Option<Stream>,
        /// Who may call; `none` opens it to everybody.
        auth: Option<Switch<Requirement>>,
        /// How often callers may call it.
        rate: Option<Switch<Filled<Vec<Rate>>>>,
        /// Which addresses may call it.
        ip: Option<Addresses>,
        /// Which pages of browsers may call it.
        cors: Option<Switch<Cors>>,
        /// How long clients may keep the answer.
        cache: Option<Switch<AnswerCache>>,
        /// That a request which is sent again with the same `Idempotency-Key` gets the answer of the first.
        idempotency: Option<Idempotency>,
        /// When its requests are refused, if there are too many.
        priority: Option<Located<Priority>>,
        /// Whether it is offered as a tool to models (Model Context Protocol).
        mcp: Option<Located<bool>>,
    }
    then Endpoint::check
}

keys! {
    /// How requests are told from those that are sent again.
    pub struct Idempotency: "what tells requests that are sent again", as in "{ required: true, keep: 24h }" {
        /// Whether every request needs a key.
        required: Option<Located<bool>>,
        /// How long answers are kept; `24h` unless said.
        keep: Option<Located<Period>>,
    }
}

/// The text of a GraphQL document. It holds no expressions: values come to it as variables.
#[derive(Clone, Debug)]
pub struct Document {
    /// The text and where it is written.
    pub scalar: Scalar,
}

keys! {
    /// The answer around the result.
    pub struct Respond: "a response", as in "{ status: 201 }" {
        /// The HTTP status; without it, 200, or 204 for `result: null`.
        status: Option<Located<u16>>,
        /// Header fields.
        headers: Option<Headers>,
        /// Cookies to set.
        cookies: Vec<Named<Cookie>>,
        /// The media type; without it, `application/json`.
        media_type: Option<Located<String>> = "type",
    }
}

keys! {
    /// A request passed through. `proxy: catalog` is short for `proxy: { backend: catalog }`.
    pub struct Proxy: "a proxy", as in "{ backend: catalog, path: \"/v2/${args.rest}\" }", or Proxy::of_backend {
        /// The backend.
        backend: Located<String>,
        /// The path at the backend; without it, the request's own.
        path: Option<Scalar>,
        /// Header fields to set; null removes one.
        headers: Option<Headers>,
        /// How replies are kept: `http`, by what their header fields say (RFC 9111); `none` unless said.
        cache: Option<Located<ProxyCache>>,
    }
}

words! {
    /// How the replies of a proxy are kept.
    pub enum ProxyCache {
        /// As a shared cache keeps them (RFC 9111).
        Http = "http",
        /// Not at all.
        Off = "none",
    }
}

impl Endpoint {
    /// Whether some request fits both, and nothing tells which is meant.
    pub(super) fn clashes_with(&self, other: &Self) -> bool {
        let same_host = match (&self.hosts[..], &other.hosts[..]) {
            ([], []) => true,
            (hosts, others) => hosts.iter().any(|host| others.iter().any(|other| host.value == other.value)),
        };
        same_host && self.route.clashes_with(&other.route)
    }

    /// Whether `result: null` is written: the answer has no body.
    pub fn answers_nothing(&self) -> bool {
        matches!(&self.composition.result, Some(Template::Scalar(scalar)) if scalar.value == Literal::Null)
    }

    /// Whether nothing but a `respond` is written.
    pub fn is_only_a_response(&self) -> bool {
        let composes = !self.composition.steps.is_empty() || self.composition.result.is_some();
        !composes && self.part.is_none() && self.query.is_none()
    }
}

impl Definition for Endpoint {
    const KIND: &'static str = "endpoint";

    fn shape() -> Shape {
        <Self as FromNode>::shape()
    }

    fn define(name: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Entries::read(node, Some(name), reader)
    }
}

impl Endpoint {
    fn check(&self, entries: &Entries<'_>, reader: &mut Reader<'_>) {
        self.check_what_it_does(entries, reader);
        self.check_arguments(reader);
        let bodiless = match &self.route.methods {
            Methods::Any(_) => false,
            Methods::Only(methods) => methods.iter().all(|method| matches!(method.value.as_str(), "GET" | "HEAD")),
        };
        if let (true, Some(body)) = (bodiless, &self.body) {
            let diagnostic = reader
                .error("misplaced-key", body.place(), "GET and HEAD requests have no body")
                .help("declare `args`, or write the endpoint with POST");
            reader.report(diagnostic);
        }
        let can_be_kept = match &self.route.methods {
            Methods::Any(_) => true,
            Methods::Only(methods) => methods.iter().any(|method| matches!(method.value.as_str(), "GET" | "HEAD")),
        };
        if let (false, Some(Switch::On(cache))) = (can_be_kept, &self.cache) {
            let diagnostic = reader.error("misplaced-key", &cache.place, "only answers to GET and HEAD are kept");
            reader.report(diagnostic.help("leave it out"));
        }
        if let Some(field) = &self.graph {
            reader.within("graph", |reader| Coordinate::parse(field, reader));
        }
    }

    /// An endpoint is a composition, a part, a query, a proxy, or only a response.
    fn check_what_it_does(&self, entries: &Entries<'_>, reader: &mut Reader<'_>) {
        let step = self.composition.steps.first().map(|step| ("steps", &step.name.place));
        let result = self.composition.result.as_ref().map(|result| ("result", result.place()));
        let part = self.part.as_ref().map(|part| ("part", &part.place));
        let proxy = self.proxy.as_ref().map(|proxy| ("proxy", &proxy.place));
        let respond = self.respond.as_ref().map(|respond| ("respond", &respond.place));
        let query = self.query.as_ref().map(|query| ("query", &query.scalar.place));
        let graph = self.graph.as_ref().map(|graph| ("graph", &graph.place));
        let beside_proxy = proxy.zip(step.or(result).or(part).or(query).or(respond));
        let beside_query = query.zip(step.or(result).or(part).or(graph));
        let beside_part = part.zip(step.or(result));
        let conflict = beside_proxy.or(beside_query).or(beside_part);
        if let Some(((one, place), (other, other_place))) = conflict {
            let message = format!("`{one}` is all that an endpoint does: `{other}` cannot stand beside it");
            let diagnostic = reader
                .error("conflicting-keys", other_place, message)
                .help(if one == "part" { "put the part in a step" } else { "leave one of them out" })
                .related(place.clone(), format!("`{one}` stands here"));
            reader.report(diagnostic);
        }
        if !entries.has_any(&["steps", "result", "part", "proxy", "respond", "query", "stream"]) {
            let diagnostic = reader
                .error("empty", &self.route.path.place, "this endpoint does nothing")
                .help("write `steps` and a `result`, a `part`, a `query`, a `proxy`, or at least a `respond`");
            reader.report(diagnostic);
        }
    }

    fn check_arguments(&self, reader: &mut Reader<'_>) {
        for arg in &self.composition.args {
            let wanted = arg.value.name.as_ref().unwrap_or(&arg.name);
            if let Some(source) = &arg.value.source
                && source.value == ArgSource::Path
                && !self.route.parameters().any(|parameter| parameter == wanted.value)
            {
                let diagnostic = reader
                    .error("unknown-parameter", &source.place, format!("the path has no parameter `{}`", wanted.value))
                    .help(did_you_mean(&wanted.value, self.route.parameters()));
                reader.report(diagnostic);
            }
            if let Some(source) = arg.value.source.as_ref().filter(|source| source.value == ArgSource::Form) {
                self.check_field((&source.place, wanted), reader);
            }
            if let (true, Some(body)) = (arg.name.value == "body", &self.body) {
                let diagnostic = reader
                    .error("duplicate-key", &arg.name.place, "`args.body` is the request's body")
                    .help("give the argument another name, and its name in the request with `name`")
                    .related(body.place().clone(), "the body is declared here");
                reader.report(diagnostic);
            }
        }
    }

    /// Checks an argument that is a field of the form of an upload.
    fn check_field(&self, (place, wanted): (&Place, &Located<String>), reader: &mut Reader<'_>) {
        let part = match &self.body {
            Some(TypeUse::Upload(upload)) => upload.part.as_ref(),
            _ => None,
        };
        let diagnostic = match part {
            None => reader
                .error("misplaced", place, "this reads a field of the form of an upload, and there is none")
                .help("write `body: { type: Upload, part: file, max: 10MB }`, where `part` is the name of its file"),
            Some(part) if part.value == wanted.value => reader
                .error("duplicate-key", &wanted.place, format!("the part `{}` of the form is the upload", part.value))
                .help("read another field, or send the upload as `args.body`")
                .related(part.place.clone(), "the upload is declared here"),
            Some(_) => return,
        };
        reader.report(diagnostic);
    }
}

impl FromNode for Document {
    fn shape() -> Shape {
        Shape::Text
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = match &node.kind {
            Kind::Scalar(scalar) => scalar.text().map(|text| (scalar, text)),
            _ => None,
        };
        let Some((scalar, text)) = text else {
            reader.expected("the text of a GraphQL document, such as `\"{ products { id name } }\"`", node);
            return None;
        };
        if holds_expression(text) {
            let message = "a GraphQL document holds no expressions";
            let help = "declare a variable, as in `query($id: ID!) { … }`, and an argument of that name";
            reader.report(reader.error("misplaced", &node.place, message).help(help));
            return None;
        }
        Some(Self { scalar: scalar.clone() })
    }
}

impl Proxy {
    /// `proxy: catalog`.
    fn of_backend(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Entries::read(&node.under("backend"), None, reader)
    }
}

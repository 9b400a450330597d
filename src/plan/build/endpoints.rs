//! Endpoints: routes, bodies, and what answers.

use std::rc::Rc;
use std::time::Duration;

use http::{HeaderValue, Method};

use super::around::{Going, Made};
use super::policies::Door;
use super::query::Face;
use super::tree::Tree;
use super::unit::{Root, Sources, Unit};
use super::variants::Asking;
use super::{Planner, REQUEST_TIMEOUT, passed_on, types};
use crate::base::media::Media;
use crate::expr::{Node, Type};
use crate::plan::fit;
use crate::plan::schema::TypeRef;
use crate::plan::{
    self, Answer, Arg, BodyForm, BodyType, Composed, Composition, Endpoint, Expr, Field, Graph, Idempotency, Protocol,
    Proxy, ProxyTarget, RequestPart, Respond, Source,
};
use crate::spec::{self, Located, Methods, Named, Segment, TypeUse};

/// What `request.body` reads.
const BODY: Source = Source::Request(RequestPart::Body);
/// Bytes of a request body that are read at most where nothing is written.
const MAX_BODY: u64 = 1 << 20;
/// How long answers are kept by their `Idempotency-Key` where nothing is written.
const KEEP_ANSWERS: Duration = Duration::from_secs(24 * 60 * 60);

impl Planner<'_> {
    /// The endpoints in written order.
    pub(super) fn endpoints(&self, graph: Option<&Graph>, fields: &[Field]) -> Vec<Endpoint> {
        let face = graph.map(|graph| Face { graph, fields });
        let endpoint = |named| {
            let endpoint = self.endpoint(named, face)?;
            // What an answer depends on can be told once all of it is known.
            Some(Endpoint { cache: self.answer_cache(named, &endpoint, fields), ..endpoint })
        };
        self.spec.endpoints.iter().filter_map(endpoint).collect()
    }

    fn endpoint(&self, named: &Named<spec::Endpoint>, face: Option<Face<'_>>) -> Option<Endpoint> {
        let endpoint = &named.value;
        let sources = Rc::new(Sources::default());
        let args = self.args(named, &sources);
        let body = endpoint.body.as_ref().map(|body| self.body_type(body, &named.path));
        if let (Some(returns), true) = (&endpoint.returns, endpoint.proxy.is_some() || endpoint.query.is_some()) {
            let message = "`returns` promises a result, and this endpoint writes none".to_owned();
            self.report.error("misplaced", (returns.place(), &named.path), message, "leave it out".to_owned());
        }
        let answer = match (&endpoint.proxy, &endpoint.query) {
            (Some(proxy), _) => Answer::Proxy(Box::new(self.proxy(proxy, (named, &args))?)),
            (None, Some(query)) => {
                Answer::Query(Box::new(self.queried((named, query), (&args, body.as_ref()), face)?))
            }
            (None, None) => Answer::Compose(Box::new(self.composed(named, &args, body.as_ref()))),
        };
        let body = match (body, &answer) {
            (Some((body, _)), _) => Some(body),
            (None, Answer::Compose(composed)) if composed.composition.sources.contains(&BODY) => {
                Some(BodyType::Mentioned)
            }
            (None, _) => None,
        };
        let gateway = &self.spec.gateway;
        let timeout = endpoint.timeout.as_ref().or(gateway.timeout.as_ref());
        let max_body = self.max_body(named).or(gateway.max_body.as_ref());
        Some(Endpoint {
            name: named.name.value.as_str().into(),
            summary: endpoint.summary.as_ref().map(|summary| summary.value.as_str().into()),
            description: endpoint.description.as_ref().map(|description| description.value.as_str().into()),
            tags: endpoint.tags.iter().map(|tag| tag.value.as_str().into()).collect(),
            deprecation: self.deprecation(named),
            errors: self.errors(named),
            methods: methods(&endpoint.route.methods),
            hosts: endpoint.hosts.iter().map(|host| host.value.clone()).collect(),
            path: endpoint.route.path.value.as_str().into(),
            segments: endpoint.route.segments.iter().map(segment).collect(),
            args: args.into(),
            default_sources: sources.list(),
            body,
            max_body: max_body.map_or(MAX_BODY, |size| size.value.0),
            timeout: timeout.map_or(REQUEST_TIMEOUT, |timeout| timeout.value),
            class: self.class(endpoint.priority.as_ref()),
            cache: None,
            idempotency: self.idempotency(named, &answer),
            answer,
        })
    }

    /// How an endpoint tells requests from those that are sent again.
    fn idempotency(&self, named: &Named<spec::Endpoint>, answer: &Answer) -> Option<Idempotency> {
        let written = named.value.idempotency.as_ref()?;
        let refuse = |message: &str, help: &str| {
            let at = (&written.place, &*format!("{}.idempotency", named.path));
            self.report.error("misplaced", at, message.to_owned(), help.to_owned());
        };
        if let Answer::Proxy(_) = answer {
            refuse("what is passed through is not kept", "leave it out: the backend itself may take the key");
        } else if let Some(TypeUse::Upload(_)) = &named.value.body {
            refuse("an upload is passed on as it comes, and cannot be compared with another", "leave it out");
        } else if !answer.writes() {
            refuse("this endpoint writes nothing that could be written twice", "leave it out");
        }
        Some(Idempotency {
            required: written.required.as_ref().is_some_and(|required| required.value),
            keep: written.keep.as_ref().map_or(KEEP_ANSWERS, |keep| keep.value.0),
        })
    }

    /// What an endpoint says of how large bodies may be. An upload says it itself.
    fn max_body<'e>(&self, named: &'e Named<spec::Endpoint>) -> Option<&'e Located<spec::Size>> {
        let endpoint = &named.value;
        let Some(TypeUse::Upload(upload)) = &endpoint.body else { return endpoint.max_body.as_ref() };
        if let Some(max_body) = &endpoint.max_body {
            let message = "an upload has a `max` of its own".to_owned();
            let help = "leave `max_body` out".to_owned();
            self.report.error("misplaced", (&max_body.place, &format!("{}.max_body", named.path)), message, help);
        }
        if endpoint.proxy.is_some() || endpoint.query.is_some() {
            let message = "an upload goes to a step of a composition, and there is none here".to_owned();
            let help = "leave it out: a `proxy` passes every body on".to_owned();
            self.report.error("misplaced", (&upload.place, &format!("{}.body", named.path)), message, help);
        }
        upload.max.as_ref()
    }

    fn composed(&self, named: &Named<spec::Endpoint>, args: &[Arg], body: Option<&(BodyType, Type)>) -> Composed {
        let endpoint = &named.value;
        let at = (&named.name.place, named.path.as_str());
        let tree = match &endpoint.part {
            Some(part) => Tree::of_part(self, (&part.value, &[]), (&part.place, at.1)),
            None => Tree::of_composition(self, &endpoint.composition, at),
        };
        let read_only = is_read_only(&endpoint.route.methods);
        let root = Root::Endpoint { args, body: body.map(|(_, ty)| ty), read_only };
        let unit = Unit::new(self, tree, root).behind(endpoint.auth.as_ref(), endpoint.stream.as_ref());
        unit.check_door(Door::of_endpoint(endpoint), &named.path);
        unit.check_stream(endpoint.stream.as_ref(), &named.path);
        let (mut composition, mut respond) = (self.compile(&unit), self.respond(endpoint, &unit, &named.path));
        let names_type = endpoint.respond.as_ref().is_some_and(|respond| respond.media_type.is_some());
        if respond.body == BodyForm::Json && !names_type {
            respond.body = passed_on::passed_on(&unit).unwrap_or(BodyForm::Json);
        }
        if let Some(returns) = &endpoint.returns {
            let result = std::mem::replace(&mut composition.result.node, Node::NULL);
            composition.result.node = self.returned((endpoint, returns), (&unit, result), &named.path);
        }
        if let Ok(value) = unit.result(0) {
            let result = std::mem::replace(&mut composition.result.node, Node::NULL);
            composition.result.node = fit::passed_on(result, &value.ty);
        }
        let others = respond.nodes();
        let mut nodes = others.clone();
        if respond.body != BodyForm::None {
            nodes.push(&composition.result.node);
        }
        let needs = unit.needs(&nodes);
        unit.check_reach(&composition.scope, &needs);
        let mut composition = Composition { sources: unit.sources(), ..composition };
        if let BodyForm::HttpBody(step) = respond.body {
            passed_on::take_data(&mut composition, step, &others);
        }
        let composed = Composed { composition, respond, needs: needs.into() };
        if let Some(body) = &endpoint.body {
            let mut around = composed.respond.nodes();
            around.push(&composed.composition.result.node);
            unit.check_upload(&composed, &around, (body.place(), &named.path));
        }
        composed
    }

    /// Compiles the steps and the result of a unit.
    pub(super) fn compile(&self, unit: &Unit<'_, '_>) -> Composition {
        let result = unit.checked_result(0);
        let scope = unit.compile();
        unit.check_cycles(&scope);
        Composition {
            result: Expr { needs: unit.needs(&[&result]).into(), node: result },
            sources: unit.sources(),
            writes: unit.writes(0),
            parts: unit.parts(),
            scope,
        }
    }

    /// Status, header fields and cookies of an endpoint's answer.
    pub(super) fn respond(&self, endpoint: &spec::Endpoint, unit: &Unit<'_, '_>, path: &str) -> Respond {
        let names = unit.names_of(0);
        let json = HeaderValue::from_static("application/json");
        let has_body = !endpoint.answers_nothing() && !endpoint.is_only_a_response();
        let body = if has_body { BodyForm::Json } else { BodyForm::None };
        let Some(respond) = &endpoint.respond else {
            return Respond { status: None, headers: Box::default(), cookies: Box::default(), media_type: json, body };
        };
        let path = format!("{path}.respond");
        let media_type = respond.media_type.as_ref().map_or(Some(json.clone()), |media| self.media_type(media, &path));
        let media_type = media_type.unwrap_or(json);
        if let Some(status) =
            respond.status.as_ref().filter(|status| has_body && matches!(status.value, 204 | 205 | 304))
        {
            let message = format!("an answer with status {} has no body, and a result is written", status.value);
            self.report.error("misplaced", (&status.place, &path), message, "write `result: null`".to_owned());
        }
        let expr = |node: Node| Expr { needs: unit.needs(&[&node]).into(), node };
        Respond {
            status: respond
                .status
                .as_ref()
                .map(|status| expr(Node::Const(crate::base::value::Value::Int(status.value.into())))),
            headers: self.pairs(respond.headers.as_ref(), &names, &format!("{path}.headers")),
            cookies: respond.cookies.iter().map(|cookie| super::cookies::cookie(unit, cookie)).collect(),
            body: match body {
                BodyForm::Json if !media_type.to_str().is_ok_and(|media| Media::of(media) == Media::Json) => {
                    BodyForm::Text
                }
                body => body,
            },
            media_type,
        }
    }

    fn media_type(&self, written: &Located<String>, path: &str) -> Option<HeaderValue> {
        let token = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
        };
        let essence = written.value.split(';').next().unwrap_or_default().trim();
        let well_formed = essence.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype));
        let value = written.value.parse().ok().filter(|_| well_formed);
        if value.is_none() {
            let message = format!("`{}` is no media type", written.value);
            let help = "write it as in `application/json` or `text/plain; charset=utf-8`".to_owned();
            self.report.error("bad-media-type", (&written.place, path), message, help);
        }
        value
    }

    fn proxy(&self, proxy: &spec::Proxy, (named, args): (&Named<spec::Endpoint>, &[Arg])) -> Option<Proxy> {
        let path = format!("{}.proxy", named.path);
        let facts = self.backend(&proxy.backend, crate::plan::Protocol::Rest, &path)?;
        let tree = Tree::of_composition(self, &named.value.composition, (&named.name.place, &named.path));
        let root = Root::Endpoint { args, body: None, read_only: false };
        let unit = Unit::new(self, tree, root).behind(named.value.auth.as_ref(), None);
        unit.check_door(Door::of_endpoint(&named.value), &named.path);
        let names = unit.names_of(0);
        let target = proxy.path.as_ref().map(|target| unit.path(target, &names, &format!("{path}.path")).into());
        let headers = self.pairs(proxy.headers.as_ref(), &names, &format!("{path}.headers"));
        let is_cached = proxy.cache.as_ref().is_some_and(|cache| cache.value == spec::ProxyCache::Http);
        let max_body = named.value.max_body.as_ref().map(|size| size.value.0);
        let asking = Asking { backend: &proxy.backend, variant: None, path: &path, made: Made::default() };
        let targets = unit.variants(facts, asking, |backend, reached| {
            let going = Going { facts, backend, reached, timeout: None };
            let policies = self.around(Made::default(), &path, going);
            if is_cached {
                self.self_telling.borrow_mut().insert(backend);
            }
            let sticky = self.sticky(facts, reached);
            ProxyTarget { backend, policies, affinity: unit.affinity(facts, reached, &path), sticky }
        });
        Some(Proxy { targets, path: target, headers, sources: unit.sources(), is_cached, max_body })
    }

    /// A type of the schema by its text; `None` when there is none, which is reported.
    pub(super) fn type_ref(&self, text: &Located<String>, path: &str) -> Option<TypeRef> {
        let message = match self.schema.type_ref(&text.value) {
            Ok(ty) => return Some(ty),
            Err(_) if text.value.contains('.') => {
                // What a proto that cannot be read would have defined is not missed a second time.
                if self.backends.iter().any(|facts| facts.protocol == Protocol::Grpc && facts.pool.is_none()) {
                    return None;
                }
                format!("no proto of a backend has a message or an enum `{}`", named_in(&text.value))
            }
            Err(message) => message,
        };
        self.report.error("unknown-type", (&text.place, path), message, String::new());
        None
    }

    /// The type of a part's argument: of the schema, or a proto message.
    pub(super) fn type_named(&self, text: &Located<String>, path: &str) -> Type {
        if let Some(message) = self.message_named(named_in(&text.value)) {
            let ty = types::of_message(message);
            let ty = if text.value.starts_with('[') { Type::list(ty) } else { ty };
            return if text.value.ends_with('!') { ty } else { ty.nullable() };
        }
        if self.enum_named(named_in(&text.value)).is_some() {
            // Its name, or a number that it does not know.
            return Type::Dyn;
        }
        self.type_ref(text, path).map_or(Type::Dyn, |ty| types::of_schema(&self.schema, &ty))
    }

    /// An enumeration of some backend's proto.
    pub(super) fn enum_named(&self, full_name: &str) -> Option<crate::descriptor::EnumDescriptor> {
        let mut pools = self.backends.iter().filter_map(|facts| facts.pool.as_ref());
        pools.find_map(|pool| pool.enumeration(full_name))
    }

    /// A message of some backend's proto.
    pub(super) fn message_named(&self, full_name: &str) -> Option<crate::descriptor::MessageDescriptor> {
        let mut pools = self.backends.iter().filter_map(|facts| facts.pool.as_ref());
        pools.find_map(|pool| pool.message(full_name))
    }
}

fn methods(methods: &Methods) -> Box<[Method]> {
    match methods {
        Methods::Any(_) => Box::default(),
        Methods::Only(methods) => methods.iter().map(|method| method.value.clone()).collect(),
    }
}

/// Whether an endpoint only takes methods that change nothing.
fn is_read_only(methods: &Methods) -> bool {
    match methods {
        Methods::Any(_) => false,
        Methods::Only(methods) => methods.iter().all(|method| matches!(method.value, Method::GET | Method::HEAD)),
    }
}

fn segment(segment: &Located<Segment>) -> plan::Segment {
    match &segment.value {
        Segment::Literal(text) => plan::Segment::Literal(text.as_str().into()),
        Segment::Parameter(captured) => plan::Segment::Parameter(captured.suffix.as_str().into()),
        Segment::Rest(captured) => plan::Segment::Tail(captured.suffix.as_str().into()),
    }
}

/// Text: what stands for a type that is not known.
pub(super) fn any_type() -> TypeRef {
    TypeRef::Named { id: crate::plan::schema::TypeId::STRING, name: "String".into() }
}

/// The name in the text of a type, without its lists and marks.
pub(super) fn named_in(text: &str) -> &str {
    text.trim_matches(|c| matches!(c, '[' | ']' | '!'))
}

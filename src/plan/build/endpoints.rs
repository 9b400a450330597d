//! Endpoints: routes, arguments, and what answers.

use http::{HeaderName, HeaderValue, Method};

use super::query::Face;
use super::tree::Tree;
use super::unit::{Root, Unit};
use super::{Planner, REQUEST_TIMEOUT, types};
use crate::base::value::member_key;
use crate::expr::{Node, Type};
use crate::plan::schema::{TypeId, TypeRef};
use crate::plan::{
    Answer, Arg, ArgSource, BodyForm, BodyType, Composed, Composition, Endpoint, Expr, Field, Graph, Proxy,
    RequestPart, Respond, Source,
};
use crate::spec::{self, Literal, Located, Methods, Named, Segment};

/// What `request.body` reads.
const BODY: Source = Source::Request(RequestPart::Body);
/// Bytes of a request body that are read at most where nothing is written.
const MAX_BODY: u64 = 1 << 20;

impl Planner<'_> {
    /// The endpoints in written order.
    pub(super) fn endpoints(&self, graph: Option<&Graph>, fields: &[Field]) -> Vec<Endpoint> {
        self.check_routes();
        let face = graph.map(|graph| Face { graph, fields });
        self.spec.endpoints.iter().filter_map(|named| self.endpoint(named, face)).collect()
    }

    fn endpoint(&self, named: &Named<spec::Endpoint>, face: Option<Face<'_>>) -> Option<Endpoint> {
        let endpoint = &named.value;
        let args = self.args(named);
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
        let max_body = endpoint.max_body.as_ref().or(gateway.max_body.as_ref());
        Some(Endpoint {
            name: named.name.value.as_str().into(),
            summary: endpoint.summary.as_ref().map(|summary| summary.value.as_str().into()),
            methods: methods(&endpoint.route.methods),
            path: endpoint.route.path.value.as_str().into(),
            pattern: pattern(&endpoint.route),
            has_tail: endpoint.route.segments.iter().any(|segment| matches!(segment.value, Segment::Rest(_))),
            args: args.into(),
            body,
            max_body: max_body.map_or(MAX_BODY, |size| size.value.0),
            timeout: timeout.map_or(REQUEST_TIMEOUT, |timeout| timeout.value),
            answer,
        })
    }

    fn composed(&self, named: &Named<spec::Endpoint>, args: &[Arg], body: Option<&(BodyType, Type)>) -> Composed {
        let endpoint = &named.value;
        let at = (&named.name.place, named.path.as_str());
        let tree = match &endpoint.part {
            Some(part) => Tree::of_part(self, (&part.value, &[]), (&part.place, at.1)),
            None => Tree::of_composition(self, &endpoint.composition, at),
        };
        let read_only = is_read_only(&endpoint.route.methods);
        let unit = Unit::new(self, tree, Root::Endpoint { args, body: body.map(|(_, ty)| ty), read_only });
        let (composition, respond) = (self.compile(&unit), self.respond(endpoint, &unit, &named.path));
        if let Some(returns) = &endpoint.returns {
            self.check_returns(endpoint, returns, &unit, &named.path);
        }
        let mut nodes: Vec<&Node> = respond.headers.iter().map(|(_, expr)| &expr.node).collect();
        nodes.extend(respond.cookies.iter().map(|cookie| &cookie.value.node));
        nodes.extend(respond.status.iter().map(|expr| &expr.node));
        if respond.body != BodyForm::None {
            nodes.push(&composition.result.node);
        }
        let needs = unit.needs(&nodes);
        unit.check_reach(&composition.scope, &needs);
        let composition = Composition { sources: unit.sources(), ..composition };
        Composed { composition, respond, needs: needs.into() }
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
        let headers: Vec<(HeaderName, Expr)> = unit
            .headers(respond.headers.as_ref(), &names, &format!("{path}.headers"))
            .into_iter()
            .map(|(name, node)| (name, expr(node)))
            .collect();
        Respond {
            status: respond
                .status
                .as_ref()
                .map(|status| expr(Node::Const(crate::base::value::Value::Int(status.value.into())))),
            headers: headers.into(),
            cookies: respond.cookies.iter().map(|cookie| super::cookies::cookie(unit, cookie)).collect(),
            body: match body {
                BodyForm::Json if !media_type.to_str().is_ok_and(is_json) => BodyForm::Text,
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
        let (backend, _) = self.backend(&proxy.backend, crate::plan::Protocol::Rest, &path)?;
        let tree = Tree::of_composition(self, &named.value.composition, (&named.name.place, &named.path));
        let unit = Unit::new(self, tree, Root::Endpoint { args, body: None, read_only: false });
        let names = unit.names_of(0);
        let target = proxy.path.as_ref().map(|target| unit.path(target, &names, &format!("{path}.path")).into());
        let headers = unit.headers(proxy.headers.as_ref(), &names, &format!("{path}.headers"));
        let set = |(name, node): (HeaderName, Node)| {
            let removes = node.as_constant().is_some_and(crate::base::value::Value::is_null);
            (name, (!removes).then(|| Expr { node, needs: Box::default() }))
        };
        let headers = headers.into_iter().map(set).collect();
        let max_body = named.value.max_body.as_ref().map(|size| size.value.0);
        Some(Proxy { backend, path: target, headers, sources: unit.sources(), max_body })
    }

    fn args(&self, named: &Named<spec::Endpoint>) -> Vec<Arg> {
        let endpoint = &named.value;
        let parameters: Vec<&Located<Segment>> =
            endpoint.route.segments.iter().filter(|segment| !matches!(segment.value, Segment::Literal(_))).collect();
        let mut args: Vec<Arg> = endpoint.composition.args.iter().map(|arg| self.arg(arg, &parameters)).collect();
        for (position, parameter) in parameters.into_iter().enumerate() {
            let (Segment::Parameter(name) | Segment::Rest(name)) = &parameter.value else { continue };
            let used = |arg: &Arg| matches!(arg.source, ArgSource::Path(at) | ArgSource::Tail(at) if at == position);
            if args.iter().any(used) {
                continue;
            }
            // A tail is text; what another parameter is must be said.
            if let Segment::Rest(_) = parameter.value {
                args.push(tail(name, position));
            } else {
                let message = format!("the path parameter `{name}` is not declared");
                let help = format!("write `args: {{ {name}: ID! }}`");
                self.report.error("undeclared", (&parameter.place, &named.path), message, help);
            }
        }
        args
    }

    fn arg(&self, named: &Named<spec::Arg>, parameters: &[&Located<Segment>]) -> Arg {
        let arg = &named.value;
        let name = &named.name.value;
        let outside = arg.name.as_ref().map_or(name.as_str(), |name| name.value.as_str());
        let source = self.arg_source((named, outside), parameters);
        let ty = self.type_ref(&arg.type_name, &named.path);
        let default = arg.default.as_ref().map(|default| self.arg_default(default, (&ty, &named.path)));
        self.check_default(named);
        let counts = matches!(ty.named(), TypeId::INT | TypeId::FLOAT);
        for bound in [&arg.min, &arg.max].into_iter().flatten() {
            if matches!(self.schema[ty.named()].kind, crate::plan::schema::TypeKind::Enum) {
                let message = "an enum has no bounds".to_owned();
                self.report.error("misplaced", (&bound.place, &named.path), message, String::new());
            }
        }
        if let Some(pattern) = &arg.pattern {
            let message = "`pattern` is not supported by this version".to_owned();
            self.report.error(spec::NOT_SUPPORTED_YET, (&pattern.place, &named.path), message, String::new());
        }
        let allowed = |scalar: &spec::Scalar| match &scalar.value {
            Literal::Text(text) | Literal::Number(text) => Some(text.as_str().into()),
            Literal::Bool(value) => Some(value.to_string().into()),
            Literal::Null => None,
        };
        Arg {
            key: member_key(name),
            name: name.as_str().into(),
            source,
            ty,
            default,
            counts,
            min: arg.min.as_ref().map(|min| min.value),
            max: arg.max.as_ref().map(|max| max.value),
            allowed: arg.values.iter().flatten().filter_map(allowed).collect(),
        }
    }

    /// A default that is written out must be within the argument's own bounds.
    fn check_default(&self, named: &Named<spec::Arg>) {
        let arg = &named.value;
        let Some(spec::Template::Scalar(default)) = &arg.default else { return };
        let (text, measure) = match &default.value {
            Literal::Text(text) if !spec::holds_expression(text) => (text.clone(), text.chars().count() as f64),
            Literal::Number(text) => (text.clone(), text.parse().unwrap_or(f64::NAN)),
            _ => return,
        };
        let is_allowed = |scalar: &spec::Scalar| match &scalar.value {
            Literal::Text(known) | Literal::Number(known) => *known == text,
            _ => false,
        };
        let listed = arg.values.as_ref().is_none_or(|values| values.iter().any(is_allowed));
        let above = arg.max.as_ref().is_some_and(|max| measure > max.value);
        let below = arg.min.as_ref().is_some_and(|min| measure < min.value);
        if !listed || above || below {
            let message = format!("the default `{text}` is not among the values that the argument allows");
            let path = format!("{}.default", named.path);
            self.report.error("wrong-default", (&default.place, &path), message, String::new());
        }
    }

    fn arg_source(&self, (named, outside): (&Named<spec::Arg>, &str), parameters: &[&Located<Segment>]) -> ArgSource {
        let find = |wanted: &str| {
            parameters.iter().enumerate().find_map(|(at, parameter)| match &parameter.value {
                Segment::Parameter(name) if name == wanted => Some(ArgSource::Path(at)),
                Segment::Rest(name) if name == wanted => Some(ArgSource::Tail(at)),
                _ => None,
            })
        };
        let Some(written) = &named.value.source else {
            return find(outside).unwrap_or_else(|| ArgSource::Query(outside.into()));
        };
        match written.value {
            // That the path has the parameter was checked when it was read.
            spec::ArgSource::Path => find(outside).unwrap_or_else(|| ArgSource::Query(outside.into())),
            spec::ArgSource::Query => ArgSource::Query(outside.into()),
            spec::ArgSource::Cookie => ArgSource::Cookie(outside.into()),
            spec::ArgSource::Header => match outside.to_lowercase().parse() {
                Ok(name) => ArgSource::Header(name),
                Err(_) => {
                    let message = format!("`{outside}` is no name of a header field");
                    self.report.error(
                        "bad-name",
                        (&named.name.place, &named.path),
                        message,
                        "write `name: x-…`".to_owned(),
                    );
                    ArgSource::Query(outside.into())
                }
            },
        }
    }

    /// A default stands outside every composition: it sees the request only.
    fn arg_default(&self, default: &spec::Template, (ty, path): (&TypeRef, &str)) -> Expr {
        let path = format!("{path}.default");
        let value = self.template(default, &super::names::Table(Vec::new()), &path);
        let known = types::of_schema(&self.schema, ty);
        if !default_fits(&value.ty, &known) {
            let message = format!("the default is {}, and the argument is `{ty}`", value.ty);
            let place = super::calls::template_place(default);
            self.report.error("wrong-type", (place, &path), message, String::new());
        }
        Expr { node: value.node, needs: Box::default() }
    }

    /// A type of the schema by its text.
    pub(super) fn type_ref(&self, text: &Located<String>, path: &str) -> TypeRef {
        self.schema.type_ref(&text.value).unwrap_or_else(|message| {
            self.report.error("unknown-type", (&text.place, path), message, String::new());
            any_type()
        })
    }

    /// The type of a part's argument: of the schema, or a proto message.
    pub(super) fn type_named(&self, text: &Located<String>, path: &str) -> Type {
        let name = text.value.trim_matches(|c| matches!(c, '[' | ']' | '!'));
        if let Some(message) = self.message_named(name) {
            let ty = types::of_message(message);
            let ty = if text.value.starts_with('[') { Type::list(ty) } else { ty };
            return if text.value.ends_with('!') { ty } else { ty.nullable() };
        }
        types::of_schema(&self.schema, &self.type_ref(text, path))
    }

    /// A message of some backend's proto.
    pub(super) fn message_named(&self, full_name: &str) -> Option<prost_reflect::MessageDescriptor> {
        let mut pools = self.backends.iter().filter_map(|facts| facts.pool.as_ref());
        pools.find_map(|pool| pool.get_message_by_name(full_name))
    }

    /// Paths must be such that the router can tell them apart. Equal ones were refused when they
    /// were read.
    fn check_routes(&self) {
        let mut router: matchit::Router<()> = matchit::Router::new();
        let mut known = Vec::new();
        for named in &self.spec.endpoints {
            let route = &named.value.route;
            let pattern = pattern(route);
            if known.contains(&pattern) {
                continue;
            }
            if let Err(error) = router.insert(pattern.clone(), ()) {
                let message = format!("this path cannot be told from another: {error}");
                self.report.error("bad-path", (&route.path.place, &named.path), message, String::new());
            }
            known.push(pattern);
        }
    }
}

/// Whether a media type is JSON, also by its suffix (RFC 6839).
fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
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

/// The path in the router's syntax, with parameters by position.
fn pattern(route: &spec::Route) -> Box<str> {
    let mut out = String::new();
    let mut position = 0;
    for segment in &route.segments {
        out.push('/');
        match &segment.value {
            Segment::Literal(text) => out.push_str(&text.replace('{', "{{").replace('}', "}}")),
            Segment::Parameter(_) => out.push_str(&format!("{{{position}}}")),
            Segment::Rest(_) => out.push_str(&format!("{{*{position}}}")),
        }
        position += usize::from(!matches!(segment.value, Segment::Literal(_)));
    }
    if out.is_empty() { "/".into() } else { out.into() }
}

fn tail(name: &str, position: usize) -> Arg {
    Arg {
        key: member_key(name),
        name: name.into(),
        source: ArgSource::Tail(position),
        ty: TypeRef::NonNull(Box::new(any_type())),
        default: None,
        counts: false,
        min: None,
        max: None,
        allowed: Box::default(),
    }
}

/// Text: what stands for a type that is not known.
pub(super) fn any_type() -> TypeRef {
    TypeRef::Named { id: crate::plan::schema::TypeId::STRING, name: "String".into() }
}

fn default_fits(default: &Type, wanted: &Type) -> bool {
    match (default.present(), wanted.present()) {
        (Type::Dyn | Type::Null, _) | (_, Type::Dyn) => true,
        (Type::Int | Type::Uint, Type::Double) => true,
        // `ID` takes numbers too.
        (Type::Int, Type::Text) => true,
        (Type::List(a), Type::List(b)) => default_fits(a, b),
        (a, b) => a.is(b) || matches!((a, b), (Type::Object(_), Type::Object(_))),
    }
}

//! REST calls against the contract of their backend: the path is an operation, parameters are known and
//! of their types, required ones are there, the body is what it takes.

use std::sync::Arc;

use http::Method;
use percent_encoding::percent_decode_str;

use super::misfits::Written;
use super::names::Names;
use super::unit::{Unit, Value};
use super::{BackendFacts, Planner, sent};
use crate::base::diagnostic::{Place, did_you_mean};
use crate::base::id::OperationId;
use crate::base::value;
use crate::expr::{Node, Piece as TextPiece, Type, split};
use crate::plan::contract::schema::declared;
use crate::plan::contract::{Bound, Contents, Found, In, Lists, Operation, Parameter, Piece, segments};
use crate::plan::fit::{self, Declared, DeclaredScalar};
use crate::plan::{self, Pair, PathPart, Protocol, Request, Target};
use crate::spec::{self, ListStyle, Literal, Parameters, RestCall, Template};

/// Names of header fields that OpenAPI leaves to other parts of a document ("Parameter Object", `name`).
const ELSEWHERE: [&str; 3] = ["accept", "content-type", "authorization"];

impl<'s> Planner<'s> {
    /// The operation that a call asks for, if its backend has a contract that has it; says nothing.
    pub(super) fn operation(&self, call: &RestCall) -> Option<Arc<Operation>> {
        let (facts, found) = self.find_operation(call)?;
        match (found, &facts.contract) {
            (Found::Operation(at, _), Some(contract)) => {
                let operation = contract.operation(&self.documents, at, facts.name);
                self.documents.take_diagnostics().into_iter().for_each(|mistake| self.report.add(mistake));
                Some(operation)
            }
            _ => None,
        }
    }

    /// The operation's position in the plan's table; `None` if nothing of its replies needs it.
    pub(super) fn operation_id(&self, operation: &Arc<Operation>) -> Option<OperationId> {
        if !operation.has_integers() {
            return None;
        }
        let mut operations = self.operations.borrow_mut();
        if let Some(known) = operations.iter().position(|known| Arc::ptr_eq(known, operation)) {
            return Some(OperationId::from(known));
        }
        operations.push(operation.clone());
        Some(OperationId::from(operations.len() - 1))
    }

    /// What the contract of a call's backend has at its path; `None` without a contract.
    fn find_operation(&self, call: &RestCall) -> Option<(&BackendFacts<'s>, Found)> {
        let facts = self.backends.iter().find(|facts| facts.name == call.backend.value)?;
        let contract = facts.contract.as_ref().filter(|_| facts.protocol == Protocol::Rest)?;
        let (path, _) = target(&self.prefix(facts), call)?;
        Some((facts, contract.find(&call.verb.method.value, &segments(path))))
    }

    /// The path that stands before every path of a backend, in its address.
    fn prefix(&self, facts: &BackendFacts<'_>) -> String {
        let address = facts.spec.reach.protocol().addresses().first().and_then(|server| server.url.text());
        let address = address.and_then(|text| spec::constant(text, self.look_up).ok()).unwrap_or_default();
        let path = address.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| rest[at..].to_owned()));
        path.unwrap_or_default().trim_end_matches('/').to_owned()
    }
}

impl Unit<'_, '_> {
    /// The operation that a call asks for; says what is wrong with its path and query.
    pub(super) fn checked_operation(
        &self,
        call: &RestCall,
        rendered: &[PathPart],
        (names, path): (&Names<'_, '_>, &str),
    ) -> Option<Arc<Operation>> {
        let (facts, found) = self.planner.find_operation(call)?;
        let bound = match found {
            Found::Operation(_, bound) => bound,
            // How many segments a tail has is known when it is there.
            _ if rendered.iter().any(|part| matches!(part, PathPart::Tail)) => return None,
            found => {
                self.report_unknown_operation(call, facts, &found, path);
                return None;
            }
        };
        let operation = self.planner.operation(call)?;
        self.check_path(&operation, (call, &bound), (names, path));
        self.check_query(&operation, call, (names, path));
        Some(operation)
    }

    fn report_unknown_operation(&self, call: &RestCall, facts: &BackendFacts<'_>, found: &Found, path: &str) {
        let method = &call.verb.method.value;
        let (message, help) = match found {
            Found::OtherMethods(template, methods) => {
                let methods: Vec<&str> = methods.iter().map(Method::as_str).collect();
                let message = format!("the contract of `{}` has no {method} at {template}", facts.name);
                (message, format!("it has {}", methods.join(", ")))
            }
            Found::Nothing(Some(nearest)) => {
                let message = format!("the contract of `{}` has no such path", facts.name);
                (message, format!("did you mean `{nearest}`?"))
            }
            _ => {
                let templates = facts.contract.iter().flat_map(|contract| contract.templates());
                let message = format!("the contract of `{}` has no such path", facts.name);
                (message, did_you_mean("", templates))
            }
        };
        let path = format!("{path}.{}", method.as_str().to_lowercase());
        self.planner.report.error("unknown-operation", (&call.verb.target.place, &path), message, help);
    }

    /// Values in the path are of the types of their parameters.
    fn check_path(
        &self,
        operation: &Operation,
        (call, bound): (&RestCall, &[Bound]),
        (names, path): (&Names<'_, '_>, &str),
    ) {
        let Some(text) = call.verb.target.text() else { return };
        let path = format!("{path}.{}", call.verb.method.value.as_str().to_lowercase());
        for Bound { parameter, value } in bound {
            let wanted = |known: &&Parameter| known.stands == In::Path && known.name == *parameter;
            let Some(parameter) = operation.parameters.iter().find(wanted) else { continue };
            let (value, place) = match value {
                Piece::Text(written) => {
                    (Value { node: Node::text(decoded(written)), ty: Type::Text }, call.verb.target.place.clone())
                }
                Piece::Value(expression) => {
                    let Some(at) = text.find(expression.as_str()) else { continue };
                    let bytes = at..at + expression.len();
                    let place = call.verb.target.place_of(bytes.clone());
                    (self.planner.expression(&call.verb.target, (text, bytes), names, &path), place)
                }
            };
            let value = Value { ty: value.ty.present().clone(), ..value };
            self.check_parameter((operation, parameter), &value, None, (&place, &path));
        }
    }

    /// Parameters of the query are known, of their types, and required ones there.
    fn check_query(&self, operation: &Operation, call: &RestCall, (names, path): (&Names<'_, '_>, &str)) {
        let path = format!("{path}.query");
        for name in &in_path(call) {
            if find_query(operation, name).is_none() {
                self.report_unknown_parameter(operation, name, (&call.verb.target.place, &path));
            }
        }
        let written = match &call.query {
            // Which names a map has is known when it is there.
            Some(Parameters::Whole(_) | Parameters::Nothing(_)) | None => &[],
            Some(Parameters::Each(written, _)) => &written[..],
        };
        for one in written {
            let name = &one.name.value;
            let path = format!("{path}.{name}");
            let Some(known) = find_query(operation, name) else {
                self.report_unknown_parameter(operation, name, (&one.name.place, &path));
                continue;
            };
            let value = self.planner.template(&one.value, names, &path);
            let place = one.value.place();
            if known.name == *name {
                let style = one.style.as_ref().map_or(ListStyle::Repeat, |style| style.value);
                self.check_parameter((operation, known), &value, Some(style), (place, &path));
            }
        }
    }

    fn report_unknown_parameter(&self, operation: &Operation, name: &str, at: (&Place, &str)) {
        let known = operation.parameters.iter().filter(|known| known.stands == In::Query);
        let help = did_you_mean(name, known.map(|known| known.name.as_str()));
        let message = format!("{} has no query parameter `{name}`", operation.name);
        self.planner.report.error("unknown-parameter", at, message, help);
    }

    /// Required parameters are there, wherever they are said: of the query, header fields, cookies.
    pub(super) fn check_required(&self, call: &RestCall, (asked, target): (&Request, &Target), path: &str) {
        let Some(operation) = self.planner.operation(call) else { return };
        let Request::Rest { cookies, .. } = asked else { return };
        let in_path = in_path(call);
        for missing in operation.parameters.iter().filter(|known| known.required) {
            let name = missing.name.as_str();
            let (is_there, key, what) = match missing.stands {
                In::Query if !missing.spreads => {
                    let is_it = |known: &plan::Parameter| percent_decode_str(&known.name).decode_utf8_lossy() == name;
                    (in_path.iter().any(|known| known == name) || has(&target.query, is_it), "query", "query parameter")
                }
                In::Header if !ELSEWHERE.contains(&name) => {
                    (has(&target.headers, |known| known.as_str() == name), "headers", "header field")
                }
                In::Cookie => {
                    let is_written = has(&target.headers, |known| *known == http::header::COOKIE);
                    (is_written || has(cookies, |known| &**known == name), "cookies", "cookie")
                }
                _ => continue,
            };
            if !is_there {
                let message = format!("{} needs the {what} `{name}`", operation.name);
                let (path, help) = (format!("{path}.{key}"), format!("write `{key}: {{ {name}: … }}`"));
                self.planner.report.error("missing-parameter", (&call.verb.target.place, &path), message, help);
            }
        }
    }

    /// A value of a parameter is of its type, as far as text can be: everything in a path and a query is text.
    fn check_parameter(
        &self,
        (operation, parameter): (&Operation, &Parameter),
        value: &Value,
        style: Option<ListStyle>,
        at: (&Place, &str),
    ) {
        let Some(id) = parameter.schema else { return };
        let complain = |message: String, help: &str| {
            let message = format!("the parameter `{}`: {message}", parameter.name);
            self.planner.report.error("wrong-type", at, message, help.to_owned());
        };
        if parameter.required && value.ty.may_be_null() {
            let message = format!("this can be null, and {} needs it", operation.name);
            complain(message, "write `default(…, …)` for what null means here");
        }
        let declared = match declared(&operation.schemas, id) {
            Declared::Nullable(inner) => Declared::clone(&inner),
            declared => declared,
        };
        let scalar = match (&declared, value.ty.present()) {
            (Declared::List(item), ty) => {
                match (parameter.lists, style) {
                    (Lists::Repeat, Some(ListStyle::Comma)) => {
                        complain("the contract repeats it for each item of a list".to_owned(), "leave `style` out");
                    }
                    (Lists::Comma, Some(ListStyle::Repeat)) if matches!(ty, Type::List(_)) => {
                        let help = "write `{ value: …, style: comma }`";
                        complain("the contract writes a list of it with commas".to_owned(), help);
                    }
                    _ => {}
                }
                Declared::clone(item)
            }
            (Declared::Scalar(_), Type::List(_)) => {
                return complain(format!("{declared} is declared here, and this is {}", value.ty), "");
            }
            _ => declared,
        };
        let Declared::Scalar(scalar) = scalar else { return };
        let mut in_text = Declared::Nullable(Arc::new(Declared::Scalar(Arc::new(InText(scalar)))));
        if let Type::List(_) = value.ty.present() {
            in_text = Declared::Nullable(Arc::new(Declared::List(Arc::new(in_text))));
        }
        for misfit in fit::misfits(&value.node, &value.ty, &in_text) {
            complain(misfit.message, &misfit.help);
        }
    }

    /// The body is what the operation takes.
    pub(super) fn check_body(&self, operation: &Operation, (call, body): (&RestCall, Option<&Value>), path: &str) {
        let path = format!("{path}.body");
        let report = &self.planner.report;
        let json = call.body.as_ref().map(Template::place);
        let other = call.form.as_ref().map(spec::Pairs::place).or_else(|| sent::place(call));
        match (&operation.body, json.or(other), body) {
            (None, Some(place), _) => {
                let message = format!("{} takes no body", operation.name);
                report.error("unknown-field", (place, &path), message, "leave it out".to_owned());
            }
            (Some((_, true)), None, _) => {
                let message = format!("{} needs a body", operation.name);
                report.error("missing-member", (&call.verb.target.place, &path), message, "write `body: …`".to_owned());
            }
            (Some((Contents::Json(id), _)), Some(_), Some(value)) => {
                let misfits = fit::misfits(&value.node, &value.ty, &declared(&operation.schemas, *id));
                if let Some(written) = &call.body {
                    self.planner.report_misfits(Written::Template(written), &path, &misfits);
                }
            }
            _ => {}
        }
    }
}

/// Whether a name is among those that are sent. Which names a map has is known when it is there.
fn has<N>(pairs: &[Pair<N>], is_it: impl Fn(&N) -> bool) -> bool {
    pairs.iter().any(|pair| match pair {
        Pair::One(name, _) => is_it(name),
        Pair::Map(_) => true,
    })
}

/// The names of the query that is written in a call's path.
fn in_path(call: &RestCall) -> Vec<String> {
    target("", call).map(|(_, query)| query).unwrap_or_default()
}

/// The query parameter that a written name stands for: its own, or a member of one that spreads.
fn find_query<'o>(operation: &'o Operation, name: &str) -> Option<&'o Parameter> {
    let mut parameters = operation.parameters.iter().filter(|known| known.stands == In::Query);
    let own = parameters.clone().find(|known| known.name == name);
    own.or_else(|| parameters.find(|known| known.spreads && spreads_to(operation, known, name)))
}

/// Whether a parameter that is an object has a member of this name: `color=`, or `filter[color]=`.
fn spreads_to(operation: &Operation, parameter: &Parameter, name: &str) -> bool {
    let member = name.strip_prefix(&parameter.name).and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']'));
    let member = member.unwrap_or(name);
    match parameter.schema.map(|id| declared(&operation.schemas, id)) {
        Some(Declared::Object(object)) => object.member(member).is_some() || object.others().is_some(),
        _ => true,
    }
}

/// The pieces of a call's path behind a prefix, and the names of the query that is written in it.
fn target(prefix: &str, call: &RestCall) -> Option<(Vec<Piece>, Vec<String>)> {
    let Literal::Text(text) = &call.verb.target.value else { return None };
    let mut pieces = vec![Piece::Text(prefix.to_owned())];
    let mut query: Option<String> = None;
    for piece in split(text).ok()? {
        match (piece, &mut query) {
            (TextPiece::Text(text), None) => match text.split_once('?') {
                Some((path, rest)) => {
                    pieces.push(Piece::Text(path.to_owned()));
                    query = Some(rest.to_owned());
                }
                None => pieces.push(Piece::Text(text)),
            },
            (TextPiece::Text(text), Some(query)) => query.push_str(&text),
            (TextPiece::Expression(bytes), None) => pieces.push(Piece::Value(text[bytes].to_owned())),
            (TextPiece::Expression(_), Some(query)) => query.push('\0'),
        }
    }
    let name = |pair: &str| pair.split('=').next().filter(|name| !name.is_empty() && !name.contains('\0')).map(decoded);
    let names = query.iter().flat_map(|query| query.split('&')).filter_map(name).collect();
    Some((pieces, names))
}

/// Text of a path or query without its percent-encoding.
fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A scalar where everything is text: a path, a query.
#[derive(Debug)]
struct InText(Arc<dyn DeclaredScalar>);

impl DeclaredScalar for InText {
    fn name(&self) -> String {
        self.0.name()
    }

    fn takes(&self, found: &Type) -> bool {
        let as_text = self.0.takes(&Type::Text);
        matches!(found, Type::Text)
            || self.0.takes(found)
            || (as_text && (found.is_number() || matches!(found, Type::Bool)))
    }

    fn refuses(&self, written: &value::Value<'_>) -> Option<(String, String)> {
        let text = match written {
            value::Value::Text(text) => text.to_string(),
            value::Value::Bool(value) => value.to_string(),
            other => value::key_text(other)?,
        };
        if self.0.takes(&Type::Text) {
            return self.0.refuses(&value::Value::text(&text));
        }
        let read = match (text.as_str(), text.parse::<i64>(), text.parse::<f64>()) {
            ("true" | "false", ..) => (value::Value::Bool(text == "true"), Type::Bool),
            (_, Ok(whole), _) => (value::Value::Int(whole), Type::Int),
            (.., Ok(double)) => (value::Value::Double(double), Type::Double),
            _ => (value::Value::text(&text), Type::Text),
        };
        if self.0.takes(&read.1) {
            return self.0.refuses(&read.0);
        }
        Some((format!("{} is declared here, and this is `{text}`", self.name()), String::new()))
    }
}

//! The head of what is explained: what it is for, what clients send, how the answer looks.

use super::call::{duration_text, header_text};
use super::expression::{expression, placeholder};
use super::layout::{WIDTH, padded, pairs, wrap};
use super::naming::Naming;
use super::print::{INDENT, count, tail};
use crate::base::value::Timestamp;
use crate::plan::analysis::{Flow, Runs};
use crate::plan::schema::{FieldDef, InputDef, TypeId};
use crate::plan::{
    Arg, ArgDefault, ArgSource, BodyForm, BodyType, Bounds, Deprecation, Endpoint, Field, PathPart, Plan, Proxy,
    Respond, Scope,
};

/// The head of an endpoint that a composition or a query answers.
pub(super) fn composed(plan: &Plan, (endpoint, respond): (&Endpoint, &Respond), flow: &Flow<'_>) -> String {
    let naming = Naming::new(flow, &plan.hidden);
    let mut lines = about(endpoint);
    let status = match &respond.status {
        Some(status) => expression(&status.node, &naming),
        None if respond.body != BodyForm::None => "200".to_owned(),
        None => "204".to_owned(),
    };
    let media = match respond.media_type.to_str() {
        _ if respond.body == BodyForm::None => " without a body,".to_owned(),
        Ok("application/json") | Err(_) => String::new(),
        Ok(other) => format!(" as {other}"),
    };
    lines.push(format!("Answers {status}{media} within {}.", duration_text(endpoint.timeout)));
    lines.extend(
        respond
            .headers
            .iter()
            .map(|(name, value)| format!("Sets {}", header_text(&(name.clone(), value.node.clone()), &naming))),
    );
    lines.extend(respond.cookies.iter().map(|cookie| {
        format!("Sets the cookie {}: {}{}", cookie.name, placeholder(&cookie.value.node, &naming), cookie.attributes)
    }));
    lines.extend(errors(endpoint));
    head(&endpoint.name, &lines) + &arguments(plan, endpoint)
}

/// A whole endpoint that passes requests through.
pub(super) fn proxy(plan: &Plan, (endpoint, proxy): (&Endpoint, &Proxy), flow: &Flow<'_>) -> String {
    let naming = Naming::new(flow, &plan.hidden);
    let backend = &plan.backends[proxy.backend.index()].name;
    let part = |part: &PathPart| match part {
        PathPart::Text(text) => text.to_string(),
        PathPart::Value(node) => placeholder(node, &naming),
        PathPart::Tail => format!("{{{}}}", tail(&endpoint.args)),
    };
    let path = match &proxy.path {
        Some(path) => path.iter().map(part).collect(),
        None => "the same path".to_owned(),
    };
    let mut lines = about(endpoint);
    lines.push(format!("Passes the request through to {backend}, and the answer back, as they come."));
    lines.push(format!("The answer must begin within {}.", duration_text(endpoint.timeout)));
    lines.extend(errors(endpoint));
    let mut asked = vec![("path".to_owned(), path), ("query".to_owned(), "as it came".to_owned())];
    asked.extend(proxy.headers.iter().map(|(name, value)| match value {
        Some(value) => ("header set".to_owned(), header_text(&(name.clone(), value.node.clone()), &naming)),
        None => ("header removed".to_owned(), name.to_string()),
    }));
    let cost = [(backend.to_string(), count(1, "call"))];
    let (asked, cost) = (pairs(INDENT, &asked), pairs(INDENT, &cost));
    let head = head(&endpoint.name, &lines) + &arguments(plan, endpoint);
    format!("{head}\nRequest to {backend}\n{asked}\nIn the worst case\n{cost}")
}

/// What is said of an endpoint before what it answers.
fn about(endpoint: &Endpoint) -> Vec<String> {
    let mut lines: Vec<String> = endpoint.summary.iter().map(ToString::to_string).collect();
    lines.extend(endpoint.description.iter().flat_map(|text| text.lines().map(str::to_owned)));
    if !endpoint.tags.is_empty() {
        lines.push(format!("Tags: {}.", endpoint.tags.join(", ")));
    }
    let hosts: Vec<String> = endpoint.hosts.iter().map(ToString::to_string).collect();
    if !hosts.is_empty() {
        lines.push(format!("At the host {}.", hosts.join(" or ")));
    }
    lines.extend(endpoint.deprecation.as_ref().map(|deprecation| deprecated(deprecation)));
    lines
}

fn deprecated(deprecation: &Deprecation) -> String {
    let date = |time: Timestamp| time.to_text().unwrap_or_default().trim_end_matches("T00:00:00Z").to_owned();
    let mut text = String::from("Deprecated");
    text.extend(deprecation.since.map(|since| format!(" since {}", date(since))));
    text.extend(deprecation.sunset.map(|sunset| format!(", to be gone on {}", date(sunset))));
    text.extend(deprecation.successor.as_ref().map(|successor| format!("; its successor is {successor}")));
    text + "."
}

/// The statuses that an endpoint gives its failures.
fn errors(endpoint: &Endpoint) -> Option<String> {
    let by_code = endpoint.errors.by_code.iter().map(|(code, status)| format!("{code} with {status}"));
    let by_status = endpoint.errors.by_status.iter().map(|(from, to)| format!("{from} with {to}"));
    let all: Vec<String> = by_code.chain(by_status).collect();
    (!all.is_empty()).then(|| format!("Answers failures: {}.", all.join(", ")))
}

/// The head of a field of the graph.
pub(super) fn field(plan: &Plan, field: &Field, runs: Runs) -> String {
    let declared = declared(plan, field);
    let mut lines: Vec<String> = declared.and_then(|declared| declared.description.clone()).into_iter().collect();
    lines.push(match runs {
        Runs::Once if parent(plan, field) == plan.schema.mutation() => {
            "Runs where a mutation asks for it; mutations of one request run one after another.".to_owned()
        }
        Runs::Once => "Runs where a query asks for it.".to_owned(),
        Runs::ForAllParents if field.pure => "Computed where a query asks for it.".to_owned(),
        Runs::ForAllParents => "Runs once for all parents in an answer, wherever a query asks for it.".to_owned(),
        Runs::ForEachParent { parallel, max } => {
            format!("Runs for each parent in an answer: at most {max}, {parallel} at a time.")
        }
    });
    if let Some(graph) = &plan.graph {
        lines.push(format!("The whole answer is due within {}.", duration_text(graph.timeout)));
    }
    let name = match declared {
        Some(declared) => format!("{}: {}", field.name, declared.ty),
        None => field.name.to_string(),
    };
    let args: &[InputDef] = declared.map_or(&[], |declared| &declared.args);
    let args: Vec<(String, String, String)> = args.iter().map(input).collect();
    head(&name, &lines) + &arguments_section(&args)
}

/// The type that a field belongs to.
fn parent(plan: &Plan, field: &Field) -> Option<TypeId> {
    plan.schema.type_named(field.name.split_once('.')?.0)
}

/// What the schema says of a field.
fn declared<'p>(plan: &'p Plan, field: &Field) -> Option<&'p FieldDef> {
    plan.schema[parent(plan, field)?].field(field.name.split_once('.')?.1)
}

fn head(name: &str, lines: &[String]) -> String {
    let indented = lines.iter().flat_map(|line| wrap(line, WIDTH - INDENT)).map(|line| format!("  {line}\n"));
    format!("{name}\n{}", indented.collect::<String>())
}

fn arguments(plan: &Plan, endpoint: &Endpoint) -> String {
    // Defaults stand outside the composition and have variables of their own.
    let nothing = Scope { depth: 0, steps: Box::default(), always: Box::default() };
    let flow = Flow::new(&endpoint.default_sources, &nothing, &[]);
    let naming = Naming::new(&flow, &plan.hidden);
    let mut args: Vec<(String, String, String)> = endpoint.args.iter().map(|arg| declared_arg(arg, &naming)).collect();
    let size = size_text(endpoint.max_body);
    args.extend(endpoint.body.as_ref().map(|body| {
        let ty = match body {
            BodyType::Schema(ty) | BodyType::Input(ty) => ty.to_string(),
            BodyType::Message(message) => message.full_name().to_owned(),
            BodyType::JsonSchema { schemas, id } => schemas.name(*id).to_string(),
            BodyType::Any => "JSON".to_owned(),
            BodyType::Mentioned => "any JSON, or nothing".to_owned(),
        };
        ("body".to_owned(), ty, format!("of the request, at most {size}"))
    }));
    arguments_section(&args)
}

/// Arguments as name, type, and what is said about them.
fn arguments_section(args: &[(String, String, String)]) -> String {
    if args.is_empty() {
        return String::new();
    }
    let widest = args.iter().map(|(_, ty, _)| ty.chars().count()).max().unwrap_or(0) + 2;
    let pair = |(name, ty, text): &(String, String, String)| (name.clone(), padded(ty, widest) + text);
    format!("\nArguments\n{}", pairs(INDENT, &args.iter().map(pair).collect::<Vec<_>>()))
}

fn declared_arg(arg: &Arg, naming: &Naming<'_, '_>) -> (String, String, String) {
    let unless_same = |name: &str| if *name == *arg.name { String::new() } else { format!(" as {name}") };
    let source = match &arg.source {
        ArgSource::Path(_) => "from the path".to_owned(),
        ArgSource::Tail(_) => "the rest of the path".to_owned(),
        ArgSource::Query(name) => format!("from the query{}", unless_same(name)),
        ArgSource::Header(name) => format!("from the header {name}"),
        ArgSource::Cookie(name) => format!("from the cookie {name}"),
    };
    let mut parts = vec![source];
    parts.extend(bounds_text(&arg.bounds));
    if !arg.bounds.allowed.is_empty() {
        parts.push(format!("one of {}", arg.bounds.allowed.join(", ")));
    }
    parts.extend(arg.bounds.pattern.iter().map(|(written, _)| format!("like {written}")));
    match &arg.default {
        Some(ArgDefault::Constant { node, .. } | ArgDefault::Computed(node)) => {
            parts.push(format!("{} if not given", expression(node, naming)));
        }
        None if arg.ty.is_non_null() && !matches!(arg.source, ArgSource::Path(_) | ArgSource::Tail(_)) => {
            parts.push("required".to_owned());
        }
        None => {}
    }
    (arg.name.to_string(), arg.ty.to_string(), parts.join(", "))
}

fn bounds_text(bounds: &Bounds) -> Option<String> {
    let unit = if bounds.counts { "" } else { " characters" };
    match (bounds.min, bounds.max) {
        (None, None) => None,
        (Some(min), None) => Some(format!("at least {min}{unit}")),
        (None, Some(max)) => Some(format!("at most {max}{unit}")),
        (Some(min), Some(max)) => Some(format!("{min} to {max}{unit}")),
    }
}

fn input(input: &InputDef) -> (String, String, String) {
    let text = match &input.default {
        Some(default) => format!("{} if not given", default.written),
        None if input.is_required() => "required".to_owned(),
        None => String::new(),
    };
    (input.name.clone(), input.ty.to_string(), text)
}

/// A number of bytes as compositions write it.
fn size_text(bytes: u64) -> String {
    const UNITS: [(u64, &str); 6] =
        [(1 << 30, "GiB"), (1_000_000_000, "GB"), (1 << 20, "MiB"), (1_000_000, "MB"), (1 << 10, "KiB"), (1_000, "KB")];
    let unit = UNITS.iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{bytes}B"), |(unit, name)| format!("{}{name}", bytes / unit))
}

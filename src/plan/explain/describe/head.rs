//! The head of an explanation: what it is for, what clients send, how the answer looks.

use super::super::model::{self, Argument, FieldRuns, Head, Subject};
use super::Whole;
use super::call::path_text;
use super::expression::{expression, placeholder};
use super::naming::Naming;
use super::pairs::pairs;
use super::target::choice;
use crate::base::value::Timestamp;
use crate::plan::analysis::{Flow, Runs};
use crate::plan::schema::{FieldDef, InputDef, TypeId};
use crate::plan::{
    Arg, ArgDefault, ArgSource, BodyForm, BodyType, Bounds, Deprecation, Endpoint, Field, Plan, Proxy, Respond, Scope,
};

/// The head of an endpoint.
pub(super) fn of_endpoint(endpoint: &Endpoint, subject: Subject) -> Head {
    // Defaults stand outside the composition and have variables of their own.
    let nothing = Scope { depth: 0, steps: Box::default(), always: Box::default() };
    let flow = Flow::new(&endpoint.default_sources, &nothing, &[]);
    let naming = Naming::new(&flow);
    let size = size_text(endpoint.max_body);
    let body = endpoint.body.as_ref().map(|body| Argument {
        name: "body".to_owned(),
        ty: match body {
            BodyType::Schema(ty) | BodyType::Input(ty) => ty.to_string(),
            BodyType::Message(message) => message.full_name().to_owned(),
            BodyType::JsonSchema { schemas, id } => schemas.name(*id).to_string(),
            BodyType::Upload { part: None } => "an upload".to_owned(),
            BodyType::Upload { part: Some(part) } => format!("an upload, the part `{part}` of a form"),
            BodyType::HttpBody => "bytes (google.api.HttpBody)".to_owned(),
            BodyType::Any => "JSON".to_owned(),
            BodyType::Mentioned => "any JSON, or nothing".to_owned(),
        },
        from: "of the request".to_owned(),
        rules: vec![format!("at most {size}")],
        default: None,
        required: false,
    });
    Head {
        name: endpoint.name.to_string(),
        subject,
        summary: endpoint.summary.as_ref().map(ToString::to_string),
        about: about(endpoint),
        failures: failures(endpoint),
        arguments: endpoint.args.iter().map(|arg| declared_arg(arg, &naming)).chain(body).collect(),
    }
}

/// What is said of an endpoint beside its summary.
fn about(endpoint: &Endpoint) -> Vec<String> {
    let mut lines: Vec<String> = endpoint.description.iter().flat_map(|text| text.lines().map(str::to_owned)).collect();
    if !endpoint.tags.is_empty() {
        lines.push(format!("Tags: {}.", endpoint.tags.join(", ")));
    }
    let hosts: Vec<String> = endpoint.hosts.iter().map(ToString::to_string).collect();
    if !hosts.is_empty() {
        lines.push(format!("At the host {}.", hosts.join(" or ")));
    }
    lines.extend(
        endpoint.cache.as_ref().map(|cache| {
            format!("Clients may keep the answer: {}.", String::from_utf8_lossy(cache.control.as_bytes()))
        }),
    );
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

/// The statuses that an endpoint gives its failures: by a code or a status.
fn failures(endpoint: &Endpoint) -> Vec<(String, u16)> {
    let by_code = endpoint.errors.by_code.iter().map(|(code, status)| (code.to_string(), *status));
    by_code.chain(endpoint.errors.by_status.iter().map(|(from, to)| (from.to_string(), *to))).collect()
}

/// The answer of an endpoint that a composition answers.
pub(super) fn answer(endpoint: &Endpoint, respond: &Respond, naming: &Naming<'_, '_>) -> model::Answer {
    let has_body = respond.body != BodyForm::None;
    let media_type = match respond.body {
        BodyForm::HttpBody(_) => "what its google.api.HttpBody says".to_owned(),
        _ => String::from_utf8_lossy(respond.media_type.as_bytes()).into_owned(),
    };
    let cookies = respond.cookies.iter();
    model::Answer {
        status: match &respond.status {
            Some(status) => expression(&status.node, naming),
            None if has_body => "200".to_owned(),
            None => "204".to_owned(),
        },
        media_type: has_body.then_some(media_type),
        within: endpoint.timeout,
        headers: pairs(&respond.headers, naming),
        cookies: cookies
            .map(|cookie| {
                let value = placeholder(&cookie.value.node, naming);
                let computed = [("Max-Age", &cookie.max_age), ("Expires", &cookie.expires)];
                let computed = computed.into_iter().filter_map(|(name, program)| {
                    Some(format!("; {name}={}", placeholder(&program.as_ref()?.node, naming)))
                });
                (cookie.name.to_string(), format!("{value}{}{}", computed.collect::<String>(), cookie.attributes))
            })
            .collect(),
    }
}

/// How an endpoint passes requests through.
pub(super) fn proxy(
    whole: &Whole<'_>,
    (endpoint, proxy): (&Endpoint, &Proxy),
    naming: &Naming<'_, '_>,
) -> model::Proxy {
    let targets = &proxy.targets;
    model::Proxy {
        backend: whole.plan.backends[targets.list[0].backend.index()].name.to_string(),
        path: proxy.path.as_ref().map(|path| path_text(path, &endpoint.args, naming)),
        headers: pairs(&proxy.headers, naming),
        choice: choice(whole.plan, targets, |target| target.backend, naming),
        is_cached: proxy.is_cached,
        within: endpoint.timeout,
    }
}

/// The head of a field of the graph.
pub(super) fn of_field(whole: &Whole<'_>, field: &Field) -> Head {
    let plan = whole.plan;
    let declared = declared(plan, field);
    let args: &[InputDef] = declared.map_or(&[], |declared| &declared.args);
    let runs = match whole.runs {
        Runs::Once if parent(plan, field) == plan.schema.mutation() => FieldRuns::InMutation,
        Runs::Once => FieldRuns::InQuery,
        Runs::ForAllParents if field.pure => FieldRuns::Computed,
        Runs::ForAllParents => FieldRuns::ForAllParents,
        Runs::ForEachParent { parallel, max } => FieldRuns::ForEachParent { parallel, max },
    };
    let ty = declared.map(|declared| declared.ty.to_string());
    Head {
        name: field.name.to_string(),
        subject: Subject::Field(model::Field { ty, runs, within: plan.graph.as_ref().map(|graph| graph.timeout) }),
        summary: declared.and_then(|declared| declared.description.clone()),
        about: Vec::new(),
        failures: Vec::new(),
        arguments: args.iter().map(input).collect(),
    }
}

/// The type that a field belongs to.
fn parent(plan: &Plan, field: &Field) -> Option<TypeId> {
    plan.schema.type_named(field.name.split_once('.')?.0)
}

/// What the schema says of a field.
fn declared<'p>(plan: &'p Plan, field: &Field) -> Option<&'p FieldDef> {
    plan.schema[parent(plan, field)?].field(field.name.split_once('.')?.1)
}

fn declared_arg(arg: &Arg, naming: &Naming<'_, '_>) -> Argument {
    let unless_same = |name: &str| if *name == *arg.name { String::new() } else { format!(" as {name}") };
    let mut rules: Vec<String> = bounds_text(&arg.bounds).into_iter().collect();
    if !arg.bounds.allowed.is_empty() {
        rules.push(format!("one of {}", arg.bounds.allowed.join(", ")));
    }
    rules.extend(arg.bounds.pattern.iter().map(|(written, _)| format!("like {written}")));
    let in_path = matches!(arg.source, ArgSource::Path(_) | ArgSource::Tail(_));
    Argument {
        name: arg.name.to_string(),
        ty: arg.ty.to_string(),
        from: match &arg.source {
            ArgSource::Path(_) => "from the path".to_owned(),
            ArgSource::Tail(_) => "the rest of the path".to_owned(),
            ArgSource::Query(name) => format!("from the query{}", unless_same(name)),
            ArgSource::Header(name) => format!("from the header {name}"),
            ArgSource::Cookie(name) => format!("from the cookie {name}"),
            ArgSource::Form(name) => format!("from the form{}", unless_same(name)),
        },
        rules,
        default: arg.default.as_ref().map(|default| match default {
            ArgDefault::Constant { node, .. } | ArgDefault::Computed(node) => expression(node, naming),
        }),
        required: arg.default.is_none() && arg.ty.is_non_null() && !in_path,
    }
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

fn input(input: &InputDef) -> Argument {
    Argument {
        name: input.name.clone(),
        ty: input.ty.to_string(),
        from: String::new(),
        rules: Vec::new(),
        default: input.default.as_ref().map(|default| default.written.clone()),
        required: input.is_required(),
    }
}

/// A number of bytes as compositions write it.
fn size_text(bytes: u64) -> String {
    const UNITS: [(u64, &str); 6] =
        [(1 << 30, "GiB"), (1_000_000_000, "GB"), (1 << 20, "MiB"), (1_000_000, "MB"), (1 << 10, "KiB"), (1_000, "KB")];
    let unit = UNITS.iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{bytes}B"), |(unit, name)| format!("{}{name}", bytes / unit))
}

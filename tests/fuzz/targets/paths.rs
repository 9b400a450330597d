//! Paths of endpoints, and which of them takes a request.

use http::Method;
use selvedge::front::rest::{Found, Routes};
use selvedge::plan::{Endpoint, Plan, Segment, build};
use selvedge::spec::{Asked, read_texts};

use super::Target;

/// See [`run`].
pub const TARGET: Target = Target {
    name: "paths",
    promise: "the endpoint that a request finds is the one that trying all of them finds",
    run,
    words: &[
        "GET ",
        "POST ",
        "HEAD ",
        "ANY ",
        "GET|POST ",
        "OPTIONS ",
        "/",
        "{a}",
        "{b}",
        "{*r}",
        "{a}.json",
        "{*r}.json",
        ":x",
        "/a",
        "/b",
        ".json",
        "@h.example",
        "@*.example",
        "@*.h.example",
        "@a.h.example",
        "\n",
        "\n\n",
        "%2F",
        "//",
    ],
    pace: 1,
};

/// Patterns up to this number, and requests.
const MOST: usize = 8;

/// A line up to the first empty one is an endpoint, `GET /a/{b} @host`; a line behind it is a request, written alike.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (patterns, requests) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut written: Vec<String> = patterns.lines().take(MOST).map(endpoint).collect();
    let Some(plan) = plan(&written).or_else(|| {
        written.retain(|endpoint| plan(std::slice::from_ref(endpoint)).is_some());
        plan(&written)
    }) else {
        return;
    };
    let routes = Routes::new(&plan);
    for request in requests.lines().take(MOST) {
        let (method, path, host) = parts(request);
        let Ok(method) = method.parse::<Method>() else { continue };
        if !path.starts_with('/') {
            continue;
        }
        agree(&plan, &routes.find(host, &method, path), (host, &method, path));
    }
}

/// `GET /a/{b} @host`, of which the host may be missing.
fn parts(line: &str) -> (&str, &str, Option<&str>) {
    let (method, rest) = line.split_once(' ').unwrap_or((line, ""));
    match rest.split_once(" @") {
        Some((path, host)) => (method, path, Some(host)),
        None => (method, rest, None),
    }
}

/// A pattern as a composition says it. Its parameters are declared.
fn endpoint(pattern: &str) -> String {
    let (method, path, host) = parts(pattern);
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let names = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let mut args: Vec<String> =
        names.map(|name| format!("{}: String!", quoted(name.trim_start_matches('*')))).collect();
    args.sort_unstable();
    args.dedup();
    let host = host.map(|host| format!("host: {}, ", quoted(host))).unwrap_or_default();
    format!("  {}: {{ {host}args: {{ {} }}, result: 1 }}\n", quoted(&format!("{method} {path}")), args.join(", "))
}

fn plan(endpoints: &[String]) -> Option<Plan> {
    let text = format!("endpoints:\n{}", endpoints.concat());
    let look_up = |_: Asked<'_>| Ok(None);
    let reading = read_texts(&[("compositions/main.yaml", &text)], &look_up);
    build(&reading, (&look_up, &|_| Vec::new())).ok().map(|(plan, _)| plan)
}

fn agree(plan: &Plan, found: &Found, request: (Option<&str>, &Method, &str)) {
    let (_, method, path) = request;
    let nearest = nearest(plan, request);
    match found {
        Found::Nothing => assert!(nearest.is_empty(), "{request:?} finds nothing"),
        Found::OtherMethods(_) => {
            let takes = nearest.iter().any(|(endpoint, _)| takes(endpoint, method).is_some());
            assert!(!nearest.is_empty() && !takes, "{request:?} finds other methods");
        }
        Found::Endpoint(matched) => {
            let taking = nearest.iter().filter_map(|(endpoint, ranges)| {
                Some(((host_rank(endpoint, request.0), takes(endpoint, method)?), endpoint, ranges))
            });
            let (_, endpoint, ranges) = taking.max_by_key(|(rank, ..)| *rank).expect("somebody takes it");
            assert_eq!(plan.endpoint(matched.endpoint).name, endpoint.name, "{request:?}");
            let same = matched.parameters.iter().map(|place| &path[place.clone()]).eq(ranges.iter().copied());
            assert!(same, "{request:?}: {:?} are not {ranges:?}", matched.parameters);
        }
    }
}

/// How a segment of a path was taken: greater is nearer.
type Nearness = (u8, usize);

/// The endpoints whose paths are nearest to the request's, with what their parameters take.
fn nearest<'p>(plan: &'p Plan, (host, _, path): (Option<&str>, &Method, &'p str)) -> Vec<(&'p Endpoint, Vec<&'p str>)> {
    let at_host = plan.endpoints.iter().filter(|endpoint| host_rank(endpoint, host).is_some());
    let fitting: Vec<_> = at_host.filter_map(|endpoint| Some((endpoint, fits(&endpoint.segments, path)?))).collect();
    let Some(best) = fitting.iter().map(|(_, (rank, _))| rank.clone()).max() else { return Vec::new() };
    fitting.into_iter().filter(|(_, (rank, _))| *rank == best).map(|(endpoint, (_, taken))| (endpoint, taken)).collect()
}

/// How near each segment is, and what parameters take; `None` if the path is another.
fn fits<'p>(segments: &[Segment], path: &'p str) -> Option<(Vec<Nearness>, Vec<&'p str>)> {
    let mut rest = (path != "/").then(|| &path[1..]);
    let (mut ranks, mut taken) = (Vec::new(), Vec::new());
    for segment in segments {
        let whole = rest?;
        let (one, behind) = whole.split_once('/').map_or((whole, None), |(one, behind)| (one, Some(behind)));
        let without = |text: &'p str, suffix: &str| text.strip_suffix(suffix).filter(|value| !value.is_empty());
        rest = behind;
        match segment {
            Segment::Literal(text) => {
                (one == &**text).then_some(())?;
                ranks.push((2, 0));
            }
            Segment::Parameter(suffix) => {
                taken.push(without(one, suffix)?);
                ranks.push((1, suffix.len()));
            }
            Segment::Tail(suffix) => {
                taken.push(without(whole, suffix)?);
                ranks.push((0, suffix.len()));
                rest = None;
            }
        }
    }
    rest.is_none().then_some((ranks, taken))
}

/// How near an endpoint's hosts are to the one that is asked; `None` if it is not asked there.
fn host_rank(endpoint: &Endpoint, host: Option<&str>) -> Option<(bool, usize)> {
    if endpoint.hosts.is_empty() {
        return Some((false, 0));
    }
    let host = host?.to_ascii_lowercase();
    let host = host.strip_suffix('.').unwrap_or(&host);
    let near = |pattern: &&selvedge::base::host::HostPattern| match pattern.is_wildcard {
        true => host.len() > pattern.name.len() + 1 && host.ends_with(&format!(".{}", pattern.name)),
        false => host == &*pattern.name,
    };
    endpoint.hosts.iter().filter(near).map(|pattern| (!pattern.is_wildcard, pattern.name.len() + 1)).max()
}

/// How near a method is to those of an endpoint; `None` if it does not take it.
fn takes(endpoint: &Endpoint, method: &Method) -> Option<u8> {
    let methods = &endpoint.methods;
    match () {
        () if methods.is_empty() => Some(0),
        () if methods.contains(method) => Some(2),
        () if *method == Method::HEAD && methods.contains(&Method::GET) => Some(1),
        () => None,
    }
}

//! Which endpoint takes a request: by its host, its path, its method, in this order.
//!
//! Paths are a tree of segments. A written segment is tried first, then parameters, then tails, of each those with the
//! longest text behind them first; what leads nowhere is left again, so that `/a/{id}/x` is found although `/a/new/y`
//! begins alike. Every node is visited at most once, whatever a client sends.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;

use http::Method;

use super::Matched;
use crate::base::host::{HostPattern, is_below};
use crate::base::id::EndpointId;
use crate::plan::{Endpoint, Plan, Segment};

/// The endpoints of a plan by host, path and method.
#[derive(Debug)]
pub struct Routes {
    /// The paths of hosts that some endpoint names.
    hosts: HashMap<Box<str>, Paths>,
    /// The paths of `*.NAME`, the longest name first.
    wildcards: Vec<(Box<str>, Paths)>,
    /// The paths of all other hosts.
    anywhere: Paths,
}

/// What a path and method stand for.
#[derive(Debug)]
pub enum Found {
    /// An endpoint.
    Endpoint(Matched),
    /// The path exists, but not with this method: the methods that it takes.
    OtherMethods(Vec<Method>),
    /// Nothing.
    Nothing,
}

impl Routes {
    /// The routes of a plan. That no two endpoints take the same requests was checked when it was built.
    pub fn new(plan: &Plan) -> Self {
        let mut patterns: Vec<&HostPattern> = plan.endpoints.iter().flat_map(|endpoint| &endpoint.hosts).collect();
        patterns.sort_by_key(|pattern| Reverse(pattern.nearness()));
        let (wildcards, hosts): (Vec<_>, Vec<_>) = patterns.into_iter().partition(|pattern| pattern.is_wildcard);
        let paths = |pattern: &HostPattern| (pattern.name.clone(), Paths::of_host(plan, Some(pattern)));
        let mut wildcards: Vec<_> = wildcards.into_iter().map(paths).collect();
        wildcards.dedup_by(|(one, _), (other, _)| one == other);
        let hosts = hosts.into_iter().map(paths).collect();
        Self { hosts, wildcards, anywhere: Paths::of_host(plan, None) }
    }

    /// Finds the endpoint for a path as it came, at a host in any case of letters. HEAD is taken by what takes
    /// GET, if nothing takes HEAD.
    pub fn find(&self, host: Option<&str>, method: &Method, path: &str) -> Found {
        let mut parameters = Vec::new();
        let rest = (path.len() > 1).then_some(1);
        let Some(takers) = self.paths(host).find((path, rest), &mut parameters) else { return Found::Nothing };
        match takers.find(method) {
            Some(endpoint) => Found::Endpoint(Matched { endpoint, parameters }),
            None => Found::OtherMethods(takers.allowed()),
        }
    }

    fn paths(&self, host: Option<&str>) -> &Paths {
        let Some(host) = host.filter(|_| !self.hosts.is_empty() || !self.wildcards.is_empty()) else {
            return &self.anywhere;
        };
        // A dot at the end says that a name is complete, which those of requests are anyway.
        let host = host.strip_suffix('.').unwrap_or(host);
        let host = match host.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(host.to_ascii_lowercase()),
            false => Cow::Borrowed(host),
        };
        let wildcard = || self.wildcards.iter().find(|(name, _)| is_below(&host, name)).map(|(_, paths)| paths);
        self.hosts.get(&*host).or_else(wildcard).unwrap_or(&self.anywhere)
    }
}

/// A node of the tree of paths: what follows a path so far.
#[derive(Debug, Default)]
struct Paths {
    /// A written segment follows.
    literals: HashMap<Box<str>, Paths>,
    /// A segment follows that ends in a text.
    parameters: Endings<Paths>,
    /// The path ends here.
    end: Option<Takers>,
    /// Anything follows that ends in a text.
    tails: Endings<Takers>,
}

/// What stands behind texts that segments end in; the longest text, which is the nearest, comes first. Without a text
/// behind a parameter it is empty.
type Endings<T> = Vec<(Box<str>, T)>;

impl Paths {
    /// The paths of the hosts of a pattern, or of the hosts that no endpoint names.
    fn of_host(plan: &Plan, host: Option<&HostPattern>) -> Self {
        let nearness = |endpoint: &Endpoint| {
            let covers = |pattern: &&HostPattern| host.is_some_and(|host| pattern.covers(host));
            endpoint.hosts.iter().filter(covers).map(HostPattern::nearness).max()
        };
        let mut nearest: Vec<(EndpointId, &Endpoint)> =
            plan.endpoints.iter().enumerate().map(|(index, endpoint)| (EndpointId::from(index), endpoint)).collect();
        nearest.retain(|(_, endpoint)| endpoint.hosts.is_empty() || nearness(endpoint).is_some());
        nearest.sort_by_key(|(_, endpoint)| (Reverse(nearness(endpoint)), distance(endpoint)));
        let mut root = Self::default();
        for (id, endpoint) in nearest {
            root.takers(&endpoint.segments).add(id, endpoint);
        }
        root
    }

    /// What takes the requests of a path, which is added if it is new.
    fn takers(&mut self, segments: &[Segment]) -> &mut Takers {
        match segments {
            [] => self.end.get_or_insert_default(),
            [Segment::Tail(suffix), ..] => behind(&mut self.tails, suffix),
            [Segment::Parameter(suffix), rest @ ..] => behind(&mut self.parameters, suffix).takers(rest),
            [Segment::Literal(text), rest @ ..] => self.literals.entry(text.clone()).or_default().takers(rest),
        }
    }

    /// Follows a path from the byte where its next segment begins; `None` when there is no further one. Says
    /// where the parameters lie.
    fn find(&self, (path, rest): (&str, Option<usize>), parameters: &mut Vec<Range<usize>>) -> Option<&Takers> {
        let Some(start) = rest else { return self.end.as_ref() };
        let end = memchr::memchr(b'/', &path.as_bytes()[start..]).map_or(path.len(), |length| start + length);
        let rest = (end < path.len()).then_some(end + 1);
        if let Some(paths) = self.literals.get(&path[start..end])
            && let Some(found) = paths.find((path, rest), parameters)
        {
            return Some(found);
        }
        for (paths, length) in fitting(&self.parameters, &path[start..end]) {
            parameters.push(start..start + length);
            if let Some(found) = paths.find((path, rest), parameters) {
                return Some(found);
            }
            parameters.pop();
        }
        let (tail, length) = fitting(&self.tails, &path[start..]).next()?;
        parameters.push(start..start + length);
        Some(tail)
    }
}

/// What stands behind a text, which is added if it is new.
fn behind<'e, T: Default>(endings: &'e mut Endings<T>, suffix: &str) -> &'e mut T {
    let order = |suffix: &str| (Reverse(suffix.len()), suffix.to_owned());
    let at = endings.binary_search_by_key(&order(suffix), |(known, _)| order(known)).unwrap_or_else(|at| {
        endings.insert(at, (suffix.into(), T::default()));
        at
    });
    &mut endings[at].1
}

/// What fits a text, and the length of it that a parameter takes: never nothing.
fn fitting<'e, T>(endings: &'e Endings<T>, text: &str) -> impl Iterator<Item = (&'e T, usize)> {
    let taken = |suffix: &str| text.strip_suffix(suffix).map(str::len).filter(|length| *length > 0);
    endings.iter().filter_map(move |(suffix, behind)| Some((behind, taken(suffix)?)))
}

/// The endpoints of one path.
#[derive(Debug, Default)]
struct Takers {
    /// The methods that are written, and HEAD where GET is.
    by_method: Vec<(Method, EndpointId)>,
    /// What takes all other methods.
    any: Option<EndpointId>,
}

impl Takers {
    /// Adds an endpoint; those before it are nearer.
    fn add(&mut self, id: EndpointId, endpoint: &Endpoint) {
        if self.any.is_some() {
            return;
        }
        if endpoint.methods.is_empty() {
            self.any = Some(id);
        }
        for method in &endpoint.methods {
            self.add_method(method, id);
            if *method == Method::GET {
                self.add_method(&Method::HEAD, id);
            }
        }
    }

    fn add_method(&mut self, method: &Method, id: EndpointId) {
        if self.by_method.iter().all(|(known, _)| known != method) {
            self.by_method.push((method.clone(), id));
        }
    }

    fn find(&self, method: &Method) -> Option<EndpointId> {
        self.by_method.iter().find(|(known, _)| known == method).map(|(_, id)| *id).or(self.any)
    }

    /// The methods that the path takes. OPTIONS is always answered.
    fn allowed(&self) -> Vec<Method> {
        let written = self.by_method.iter().map(|(method, _)| method);
        written.filter(|method| **method != Method::OPTIONS).chain([&Method::OPTIONS]).cloned().collect()
    }
}

/// What orders the endpoints of one path and host: a written HEAD is nearer than one that follows from GET, and
/// every written method nearer than `ANY`.
fn distance(endpoint: &Endpoint) -> u8 {
    match &*endpoint.methods {
        [] => 2,
        methods if methods.contains(&Method::HEAD) => 0,
        _ => 1,
    }
}

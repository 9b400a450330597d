//! Which endpoint takes a request.

use http::Method;

use super::Matched;
use crate::base::id::EndpointId;
use crate::plan::Plan;

/// The paths of a plan and the endpoints behind each.
///
/// matchit is the matcher inside axum's router; it is used directly because what stands around it
/// there (boxed services and bodies) costs more than the match.
#[derive(Debug)]
pub struct Routes {
    paths: matchit::Router<Vec<EndpointId>>,
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
    /// The routes of a plan. Paths were checked when it was built.
    pub fn new(plan: &Plan) -> Self {
        let mut paths: matchit::Router<Vec<EndpointId>> = matchit::Router::new();
        let mut patterns: Vec<(&str, Vec<EndpointId>)> = Vec::new();
        for (index, endpoint) in plan.endpoints.iter().enumerate() {
            let id = EndpointId::from(index);
            match patterns.iter_mut().find(|(pattern, _)| *pattern == &*endpoint.pattern) {
                Some((_, endpoints)) => endpoints.push(id),
                None => patterns.push((&endpoint.pattern, vec![id])),
            }
        }
        for (pattern, endpoints) in patterns {
            if let Err(error) = paths.insert(pattern, endpoints) {
                tracing::error!(pattern, %error, "a path that was checked cannot be routed");
            }
        }
        Self { paths }
    }

    /// Finds the endpoint for a path as it came. HEAD is taken by what takes GET.
    pub fn find(&self, plan: &Plan, method: &Method, path: &str) -> Found {
        let Ok(matched) = self.paths.at(path) else { return Found::Nothing };
        let takes = |id: &&EndpointId, method: &Method| {
            let methods = &plan.endpoint(**id).methods;
            methods.is_empty() || methods.contains(method)
        };
        let found = matched.value.iter().find(|id| takes(id, method));
        let found = match method {
            &Method::HEAD => found.or_else(|| matched.value.iter().find(|id| takes(id, &Method::GET))),
            _ => found,
        };
        match found {
            Some(endpoint) => {
                let begin = path.as_ptr().addr();
                let range = |value: &str| {
                    let start = value.as_ptr().addr() - begin;
                    start..start + value.len()
                };
                let parameters = matched.params.iter().map(|(_, value)| range(value)).collect();
                Found::Endpoint(Matched { endpoint: *endpoint, parameters })
            }
            None => Found::OtherMethods(allowed(plan, matched.value)),
        }
    }
}

/// The methods that some endpoint of a path takes, with those that follow from them.
fn allowed(plan: &Plan, endpoints: &[EndpointId]) -> Vec<Method> {
    let mut methods: Vec<Method> = Vec::new();
    for method in endpoints.iter().flat_map(|id| plan.endpoint(*id).methods.iter()) {
        // HEAD comes with GET.
        let follows = (*method == Method::GET).then_some(Method::HEAD);
        for method in [Some(method.clone()), follows].into_iter().flatten() {
            if !methods.contains(&method) {
                methods.push(method);
            }
        }
    }
    methods.push(Method::OPTIONS);
    methods
}

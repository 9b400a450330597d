//! `selvedge explain`: what an endpoint or field will do, as text.

use clap::Args;

use super::{End, Project, say, say_error};
use crate::base::diagnostic::did_you_mean;
use crate::plan::{Plan, explain_endpoint, explain_field};

#[derive(Args, Debug)]
pub(super) struct Explain {
    /// An endpoint ("GET /v1/products/{id}"), all endpoints of a path (/v1/products/{id}), or a field of the graph
    /// (Query.product)
    #[arg(value_name = "WHAT")]
    what: String,
    #[command(flatten)]
    project: Project,
}

impl Explain {
    pub(super) fn run(&self) -> End {
        let loaded = match self.project.load() {
            Ok(loaded) => loaded,
            Err(end) => return end,
        };
        say_error(&loaded.render());
        let Some(plan) = loaded.plan else { return End::Problems };
        let explained = explained(&plan, &self.what);
        if explained.is_empty() {
            let endpoints = plan.endpoints.iter().map(|endpoint| &*endpoint.name);
            let fields = plan.fields.iter().map(|field| &*field.name);
            let help = did_you_mean(self.what.trim(), endpoints.chain(fields));
            return End::Usage(format!("no endpoint or bound field is called `{}`; {help}", self.what));
        }
        say(&explained.join("\n\n"));
        End::Fine
    }
}

/// What is meant, explained: the endpoint or field of this name, or every endpoint of this path.
fn explained(plan: &Plan, what: &str) -> Vec<String> {
    let what = without_spaces(what);
    let is_meant = |name: &str, path: &str| without_spaces(name) == what || without_spaces(path) == what;
    let endpoints = plan.endpoints.iter().filter(|endpoint| is_meant(&endpoint.name, &endpoint.path));
    let fields = plan.fields.iter().filter(|field| is_meant(&field.name, &field.name));
    endpoints
        .map(|endpoint| explain_endpoint(plan, endpoint))
        .chain(fields.map(|field| explain_field(plan, field)))
        .collect()
}

/// A name as it is compared: spaces do not count, nor does the case of the methods before a path.
fn without_spaces(name: &str) -> String {
    let name: String = name.split_whitespace().collect();
    match name.split_once('/') {
        Some((methods, path)) => format!("{}/{path}", methods.to_uppercase()),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::without_spaces;

    #[test]
    fn spaces_and_the_case_of_methods_do_not_count() {
        let name = without_spaces("GET /v1/products/{id}");
        for same in [" get  /v1/products/{id} ", "GET/v1/products/{id}", "Get\t/v1/products/{id}"] {
            assert_eq!(without_spaces(same), name, "{same}");
        }
        assert_eq!(without_spaces("GET | HEAD /a"), without_spaces("GET|HEAD /a"));
        assert_eq!(without_spaces("Query . product"), "Query.product");
        for other in ["GET /v1/Products/{id}", "POST /v1/products/{id}"] {
            assert_ne!(without_spaces(other), name, "{other}");
        }
        assert_ne!(without_spaces("query.product"), "Query.product");
    }
}

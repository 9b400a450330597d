//! `selvedge explain`: what an endpoint, a field or a GraphQL document will do.

use std::path::Path;

use clap::{Args, ValueEnum};

use super::{End, Project, say, say_error};
use crate::base::diagnostic::did_you_mean;
use crate::plan::Plan;
use crate::plan::explain::{self, Explained, Form};
use crate::plan::operation::{Problem, RequestError};

#[derive(Args, Debug)]
pub(super) struct Explain {
    /// An endpoint ("GET /v1/products/{id}"), all endpoints of a path (/v1/products/{id}), a field of the graph
    /// (Query.product), a GraphQL document ('{ categories { name } }'), or a file with one (@page.graphql); without
    /// it, lists what there is
    #[arg(value_name = "WHAT")]
    what: Option<String>,
    #[command(flatten)]
    project: Project,
    /// The form of the explanation
    #[arg(long, value_name = "FORM", value_enum, default_value = "text")]
    format: Format,
    /// The same as `--format json`
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Which operation of a document is meant, where it has several
    #[arg(long, value_name = "NAME")]
    operation: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, at a terminal of 100 columns
    Text,
    /// A Mermaid flowchart, for pages and merge requests
    Mermaid,
    /// For machines; docs/EXPLAIN.md says what its members mean
    Json,
}

impl Explain {
    pub(super) fn run(&self) -> End {
        let (what, project) = self.asked();
        let loaded = match project.load() {
            Ok(loaded) => loaded,
            Err(end) => return end,
        };
        say_error(&loaded.render());
        let Some(plan) = loaded.plan else { return End::Problems };
        let form = self.form();
        let Some(what) = what else {
            say(&explain::index(&plan, form));
            return End::Fine;
        };
        let explained = match document(what) {
            Some(text) => text.and_then(|text| self.operation(&plan, &text)),
            None => named(&plan, what),
        };
        match explained {
            Ok(explained) => {
                say(&explain::print(&explained, form));
                End::Fine
            }
            Err(end) => end,
        }
    }

    fn operation(&self, plan: &Plan, text: &str) -> Result<Vec<Explained>, End> {
        let Some(graph) = &plan.graph else {
            return Err(End::Usage("the project has no graph: its schema has no type Query".to_owned()));
        };
        let explained = explain::document(plan, graph, (text, self.operation.as_deref()));
        explained.map(|explained| vec![explained]).map_err(|error| End::Failed(problems(&error)))
    }

    /// What is asked for, and of which project: the only argument may be its folder.
    fn asked(&self) -> (Option<&str>, Project) {
        match self.what.as_deref() {
            Some(folder) if Path::new(folder).join("compositions").is_dir() => {
                (None, Project { folder: folder.into(), ..self.project.clone() })
            }
            what => (what, self.project.clone()),
        }
    }

    fn form(&self) -> Form {
        match self.format {
            _ if self.json => Form::Json,
            Format::Text => Form::Text,
            Format::Mermaid => Form::Mermaid,
            Format::Json => Form::Json,
        }
    }
}

/// The text of a GraphQL document, if that is what is meant: `@file` holds one, a brace begins one.
fn document(what: &str) -> Option<Result<String, End>> {
    if let Some(file) = what.strip_prefix('@') {
        let text = std::fs::read_to_string(file);
        return Some(text.map_err(|error| End::Usage(format!("{file} cannot be read: {error}"))));
    }
    let text = what.trim_start();
    let begins = |word: &str| text.strip_prefix(word).is_some_and(|rest| !rest.starts_with(['.', '/']));
    let is_document = text.starts_with(['{', '#'])
        || ["query", "mutation", "subscription", "fragment"].iter().any(|word| begins(word));
    is_document.then(|| Ok(what.to_owned()))
}

/// What is wrong with a document, a line for each problem.
fn problems(error: &RequestError) -> String {
    let problem = |problem: &Problem| match problem.locations.first() {
        Some(place) => format!("{}:{}: {}", place.line, place.column, problem.message),
        None => problem.message.clone(),
    };
    format!("the document is wrong\n{}", error.problems.iter().map(problem).collect::<Vec<_>>().join("\n"))
}

/// What is meant, explained: the endpoint or field of this name, or every endpoint of this path.
fn named(plan: &Plan, name: &str) -> Result<Vec<Explained>, End> {
    let what = without_spaces(name);
    let is_meant = |name: &str, path: &str| without_spaces(name) == what || without_spaces(path) == what;
    let endpoints = plan.endpoints.iter().filter(|endpoint| is_meant(&endpoint.name, &endpoint.path));
    let fields = plan.fields.iter().filter(|field| is_meant(&field.name, &field.name));
    let endpoints = endpoints.map(|endpoint| explain::endpoint(plan, endpoint));
    let explained: Vec<Explained> = endpoints.chain(fields.map(|field| explain::field(plan, field))).collect();
    if explained.is_empty() { Err(End::Usage(unknown(plan, name))) } else { Ok(explained) }
}

/// What to say of a name that nothing has.
fn unknown(plan: &Plan, what: &str) -> String {
    let what = what.trim();
    if reads_a_member(plan, what) {
        return format!("`{what}` runs nothing: it reads a member of what the field above it gave");
    }
    let endpoints = plan.endpoints.iter().flat_map(|endpoint| [&*endpoint.name, &*endpoint.path]);
    let fields = plan.fields.iter().map(|field| &*field.name);
    let help = did_you_mean(what, endpoints.chain(fields));
    format!("no endpoint or bound field is called `{what}`; {help}\n`selvedge explain` lists what there is")
}

/// Whether this is a field of the schema that no composition answers.
fn reads_a_member(plan: &Plan, what: &str) -> bool {
    let Some((parent, field)) = what.split_once('.') else { return false };
    let parent = plan.schema.type_named(parent);
    plan.graph.is_some() && parent.is_some_and(|parent| plan.schema[parent].field(field).is_some())
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

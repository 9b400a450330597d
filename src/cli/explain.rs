//! `selvedge explain`: what an endpoint or field will do, as text.

use std::collections::HashMap;

use clap::Args;

use super::{End, Project, say, say_error};
use crate::base::diagnostic::did_you_mean;
use crate::plan::{Plan, explain_endpoint, explain_field};
use crate::server::load;

#[derive(Args, Debug)]
pub(super) struct Explain {
    /// An endpoint ("GET /v1/products/{id}") or a field of the graph (Query.product)
    #[arg(value_name = "WHAT")]
    what: String,
    #[command(flatten)]
    project: Project,
}

impl Explain {
    pub(super) fn run(&self) -> End {
        let loaded = load(&self.project.folder, &HashMap::new());
        say_error(&loaded.render());
        let Some(plan) = loaded.plan else { return End::Problems };
        match explained(&plan, self.what.trim()) {
            Some(text) => {
                say(&text);
                End::Fine
            }
            None => {
                let endpoints = plan.endpoints.iter().map(|endpoint| &*endpoint.name);
                let fields = plan.fields.iter().map(|field| &*field.name);
                let help = did_you_mean(&self.what, endpoints.chain(fields));
                End::Usage(format!("no endpoint or bound field is called `{}`; {help}", self.what))
            }
        }
    }
}

fn explained(plan: &Plan, what: &str) -> Option<String> {
    let endpoint = plan.endpoints.iter().find(|endpoint| &*endpoint.name == what);
    let field = plan.fields.iter().find(|field| &*field.name == what);
    endpoint.map(|endpoint| explain_endpoint(plan, endpoint)).or_else(|| field.map(|field| explain_field(plan, field)))
}

//! `selvedge check`: silent when everything is fine.

use std::collections::{BTreeSet, HashMap};

use clap::Args;

use super::{End, Project, say, say_error};
use crate::base::diagnostic::Severity;
use crate::base::value::{JsonWriter, Sink as _};
use crate::plan::Plan;
use crate::server::{Loaded, load_every_profile};

#[derive(Args, Debug)]
pub(super) struct Check {
    #[command(flatten)]
    project: Project,
    /// Prints one JSON object with every diagnostic instead of text
    #[arg(long)]
    json: bool,
    /// Says also what cannot be checked
    #[arg(long, short, conflicts_with = "json")]
    verbose: bool,
}

impl Check {
    /// Without a profile, the project is checked as it is and with each of its profiles.
    pub(super) fn run(&self) -> End {
        let every = match &self.project.profile {
            None => load_every_profile(&self.project.folder, &HashMap::new()),
            Some(_) => match self.project.load() {
                Ok(loaded) => vec![loaded],
                Err(end) => return end,
            },
        };
        if self.json {
            say(&json(&every));
        } else {
            let said: Vec<String> = every.iter().map(Loaded::render).filter(|said| !said.is_empty()).collect();
            say_error(&said.join("\n"));
        }
        if self.verbose {
            say(&every.first().and_then(|loaded| loaded.plan.as_ref()).map(unchecked).unwrap_or_default());
        }
        let mut found = every.iter().flat_map(|loaded| &loaded.diagnostics);
        let failed = found.any(|diagnostic| diagnostic.severity == Severity::Error);
        if failed { End::Problems } else { End::Fine }
    }
}

/// The backends whose replies no contract describes, a line each.
fn unchecked(plan: &Plan) -> String {
    let names: BTreeSet<&str> =
        plan.backends.iter().filter(|found| !found.is_described).map(|found| &*found.name).collect();
    let line =
        |name: &&str| format!("backends.{name}: paths into its replies are not checked; `openapi` names a contract\n");
    names.iter().map(line).collect()
}

/// `{"diagnostics":[…]}`, with what [`Loaded::write_json`] writes.
fn json(every: &[Loaded]) -> String {
    let mut out = JsonWriter::default();
    out.begin_object();
    out.key(b"\"diagnostics\":");
    out.begin_array();
    for loaded in every {
        loaded.write_json(&mut out);
    }
    out.end_array();
    out.end_object();
    String::from_utf8_lossy(&out.bytes).into_owned() + "\n"
}

//! `selvedge import`: compositions from what others wrote.
//!
//! `import proto` writes an endpoint for each HTTP rule of `google.api.http`. What the language cannot say stands in the
//! file as a comment.

mod endpoint;
mod fields;
mod template;
mod write;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{End, say, say_error};
use crate::descriptor::{DescriptorPool, HttpBinding, HttpVerb, Library, MethodDescriptor, Sets, Texts};
use crate::spec;
use write::{File, LeftOut};

#[derive(Args, Debug)]
pub(super) struct Import {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, Subcommand)]
enum From {
    /// Writes a composition with an endpoint for each HTTP rule (google.api.http) of a proto file's services
    Proto(Proto),
}

#[derive(Args, Debug)]
struct Proto {
    /// A .proto file or a set of descriptors (.binpb, .pb), in the project's folder
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The project's folder
    #[arg(long, value_name = "DIR", default_value = ".")]
    project: PathBuf,
    /// The name of the backend; without it, that of the file
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,
    /// The address of the backend
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:50051")]
    address: String,
    /// Rpcs without a rule become `POST /package.Service/Method`
    #[arg(long)]
    all: bool,
}

impl Import {
    pub(super) fn run(&self) -> End {
        let From::Proto(proto) = &self.from;
        match proto.composition() {
            Ok(text) => {
                say(&text);
                End::Fine
            }
            Err(end) => end,
        }
    }
}

impl Proto {
    fn composition(&self) -> Result<String, End> {
        let file = self.file.to_string_lossy().replace('\\', "/");
        let own = file.strip_prefix("proto/").filter(|file| file.ends_with(".proto"));
        let (contract, pool) = match file.rsplit_once('.') {
            Some((_, "proto")) => (("proto", file.clone()), self.linked_text(&file)?),
            _ => (("descriptors", file.clone()), self.linked_set(&file)?),
        };
        let mut written = File {
            made_by: format!("selvedge import proto {file}"),
            backend: self.backend.clone().unwrap_or_else(|| name_of(&file)),
            address: self.address.clone(),
            contract,
            endpoints: Vec::new(),
            left_out: Vec::new(),
        };
        let mut taken = BTreeSet::new();
        for service in pool.services().filter(|service| own.is_none_or(|own| service.file() == own)) {
            for rpc in service.methods() {
                self.rpc(&rpc, &mut written, &mut taken);
            }
        }
        Ok(written.text())
    }

    fn rpc(&self, rpc: &MethodDescriptor, written: &mut File, taken: &mut BTreeSet<String>) {
        let name = format!("{}/{}", rpc.parent_service().full_name(), rpc.name());
        let unannotated = [HttpBinding {
            verb: HttpVerb::Post,
            template: format!("/{name}"),
            body: "*".to_owned(),
            response_body: String::new(),
        }];
        let bindings = match rpc.http() {
            [] if self.all => &unannotated[..],
            [] => {
                written
                    .left_out
                    .push(LeftOut { what: name, why: "it has no HTTP rule; --all maps it to POST".to_owned() });
                return;
            }
            bindings => bindings,
        };
        for binding in bindings {
            let made = endpoint::of_binding(rpc, binding).and_then(|endpoint| {
                let pattern = endpoint.pattern();
                match taken.insert(pattern.clone()) {
                    true => Ok(endpoint),
                    false => Err(format!("another rpc answers {pattern}")),
                }
            });
            match made {
                Ok(endpoint) => written.endpoints.push(endpoint),
                Err(why) => written.left_out.push(LeftOut { what: format!("{name} at {}", binding.template), why }),
            }
        }
    }

    /// The pool of a text of the project.
    fn linked_text(&self, file: &str) -> Result<DescriptorPool, End> {
        let reading = spec::read(spec::Project { root: &self.project, profile: None }, &|_| Ok(None));
        let Some(name) = file.strip_prefix("proto/").filter(|_| reading.protos.iter().any(|known| known.path == file))
        else {
            let folder = self.project.join("proto");
            let message = format!("there is no `{file}` in {}; write it as in `proto/shop.proto`", folder.display());
            return Err(End::Usage(message));
        };
        let texts = reading.protos.iter().map(|known| {
            let name = known.path.strip_prefix("proto/").unwrap_or(&known.path);
            (name.to_owned(), reading.sources.text(known.id))
        });
        linked(&Texts::new(texts), &Sets::default(), &[name.to_owned()])
    }

    fn linked_set(&self, file: &str) -> Result<DescriptorPool, End> {
        let path = self.project.join(Path::new(file));
        let bytes = spec::read_descriptors(&path).map_err(|why| End::Usage(format!("{}: {why}", path.display())))?;
        let mut sets = Sets::default();
        sets.add(&bytes).map_err(|error| End::Failed(format!("{file}: {error}")))?;
        linked(&Texts::default(), &sets, &[])
    }
}

fn linked(texts: &Texts, sets: &Sets, roots: &[String]) -> Result<DescriptorPool, End> {
    Library { texts, sets }.link(roots).map_err(|mistakes| {
        for mistake in mistakes {
            say_error(&format!("{}: {}\n", mistake.file, mistake.message));
        }
        End::Problems
    })
}

/// A name for the backend of a file: `proto/shop/v1/orders.proto` is `orders`.
fn name_of(file: &str) -> String {
    let last = file.rsplit('/').next().unwrap_or(file);
    let stem = last.split('.').next().unwrap_or(last);
    let clean: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if clean.starts_with(|c: char| c.is_ascii_alphabetic()) { clean } else { format!("backend_{clean}") }
}

//! What gRPC backends promise: .proto files compiled in-process, rpcs found by name.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use prost_reflect::{DescriptorPool, MethodDescriptor};
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

use super::{BackendFacts, Planner, reads};
use crate::base::diagnostic::{Place, did_you_mean, nearest_file};
use crate::plan::Because;
use crate::spec::{GrpcCall, Located, Reading, Reads, SourceFile};

/// Compiles the .proto files that backends name. Backends with the same files share a pool.
#[derive(Debug, Default)]
pub(super) struct Protos {
    pools: HashMap<Vec<String>, Option<DescriptorPool>>,
}

impl Protos {
    /// The messages and services of the files and folders that a backend names; `None`, and a
    /// diagnostic, when they do not compile.
    pub(super) fn pool(
        &mut self,
        reading: &Reading,
        names: &[Located<String>],
        complain: &dyn Fn(&Place, String, String),
    ) -> Option<DescriptorPool> {
        let key: Vec<String> = names.iter().map(|name| name.value.clone()).collect();
        if let Some(known) = self.pools.get(&key) {
            return known.clone();
        }
        let pool = compile(reading, names, complain);
        self.pools.insert(key, pool.clone());
        pool
    }
}

fn compile(
    reading: &Reading,
    names: &[Located<String>],
    complain: &dyn Fn(&Place, String, String),
) -> Option<DescriptorPool> {
    let files = &reading.protos;
    let mut wanted = Vec::new();
    for name in names {
        let folder = format!("{}/", name.value.trim_end_matches('/'));
        let found: Vec<&SourceFile> =
            files.iter().filter(|file| file.path == name.value || file.path.starts_with(&folder)).collect();
        if found.is_empty() {
            let folders = files.iter().filter_map(|file| file.path.rsplit_once('/')).map(|(folder, _)| folder);
            let known: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).chain(folders).collect();
            let message = format!("there is no .proto file or folder `{}` in the project", name.value);
            complain(&name.place, message, nearest_file(&name.value, known));
            return None;
        }
        wanted.extend(found.into_iter().map(|file| (file, &name.place)));
    }
    let mut resolver = ChainFileResolver::new();
    let text = |file: &SourceFile| (import_name(&file.path).to_owned(), reading.sources.text(file.id));
    resolver.add(ProjectFiles(files.iter().map(text).collect()));
    resolver.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true);
    for (file, named_at) in wanted {
        if let Err(error) = compiler.open_file(import_name(&file.path)) {
            let (place, message) =
                proto_error(reading, &error).unwrap_or_else(|| ((*named_at).clone(), error.to_string()));
            complain(&place, message, String::new());
            return None;
        }
    }
    Some(compiler.descriptor_pool())
}

/// Files are imported relative to the project's `proto` folder.
fn import_name(path: &str) -> &str {
    path.strip_prefix("proto/").unwrap_or(path)
}

struct ProjectFiles(HashMap<String, Arc<str>>);

impl FileResolver for ProjectFiles {
    fn resolve_path(&self, _: &Path) -> Option<String> {
        None
    }

    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.0.get(name) {
            Some(text) => File::from_source(name, text),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}

/// Where in a .proto file a compile error is, if it says so: `name.proto:3:5: …`.
fn proto_error(reading: &Reading, error: &protox::Error) -> Option<(Place, String)> {
    let name = error.file()?;
    let file = reading.protos.iter().find(|file| import_name(&file.path) == name)?;
    let source = reading.sources.text(file.id);
    let text = error.to_string();
    let rest = text.strip_prefix(name)?.strip_prefix(':')?;
    let mut parts = rest.splitn(3, ':');
    let line: usize = parts.next()?.parse().ok()?;
    let column: usize = parts.next()?.parse().ok()?;
    let message = parts.next()?.trim().to_owned();
    let line_start: usize = source.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let start = (line_start + column.saturating_sub(1)).min(source.len());
    Some((Place { file: file.id, bytes: start..(start + 1).min(source.len()) }, message))
}

impl Planner<'_> {
    /// The rpc of a call that is answered once, or a diagnostic that says what is wrong with it.
    pub(super) fn rpc(&self, call: &GrpcCall, facts: &BackendFacts<'_>, path: &str) -> Option<MethodDescriptor> {
        let rpc = self.named_rpc(call, facts, path)?;
        if rpc.is_client_streaming() || rpc.is_server_streaming() {
            let message = format!("`{}` is a stream, and streams are not supported by this version", call.rpc.value);
            let at = (&call.rpc.place, &*format!("{path}.rpc"));
            self.report.error(crate::spec::NOT_SUPPORTED_YET, at, message, String::new());
            return None;
        }
        Some(rpc)
    }

    /// The rpc of a call, or a diagnostic that says what is wrong with its name.
    pub(super) fn named_rpc(&self, call: &GrpcCall, facts: &BackendFacts<'_>, path: &str) -> Option<MethodDescriptor> {
        let pool = facts.pool.as_ref()?;
        let path = format!("{path}.rpc");
        let name = &call.rpc;
        let complain = |message: String, help: String| {
            self.report.error("unknown-rpc", (&name.place, &path), message, help);
            None
        };
        let services: Vec<String> = pool.services().map(|service| service.full_name().to_owned()).collect();
        let all = || {
            pool.services().flat_map(|service| {
                let service_name = service.full_name().to_owned();
                service.methods().map(move |method| format!("{service_name}/{}", method.name())).collect::<Vec<_>>()
            })
        };
        let Some((service, method)) = name.value.split_once('/') else {
            let known: Vec<String> = all().collect();
            let help = format!(
                "write package.Service/Method; {}",
                did_you_mean(&name.value, known.iter().map(String::as_str))
            );
            return complain(format!("`{}` is no rpc", name.value), help);
        };
        let Some(found) = pool.get_service_by_name(service) else {
            let help = did_you_mean(service, services.iter().map(String::as_str));
            return complain(format!("no service is called `{service}` in the backend's proto"), help);
        };
        let Some(rpc) = found.methods().find(|known| known.name() == method) else {
            let known: Vec<String> = found.methods().map(|method| method.name().to_owned()).collect();
            let help = did_you_mean(method, known.iter().map(String::as_str));
            return complain(format!("the service `{service}` has no rpc `{method}`"), help);
        };
        Some(rpc)
    }

    /// Every name in a backend's `reads` must be that of some rpc: a misspelt one would make a read a write.
    pub(super) fn check_reads(&self) {
        for facts in &self.backends {
            let (Some(pool), Some(Reads::Only(patterns, _))) = (&facts.pool, &facts.spec.reads) else { continue };
            let rpcs: Vec<MethodDescriptor> =
                pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
            for pattern in patterns.iter().filter(|pattern| !rpcs.iter().any(|rpc| names(&pattern.value, rpc.name()))) {
                let message = format!("no rpc of the backend is called `{}`", pattern.value);
                let help = did_you_mean(&pattern.value, rpcs.iter().map(MethodDescriptor::name).chain(["all"]));
                self.report.error("unknown-rpc", (&pattern.place, &format!("{}.reads", facts.path)), message, help);
            }
        }
    }

    /// The rpc of a call, if there is one; says nothing.
    pub(super) fn find_rpc(&self, call: &GrpcCall) -> Option<MethodDescriptor> {
        let facts = self.backends.iter().find(|facts| facts.name == call.backend.value)?;
        let (service, method) = call.rpc.value.split_once('/')?;
        facts.pool.as_ref()?.get_service_by_name(service)?.methods().find(|known| known.name() == method)
    }

    /// What says that a rpc only reads: its proto, or the backend's `reads`; `None` when nothing does.
    pub(super) fn rpc_reads(&self, call: &GrpcCall) -> Option<Because> {
        let says_so = self.find_rpc(call).is_some_and(|rpc| reads::only_reads(&rpc));
        let facts = self.backends.iter().find(|facts| facts.name == call.backend.value);
        if says_so {
            return Some(Because::Proto);
        }
        let reads = facts.and_then(|facts| facts.spec.reads.as_ref());
        reads.is_some_and(|reads| matches(reads, &call.rpc.value)).then_some(Because::Backend)
    }
}

/// Whether `reads` names a rpc: by its method's name, or by the beginning before a `*`.
fn matches(reads: &Reads, rpc: &str) -> bool {
    let method = rpc.rsplit('/').next().unwrap_or(rpc);
    match reads {
        Reads::All(_) => true,
        Reads::Only(patterns, _) => patterns.iter().any(|pattern| names(&pattern.value, method)),
    }
}

/// Whether a pattern of `reads` names a method.
fn names(pattern: &str, method: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => method.starts_with(beginning),
        None => method == pattern,
    }
}

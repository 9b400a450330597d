//! Backends: addresses, protocols, contracts.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Planner;
use super::protos::Protos;
use super::report::Report;
use super::tls::{Files, Said, Secured};
use crate::base::id::BackendId;
use crate::descriptor::DescriptorPool;
use crate::plan::contract::{Contract, Documents};
use crate::plan::{Address, Backend, Protocol};
use crate::spec::{self, Literal, Reading, Scalar, Spec};

/// Bytes of a reply that are read at most where nothing is written.
const MAX_REPLY: u64 = 4 << 20;

/// A backend that is to be asked what it promises.
#[derive(Clone, Debug)]
pub struct Reflecting {
    /// The backend; of one with variants the first.
    pub backend: Backend,
    /// What its calls carry that is known without a request: of its `metadata` the constants.
    pub metadata: HeaderMap,
    /// The name servers that are asked where it is; those of the machine if there is none.
    pub name_servers: Box<[SocketAddr]>,
}

/// Asks backends what they promise, all at once: each says its files, as `FileDescriptorProto`s, or why it does not.
pub type Reflect<'a> = &'a dyn Fn(&[Reflecting]) -> Vec<Result<Vec<Bytes>, String>>;

/// What backends said of themselves, by name.
pub(super) type Reflections = HashMap<String, Result<Vec<Bytes>, String>>;

/// What is known of a backend while the plan is built.
pub(super) struct BackendFacts<'s> {
    pub(super) name: &'s str,
    pub(super) path: String,
    pub(super) spec: &'s spec::Backend,
    /// The position in the plan of its first variant.
    pub(super) first: BackendId,
    pub(super) protocol: Protocol,
    /// What a gRPC backend promises; `None` when that could not be compiled.
    pub(super) pool: Option<DescriptorPool>,
    /// What a REST backend promises; `None` when nothing is written, or it could not be read.
    pub(super) contract: Option<Contract>,
}

/// One place where a backend is reached.
pub(super) struct Reached<'s> {
    pub(super) protocol: &'s spec::Protocol,
    /// The variant that it is, if the backend has variants.
    pub(super) variant: Option<&'s spec::Named<spec::Variant>>,
    /// Its key path.
    pub(super) path: String,
}

/// The backends in written order, without what gRPC backends promise: [`Planner::link_protos`].
pub(super) fn facts<'s>(spec: &'s Spec, documents: &Documents<'_>, report: &Report) -> Vec<BackendFacts<'s>> {
    let mut next = 0;
    let fact = |named: &'s spec::Named<spec::Backend>| {
        let backend = &named.value;
        let protocol = match backend.reach.protocol() {
            spec::Protocol::Rest(_) => Protocol::Rest,
            spec::Protocol::Grpc(_) => Protocol::Grpc,
        };
        let openapi = backend.openapi.as_ref().filter(|_| protocol == Protocol::Rest);
        let contract = openapi
            .and_then(|file| Contract::read(documents, &file.value, (&file.place, &format!("{}.openapi", named.path))));
        documents.take_diagnostics().into_iter().for_each(|mistake| report.add(mistake));
        let first = BackendId::from(next);
        next += match &backend.reach {
            spec::Reach::Plain(_) => 1,
            spec::Reach::Variants(variants) => variants.list.len(),
        };
        let (name, path) = (&*named.name.value, named.path.clone());
        BackendFacts { name, path, spec: backend, first, protocol, pool: None, contract }
    };
    spec.backends.iter().map(fact).collect()
}

/// What stands for everything that contracts, protos and backends themselves say.
fn promised(reading: &Reading, reflections: &Reflections) -> u64 {
    let mut hasher = DefaultHasher::new();
    for file in reading.contracts.iter().chain(&reading.protos).chain(&reading.schemas) {
        (&file.path, reading.sources.text(file.id)).hash(&mut hasher);
    }
    for file in &reading.descriptors {
        (&file.path, &file.bytes).hash(&mut hasher);
    }
    let said: BTreeMap<_, _> = reflections.iter().collect();
    said.hash(&mut hasher);
    hasher.finish()
}

impl<'s> BackendFacts<'s> {
    /// The addresses of each variant; without variants, those of the backend.
    pub(super) fn reached(&self) -> Vec<Reached<'s>> {
        match &self.spec.reach {
            spec::Reach::Plain(protocol) => vec![Reached { protocol, variant: None, path: self.path.clone() }],
            spec::Reach::Variants(variants) => {
                let reached = |variant: &'s spec::Named<spec::Variant>| Reached {
                    protocol: &variant.value.protocol,
                    variant: Some(variant),
                    path: variant.path.clone(),
                };
                variants.list.iter().map(reached).collect()
            }
        }
    }

    /// What operators read of one of the places where it is reached, as `Backend` shows it.
    pub(super) fn name_of(&self, reached: &Reached<'_>) -> String {
        reached.variant.map_or_else(|| self.name.to_owned(), |variant| format!("{}.{}", self.name, variant.name.value))
    }

    /// How it is asked what it promises, if it says that itself.
    fn reflecting(&self, planner: &Planner<'_>) -> Option<Reflecting> {
        if !self.is_reflected() {
            return None;
        }
        let mut metadata = HeaderMap::new();
        if let Some(spec::Pairs::Each(pairs, _)) = &self.spec.metadata {
            for pair in pairs {
                let value = pair.value.text().and_then(|text| spec::constant(text, planner.look_up).ok());
                let value = value.and_then(|value| HeaderValue::from_str(&value).ok());
                if let (Ok(name), Some(value)) = (HeaderName::from_bytes(pair.name.value.as_bytes()), value) {
                    metadata.insert(name, value);
                }
            }
        }
        let backend = self.plan(planner).into_iter().next().filter(|backend| !backend.addresses.is_empty())?;
        Some(Reflecting { backend, metadata, name_servers: planner.name_servers.clone() })
    }

    fn is_reflected(&self) -> bool {
        let reflection = self.spec.reflection.as_ref();
        reflection.is_some_and(|reflection| reflection.value && self.protocol == Protocol::Grpc)
    }

    /// The backend as it will run: an entry for each variant.
    pub(super) fn plan(&self, planner: &Planner<'_>) -> Vec<Backend> {
        let own = self.spec.max_reply.as_ref();
        let secured = Secured { said: Said::of(self.spec), path: &self.path, config: OnceCell::new() };
        let plan = |reached: Reached<'_>| {
            let addresses: Box<[Address]> = {
                let addresses = reached.protocol.addresses().iter();
                let address = |server: &spec::Server| {
                    let text = planner.constant_text(&server.url, &reached.path)?;
                    let address = secured.address(&text, (&server.url, &reached.path), planner.files())?;
                    Some(Address { weight: server.weight.as_ref().map_or(1, |weight| weight.value.0), ..address })
                };
                addresses.filter_map(address).collect()
            };
            Backend {
                name: self.name.into(),
                variant: reached.variant.map(|variant| variant.name.value.as_str().into()),
                discover: planner.discover(self.spec, &reached, &addresses),
                addresses,
                balance: planner.balance(self, &reached),
                protocol: self.protocol,
                is_described: self.protocol == Protocol::Grpc || self.contract.is_some(),
                is_reflected: self.is_reflected(),
                max_reply: {
                    let nearest = reached.variant.and_then(|variant| variant.value.max_reply.as_ref()).or(own);
                    nearest.map_or(MAX_REPLY, |size| size.value.0)
                },
            }
        };
        self.reached().into_iter().map(plan).collect()
    }
}

impl Secured<'_> {
    /// An address such as `http://catalog:7001/v2`; `None` after a diagnostic.
    pub(super) fn address(&self, text: &str, (scalar, path): (&Scalar, &str), files: Files<'_>) -> Option<Address> {
        let complain = |message: &str, help: &str| {
            files.report.error("bad-address", (&scalar.place, path), message.to_owned(), help.to_owned());
            None
        };
        let (is_secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => {
                return complain("an address begins with `http://` or `https://`", "write http://host:port");
            }
        };
        let (authority, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let wrong = prefix.contains(['?', '#']) || authority.contains('@');
        let authority = match authority.parse::<http::uri::Authority>() {
            Ok(authority) if !authority.host().is_empty() && !wrong => authority,
            _ => return complain("this is no address of a backend", "write http://host:port"),
        };
        if !is_secure && self.said.shows_a_certificate() {
            let message = "the gateway shows its certificate over TLS only, and this address is without";
            return complain(message, "write `https://`, or leave out `auth: { mtls: … }`");
        }
        let tls = match is_secure {
            true => Some(files.address_tls(self, authority.host(), (&scalar.place, path))?),
            false => None,
        };
        let (location, prefix) = (authority.clone(), prefix.trim_end_matches('/').into());
        Some(Address { authority, location, prefix, tls, weight: 1 })
    }
}

impl Planner<'_> {
    /// Finds out what the gRPC backends promise; `reflect` asks those that say it themselves.
    pub(super) fn link_protos(&mut self, (spec, reading): (&Spec, &Reading), reflect: Reflect<'_>) {
        let reflecting: Vec<(&BackendFacts<'_>, Reflecting)> =
            self.backends.iter().filter_map(|facts| Some((facts, facts.reflecting(self)?))).collect();
        let (asked, reflecting): (Vec<_>, Vec<_>) = reflecting.into_iter().unzip();
        let answers = if reflecting.is_empty() { Vec::new() } else { reflect(&reflecting) };
        let reflections: Reflections = asked.iter().map(|facts| facts.name.to_owned()).zip(answers).collect();
        self.contracts = promised(reading, &reflections);
        let mut protos = Protos::new(reading, &reflections);
        let of_grpc = |facts: &BackendFacts<'_>| facts.protocol == Protocol::Grpc;
        let named = spec.backends.iter().zip(&self.backends);
        let pools = named.map(|(named, facts)| of_grpc(facts).then(|| protos.pool(named, &self.report)).flatten());
        let pools: Vec<Option<DescriptorPool>> = pools.collect();
        for (facts, pool) in self.backends.iter_mut().zip(pools) {
            facts.pool = pool;
        }
    }

    /// What reads the files of TLS.
    pub(super) fn files(&self) -> Files<'_> {
        Files { look_up: self.look_up, report: &self.report, roots: &self.roots }
    }

    /// The text of a scalar with its constants filled in.
    pub(super) fn constant_text(&self, scalar: &Scalar, path: &str) -> Option<String> {
        let Literal::Text(text) = &scalar.value else {
            self.report.error("wrong-type", (&scalar.place, path), "text is needed here".to_owned(), String::new());
            return None;
        };
        match spec::constant(text, self.look_up) {
            Ok(text) => Some(text),
            Err(error) => {
                let place = scalar.place_of(error.bytes);
                self.report.error("constant", (&place, path), error.message, error.help);
                None
            }
        }
    }
}

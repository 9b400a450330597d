//! Backends: addresses, protocols, contracts.

use std::cell::OnceCell;
use std::collections::HashMap;

use bytes::Bytes;

use super::Planner;
use super::protos::Protos;
use super::report::Report;
use super::tls::{Files, Said, Secured};
use crate::base::id::BackendId;
use crate::descriptor::DescriptorPool;
use crate::plan::contract::{Contract, Documents};
use crate::plan::{Address, Backend, Protocol};
use crate::spec::{self, Literal, LookUp, Reading, Scalar, Spec};

/// Bytes of a reply that are read at most where nothing is written.
const MAX_REPLY: u64 = 4 << 20;

/// A backend that is to be asked what it promises, before the plan is built.
#[derive(Debug)]
pub struct Reflecting {
    /// Its name.
    pub name: String,
    /// Where it is asked: the first of these that answers.
    pub addresses: Vec<Address>,
}

/// What backends said of themselves, by name: each of their files as a `FileDescriptorProto`, or why they did not.
pub type Reflections = HashMap<String, Result<Vec<Bytes>, String>>;

/// The backends that are to be asked. Addresses that are none are left out; building the plan complains about them.
pub fn reflecting(reading: &Reading, look_up: LookUp<'_>) -> Vec<Reflecting> {
    let backends = reading.spec.iter().flat_map(|spec| &spec.backends);
    let asked = backends.filter(|named| named.value.reflection.as_ref().is_some_and(|reflection| reflection.value));
    let (report, roots) = (Report::default(), OnceCell::new());
    let files = Files { look_up, report: &report, roots: &roots };
    let reflecting = |named: &spec::Named<spec::Backend>| {
        let secured = Secured { said: Said::of(&named.value), path: &named.path, config: OnceCell::new() };
        let addresses = named.value.reach.protocol().addresses().iter();
        let address = |scalar: &Scalar| {
            let text = spec::constant(scalar.text()?, look_up).ok()?;
            secured.address(&text, (scalar, &named.path), files)
        };
        Reflecting { name: named.name.value.clone(), addresses: addresses.filter_map(address).collect() }
    };
    asked.map(reflecting).collect()
}

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

/// The backends in written order.
pub(super) fn facts<'s>(
    spec: &'s Spec,
    (protos, documents): (&mut Protos<'s>, &Documents<'_>),
    report: &Report,
) -> Vec<BackendFacts<'s>> {
    let mut next = 0;
    let fact = |named: &'s spec::Named<spec::Backend>| {
        let backend = &named.value;
        let protocol = match backend.reach.protocol() {
            spec::Protocol::Rest(_) => Protocol::Rest,
            spec::Protocol::Grpc(_) => Protocol::Grpc,
        };
        let pool = match protocol {
            Protocol::Grpc => protos.pool(named, report),
            Protocol::Rest => None,
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
        BackendFacts { name, path, spec: backend, first, protocol, pool, contract }
    };
    spec.backends.iter().map(fact).collect()
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

    /// The backend as it will run: an entry for each variant.
    pub(super) fn plan(&self, planner: &Planner<'_>) -> Vec<Backend> {
        let own = self.spec.max_reply.as_ref();
        let secured = Secured { said: Said::of(self.spec), path: &self.path, config: OnceCell::new() };
        let plan = |reached: Reached<'_>| Backend {
            name: self.name.into(),
            variant: reached.variant.map(|variant| variant.name.value.as_str().into()),
            addresses: {
                let addresses = reached.protocol.addresses().iter();
                let address = |scalar| {
                    let text = planner.constant_text(scalar, &reached.path)?;
                    secured.address(&text, (scalar, &reached.path), planner.files())
                };
                addresses.filter_map(address).collect()
            },
            protocol: self.protocol,
            is_described: self.protocol == Protocol::Grpc || self.contract.is_some(),
            max_reply: {
                let nearest = reached.variant.and_then(|variant| variant.value.max_reply.as_ref()).or(own);
                nearest.map_or(MAX_REPLY, |size| size.value.0)
            },
        };
        self.reached().into_iter().map(plan).collect()
    }
}

impl Secured<'_> {
    /// An address such as `http://catalog:7001/v2`; `None` after a diagnostic.
    fn address(&self, text: &str, (scalar, path): (&Scalar, &str), files: Files<'_>) -> Option<Address> {
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
            true => Some(files.address_tls(self, authority.host(), (scalar, path))?),
            false => None,
        };
        Some(Address { authority, prefix: prefix.trim_end_matches('/').into(), tls })
    }
}

impl Planner<'_> {
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

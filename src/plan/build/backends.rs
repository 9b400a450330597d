//! Backends: addresses, protocols, contracts.

use prost_reflect::DescriptorPool;

use super::Planner;
use super::protos::Protos;
use super::report::Report;
use crate::base::diagnostic::Diagnostic;
use crate::base::id::BackendId;
use crate::plan::contract::{Contract, Documents};
use crate::plan::{Address, Backend, Protocol};
use crate::spec::{self, Literal, NOT_SUPPORTED_YET, Reading, Scalar, Spec};

/// Bytes of a reply that are read at most where nothing is written.
const MAX_REPLY: u64 = 4 << 20;

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
    (spec, reading): (&'s Spec, &Reading),
    documents: &Documents<'_>,
    report: &Report,
) -> Vec<BackendFacts<'s>> {
    let mut protos = Protos::default();
    let mut next = 0;
    let fact = |named: &'s spec::Named<spec::Backend>| {
        let backend = &named.value;
        let protocol = match backend.reach.protocol() {
            spec::Protocol::Rest(_) => Protocol::Rest,
            spec::Protocol::Grpc(_) => Protocol::Grpc,
        };
        let path = format!("{}.proto", named.path);
        let complain = |place: &crate::base::diagnostic::Place, message: String, help: String| {
            report.add(Diagnostic::error("proto", place.clone(), path.clone(), message).help(help));
        };
        let pool = match protocol {
            Protocol::Grpc if !backend.proto.is_empty() => protos.pool(reading, &backend.proto, &complain),
            _ => None,
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
        let plan = |reached: Reached<'_>| Backend {
            name: self.name.into(),
            variant: reached.variant.map(|variant| variant.name.value.as_str().into()),
            addresses: {
                let addresses = reached.protocol.addresses().iter();
                addresses.filter_map(|address| planner.address(address, &reached.path)).collect()
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

impl Planner<'_> {
    /// An address such as `http://catalog:7001/v2`.
    pub(super) fn address(&self, scalar: &Scalar, path: &str) -> Option<Address> {
        let text = self.constant_text(scalar, path)?;
        let complain = |code, message: String, help: &str| {
            self.report.error(code, (&scalar.place, path), message, help.to_owned());
            None
        };
        if text.starts_with("https://") {
            return complain(
                NOT_SUPPORTED_YET,
                "TLS to backends is not supported by this version".to_owned(),
                "write http://",
            );
        }
        let Some(rest) = text.strip_prefix("http://") else {
            let help = "write http://host:port";
            return complain("bad-address", "an address begins with `http://`".to_owned(), help);
        };
        let (authority, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let wrong = prefix.contains(['?', '#']) || authority.contains('@');
        match authority.parse::<http::uri::Authority>() {
            Ok(authority) if !authority.host().is_empty() && !wrong => {
                Some(Address { authority, prefix: prefix.trim_end_matches('/').into() })
            }
            _ => complain("bad-address", "this is no address of a backend".to_owned(), "write http://host:port"),
        }
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

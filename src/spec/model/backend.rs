//! `backends.NAME`: a service behind the gateway.

use std::time::Duration;

use crate::base::diagnostic::Place;
use crate::spec::constant::holds_expression;
use crate::spec::keys::{Definition, Entries, FieldDoc, FromNode, Keys, ObjectDoc, Reader, Shape, keys};
use crate::spec::name::is_name;
use crate::spec::yaml::{Kind, Node};

use super::{
    Balance, CallPolicies, ClientTls, Discover, Fail, Headers, Located, Parameters, Reach, Server, Size, Switch,
};

keys! {
    /// A service behind the gateway.
    pub struct Backend: "a backend", as in "{ rest: http://127.0.0.1:7001 }" {
        /// How it is reached: at addresses, or by variants.
        reach: Reach = ..,
        /// Files or folders with the `.proto` files of a gRPC backend, relative to the project.
        proto: Vec<Located<String>>,
        /// The file with the OpenAPI document of a REST backend, relative to the project.
        openapi: Option<Located<String>>,
        /// Which rpcs only read: `all`, or names that may end in `*`.
        reads: Option<Reads>,
        /// How long one call may take; `none`: as long as the request.
        timeout: Option<Switch<Located<Duration>>>,
        /// Header fields that every call to this backend carries.
        headers: Option<Headers>,
        /// gRPC metadata that every call to this backend carries.
        metadata: Option<Headers>,
        /// Parameters that the query of every call to this backend carries.
        query: Option<Parameters>,
        /// Replies that are failures although their status says success; the first that fits counts.
        fail: Vec<Fail>,
        /// The largest reply body that is taken.
        max_reply: Option<Located<Size>>,
        /// gRPC: files with compiled descriptors (`FileDescriptorSet`, as `protoc -o` and `buf build` write them), relative to the
        /// project; beside `proto` or in its place.
        descriptors: Vec<Located<String>>,
        /// gRPC: ask the backend itself what it promises, in place of `proto`.
        reflection: Option<Located<bool>>,
        /// What happens around a call.
        policies: CallPolicies = ..,
        /// Which of the addresses gets a call.
        balance: Option<Switch<Balance>>,
        /// Where the addresses are found.
        discover: Option<Switch<Discover>>,
        /// TLS to addresses that begin with `https://`.
        tls: Option<ClientTls>,
    }
    then Backend::check
}

/// What a backend speaks. The addresses are as written: `http://…`, `https://…`, or text with
/// `${env('NAME', 'default')}`; at least one.
#[derive(Clone, Debug)]
pub enum Protocol {
    /// HTTP and JSON.
    Rest(Vec<Server>),
    /// gRPC: HTTP/2 without TLS for `http://`.
    Grpc(Vec<Server>),
}

impl Protocol {
    /// The addresses, as written.
    pub fn addresses(&self) -> &[Server] {
        match self {
            Self::Rest(addresses) | Self::Grpc(addresses) => addresses,
        }
    }
}

/// Which rpcs of a gRPC backend only read.
#[derive(Clone, Debug)]
pub enum Reads {
    /// `all`.
    All(Place),
    /// Method names; a `*` at the end stands for any rest. The place is that of the whole list.
    Only(Vec<Located<String>>, Place),
}

impl Definition for Backend {
    const KIND: &'static str = "backend";

    fn shape() -> Shape {
        <Self as FromNode>::shape()
    }

    fn define(name: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.checked_name(Self::KIND, name);
        Self::read(node, reader)
    }
}

impl Backend {
    fn check(&self, entries: &Entries<'_>, reader: &mut Reader<'_>) {
        entries.expect_one_at_most(&["proto", "reflection"], reader);
        entries.expect_one_at_most(&["descriptors", "reflection"], reader);
        let protocol = self.reach.protocol();
        let (other, misplaced): (&str, &[&str]) = match protocol {
            Protocol::Rest(_) => ("gRPC", &["proto", "descriptors", "reflection", "reads"]),
            Protocol::Grpc(_) => ("REST", &["openapi"]),
        };
        for key in misplaced.iter().filter_map(|key| entries.written(key)) {
            let message = format!("`{}` belongs to a {other} backend", key.value);
            reader.report(reader.error("misplaced-key", &key.place, message).help("leave it out"));
        }
        check_carried(protocol, entries, reader);
        self.check_health(reader);
        let is_secure = |address: &Server| {
            address.url.text().is_none_or(|text| text.starts_with("https://") || holds_expression(text))
        };
        if let (Some(key), false) = (entries.written("tls"), protocol.addresses().iter().any(is_secure)) {
            let message = "`tls` means something only for addresses that begin with `https://`";
            reader.report(reader.error("misplaced-key", &key.place, message).help("write `https://`, or leave it out"));
        }
    }

    /// A REST backend is asked for a path, a gRPC backend for a service.
    fn check_health(&self, reader: &mut Reader<'_>) {
        let health = self.balance.as_ref().and_then(Switch::on).and_then(|balance| balance.health.as_ref());
        let Some(health) = health.and_then(Switch::on) else { return };
        let (misplaced, message, help) = match (self.reach.protocol(), &health.path, &health.service) {
            (Protocol::Rest(_), None, Some(service)) => {
                (service, "a REST backend is asked for a path, not for a service", "write it as in `path: /healthz`")
            }
            (Protocol::Grpc(_), Some(path), None) => {
                (path, "a gRPC backend is asked for a service, not for a path", "write `service: \"\"` for all of them")
            }
            _ => return,
        };
        reader.report(reader.error("misplaced-key", &misplaced.place, message).help(help));
    }
}

/// Header fields and queries belong to REST, metadata to gRPC.
pub(super) fn check_carried(protocol: &Protocol, entries: &Entries<'_>, reader: &mut Reader<'_>) {
    let (other, misplaced): (&str, &[&str]) = match protocol {
        Protocol::Rest(_) => ("gRPC", &["metadata"]),
        Protocol::Grpc(_) => ("REST", &["headers", "query"]),
    };
    for key in misplaced.iter().filter_map(|key| entries.written(key)) {
        let message = format!("`{}` belongs to a {other} backend", key.value);
        reader.report(reader.error("misplaced-key", &key.place, message).help("leave it out"));
    }
}

impl Keys for Protocol {
    const DOC: ObjectDoc = ObjectDoc {
        name: "Protocol",
        title: "a backend",
        doc: "What a backend speaks, and at which addresses: exactly one of the two.",
        example: "{ rest: http://127.0.0.1:7001 }",
        fields: &[
            FieldDoc {
                key: "rest",
                doc: "The address, or addresses, of a service that speaks HTTP and JSON.",
                required: false,
                shape: <Vec<Server> as FromNode>::shape,
            },
            FieldDoc {
                key: "grpc",
                doc: "The address, or addresses, of a service that speaks gRPC; `http://` means HTTP/2 without TLS.",
                required: false,
                shape: <Vec<Server> as FromNode>::shape,
            },
        ],
        alternatives: &[],
    };

    fn take(entries: &mut Entries<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        entries.allow(&Self::DOC);
        let (rest_key, grpc_key) = (entries.find("rest"), entries.find("grpc"));
        let rest = entries.field::<Option<Vec<Server>>>("rest", reader)?;
        let grpc = entries.field::<Option<Vec<Server>>>("grpc", reader)?;
        let protocol = match (rest_key, grpc_key) {
            (Some(rest), Some(grpc)) => {
                let message = "a backend speaks REST or gRPC, not both";
                let diagnostic = reader
                    .error("conflicting-keys", &grpc.place, message)
                    .help("define two backends")
                    .related(rest.place.clone(), "`rest` stands here");
                reader.report(diagnostic);
                return None;
            }
            (Some(_), None) => Self::Rest(rest?),
            (None, Some(_)) => Self::Grpc(grpc?),
            (None, None) => {
                if !entries.has_misspelt(&["rest", "grpc"]) {
                    let message = "a backend needs an address under `rest` or `grpc`";
                    let diagnostic = reader
                        .error("missing-key", entries.place(), message)
                        .help(format!("write it as in `{}`", Self::DOC.example));
                    reader.report(diagnostic);
                }
                return None;
            }
        };
        check_addresses(&protocol, entries, reader);
        Some(protocol)
    }
}

fn check_addresses(protocol: &Protocol, entries: &Entries<'_>, reader: &mut Reader<'_>) {
    if protocol.addresses().is_empty() {
        reader.report(reader.error("missing-address", entries.place(), "a backend needs at least one address"));
    }
    for address in protocol.addresses().iter().filter(|address| address.url.text().is_none()) {
        reader.expected_scalar("an address such as `http://127.0.0.1:7001`", &address.url);
    }
}

impl FromNode for Reads {
    fn shape() -> Shape {
        Shape::OneOf(vec![Shape::Word(&["all"]), Shape::List(Box::new(Shape::Text))])
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if let Kind::Scalar(scalar) = &node.kind
            && scalar.text() == Some("all")
        {
            return Some(Self::All(node.place.clone()));
        }
        let patterns = Vec::<Located<String>>::read(node, reader)?;
        for pattern in &patterns {
            if !is_name(pattern.value.strip_suffix('*').unwrap_or(&pattern.value)) && pattern.value != "*" {
                let message = format!("`{}` is no method name; a `*` can only stand at its end", pattern.value);
                let help = "write `all`, or method names as in `[Get*, ListOrders]`";
                reader.report(reader.error("malformed-pattern", &pattern.place, message).help(help));
            }
        }
        Some(Self::Only(patterns, node.place.clone()))
    }
}

//! `backends.NAME.variants`: one contract at several written addresses, and which of them a call goes to.

use std::time::Duration;

use crate::base::diagnostic::Place;
use crate::spec::keys::{Definition, Entries, FieldDoc, FromNode, Keys, ObjectDoc, Reader, Shape, keys};
use crate::spec::yaml::{Kind, Node, Scalar};

use super::backend::check_carried;
use super::{Balance, CallPolicies, Discover, Headers, Located, Named, Parameters, Protocol, Size, Switch};

/// How a backend is reached.
#[derive(Clone, Debug)]
pub enum Reach {
    /// Under one name: `rest` or `grpc`.
    Plain(Protocol),
    /// By variants, of which there is at least one and all speak the same protocol.
    Variants(Variants),
}

/// The variants of a backend.
#[derive(Clone, Debug)]
pub struct Variants {
    /// The variants, in written order.
    pub list: Vec<Named<Variant>>,
    /// Which of them a call goes to that names none.
    pub choose: Option<Choose>,
}

keys! {
    /// One of several addresses of a backend, and what is different there.
    pub struct Variant: "a variant", as in "{ rest: http://127.0.0.1:7001 }" {
        /// What it speaks, and at which addresses.
        protocol: Protocol = ..,
        /// How long one call may take; `none`: as long as the request.
        timeout: Option<Switch<Located<Duration>>>,
        /// Header fields that every call to this variant carries.
        headers: Option<Headers>,
        /// gRPC metadata that every call to this variant carries.
        metadata: Option<Headers>,
        /// Parameters that the query of every call to this variant carries.
        query: Option<Parameters>,
        /// The largest reply body that is taken.
        max_reply: Option<Located<Size>>,
        /// What happens around a call.
        policies: CallPolicies = ..,
        /// Which of the addresses gets a call.
        balance: Option<Switch<Balance>>,
        /// Where the addresses are found.
        discover: Option<Switch<Discover>>,
    }
    then Variant::check
}

/// Which variant a call goes to.
#[derive(Clone, Debug)]
pub enum Choose {
    /// That whose name this gives.
    Name(Scalar),
    /// By shares.
    Shares(Shares),
}

keys! {
    /// Variants by shares of the calls.
    pub struct Shares: "shares of variants", as in "{ weights: { stable: 95, canary: 5 }, by: \"${request.client_ip}\" }" {
        /// The share of each variant, of the sum of all.
        weights: Vec<Named<Weight>>,
        /// What decides: calls that agree in it go to the same variant. Without it, or with null, calls go round.
        by: Option<Scalar>,
    }
}

/// The share of a variant.
#[derive(Clone, Debug)]
pub struct Weight(pub Located<u32>);

impl Reach {
    /// What it speaks: that of its first variant, if it has variants.
    pub fn protocol(&self) -> &Protocol {
        match self {
            Self::Plain(protocol) => protocol,
            Self::Variants(variants) => &variants.list[0].value.protocol,
        }
    }
}

impl Keys for Reach {
    const DOC: ObjectDoc = ObjectDoc {
        name: "Reach",
        title: "a backend",
        doc: "How a backend is reached: at addresses of its own, or by variants.",
        example: "{ rest: http://127.0.0.1:7001 }",
        fields: &[
            FieldDoc { key: "", doc: "Its addresses.", required: false, shape: || Shape::Beside(&Protocol::DOC) },
            FieldDoc {
                key: "variants",
                doc: "One contract at several addresses: tenants, regions, canaries.",
                required: false,
                shape: <Vec<Named<Variant>> as FromNode>::shape,
            },
            FieldDoc {
                key: "choose",
                doc: "Which variant a call goes to: an expression that gives its name, or shares.",
                required: false,
                shape: <Choose as FromNode>::shape,
            },
        ],
        alternatives: &[],
    };

    fn take(entries: &mut Entries<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        entries.allow(&Self::DOC);
        let Some((variants, written)) = entries.take("variants") else {
            if let Some((choose, _)) = entries.take("choose") {
                let message = "`choose` means something only beside `variants`";
                let help = "add `variants`, or leave it out";
                reader.report(reader.error("misplaced-key", &choose.place, message).help(help));
            }
            return Protocol::take(entries, reader).map(Self::Plain);
        };
        let beside = ["rest", "grpc"].into_iter().find_map(|key| entries.take(key));
        if let Some((address, _)) = beside {
            let message = format!("the variants have the addresses: `{}` cannot stand beside them", address.value);
            let diagnostic = reader
                .error("conflicting-keys", &address.place, message)
                .help("make a variant of it")
                .related(variants.place.clone(), "`variants` stand here");
            reader.report(diagnostic);
        }
        let list = reader.within("variants", |reader| Vec::<Named<Variant>>::read(written, reader));
        if is_empty(written) {
            let message = "`variants` needs at least one variant";
            let help = format!("write one as in `{}`", Variant::DOC.example);
            reader.report(reader.error("empty", &variants.place, message).help(help));
        }
        let choose = entries.field::<Option<Choose>>("choose", reader)?;
        let list = list?;
        check_protocols(&list, reader);
        // Variants that cannot be read were reported; without any there is no backend.
        (!list.is_empty()).then_some(Self::Variants(Variants { list, choose }))
    }
}

impl Variant {
    fn check(&self, entries: &Entries<'_>, reader: &mut Reader<'_>) {
        check_carried(&self.protocol, entries, reader);
    }
}

fn is_empty(node: &Node) -> bool {
    matches!(&node.kind, Kind::Mapping(pairs) if pairs.is_empty())
}

/// One contract means one protocol.
fn check_protocols(list: &[Named<Variant>], reader: &mut Reader<'_>) {
    let Some((first, rest)) = list.split_first() else { return };
    let is_rest = |variant: &Named<Variant>| matches!(variant.value.protocol, Protocol::Rest(_));
    for other in rest.iter().filter(|other| is_rest(other) != is_rest(first)) {
        let message = "the variants of a backend speak the same protocol";
        let diagnostic = reader
            .error("conflicting-keys", &other.name.place, message)
            .help("define two backends")
            .related(first.name.place.clone(), "the first speaks another");
        reader.report(diagnostic);
    }
}

impl Definition for Variant {
    const KIND: &'static str = "variant";

    fn shape() -> Shape {
        <Self as FromNode>::shape()
    }

    fn define(name: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if name.value.is_empty() || !name.value.chars().all(plain) {
            let message = format!("`{}` is no name of a variant", name.value);
            let help = "names of variants are letters, digits, `-`, `_` and `.`";
            reader.report(reader.error("invalid-name", &name.place, message).help(help));
        }
        Self::read(node, reader)
    }
}

impl Definition for Weight {
    const KIND: &'static str = "share";

    fn shape() -> Shape {
        <Located<u32> as FromNode>::shape()
    }

    fn define(_: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Located::read(node, reader).map(Self)
    }
}

impl FromNode for Choose {
    fn shape() -> Shape {
        Shape::OneOf(vec![Shape::Scalar, <Shares as FromNode>::shape()])
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.kind {
            Kind::Scalar(name) if name.text().is_some() => Some(Self::Name(name.clone())),
            Kind::Mapping(_) => {
                if node.member("weights").is_none_or(is_empty) {
                    let help = format!("write them as in `{}`", Shares::DOC.example);
                    reader.report(reader.error("missing-key", &node.place, "shares need `weights`").help(help));
                }
                let shares = Shares::read(node, reader)?;
                (!shares.weights.is_empty()).then_some(Self::Shares(shares))
            }
            _ => {
                let expected = "an expression that gives the name of a variant, or `{ weights, by }`";
                reader.expected(expected, node);
                None
            }
        }
    }
}

impl Choose {
    /// Where it is written.
    pub fn place(&self) -> &Place {
        match self {
            Self::Name(scalar) => &scalar.place,
            Self::Shares(shares) => &shares.place,
        }
    }
}

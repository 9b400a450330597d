//! Variants of backends: where each call may go, what it carries there, and what decides.

use super::around::{Going, Made};
use super::backends::{BackendFacts, Reached};
use super::calls::Carried;
use super::names::{Names, Wide};
use super::pairs::Layer;
use super::unit::Unit;
use crate::base::diagnostic::did_you_mean;
use crate::base::id::BackendId;
use crate::expr::{Node, Type};
use crate::plan::{Choose, Protocol, Target, TimeoutBy, Variants};
use crate::spec::{self, Located};

/// The call that a target is found for.
#[derive(Clone, Copy)]
pub(super) struct Asking<'c> {
    /// Where the backend is named.
    pub(super) backend: &'c Located<String>,
    /// The variant that it names itself.
    pub(super) variant: Option<&'c Located<String>>,
    /// Its key path.
    pub(super) path: &'c str,
    /// What it says of what stands around it.
    pub(super) made: Made<'c>,
}

impl Unit<'_, '_> {
    /// Where a call may go, and what it carries there: its own, then the variant's, the backend's, the
    /// gateway's.
    pub(super) fn targets(
        &self,
        facts: &BackendFacts<'_>,
        asking: Asking<'_>,
        carried: Carried<'_>,
        names: &Names<'_, '_>,
    ) -> Variants<Target> {
        self.variants(facts, asking, |backend, reached| self.target((facts, backend, reached), asking, carried, names))
    }

    /// Checks what a backend adds to its calls and what judges their replies, also where no call is.
    pub(super) fn check_backend(&self, facts: &BackendFacts<'_>) {
        let wide = Wide { unit: self, reply: None, user: &facts.path };
        let spec::Backend { headers, metadata, query, reach, fail, .. } = facts.spec;
        self.check_carried([headers, metadata], query.as_ref(), &facts.path);
        for variant in facts.reached().iter().filter_map(|reached| reached.variant) {
            let spec::Variant { headers, metadata, query, .. } = &variant.value;
            self.check_carried([headers, metadata], query.as_ref(), &variant.path);
        }
        for reached in &facts.reached() {
            self.affinity(facts, reached, &facts.path);
        }
        self.guards(fail, &Wide { reply: Some(&Type::Dyn), ..wide }, &facts.path);
        if let spec::Reach::Variants(spec::Variants { choose: Some(choose), .. }) = reach {
            let reached = facts.reached();
            let names: Vec<&str> = reached.iter().filter_map(Reached::name).collect();
            self.choose(facts, (choose, &names), &facts.path);
        }
    }

    /// Checks what many calls carry: header fields, metadata, parameters.
    pub(super) fn check_carried(
        &self,
        headers: [&Option<spec::Headers>; 2],
        query: Option<&spec::Parameters>,
        path: &str,
    ) {
        let wide = Wide { unit: self, reply: None, user: path };
        for (written, key) in headers.into_iter().zip(["headers", "metadata"]) {
            self.planner.pairs(written.as_ref(), &wide, &format!("{path}.{key}"));
        }
        self.planner.pairs(query, &wide, &format!("{path}.query"));
    }

    /// One of something for each variant that a call may go to.
    pub(super) fn variants<T>(
        &self,
        facts: &BackendFacts<'_>,
        asking: Asking<'_>,
        each: impl Fn(BackendId, &Reached<'_>) -> T,
    ) -> Variants<T> {
        let reached = facts.reached();
        let one = |index: usize| each(BackendId::from(facts.first.index() + index), &reached[index]);
        let names: Vec<&str> = reached.iter().filter_map(|reached| reached.name()).collect();
        let complain = |at: &Located<String>, message: String, help: String| {
            self.planner.report.error("unknown-name", (&at.place, asking.path), message, help);
            Variants::only(one(0))
        };
        let choose = match (asking.variant, &facts.spec.reach) {
            (None, spec::Reach::Plain(_)) => return Variants::only(one(0)),
            (Some(name), _) => {
                return match names.iter().position(|known| *known == name.value) {
                    Some(index) => Variants::only(one(index)),
                    None => {
                        let message = format!("the backend `{}` has no variant `{}`", facts.name, name.value);
                        complain(name, message, did_you_mean(&name.value, names.iter().copied()))
                    }
                };
            }
            (None, spec::Reach::Variants(variants)) => variants.choose.as_ref(),
        };
        let Some(choose) = choose else {
            let message = format!("the backend `{}` has variants, and nothing says which", facts.name);
            let help = "write `variant: NAME` here, or `choose` at the backend".to_owned();
            return complain(asking.backend, message, help);
        };
        match self.choose(facts, (choose, &names), asking.path) {
            Chosen::One(index) => Variants::only(one(index)),
            Chosen::ByName(choose) => Variants { list: (0..names.len()).map(one).collect(), choose },
            Chosen::Of(indexes, choose) => Variants { list: indexes.into_iter().map(one).collect(), choose },
        }
    }

    fn target(
        &self,
        (facts, backend, reached): (&BackendFacts<'_>, BackendId, &Reached<'_>),
        asking: Asking<'_>,
        carried: Carried<'_>,
        names: &Names<'_, '_>,
    ) -> Target {
        let planner = self.planner;
        let wide = Wide { unit: self, reply: None, user: asking.path };
        let everywhere = planner.spec.gateway.calls.as_ref();
        let variant = reached.variant.map(|variant| &variant.value);
        let grpc = facts.protocol == Protocol::Grpc;
        let key = if grpc { "metadata" } else { "headers" };
        let headers = [
            carried.headers,
            variant.and_then(|of| if grpc { of.metadata.as_ref() } else { of.headers.as_ref() }),
            if grpc { facts.spec.metadata.as_ref() } else { facts.spec.headers.as_ref() },
            everywhere.and_then(|calls| if grpc { calls.metadata.as_ref() } else { calls.headers.as_ref() }),
        ];
        let query = [
            carried.query,
            variant.and_then(|of| of.query.as_ref()),
            facts.spec.query.as_ref(),
            everywhere.and_then(|calls| calls.query.as_ref()).filter(|_| !grpc),
        ];
        let backend_says = variant.and_then(|of| of.timeout.as_ref()).or(facts.spec.timeout.as_ref());
        let gateway_says = everywhere.and_then(|calls| calls.timeout.as_ref());
        let (timeout, timeout_by) = match (backend_says, gateway_says) {
            (Some(timeout), _) => (timeout.on().map(|time| time.value), TimeoutBy::Backend),
            (None, Some(timeout)) => (timeout.on().map(|time| time.value), TimeoutBy::Gateway),
            (None, None) => (Some(super::CALL_TIMEOUT), TimeoutBy::Default),
        };
        let going = Going { facts, backend, reached, timeout };
        let policies = planner.around(asking.made, asking.path, going);
        let paths = [asking.path, &reached.path, &facts.path, "gateway.calls"];
        Target {
            backend,
            headers: planner.layers(&layers(headers, (paths, key), (names, &wide))),
            query: planner.layers(&layers(query, (paths, "query"), (names, &wide))),
            timeout,
            timeout_by,
            policies,
            affinity: self.affinity(facts, reached, asking.path),
            sticky: self.sticky(facts, reached, asking),
            kept: None,
        }
    }

    fn choose(&self, facts: &BackendFacts<'_>, (choose, names): (&spec::Choose, &[&str]), user: &str) -> Chosen {
        let wide = Wide { unit: self, reply: None, user };
        let path = format!("{}.choose", facts.path);
        let report = &self.planner.report;
        match choose {
            spec::Choose::Name(scalar) => {
                let value = self.planner.scalar(scalar, &wide, &path);
                if !matches!(value.ty.present(), Type::Dyn | Type::Text | Type::Null) {
                    let message = format!("`choose` gives the name of a variant, and this is {}", value.ty);
                    report.error("wrong-type", (&scalar.place, &path), message, "write text".to_owned());
                }
                if let Some(name) = value.node.known().and_then(|value| value.as_text()) {
                    let found = names.iter().position(|known| *known == name);
                    if found.is_none() {
                        // What a constant of the environment holds is not shown.
                        let (shown, help) = match &value.node {
                            Node::Named(named) => (&*named.written, format!("its variants are {}", names.join(", "))),
                            _ => (name, did_you_mean(name, names.iter().copied())),
                        };
                        let message = format!("the backend `{}` has no variant `{shown}`", facts.name);
                        report.error("unknown-name", (&scalar.place, &path), message, help);
                    }
                    return Chosen::One(found.unwrap_or(0));
                }
                let names = names.iter().map(|name| Box::from(*name)).collect();
                Chosen::ByName(Choose::Name { names, by: value.node })
            }
            spec::Choose::Shares(shares) => {
                let by = shares.by.as_ref().map(|by| self.planner.scalar(by, &wide, &format!("{path}.by")).node);
                let (mut indexes, mut up_to, mut sum) = (Vec::new(), Vec::new(), 0);
                for share in &shares.weights {
                    let Some(index) = names.iter().position(|name| *name == share.name.value) else {
                        let message = format!("the backend `{}` has no variant `{}`", facts.name, share.name.value);
                        let help = did_you_mean(&share.name.value, names.iter().copied());
                        report.error("unknown-name", (&share.name.place, &share.path), message, help);
                        continue;
                    };
                    sum += u64::from(share.value.0.value);
                    indexes.push(index);
                    up_to.push(sum);
                }
                if indexes.is_empty() {
                    return Chosen::One(0);
                }
                Chosen::Of(indexes, Choose::Shares { up_to: up_to.into(), by, of: facts.first })
            }
        }
    }
}

/// What `choose` leaves to run time.
enum Chosen {
    /// Nothing: it is this variant.
    One(usize),
    /// One of all, by name.
    ByName(Choose),
    /// One of these.
    Of(Vec<usize>, Choose),
}

impl<'s> Reached<'s> {
    /// The name of the variant.
    fn name(&self) -> Option<&'s str> {
        self.variant.map(|variant| variant.name.value.as_str())
    }
}

/// What is written at a call, its variant, its backend and the gateway. Only the call's own sees the
/// names around it.
fn layers<'l, T, const N: usize>(
    written: [Option<&'l spec::Pairs<T>>; N],
    (paths, key): ([&str; N], &str),
    (own, wide): (&'l Names<'_, '_>, &'l Wide<'_, '_>),
) -> Vec<Layer<'l, T>> {
    let layer = |(distance, (written, path)): (usize, (Option<&'l spec::Pairs<T>>, &str))| Layer {
        written,
        names: if distance == 0 { own } else { wide },
        path: format!("{path}.{key}"),
    };
    written.into_iter().zip(paths).enumerate().map(layer).collect()
}

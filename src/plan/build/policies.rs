//! What stands around calls and at the door: read and checked; what it does comes with later versions.

use super::Planner;
use super::names::{Extra, Names, Seen};
use super::report::Report;
use super::tree::Tree;
use super::unit::{Root, Unit};
use crate::base::diagnostic::{Place, did_you_mean};
use crate::expr::{Scope, Type};
use crate::spec::{self, CallPolicies, Requirement, Switch, WordOr};

/// What an endpoint or a field says about who may call it, and how often.
#[derive(Clone, Copy)]
pub(super) struct Door<'s> {
    pub(super) auth: Option<&'s Switch<Requirement>>,
    pub(super) rate: Option<&'s Switch<spec::Filled<Vec<spec::Rate>>>>,
}

impl Door<'_> {
    /// That of an endpoint.
    pub(super) fn of_endpoint(endpoint: &spec::Endpoint) -> Door<'_> {
        Door { auth: endpoint.auth.as_ref(), rate: endpoint.rate.as_ref() }
    }

    /// That of a field of the graph.
    pub(super) fn of_field(field: &spec::Field) -> Door<'_> {
        Door { auth: field.auth.as_ref(), rate: field.rate.as_ref() }
    }
}

impl Planner<'_> {
    /// Checks what backends and the gateway add to calls, whose expressions see the request and nothing else.
    pub(super) fn check_policies(&self) {
        for facts in &self.backends {
            let place = facts.spec.place.clone();
            let unit = Unit::new(self, Tree::bare((&place, &facts.path)), Root::Part { args: &[] });
            self.check_call_policies(&facts.spec.policies, &unit.names_of(0), &facts.path);
            unit.check_backend(facts);
        }
        let gateway = &self.spec.gateway;
        let unit = Unit::new(self, Tree::bare((&gateway.place, "gateway")), Root::Part { args: &[] });
        if let Some(calls) = &gateway.calls {
            self.check_call_policies(&calls.policies, &unit.names_of(0), "gateway.calls");
            unit.check_carried([&calls.headers, &calls.metadata], calls.query.as_ref(), "gateway.calls");
        }
        unit.check_door(Door { auth: gateway.auth.as_ref(), rate: gateway.rate.as_ref() }, "gateway");
    }

    /// Checks the expressions in the policies of a call.
    pub(super) fn check_call_policies(&self, policies: &CallPolicies, names: &dyn Scope, path: &str) {
        let Some(Switch::On(cache)) = &policies.cache else { return };
        if let Some(WordOr::Expression(scope)) = &cache.scope {
            self.scalar(scope, names, &format!("{path}.cache.scope"));
        }
        for tag in &cache.tags {
            self.scalar(tag, names, &format!("{path}.cache.tags"));
        }
    }

    /// Whether somebody may call who is not known, so that `identity` may be null.
    pub(super) fn admits_strangers(&self, auth: Option<&Switch<Requirement>>) -> bool {
        match auth.or(self.spec.gateway.auth.as_ref()) {
            Some(Switch::Off(_)) => true,
            Some(Switch::On(requirement)) => requirement.optional.as_ref().is_some_and(|optional| optional.value),
            None => self.spec.auth.is_empty(),
        }
    }

    /// The providers that a requirement names must be there.
    fn check_providers(&self, requirement: &Requirement, path: &str) {
        let providers = || self.spec.auth.iter().map(|provider| provider.name.value.as_str());
        let is_known =
            |name: &str| providers().any(|provider| provider == name) || self.unread.contains(&format!("auth.{name}"));
        let help = |help: String| match help.is_empty() {
            true => "define one under `auth` at the top of a file".to_owned(),
            false => help,
        };
        for name in requirement.by.iter().filter(|name| !is_known(&name.value)) {
            let message = format!("no auth provider is called `{}`", name.value);
            let suggested = help(did_you_mean(&name.value, providers()));
            self.report.error("unknown-name", (&name.place, &format!("{path}.by")), message, suggested);
        }
        let nobody = self.spec.auth.is_empty() && !self.unread.iter().any(|path| path.starts_with("auth."));
        if requirement.by.is_empty() && nobody {
            let message = "no caller can be known: there is no auth provider".to_owned();
            self.report.error("unknown-name", (&requirement.place, path), message, help(String::new()));
        }
    }
}

impl Unit<'_, '_> {
    /// Checks what is asked of a request before anything runs: its expressions see no step.
    pub(super) fn check_door(&self, door: Door<'_>, path: &str) {
        let names = Names { extra: Extra { steps: Seen::None, ..Extra::default() }, ..self.names_of(0) };
        if let Some(Switch::On(requirement)) = door.auth {
            let path = format!("{path}.auth");
            self.planner.check_providers(requirement, &path);
            if let Some(allow) = &requirement.allow {
                self.planner.condition(allow, &names, &format!("{path}.allow"));
            }
        }
        if let Some(Switch::On(rates)) = door.rate {
            for rate in &rates.0 {
                if let Some(WordOr::Expression(per)) = &rate.per {
                    self.planner.scalar(per, &names, &format!("{path}.rate.per"));
                }
            }
        }
    }

    /// Checks the policies of a step's call: a write is neither kept nor made twice.
    pub(super) fn check_step_policies(&self, (level, write): (usize, bool), step: &spec::Step, path: &str) {
        let policies = &step.policies;
        self.planner.check_call_policies(policies, &self.names_of(level), path);
        let complain = |place: &Place, message: &str, help: &str| {
            self.planner.report.error("misplaced", (place, path), message.to_owned(), help.to_owned());
        };
        if !write {
            if let Some(tag) = step.invalidates.first() {
                let message = "this call only reads, and changes nothing that is kept";
                complain(&tag.place, message, "write it on the call that writes");
            }
            if let (Some(Switch::On(cache)), Some(_)) = (&policies.cache, &step.repeat) {
                let message = "a repeated call asks for what changes, and is not kept";
                complain(&cache.place, message, "leave `cache` out, or `repeat`");
            }
            return;
        }
        let reads = match step.action {
            spec::Action::Grpc(_) => "if it only reads, write `reads` on the backend or `read: true` here",
            _ => "if it only reads, write `read: true`",
        };
        if let Some(Switch::On(cache)) = &policies.cache {
            complain(&cache.place, "this call writes, and a write is not kept", reads);
        }
        if let Some(Switch::On(hedge)) = &policies.hedge {
            complain(&hedge.place, "this call writes, and a write is not made a second time", reads);
        }
        let idempotent = match &step.action {
            spec::Action::Rest(call) => call.idempotent.as_ref(),
            spec::Action::Grpc(call) => call.idempotent.as_ref(),
            _ => None,
        };
        if let (Some(Switch::On(retry)), false) = (&policies.retry, idempotent.is_some_and(|it| it.value)) {
            let help = format!("write `idempotent: true` if it may be made twice; {reads}");
            complain(&retry.place, "this call writes, and a write is not made again", &help);
        }
    }
}

/// What `identity` is: what a provider knows of the caller.
pub(super) fn identity_type(may_be_missing: bool) -> Type {
    let members = [
        ("subject", Type::Text),
        ("claims", Type::map(Type::Dyn)),
        ("scopes", Type::list(Type::Text)),
        ("groups", Type::list(Type::Text)),
        ("key_id", Type::Text.nullable()),
        ("provider", Type::Text),
    ];
    let members = members.map(|(name, ty)| (name.to_owned(), ty)).into();
    let identity = super::types::Members::of("the identity of the caller", members);
    if may_be_missing { identity.nullable() } else { identity }
}

/// Says that `identity` belongs to the language but not to this version.
pub(super) fn refuse_identity(report: &Report, at: (&Place, &str)) {
    let message = "`identity` is not supported by this version".to_owned();
    report.error(spec::NOT_SUPPORTED_YET, at, message, "nobody is known: leave it out".to_owned());
}

//! Which of a backend's addresses gets a call: of what the variant, its backend and the gateway say, the nearest counts,
//! member by member.

use std::time::Duration;

use super::Planner;
use super::around::Said;
use super::backends::{BackendFacts, Reached};
use super::names::Wide;
use super::unit::Unit;
use crate::expr::Node;
use crate::plan::{Balance, HealthCheck, Question};
use crate::policy::{balance, eject, health};
use crate::spec::{self, Algorithm, Rule, Switch};

type Layers<'s> = [Option<&'s Switch<spec::Balance>>; 3];

impl Planner<'_> {
    /// How one of the addresses of a backend, or of a variant of it, is chosen.
    pub(super) fn balance(&self, facts: &BackendFacts<'_>, reached: &Reached<'_>) -> Balance {
        let said = Said::of(self.balances(facts.spec, reached));
        let said = said.as_ref();
        let rule = said.and_then(|said| said.member(|balance| balance.algorithm.as_ref()));
        let slow_start = said.and_then(|said| said.member(|balance| balance.slow_start.as_ref()));
        Balance {
            algorithm: match rule {
                Some(Algorithm::Rule(rule)) => rule.value.into(),
                Some(Algorithm::Hash(_)) | None => balance::Algorithm::LeastLoaded,
            },
            sticky: self.sticky(facts, reached),
            eject: ejection(said),
            health: health_check(said, reached.protocol),
            slow_start: slow_start.and_then(Switch::on).map_or(Duration::ZERO, |time| time.value.0),
        }
    }

    fn balances<'l>(&'l self, backend: &'l spec::Backend, reached: &Reached<'l>) -> Layers<'l> {
        [
            reached.variant.and_then(|variant| variant.value.balance.as_ref()),
            backend.balance.as_ref(),
            self.spec.gateway.calls.as_ref().and_then(|calls| calls.balance.as_ref()),
        ]
    }
}

impl Unit<'_, '_> {
    /// The program that says which calls go to the same address, if one does.
    pub(super) fn affinity(&self, facts: &BackendFacts<'_>, reached: &Reached<'_>, user: &str) -> Option<Node> {
        let said = Said::of(self.planner.balances(facts.spec, reached))?;
        let Algorithm::Hash(hash) = said.member(|balance| balance.algorithm.as_ref())? else { return None };
        let wide = Wide { unit: self, reply: None, user };
        let path = format!("{}.balance.algorithm.hash", reached.path);
        Some(self.planner.scalar(&hash.hash, &wide, &path).node)
    }
}

/// Unless the nearest that speaks of it turns it off, what fails is left out.
fn ejection(said: Option<&Said<'_, spec::Balance>>) -> Option<eject::Settings> {
    let written = said.map(|said| said.members(|balance| balance.eject.as_ref())).unwrap_or_default();
    if let Some(Switch::Off(_)) = written.first() {
        return None;
    }
    let written: Vec<&spec::Eject> = written.into_iter().map_while(Switch::on).collect();
    let time = |member: fn(&spec::Eject) -> Option<&spec::Located<spec::Period>>, otherwise: u64| {
        let found = written.iter().find_map(|eject| member(eject));
        found.map_or(Duration::from_secs(otherwise), |time| time.value.0)
    };
    let base = time(|eject| eject.base.as_ref(), 30);
    Some(eject::Settings {
        consecutive: written.iter().find_map(|eject| eject.consecutive.as_ref()).map_or(5, |count| count.value),
        base,
        max: time(|eject| eject.max.as_ref(), 300).max(base),
        share: written.iter().find_map(|eject| eject.share.as_ref()).map_or(0.5, |share| share.value.0),
    })
}

/// Nothing is asked unless somebody says so.
fn health_check(said: Option<&Said<'_, spec::Balance>>, protocol: &spec::Protocol) -> Option<HealthCheck> {
    let written = said?.members(|balance| balance.health.as_ref());
    let written: Vec<&spec::Health> = written.into_iter().map_while(Switch::on).collect();
    written.first()?;
    let nearest = |member: fn(&spec::Health) -> Option<&spec::Located<String>>| {
        written.iter().find_map(|health| member(health)).map(|text| text.value.as_str())
    };
    let question = match protocol {
        // What cannot be a path was reported where it is written.
        spec::Protocol::Rest(_) => Question::Path(nearest(|health| health.path.as_ref()).unwrap_or("/").parse().ok()?),
        spec::Protocol::Grpc(_) => {
            Question::Service(nearest(|health| health.service.as_ref()).unwrap_or_default().to_owned())
        }
    };
    let time = |member: fn(&spec::Health) -> Option<&spec::Located<spec::Period>>, otherwise: u64| {
        let found = written.iter().find_map(|health| member(health));
        found.map_or(Duration::from_secs(otherwise), |time| time.value.0)
    };
    let count = |member: fn(&spec::Health) -> Option<&spec::Located<u32>>, otherwise: u32| {
        written.iter().find_map(|health| member(health)).map_or(otherwise, |count| count.value)
    };
    let settings = health::Settings {
        every: time(|health| health.every.as_ref(), 10),
        timeout: time(|health| health.timeout.as_ref(), 1),
        healthy: count(|health| health.healthy.as_ref(), 2),
        unhealthy: count(|health| health.unhealthy.as_ref(), 3),
    };
    Some(HealthCheck { question, settings })
}

impl From<Rule> for balance::Algorithm {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::LeastLoaded => Self::LeastLoaded,
            Rule::LeastRequests => Self::LeastRequests,
            Rule::RoundRobin => Self::RoundRobin,
            Rule::Random => Self::Random,
        }
    }
}

//! Timeouts must leave time.

use std::time::Duration;

use super::Planner;
use crate::spec::{Action, Composition, FieldBody, Located, Reach, Switch};

impl Planner<'_> {
    /// Refuses timeouts of nothing.
    pub(super) fn check_times(&self) {
        for backend in &self.spec.backends {
            self.check_switch(backend.value.timeout.as_ref(), &backend.path);
            if let Reach::Variants(variants) = &backend.value.reach {
                for variant in &variants.list {
                    self.check_switch(variant.value.timeout.as_ref(), &variant.path);
                }
            }
        }
        for part in &self.spec.parts {
            self.check_steps(&part.value);
        }
        for endpoint in &self.spec.endpoints {
            self.check_timeout(endpoint.value.timeout.as_ref(), &endpoint.path);
            self.check_steps(&endpoint.value.composition);
        }
        for field in &self.spec.graph.fields {
            self.check_timeout(field.value.timeout.as_ref(), &field.path);
            if let FieldBody::Composition(composition) = &field.value.body {
                self.check_steps(composition);
            }
        }
        let gateway = &self.spec.gateway;
        self.check_timeout(gateway.timeout.as_ref(), "gateway");
        self.check_switch(gateway.calls.as_ref().and_then(|calls| calls.timeout.as_ref()), "gateway.calls");
    }

    fn check_steps(&self, composition: &Composition) {
        for step in &composition.steps {
            self.check_switch(step.value.timeout.as_ref(), &step.path);
            if let Action::Compose(inner) = &step.value.action {
                self.check_steps(inner);
            }
        }
    }

    fn check_switch(&self, timeout: Option<&Switch<Located<Duration>>>, path: &str) {
        self.check_timeout(timeout.and_then(Switch::on), path);
    }

    fn check_timeout(&self, timeout: Option<&Located<Duration>>, path: &str) {
        if let Some(timeout) = timeout.filter(|timeout| timeout.value.is_zero()) {
            let message = "a timeout of nothing leaves no time for an answer".to_owned();
            let help = "write a duration such as 300ms".to_owned();
            self.report.error("bad-timeout", (&timeout.place, &format!("{path}.timeout")), message, help);
        }
    }
}

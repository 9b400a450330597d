//! Clients that stay at one of a backend's addresses: by which cookie, and where that cannot be.

use std::collections::HashMap;
use std::sync::Arc;

use super::Planner;
use super::around::{Going, Said};
use super::backends::{BackendFacts, Reached};
use super::unit::{Root, Unit};
use super::variants::Asking;
use crate::base::diagnostic::{Diagnostic, Place};
use crate::plan::Sticky;
use crate::spec::{self, Located, Switch};

impl Planner<'_> {
    /// By which cookie clients stay at one of the addresses of a backend, or of a variant of it.
    pub(super) fn sticky(&self, facts: &BackendFacts<'_>, reached: &Reached<'_>) -> Option<Arc<Sticky>> {
        let written = written(facts, reached)?;
        let mut attributes = String::new();
        if let Some(age) = &written.max_age {
            // Rounded up, because zero would remove it.
            attributes.push_str(&format!("; Max-Age={}", age.value.0.as_millis().div_ceil(1_000)));
        }
        attributes.push_str("; Path=/; HttpOnly; Secure; SameSite=Lax");
        Some(Arc::new(Sticky {
            cookie: written.cookie.value.as_str().into(),
            attributes: attributes.into(),
            of: facts.name_of(reached).into(),
        }))
    }

    /// Checks that a cookie says one thing only: at which address of one backend its client stays.
    pub(super) fn check_sticky(&self) {
        let everywhere = self.spec.gateway.calls.as_ref().and_then(|calls| calls.balance.as_ref());
        if let Some(Switch::On(sticky)) = everywhere.and_then(Switch::on).and_then(|balance| balance.sticky.as_ref()) {
            let message = "one cookie cannot say at which address of every backend a client stays".to_owned();
            let help = "write it at each backend, with a cookie of its own".to_owned();
            self.report.error("misplaced", (&sticky.place, "gateway.calls.balance.sticky"), message, help);
        }
        let mut taken: HashMap<&str, (&Located<String>, String)> = HashMap::new();
        for facts in &self.backends {
            for reached in &facts.reached() {
                let Some(sticky) = written(facts, reached) else { continue };
                let path = format!("{}.balance.sticky.cookie", reached.path);
                match taken.get(sticky.cookie.value.as_str()) {
                    None => drop(taken.insert(&sticky.cookie.value, (&sticky.cookie, facts.name_of(reached)))),
                    Some((first, of)) => self.report.add(already_taken((&sticky.cookie, &path), (&first.place, of))),
                }
            }
        }
        for endpoint in &self.spec.endpoints {
            for cookie in endpoint.value.respond.iter().flat_map(|respond| &respond.cookies) {
                if let Some((first, of)) = taken.get(cookie.name.value.as_str()) {
                    self.report.add(already_taken((&cookie.name, &cookie.path), (&first.place, of)));
                }
            }
        }
    }
}

impl Unit<'_, '_> {
    /// The same for a call, which has to be one whose answer can set a cookie.
    pub(super) fn sticky(
        &self,
        facts: &BackendFacts<'_>,
        reached: &Reached<'_>,
        asking: Asking<'_>,
    ) -> Option<Arc<Sticky>> {
        let sticky = self.planner.sticky(facts, reached)?;
        if let Root::Field { .. } = self.root {
            let message = format!("`{}` keeps clients at an address by a cookie, and a field sets none", facts.name);
            let help = "ask it from an endpoint; or define a backend without `sticky` for the graph".to_owned();
            self.planner.report.error("misplaced", (&asking.backend.place, asking.path), message, help);
        }
        Some(sticky)
    }

    /// Refuses a call whose reply is kept or shared, where clients stay at an address.
    pub(super) fn refuse_to_keep(&self, going: Going<'_>, asking: Asking<'_>) {
        if self.planner.sticky(going.facts, going.reached).is_some() {
            let message =
                "a reply that is kept or shared may come from any address, and clients of this backend stay at one";
            let help = "write `cache: none`, or leave `coalesce` out; or leave out the backend's `sticky`";
            let at = (&asking.backend.place, asking.path);
            self.planner.report.error("misplaced", at, message.to_owned(), help.to_owned());
        }
    }
}

/// What the nearest says.
fn written<'s>(facts: &BackendFacts<'s>, reached: &Reached<'s>) -> Option<&'s spec::Sticky> {
    let variant = reached.variant.and_then(|variant| variant.value.balance.as_ref());
    Said::of([variant, facts.spec.balance.as_ref()])?.member(|balance| balance.sticky.as_ref()).and_then(Switch::on)
}

fn already_taken((cookie, path): (&Located<String>, &str), (first, of): (&Place, &str)) -> Diagnostic {
    let message = format!("the cookie `{}` says already at which address of `{of}` a client stays", cookie.value);
    Diagnostic::error("name-taken", cookie.place.clone(), path, message)
        .help("take another name; of several variants each needs its own")
        .related(first.clone(), "here")
}

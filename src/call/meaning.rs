//! What makes replies worth the same in whatever process they were fetched: for keys that replicas share.
//!
//! Numbers of this process stand for the same in its own keys (`shared`); here digests do, of everything that those numbers
//! stand for.

use crate::base::id::{BackendId, KeepingId};
use crate::plan::{Address, Backend, Keeping, Plan};
use crate::policy::cache::Key;
use crate::store::{Digest, Name, digest};

/// Bytes at the beginning of a key for what has another number in each process.
pub(super) const NUMBERS: usize = 16;

/// What stands for backends and rules in names.
#[derive(Debug, Default)]
pub(super) struct Meanings {
    /// By `BackendId`.
    backends: Vec<Digest>,
    /// By `KeepingId`.
    rules: Vec<Digest>,
}

impl Meanings {
    /// Of a plan; of none where nothing is shared.
    pub(super) fn of(plan: &Plan) -> Self {
        if plan.gateway.store.is_none() {
            return Self::default();
        }
        Self {
            backends: plan.backends.iter().map(of_backend).collect(),
            rules: plan.around.keeping.iter().map(|rule| of_rule(rule, plan.contracts)).collect(),
        }
    }

    /// The name of the reply to a call to `backend` by `rule` that has this key.
    pub(super) fn name(&self, (backend, rule): (BackendId, KeepingId), key: &Key) -> Name {
        let meaning = [&self.backends[backend.index()], &self.rules[rule.index()]];
        Name::new(meaning, key.as_ref().get(NUMBERS..).unwrap_or_default())
    }
}

/// A backend is the same wherever it has the same name and addresses, and sees the same certificate of the gateway.
fn of_backend(backend: &Backend) -> Digest {
    let Backend { name, variant, addresses, discover, protocol, .. } = backend;
    let mut reached: Vec<String> = addresses.iter().map(of_address).collect();
    // In whatever order they are written.
    reached.sort_unstable();
    let found = discover.as_ref().map(|discover| (&discover.directory, of_address(&discover.pattern)));
    digest([format!("{name} {variant:?} {protocol:?} {reached:?} {found:?}").as_bytes()])
}

fn of_address(address: &Address) -> String {
    let shown = address.tls.as_ref().and_then(|tls| tls.origin.shown.as_ref());
    let shown = shown.map(|(chain, _)| digest(chain.iter().map(|certificate| certificate.as_ref())));
    format!("{address}{} as {} {shown:?}", address.prefix, address.authority)
}

/// A rule is the same where it says the same, and contracts and protos do. Versions of the gateway may read replies
/// otherwise.
fn of_rule(rule: &Keeping, contracts: u64) -> Digest {
    let whom = format!("{:?}", rule.whom);
    let parts = [env!("CARGO_PKG_VERSION").as_bytes(), &contracts.to_le_bytes(), whom.as_bytes()];
    digest(parts.into_iter().chain([rule.portrait.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::build;
    use crate::spec::{Asked, read_texts};

    fn name(store: &str, composition: &str) -> Option<Name> {
        let text = format!("gateway: {{ {store} }}\n{composition}");
        let look_up = |_: Asked<'_>| Ok(None);
        let reading = read_texts(&[("compositions/a.yaml", &text)], &look_up);
        let plan = build(&reading, (&look_up, &|_| Vec::new())).map(|(plan, _)| plan).expect("the project is right");
        let meanings = Meanings::of(&plan);
        let backend = plan.backends.len().checked_sub(1).map(BackendId::from)?;
        (!meanings.rules.is_empty()).then(|| meanings.name((backend, KeepingId(0)), &Key::new(vec![7; 40])))
    }

    const STORE: &str = "store: redis://a.test";

    fn project(address: &str, cache: &str) -> String {
        format!(
            "backends: {{ a: {{ rest: {address} }} }}\nendpoints: {{ GET /a: {{ steps: \
             {{ s: {{ backend: a, get: /n, cache: {cache} }} }}, result: \"${{s}}\" }} }}\n"
        )
    }

    #[test]
    fn names_are_the_same_in_every_process_that_means_the_same() {
        let here = project("http://a.test", "1m");
        let there = here.replace("/a:", "/b:").replace("{ s:", "{ t:").replace("${s}", "${t}");
        assert!(name(STORE, &here).is_some());
        assert_eq!(name(STORE, &here), name(STORE, &there));
        let more = here.replace("{ a: {", "{ b: { rest: http://b.test }, a: {");
        assert_eq!(name(STORE, &here), name(STORE, &more), "numbers of this process are no part of it");
    }

    #[test]
    fn what_means_something_else_has_another_name() {
        let here = name(STORE, &project("http://a.test", "1m"));
        for other in [
            project("http://b.test", "1m"),
            project("http://a.test/v2", "1m"),
            project("[http://a.test, http://b.test]", "1m"),
            project("http://a.test", "2m"),
            project("http://a.test", "{ ttl: 1m, scope: caller }"),
            project("http://a.test", "1m, fail: { when: \"${reply.x == 1}\" }"),
        ] {
            assert_ne!(name(STORE, &other), here, "{other}");
        }
    }

    #[test]
    fn without_a_store_nothing_is_computed() {
        assert_eq!(name("listen: 127.0.0.1:0", &project("http://a.test", "1m")), None);
    }
}

//! Which backends of a plan are those of the plan before it.
//!
//! What a backend has built up while it ran (connections, turns, counts) belongs to it for as long as it stays the same:
//! its name, its variant, what it speaks, and everything about how it is reached. Whoever keeps something for each
//! backend hands it on by this one rule.

use super::{Backend, Plan};
use crate::base::id::BackendId;

/// For each backend of a plan the one of the plan before it that is the same, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Succession {
    /// By the new plan's `BackendId`.
    predecessors: Box<[Option<BackendId>]>,
    /// Whether contracts and protos are what they were, so that kept replies still mean the same.
    is_promised_alike: bool,
}

impl Succession {
    /// Of a plan that follows on none.
    pub fn first(plan: &Plan) -> Self {
        Self { predecessors: vec![None; plan.backends.len()].into(), is_promised_alike: false }
    }

    /// Of a plan that follows on another.
    pub fn between(previous: &Plan, next: &Plan) -> Self {
        let predecessor = |backend: &Backend| {
            let same = previous.backends.iter().position(|known| known.is_same(backend));
            same.map(BackendId::from)
        };
        let is_promised_alike = previous.contracts == next.contracts;
        Self { predecessors: next.backends.iter().map(predecessor).collect(), is_promised_alike }
    }

    /// The same backend in the plan before, if there was one.
    pub fn predecessor(&self, backend: BackendId) -> Option<BackendId> {
        self.predecessors.get(backend.index()).copied().flatten()
    }

    /// Whether contracts and protos are what they were, so that kept replies still mean the same.
    pub fn is_promised_alike(&self) -> bool {
        self.is_promised_alike
    }

    /// One thing for each backend of the new plan: what its predecessor has in `previous`, else a new one. Things that
    /// are shared, such as `Arc`s, are taken over as they are.
    pub fn carry<T: Clone>(&self, previous: &[T], mut new: impl FnMut(BackendId) -> T) -> Vec<T> {
        let carried = |id: BackendId| previous.get(self.predecessor(id)?.index()).cloned();
        (0..self.predecessors.len()).map(BackendId::from).map(|id| carried(id).unwrap_or_else(|| new(id))).collect()
    }
}

impl Backend {
    /// Whether calls reach this backend as they reach the other: under one name, over the same protocol, at the same
    /// addresses in the same order, chosen in the same way, with the same certificates.
    pub fn is_same(&self, other: &Self) -> bool {
        let Self {
            name,
            variant,
            addresses,
            balance,
            discover,
            protocol,
            is_described: _,
            is_reflected: _,
            max_reply: _,
        } = self;
        (name, variant, addresses, balance, discover, protocol)
            == (&other.name, &other.variant, &other.addresses, &other.balance, &other.discover, &other.protocol)
    }
}

#[cfg(test)]
mod tests {
    use super::Succession;
    use crate::base::id::BackendId;
    use crate::plan::{Plan, build};
    use crate::spec::{Asked, read_texts};

    fn plan(backends: &str) -> Plan {
        let text = format!("backends: {{ {backends} }}\nendpoints: {{ GET /one: {{ result: 1 }} }}\n");
        let look_up = |_: Asked<'_>| Ok(None);
        let reading = read_texts(&[("compositions/a.yaml", &text)], &look_up);
        build(&reading, (&look_up, &|_| Vec::new())).map(|(plan, _)| plan).expect("the project is right")
    }

    #[test]
    fn a_backend_is_the_same_wherever_it_stands() {
        let before = plan("a: { rest: http://a.test }, b: { rest: http://b.test }");
        let after = plan("new: { rest: http://n.test }, b: { rest: http://b.test, max_reply: 1KiB, timeout: 1s }");
        let succession = Succession::between(&before, &after);
        assert_eq!(succession.predecessor(BackendId(0)), None);
        assert_eq!(succession.predecessor(BackendId(1)), Some(BackendId(1)));
        assert_eq!(succession.carry(&["a", "b"], |_| "begun"), ["begun", "b"]);
    }

    #[test]
    fn a_backend_that_is_reached_otherwise_is_another() {
        let before = plan("a: { rest: http://a.test }");
        for other in [
            "b: { rest: http://a.test }",
            "a: { rest: http://a.test:81 }",
            "a: { rest: http://a.test/v2 }",
            "a: { rest: [http://a.test, http://b.test] }",
            "a: { variants: { one: { rest: http://a.test } }, choose: one }",
        ] {
            assert_eq!(Succession::between(&before, &plan(other)).predecessor(BackendId(0)), None, "{other}");
        }
    }

    #[test]
    fn variants_are_told_apart_by_their_names() {
        let both = |one: &str, two: &str| {
            plan(&format!(
                "a: {{ choose: blue, variants: {{ {one}: {{ rest: http://x.test }}, {two}: {{ rest: http://y.test }} }} }}"
            ))
        };
        let succession = Succession::between(&both("blue", "green"), &both("blue", "grey"));
        assert_eq!(succession.predecessor(BackendId(0)), Some(BackendId(0)));
        assert_eq!(succession.predecessor(BackendId(1)), None);
    }

    #[test]
    fn a_first_plan_begins_everything() {
        assert_eq!(Succession::first(&plan("a: { rest: http://a.test }")).carry(&[], |id| id.0), [0]);
    }
}

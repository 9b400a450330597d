//! Costs in words, and the bounds in them that nobody wrote.

use super::super::model::{self, BackendCost, DefaultBound};
use super::{Describer, Whole, duration_text};
use crate::plan::analysis::{Calls, Cost, Runs, rounds};
use crate::plan::{Action, Proxy, TimeoutBy};

impl Describer<'_, '_> {
    /// What an answer can cost.
    pub(super) fn cost(&self, cost: &Cost) -> model::Cost {
        let backend = |((id, calls), sum): (&(_, Calls), &crate::plan::analysis::Sum)| BackendCost {
            backend: self.backend(*id),
            calls: calls.clone(),
            sum: Some(sum.to_string()).filter(|_| !sum.is_number() && calls.fixed > 0),
        };
        let links = cost.chain.links.iter();
        model::Cost {
            backends: cost.calls.iter().zip(&cost.sums).map(backend).collect(),
            together: cost.total(),
            depth: cost.chain.calls,
            chain: links.filter_map(|link| Some((self.blocks.position(link.step)?, link.times))).collect(),
            defaults: self.defaults(),
        }
    }

    /// The bounds in these numbers that nobody wrote, each once.
    fn defaults(&self) -> Vec<DefaultBound> {
        let mut found = of_parents(&self.whole);
        for entry in &self.blocks.entries {
            let steps = [entry.outer, entry.inner.filter(|inner| Some(*inner) != entry.outer)];
            for at in steps.into_iter().flatten() {
                match &self.flow.step(at).action {
                    Action::Each(each) => {
                        let of = || entry.way.clone();
                        if each.unwritten.max {
                            found.push(DefaultBound {
                                of: of(),
                                key: "max",
                                text: format!("{} items at most", each.max),
                            });
                        }
                        if each.unwritten.parallel && rounds(each) > 1 {
                            let text = format!("{} at a time", each.parallel);
                            found.push(DefaultBound { of: of(), key: "parallel", text });
                        }
                    }
                    Action::Call(call) => {
                        if let Some(batch) = call.batch.as_ref().filter(|batch| batch.max_unwritten) {
                            let text = format!("{} keys in one call", batch.max);
                            found.push(DefaultBound { of: entry.way.clone(), key: "batch.max", text });
                        }
                        let targets = call.targets.list.iter().filter(|_| self.flow.step(at).timeout.is_none());
                        let unsaid = targets.filter(|target| target.timeout_by == TimeoutBy::Default);
                        for timeout in unsaid.filter_map(|target| target.timeout) {
                            let text = format!("{} for each call", duration_text(timeout));
                            found.push(DefaultBound { of: self.backend(call.backend), key: "timeout", text });
                        }
                    }
                    Action::Group(_) => {}
                }
            }
        }
        let mut once: Vec<DefaultBound> = Vec::new();
        found.into_iter().for_each(|bound| {
            if !once.contains(&bound) {
                once.push(bound);
            }
        });
        once
    }
}

/// What passing a request through costs.
pub(super) fn of_proxy(whole: &Whole<'_>, proxy: &Proxy) -> model::Cost {
    let calls = Calls { fixed: 1, ..Calls::default() };
    let backend = whole.plan.backends[proxy.targets.list[0].backend.index()].name.to_string();
    let backends = vec![BackendCost { backend, calls: calls.clone(), sum: None }];
    model::Cost { backends, together: calls, depth: 1, ..model::Cost::default() }
}

/// The bounds of a field's parents that nobody wrote.
fn of_parents(whole: &Whole<'_>) -> Vec<DefaultBound> {
    let Runs::ForEachParent { parallel, max } = whole.runs else { return Vec::new() };
    let bound = |key, text| DefaultBound { of: "parents".to_owned(), key, text };
    let most = whole.unwritten.max.then(|| bound("max", format!("{max} at most")));
    let pace = whole.unwritten.parallel.then(|| bound("parallel", format!("{parallel} at a time")));
    most.into_iter().chain(pace).collect()
}

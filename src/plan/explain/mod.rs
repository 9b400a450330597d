//! Plans as text for people: what an endpoint or a field of the graph does, step by step.
//!
//! ```text
//! composition ─▶ Flow (who asks for whom) ─▶ Schedule (what starts when), Cost (calls at most),
//!                                            Inputs (what of the request each call depends on) ─▶ text
//! ```
//!
//! The analyses know nothing of the text, and the text decides nothing.

mod call;
mod expression;
mod heading;
mod layout;
mod naming;
mod print;
mod selection;
mod steps;
#[cfg(test)]
mod tests;

use std::time::Duration;

use print::{Subject, sections};

use super::analysis::{Flow, Runs};
use super::{Answer, BodyForm, Composed, Endpoint, Field, Plan, Proxy, Queried, Scope};

/// The time within which a field is answered where there is no graph: none is set.
const NO_LIMIT: Duration = Duration::MAX;

/// What an endpoint does: what it takes, which call waits for which, what it costs its backends at
/// most, and what of the request each call depends on. Text for a terminal of 100 columns.
pub fn explain_endpoint(plan: &Plan, endpoint: &Endpoint) -> String {
    match &endpoint.answer {
        Answer::Compose(composed) => explain_composed(plan, endpoint, composed),
        Answer::Query(queried) => explain_query(plan, endpoint, queried),
        Answer::Proxy(proxy) => explain_proxy(plan, endpoint, proxy),
    }
}

/// The same for a field of the graph that a composition answers.
pub fn explain_field(plan: &Plan, field: &Field) -> String {
    let composition = &field.composition;
    let flow = Flow::new(&composition.sources, &composition.scope, &composition.result.needs);
    let runs = Runs::of_field(plan, field);
    let subject = Subject {
        args: &[],
        timeout: plan.graph.as_ref().map_or(NO_LIMIT, |graph| graph.timeout),
        runs,
        result: Some(&composition.result.node),
    };
    heading::field(plan, field, runs) + &sections(plan, &flow, subject)
}

fn explain_composed(plan: &Plan, endpoint: &Endpoint, composed: &Composed) -> String {
    let composition = &composed.composition;
    let flow = Flow::new(&composition.sources, &composition.scope, &composed.needs);
    let subject = Subject {
        args: &endpoint.args,
        timeout: endpoint.timeout,
        runs: Runs::Once,
        result: (composed.respond.body != BodyForm::None).then_some(&composition.result.node),
    };
    heading::composed(plan, (endpoint, &composed.respond), &flow) + &sections(plan, &flow, subject)
}

fn explain_query(plan: &Plan, endpoint: &Endpoint, queried: &Queried) -> String {
    let scope = Scope { depth: 0, steps: Box::default(), always: Box::default() };
    let flow = Flow::new(&queried.sources, &scope, &[]);
    let head = heading::composed(plan, (endpoint, &queried.respond), &flow);
    head + &selection::section(plan, &queried.operation)
}

fn explain_proxy(plan: &Plan, endpoint: &Endpoint, proxy: &Proxy) -> String {
    let scope = Scope { depth: 0, steps: Box::default(), always: Box::default() };
    heading::proxy(plan, (endpoint, proxy), &Flow::new(&proxy.sources, &scope, &[]))
}

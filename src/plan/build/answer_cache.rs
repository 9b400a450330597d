//! `cache` of an endpoint: how long clients may keep its answers, and whose they are.

use std::collections::BTreeSet;
use std::time::Duration;

use http::header::{CACHE_CONTROL, ETAG};
use http::{HeaderName, HeaderValue};

use super::Planner;
use crate::base::diagnostic::Place;
use crate::base::id::FieldId;
use crate::expr::Node;
use crate::plan::analysis::{Declared, Flow, Input, Reader};
use crate::plan::operation::{Answers, PlannedSelection};
use crate::plan::{self, Answer, AnswerCache, ArgSource, BodyForm, Composed, Endpoint, Field, Pair, Respond};
use crate::spec::{self, Located, Named, Period, Sharing, Switch};

impl Planner<'_> {
    /// What clients may keep of an endpoint's answers.
    pub(super) fn answer_cache(
        &self,
        named: &Named<spec::Endpoint>,
        endpoint: &Endpoint,
        fields: &[Field],
    ) -> Option<Box<AnswerCache>> {
        let Some(Switch::On(written)) = &named.value.cache else { return None };
        let path = format!("{}.cache", named.path);
        let refuse = |place: &Place, message: &str, help: &str| {
            self.report.error("misplaced", (place, &path), message.to_owned(), help.to_owned());
        };
        let respond = match &endpoint.answer {
            Answer::Proxy(_) => {
                let help =
                    "write `proxy: { cache: http }` to keep it here as it says; clients hear what the backend says";
                refuse(&written.place, "what a proxy passes on says itself for how long it may be kept", help);
                return None;
            }
            Answer::Compose(composed) => &composed.respond,
            Answer::Query(queried) => &queried.respond,
        };
        if endpoint.answer.writes() {
            refuse(&written.place, "this endpoint writes, and what a write answers is not kept", "leave it out");
        }
        let is_tagged = written.etag.as_ref().is_none_or(|etag| etag.value);
        let own = [Some(CACHE_CONTROL), is_tagged.then_some(ETAG)];
        for name in own.into_iter().flatten().filter(|name| says(respond, name)) {
            let message = format!("`respond` says `{name}` as well, and so would this");
            refuse(&written.place, &message, "leave one of them out");
        }
        let vary: Vec<&str> = written.vary.iter().map(|name| &*name.value.0).collect();
        let is_somebodys = !respond.cookies.is_empty() || is_somebodys(endpoint, fields, &vary);
        let scope = match written.scope.as_ref().map(|scope| (scope, scope.value)) {
            Some((scope, Sharing::Public)) if !respond.cookies.is_empty() => {
                refuse(&scope.place, "an answer that sets cookies is its caller's", "write `scope: caller`");
                "private"
            }
            Some((_, Sharing::Public)) => "public",
            Some((_, Sharing::Caller)) => "private",
            None if is_somebodys => "private",
            None => "public",
        };
        let mut control = format!("{scope}, max-age={}", self.seconds(&written.ttl, &format!("{path}.ttl")));
        let further =
            [("stale-while-revalidate", "stale", &written.stale), ("stale-if-error", "on_error", &written.on_error)];
        for (directive, key, period) in further {
            if let Some(period) = period {
                control += &format!(", {directive}={}", self.seconds(period, &format!("{path}.{key}")));
            }
        }
        let names = std::iter::once("accept-encoding").chain(vary.iter().copied());
        let vary = names.collect::<Vec<_>>().join(", ");
        let (control, vary) = (HeaderValue::from_str(&control).ok()?, HeaderValue::from_str(&vary).ok()?);
        Some(Box::new(AnswerCache { control, vary, is_tagged }))
    }

    /// Whole seconds, which is what HTTP counts in.
    fn seconds(&self, period: &Located<Period>, path: &str) -> u64 {
        let time: Duration = period.value.0;
        if time.subsec_nanos() != 0 {
            let message = "HTTP counts this in whole seconds".to_owned();
            self.report.error("wrong-type", (&period.place, path), message, "write it as in `30s`".to_owned());
        }
        time.as_secs()
    }
}

/// Whether the answer says this header field itself.
fn says(respond: &Respond, wanted: &HeaderName) -> bool {
    respond.headers.iter().any(|pair| matches!(pair, Pair::One(name, _) if name == wanted))
}

/// Whether something of the caller is in an answer, beside the header fields that `vary` names.
fn is_somebodys(endpoint: &Endpoint, fields: &[Field], vary: &[&str]) -> bool {
    let is_named = |input: &Input| match input {
        Input::Header(Some(header)) => vary.contains(&&**header),
        _ => false,
    };
    let inputs = match &endpoint.answer {
        Answer::Compose(composed) => of_composed(endpoint, composed),
        Answer::Query(queried) => of_query(endpoint, (&queried.operation.selection, &queried.respond), fields),
        Answer::Proxy(_) => BTreeSet::new(),
    };
    inputs.iter().any(|input| input.tells_callers_apart() && !is_named(input))
}

fn of_composed(endpoint: &Endpoint, composed: &Composed) -> BTreeSet<Input> {
    let composition = &composed.composition;
    let flow = Flow::new(&composition.sources, &composition.scope, &composed.needs);
    let mut nodes = of_respond(&composed.respond);
    if composed.respond.body != BodyForm::None {
        nodes.push(&composition.result.node);
    }
    Reader::new(&flow, Declared::of(endpoint)).of_answer(&nodes)
}

/// What the answer to a query depends on: what its fields do, and the arguments that are its variables.
fn of_query(
    endpoint: &Endpoint,
    (selection, respond): (&PlannedSelection, &Respond),
    fields: &[Field],
) -> BTreeSet<Input> {
    let of_args = endpoint.args.iter().filter_map(|arg| match &arg.source {
        ArgSource::Header(name) => Some(Input::Header(Some(name.as_str().into()))),
        ArgSource::Cookie(name) => Some(Input::Cookie(Some(name.clone()))),
        _ => None,
    });
    let mut found: BTreeSet<Input> = of_args.collect();
    if !of_respond(respond).is_empty() {
        // Its expressions read the request alone; which part of it is not looked for.
        found.insert(Input::Header(None));
    }
    let mut ids = BTreeSet::new();
    bound(selection, &mut ids);
    for id in ids {
        let composition = &fields[id.index()].composition;
        let flow = Flow::new(&composition.sources, &composition.scope, &composition.result.needs);
        found.extend(Reader::new(&flow, Declared::default()).of_answer(&[&composition.result.node]));
    }
    found
}

/// The fields that a selection runs.
fn bound(selection: &PlannedSelection, ids: &mut BTreeSet<FieldId>) {
    for field in &selection.fields {
        if let Answers::Bound { field, .. } | Answers::Expression(field) = &field.answers {
            ids.insert(*field);
        }
        bound(&field.selection, ids);
    }
}

/// The programs of header fields and cookies.
fn of_respond(respond: &Respond) -> Vec<&Node> {
    let cookies = respond.cookies.iter().flat_map(plan::Cookie::programs).map(|program| &program.node);
    respond.headers.iter().map(Pair::node).chain(cookies).filter(|node| !matches!(node, Node::Const(_))).collect()
}

//! How the replies to calls are kept and shared: whom each may serve is decided here, once the whole composition is
//! known, and never while it runs.
//!
//! **Invariant:** no call that depends on a credential of the client (`authorization`, cookies) is shared among callers
//! unless an expression that reads the credential tells them apart; and whatever a call carries is in its key.

use http::{HeaderName, Method};

use super::Planner;
use super::around::{Going, Said};
use super::backends::BackendFacts;
use super::names::{Names, Wide};
use super::unit::Unit;
use super::variants::Asking;
use crate::base::call::Expect;
use crate::base::diagnostic::Place;
use crate::base::id::KeepingId;
use crate::expr::{Node, Scope, Var};
use crate::plan::analysis::{Declared, Flow, Inputs, Reader, Sharing};
use crate::plan::{
    Action, Answer, Call, Composition, Content, Endpoint, Field, Keeping, Kept, Need, Request, Source, Target, Whom,
};
use crate::policy::cache;
use crate::spec::{self, WordOr};

/// The calls whose replies are kept or shared, in the order of the plan's table.
#[derive(Debug, Default)]
pub(super) struct Collected {
    keeping: Vec<Keeping>,
    sites: Vec<Site>,
}

/// What is written about whom a reply may serve, and where.
#[derive(Debug)]
struct Site {
    said: Option<(SaidScope, Place)>,
    path: Box<str>,
    backend: Box<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SaidScope {
    Everyone,
    Caller,
    Expression,
}

impl SaidScope {
    fn of(scope: &WordOr<spec::Sharing>) -> (Self, Place) {
        match scope {
            WordOr::Word(word) if word.value == spec::Sharing::Public => (Self::Everyone, word.place.clone()),
            WordOr::Word(word) => (Self::Caller, word.place.clone()),
            WordOr::Expression(scalar) => (Self::Expression, scalar.place.clone()),
        }
    }
}

impl Collected {
    /// The plan's table.
    pub(super) fn into_table(self) -> Vec<Keeping> {
        self.keeping
    }
}

impl Unit<'_, '_> {
    /// Says of every place that a call may go to how its reply is kept. A repeated call asks for something that changes,
    /// and an upload is there once: neither is kept.
    pub(super) fn keep(
        &self,
        call: &mut Call,
        (facts, asking): (&BackendFacts<'_>, Asking<'_>),
        names: &Names<'_, '_>,
    ) {
        if !asking.made.reads || call.repeat.is_some() || has_upload(&call.request) {
            return;
        }
        let reached = facts.reached();
        let kept: Vec<Option<Kept>> = call
            .targets
            .list
            .iter()
            .map(|target| {
                let reached = reached.get(target.backend.index() - facts.first.index())?;
                let going = Going { facts, backend: target.backend, reached, timeout: None };
                self.kept((call, target), (asking, going), names)
            })
            .collect();
        for (target, kept) in call.targets.list.iter_mut().zip(kept) {
            target.kept = kept.map(Box::new);
        }
    }

    fn kept(
        &self,
        (call, target): (&Call, &Target),
        (asking, going): (Asking<'_>, Going<'_>),
        names: &Names<'_, '_>,
    ) -> Option<Kept> {
        let planner = self.planner;
        let layers = planner.layers_of(asking.made, going);
        let said = Said::of(layers.map(|layer| layer?.cache.as_ref()));
        let coalesces = layers.iter().flatten().find_map(|layer| layer.coalesce.as_ref()).is_some_and(|it| it.value);
        if said.is_none() && !coalesces {
            return None;
        }
        self.refuse_to_keep(going, asking);
        let wide = Wide { unit: self, reply: None, user: asking.path };
        let scope = said.as_ref().and_then(|said| said.nearest(|cache| cache.scope.as_ref()));
        let tags =
            said.as_ref().and_then(|said| said.nearest(|cache| Some(&cache.tags).filter(|tags| !tags.is_empty())));
        let vary =
            said.as_ref().and_then(|said| said.nearest(|cache| Some(&cache.vary).filter(|vary| !vary.is_empty())));
        let seen = |distance: usize| -> &dyn Scope { if distance == 0 { names } else { &wide } };
        let path = format!("{}.cache", asking.path);
        let compiled = |scalar: &spec::Scalar, distance: usize, key: &str| {
            planner.scalar(scalar, seen(distance), &format!("{path}.{key}")).node
        };
        let (portrait, reads) = self.portrait(call);
        let cache = said.as_ref().and_then(|said| self.rule(said, (call, &path)));
        if cache.is_none() && !coalesces {
            return None;
        }
        if cache == Some(cache::Rule::Said) {
            planner.self_telling.borrow_mut().insert(target.backend);
        }
        let keeping = Keeping {
            cache,
            expect: expect(call),
            // Until the composition is known nobody is served.
            whom: Whom::Nobody,
            portrait: format!("{cache:?} {portrait}").into(),
        };
        let said = scope.map(|(_, scope)| SaidScope::of(scope));
        let site = Site { said, path: path.as_str().into(), backend: going.facts.name.into() };
        debug_assert_eq!(target.backend, going.backend);
        let mut collected = planner.keeping.borrow_mut();
        collected.keeping.push(keeping);
        collected.sites.push(site);
        Some(Kept {
            rule: KeepingId::from(collected.keeping.len() - 1),
            scope: scope.and_then(|(distance, scope)| match scope {
                WordOr::Word(_) => None,
                WordOr::Expression(scalar) => Some(compiled(scalar, distance, "scope")),
            }),
            vary: vary.map(|(_, names)| names.iter().filter_map(field_name).collect()).unwrap_or_default(),
            tags: tags
                .map(|(distance, tags)| tags.iter().map(|tag| compiled(tag, distance, "tags")).collect())
                .unwrap_or_default(),
            reads,
        })
    }

    /// By what the reply to a call is kept. Only what a GET of its own gives says for how long it may be.
    fn rule(&self, said: &Said<'_, spec::Cache>, (call, path): (&Call, &str)) -> Option<cache::Rule> {
        let (distance, ttl) = said.nearest(|cache| Some(&cache.ttl))?;
        let ttl = match ttl.value {
            spec::Lasting::For(ttl) => ttl,
            spec::Lasting::AsSaid => {
                let is_get = matches!(&call.request, Request::Rest { method, .. } if *method == Method::GET);
                if is_get && call.batch.is_none() {
                    return Some(cache::Rule::Said);
                }
                if distance == 0 {
                    let message = "only the reply to a GET that is no batch says for how long it may be kept";
                    let help = "write how long it is fresh, as in `cache: 30s`".to_owned();
                    self.planner.report.error("misplaced-key", (&ttl.place, path), message.to_owned(), help);
                }
                return None;
            }
        };
        Some(cache::Rule::Written(cache::Settings {
            ttl,
            stale: said.time(|cache| cache.stale.as_ref()).unwrap_or_default(),
            on_error: said.time(|cache| cache.on_error.as_ref()).unwrap_or_default(),
            negative: said.time(|cache| cache.negative.as_ref()),
        }))
    }

    /// Everything about a call that decides what its reply is worth, as text: equal texts mean the same in whatever
    /// composition and plan they stand. With it, what its rules read that is no part of the reply.
    fn portrait(&self, call: &Call) -> (String, Box<[Var]>) {
        let sources = self.sources();
        let asked = match &call.request {
            Request::Rest { operation, .. } => {
                let operations = self.planner.operations.borrow();
                let operation = operation.and_then(|id| operations.get(id.index()));
                operation.map_or_else(String::new, |operation| operation.name.clone())
            }
            Request::Grpc { method, .. } => {
                let methods = self.planner.methods.borrow();
                let rpc = methods.get(method.index()).map(|rpc| rpc.path.as_str().to_owned());
                rpc.unwrap_or_default()
            }
        };
        let rules = call.guards().iter().map(|guard| &guard.when);
        let rows = call.batch.iter().flat_map(|batch| [&batch.from, &batch.by]);
        let mut known: Vec<Var> = Vec::new();
        let mut text = format!("{asked} {:?} {}", expect(call), call.batch.is_some());
        for node in rules.chain(rows) {
            node.vars(&mut |var| {
                if !is_of_reply(sources.get(var.0 as usize)) && !known.contains(&var) {
                    known.push(var);
                }
            });
            let name = |var: Var| match known.iter().position(|known| *known == var) {
                Some(position) => format!("#{position}"),
                None => format!("{:?}", sources.get(var.0 as usize)),
            };
            text.push('\n');
            push_named(&format!("{node:?}"), name, &mut text);
        }
        (text, known.into())
    }
}

impl Planner<'_> {
    /// Decides whom the reply to each call may serve, by what of the request it depends on.
    pub(super) fn settle_keeping(&self, endpoints: &[Endpoint], fields: &[Field]) {
        for endpoint in endpoints {
            if let Answer::Compose(composed) = &endpoint.answer {
                self.settle_composition(&composed.composition, &composed.needs, Declared::of(endpoint));
            }
        }
        for field in fields {
            self.settle_composition(&field.composition, &field.composition.result.needs, Declared::default());
        }
    }

    fn settle_composition(&self, composition: &Composition, needs: &[Need], args: Declared<'_>) {
        let flow = Flow::new(&composition.sources, &composition.scope, needs);
        let reader = Reader::new(&flow, args);
        for at in flow.all() {
            let Action::Call(call) = &flow.step(at).action else { continue };
            if call.targets.list.iter().all(|target| target.kept.is_none()) {
                continue;
            }
            let inputs = reader.of_call(at, call);
            for kept in call.targets.list.iter().filter_map(|target| target.kept.as_deref()) {
                let scope = kept.scope.as_ref().map(|scope| reader.of_program(at, scope));
                self.settle(kept.rule, &inputs, scope.as_ref());
            }
        }
    }

    fn settle(&self, rule: KeepingId, inputs: &Inputs, scope: Option<&Inputs>) {
        let mut collected = self.keeping.borrow_mut();
        let Collected { keeping, sites } = &mut *collected;
        let (keeping, site) = (&mut keeping[rule.index()], &sites[rule.index()]);
        let credential = inputs.all().into_iter().find(|input| input.is_credential());
        let complain = |place: &Place, message: String, help: String| {
            self.report.error("shared-credential", (place, &format!("{}.scope", site.path)), message, help);
        };
        keeping.whom = match (&site.said, inputs.sharing()) {
            (_, Sharing::Nobody) => Whom::Nobody,
            (Some((SaidScope::Everyone, place)), _) => {
                if let Some(input) = credential {
                    let message = format!(
                        "the call to `{}` depends on the client's {input}: its reply is not for everybody",
                        site.backend
                    );
                    let help = "leave `scope` out: the reply is kept for the caller who asked".to_owned();
                    complain(place, message, help);
                }
                Whom::Everyone
            }
            (Some((SaidScope::Expression, place)), _) => {
                let tells = scope.is_some_and(|scope| scope.all().into_iter().any(|input| input.is_credential()));
                if let Some(input) = credential.filter(|_| !tells) {
                    let message = format!(
                        "the call to `{}` depends on the client's {input}, and this says nothing of who asks",
                        site.backend
                    );
                    let help =
                        "mention the credential, or a step whose reply depends on it; or write `caller`".to_owned();
                    complain(place, message, help);
                }
                Whom::Alike
            }
            (Some((SaidScope::Caller, _)), _) => Whom::Caller,
            (None, Sharing::Everyone | Sharing::Alike) => Whom::Everyone,
            (None, Sharing::Private) if keeping.cache.is_some() => Whom::Caller,
            (None, Sharing::Private) => Whom::Nobody,
        };
    }
}

fn expect(call: &Call) -> Expect {
    match &call.request {
        Request::Rest { expect, .. } => expect.clone(),
        Request::Grpc { .. } => Expect::Success,
    }
}

fn field_name(name: &spec::Located<spec::FieldName>) -> Option<HeaderName> {
    HeaderName::from_bytes(name.value.0.as_bytes()).ok()
}

fn has_upload(request: &Request) -> bool {
    let Request::Rest { body: Some(body), .. } = request else { return false };
    body.contents().into_iter().any(|content| matches!(content, Content::Upload(_)))
}

/// Whether a variable reads the reply that is judged, or a part of it.
fn is_of_reply(source: Option<&Source>) -> bool {
    use Source::{Keys, Reply, ReplyHeaders, ReplyStatus, Row, RowIndex};
    matches!(source, Some(Reply | ReplyStatus | ReplyHeaders | Row | RowIndex | Keys))
}

/// Appends the text of a program, with a name in place of the number of each variable: numbers differ between
/// compositions. What stands in quotes is left as it is.
fn push_named(program: &str, name: impl Fn(Var) -> String, text: &mut String) {
    let (mut rest, mut quoted) = (program, false);
    while let Some(next) = rest.chars().next() {
        if !quoted
            && let Some((number, behind)) = rest.strip_prefix("Var(").and_then(|rest| rest.split_once(')'))
            && let Ok(number) = number.parse()
        {
            text.push_str(&name(Var(number)));
            rest = behind;
            continue;
        }
        let length = if quoted && next == '\\' { 2 } else { 1 };
        quoted ^= next == '"';
        let taken: usize = rest.chars().take(length).map(char::len_utf8).sum();
        text.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
}

/// The programs of [`Call::invalidates`].
pub(super) fn invalidated(
    planner: &Planner<'_>,
    step: &spec::Step,
    (names, path): (&Names<'_, '_>, &str),
) -> Box<[Node]> {
    let path = format!("{path}.invalidates");
    step.invalidates.iter().map(|tag| planner.scalar(tag, names, &path).node).collect()
}

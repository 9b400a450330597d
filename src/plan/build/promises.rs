//! What the schema promises of replies: each field, and the backends whose replies it is read from.

use std::collections::BTreeSet;

use super::Planner;
use super::wiring::Wiring;
use crate::base::id::BackendId;
use crate::observe::drift::Promise;
use crate::plan::schema::{FieldDef, TypeId};
use crate::plan::{Action, Field, Scope};

/// The backends that objects of a type, by its position, come from.
type Origins = Vec<BTreeSet<BackendId>>;

impl Planner<'_> {
    /// Adds the promises about all fields, and says where those of each type begin.
    pub(super) fn promise_fields(&self, wiring: &Wiring, fields: &[Field]) -> Vec<usize> {
        let calls: Vec<BTreeSet<BackendId>> = fields.iter().map(|field| called(&field.composition.scope)).collect();
        let origins = self.origins(wiring, &calls);
        let mut first = vec![0; wiring.bound.len()];
        for (id, ty) in self.schema.types() {
            let promise = |(at, field): (usize, &FieldDef)| {
                let backends = sources((id, at), (wiring, &calls), &origins);
                Promise {
                    backends: backends.iter().map(|id| self.backends[id.index()].name.into()).collect(),
                    field: format!("{}.{}", ty.name, field.name).into(),
                    expected: field.ty.to_string().into(),
                }
            };
            first[id.index()] = self.promises.extend(ty.fields.iter().enumerate().map(promise));
        }
        first
    }

    /// Objects come from the calls of what gives them, or from where the object comes that holds them.
    fn origins(&self, wiring: &Wiring, calls: &[BTreeSet<BackendId>]) -> Origins {
        let mut origins: Origins = vec![BTreeSet::new(); wiring.bound.len()];
        let mut grows = true;
        while std::mem::take(&mut grows) {
            for (id, ty) in self.schema.types() {
                for (at, field) in ty.fields.iter().enumerate() {
                    let found = sources((id, at), (wiring, calls), &origins).clone();
                    let named = field.ty.named();
                    for given in std::iter::once(&named).chain(&self.schema[named].possible) {
                        let known = &mut origins[given.index()];
                        let before = known.len();
                        known.extend(&found);
                        grows |= known.len() > before;
                    }
                }
            }
        }
        origins
    }
}

/// The backends that a field is read from: those that its entry calls, else those of its parent.
fn sources<'a>(
    (of, field): (TypeId, usize),
    (wiring, calls): (&Wiring, &'a [BTreeSet<BackendId>]),
    origins: &'a Origins,
) -> &'a BTreeSet<BackendId> {
    let own = wiring.bound[of.index()][field].map(|entry| &calls[entry.index()]);
    own.filter(|own| !own.is_empty()).unwrap_or(&origins[of.index()])
}

/// The backends that a composition calls.
fn called(scope: &Scope) -> BTreeSet<BackendId> {
    let mut found = BTreeSet::new();
    for step in &scope.steps {
        match &step.action {
            Action::Call(call) => drop(found.insert(call.backend)),
            Action::Each(each) => found.extend(called(&each.scope)),
            Action::Group(_) => {}
        }
    }
    found
}

//! The `fail` rules of a call while it is under way: they judge every attempt, so that retry and breaker know a 200
//! that says error.

use std::cell::RefCell;
use std::sync::Arc;

use super::env::{Env, headers_value};
use super::judge;
use crate::base::call::{Judge, Reply};
use crate::base::failure::Fault;
use crate::base::value::{Held, Value, View};
use crate::expr::{self, Budget, Env as _, Var};
use crate::plan::{Call, Read, Rules};

/// Rules with the values that they read beside the reply.
#[derive(Debug)]
struct Judging {
    rules: Arc<Rules>,
    known: Box<[(Var, Held)]>,
}

/// What judges the replies to a call that is about to be made.
pub(super) fn judge_of(call: &Call, env: &Env<'_>) -> Option<Arc<dyn Judge>> {
    let rules = call.rules.as_ref()?;
    let known = rules.reads.iter().filter(|(_, read)| *read == Read::Known);
    let known = known.map(|(var, _)| (*var, Held::keep(&env.var(*var)).unwrap_or(Held::Null))).collect();
    Some(Arc::new(Judging { rules: rules.clone(), known }))
}

impl Judge for Judging {
    fn fault(&self, reply: &Reply) -> Option<Fault> {
        let env = Judged { judging: self, reply, budget: Budget::default() };
        let failures = &mut RefCell::default();
        self.rules.guards.iter().find_map(|guard| match expr::eval(&guard.when, &env, failures.get_mut()) {
            Ok(Value::Bool(true)) => Some(judge::fault_of(guard, true)),
            Ok(_) => None,
            // What cannot be judged is no fault of anyone; the step that asked says so.
            Err(_) => Some(Fault::Gateway),
        })
    }
}

/// A reply with what rules read.
struct Judged<'j> {
    judging: &'j Judging,
    reply: &'j Reply,
    budget: Budget,
}

impl Judged<'_> {
    fn read(&self, var: Var) -> Option<Read> {
        self.judging.rules.reads.iter().find(|(known, _)| *known == var).map(|(_, read)| *read)
    }

    fn held(&self, var: Var) -> Option<&Held> {
        match self.read(var)? {
            Read::Body => Some(&self.reply.body),
            Read::Known => self.judging.known.iter().find(|(known, _)| *known == var).map(|(_, held)| held),
            Read::Status | Read::Headers => None,
        }
    }
}

impl expr::Env for Judged<'_> {
    fn var(&self, var: Var) -> Value<'_> {
        match self.read(var) {
            Some(Read::Status) => Value::Int(self.reply.status.into()),
            Some(Read::Headers) => headers_value(self.reply.headers.map()),
            _ => self.held(var).map_or(Value::Null, Held::value),
        }
    }

    fn view(&self, var: Var) -> Option<View<'_>> {
        self.held(var)?.view()
    }

    fn budget(&self) -> &Budget {
        &self.budget
    }
}

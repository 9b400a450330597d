//! `fail` rules: what makes a reply, or a value, a failure.

use std::sync::Arc;

use super::env::Env;
use crate::base::call::{Expect, Reply};
use crate::base::failure::{Cause, Failure, Fault};
use crate::base::value::{Held, Value};
use crate::plan::Guard;

/// Lets guards judge; the first whose condition holds refuses.
pub(super) fn guards(guards: &[Guard], env: &Env<'_>) -> Result<(), Failure> {
    for guard in guards {
        if env.holds(&guard.when)? {
            return Err(refusal(guard, env));
        }
    }
    Ok(())
}

/// Judges a reply: by the call's rules first, then by its status.
pub(super) fn reply(rules: &[Guard], expect: &Expect, env: &Env<'_>, reply: &Reply) -> Result<(), Failure> {
    guards(rules, env).map_err(|failure| with_reply(failure, reply))?;
    if expect.accepts(reply.status) {
        return Ok(());
    }
    let retry_after = reply.pause();
    let cause = match reply.status {
        504 => Cause::Timeout,
        429 => Cause::BackendBusy,
        503 if retry_after.is_some() => Cause::BackendBusy,
        _ => Cause::BackendStatus,
    };
    let failure = Failure::new(cause, format!("the backend answered {}", reply.status));
    Err(with_reply(Failure { retry_after, event: Some(reply.event()), ..failure }, reply))
}

/// The failure with what the reply said.
pub(super) fn with_reply(failure: Failure, reply: &Reply) -> Failure {
    let body = match &reply.body {
        Held::Doc(doc, 0) => Some(doc.clone()),
        _ => None,
    };
    Failure { backend_status: Some(reply.status), body, ..failure }
}

/// Whose fault it is that a guard refuses.
pub(super) fn fault_of(guard: &Guard, judges_reply: bool) -> Fault {
    guard.blame.unwrap_or(if judges_reply { Fault::Backend } else { Fault::Client })
}

/// The failure that a guard declares.
fn refusal(guard: &Guard, env: &Env<'_>) -> Failure {
    let cause = match fault_of(guard, env.reply.is_some()) {
        Fault::Client => Cause::Refused,
        _ => Cause::ReplyFailed,
    };
    let mut failure = Failure::new(cause, "refused by a `fail` rule");
    failure.status = guard.status;
    failure.code = guard.code.as_deref().map(Arc::from);
    failure.detail = guard.detail.as_ref().and_then(|detail| match env.eval(detail) {
        Ok(Value::Text(text)) => Some(Arc::from(&*text)),
        _ => None,
    });
    failure.with = guard.with.as_ref().and_then(|with| env.keep(with).ok()).and_then(|held| match held {
        Held::Doc(doc, 0) => Some(doc),
        _ => None,
    });
    failure
}

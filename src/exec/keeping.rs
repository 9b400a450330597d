//! Filling in how the reply to a call may be shared: for whom it is made, what its rules read, and its tags.

use std::time::Duration;

use super::env::Env;
use super::render::scalar_text;
use crate::base::call::{Keeping, Share};
use crate::base::value::{JsonWriter, Sink as _};
use crate::expr::Env as _;
use crate::plan::{Around, Kept, Whom};

/// The room that a key has from the start: most need no more.
const ROOM: usize = 512;
/// How long fetching may take where nothing bounds a call.
const UNBOUNDED: Duration = Duration::from_secs(10);

/// How the reply to a call may be shared that may take `time`; `None`: not at all. Where something of it cannot be
/// computed nothing is shared.
pub(super) fn of(
    around: &Around,
    kept: Option<&Kept>,
    (env, time): (&Env<'_>, Option<Duration>),
) -> Option<Box<Keeping>> {
    let kept = kept?;
    let whom = around.keeping[kept.rule.index()].whom;
    if whom == Whom::Nobody {
        return None;
    }
    let mut apart = Vec::with_capacity(ROOM);
    apart.extend_from_slice(&[0; Keeping::HEAD]);
    match whom {
        Whom::Nobody | Whom::Everyone => {}
        Whom::Caller => env.request.caller(&mut |part| put(part, &mut apart)),
        Whom::Alike => {
            let mut json = JsonWriter::default();
            env.write(kept.scope.as_ref()?, &mut json).ok()?;
            put(&json.bytes, &mut apart);
        }
    }
    for name in &kept.vary {
        env.request.every(name, &mut |part| put(part, &mut apart));
    }
    for var in &kept.reads {
        let mut json = JsonWriter::default();
        json.value(&env.var(*var)).ok()?;
        put(&json.bytes, &mut apart);
    }
    let tag = |node| Some(Box::from(&*scalar_text(&env.eval(node).ok()?).ok()?));
    let tags = kept.tags.iter().map(tag).collect::<Option<_>>()?;
    Some(Box::new(Keeping { rule: kept.rule, share: Share::Whole, apart, tags, time: time.unwrap_or(UNBOUNDED) }))
}

/// Appends a part with its length.
fn put(part: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(part.len() as u64).to_le_bytes());
    out.extend_from_slice(part);
}

//! What a call depends on, as bytes: calls with the same bytes get the same reply.
//!
//! ```text
//! head: backend, rule, what is kept, body or none │ for whom, vary, what rules read │ method, target, body, fields
//!                                     call::key ─▶│◀─ exec::keeping              │◀─ call::key
//! ```
//!
//! **Invariant:** everything that is sent is in it, and so is everything that decides what the reply is worth. Nothing in
//! it means something else after a reload. It can be read in one way: the rule says how many parts there are, parts of
//! any length begin with it, and lists with their number.

use super::Shared;
use crate::base::call::{Call, Collect, Content, Keeping, Over, Request, Share, Take};
use crate::policy::cache::Key;

/// The key of a call; `None` for one that takes its body from its client while it is sent.
pub(super) fn of(call: &Call, keeping: &mut Keeping, shared: &Shared) -> Option<Key> {
    // It was begun with room for the rest, so that one allocation does for all of it.
    let mut out = std::mem::take(&mut keeping.apart);
    let has_body = match &call.request {
        Request::Rest(rest) => {
            put(rest.method.as_str().as_bytes(), &mut out);
            put(rest.target.as_str().as_bytes(), &mut out);
            match &rest.body {
                None => false,
                Some(Content::Whole(bytes)) => {
                    put(bytes, &mut out);
                    true
                }
                Some(Content::Upload { .. }) => return None,
            }
        }
        Request::Grpc { message, take, .. } => {
            put(message, &mut out);
            put(&held(*take), &mut out);
            true
        }
    };
    for (name, value) in &call.headers {
        put(name.as_str().as_bytes(), &mut out);
        put(value.as_bytes(), &mut out);
    }
    let head = out.get_mut(..Keeping::HEAD)?;
    head[..8].copy_from_slice(&shared.stamp(call.backend).to_le_bytes());
    head[8..16].copy_from_slice(&shared.portrait(keeping.rule).to_le_bytes());
    head[16] = u8::from(keeping.share == Share::Rows);
    head[17] = u8::from(has_body);
    Some(Key::new(out))
}

/// What is held of a reply over gRPC: a list that was cut serves those who cut it at the same length.
fn held(take: Take) -> [u8; 9] {
    let (sort, max) = match take {
        Take::Message => (0, 0),
        Take::Data => (1, 0),
        Take::List(Collect { max, over: Over::Fail }) => (2, max),
        Take::List(Collect { max, over: Over::Cut }) => (3, max),
    };
    let mut bytes = [sort; 9];
    bytes[1..].copy_from_slice(&(max as u64).to_le_bytes());
    bytes
}

/// Appends a part with its length.
fn put(part: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(part.len() as u64).to_le_bytes());
    out.extend_from_slice(part);
}

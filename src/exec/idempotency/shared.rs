//! Beginning a request that is answered once: memory decides for this replica, and the store for all of them.
//!
//! Where the store is away, memory decides alone: no request waits longer for that than the store may take, and none fails.

use std::sync::Arc;

use super::{Once, answer, asked, key, reused, under_way};
use crate::base::failure::Failure;
use crate::base::packed::Packer;
use crate::exec::Live;
use crate::exec::client::ClientRequest;
use crate::plan::Endpoint;
use crate::store::{Claimed, Digest, digest};

/// Begins a request; `None` when it came without a key, and needs none, or its endpoint knows none.
///
/// # Errors
/// The key is missing, or is none (400); its first request, to whichever replica, asked for something else (422), or is
/// under way (409).
pub async fn begin(live: &Live, endpoint: &Endpoint, client: &ClientRequest) -> Result<Option<Once>, Failure> {
    let Some(rules) = &endpoint.idempotency else { return Ok(None) };
    let begun = match live.kept.begin((&endpoint.name, rules), client)? {
        Some(Once::First(begun)) => begun,
        known => return Ok(known),
    };
    let (Some(store), Some(key)) = (live.calls.shared().store(), key(client)?) else {
        return Ok(Some(Once::First(begun)));
    };
    let what = asks(client);
    match store.claim((id(&endpoint.name, (client, key)), what), endpoint.timeout).await {
        Claimed::First(claim) => Ok(Some(Once::First(begun.with(claim)))),
        Claimed::Taken { asked, .. } if asked != what => Err(reused()),
        Claimed::Taken { answer: None, .. } => Err(under_way()),
        // What another version wrote may be no answer here; that nothing is written twice matters more.
        Claimed::Taken { answer: Some(bytes), .. } => match answer::read(bytes) {
            Some(outcome) => Ok(Some(Once::Again(Arc::new(outcome)))),
            None => Err(under_way()),
        },
    }
}

/// What a request is known by in the store: its endpoint, its caller and its key. They stand there as a digest only.
fn id(name: &str, (client, key): (&ClientRequest, &str)) -> Digest {
    let mut parts = Packer::default();
    parts.part(name.as_bytes());
    parts.part(key.as_bytes());
    client.caller(&mut |part| parts.part(part));
    digest([&parts.finish()[..]])
}

/// What it asks for.
fn asks(client: &ClientRequest) -> Digest {
    let mut parts = Packer::default();
    asked(client, &mut |part| parts.part(part));
    digest([&parts.finish()[..]])
}

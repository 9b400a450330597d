//! Replies to steps that are kept by what they say of themselves (RFC 9111).
//!
//! The key of a call holds everything that is sent, so that whatever `Vary` names is in it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Method, StatusCode};
use tokio::time::Instant;

use super::Calls;
use super::attempt::Ended;
use crate::base::call::{Call, Reply, Request};
use crate::base::id::BackendId;
use crate::plan::Backend;
use crate::policy::cache::{Entry, Purge, Times};
use crate::policy::http_cache::{Asked, Came, Served, Stored, invalidated, served};

/// What a call says of caches in its header fields.
pub(super) fn asked(call: &Call) -> Asked {
    Asked::of(&Method::GET, &call.headers)
}

/// The times of a reply that came at `at` after `took`; `None` for one that is not kept.
pub(super) fn times(call: &Call, reply: &Reply, (at, took): (Instant, Duration)) -> Option<Times> {
    let head = (StatusCode::from_u16(reply.status).ok()?, reply.headers.map());
    let Served { fresh, stale, on_error, askable } = served(&call.headers, head, came(at, took))?;
    Some(Times {
        created: at,
        fresh: at + fresh,
        stale: at + stale,
        on_error: at + on_error,
        askable: at + askable,
        took,
    })
}

/// The tags that are written, and the name of the call's target: a write to that makes the reply wrong.
pub(super) fn tags(calls: &Calls, call: &Call, written: &[Box<str>]) -> Box<[Box<str>]> {
    let own = match &call.request {
        Request::Rest(rest) => Some(tag(&calls.plan.backends[call.backend.index()].name, rest.target.as_str())),
        Request::Grpc { .. } => None,
    };
    written.iter().cloned().chain(own).collect()
}

/// The name of a target among tags: no composition can write it, and in every replica it is the same.
fn tag(backend: &str, target: &str) -> Box<str> {
    format!("\0{backend} {target}").into()
}

/// A kept reply that its backend is asked about.
pub(super) struct Doubted<'e> {
    entry: &'e Entry,
    stored: Stored,
}

impl<'e> Doubted<'e> {
    /// Makes `call` ask whether what is kept is still right; `None` where it cannot be asked, or where a rule would judge
    /// a reply that has no body.
    pub(super) fn ask(entry: &'e Entry, call: &mut Call) -> Option<Self> {
        if call.judge.is_some() {
            return None;
        }
        let (reply, times) = (entry.reply(), &entry.kept().times);
        let head = (StatusCode::from_u16(reply.status).ok()?, reply.headers.map().clone());
        let came = came(times.created, times.took);
        let stored = Stored::new((&call.headers, Box::default()), head, Bytes::new(), came);
        stored.ask_about(&mut call.headers).then_some(Self { entry, stored })
    }

    /// Puts what is kept in the place of a reply that says that it is still right.
    pub(super) fn settle(self, call: &Call, ended: &mut Ended) {
        let Ok(reply) = &mut ended.outcome else { return };
        if reply.status != StatusCode::NOT_MODIFIED.as_u16() {
            return;
        }
        let now = came(Instant::now(), Duration::ZERO);
        let freshened = self.stored.freshened(&call.headers, reply.headers.map(), now);
        *reply = Reply { headers: Arc::new(freshened.headers().clone().into()), ..self.entry.reply().clone() };
    }
}

impl Calls {
    /// Throws away what a write that succeeded made wrong.
    pub(super) fn changed(&self, call: &Call, ended: &Ended) {
        let (Request::Rest(rest), Ok(reply)) = (&call.request, &ended.outcome) else { return };
        if rest.method.is_safe() || !self.plan.around.self_telling.contains(&call.backend) {
            return;
        }
        let Ok(status) = StatusCode::from_u16(reply.status) else { return };
        self.invalidate(call.backend, (&rest.method, rest.target.as_str()), (status, reply.headers.map()));
    }

    /// Forgets what a write made wrong, whoever keeps it.
    pub(super) fn invalidate(
        &self,
        backend: BackendId,
        (method, target): (&Method, &str),
        (status, headers): (StatusCode, &http::HeaderMap),
    ) {
        let Backend { name, addresses, .. } = &self.plan.backends[backend.index()];
        let authorities: Vec<&str> = addresses.iter().map(|address| address.authority.as_str()).collect();
        let (number, now) = (self.shared.stamp(backend), Instant::now());
        for target in invalidated((method, target), (status, headers), &authorities) {
            let prefixes = addresses.iter().map(|address| &*address.prefix).filter(|prefix| !prefix.is_empty());
            let inner = prefixes.filter_map(|prefix| target.strip_prefix(prefix)).find(|rest| rest.starts_with('/'));
            let target = inner.unwrap_or(&target);
            self.shared.purge(Purge::Tag(&tag(name, target)));
            self.shared.http_replies().invalidate(super::passing::key(number, target), now);
        }
    }
}

fn came(at: Instant, delay: Duration) -> Came {
    Came { wall: SystemTime::now(), at, delay }
}

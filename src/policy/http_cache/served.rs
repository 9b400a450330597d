//! For how long a reply serves those who send the very same request again.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::stored::{Came, Stored, is_storable};

/// For how long a reply is good for what, from when it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// It is fresh.
    pub fresh: Duration,
    /// It is served while a newer one is fetched (RFC 5861 section 3); not less than `fresh`.
    pub stale: Duration,
    /// It is served when its backend fails (section 4); not less than `fresh`.
    pub on_error: Duration,
    /// Its backend can be asked about it.
    pub askable: Duration,
}

/// For how long the reply to a GET with these fields serves; `None` if it may not be kept, or would be of no use.
pub fn served(asked: &HeaderMap, (status, headers): (StatusCode, &HeaderMap), came: Came) -> Option<Served> {
    if !is_storable(asked, (status, headers), came) {
        return None;
    }
    let stored = Stored::new((asked, Box::default()), (status, headers.clone()), Bytes::new(), came);
    let said = stored.directives();
    let longer = |said: Option<Duration>| said.filter(|_| !stored.is_bound()).unwrap_or_default();
    let left = |lifetime: Duration| lifetime.saturating_sub(stored.age(came.at));
    let fresh = if said.no_cache { Duration::ZERO } else { left(stored.lifetime()) };
    Some(Served {
        fresh,
        stale: left(stored.lifetime() + longer(said.stale_while_revalidate)).max(fresh),
        on_error: left(stored.lifetime() + longer(said.stale_if_error)).max(fresh),
        askable: stored.kept_for(),
    })
}

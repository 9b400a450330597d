//! What a request wants of a cache (RFC 9111 sections 4 and 5.2.1).

use std::time::Duration;

use http::header::{IF_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE};
use http::{HeaderMap, Method};
use tokio::time::Instant;

use super::directives::Directives;
use super::stored::Stored;

/// What a request wants of a cache.
#[derive(Clone, Debug)]
pub struct Asked {
    directives: Directives,
    /// Whether what is kept can answer it at all.
    is_answerable: bool,
}

/// What a kept reply is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It is the answer.
    Answer,
    /// It is the answer, and a newer one is to be fetched behind it.
    AnswerAndRefresh,
    /// It is stale: its backend is asked whether it is still right.
    Ask,
    /// It is fresh, and the request wants its backend asked all the same.
    AskAnyway,
}

impl Asked {
    /// What a request with this method and these fields wants.
    pub fn of(method: &Method, headers: &HeaderMap) -> Self {
        let directives = Directives::of_request(headers);
        let reads = matches!(*method, Method::GET | Method::HEAD);
        let is_special = [RANGE, IF_MATCH, IF_UNMODIFIED_SINCE, IF_RANGE].iter().any(|name| headers.contains_key(name));
        Self { is_answerable: reads && !is_special && !directives.no_store, directives }
    }

    /// Whether what is kept can answer it, and what is said to it can be kept. Parts and preconditions are its backend's.
    pub fn is_answerable(&self) -> bool {
        self.is_answerable
    }

    /// Whether it takes what is kept without its backend being asked.
    pub fn takes_kept(&self) -> bool {
        !self.directives.no_cache
    }

    /// Whether it takes nothing but what is kept.
    pub fn only_if_cached(&self) -> bool {
        self.directives.only_if_cached
    }

    /// What a kept reply is good for.
    pub fn of_stored(&self, stored: &Stored, now: Instant) -> Use {
        let (age, lifetime) = (stored.age(now), stored.lifetime());
        let Directives { no_cache, max_age, min_fresh, max_stale, .. } = &self.directives;
        let said = stored.directives();
        let is_fresh = age < lifetime && !said.no_cache;
        let is_recent = !*no_cache && max_age.is_none_or(|max| age <= max);
        if is_fresh {
            let is_enough = min_fresh.is_none_or(|least| age + least <= lifetime);
            return if is_recent && is_enough { Use::Answer } else { Use::AskAnyway };
        }
        if !is_recent || min_fresh.is_some() || stored.is_bound() {
            return Use::Ask;
        }
        let staleness = age.saturating_sub(lifetime);
        let within = |longer: Option<Duration>| longer.is_some_and(|longer| staleness < longer);
        match () {
            () if within(said.stale_while_revalidate) => Use::AnswerAndRefresh,
            () if within(*max_stale) => Use::Answer,
            () => Use::Ask,
        }
    }
}

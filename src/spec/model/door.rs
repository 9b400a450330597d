//! What a request meets before anything runs: who may call, how often, from where; and what clients may keep.

use crate::spec::keys::{Entries, Reader, keys, words};
use crate::spec::yaml::{Node, Scalar};

use super::{FieldName, Filled, Frequency, Located, Network, Origin, Period, Sharing, WordOr};

keys! {
    /// Who may call.
    pub struct Requirement: "a requirement", as in "{ by: [staff, apps], scopes: [orders.read] }" {
        /// The providers that may know the caller; any of the project unless said.
        by: Vec<Located<String>>,
        /// Scopes that the caller must have, all of them.
        scopes: Vec<Located<String>>,
        /// Groups of which the caller must be in one.
        groups: Vec<Located<String>>,
        /// An expression that must be true; one that fails denies.
        allow: Option<Scalar>,
        /// Whether callers whom nobody knows are let in too, with `identity` null.
        optional: Option<Located<bool>>,
    }
    then Requirement::check
}

keys! {
    /// How often a caller may call. `rate: 100/s` is short for `rate: { limit: 100/s }`.
    pub struct Rate: "a rate", as in "{ limit: 100/s, burst: 50, per: identity }", or Rate::of_limit {
        /// How many requests in which time.
        limit: Located<Frequency>,
        /// How many may come at once beyond that; none unless said.
        burst: Option<Located<u32>>,
        /// Whose requests are counted together: `identity`, `address`, `all`, or those for which an expression gives
        /// the same. A caller without such a key is counted by address. `address` unless said.
        per: Option<WordOr<Counted>>,
    }
}

words! {
    /// Whose requests are counted together.
    pub enum Counted {
        /// Those of one caller.
        Identity = "identity",
        /// Those of one address.
        Address = "address",
        /// All.
        All = "all",
    }
}

keys! {
    /// Which pages of browsers may call.
    pub struct Cors: "a CORS rule", as in "{ origins: [https://shop.example.com], credentials: true }" {
        /// Where the pages come from: `https://shop.example.com`, `https://*.example.com`, or `*` for any.
        origins: Filled<Vec<Located<Origin>>>,
        /// Header fields that they may send beyond the simple ones.
        headers: Vec<Located<FieldName>>,
        /// Header fields of the answer that they may read beyond the simple ones.
        expose: Vec<Located<FieldName>>,
        /// Whether cookies and credentials go along.
        credentials: Option<Located<bool>>,
        /// How long a browser may remember the rule.
        max_age: Option<Located<Period>>,
    }
    then Cors::check
}

keys! {
    /// Which addresses may call. `deny` wins.
    pub struct Addresses: "a rule of addresses", as in "{ allow: [10.0.0.0/8], deny: [192.0.2.0/24] }" {
        /// Only these; all unless said.
        allow: Vec<Located<Network>>,
        /// Not these.
        deny: Vec<Located<Network>>,
    }
    then Addresses::check
}

keys! {
    /// How long clients, and caches before the gateway, may keep an answer (RFC 9111). `cache: 60s` is short for
    /// `cache: { ttl: 60s }`.
    pub struct AnswerCache: "the caching of an answer", as in "{ ttl: 60s, scope: public }", or AnswerCache::of_ttl {
        /// How long it is fresh (`max-age`).
        ttl: Located<Period>,
        /// How much longer it may be served while a newer one is fetched (`stale-while-revalidate`).
        stale: Option<Located<Period>>,
        /// How much longer it may be served when the gateway fails (`stale-if-error`).
        on_error: Option<Located<Period>>,
        /// Who may keep it: `public` everybody, `caller` only the client itself. `public` if nothing of the caller is in
        /// the answer, else `caller`, unless said.
        scope: Option<Located<Sharing>>,
        /// Header fields of the client that tell answers apart (`Vary`).
        vary: Vec<Located<FieldName>>,
        /// Whether answers get an `ETag`, and clients that have it 304; true unless said.
        etag: Option<Located<bool>>,
    }
}

words! {
    /// Which requests are refused first when there are too many.
    pub enum Priority {
        /// Last of all.
        Critical = "critical",
        /// After those that can be shed.
        Default = "default",
        /// First.
        Sheddable = "sheddable",
    }
}

impl Requirement {
    fn check(&self, entries: &Entries<'_>, reader: &mut Reader<'_>) {
        if entries.is_empty() {
            let diagnostic = reader
                .error("empty", entries.place(), "this says nothing about who may call")
                .help("write `by`, `scopes`, `groups` or `allow`; or `auth: none` to let everybody in");
            reader.report(diagnostic);
        }
    }
}

impl Rate {
    fn of_limit(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Entries::read(&node.under("limit"), None, reader)
    }
}

impl Cors {
    fn check(&self, _: &Entries<'_>, reader: &mut Reader<'_>) {
        let any = self.origins.0.iter().find(|origin| origin.value.0 == "*");
        let credentials = self.credentials.as_ref().filter(|credentials| credentials.value);
        if let (Some(any), Some(credentials)) = (any, credentials) {
            let message = "credentials cannot go along with requests of any page";
            let diagnostic = reader
                .error("conflicting-keys", &credentials.place, message)
                .help("name the origins")
                .related(any.place.clone(), "`*` stands here");
            reader.report(diagnostic);
        }
    }
}

impl Addresses {
    fn check(&self, entries: &Entries<'_>, reader: &mut Reader<'_>) {
        if entries.is_empty() {
            let diagnostic = reader
                .error("empty", entries.place(), "this says nothing about addresses")
                .help("write `allow` or `deny` with networks such as `10.0.0.0/8`");
            reader.report(diagnostic);
        }
    }
}

impl AnswerCache {
    fn of_ttl(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Entries::read(&node.under("ttl"), None, reader)
    }
}

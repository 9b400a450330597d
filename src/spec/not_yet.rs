//! What belongs to the language but not to this version: one table.
//!
//! A key of the table that its type declares is read, with everything in it, so that its mistakes are known today;
//! one that is not declared yet is only refused.

use crate::base::diagnostic::{Diagnostic, Place};

use super::yaml::{Kind, Node};

/// The code of the diagnostic that refuses such a key.
pub const CODE: &str = "not-supported-yet";

/// The keys, by the type that they stand in.
pub const KEYS: &[(&str, &[&str])] = &[
    ("Spec", &["auth"]),
    ("Variant", &["auth"]),
    ("Credentials", &["bearer", "client_credentials", "forward", "hmac", "sigv4"]),
    ("Step", &["auth", "stream"]),
    ("Endpoint", &["auth", "cors", "ip", "mcp", "rate", "stream"]),
    ("Field", &["auth", "cache", "query", "rate", "stream"]),
    ("Gateway", &["auth", "cors", "ip", "rate", "trusted_proxies"]),
    ("GraphqlLimits", &["cost"]),
    ("Calls", &["auth"]),
];

/// Where the values of refused keys stand.
#[derive(Clone, Debug, Default)]
pub struct Refused(Vec<Place>);

impl Refused {
    /// Whether a diagnostic only says what the refusal of a key around it says already.
    pub fn implies(&self, diagnostic: &Diagnostic) -> bool {
        let (found, code) = (&diagnostic.place, diagnostic.code);
        let within = |place: &Place| {
            place.file == found.file && place.bytes.start <= found.bytes.start && found.bytes.end <= place.bytes.end
        };
        code == CODE && self.0.iter().any(within)
    }

    /// Adds a value. What a profile says in it may stand in another file than the rest.
    pub(super) fn add(&mut self, value: &Node) {
        self.0.push(value.place.clone());
        if let Kind::Mapping(pairs) = &value.kind {
            pairs.iter().for_each(|(_, value)| self.add(value));
        }
    }
}

/// Whether `key` in the type `object` belongs to the language but not to this version.
pub(super) fn covers(object: &str, key: &str) -> bool {
    KEYS.iter().any(|(name, keys)| *name == object && keys.contains(&key))
}

/// What its absence means to whoever wrote `key` in the type `object`.
pub(super) fn help(object: &str, key: &str) -> &'static str {
    match (object, key) {
        ("Step" | "Calls", "auth") | ("Credentials", _) => "calls go out without it: leave it out",
        (_, "auth" | "ip" | "rate" | "trusted_proxies") => {
            "no request is refused by it: let what stands before the gateway do that, then leave it out"
        }
        _ => "leave it out; nothing is done in its place",
    }
}

//! What belongs to the language but not to this version: one table.

/// The code of the diagnostic that refuses such a key.
pub const CODE: &str = "not-supported-yet";

/// The keys, by the type that they stand in.
pub const KEYS: &[(&str, &[&str])] = &[
    ("Spec", &["auth"]),
    (
        "Backend",
        &[
            "auth",
            "balance",
            "breaker",
            "cache",
            "choose",
            "concurrency",
            "descriptors",
            "discover",
            "hedge",
            "query",
            "reflection",
            "retry",
            "tls",
            "variants",
        ],
    ),
    ("Step", &["auth", "breaker", "cache", "concurrency", "hedge", "retry", "stream", "undo", "variant"]),
    ("RestCall", &["cookies", "form", "idempotent", "multipart", "raw"]),
    ("GrpcCall", &["idempotent"]),
    ("Endpoint", &["auth", "cache", "cors", "ip", "mcp", "priority", "rate", "stream"]),
    ("Field", &["auth", "cache", "priority", "query", "rate", "stream"]),
    ("Gateway", &["auth", "cors", "ip", "priority", "rate", "store", "tls", "trusted_proxies"]),
    ("GraphqlLimits", &["cost"]),
    ("Calls", &["auth", "balance", "breaker", "cache", "concurrency", "discover", "hedge", "query", "retry"]),
];

/// Whether `key` in the type `object` belongs to the language but not to this version.
pub(super) fn covers(object: &str, key: &str) -> bool {
    KEYS.iter().any(|(name, keys)| *name == object && keys.contains(&key))
}

/// What its absence means to whoever wrote `key`.
pub(super) fn help(key: &str) -> &'static str {
    match key {
        "auth" | "ip" | "rate" | "trusted_proxies" => {
            "no request is refused by it: let what stands before the gateway do that, then leave it out"
        }
        "tls" => "let what stands before the gateway end TLS, then leave it out",
        _ => "leave it out; nothing is done in its place",
    }
}

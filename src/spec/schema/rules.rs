//! What the tables of the language leave to checks in code, as far as a schema can say it.
//!
//! Everything is found by the name of a type and, where it is about one, of a key.

/// A rule among the keys of one mapping.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// Exactly one of these stands there.
    ExactlyOne(&'static [&'static str]),
    /// At least one of these stands there.
    AtLeastOne(&'static [&'static str]),
    /// The first means something only beside the second.
    Needs(&'static str, &'static str),
    /// Beside the first none of the others stands there.
    Excludes(&'static str, &'static [&'static str]),
}

/// The rules of each type, where it is a mapping of its own or an alternative of one.
pub(super) const RULES: &[(&str, &[Rule])] = &[
    (
        "Backend",
        &[
            Rule::ExactlyOne(&["rest", "grpc", "variants"]),
            Rule::Needs("choose", "variants"),
            Rule::Excludes("rest", &["proto", "descriptors", "reflection", "reads", "metadata"]),
            Rule::Excludes("grpc", &["headers", "openapi", "query"]),
            Rule::Excludes("reflection", &["proto", "descriptors"]),
        ],
    ),
    ("Addresses", &[Rule::AtLeastOne(&["allow", "deny"])]),
    ("ApiKey", &[Rule::ExactlyOne(&["header", "query", "cookie"])]),
    ("Credentials", &[Rule::ExactlyOne(&["forward", "bearer", "client_credentials", "mtls", "hmac", "sigv4"])]),
    ("Discover", &[Rule::ExactlyOne(&["dns", "srv", "file", "consul", "kubernetes"])]),
    ("Kubernetes", &[Rule::Needs("token", "address"), Rule::Needs("tls", "address")]),
    ("Health", &[Rule::Excludes("path", &["service"])]),
    ("Provider", &[Rule::ExactlyOne(&["jwt", "api_key", "hmac", "basic", "introspection", "mtls", "forward"])]),
    ("Requirement", &[Rule::AtLeastOne(&["by", "scopes", "groups", "allow", "optional"])]),
    ("Composition", &[Rule::AtLeastOne(&["steps", "result"])]),
    ("Concurrency", &[Rule::ExactlyOne(&["limit", "adaptive"])]),
    (
        "Endpoint",
        &[
            Rule::AtLeastOne(&["steps", "result", "part", "query", "proxy", "respond", "stream"]),
            Rule::Excludes("proxy", &["steps", "result", "part", "query", "respond"]),
            Rule::Excludes("query", &["steps", "result", "part", "graph"]),
            Rule::Excludes("part", &["steps", "result"]),
        ],
    ),
    (
        "RestCall",
        &[
            Rule::ExactlyOne(&["get", "post", "put", "patch", "delete", "head"]),
            Rule::Excludes("body", &["form", "multipart", "raw"]),
            Rule::Excludes("form", &["multipart", "raw"]),
            Rule::Excludes("multipart", &["raw"]),
        ],
    ),
    (
        "Variant",
        &[
            Rule::ExactlyOne(&["rest", "grpc"]),
            Rule::Excludes("rest", &["metadata"]),
            Rule::Excludes("grpc", &["headers", "query"]),
        ],
    ),
    (
        "Step",
        &[
            Rule::Needs("else", "when"),
            Rule::Needs("key", "for_each"),
            Rule::Needs("parallel", "for_each"),
            Rule::Needs("max", "for_each"),
            Rule::Needs("over", "for_each"),
        ],
    ),
];

/// The rules of a type.
pub(super) fn of(object: &str) -> &'static [Rule] {
    RULES.iter().find(|(name, _)| *name == object).map_or(&[], |(_, rules)| rules)
}

/// What a step is that has none of the alternatives: its name, its title, and the key that it needs.
pub(super) const GUARD: (&str, &str, &str) = ("Guard", "a guard", "fail");

/// Keys of a type that do not stand in it where it is this alternative.
pub(super) const NOT_IN_ALTERNATIVE: &[(&str, &str, &[&str])] = &[
    ("Field", "Composition", &["args"]),
    ("Step", "Composition", &["args"]),
    ("Step", "Composition", OF_CALLS),
    ("Step", "Guard", OF_CALLS),
    ("Step", "PartUse", OF_CALLS),
];

/// Keys of a type that need no other beside them where it is this alternative.
pub(super) const ALONE_IN_ALTERNATIVE: &[(&str, &str, &[&str])] = &[("Step", "GrpcCall", &["max", "over"])];

/// Keys of a step that only a call has.
const OF_CALLS: &[&str] = &["batch", "repeat", "undo", "cache", "retry", "hedge", "breaker", "concurrency", "auth"];

/// The types that have a short form, and the key that a value which is no mapping stands for.
pub(super) const SHORT: &[(&str, &str)] = &[
    ("AnswerCache", "ttl"),
    ("Arg", "type"),
    ("Backoff", "base"),
    ("Cache", "ttl"),
    ("Concurrency", "limit"),
    ("Cookie", "value"),
    ("Field", "result"),
    ("FormPart", "value"),
    ("Hedge", "after"),
    ("Key", "value"),
    ("Proxy", "backend"),
    ("Rate", "limit"),
    ("Server", "url"),
    ("Slow", "over"),
];

/// Text of one form, or a number within bounds of its own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// Text like this.
    Text(Text),
    /// A whole number that is not less.
    AtLeast(u64),
}

/// How some text is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    /// A regular expression that finds something in it.
    pub(super) pattern: &'static str,
    /// What editors say when it does not.
    pub(super) wanted: &'static str,
}

/// Text with an expression: a `${` that is not written `$${`.
pub(super) const EXPRESSION: Text = Text { pattern: r"(^|[^$])\$\{", wanted: "Write an expression, as in `${items}`." };

/// Text with a constant.
pub(super) const CONSTANT: Text = Text {
    pattern: r"(^|[^$])\$\{ *(env|file) *\(",
    wanted: "Write the value, or a constant such as `${env('NAME', 'default')}`.",
};

/// A name.
pub(super) const NAME: Text = Text {
    pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
    wanted: "Names are letters, digits and `_`, not beginning with a digit.",
};

/// A field of a type of the schema.
pub(super) const COORDINATE: Text = Text {
    pattern: r"^[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*$",
    wanted: "Write a type and its field, as in `Query.product`.",
};

/// The key of an endpoint.
const ROUTE: Text = Text {
    pattern: concat!(
        r"^(ANY|(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)(\|(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS))*) +",
        r"/(([^/{}?#*: ][^/{}?#* ]*|\{[A-Za-z_][A-Za-z0-9_]*\}[^/{}?#* ]*)/)*",
        r"([^/{}?#*: ][^/{}?#* ]*|\{\*?[A-Za-z_][A-Za-z0-9_]*\}[^/{}?#* ]*)?$",
    ),
    wanted: "Write a method and a path, as in `GET /products/{id}`, `GET|HEAD /files/{*path}`, `ANY /legacy`.",
};

/// The name of a header field or a cookie, a token (RFC 9110, section 5.6.2).
const TOKEN: Text = Text {
    pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
    wanted: "Names of header fields and cookies are letters, digits and `-`.",
};

/// The name of a variant.
const VARIANT: Text =
    Text { pattern: "^[A-Za-z0-9_.-]+$", wanted: "Names of variants are letters, digits, `-`, `_` and `.`." };

const ADDRESS: Text =
    Text { pattern: r"^https?://|(^|[^$])\$\{", wanted: "Write an address such as `http://127.0.0.1:7001`." };

const PATH: Text = Text { pattern: "^/", wanted: "A path begins with `/`, as in `/products/${args.id}`." };

const RPC: Text = Text {
    pattern: r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*/[A-Za-z_][A-Za-z0-9_]*$",
    wanted: "Write an rpc as `package.Service/Method`.",
};

const RPCS: Text = Text {
    pattern: r"^([A-Za-z_][A-Za-z0-9_]*\*?|\*)$",
    wanted: "Write `all`, or names of methods as in `[Get*, ListOrders]`.",
};

const TYPE: Text = Text {
    pattern: r"^(\[ *)*[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*(!? *\])*!?$",
    wanted: "Write a type as GraphQL does: `ID!`, `Int`, `\"[String!]!\"`.",
};

/// The keys whose values have a form of their own.
pub(super) const FORMS: &[(&str, &str, Form)] = &[
    ("Arg", "type", Form::Text(TYPE)),
    ("Backend", "reads", Form::Text(RPCS)),
    ("Consul", "address", Form::Text(ADDRESS)),
    ("Endpoint", "graph", Form::Text(COORDINATE)),
    ("Fail", "status", Form::AtLeast(400)),
    ("Kubernetes", "address", Form::Text(ADDRESS)),
    ("GrpcCall", "rpc", Form::Text(RPC)),
    ("Proxy", "path", Form::Text(PATH)),
    ("Server", "url", Form::Text(ADDRESS)),
    ("Step", "after", Form::Text(NAME)),
    ("Verb", "get", Form::Text(PATH)),
    ("Verb", "post", Form::Text(PATH)),
    ("Verb", "put", Form::Text(PATH)),
    ("Verb", "patch", Form::Text(PATH)),
    ("Verb", "delete", Form::Text(PATH)),
    ("Verb", "head", Form::Text(PATH)),
];

/// The form of a key's value, where it has one of its own.
pub(super) fn form(object: &str, key: &str) -> Option<Form> {
    FORMS.iter().find(|(owner, name, _)| (*owner, *name) == (object, key)).map(|(.., form)| *form)
}

/// How the names of a mapping from names look.
#[derive(Clone, Copy, Debug)]
pub(super) enum Names {
    /// Any text.
    Any,
    /// A name of the language.
    Plain,
    /// A name of the language that means nothing yet in expressions.
    Free,
    /// The same, and only one.
    OneFree,
    /// Text like this.
    Like(Text),
}

/// The names of the mapping under a key.
pub(super) fn names(object: &str, key: &str) -> Names {
    match (object, key) {
        ("Spec", "endpoints") => Names::Like(ROUTE),
        ("Spec", _) | ("PartUse", "args") => Names::Plain,
        ("Reach", "variants") | ("Shares", "weights") => Names::Like(VARIANT),
        (_, "steps" | "args") => Names::Free,
        (_, "for_each" | "$each") => Names::OneFree,
        (_, "headers" | "metadata" | "cookies") => Names::Like(TOKEN),
        _ => Names::Any,
    }
}

//! `auth.NAME`: who can tell the gateway who a caller is.

use crate::spec::keys::{Definition, Entries, FromNode, Reader, Shape, keys, words};
use crate::spec::yaml::Node;

use super::{Constant, Digest, FieldName, FilePath, Filled, Located, Named, Period, Secret, SignatureProfile, Url};

keys! {
    /// A way to know callers: exactly one of these. Once there is one, everything is closed unless opened.
    pub struct Provider: "an auth provider", as in "{ jwt: { issuer: https://id.example.com/, audience: store, algorithms: [RS256] } }" {
        /// Tokens that are signed by somebody else (RFC 7519).
        jwt: Option<Jwt>,
        /// Keys that clients hold.
        api_key: Option<ApiKey>,
        /// Requests that are signed with a shared secret.
        hmac: Option<Hmac>,
        /// Names and passwords (RFC 7617).
        basic: Option<Basic>,
        /// Tokens that somebody else is asked about (RFC 7662).
        introspection: Option<Introspection>,
        /// Certificates of clients.
        mtls: Option<Mtls>,
        /// A service that is asked about every request.
        forward: Option<Forward>,
    }
    then Provider::check
}

keys! {
    /// Whose tokens are taken.
    pub struct Jwt: "a JWT provider", as in "{ issuer: https://id.example.com/, audience: store, algorithms: [RS256, ES256] }" {
        /// Who signs them, as `iss` says. Without `jwks`, the keys are found from here (OpenID Connect Discovery).
        issuer: Located<Url>,
        /// Whom they are for, as `aud` says: one of these.
        audience: Filled<Vec<Located<String>>>,
        /// How they may be signed. What a token says of itself does not count.
        algorithms: Filled<Vec<Located<JwtAlgorithm>>>,
        /// Where the keys are.
        jwks: Option<Located<Url>>,
        /// By how much clocks may differ; `60s` unless said.
        leeway: Option<Located<Period>>,
        /// Claims that must be there beside `exp`.
        required: Vec<Located<String>>,
        /// Where the scopes stand; `scope` unless said.
        scopes_claim: Option<Located<String>>,
        /// Where the groups stand; `groups` unless said.
        groups_claim: Option<Located<String>>,
    }
    then Jwt::check
}

words! {
    /// How a token is signed (RFC 7518, RFC 8037).
    pub enum JwtAlgorithm {
        /// RSA, PKCS #1, SHA-256.
        Rs256 = "RS256",
        /// RSA, PKCS #1, SHA-384.
        Rs384 = "RS384",
        /// RSA, PKCS #1, SHA-512.
        Rs512 = "RS512",
        /// RSA, PSS, SHA-256.
        Ps256 = "PS256",
        /// RSA, PSS, SHA-384.
        Ps384 = "PS384",
        /// RSA, PSS, SHA-512.
        Ps512 = "PS512",
        /// P-256, SHA-256.
        Es256 = "ES256",
        /// P-384, SHA-384.
        Es384 = "ES384",
        /// Ed25519.
        EdDsa = "EdDSA",
        /// A shared secret, SHA-256.
        Hs256 = "HS256",
        /// A shared secret, SHA-384.
        Hs384 = "HS384",
        /// A shared secret, SHA-512.
        Hs512 = "HS512",
    }
}

keys! {
    /// Where clients write a key, and which keys there are.
    pub struct ApiKey: "an API key provider", as in "{ header: x-api-key, keys: { mobile: \"${file('/run/secrets/mobile')}\" } }" {
        /// The header field that holds it.
        header: Option<Located<FieldName>>,
        /// The parameter of the query that holds it. It then stands in logs and histories of others: prefer a header.
        query: Option<Located<String>>,
        /// The cookie that holds it.
        cookie: Option<Located<String>>,
        /// The keys, by the name that `identity.key_id` gets.
        keys: Filled<Vec<Named<Key>>>,
    }
    then ApiKey::check
}

keys! {
    /// A key of a client. A bare digest or constant is short for `{ value: … }`.
    pub struct Key: "a key", as in "{ value: \"sha256:…\", scopes: [orders.read] }", or Key::of_value {
        /// Its digest, or the key itself as a constant; several while one is exchanged for another.
        value: Filled<Vec<Digest>>,
        /// What it may be used for.
        scopes: Vec<Located<String>>,
        /// To which groups its holder belongs.
        groups: Vec<Located<String>>,
    }
}

keys! {
    /// Which signatures are taken.
    pub struct Hmac: "an HMAC provider", as in "{ profile: rfc9421, keys: { shop: \"${file('/run/secrets/shop')}\" } }" {
        /// The form of the signature.
        profile: Located<SignatureProfile>,
        /// The secrets, by the name that a signature gives as its key.
        keys: Filled<Vec<Named<Secret>>>,
        /// How old a signature may be; `5m` unless said.
        max_age: Option<Located<Period>>,
        /// Header fields that must be signed beside method, path, query, authority, digest and time.
        signed: Vec<Located<FieldName>>,
    }
}

keys! {
    /// Which names and passwords are taken.
    pub struct Basic: "a basic auth provider", as in "{ users: { ann: \"${file('/run/secrets/ann')}\" } }" {
        /// The passwords, by name, each as a constant that holds an Argon2 or bcrypt hash.
        users: Filled<Vec<Named<Secret>>>,
        /// What browsers show when they ask.
        realm: Option<Located<String>>,
    }
}

keys! {
    /// Who is asked about tokens.
    pub struct Introspection: "an introspection provider", as in "{ url: https://id.example.com/introspect, client_id: gateway, client_secret: \"${file('/run/secrets/id')}\" }" {
        /// Where.
        url: Located<Url>,
        /// The gateway's name there.
        client_id: Located<Constant>,
        /// Its secret there.
        client_secret: Secret,
        /// How long an answer counts, and never longer than the token; without it, every request asks.
        cache: Option<Located<Period>>,
        /// How long an answer may take; `1s` unless said. Then the caller gets 503.
        timeout: Option<Located<Period>>,
    }
}

keys! {
    /// Which certificates are taken.
    pub struct Mtls: "an mTLS provider", as in "{ authorities: /etc/ssl/clients.pem, names: [\"*.clients.example.com\"] }" {
        /// Files with the authorities that they may come from (PEM).
        authorities: Filled<Vec<Located<FilePath>>>,
        /// Names that they may have, by their subject alternative names; a `*` at the beginning stands for one label.
        names: Vec<Located<String>>,
    }
}

keys! {
    /// A service that is asked about every request: 200 to 299 lets it in, 401 and 403 do not.
    pub struct Forward: "a forward auth provider", as in "{ url: http://auth.internal/check, send: [cookie] }" {
        /// Where.
        url: Located<Url>,
        /// Header fields of the client that it gets; `authorization` and `cookie` unless said.
        send: Vec<Located<FieldName>>,
        /// The header field of its answer that says who the caller is.
        subject: Option<Located<FieldName>>,
        /// How long an answer may take; `1s` unless said. Then the caller gets 503.
        timeout: Option<Located<Period>>,
    }
}

impl Definition for Provider {
    const KIND: &'static str = "provider";

    fn shape() -> Shape {
        <Self as FromNode>::shape()
    }

    fn define(name: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.checked_name(Self::KIND, name);
        Self::read(node, reader)
    }
}

impl Provider {
    fn check(&self, entries: &Entries<'_>, reader: &mut Reader<'_>) {
        let ways = ["jwt", "api_key", "hmac", "basic", "introspection", "mtls", "forward"];
        entries.expect_one(&ways, reader);
    }
}

impl Jwt {
    fn check(&self, _: &Entries<'_>, reader: &mut Reader<'_>) {
        let shared = |algorithm: &&Located<JwtAlgorithm>| algorithm.value.word().starts_with("HS");
        let secret = self.algorithms.0.iter().find(shared);
        let public = self.algorithms.0.iter().find(|algorithm| !shared(algorithm));
        if let (Some(secret), Some(public)) = (secret, public) {
            let message = "shared secrets and public keys cannot stand for the same tokens";
            let diagnostic = reader
                .error("conflicting-keys", &secret.place, message)
                .help("define two providers: a public key taken for a secret would let anybody sign")
                .related(public.place.clone(), format!("`{}` takes public keys", public.value.word()));
            reader.report(diagnostic);
        }
    }
}

impl ApiKey {
    fn check(&self, entries: &Entries<'_>, reader: &mut Reader<'_>) {
        entries.expect_one(&["header", "query", "cookie"], reader);
    }
}

impl Key {
    fn of_value(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Entries::read(&node.under("value"), None, reader)
    }
}

impl Definition for Key {
    const KIND: &'static str = "key";

    fn shape() -> Shape {
        <Self as FromNode>::shape()
    }

    fn define(_: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Self::read(node, reader)
    }
}

impl Definition for Secret {
    const KIND: &'static str = "secret";

    fn shape() -> Shape {
        <Self as FromNode>::shape()
    }

    fn define(_: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Self::read(node, reader)
    }
}

//! What proves to a backend who asks, and TLS on both sides.

use crate::spec::keys::{Entries, Reader, keys, words};

use super::{Constant, FilePath, Located, Secret, Url};

keys! {
    /// What proves to a backend who asks: exactly one of these.
    pub struct Credentials: "the auth of a backend", as in "{ bearer: \"${file('/run/secrets/token')}\" }" {
        /// Pass on the client's own `Authorization`.
        forward: Option<Located<bool>>,
        /// A token that stands in a file or in the environment.
        bearer: Option<Secret>,
        /// A token that is asked for with the gateway's own name (RFC 6749, section 4.4).
        client_credentials: Option<ClientCredentials>,
        /// A certificate.
        mtls: Option<Certificate>,
        /// A signature over the request with a shared secret.
        hmac: Option<Signing>,
        /// A signature as AWS asks for.
        sigv4: Option<SigV4>,
    }
    then Credentials::check
}

keys! {
    /// Where a token is asked for, and with which name.
    pub struct ClientCredentials: "client credentials", as in "{ url: https://id.example.com/token, client_id: gateway, client_secret: \"${file('/run/secrets/id')}\" }" {
        /// The address that gives tokens.
        url: Located<Url>,
        /// The gateway's name there.
        client_id: Located<Constant>,
        /// Its secret there.
        client_secret: Secret,
        /// What the token is for.
        scopes: Vec<Located<String>>,
        /// Whom the token is for.
        audience: Option<Located<String>>,
    }
}

keys! {
    /// A certificate and its key.
    pub struct Certificate: "a certificate", as in "{ certificate: /run/secrets/tls.pem, key: /run/secrets/tls.key }" {
        /// The file with the certificate, and those between it and its authority (PEM).
        certificate: Located<FilePath>,
        /// The file with its key (PEM).
        key: Located<FilePath>,
    }
}

keys! {
    /// How requests are signed with a shared secret.
    pub struct Signing: "a signature", as in "{ profile: rfc9421, key_id: gateway, secret: \"${file('/run/secrets/hmac')}\" }" {
        /// The form of the signature.
        profile: Located<SignatureProfile>,
        /// The name of the secret.
        key_id: Located<Constant>,
        /// The secret.
        secret: Secret,
    }
}

words! {
    /// The form of a signature over a request.
    pub enum SignatureProfile {
        /// HTTP Message Signatures (RFC 9421) with Content-Digest (RFC 9530).
        Rfc9421 = "rfc9421",
        /// The draft before it (draft-cavage-http-signatures-12), as older gateways have it.
        Cavage = "cavage",
    }
}

keys! {
    /// How requests are signed for AWS (Signature Version 4).
    pub struct SigV4: "a SigV4 signature", as in "{ region: eu-central-1, service: execute-api, access_key: \"${env('AWS_ACCESS_KEY_ID')}\", secret_key: \"${env('AWS_SECRET_ACCESS_KEY')}\" }" {
        /// The region.
        region: Located<Constant>,
        /// The service.
        service: Located<Constant>,
        /// The name of the key.
        access_key: Located<Constant>,
        /// The key.
        secret_key: Secret,
        /// The token of a session, if the key belongs to one.
        session_token: Option<Secret>,
    }
}

keys! {
    /// TLS to a backend whose addresses begin with `https://`.
    pub struct ClientTls: "TLS to a backend", as in "{ authorities: /etc/ssl/internal.pem }" {
        /// Files with the authorities that its certificate may come from (PEM); those of the system unless said.
        authorities: Vec<Located<FilePath>>,
        /// The name that its certificate must have; the host of the address unless said.
        server_name: Option<Located<String>>,
        /// The oldest version that is spoken; 1.2 unless said.
        minimum: Option<Located<TlsVersion>>,
    }
}

keys! {
    /// TLS to clients.
    pub struct ServerTls: "TLS to clients", as in "{ certificate: /run/secrets/tls.pem, key: /run/secrets/tls.key }" {
        /// The file with the certificate, and those between it and its authority (PEM).
        certificate: Located<FilePath>,
        /// The file with its key (PEM).
        key: Located<FilePath>,
        /// The oldest version that is spoken; 1.2 unless said.
        minimum: Option<Located<TlsVersion>>,
    }
}

words! {
    /// A version of TLS.
    pub enum TlsVersion {
        /// 1.2 (RFC 5246).
        Tls12 = "1.2",
        /// 1.3 (RFC 8446).
        Tls13 = "1.3",
    }
}

impl Credentials {
    fn check(&self, entries: &Entries<'_>, reader: &mut Reader<'_>) {
        entries.expect_one(&["forward", "bearer", "client_credentials", "mtls", "hmac", "sigv4"], reader);
        if let Some(forward) = self.forward.as_ref().filter(|forward| !forward.value) {
            let diagnostic = reader.error("wrong-type", &forward.place, "nothing is forwarded unless it is said");
            reader.report(diagnostic.help("write `auth: none`, or leave it out"));
        }
    }
}

//! What a project says: the types of the composition language, exactly as written.
//!
//! Every value that can be complained about later carries its [`Place`]. Nothing here is resolved:
//! a name is text, a default is `None`, an expression is a [`Scalar`](super::yaml::Scalar) whose text holds `${…}`.

mod backend;
mod balance;
mod call;
mod composition;
mod cookie;
mod credentials;
mod deprecated;
mod directory;
mod door;
mod endpoint;
mod errors;
mod gateway;
mod graph;
mod host;
mod pairs;
mod policy;
mod provider;
mod quantity;
mod resolved;
mod route;
mod step;
mod store;
mod template;
mod text;
mod type_use;
mod variant;

pub use backend::{Backend, Protocol, Reads};
pub use balance::{Algorithm, Balance, Discover, Eject, Hash, Health, Rule, Server, Sticky};
pub use call::{Action, FormPart, GrpcCall, OneCall, PartUse, RestCall, Stream, Undo, Verb};
pub use composition::{Arg, ArgSource, Composition};
pub use cookie::{Cookie, CookieDomain, CookiePath, SameSite};
pub use credentials::{
    Certificate, ClientCredentials, ClientTls, Credentials, ServerTls, SigV4, SignatureProfile, Signing, TlsVersion,
};
pub use deprecated::Deprecated;
pub use directory::{Consul, Kubernetes};
pub use door::{Addresses, AnswerCache, Cors, Counted, Priority, Rate, Requirement};
pub use endpoint::{Document, Endpoint, Proxy, ProxyCache, Respond};
pub use errors::{ErrorStatus, FailureKind};
pub use gateway::{AccessLog, Admin, Calls, Dns, Gateway, Graphql, GraphqlLimits, Shutdown};
pub use graph::{Coordinate, Field, FieldBody, Graph, GraphNames};
pub use pairs::{CallCookie, CallCookies, Header, Headers, ListStyle, Pairs, Parameter, Parameters, Styled};
pub use policy::{
    Adaptive, Backoff, Breaker, Cache, CallPolicies, Concurrency, Hedge, Judged, Lasting, Lateness, Opinion, Retry,
    RetryCause, Sharing, Slow,
};
pub use provider::{ApiKey, Basic, Forward, Hmac, Introspection, Jwt, JwtAlgorithm, Key, Mtls, Provider};
pub use quantity::{Filled, Frequency, Period, Share, Switch, Within, WordOr};
pub use resolved::{HostPort, ServiceName};
pub use route::{Captured, Methods, Route, Segment};
pub use step::{Batch, Blame, Fail, ForEach, Missing, Over, Repeat, Step};
pub use store::Store;
pub use template::{Each, Entry, List, Merge, Object, Prefer, Template};
pub use text::{Constant, Digest, FieldName, FilePath, Network, Origin, Secret, Url};
pub use type_use::{SchemaSource, SchemaUse, TypeUse, UploadUse};
pub use variant::{Choose, Reach, Shares, Variant, Variants, Weight};

use std::collections::HashMap;

use crate::base::diagnostic::Place;

use super::keys::{Entries, Reader, keys};

/// A value and where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where.
    pub place: Place,
}

/// A definition under the name that the file gives it.
#[derive(Clone, Debug)]
pub struct Named<T> {
    /// The name, as the key is written.
    pub name: Located<String>,
    /// The key path of the definition, such as `endpoints."GET /v1/products".steps.product`.
    pub path: String,
    /// What the name stands for.
    pub value: T,
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

keys! {
    /// Everything that the composition files of a project say, merged. Lists are in the order of the
    /// files' names, then as written.
    pub struct Spec: "a composition file", as in "endpoints:\n  GET /products: { steps: { … } }" {
        /// The services behind the gateway.
        backends: Vec<Named<Backend>>,
        /// Compositions to be used by name, with `part: NAME`.
        parts: Vec<Named<Composition>>,
        /// What clients call over HTTP.
        endpoints: Vec<Named<Endpoint>>,
        /// What stands behind the fields of the GraphQL schema.
        graph: Graph,
        /// Who can tell the gateway who a caller is. Once there is one, everything is closed unless opened.
        auth: Vec<Named<Provider>>,
        /// The gateway itself: where it listens, what holds for every call.
        gateway: Gateway,
    }
    then Spec::check
}

impl Spec {
    fn check(&self, _: &Entries<'_>, reader: &mut Reader<'_>) {
        let mut routes: HashMap<String, Vec<&Named<Endpoint>>> = HashMap::new();
        for endpoint in &self.endpoints {
            let alike = routes.entry(endpoint.value.route.pattern()).or_default();
            if let Some(earlier) = alike.iter().find(|earlier| earlier.value.clashes_with(&endpoint.value)) {
                let message =
                    format!("`{}` answers the same requests as `{}`", endpoint.name.value, earlier.name.value);
                let mut diagnostic = reader
                    .error("duplicate-route", &endpoint.name.place, message)
                    .help("leave one of them out, or tell them apart by path or `host`")
                    .related(earlier.name.place.clone(), "first defined here");
                diagnostic.path = endpoint.path.clone();
                reader.report(diagnostic);
            }
            alike.push(endpoint);
        }
    }
}

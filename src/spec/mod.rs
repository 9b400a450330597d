//! Composition files exactly as written, with positions.
//!
//! Reading is the first stage of loading a project: `compositions/*` becomes a [`Spec`], whose types
//! are the composition language. What is wrong in one place alone (an unknown key, a bad unit, two
//! verbs in one step) is reported here, every mistake at once; what needs names resolved or types
//! known is the planner's to say.
//!
//! **Invariant:** nothing here knows a backend's contract, a schema, or how anything runs.

mod model;

mod project;

mod merge;

mod keys;

mod constant;
mod name;
mod not_yet;

pub mod yaml;

mod schema;

pub use constant::{
    Asked, CONSTANTS, ConstantError, LookUp, constant, constant_text, holds_expression, look_up_in_process,
};
pub use keys::{FieldDoc, Form, ObjectDoc, Shape};
pub use model::{
    AccessLog, Action, Adaptive, Addresses, Admin, Algorithm, AnswerCache, ApiKey, Arg, ArgSource, Backend, Backoff,
    Balance, Basic, Batch, Blame, Breaker, Cache, CallCookie, CallCookies, CallPolicies, Calls, Captured, Certificate,
    Choose, ClientCredentials, ClientTls, Composition, Concurrency, Constant, Consul, Cookie, CookieDomain, CookiePath,
    Coordinate, Cors, Counted, Credentials, Deprecated, Digest, Discover, Dns, Document, Each, Eject, Endpoint, Entry,
    ErrorStatus, Fail, FailureKind, Field, FieldBody, FieldName, FilePath, Filled, ForEach, FormPart, Forward,
    Frequency, Gateway, Graph, GraphNames, Graphql, GraphqlLimits, GrpcCall, Hash, Header, Headers, Health, Hedge,
    Hmac, HostPort, Introspection, Judged, Jwt, JwtAlgorithm, Key, Kubernetes, Lasting, Lateness, List, ListStyle,
    Located, Merge, Methods, Missing, Mtls, Named, Network, Object, OneCall, Opinion, Origin, Over, Pairs, Parameter,
    Parameters, PartUse, Period, Prefer, Priority, Protocol, Provider, Proxy, ProxyCache, Rate, Reach, Reads, Repeat,
    Requirement, Respond, RestCall, Retry, RetryCause, Route, Rule, SameSite, SchemaSource, SchemaUse, Secret, Segment,
    Server, ServerTls, ServiceName, Share, Shares, Sharing, Shutdown, SigV4, SignatureProfile, Signing, Size, Slow,
    Spec, Step, Sticky, Store, Stream, Styled, Switch, Template, TlsVersion, TypeUse, Undo, UploadUse, Url, Variant,
    Variants, Verb, Weight, Within, WordOr,
};
pub use name::is_reserved;
pub use not_yet::{CODE as NOT_SUPPORTED_YET, KEYS as NOT_SUPPORTED_KEYS, Refused};
pub use project::{
    DescriptorFile, ENDINGS, FOLDERS, Project, Reading, SourceFile, profiles, read, read_descriptors, read_texts,
};
pub use schema::{json_schema, partial_json_schema};
pub use yaml::{Literal, Scalar};

#[cfg(test)]
mod tests;

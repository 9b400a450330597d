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

pub use constant::{Asked, ConstantError, LookUp, constant, holds_expression, look_up_in_process};
pub use keys::{FieldDoc, ObjectDoc, Shape};
pub use model::{
    AccessLog, Action, Admin, Arg, ArgSource, Backend, Batch, Blame, Calls, Composition, Cookie, Coordinate,
    Deprecated, Document, Each, Endpoint, Entry, ErrorStatus, Fail, FailureKind, Field, FieldBody, ForEach, Gateway,
    Graph, GraphNames, Graphql, GraphqlLimits, GrpcCall, Header, Headers, List, ListStyle, Located, MaxAge, Merge,
    Methods, Missing, Named, Object, Over, Parameter, Parameters, PartUse, Prefer, Protocol, Proxy, Reads, Repeat,
    Respond, RestCall, Route, SameSite, SchemaSource, SchemaUse, Segment, Shutdown, Size, Spec, Step, Styled, Template,
    TypeUse, Verb,
};
pub use not_yet::{CODE as NOT_SUPPORTED_YET, KEYS as NOT_SUPPORTED_KEYS};
pub use project::{Project, Reading, SourceFile, profiles, read, read_texts};
pub use schema::{json_schema, partial_json_schema};
pub use yaml::{Literal, Scalar};

#[cfg(test)]
mod tests;

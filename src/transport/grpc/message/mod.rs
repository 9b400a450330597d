//! Messages between JSON and the protobuf wire, through tables compiled once at load.
//!
//! Descriptors are turned into flat [`Tables`] when a composition is read; a call then goes
//! straight from JSON text to wire bytes ([`encode()`]) and from wire bytes to a document
//! ([`decode()`]), with no tree and no descriptor in between. JSON is ProtoJSON
//! (protobuf.dev/programming-guides/json) with one deliberate difference: a field without presence
//! is always written, with its default when unset, because an expression must see a default and
//! never a missing scalar.
//!
//! **Invariant:** nothing here panics or allocates beyond its limits, whatever the bytes are.

mod build;
mod decode;
mod encode;
mod error;
mod http_body;
mod json;
mod keys;
mod names;
mod tables;
mod wire;

pub use decode::{decode, decode_list};
pub use encode::encode;
pub use error::{JsonError, JsonErrors, WireError};
pub use http_body::{HttpBody, http_body};
pub use tables::{MessageId, Tables};

/// Messages inside one another that a message may hold, either way.
/// Source: the limit of protobuf's own parsers.
pub const DEPTH_LIMIT: usize = 100;

/// Bytes of JSON text that a message may become: defaults and names make text longer than wire.
pub const DOCUMENT_LIMIT: usize = 64 * 1024 * 1024;

#[cfg(test)]
mod tests;

//! What messages and rpcs there are: `.proto` texts, descriptor sets and what servers say of themselves,
//! read by one mechanism.
//!
//! ```text
//! .proto text ──parse──┐
//! descriptor set ──────┼─▶ raw::File ─▶ Library (imports found) ─▶ link (names resolved, rules checked) ─▶ DescriptorPool
//! server reflection ───┘
//! ```
//!
//! Descriptors from outside are data like any other: whatever they hold, reading them ends with a pool or with
//! mistakes, never with a panic. What a file says in the words of its syntax (`proto2`, `proto3`, editions up to 2024)
//! is a set of features here, so that nothing behind this module asks for a syntax.
//!
//! **Invariant:** a pool that exists is whole: every type is there, every number and name is legal and unique.

mod pool;
mod service;

mod declare;
mod library;
mod link;
mod names;
mod rules;

mod features;
mod options;
mod raw;
mod text;
mod text_format;

mod bundled;
mod http;

pub use http::{HttpBinding, HttpVerb};
pub use library::{Library, Parsed, SetError, Sets, Texts};
pub use link::Mistake;
pub use pool::{Cardinality, DescriptorPool, EnumDescriptor, EnumValue, FieldDescriptor, Kind, MessageDescriptor};
pub use service::{MethodDescriptor, ServiceDescriptor};

#[cfg(test)]
mod tests;

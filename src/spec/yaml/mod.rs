//! YAML with positions: a file becomes a tree of [`Node`]s, by the core schema of YAML 1.2.
//!
//! JSON is read as the YAML that it is. Left out on purpose, each with its own diagnostic: tags,
//! anchors and aliases (a part does what they are used for), several documents in a file, keys that
//! are not scalars.

mod core_schema;
mod hint;
mod lines;
mod node;
mod origin;
mod parse;
mod scalar;
mod surrogate;

pub(in crate::spec) use core_schema::literal;
pub use node::{Kind, Node};
pub use parse::parse;
pub(in crate::spec) use parse::{later_of_equal_keys, leave_out};
pub use scalar::{Literal, Scalar};

#[cfg(test)]
mod tests;

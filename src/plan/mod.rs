//! What will run: names resolved, types checked, the call graph and its needs; explainable as text.
//!
//! [`build()`] turns what a project says ([`crate::spec`]) into a [`Plan`], or into every mistake that
//! it holds. Whatever can be decided at load is decided here; nothing later looks a name up.

mod analysis;
mod build;
pub mod contract;
pub mod explain;
pub mod fit;
mod model;
mod needs;
pub mod operation;
mod promises;
pub mod schema;
mod succession;
pub mod syntax;

pub use build::{Reflect, Reflecting, build, rebuild};
pub use model::*;
pub(crate) use needs::needs_of;
pub use promises::{OfBackend, Promises};
pub use succession::Succession;

//! Claims about the analyses, on small projects held in memory.

mod inputs;
mod order;
mod properties;
pub(crate) mod sample;

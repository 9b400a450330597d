//! The shared words: values over reply bytes, calls and replies, failures, diagnostics, typed ids, hosts, media types,
//! paths, units.
//!
//! Everything here is plain data that several layers exchange. What only one layer needs lives there.

pub mod attempt;
pub mod call;
pub mod diagnostic;
pub mod failure;
pub mod fields;
pub mod host;
pub mod id;
pub mod media;
pub mod path;
pub mod unit;
pub mod upload;
pub mod value;

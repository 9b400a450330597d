//! The shared words: values over reply bytes, calls and replies, failures, diagnostics, typed ids, hosts, media types,
//! paths, units, wires; how files are read, and what room bodies have.
//!
//! Everything here is plain data that several layers exchange, or what they share or would else all do on their own. What
//! only one layer needs lives there.

pub mod anchor;
pub mod attempt;
pub mod call;
pub mod diagnostic;
pub mod failure;
pub mod fields;
pub mod file;
pub mod host;
pub mod id;
pub mod media;
pub mod packed;
pub mod path;
pub mod room;
pub mod unit;
pub mod upload;
pub mod value;
pub mod wire;

//! What the gateway says about itself: the process log and one access record per request.
//!
//! Layers above hand over facts; nothing here asks for any, and nothing here decides.

pub mod access;
pub mod drift;
mod lines;
pub mod logging;
pub mod reload;

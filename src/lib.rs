//! Selvedge
pub mod base;
pub mod call;
pub mod cli;
pub mod demo;
pub mod exec;
pub mod expr;
pub mod front;
pub mod observe;
pub mod plan;
pub mod server;
pub mod spec;
pub mod transport;

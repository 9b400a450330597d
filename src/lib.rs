#![doc = include_str!("../docs/ARCHITECTURE.md")]

pub mod base;
pub mod descriptor;
pub mod expr;
pub mod observe;
pub mod policy;

pub mod spec;

pub mod plan;

pub mod transport;

pub mod store;

pub mod call;

pub mod exec;

pub mod front;

pub mod server;

pub mod cli;
pub mod demo;

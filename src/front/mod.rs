//! What clients speak to: the listener, the door, REST and GraphQL, and the operators' address.
//!
//! **Invariant:** no logic of compositions lives here. A front turns bytes into a
//! [`crate::exec::ClientRequest`], runs it, and turns the answer or failure into bytes.

pub mod admin;
pub mod coding;
mod door;
pub mod entrance;
mod exchange;
pub mod graphql;
pub mod listen;
mod problem;
pub mod rest;
